"""Groups of neighbourhoods by deprivation, alone or within groups of authorities."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from socgrad.arrays import IntArray
from socgrad.ranks import quantile_groups
from socgrad.reading.geography import Geography

__all__ = ["Cells", "cells"]


@dataclass(frozen=True, eq=False)
class Cells:
    """Which cell each area is in, 1 to `number`: groups run faster than authority groups."""

    cell: IntArray
    groups: int
    authority_groups: int | None

    @property
    def number(self) -> int:
        """How many cells there are."""
        return self.groups * (self.authority_groups or 1)

    def words(self, position: int) -> str:
        """Name a cell by its position from 0."""
        name = f"group {position % self.groups + 1}"
        if self.authority_groups is None:
            return name
        return f"{name} of authority group {position // self.groups + 1}"

    def unfold(self, values: xr.DataArray) -> xr.DataArray:
        """Turn the last dim, one cell after the other, into dims authority_group and group."""
        shape = (*values.shape[:-1], -1, self.groups)
        rest = [dim for dim in values.dims if dim != values.dims[-1]]
        return xr.DataArray(
            values.to_numpy().reshape(shape),
            dims=(*rest, "authority_group", "group"),
            coords={name: values[name] for name in values.coords if name != values.dims[-1]}
            | {
                "authority_group": np.arange(1, self.number // self.groups + 1),
                "group": np.arange(1, self.groups + 1),
            },
        )


def cells(land: Geography, *, groups: int, authority_groups: int | None) -> Cells:
    """Cut neighbourhoods into national groups, and authorities into groups where asked for.

    Raises
    ------
    EstimandError
        If a number of groups is no whole number from 2, or a group would hold nothing.
    """
    group = quantile_groups(land.deprivation, land.children, groups)
    if authority_groups is None:
        return Cells(group, groups, None)
    own = quantile_groups(land.authority_mean, land.authority_children, authority_groups)
    return Cells(group + groups * (own[land.authority_of_area] - 1), groups, authority_groups)
