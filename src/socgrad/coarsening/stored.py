"""Counts that are known within bounds, as a fit keeps them beside those that were counted.

Of each such count the position of its kernel, `event_kernel` (dim bounded_area) or
`total_event_kernel` (dim bounded_authority); of each kernel `kernel_low`, `kernel_high` (-1 without
end) and `kernel_weight` (dims kernel, kernel_step; NaN beyond its end, or where all are 1).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.arrays import IntArray
from socgrad.coarsening.kernels import CoarsenedCounts, Kernel

__all__ = [
    "BOUNDED",
    "KERNELS",
    "bounds_to_store",
    "has_stored_bounds",
    "kernel_variables",
    "stacked",
    "stored_bounds",
]

#: Where the counts of areas, and of authorities, have their kernels: name and dim.
BOUNDED: Final[Mapping[str, tuple[str, str]]] = {
    "events": ("event_kernel", "bounded_area"),
    "total_events": ("total_event_kernel", "bounded_authority"),
}
#: What is stored of kernels.
KERNELS: Final = ("kernel_low", "kernel_high", "kernel_weight")
_NO_END: Final = -1


def bounds_to_store(
    counts: Mapping[str, CoarsenedCounts | None], labels: Mapping[str, "pd.Index[Any]"]
) -> dict[str, xr.DataArray]:
    """Make the variables of counts within bounds; none where there are none.

    Parameters
    ----------
    counts
        By the names of `BOUNDED`, those that are in the likelihood (`kernel` -1 at the others).
    labels
        Of the rows of each.
    """
    kernels: list[Kernel] = []
    made: dict[str, xr.DataArray] = {}
    for name, (variable, dim) in BOUNDED.items():
        own = counts.get(name)
        if own is None or not own.is_interval.any():
            continue
        rows = own.is_interval
        values = own.kernel[rows] + len(kernels)
        made[variable] = xr.DataArray(values, coords={dim: labels[name][rows].to_numpy()})
        kernels += own.kernels
    return made | kernel_variables(kernels) if made else {}


def kernel_variables(kernels: Sequence[Kernel]) -> dict[str, xr.DataArray]:
    """`kernel_low`, `kernel_high` and `kernel_weight` of kernels."""
    low = np.array([one.low for one in kernels], dtype=np.int64)
    high = np.array([_NO_END if one.high is None else one.high for one in kernels], dtype=np.int64)
    weights = [() if one.weight is None else one.weight for one in kernels]
    padded = np.full((len(weights), max([1, *map(len, weights)])), np.nan)
    for row, own in zip(padded, weights, strict=True):
        row[: len(own)] = own
    return {
        "kernel_low": xr.DataArray(low, dims="kernel"),
        "kernel_high": xr.DataArray(high, dims="kernel"),
        "kernel_weight": xr.DataArray(padded, dims=("kernel", "kernel_step")),
    }


def has_stored_bounds(held: xr.Dataset) -> bool:
    """Whether any count of a fit's `observed_data` is known within bounds."""
    return any(variable in held for variable, _ in BOUNDED.values())


def stored_bounds(held: xr.Dataset, name: str, position: IntArray, size: int) -> CoarsenedCounts:
    """Read what `bounds_to_store` made of the counts of one stratum.

    Parameters
    ----------
    held
        Group `observed_data`.
    name
        As in `BOUNDED`, of counts that are there.
    position
        Of each stored row among all areas, or authorities.
    size
        How many there are of these.
    """
    kernel = held[BOUNDED[name][0]].to_numpy().astype(np.int64)
    used, place = np.unique(kernel, return_inverse=True)
    every = [_kernel(held, at) for at in used.tolist()]
    return CoarsenedCounts.from_kernels(every, place).placed(position, size)


def _kernel(held: xr.Dataset, at: int) -> Kernel:
    low, high = (int(held[f"kernel_{end}"].to_numpy()[at]) for end in ("low", "high"))
    own = held["kernel_weight"].to_numpy()[at]
    own = own[~np.isnan(own)]
    return Kernel(low, None if high == _NO_END else high, tuple(own.tolist()) or None)


def stacked(parts: Sequence[xr.Dataset], along: xr.DataArray) -> dict[str, xr.DataArray]:
    """Join the stored bounds of several strata; NaN where a stratum has none."""
    kernels: list[Kernel] = []
    found: dict[str, list[xr.DataArray | None]] = {variable: [] for variable, _ in BOUNDED.values()}
    for one in parts:
        for variable, places in found.items():
            places.append(one[variable].astype(float) + len(kernels) if variable in one else None)
        kernels += [_kernel(one, at) for at in range(one.sizes.get("kernel", 0))]
    made: dict[str, xr.DataArray] = {}
    for variable, places in found.items():
        some = [one for one in places if one is not None]
        if some:
            blank = xr.full_like(some[0], np.nan)
            filled = [blank if one is None else one for one in places]
            made[variable] = xr.concat(filled, along, join="outer")
    return made | kernel_variables(kernels) if made else {}
