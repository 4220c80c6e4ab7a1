"""Authorities none of whose events are known: how they are told from the others.

A fit lists them, since their children shape the national mean, and gives them what it expects of an
authority like them. No number of theirs may stand unmarked among those that data back.
"""

from collections.abc import Hashable
from typing import Final

import numpy as np
import xarray as xr

from socgrad.arrays import BoolArray

__all__ = ["HAS_DATA", "NO_DATA", "NO_DATA_SHORT", "marked", "without_data"]

#: Coordinate along dim authority (and stratum) of draws, where some authority has no data.
HAS_DATA: Final = "has_data"
NO_DATA_SHORT: Final = "no data"
#: Added to the reference of a row.
NO_DATA: Final = "no data of its own: what the model expects of an authority like it"


def marked(draws: xr.DataArray, fit: xr.DataTree) -> xr.DataArray:
    """Add which authorities have data, where draws have dim authority and some have none.

    Parameters
    ----------
    draws
        Dims chain, draw, then others.
    fit
        The fit that they come from, of one stratum.
    """
    if "authority" not in draws.dims:
        return draws
    constants = fit["constant_data"].to_dataset()
    labels = constants["authority"].to_numpy()
    known = np.bincount(
        constants["authority_of_area"].to_numpy(),
        weights=constants["has_data"].to_numpy().astype(float),
        minlength=len(labels),
    )
    has = xr.DataArray(known > 0, coords={"authority": labels}, dims="authority")
    own = has.sel(authority=draws["authority"].to_numpy()).to_numpy()
    if own.all():
        return draws
    return draws.assign_coords({HAS_DATA: ("authority", own)})


def without_data(draws: xr.DataArray, dim: Hashable) -> BoolArray:
    """Which of the rows along a dim have no data of their own."""
    if HAS_DATA not in draws.coords or draws[HAS_DATA].dims != (dim,):
        return np.zeros(draws.sizes[dim], dtype=bool)
    missing: BoolArray = ~draws[HAS_DATA].to_numpy().astype(bool)
    return missing
