"""Where draws of shared parameters come from: a Student distribution, bent as the posterior is.

Let x = point + root z near a mode, and T_iik the third derivatives of the log density by z_i twice
and z_k. To the order of these it is

    -z'z / 2 + sum_k T_kkk z_k^3 / 6 + sum_(i != k) T_iik z_i^2 z_k / 2,

but for those by three numbers that differ. So the mean of a number goes with the squares of others
and its scale with others themselves, and T_iik is the second difference of the gradient along z_i:
two gradients for each parameter tell them all. Given the numbers after it, from the last, a number
is

    z_k = m_k + s_k sinh(arsinh w_k + T_kkk / 3),
    m_k = sum_(i > k) T_iik q(z_i) / 2 + sum_(i < k) T_iik / 2,    q(z) = z^2 / (1 + z^2 / 25),
    log s_k = tanh(sum_(i > k) T_kki z_i / 2),

w a Student distribution's. Its density is known, whatever the posterior is.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from socgrad.arrays import BoolArray, FloatArray
from socgrad.blocks.marginal import Marginal
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
        return root.T @ marginal.gradient(point + root @ z)[1]

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
        Lower triangular.
    mirrored : ndarray of bool, shape (d,)
        Reflected where they are near zero.
    third : ndarray, shape (d, d)
        Third derivatives by z_i twice and z_k; of zeros nothing is bent.
    degrees : float
        Of freedom: fewer make heavier tails.
    """

    middle: FloatArray
    root: FloatArray
    mirrored: BoolArray
    third: FloatArray
    degrees: float

    @classmethod
    def about(cls, marginal: Marginal, point: FloatArray, root: FloatArray, degrees: float) -> Self:
        """One for a marginal, about its mode."""
        third = np.clip(third_derivatives(marginal, point, root), -_MOST, _MOST)
        return cls(point, root, marginal.coordinates.mirrored, third, degrees)

    def draw(self, number: int, rng: np.random.Generator) -> FloatArray:
        """Draw points, shape (number, d)."""
        w = rng.standard_normal((number, len(self.middle)))
        w /= np.sqrt(rng.chisquare(self.degrees, number) / self.degrees)[:, None]
        skewed = np.sinh(np.arcsinh(w) + self._skew)
        # Numbers along the first axis: one after the other is made.
        z, square = np.zeros((2, *w.T.shape))
        for k in range(len(z) - 1, -1, -1):
            after = slice(k + 1, None)
            log_scale = np.tanh(0.5 * self.third[k, after] @ z[after])
            mean = self._shift[k] + 0.5 * self.third[after, k] @ square[after]
            z[k] = mean + np.exp(log_scale) * skewed[:, k]
            square[k] = _held_square(z[k])
        x: FloatArray = self.middle + z.T @ self.root.T
        x[:, self.mirrored] = np.abs(x[:, self.mirrored])
        return x

    def log_density(self, x: FloatArray) -> FloatArray:
        """Log density of points up to a constant, reflections added up, shape (points,)."""
        columns = near_zero(self.middle, self.root, self.mirrored, within=_NEAR_ZERO)
        return with_images(self._log_density, x, columns)

    @property
    def _skew(self) -> FloatArray:
        skew: FloatArray = np.diag(self.third) / 3.0
        return skew

    @property
    def _shift(self) -> FloatArray:
        """Means that come of the numbers before, which are drawn later."""
        shift: FloatArray = 0.5 * np.triu(self.third, 1).sum(axis=0)
        held: FloatArray = np.clip(shift, -_MOST, _MOST)
        return held

    def _log_density(self, x: FloatArray) -> FloatArray:
        z = np.linalg.solve(self.root, (x - self.middle).T)
        log_scale = np.tanh(0.5 * np.triu(self.third, 1) @ z)
        mean = self._shift[:, None] + 0.5 * np.tril(self.third, -1).T @ _held_square(z)
        straight = np.arcsinh((z - mean) * np.exp(-log_scale))
        skewed = straight - self._skew[:, None]
        w = np.sinh(skewed)
        # Of z by w: the scale times cosh(arsinh w + skew) / cosh(arsinh w).
        stretch = log_scale + np.log(np.cosh(straight) / np.cosh(skewed))
        found: FloatArray = -stretch.sum(axis=0)
        found -= 0.5 * (self.degrees + len(z)) * np.log1p((w * w).sum(axis=0) / self.degrees)
        return found


def _held_square(z: FloatArray) -> FloatArray:
    square = z * z
    return square / (1.0 + square / _FAR**2)
