"""What was published of coarsened counts and totals, as likelihood data."""

from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.arrays import BoolArray, IntArray
from socgrad.coarsening.stored import kernel_variables
from socgrad.laws.kernels import kernels_of
from socgrad.table.areas import Areas

__all__ = ["crude_log_rate", "has_data", "kernel_data", "kernels_of_totals"]

# Halvings of an interval of log rates: right to a hundredth.
_HALVINGS: Final = 12


def kernel_data(areas: Areas) -> dict[str, tuple[tuple[str, ...], npt.ArrayLike]]:
    """Kernels of areas and then of totals, each once; empty where there are none.

    A kernel is P(published | count) for counts from `kernel_low` to `kernel_high` (`OPEN`: without
    end): `kernel_weight`, NaN beyond its end or where all are 1.
    """
    held = (areas.coarsened, areas.coarsened_totals)
    kernels = [kernel for each in held if each is not None for kernel in each.kernels]
    if not kernels:
        return {}
    return {
        name: (tuple(map(str, values.dims)), values.to_numpy())
        for name, values in kernel_variables(kernels).items()
    }


def kernels_of_totals(areas: Areas) -> IntArray:
    """Position of each authority's kernel in `kernel_data`; -1 where its total is not coarsened."""
    if areas.coarsened_totals is None:
        return np.full(len(areas.authority), -1, dtype=np.int64)
    first = 0 if areas.coarsened is None else len(areas.coarsened.kernels)
    hidden = areas.totals_known & np.isnan(areas.total_events)
    found = np.where(hidden, areas.coarsened_totals.kernel + first, -1)
    return found.astype(np.int64)


def has_data(areas: Areas) -> BoolArray:
    """Areas whose events are known, each by itself or within its authority's total."""
    return areas.known | areas.totals_known[areas.authority_of_area]


def crude_log_rate(areas: Areas) -> float:
    """Log of the rate at which all counts are likeliest, if it is the same everywhere."""
    events = np.nansum(areas.events[areas.counted]) + np.nansum(areas.total_events)
    exposure = float(areas.exposure[has_data(areas)].sum())
    hidden = areas.known & ~areas.counted
    totals = areas.totals_known & np.isnan(areas.total_events)
    if not (hidden.any() or totals.any()):
        return float(np.log(events / exposure))
    from socgrad.laws.kernel_sums import kernel_sums  # noqa: PLC0415 numba, where needed

    summed = np.bincount(areas.authority_of_area, areas.exposure, minlength=len(totals))
    log_exposure = np.log(np.concatenate([areas.exposure[hidden], summed[totals]]))
    of_areas = np.zeros(0) if areas.coarsened is None else areas.coarsened.kernel[hidden]
    kernel = np.concatenate([of_areas, kernels_of_totals(areas)[totals]]).astype(np.int64)
    rows = np.array([0, len(kernel)]), kernel, np.zeros(len(kernel)), log_exposure
    known = exposure - np.exp(log_exposure).sum()
    kernels, none = kernels_of([xr.Dataset(kernel_data(areas))]), np.zeros((1, 1))
    low, high = np.log([0.5 / exposure, 10.0])
    for _ in range(_HALVINGS):
        # The slope of the log-likelihood falls with the rate.
        middle = (low + high) / 2
        sums = kernel_sums(kernels, rows, none + middle, none, np.zeros(1), deep=True)
        rises = events - np.exp(middle) * known + sums[1, 0, 0] > 0
        low, high = (middle, high) if rises else (low, middle)
    return float(middle)
