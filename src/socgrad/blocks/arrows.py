"""Precisions of effects over years: a chain of years, and what all of them share.

In coordinates (levels and slopes of every year, shared numbers b) a year is tied to the next one
and to b alone. So the precision is block tridiagonal, 2 x 2 a year, with an arrow's head for b, and
what is done with it costs as much a year whatever the number of years. All of it takes complex
numbers, from which derivatives come.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.yearly_covariances import DriftStates

__all__ = ["Arrow", "arrow_of"]

# Complex where derivatives are taken.
type Array = Any

#: Variance of slopes that do not vary: so small that it changes no count.
_FIXED_SLOPE = 1e-5


@dataclass(frozen=True, eq=False)
class Arrow:
    """A symmetric matrix that ties each year to the next and to what all share.

    Attributes
    ----------
    own : ndarray, shape (..., years, 2, 2)
        Of the (level, slope) of each year.
    following : ndarray, shape (..., years, 2, 2)
        Those of a year with those of the next; the last is 0.
    side : ndarray, shape (..., years, 2, m)
        With what all share.
    corner : ndarray, shape (..., m, m)
    log_determinant : ndarray, shape (...)
    """

    own: Array
    following: Array
    side: Array
    corner: Array
    log_determinant: Array

    @property
    def parts(self) -> tuple[Array, Array, Array, Array]:
        """The matrix without its determinant."""
        return self.own, self.following, self.side, self.corner

    def one(self, k: int) -> "Arrow":
        """That of one point."""
        own, following, side, corner = self.parts
        return Arrow(own[k], following[k], side[k], corner[k], self.log_determinant[k])

    def dense(self) -> Array:
        """Levels, slopes, shared numbers: (..., 2 years + m, the same)."""
        *lead, t, _, m = self.side.shape
        made = np.zeros((*lead, 2 * t + m, 2 * t + m), dtype=self.own.dtype)
        at = np.arange(t)
        for i in range(2):
            made[..., i * t + at[:, None], 2 * t + np.arange(m)] = self.side[..., i, :]
            made[..., 2 * t + np.arange(m), i * t + at[:, None]] = self.side[..., i, :]
            for k in range(2):
                made[..., i * t + at, k * t + at] = self.own[..., i, k]
                made[..., i * t + at[:-1], k * t + at[1:]] = self.following[..., :-1, i, k]
                made[..., k * t + at[1:], i * t + at[:-1]] = self.following[..., :-1, i, k]
        made[..., 2 * t :, 2 * t :] = self.corner
        return made


def arrow_of(states: DriftStates) -> Arrow:
    """Joint precision of the effects of all years and what they share.

    Given b a kind's effects less loads b are a chain, whose precision K is tridiagonal; with G the
    loads it is K among the effects, -K G beside b, and common^-1 + G'K G in the corner.
    """
    kinds, t, m = states.loads.shape
    lead = states.variance.shape[:-2]
    dtype = states.variance.dtype
    keep, variance = (np.zeros((*lead, 2, t), dtype=dtype) for _ in range(2))
    keep[..., :kinds, :], variance[..., :kinds, :] = states.keep, states.variance
    variance[..., kinds:, :] = _FIXED_SLOPE**2
    loads: FloatArray = np.zeros((2, t, m))
    loads[:kinds] = states.loads
    diagonal = 1.0 / variance
    link = keep[..., 1:] / variance[..., 1:]
    diagonal[..., :-1] = diagonal[..., :-1] + keep[..., 1:] * link
    own, following = (np.zeros((*lead, t, 2, 2), dtype=dtype) for _ in range(2))
    side = np.zeros((*lead, t, 2, m), dtype=dtype)
    corner = np.linalg.inv(states.common)
    for k in range(2):
        own[..., k, k] = diagonal[..., k, :]
        following[..., :-1, k, k] = -link[..., k, :]
        tied = diagonal[..., k, :, None] * loads[k]
        tied[..., :-1, :] = tied[..., :-1, :] - link[..., k, :, None] * loads[k, 1:]
        tied[..., 1:, :] = tied[..., 1:, :] - link[..., k, :, None] * loads[k, :-1]
        side[..., k, :] = -tied
        corner = corner + loads[k].T @ tied
    # By a factor of its own: numpy's determinant of complex numbers has a logarithm of their size.
    scale = -np.log(variance).sum(axis=(-2, -1)) - _log_determinant(states.common)
    return Arrow(own, following, side, corner, scale)


def _log_determinant(matrix: Array) -> Array:
    """By elimination, of positive definite matrices (..., m, m)."""
    left, total = matrix, 0.0
    for _ in range(matrix.shape[-1]):
        pivot = left[..., 0, 0]
        total = total + np.log(pivot)
        left = left[..., 1:, 1:] - left[..., 1:, :1] * left[..., :1, 1:] / pivot[..., None, None]
    return total
