"""A proposal that bends: each coordinate normal given those before it, mean and spread moving.

The posterior of the shared parameters is close to normal but not quite: the spread of one standard
deviation depends on another, means move along curves, tails are uneven. A triangular map (Marzouk,
Moselhy, Parno & Spantini 2016, doi 10.1007/978-3-319-11259-6_23-1) has all of this in a density
that is known exactly: z_i = a_i(z_<i) + exp(b_i(z_<i)) e_i, a quadratic and b linear, e_i of a
Student distribution with a scale for each side.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.special import gammaln

from socgrad.arrays import BoolArray, FloatArray
from socgrad.laplace.mode import LogDensity
from socgrad.laplace.reflections import near_zero, with_images

__all__ = ["Proposal", "scales_of_sides"]

# Tails heavier than normal keep the weights bounded; this many degrees cost a sixth of the draws.
_DEGREES = 10.0
_LOG_SCALE = float(
    gammaln((_DEGREES + 1) / 2) - gammaln(_DEGREES / 2) - 0.5 * np.log(np.pi * _DEGREES)
)
# Distances along an axis, in standard deviations, at which the first scale of each side is read.
_DISTANCES = np.array([1.0, 2.0, 3.0])
# Spreads from zero beyond which reflections are below any weight that matters.
_FAR = 12.0
# Pull of the map's terms towards zero, in draws.
_RIDGE = 4.0


@dataclass(frozen=True, eq=False)
class Proposal:
    """A density to draw from, and to divide by.

    Attributes
    ----------
    middle : ndarray, shape (d,)
    scale : ndarray, shape (d, d)
        x = middle + scale @ z, lower triangular.
    mean, log_spread : tuple of ndarray
        Coefficients of a_i and b_i on the terms of z_<i (`_terms`).
    below, above : ndarray, shape (d,)
        Scale of e_i on each side of zero.
    mirrored : ndarray of bool, shape (d,)
        Coordinates that are reflected at zero.
    """

    middle: FloatArray
    scale: FloatArray
    mean: tuple[FloatArray, ...]
    log_spread: tuple[FloatArray, ...]
    below: FloatArray
    above: FloatArray
    mirrored: BoolArray

    @classmethod
    def along_axes(
        cls, log_density: LogDensity, mode: FloatArray, scale: FloatArray, mirrored: BoolArray
    ) -> Self:
        """Read the scales of each side off the log-density along the axes of its Laplace form."""
        below, above = scales_of_sides(log_density, mode, scale)
        return replace(cls.flat(mode, scale, mirrored), below=below, above=above)

    @classmethod
    def flat(cls, mode: FloatArray, scale: FloatArray, mirrored: BoolArray) -> Self:
        """One that does not bend, its sides alike."""
        d = len(mode)
        flat = tuple(np.zeros(1 + i + i * (i + 1) // 2) for i in range(d))
        even = tuple(np.zeros(1 + i) for i in range(d))
        return cls(mode, scale, flat, even, np.ones(d), np.ones(d), mirrored)

    def fitted(self, x: FloatArray, weight: FloatArray) -> Self:
        """Fit the map to weighted draws."""
        z = np.linalg.solve(self.scale, (x - self.middle).T).T
        share = weight / weight.sum() / np.sum((weight / weight.sum()) ** 2)
        means: list[FloatArray] = []
        spreads: list[FloatArray] = []
        below: list[float] = []
        above: list[float] = []
        for i in range(len(self.middle)):
            terms = _terms(z[:, :i], quadratic=True)
            mean = _regress(terms, z[:, i], share)
            rest = z[:, i] - terms @ mean
            linear = _terms(z[:, :i], quadratic=False)
            typical = np.sqrt(np.average(rest**2, weights=share))
            # E log|e| differs from log sd by a constant that the scales of the sides take up.
            log_size = np.log(np.abs(rest) + 0.05 * typical)
            spread = _regress(linear, log_size, share)
            spread[0] = 0.0
            e = rest * np.exp(-linear @ spread)
            means.append(mean)
            spreads.append(spread)
            typical = np.sqrt(np.average(e**2, weights=share))
            for side, scales in ((e < 0, below), (e >= 0, above)):
                held = share[side].sum()
                ratio = np.sum(share[side] * e[side] ** 2) / (typical**2) if held > 0 else 0.0
                scales.append(typical * np.sqrt((ratio + 5.0) / (held + 5.0)))
        return type(self)(
            self.middle,
            self.scale,
            tuple(means),
            tuple(spreads),
            np.array(below),
            np.array(above),
            self.mirrored,
        )

    def draw(self, number: int, rng: np.random.Generator) -> FloatArray:
        """Draw points, shape (number, d)."""
        d = len(self.middle)
        e = rng.standard_t(_DEGREES, size=(number, d))
        # The sides are chosen in proportion to their scales: the density is continuous at zero.
        upper = rng.random((number, d)) < self.above / (self.above + self.below)
        e = np.abs(e) * np.where(upper, self.above, -self.below)
        z = np.empty((number, d))
        for i in range(d):
            mean, spread = self._given(z, i)
            z[:, i] = mean + np.exp(spread) * e[:, i]
        x = self.middle + z @ self.scale.T
        x[:, self.mirrored] = np.abs(x[:, self.mirrored])
        return x

    def log_density(self, x: FloatArray) -> FloatArray:
        """Log density of the points, reflections added up, shape (points,)."""
        columns = near_zero(self.middle, self.scale, self.mirrored, within=_FAR)
        return with_images(self._log_density, x, columns)

    def _log_density(self, x: FloatArray) -> FloatArray:
        z = np.linalg.solve(self.scale, (x - self.middle).T).T
        total = np.full(len(x), -np.log(np.diag(self.scale)).sum())
        for i in range(len(self.middle)):
            mean, spread = self._given(z, i)
            e = (z[:, i] - mean) * np.exp(-spread)
            e /= np.where(e < 0, self.below[i], self.above[i])
            total += _LOG_SCALE - 0.5 * (_DEGREES + 1) * np.log1p(e * e / _DEGREES)
            total += np.log(2.0 / (self.below[i] + self.above[i])) - spread
        return total

    def _given(self, z: FloatArray, i: int) -> tuple[FloatArray, FloatArray]:
        """Mean and log spread of coordinate i given those before it."""
        before = z[:, :i]
        # Far out the linear trend would run away.
        spread = np.clip(_terms(before, quadratic=False) @ self.log_spread[i], -1.5, 1.5)
        return _terms(before, quadratic=True) @ self.mean[i], spread


def scales_of_sides(
    log_density: LogDensity, mode: FloatArray, scale: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Scales below and above a mode along its axes, (d,) each, in those of its Laplace form.

    The widest that the log density has at up to three of them.
    """
    d = len(mode)
    z = np.concatenate([np.kron(np.eye(d), side * _DISTANCES[:, None]) for side in (-1, 1)])
    values = log_density(np.concatenate([mode[None], mode + z @ scale.T]))
    drop = np.fmax(values[0] - values[1:], 1e-3).reshape(2, d, -1)
    below, above = np.clip((_DISTANCES / np.sqrt(2.0 * drop)).max(axis=2), 0.5, 2.5)
    return below, above


def _terms(z: FloatArray, *, quadratic: bool) -> FloatArray:
    """Constant, linear and quadratic terms; the quadratic ones level off far from the middle."""
    n, d = z.shape
    parts = [np.ones((n, 1)), z]
    if quadratic and d:
        i, j = np.triu_indices(d)
        held = np.clip(z, -4.0, 4.0)
        parts.append(held[:, i] * held[:, j] - (i == j))
    return np.concatenate(parts, axis=1)


def _regress(terms: FloatArray, values: FloatArray, weight: FloatArray) -> FloatArray:
    """Weighted least squares with a ridge on all but the constant."""
    weighted = terms * weight[:, None]
    penalty = np.full(terms.shape[1], _RIDGE)
    penalty[0] = 0.0
    result: FloatArray = np.linalg.solve(weighted.T @ terms + np.diag(penalty), weighted.T @ values)
    return result
