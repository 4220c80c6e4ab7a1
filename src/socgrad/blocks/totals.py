"""Covariances of strata of which totals alone are known, on scales without bounds.

Events tell the covariances of level + tilt slope, tilt being the mean of w over events, and nothing
of slopes: in levels and slopes the posterior is a narrow ridge. The maps take complex numbers, as
those of `socgrad.blocks.covariance` do.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.blocks.covariance import Structure
from socgrad.blocks.data import CountsOfStrata
from socgrad.blocks.scales import bounded, log_cosh, positive, positive_distance
from socgrad.blocks.segments import TOTAL

__all__ = ["Totals", "tilts"]

# Complex where derivatives are taken.
type Array = Any


@dataclass(frozen=True, eq=False)
class Totals(Structure):
    """Where totals alone are known: covariance of totals, and of slopes given them.

    A point holds covariances of totals as `Bartlett` does, but relative to a guess: A of the factor
    A T_0 of the precision, near the identity also where strata are nearly copies. Then come the
    slopes' standard deviations and their partial correlations, totals first, as in `Partials`: of
    these the posterior is near the prior. The prior stays that of (level, slope).

    Attributes
    ----------
    mean, sd, concentration, bend
        As of `Partials`.
    tilt : ndarray, shape (strata,)
    guess : ndarray, shape (strata, strata)
        The lower triangular T_0.
    """

    mean: FloatArray
    sd: FloatArray
    concentration: float
    bend: FloatArray
    tilt: FloatArray
    guess: FloatArray

    @classmethod
    def about(
        cls,
        covariance: FloatArray,
        tilt: FloatArray,
        prior: FloatArray,
        *,
        concentration: float,
        bend: FloatArray,
    ) -> "Totals":
        """The structure whose guess is that of a covariance of (level, slope)."""
        turn = np.hstack([np.eye(len(tilt)), np.diag(tilt)])
        guess = np.linalg.inv(np.linalg.cholesky(turn @ covariance @ turn.T))
        return cls(prior[:, 0], prior[:, 1], concentration, bend, tilt, guess)

    @property
    def size(self) -> int:  # noqa: D102
        n = len(self.mean)
        return n * (n + 1) // 2

    @property
    def mirrored(self) -> BoolArray:  # noqa: D102
        s = len(self.tilt)
        told = s * (s + 1) // 2
        place = np.arange(self.size)
        return (place >= told) & (place < told + s)

    def _parts(self, x: Array) -> tuple[Array, Array, Array]:
        """The totals' part, coordinates of the slopes' sds, and of partial correlations."""
        s = len(self.tilt)
        told = s * (s + 1) // 2
        return x[..., :told], x[..., told : told + s], x[..., told + s :]

    def _root(self, x: Array) -> Array:
        """Factor of the covariance of totals and slopes."""
        n, s = len(self.mean), len(self.tilt)
        totals, sds, partials = self._parts(x)
        root = np.zeros((*x.shape[:-1], n, n), dtype=x.dtype)
        row, column = np.tril_indices(s)
        factor = np.zeros((*x.shape[:-1], s, s), dtype=x.dtype)
        factor[..., row, column] = np.where(row == column, np.exp(totals), totals)
        root[..., :s, :s] = np.linalg.inv(factor @ self.guess)
        row, column = self._below()
        partial = np.zeros((*x.shape[:-1], n, n), dtype=x.dtype)
        partial[..., row, column] = np.tanh(partials)
        left = np.cumprod(np.sqrt(1.0 - partial * partial), axis=-1)
        unit = partial.copy()
        unit[..., 1:] *= left[..., :-1]
        own = np.arange(s, n)
        unit[..., own, own] = left[..., own, own - 1]
        scaled = positive(sds, self.bend[s:])[..., None] * np.tril(unit)[..., s:, :]
        root[..., s:, :] = scaled
        return root

    def _below(self) -> tuple[IntArray, IntArray]:
        row, column = np.tril_indices(len(self.mean), -1)
        slopes = row >= len(self.tilt)
        return row[slopes], column[slopes]

    def _levels(self, root: Array) -> Array:
        """The factor's rows of totals made those of levels."""
        s = len(self.tilt)
        levels = root[..., :s, :] - self.tilt[:, None] * root[..., s:, :]
        return np.concatenate([levels, root[..., s:, :]], axis=-2)

    def covariance(self, x: Array) -> Array:  # noqa: D102
        root = self._levels(self._root(x))
        return root @ np.swapaxes(root, -1, -2)

    def log_prior(self, x: Array) -> Array:
        """Log prior density, up to a constant.

        The prior of the covariance V of (level, slope), by dV, is that of standard deviations times
        det V^(eta - 1) / prod sd^(n + 2 eta - 2); V' of (total, slope) has the same volume and
        determinant. The volume of V' is prod L_ii^(n - i) of its factor L; that of the totals' part
        of L is as in `Bartlett`; a row of slopes has sd^i prod (1 - p_k^2)^((i - 2 - k) / 2) by
        its standard deviation and partial correlations p.
        """
        n, s = len(self.mean), len(self.tilt)
        root = self._root(x)
        i = np.arange(n)
        log_diagonal = np.log(root[..., i, i])
        levels = self._levels(root)
        sds = np.sqrt((levels * levels).sum(axis=-1))
        away = (sds - self.mean) / self.sd
        each = -0.5 * away * away - (n + 2.0 * self.concentration - 2.0) * np.log(sds)
        power = n - i + 2.0 * (self.concentration - 1.0)
        # Of totals: the inverse of a triangular matrix, its diagonal as logarithms.
        power = power + np.where(i < s, s, 0)
        each = each + power * log_diagonal
        _, of_sds, partials = self._parts(x)
        row, column = self._below()
        # (1 - p^2) once more for tanh.
        of_partials = bounded(partials, (row - column) / 2)
        of_slopes = i[s:] * np.log(sds[..., s:]) + log_cosh(of_sds)
        return each.sum(axis=-1) + of_slopes.sum(axis=-1) + of_partials.sum(axis=-1)

    def point(self, covariance: FloatArray) -> FloatArray:  # noqa: D102
        s = len(self.tilt)
        turn = np.eye(len(self.mean))
        turn[:s, s:] += np.diag(self.tilt)
        made = turn @ covariance @ turn.T
        root = np.linalg.cholesky(made)
        row, column = np.tril_indices(s)
        factor = np.linalg.inv(self.guess @ root[:s, :s])[row, column]
        factor[row == column] = np.log(factor[row == column])
        unit = root / np.sqrt(np.diag(made))[:, None]
        row, column = self._below()
        left = 1.0 - np.cumsum(unit**2, axis=-1) + unit**2
        partial = unit[row, column] / np.sqrt(left[row, column])
        distances = positive_distance(np.sqrt(np.diag(covariance)[s:]), self.bend[s:])
        return np.concatenate([factor, distances, np.arctanh(partial)])


def tilts(counts: CountsOfStrata, modes: FloatArray) -> FloatArray:
    """How the log of an expected total goes with the slope, by stratum, in the mean.

    Parameters
    ----------
    counts : CountsOfStrata
    modes : ndarray, shape (authorities, effects)
        Levels and then slopes.
    """
    rows = counts.rows
    authorities, strata = rows.is_total.shape
    segment = np.repeat(np.arange(len(rows.kind)), np.diff(rows.first_row))
    block = np.repeat(np.arange(authorities * strata), np.diff(rows.first_segment))[segment]
    slope = modes[:, strata:].ravel()[block]
    expected = np.exp(counts.offset + slope * rows.within) * (rows.kind[segment] == TOTAL)
    events, by_slope = (
        np.bincount(block, each, authorities * strata).reshape(rows.is_total.shape)
        for each in (expected, expected * rows.within)
    )
    there = np.maximum(rows.is_total.sum(axis=0), 1)
    tilt: FloatArray = (by_slope / np.where(events > 0, events, 1.0)).sum(axis=0) / there
    return tilt
