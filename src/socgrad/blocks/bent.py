"""Where draws of shared parameters come from: a Student distribution, bent as the posterior is.

Let x = point + root z near a mode, and T_iik the third derivatives of the log density by z_i twice
and z_k. To the order of these it is

    -z'z / 2 + sum_k T_kkk z_k^3 / 6 + sum_(i != k) T_iik z_i^2 z_k / 2,

but for those by three numbers that differ. So the mean of a number goes with the squares of others
and its scale with others themselves, and T_iik is the second difference of the gradient along z_i:
two gradients for each parameter tell them all. Numbers are drawn one after the other, those first
that others' scales go with: given those before it, a number is

    z_k = m_k + s_k c_k sinh(arsinh w_k + a_k),
    m_k = sum_(i before k) T_iik q(z_i) / 2 + sum_(i after k) T_iik / 2,  q(z) = z^2 / (1 + z^2/25),
    log s_k = tanh(sum_(i before k) T_kki z_i / 2),

w a Student distribution's, and c_k exp(-a_k) and c_k exp(a_k) the scales of its two sides. Its
density is known, whatever the posterior is.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

import numpy as np

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.blocks.marginal import Marginal
from socgrad.blocks.mode import Mode
from socgrad.laplace.proposal import scales_of_sides
from socgrad.laplace.reflections import near_zero, with_images
from socgrad.processors import by_threads

__all__ = ["BentStudent", "third_derivatives"]

#: Standard deviations between gradients: far enough that they see the skewness of most draws.
_STEP: Final = 1.0
#: The largest third derivative, and the furthest mean, that are believed.
_MOST: Final = 1.0
#: From here on the squares of numbers count for less: what bends nearby may not further out.
_FAR: Final = 5.0
#: Standard deviations within which a number may change its sign.
_NEAR_ZERO: Final = 6.0


def third_derivatives(marginal: Marginal, point: FloatArray, root: FloatArray) -> FloatArray:
    """Third derivatives by z_i twice and z_k, shape (i, k), at `point` + `root` z.

    A step to where there is no density counts as if the posterior were even in it.
    """

    def gradient(z: FloatArray) -> FloatArray:
        value, by_point = marginal.gradient(point + root @ z)
        return root.T @ by_point if np.isfinite(value) else np.full(size, np.nan)

    size = len(point)
    steps = _STEP * np.concatenate([np.zeros((1, size)), np.eye(size), -np.eye(size)])
    here, *around = by_threads(gradient, list(steps))
    up, down = np.array(around).reshape(2, size, size)
    return np.nan_to_num((up + down - 2.0 * here) / _STEP**2)


@dataclass(frozen=True, eq=False)
class BentStudent:
    """A multivariate Student distribution, bent, some of its numbers reflected at zero.

    Attributes
    ----------
    middle : ndarray, shape (d,)
    root : ndarray, shape (d, d)
    mirrored : ndarray of bool, shape (d,)
        Reflected where they are near zero.
    third : ndarray, shape (d, d)
        Third derivatives by z_i twice and z_k; of zeros nothing is bent.
    below, above : ndarray, shape (d,)
        Scales of the two sides of each number.
    degrees : float
        Of freedom: fewer make heavier tails.
    """

    middle: FloatArray
    root: FloatArray
    mirrored: BoolArray
    third: FloatArray
    below: FloatArray
    above: FloatArray
    degrees: float

    @classmethod
    def about(cls, found: Mode, degrees: float) -> Self:
        """One that is bent as a posterior is about its mode."""
        marginal, point, root = found.marginal, found.point, found.root
        third = np.clip(third_derivatives(marginal, point, root), -_MOST, _MOST)
        sides = scales_of_sides(found.for_weights.values, point, root)
        return cls(point, root, marginal.coordinates.mirrored, third, *sides, degrees)

    def draw(self, number: int, rng: np.random.Generator) -> FloatArray:
        """Draw points, shape (number, d)."""
        w = rng.standard_normal((number, len(self.middle)))
        w /= np.sqrt(rng.chisquare(self.degrees, number) / self.degrees)[:, None]
        skewed = self._scale * np.sinh(np.arcsinh(w.T) + self._skew)
        # Numbers along the first axis; those that are not yet drawn have no part in others.
        z, square = np.zeros((2, *skewed.shape))
        for k in self._order:
            mean = self._shift[k] + self._by_squares[k] @ square
            z[k] = mean + np.exp(np.tanh(self._by_numbers[k] @ z)) * skewed[k]
            square[k] = _held_square(z[k])
        x: FloatArray = self.middle + z.T @ self.root.T
        x[:, self.mirrored] = np.abs(x[:, self.mirrored])
        return x

    def log_density(self, x: FloatArray) -> FloatArray:
        """Log density of points up to a constant, reflections added up, shape (points,)."""
        wide = self.root * np.maximum(self.below, self.above)
        columns = near_zero(self.middle, wide, self.mirrored, within=_NEAR_ZERO)
        return with_images(self._log_density, x, columns)

    def _log_density(self, x: FloatArray) -> FloatArray:
        z = np.linalg.solve(self.root, (x - self.middle).T)
        log_scale = np.tanh(self._by_numbers @ z)
        mean = self._shift[:, None] + self._by_squares @ _held_square(z)
        straight = np.arcsinh((z - mean) * np.exp(-log_scale) / self._scale)
        skewed = straight - self._skew
        w = np.sinh(skewed)
        # Of z by w, but for constants: the scale times cosh(arsinh w + skew) / cosh(arsinh w).
        stretch = log_scale + np.log(np.cosh(straight) / np.cosh(skewed))
        found: FloatArray = -stretch.sum(axis=0)
        found -= 0.5 * (self.degrees + len(z)) * np.log1p((w * w).sum(axis=0) / self.degrees)
        return found

    @property
    def _scale(self) -> FloatArray:
        return np.sqrt(self.below * self.above)[:, None]

    @property
    def _skew(self) -> FloatArray:
        return 0.5 * np.log(self.above / self.below)[:, None]

    @cached_property
    def _order(self) -> IntArray:
        """Numbers in the order in which they are drawn: what others' scales go with comes first."""
        size = np.abs(self.third)
        return np.argsort(size.sum(axis=1) - size.sum(axis=0), kind="stable")

    @cached_property
    def _before(self) -> BoolArray:
        """Whether a number (second axis) is drawn before another (first axis)."""
        place = np.argsort(self._order)
        return place < place[:, None]

    @cached_property
    def _by_numbers(self) -> FloatArray:
        """How log scales go with the numbers before."""
        return np.where(self._before, 0.5 * self.third, 0.0)

    @cached_property
    def _by_squares(self) -> FloatArray:
        """How means go with squares of the numbers before."""
        return np.where(self._before, 0.5 * self.third.T, 0.0)

    @cached_property
    def _shift(self) -> FloatArray:
        """Means that come of the numbers after, which are drawn later."""
        shift: FloatArray = np.where(self._before.T, 0.5 * self.third.T, 0.0).sum(axis=1)
        held: FloatArray = np.clip(shift, -_MOST, _MOST)
        return held


def _held_square(z: FloatArray) -> FloatArray:
    square = z * z
    return square / (1.0 + square / _FAR**2)
