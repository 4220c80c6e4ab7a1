"""Matrices that sum over sets of areas: the areas of each authority, or of each group."""

import numpy as np
from scipy import sparse

from socgrad.arrays import FloatArray, IntArray

__all__ = ["indicator"]


def indicator(member: IntArray, sets: int, weight: FloatArray | None = None) -> sparse.csr_array:
    """Matrix (areas, sets) that sums values, weighted or not, over the areas of each set."""
    areas = np.arange(len(member))
    weight = np.ones(len(member)) if weight is None else weight
    return sparse.csr_array((weight, (areas, member)), shape=(len(member), sets))
