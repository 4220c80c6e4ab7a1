"""Densities of numbers that are reflected at zero: what their images add."""

from collections.abc import Callable
from typing import Final

import numpy as np

from socgrad.arrays import BoolArray, FloatArray, IntArray

__all__ = ["near_zero", "with_images"]

#: Numbers that may have changed their sign together; of more, one at a time.
_TOGETHER: Final = 6


def near_zero(
    middle: FloatArray, root: FloatArray, mirrored: BoolArray, *, within: float
) -> IntArray:
    """Columns of reflected numbers whose middle is within so many scales of zero, nearest first."""
    distance = middle / np.sqrt(np.sum(root**2, axis=1))
    near = np.flatnonzero(mirrored & (distance < within))
    return near[np.argsort(distance[near], kind="stable")]


def with_images(
    log_density: Callable[[FloatArray], FloatArray], x: FloatArray, columns: IntArray
) -> FloatArray:
    """Log density of points (points, d) once these columns are reflected at zero, (points,)."""
    together, alone = columns[:_TOGETHER], columns[_TOGETHER:]
    signs = np.ones((2 ** len(together), len(columns)))
    signs[:, : len(together)] -= 2.0 * np.array(list(np.ndindex(*(2,) * len(together))))
    lone = np.ones((len(alone), len(columns)))
    lone[:, len(together) :] -= 2.0 * np.eye(len(alone))
    total = np.full(len(x), -np.inf)
    for sign in (*signs, *lone):
        image = x.copy()
        image[:, columns] *= sign
        total = np.logaddexp(total, log_density(image))
    return total
