"""A tiny stored fit of three years, for docstrings and tests: nothing is sampled."""

import json
from typing import Final

import numpy as np
import xarray as xr

from socgrad.reading.example import example_fit
from socgrad.schema import YEARS_SCHEMA_VERSION

__all__ = ["example_fit_of_years"]

_YEARS: Final = (2019, 2020, 2021)
#: Steps of the log gradient and of the log rate from year to year.
_FLATTER, _HIGHER = -0.04, 0.05
_DRIFT: Final = {
    "level_constant_sd": (0.25, 0.02),
    "slope_constant_sd": (0.10, 0.01),
    "constant_correlation": (-0.2, 0.1),
    "level_drift_sd": (0.10, 0.01),
    "slope_drift_sd": (0.04, 0.005),
}
_PRIORS: Final = {
    "intercept": [-5.0, 1.5],
    "within": [0.0, 0.5],
    "between": [0.0, 0.5],
    "cross_level": [0.0, 0.2],
    "level_sd": [0.0, 0.5],
    "slope_sd": [0.0, 0.25],
    "correlation": [2.0, 2.0],
}


def example_fit_of_years() -> xr.DataTree:
    """Make a fit of three years: `example_fit` thrice, each year higher and flatter.

    Returns
    -------
    xarray.DataTree
        As from `socgrad.fit` on a `StratifiedModel` of a `years.Panel` whose authorities drift (a
        random walk) and whose deprivation is the same in all years: dim stratum holds 2019, 2020
        and 2021.

    Examples
    --------
    >>> from socgrad.reading.years_example import example_fit_of_years
    >>> example_fit_of_years()["posterior"].stratum.values.tolist()
    [2019, 2020, 2021]
    """
    single = example_fit()
    draws, data = single["posterior"].to_dataset(), single["constant_data"].to_dataset()
    rng = np.random.default_rng(7)
    years = []
    moved = {n: np.zeros(draws.sizes["authority"]) for n in ("level_effect", "slope_effect")}
    for at in range(len(_YEARS)):
        own = draws.assign(
            within=draws["within"] + at * _FLATTER, intercept=draws["intercept"] + at * _HIGHER
        )
        for name, sd in (("level_effect", 0.05), ("slope_effect", 0.03)):
            if at:  # authorities go their ways, the same in all draws but for a little
                moved[name] = moved[name] + sd * rng.standard_normal(draws.sizes["authority"])
            noise = 0.2 * sd * at * rng.standard_normal(draws[name].shape)
            own = own.assign({name: draws[name] + moved[name] + noise})
        years.append(own)
    labels = np.array(_YEARS)
    along = xr.DataArray(labels, coords={"stratum": labels}, dims="stratum", name="stratum")
    joined = xr.concat(years, along).transpose("chain", "draw", "stratum", ...)
    shape = joined.sizes["chain"], joined.sizes["draw"]
    for name, (middle, sd) in _DRIFT.items():
        joined[name] = (("chain", "draw"), middle + sd * rng.standard_normal(shape))
    for name in ("level", "slope", "level_slope"):
        joined[f"{name}_correlation"] = _correlations(joined, name)
    share = xr.ones_like(along, dtype=np.int64)
    data = data.assign(has_data=share * data["has_data"], exposure=share * data["exposure"])
    tree = xr.DataTree.from_dict({"posterior": joined, "constant_data": data})
    drift = {"levels": "random walk", "slopes": "random walk", "breaks": []}
    national = {"form": "random walk", "level": 0.15, "gradient": 0.05, "bend": 0.02, "other": 0.1}
    tree.attrs |= {
        "socgrad_schema": YEARS_SCHEMA_VERSION,
        "strata": json.dumps({"relation": "years", "authority_effects": "joint"}),
        "years": json.dumps(
            {"breaks": [], "index": {}, "drift": drift, "national": national | {"breaks": []}}
        ),
        "priors": json.dumps(_PRIORS),
    }
    return tree


def _correlations(draws: xr.Dataset, name: str) -> xr.DataArray:
    """Correlations between years of a random walk about a constant part."""
    since = np.arange(len(_YEARS), dtype=float)
    if name == "level_slope":
        made = np.full((len(_YEARS), len(_YEARS)), -0.2)
    else:
        constant, step = (_DRIFT[f"{name}_{part}_sd"][0] for part in ("constant", "drift"))
        own = constant**2 + step**2 * np.minimum.outer(since, since)
        made = own / np.sqrt(np.outer(np.diag(own), np.diag(own)))
    shape = draws.sizes["chain"], draws.sizes["draw"], *made.shape
    return xr.DataArray(
        np.broadcast_to(made, shape),
        coords={dim: draws[dim] for dim in ("chain", "draw", "stratum")}
        | {"stratum_bis": list(_YEARS)},
        dims=("chain", "draw", "stratum", "stratum_bis"),
    )
