"""Covariances of authority effects on scales without bounds, and their prior there.

Standard deviations are normal above zero a priori, correlations LKJ (of two effects, (r + 1) / 2 is
beta); or those of two factors. Each structure maps points x (..., size) to covariances. Derivatives
that are not written out come from complex steps: all arithmetic here takes complex numbers.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.blocks.arrows import Arrow
from socgrad.blocks.compiled_covariance import by_partials, of_partials
from socgrad.blocks.complex_steps import by_each
from socgrad.blocks.scales import (
    bounded,
    bounded_derivative,
    positive,
    positive_derivative,
    positive_distance,
    positive_prior,
    positive_prior_derivative,
)

__all__ = ["Bartlett", "Factors", "Partials", "Structure"]

# Complex where derivatives are taken.
type Array = Any


class Structure(ABC):
    """Covariances of n effects as functions of a point."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Numbers in a point."""

    @property
    @abstractmethod
    def mirrored(self) -> BoolArray:
        """Which of them may change their sign."""

    @abstractmethod
    def covariance(self, x: Array) -> Array:
        """Shape (..., n, n), at points (..., size)."""

    def by_covariance(self, x: FloatArray, slope: FloatArray) -> FloatArray:
        """Derivatives by a point of what has these by its covariance, symmetric (n, n)."""
        moved = by_each(self.covariance, x)
        return np.asarray((moved * slope).sum(axis=(1, 2)))

    @abstractmethod
    def log_prior(self, x: Array) -> Array:
        """Log prior density of points up to a constant, the change of scale included."""

    def pull(self, x: FloatArray) -> FloatArray:
        """Derivatives of the log prior density by a point."""
        return by_each(self.log_prior, x)

    @abstractmethod
    def point(self, covariance: FloatArray) -> FloatArray:
        """The point of a covariance, or near it."""

    def arrow(self, x: Array) -> Arrow | None:  # noqa: ARG002
        """The precision at points (..., size), where it goes from year to year; else None."""
        return None

    def named(self, x: Array) -> dict[str, Array]:  # noqa: ARG002
        """Numbers of points (..., size) that a covariance does not show, by name, each (...)."""
        return {}


@dataclass(frozen=True, eq=False)
class Partials(Structure):
    """Standard deviations as `positive`; correlations by their partial ones, tanh of x.

    Attributes
    ----------
    mean, sd : ndarray, shape (n,)
        Priors of the standard deviations.
    concentration : float
        Of the LKJ distribution.
    bend : ndarray, shape (n,)
    order : ndarray of int, shape (n,)
        The effects, best known first.
    """

    mean: FloatArray
    sd: FloatArray
    concentration: float
    bend: FloatArray
    order: IntArray

    @property
    def size(self) -> int:  # noqa: D102
        n = len(self.mean)
        return n * (n + 1) // 2

    @property
    def mirrored(self) -> BoolArray:  # noqa: D102
        return np.arange(self.size) < len(self.mean)

    @cached_property
    def _below(self) -> tuple[IntArray, IntArray]:
        return np.tril_indices(len(self.mean), -1)

    def covariance(self, x: Array) -> Array:  # noqa: D102
        n = len(self.mean)
        # One authority alone has no effects that vary: points of no size.
        points = x.reshape(math.prod(x.shape[:-1]), self.size)
        found = np.empty((len(points), n, n), dtype=x.dtype)
        of_partials(np.tanh(points[:, n:]), positive(points[:, :n], self.bend), self.order, found)
        return found.reshape(*x.shape[:-1], n, n)

    def by_covariance(self, x: FloatArray, slope: FloatArray) -> FloatArray:  # noqa: D102
        n = len(self.mean)
        found = np.empty(self.size)
        by_partials(np.tanh(x[n:]), positive(x[:n], self.bend), slope, self.order, found)
        found[:n] *= positive_derivative(x[:n], self.bend)
        return found

    @cached_property
    def _shape(self) -> FloatArray:
        """Of the beta distribution of each partial correlation."""
        shape: FloatArray = self.concentration + (len(self.mean) - 2 - self._below[1]) / 2
        return shape

    def log_prior(self, x: Array) -> Array:  # noqa: D102
        n = len(self.mean)
        of_sds = positive_prior(x[..., :n], self.bend, self.mean, self.sd)
        return of_sds.sum(axis=-1) + bounded(x[..., n:], self._shape).sum(axis=-1)

    def pull(self, x: FloatArray) -> FloatArray:  # noqa: D102
        n = len(self.mean)
        of_sds = positive_prior_derivative(x[:n], self.bend, self.mean, self.sd)
        return np.concatenate([of_sds, bounded_derivative(x[n:], self._shape)])

    def point(self, covariance: FloatArray) -> FloatArray:  # noqa: D102
        n = len(self.mean)
        row, column = np.tril_indices(n, -1)
        root = np.sqrt(np.diag(covariance))
        ordered = (covariance / np.outer(root, root))[np.ix_(self.order, self.order)]
        factor = np.linalg.cholesky(ordered)
        left = 1.0 - np.cumsum(factor**2, axis=-1) + factor**2
        partial = factor[row, column] / np.sqrt(left[row, column])
        return np.concatenate(
            [positive_distance(np.sqrt(np.diag(covariance)), self.bend), np.arctanh(partial)]
        )


