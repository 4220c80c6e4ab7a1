"""A column of counts as far as rules of coarsening are judged by it, and what is found of one."""

from __future__ import annotations  # a class names itself in its methods

from dataclasses import dataclass
from typing import Final

import numpy as np

from socgrad.arrays import FloatArray, IntArray

__all__ = ["Histogram", "RuleEvidence"]

_EXPOSURE_CELLS: Final = 12


@dataclass(frozen=True, eq=False, kw_only=True)
class Histogram:
    """A column of counts, as far as rules are judged by it.

    Parameters
    ----------
    value, number
        Distinct numbers that are shown, ascending, and in how many rows each is.
    missing
        Rows without a number.
    exposure
        Exposures relative to their mean, of cells of equal numbers of rows.
    """

    value: IntArray
    number: IntArray
    missing: int
    exposure: FloatArray

    @classmethod
    def of(cls, shown: FloatArray, exposure: FloatArray) -> Histogram:
        """Count the numbers in rows that have an exposure; NaN is a missing one."""
        value, number = np.unique(shown[~np.isnan(shown)].astype(np.int64), return_counts=True)
        cells = np.array_split(np.sort(exposure), _EXPOSURE_CELLS)
        mean = np.array([cell.mean() for cell in cells if cell.size])
        return cls(
            value=value,
            number=number,
            missing=int(np.isnan(shown).sum()),
            exposure=mean / mean.mean(),
        )


@dataclass(frozen=True)
class RuleEvidence:
    """Log likelihood ratios of a rule against counts as they were counted.

    Parameters
    ----------
    any_mixture
        If rates may differ in any way.
    gamma
        If they are gamma distributed about the exposure.
    """

    any_mixture: float
    gamma: float
