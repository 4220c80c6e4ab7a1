"""The small example fit with covariates, to try the summaries of covariates on."""

import json
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.designs import Formulas, made_designs
from socgrad.reading.example import example_fit
from socgrad.schema import COVARIATE_GROUP, COVARIATE_SCHEMA_VERSION, DESIGNS

__all__ = ["area_covariate_example_fit", "covariate_example_fit"]

_GINI = (0.31, 0.36, 0.33, 0.41, 0.35, 0.38)
_REGION = (0, 0, 1, 1, 0, 1)
_LEVELS = ("North", "South")
_FORMULAS = Formulas(authority_covariates="scale(gini)", moderators="scale(gini) + region")
#: Mean and standard deviation of the draws of each coefficient.
_COEFFICIENTS = {
    "covariate": ((-0.20,), 0.03),
    "authority_covariate": ((0.10,), 0.04),
    "moderator": ((0.08, -0.05), 0.02),
    "area_moderator": ((0.06,), 0.02),
}


def covariate_example_fit() -> xr.DataTree:
    """Make the example fit of a model in which inequality and region moderate the gradient.

    Returns
    -------
    xarray.DataTree
        `socgrad.reading.example.example_fit` with an authority covariate, scale(gini), and two
        moderators, scale(gini) and region. The draws are independent normal numbers around chosen
        values, not the posterior of any data.

    Examples
    --------
    >>> from socgrad.reading.covariate_example import covariate_example_fit
    >>> covariate_example_fit()["posterior"]["moderator"].values.tolist()
    ['scale(gini)', 'region[South]']
    """
    return _made(_FORMULAS)


def area_covariate_example_fit() -> xr.DataTree:
    """Make the same fit with a covariate of areas, rural, which changes level and gradient too.

    Returns
    -------
    xarray.DataTree
        As `covariate_example_fit`; three areas in ten are rural.

    Examples
    --------
    >>> from socgrad.reading.covariate_example import area_covariate_example_fit
    >>> dict(area_covariate_example_fit()["constant_data"]["covariate_design"].sizes)
    {'area': 600, 'covariate': 1}
    """
    return _made(replace(_FORMULAS, covariates="rural", area_moderators="rural"))


def _made(formulas: Formulas) -> xr.DataTree:
    single = example_fit()
    draws, constants = single["posterior"].to_dataset(), single["constant_data"].to_dataset()
    rural = np.arange(constants.sizes["area"]) * 7 % 10 < 3
    columns = {
        "gini": ("authority", np.array(_GINI), {}),
        "region": ("authority", np.array(_REGION), {"levels": list(_LEVELS), "ordered": 0}),
    }
    areas = pd.DataFrame(index=constants.indexes["area"])
    if formulas.covariates:
        columns["rural"] = ("area", rural.astype(np.int64), {"levels": ["no", "yes"], "ordered": 0})
        areas["rural"] = pd.Categorical(np.where(rural, "yes", "no"))
    authorities = pd.DataFrame(
        {"gini": _GINI, "region": pd.Categorical([_LEVELS[k] for k in _REGION])},
        index=constants.indexes["authority"],
    )
    designs = made_designs(
        formulas,
        area_table=areas,
        authority_table=authorities,
        authority_of_area=constants["authority_of_area"].to_numpy(),
        children=constants["children"].to_numpy(),
    )
    rng = np.random.default_rng(7)
    for name, (means, sd) in _COEFFICIENTS.items():
        made = designs.named[name]
        if not made.names:
            continue
        label = {name: np.array(made.names, dtype=object)}
        constants[f"{name}_design"] = (DESIGNS[f"{name}_design"][0], made.matrix)
        noise = rng.standard_normal((draws.sizes["chain"], draws.sizes["draw"], len(means)))
        values = np.array(means) + sd * noise
        draws[f"{name}_coefficient"] = (("chain", "draw", name), values)
        draws, constants = draws.assign_coords(label), constants.assign_coords(label)
    held = xr.Dataset(
        {
            name: (
                dim,
                values,
                {k: json.dumps(v) if k == "levels" else v for k, v in attrs.items()},
            )
            for name, (dim, values, attrs) in columns.items()
        },
        coords={"authority": constants["authority"], "area": constants["area"]},
        attrs={"formulas": json.dumps(asdict(formulas))},
    )
    tree = xr.DataTree.from_dict(
        {
            "posterior": draws,
            "constant_data": constants,
            COVARIATE_GROUP: held,
        }
    )
    tree.attrs["socgrad_schema"] = COVARIATE_SCHEMA_VERSION
    return tree