@dataclass(frozen=True, eq=False)
class Bartlett(Structure):
    """The Cholesky factor T of the precision T'T, its diagonal as logarithms.

    Where many authorities tell a covariance, the entries of T are nearly independent and normal.
    Attributes as of `Partials`.
    """

    mean: FloatArray
    sd: FloatArray
    concentration: float

    @property
    def size(self) -> int:  # noqa: D102
        n = len(self.mean)
        return n * (n + 1) // 2

    @property
    def mirrored(self) -> BoolArray:  # noqa: D102
        return np.zeros(self.size, dtype=bool)

    def _root(self, x: Array) -> Array:
        """Factor L of the covariance L L': the inverse of T."""
        n = len(self.mean)
        row, column = np.tril_indices(n)
        factor = np.zeros((*x.shape[:-1], n, n), dtype=x.dtype)
        factor[..., row, column] = np.where(row == column, np.exp(x), x)
        return np.linalg.inv(factor)

    def covariance(self, x: Array) -> Array:  # noqa: D102
        root = self._root(x)
        return root @ np.swapaxes(root, -1, -2)

    def by_covariance(self, x: FloatArray, slope: FloatArray) -> FloatArray:
        """Derivatives by a point, written out: -2 (C G L)' by T, with C = L L' of a slope G."""
        row, column = np.tril_indices(len(self.mean))
        root = self._root(x)
        by_entry = -2.0 * (root @ root.T @ slope @ root)[column, row]
        return np.asarray(np.where(row == column, np.exp(x), 1.0) * by_entry)

    def log_prior(self, x: Array) -> Array:
        """Log prior density, up to a constant.

        With L = D C (D the standard deviations, C of unit rows) the LKJ density of C is
        prod C_ii^(n - 1 - i + 2 eta - 2); a row of L has volume sd^i / C_ii times those of sd and
        C; and T = 1 / L, its diagonal as logarithms, gives (n - 1) log L_ii and the row's own.
        """
        n = len(self.mean)
        i = np.arange(n)
        root = self._root(x)
        log_diagonal = -x[..., np.cumsum(i + 1) - 1]
        sds = np.sqrt((root * root).sum(axis=-1))
        power = np.where(i > 0, n - 2 - i + 2.0 * self.concentration, 0.0)
        away = (sds - self.mean) / self.sd
        each = -0.5 * away * away - (i + power) * np.log(sds) + (power + n) * log_diagonal
        return each.sum(axis=-1)

    def point(self, covariance: FloatArray) -> FloatArray:  # noqa: D102
        n = len(self.mean)
        row, column = np.tril_indices(n)
        factor = np.linalg.inv(np.linalg.cholesky(covariance))[row, column]
        own = row == column
        factor[own] = np.log(factor[own])
        return factor


@dataclass(frozen=True, eq=False)
class Factors(Structure):
    """One common factor of levels, one of slopes, and parts of each stratum's own.

    ::

        level_s / level_sd_s = a_s F + sqrt(1 - a_s**2) e_s
        slope_s / slope_sd_s = c_s G + sqrt(1 - c_s**2) f_s
        corr(F, G) = r,  corr(e_s, f_s) = own_s,  all else independent

    a and c are uniform on -1 to 1; (r + 1) / 2 and (own + 1) / 2 ~ Beta(concentration, the same).
    A point holds standard deviations (as `positive`), then a, c, own and r as tanh.
    """

    mean: FloatArray
    sd: FloatArray
    concentration: float
    bend: FloatArray

    @property
    def size(self) -> int:  # noqa: D102
        return 5 * len(self.mean) // 2 + 1

    @property
    def mirrored(self) -> BoolArray:  # noqa: D102
        return np.arange(self.size) < len(self.mean)

    def covariance(self, x: Array) -> Array:  # noqa: D102
        n = len(self.mean)
        s = n // 2
        on = np.arange(s)
        loads = np.tanh(x[..., n:])
        level, slope, own = loads[..., :s], loads[..., s : 2 * s], loads[..., 2 * s : 3 * s]
        r = loads[..., 3 * s :, None]
        made = np.zeros((*x.shape[:-1], n, n), dtype=x.dtype)
        made[..., :s, :s] = level[..., :, None] * level[..., None, :]
        made[..., s:, s:] = slope[..., :, None] * slope[..., None, :]
        across = r * level[..., :, None] * slope[..., None, :]
        across[..., on, on] += own * np.sqrt((1.0 - level * level) * (1.0 - slope * slope))
        made[..., :s, s:] = across
        made[..., s:, :s] = np.swapaxes(across, -1, -2)
        every = np.arange(n)
        made[..., every, every] = 1.0
        sds = positive(x[..., :n], self.bend)
        return made * sds[..., :, None] * sds[..., None, :]

    def log_prior(self, x: Array) -> Array:  # noqa: D102
        n = len(self.mean)
        of_sds = positive_prior(x[..., :n], self.bend, self.mean, self.sd)
        uniform = bounded(x[..., n : 2 * n], 1.0)
        others = bounded(x[..., 2 * n :], self.concentration)
        return of_sds.sum(axis=-1) + uniform.sum(axis=-1) + others.sum(axis=-1)

    def point(self, covariance: FloatArray) -> FloatArray:
        """Loadings of the first eigenvectors of levels and of slopes."""
        n = len(self.mean)
        s = n // 2
        root = np.sqrt(np.diag(covariance))
        r = covariance / np.outer(root, root)
        loads = []
        for part in (r[:s, :s], r[s:, s:]):
            size, vectors = np.linalg.eigh(part)
            load = vectors[:, -1] * np.sqrt(max(size[-1] - 1.0, 0.2) * s / max(s - 1.0, 1.0))
            loads.append(np.clip(load * np.sign(load.sum() or 1.0), -0.9, 0.9))
        zeros = np.zeros(s + 1)
        return np.concatenate(
            [
                positive_distance(np.sqrt(np.diag(covariance)), self.bend),
                np.arctanh(loads).ravel(),
                zeros,
            ]
        )
