"""What a straight line through a bend does to other findings; writes docs/results.

Run by hand, from the root of the repository (a minute for eight replicates):

    python tests/shape_study.py --replicates 100

Each replicate draws authority effects and counts of `bent_tables`: 40 authorities of 40 areas, log
rates that bend by -0.06 per squared ten points, the same in every authority, no cross-level term
and a log contextual ratio of -0.2. It fits a line, tenths and a spline, and asks which 95%
intervals hold the truth.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from bent_tables import BEND, BETWEEN, WITHIN, bent_table
from socgrad.errors import ConvergenceWarning
from socgrad.estimands.deprivation_ratios import deprivation_ratio
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "shape_coverage.csv"
#: Deprivations that are compared: about the 90th and the 10th percentile of children.
ENDS = (0.35, 0.05)


def fitted(areas, shape, seed):
    """A line without a compiler, other shapes by NUTS."""
    model = GradientModel(areas, shape=shape)
    if shape == "line":
        return fit(model, method="laplace", random_seed=seed)
    return fit(
        model, method="nuts", draws=500, tune=400, chains=2, random_seed=seed, progress=False
    )


def replicate(number):
    """One row per shape and term: estimate and interval beside the truth."""
    areas = bent_table("parabola", seed=1000 + number).areas
    bent_table.cache_clear()
    x = [(end - areas.national_mean) / 0.10 for end in ENDS]
    truths = {
        "cross_level": 0.0,
        "contextual": BETWEEN - WITHIN,
        "ratio of ends": WITHIN * (x[0] - x[1]) + BEND * (x[0] ** 2 - x[1] ** 2),
    }
    rows = []
    for shape in ("line", "tenths", "spline"):
        tree = fitted(areas, shape, number)
        draws = tree["posterior"].to_dataset()
        ratio = deprivation_ratio(tree, deprivation=ENDS[0], reference=ENDS[1])
        found = {
            "cross_level": draws["cross_level"],
            "contextual": draws["between"] - draws["within"],
            "ratio of ends": np.log(ratio),
        }
        for term, values in found.items():
            low, high = np.quantile(values, [0.025, 0.975])
            rows.append(
                {
                    "replicate": number,
                    "shape": shape,
                    "term": term,
                    "truth": truths[term],
                    "estimate": float(values.mean()),
                    "sd": float(values.std()),
                    "covered": low <= truths[term] <= high,
                }
            )
    return pd.DataFrame(rows)


def main():
    """Run the replicates and write a table of means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="number of the first replicate")
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after these")
    parser.add_argument("--raw", type=Path, help="file of single replicates, added to")
    options = parser.parse_args()
    started, parts = time.time(), []
    if options.raw is not None and options.raw.exists():
        parts.append(pd.read_csv(options.raw))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for number in range(options.first, options.first + options.replicates):
            parts.append(replicate(number))
            if time.time() - started > 60 * options.minutes:
                break
    every = pd.concat(parts).drop_duplicates(["replicate", "shape", "term"])
    if options.raw is not None:
        every.to_csv(options.raw, index=False)
    table = (
        every.assign(error=every["estimate"] - every["truth"])
        .groupby(["term", "shape"], sort=False)
        .agg(
            replicates=("replicate", "nunique"),
            truth=("truth", "mean"),
            estimate=("estimate", "mean"),
            error=("error", "mean"),
            sd=("sd", "mean"),
            coverage=("covered", "mean"),
        )
        .round(3)
    )
    print(table.to_string())
    table.to_csv(RESULTS)


if __name__ == "__main__":
    main()
