"""Coverage of 95% intervals where localities differ; writes docs/results/coverage_localities.csv.

Run by hand, from the root of the repository:

    python tests/locality_study.py --replicates 100 --raw localities.csv

Each replicate simulates 60 authorities of 60 areas in localities of about five, whose rates differ
by a coefficient of 0.3, and fits it by the compile-free engine: as if areas were independent, with
a factor of each area, and with one of each locality. Of authorities' own levels and slopes,
coverage is the share of authorities. With `--raw`, every replicate is kept in that file and none is
fitted twice.
"""

import argparse
import dataclasses
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from coverage_study import RESULTS, TERMS, coverage
from locality_tables import with_localities
from socgrad.errors import ConvergenceWarning
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.simulation.england import simulate
from tables import TRUTH

MODELS = {
    "independent areas": {},
    "a factor of each area": {"family": "negative_binomial"},
    "a factor of each locality": {"localities": True},
}
LOCALITY_SD = 0.3
TAILS = (0.025, 0.975)


def replicate(number: int) -> pd.DataFrame:
    """One row per model and term: truth, posterior mean, interval, whether it holds the truth."""
    rng = np.random.default_rng([2026, 77, number])
    truth = dataclasses.replace(TRUTH, locality_sd=LOCALITY_SD)
    simulation = simulate(
        authorities=60,
        areas=3600,
        sizes="equal",
        stages={"events": truth},
        areas_per_locality=5,
        random_seed=int(rng.integers(2**31)),
    )
    areas = with_localities(simulation.frame)
    rows = []
    for kind, options in MODELS.items():
        with warnings.catch_warnings():
            # Draws that the engine doubts count as they are: leaving them out would flatter it.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = GradientModel(areas, **options)
            tree = fit(model, method="laplace", draws=500, random_seed=number)
        posterior = tree["posterior"].to_dataset()
        posterior["contextual"] = posterior["between"] - posterior["within"]
        for term in (*TERMS, "locality_sd"):
            if term not in posterior:
                continue
            low, high = np.quantile(posterior[term], [0.025, 0.975])
            true = getattr(truth, term)
            row = {"kind": kind, "replicate": number, "term": term, "truth": true, "lower": low}
            row |= {"upper": high, "mean": float(posterior[term].mean())}
            rows.append(row | {"inside": float(low <= true <= high), "width": high - low})
        for term, draws in _lines(posterior, tree["constant_data"]["between_part"]).items():
            true = simulation.effects.set_index("authority")[term].loc[draws["authority"]]
            low, high = np.quantile(draws.transpose("chain", "draw", "authority"), TAILS, (0, 1))
            row = {"kind": kind, "replicate": number, "term": f"authorities' {term}s"}
            error = float((draws.mean(("chain", "draw")) - true.to_numpy()).mean())
            row |= {"truth": 0.0, "mean": error, "width": float((high - low).mean())}
            rows.append(row | {"inside": float(((low <= true) & (true <= high)).mean())})
    return pd.DataFrame(rows)


def _lines(posterior: xr.Dataset, b: xr.DataArray) -> dict[str, xr.DataArray]:
    """Draws of every authority's level and slope."""
    level = posterior["intercept"] + posterior["between"] * b + posterior["level_effect"]
    slope = posterior["within"] + posterior["cross_level"] * b + posterior["slope_effect"]
    return {"level": level, "slope": slope}


def main() -> None:
    """Run the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so many")
    parser.add_argument("--raw", type=Path, required=True, help="file of single replicates")
    arguments = parser.parse_args()
    parts = [pd.read_csv(arguments.raw)] if arguments.raw.exists() else []
    known = set(parts[0]["replicate"]) if parts else set()
    begin = time.perf_counter()
    for number in range(arguments.replicates):
        if number in known:
            continue
        if time.perf_counter() - begin > 60 * arguments.minutes:
            break
        parts.append(replicate(number))
        pd.concat(parts).to_csv(arguments.raw, index=False)
    results = pd.concat(parts)
    table = coverage(results)
    by = results.groupby(["kind", "term"])
    # Of authorities the shares of replicates vary, not single intervals.
    table = table.drop(columns="standard_error")
    table = table.join(by["inside"].sem().rename("standard_error"), on=["kind", "term"])
    table = table.join(by["width"].mean(), on=["kind", "term"]).round(4)
    RESULTS.mkdir(parents=True, exist_ok=True)
    table.to_csv(RESULTS / "coverage_localities.csv", index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
