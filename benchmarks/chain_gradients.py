"""Authorities' own gradients at nested stages: from the chain, and from stages one by one.

Run from the root of the repository (half a minute for each seed); writes
docs/results/chain_gradients.csv:

    python benchmarks/chain_gradients.py --seeds 1 2 3 4 5

Children flow through the stages of a simulated England (`simulate_flow`), so that every stage
counts children of the one before it again. Of each authority's own gradient among all children at
each stage: how many of the 95% intervals hold it, how wide they are (on the log scale), and the
root mean square error of the posterior means. "independent": each stage on children; "chain": each
on the one before, and the product (`population_gradient`).
"""

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import socgrad as sg

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "results" / "chain_gradients.csv"

sys.path.insert(0, str(ROOT / "examples"))
from briefing import CHAIN  # noqa: E402
from briefing_truth import Outcome, own_gradients  # noqa: E402

FITS = {"independent": None, "chain": "previous stage"}


def measured(seed: int, authorities: int, areas: int) -> pd.DataFrame:
    """One row per fit and stage of one simulated England."""
    flow = sg.stages.simulate_flow(
        authorities=authorities, areas=areas, effects="centred", random_seed=seed
    )
    rows = []
    for how, exposure in FITS.items():
        strata = sg.Strata.from_stages(
            flow.frame, area="area", authority="authority", deprivation="deprivation",
            children="children", stages=list(CHAIN), exposure=exposure, complete=True,
        )  # fmt: skip
        fit = sg.fit(sg.StratifiedModel(strata), method="laplace", random_seed=seed)
        own = sg.stages.population_gradient if how == "chain" else sg.gradient
        draws = np.log(own(fit, target="each"))
        for stage in CHAIN:
            its = draws.sel(stratum=stage)
            truth = np.log(own_gradients(flow, Outcome(stage)).loc[its["authority"].to_numpy()])
            low, high = its.quantile([0.025, 0.975], ("chain", "draw")).to_numpy()
            error = its.mean(("chain", "draw")).to_numpy() - truth
            rows.append(
                {"seed": seed, "fit": how, "stage": stage, "authorities": len(truth)}
                | {"covered": int(((low <= truth) & (truth <= high)).sum())}
                | {"width": np.mean(high - low), "mean_square": np.mean(error**2)}
            )
    return pd.DataFrame(rows)


def main() -> None:
    """Run the seeds, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--authorities", type=int, default=150)
    parser.add_argument("--areas", type=int, default=32_844)
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of stages that exceed the one before
    rows = pd.concat([measured(seed, options.authorities, options.areas) for seed in options.seeds])
    table = (
        rows.groupby(["fit", "stage"], sort=False)
        .agg(
            seeds=("seed", "nunique"),
            gradients=("authorities", "sum"),
            covered=("covered", "sum"),
            width=("width", "mean"),
            rmse=("mean_square", lambda values: np.sqrt(np.mean(values))),
        )
        .reset_index()
    )
    table.insert(5, "coverage", table["covered"] / table["gradients"])
    print(table.round(4).to_string(index=False))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table.round(4).to_csv(options.out, index=False)


if __name__ == "__main__":
    main()
