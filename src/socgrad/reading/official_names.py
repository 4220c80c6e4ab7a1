"""Official names of areas and authorities, where the table had them: labels for people to read.

Draws carry them as coordinates `area_name` and `authority_name` beside the labels of their dims.
"""

from collections.abc import Hashable, Sequence

import pandas as pd
import xarray as xr

from socgrad.schema import NAMES

__all__ = ["in_words", "join_names", "named"]


def named(draws: xr.DataArray, fit: xr.DataTree) -> xr.DataArray:
    """Add the names of areas and authorities, where draws have these dims and the fit names.

    Parameters
    ----------
    draws
        Dims chain, draw, then others.
    fit
        The fit that they come from, of one stratum.
    """
    constants = fit["constant_data"].to_dataset()
    for name, ((dim,), _) in NAMES.items():
        if name in constants and dim in draws.dims:
            at = constants.indexes[dim].get_indexer(draws.indexes[dim])
            if (at >= 0).all():
                draws = draws.assign_coords({name: (dim, constants[name].to_numpy()[at])})
    return draws


def in_words(draws: xr.DataArray, dim: Hashable) -> list[str]:
    """What a reader calls the rows along a dim: their names, else their labels."""
    name = f"{dim}_name"
    return [str(each) for each in draws[name if name in draws.coords else dim].to_numpy().tolist()]


def join_names(parts: Sequence[xr.DataArray], joined: xr.DataArray) -> xr.DataArray:
    """Give draws joined from parts the names that these had, by label."""
    for name, ((dim,), _) in NAMES.items():
        held = [part[name].to_series() for part in parts if name in part.coords]
        if held:
            every = pd.concat(held)
            words = every[~every.index.duplicated()][joined.indexes[dim]]
            joined = joined.assign_coords({name: (dim, words.to_numpy(dtype=object))})
    return joined
