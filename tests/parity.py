"""Posterior against lme4 and glmmTMB on stored tables; writes docs/results/parity.csv.

Run by hand, from the root of the repository: python tests/parity.py
(tests/golden/parity.R wrote the estimates of lme4 and glmmTMB.)
"""

import functools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.table.areas import Areas

GOLDEN = Path(__file__).parent / "golden"
RESULTS = Path(__file__).parents[1] / "docs" / "results"
REFERENCE = json.loads((GOLDEN / "parity.json").read_text())["fits"]

MODELS = {
    "poisson": ("poisson", {}),
    "poisson_random_intercept": ("poisson", {"random_slopes": False}),
    "poisson_null": ("poisson", {"deprivation": "none"}),
    "negative_binomial": ("negative_binomial", {"family": "negative_binomial"}),
}

SPREADS = ("level_sd", "slope_sd", "overdispersion")


@functools.cache
def posterior(name: str, method: str = "nuts") -> xr.Dataset:
    """The posterior of the model that the R fits of this name have."""
    table, options = MODELS[name]
    areas = Areas.from_frame(
        pd.read_csv(GOLDEN / f"{table}.csv.gz"),
        area="area",
        authority="authority",
        events="events",
        children="children",
        deprivation="deprivation",
        complete=True,
    )
    tree = fit(
        GradientModel(areas, **options), method=method, draws=2000, random_seed=12, progress=False
    )
    return tree["posterior"].to_dataset()


def comparison(key: str, method: str = "nuts") -> pd.DataFrame:
    """One row per parameter of one reference fit: both estimates, and how far apart they are.

    Coefficients: posterior means, and the difference in posterior SDs. Spreads: posterior medians,
    and the ratio.
    """
    name, engine = key.rsplit("_", 1)
    reference, draws = REFERENCE[key], posterior(name, method)
    rows = []
    for term, estimate in reference["estimates"].items():
        mean, sd = float(draws[term].mean()), float(draws[term].std())
        rows.append({"term": term, engine: estimate, "socgrad": mean, "sd": sd})
        rows[-1]["difference_in_sd"] = (mean - estimate) / sd
    for term in (t for t in SPREADS if t in reference):
        median, sd = float(np.median(draws[term])), float(draws[term].std())
        rows.append({"term": term, engine: reference[term], "socgrad": median, "sd": sd})
        rows[-1]["ratio"] = median / reference[term]
    table = pd.DataFrame(rows).rename(columns={engine: "reference"})
    return table.assign(model=name, engine=engine)


def main() -> None:
    """Compare every reference fit and write the table."""
    table = pd.concat([comparison(key) for key in REFERENCE])
    columns = ["model", "engine", "term", "reference", "socgrad", "sd", "difference_in_sd", "ratio"]
    table = table[columns].round(4)
    print(table.to_string(index=False))
    RESULTS.mkdir(parents=True, exist_ok=True)
    table.to_csv(RESULTS / "parity.csv", index=False)


if __name__ == "__main__":
    main()
