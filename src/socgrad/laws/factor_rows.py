"""Counts of areas by locality, as the integrals over localities' factors read them."""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from socgrad.arrays import FloatArray, IntArray
from socgrad.laws.gamma_factors import rising
from socgrad.laws.kernels import Kernels

__all__ = ["FactorRows"]


class FactorRows(NamedTuple):
    """Counts by locality, as `shared_factors` reads them.

    Attributes
    ----------
    within, row_events : ndarray, shape (rows,)
        w, and events where they are known, else 0.
    row_kernel : ndarray of int, shape (rows,)
        What was published, among the kernels; -1 where events are known.
    first : ndarray of int, shape (localities + 1,)
        Where the rows of each locality begin.
    kernels : Kernels
    """

    within: FloatArray
    row_events: FloatArray
    row_kernel: IntArray
    first: IntArray
    kernels: Kernels

    @classmethod
    def of(
        cls, kernels: Kernels, kernel: IntArray, within: FloatArray, events: FloatArray,
        locality: IntArray,
    ) -> "FactorRows":  # fmt: skip
        """Rows sorted by locality."""
        known = np.where(kernel < 0, events, 0.0)
        begin = np.flatnonzero(np.diff(locality, prepend=-1))
        first = np.append(begin, len(locality)).astype(np.int64)
        return cls(within, known, kernel.astype(np.int64), first, kernels)

    def constants(self, r: FloatArray) -> FloatArray:
        """What of log probabilities depends on no mean, of each row in each draw, (draws, rows)."""
        y = self.row_events
        # A factor of no variance is one of hardly any.
        found = rising(y, np.maximum(r, 1e-12)[:, None], xp=np) - gammaln(y + 1.0)
        return np.asarray(np.where(self.row_kernel < 0, found, 0.0), dtype=np.float64)
