"""Small simulated tables of stages, and their fits without a compiler."""

import functools

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.fitting import fit
from socgrad.model.stratified_model import StratifiedModel
from socgrad.table.strata import Strata
from tables import simulated

ROLES = {
    "area": "area",
    "authority": "authority",
    "deprivation": "deprivation",
    "children": "children",
    "complete": True,
}


@functools.cache
def stage_frame(seed: int = 7) -> pd.DataFrame:
    """Referrals, of which a share that rises with deprivation is assessed, of whom some go on."""
    frame = simulated(authorities=12, areas=360, seed=seed).frame.rename(
        columns={"events": "referral"}
    )
    rng = np.random.default_rng(seed)
    step = (frame["deprivation"] - frame["deprivation"].mean()) / 0.1
    goes_on = np.clip(0.5 * np.exp(0.10 * step), 0.02, 0.9)
    frame["assessment"] = rng.binomial(frame["referral"], goes_on)
    frame["plan"] = rng.binomial(frame["assessment"], np.clip(0.5 * np.exp(0.15 * step), 0.02, 0.9))
    return frame


def stage_strata(**options: object) -> Strata:
    """The three stages on children, unless the test says otherwise."""
    given = {"stages": ["referral", "assessment", "plan"], **ROLES}
    return Strata.from_stages(stage_frame(), **(given | options))


@functools.cache
def stage_fit() -> xr.DataTree:
    """Independent fits of the three stages on children."""
    return fit(StratifiedModel(stage_strata()), method="laplace", random_seed=3)


@functools.cache
def chain_fit() -> xr.DataTree:
    """Fits of each stage on the one before."""
    model = StratifiedModel(stage_strata(exposure="previous stage"))
    return fit(model, method="laplace", random_seed=4)
