"""What may have been published of counts, as arrays."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray, IntArray

__all__ = ["OPEN", "Kernels", "kernels_of"]

#: The upper end of a kernel that has none.
OPEN: Final = -1


class Kernels(NamedTuple):
    """What may have been published of a count.

    Attributes
    ----------
    low, high : ndarray of int, shape (kernels,)
        Counts that each allows; `OPEN` where there is no largest.
    first_weight : ndarray of int, shape (kernels,)
        Where the weights of each begin in `weight`; -1 where all are 1.
    weight : ndarray
        P(published | count), from `low` on.
    """

    low: IntArray
    high: IntArray
    first_weight: IntArray
    weight: FloatArray

    @property
    def middle(self) -> FloatArray:
        """The middle of what each kernel allows, (kernels,)."""
        return np.where(self.high == OPEN, self.low + 1.0, 0.5 * (self.low + self.high))

    @property
    def pairs(self) -> FloatArray:
        """Pairs of events, y (y - 1), at the middle of what each kernel allows, (kernels,)."""
        found: FloatArray = np.maximum(self.middle * (self.middle - 1.0), 0.0)
        return found


def kernels_of(data: Sequence[xr.Dataset]) -> Kernels:
    """Kernels of likelihood data, or of what a fit stores, of every stratum in turn."""
    every = [each for each in data if "kernel_low" in each]
    if not every:
        none = np.zeros(0, dtype=np.int64)
        return Kernels(none, none, none, np.zeros(0))
    low, high = (
        np.concatenate([each[f"kernel_{end}"].to_numpy() for each in every])
        for end in ("low", "high")
    )
    weights = [own[~np.isnan(own)] for each in every for own in each["kernel_weight"].to_numpy()]
    size = np.array([len(own) for own in weights])
    first = np.where(size > 0, np.cumsum(size) - size, -1).astype(np.int64)
    return Kernels(low, high, first, np.concatenate([np.zeros(0), *weights]))
