"""The small example fit with covariates, to try the summaries of covariates on."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.designs import Formulas, made_designs
from socgrad.reading.example import example_fit
from socgrad.schema import COVARIATE_GROUP, COVARIATE_SCHEMA_VERSION, DESIGNS

__all__ = ["covariate_example_fit"]

_GINI = (0.31, 0.36, 0.33, 0.41, 0.35, 0.38)
_REGION = (0, 0, 1, 1, 0, 1)
_LEVELS = ("North", "South")
_FORMULAS = Formulas(authority_covariates="scale(gini)", moderators="scale(gini) + region")
#: Mean and standard deviation of the draws of each coefficient.
_COEFFICIENTS = {
    "authority_covariate": ((0.10,), 0.04),
    "moderator": ((0.08, -0.05), 0.02),
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
    single = example_fit()
    draws, constants = single["posterior"].to_dataset(), single["constant_data"].to_dataset()
    authorities = pd.DataFrame(
        {
            "gini": _GINI,
            "region": pd.Categorical([_LEVELS[k] for k in _REGION]),
        },
        index=constants.indexes["authority"],
    )
    designs = made_designs(
        _FORMULAS,
        area_table=pd.DataFrame(index=constants.indexes["area"]),
        authority_table=authorities,
        authority_of_area=constants["authority_of_area"].to_numpy(),
        children=constants["children"].to_numpy(),
    )
    rng = np.random.default_rng(7)
    for name, (means, sd) in _COEFFICIENTS.items():
        columns = designs.named[name]
        label = {name: np.array(columns.names, dtype=object)}
        constants[f"{name}_design"] = (DESIGNS[f"{name}_design"][0], columns.matrix)
        noise = rng.standard_normal((draws.sizes["chain"], draws.sizes["draw"], len(means)))
        values = np.array(means) + sd * noise
        draws[f"{name}_coefficient"] = (("chain", "draw", name), values)
        draws, constants = draws.assign_coords(label), constants.assign_coords(label)
    held = xr.Dataset(
        {
            "gini": ("authority", np.array(_GINI)),
            "region": (
                "authority",
                np.array(_REGION),
                {"levels": json.dumps(_LEVELS), "ordered": 0},
            ),
        },
        coords={"authority": constants["authority"]},
        attrs={"formulas": json.dumps(asdict(_FORMULAS))},
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
