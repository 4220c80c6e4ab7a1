"""What correlations by factors miss, and what they save; writes docs/results/joint_structures.csv.

Run from the root of the repository:

    python benchmarks/joint_structures.py --replicates 10

Five strata of 100 authorities and 6,000 areas, from common to rare, are simulated in two ways and
fitted with full correlations, by factors, and independently:

* alike: any two strata's levels correlate by 0.8, their slopes by 0.6, as one common factor has it.
* neighbours: by 0.8 and 0.6 to the power of the distance between them, as when each stage follows
  from the one before, which one factor cannot hold.

"bias" and "rmse" are those of posterior means over pairs of strata and replicates ("next" and
"far": neighbouring strata, and the first and last two apart by three or more); "coverage" is of 95%
intervals. "effect" rows are of authorities' slopes, common strata and rare: rmse of posterior means
as a share of that of independent fits.
"""

import argparse
import time
import warnings
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from cases import RESULTS

import socgrad as sg
from joint_tables import Joint, alike, joint_strata, stage

FILE = RESULTS / "joint_structures.csv"
RATES = (431.0, 127.0, 40.0, 20.0, 3.0)
LEVEL, SLOPE = 0.8, 0.6
STAGES = {f"stratum {k + 1}": stage(rate, within=1.7) for k, rate in enumerate(RATES)}
TRUTHS, FITS = ("alike", "neighbours"), ("full", "factor", "independent")


def correlations(truth: str) -> np.ndarray:
    """Correlations of levels of all strata, then slopes; levels and slopes are independent."""
    strata = len(RATES)
    if truth == "alike":
        return alike(strata, LEVEL, SLOPE, own=0.0)
    apart = np.abs(np.subtract.outer(np.arange(strata), np.arange(strata)))
    matrix = np.zeros((2 * strata, 2 * strata))
    matrix[:strata, :strata], matrix[strata:, strata:] = LEVEL**apart, SLOPE**apart
    return matrix


def fitted(made: Joint, how: str, seed: int) -> tuple[object, float]:
    """Fit in one of three ways; return the tree and the seconds it took."""
    begin = time.perf_counter()
    if how == "independent":
        return sg.fit(sg.StratifiedModel(made.strata), random_seed=seed), 0.0
    model = sg.StratifiedModel(made.strata, authority_effects="joint", correlations=how)
    tree = sg.fit(model, method="nuts", draws=500, tune=500, random_seed=seed, progress=False)
    return tree, time.perf_counter() - begin


def replicate(truth: str, number: int) -> pd.DataFrame:
    """One row per estimated number: what it is, how it was fitted, error, and whether it is in."""
    matrix = correlations(truth)
    made = joint_strata(
        STAGES, matrix, authorities=100, areas=6000, seed=100 * TRUTHS.index(truth) + number
    )
    strata, rows = len(RATES), []
    for how in FITS:
        tree, seconds = fitted(made, how, number)
        draws = tree["posterior"].to_dataset()
        common = {"truth": truth, "fit": how, "replicate": number, "seconds": seconds}
        if how != "independent":
            common["divergences"] = int(tree["sample_stats"]["diverging"].sum())
            for kind, offset in (("level", 0), ("slope", strata)):
                values = draws[f"{kind}_correlation"].to_numpy().reshape(-1, strata, strata)
                for i, k in combinations(range(strata), 2):
                    true = matrix[offset + i, offset + k]
                    low, high = np.quantile(values[:, i, k], [0.025, 0.975])
                    what = {1: "next", 2: "second"}.get(k - i, "far")
                    rows.append(
                        common
                        | {"what": f"{kind} correlation", "of": what, "at": f"{i + 1}, {k + 1}"}
                        | {"error": values[:, i, k].mean() - true, "inside": low <= true <= high}
                    )
        slopes = draws["slope_effect"].transpose("stratum", "authority", "chain", "draw")
        slopes = slopes.to_numpy().reshape(strata, slopes.sizes["authority"], -1)
        for s in range(strata):
            true = made.effects[:, strata + s]
            error = slopes[s].mean(axis=-1) - true
            low, high = np.quantile(slopes[s], [0.025, 0.975], axis=-1)
            inside = np.mean((low <= true) & (true <= high))
            of = "rare" if s == strata - 1 else "common"
            rows.append(
                common
                | {"what": "slope effect", "of": of, "at": str(s + 1)}
                | {"error": np.sqrt(np.mean(error**2)), "inside": inside}
            )
    return pd.DataFrame(rows)


def table_of(results: pd.DataFrame) -> pd.DataFrame:
    """Bias, root mean square error and coverage over replicates; of effects, rmse alone."""
    grouped = results.groupby(["truth", "what", "of", "fit"], sort=False)
    table = grouped.agg(
        replicates=("replicate", "nunique"),
        bias=("error", "mean"),
        rmse=("error", lambda values: np.sqrt(np.mean(values**2))),
        coverage=("inside", "mean"),
        seconds=("seconds", "median"),
        divergences=("divergences", "max"),
    ).reset_index()
    effects = table["what"] == "slope effect"
    table.loc[effects, "bias"] = np.nan
    alone = table[effects & (table["fit"] == "independent")].set_index(["truth", "of"])["rmse"]
    keys = pd.MultiIndex.from_frame(table.loc[effects, ["truth", "of"]])
    table.loc[effects, "rmse"] /= alone.loc[keys].to_numpy()
    return table


def main() -> None:
    """Run the replicates, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=np.inf, help="begin no more after these")
    parser.add_argument("--raw", type=Path, help="file of single replicates, to go on from")
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    begin = time.perf_counter()
    parts = [pd.read_csv(options.raw)] if options.raw and options.raw.exists() else []
    done = set(zip(parts[0]["truth"], parts[0]["replicate"], strict=True)) if parts else set()
    for number in range(options.replicates):
        for truth in TRUTHS:
            late = time.perf_counter() - begin > 60 * options.minutes
            if late or (truth, number) in done:
                continue
            parts.append(replicate(truth, number))
            if options.raw:
                pd.concat(parts).to_csv(options.raw, index=False)
    table = table_of(pd.concat(parts)).round(4)
    print(table.to_string(index=False))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out, index=False)


if __name__ == "__main__":
    main()
