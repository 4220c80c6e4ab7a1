"""Where draws of many shared parameters come from: a Student distribution about the mode.

Its heavy tails cost the more draws the more numbers have them. Coefficients of years, which are as
good as normal given spreads and autocorrelations, are drawn as such.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from socgrad.arrays import BoolArray, FloatArray

__all__ = ["Student"]

_DEGREES = 30.0


@dataclass(frozen=True, eq=False)
class Student:
    """A multivariate Student distribution, its first `mirrored` numbers reflected at zero.

    Attributes
    ----------
    middle : ndarray, shape (d,)
    root : ndarray, shape (d, d)
        Lower triangular.
    mirrored : ndarray of bool, shape (d,)
        Reflected where they are near zero.
    normal : int
        How many of the first numbers are normal given the others.
    """

    middle: FloatArray
    root: FloatArray
    mirrored: BoolArray
    normal: int = 0

    @cached_property
    def _axes(self) -> FloatArray:
        """A root of the same covariance, upper triangular: x - middle = axes z.

        The last numbers of x come from the last of z alone, the first from these and their own.
        """
        turned = self.root @ self.root.T
        return np.linalg.cholesky(turned[::-1, ::-1])[::-1, ::-1]

    def draw(self, number: int, rng: np.random.Generator) -> FloatArray:
        """Draw points, shape (number, d)."""
        z = rng.standard_normal((number, len(self.middle)))
        z[:, self.normal :] /= np.sqrt(rng.chisquare(_DEGREES, number) / _DEGREES)[:, None]
        x = self.middle + z @ (self._axes if self.normal else self.root).T
        x[:, self.mirrored] = np.abs(x[:, self.mirrored])
        return x

    def log_density(self, x: FloatArray) -> FloatArray:
        """Log density up to a constant, the nearest reflections added up, shape (points,)."""
        reach = np.sqrt(np.sum(self.root**2, axis=1))
        near = np.flatnonzero(self.mirrored & (self.middle < 6.0 * reach))
        total = self._log_density(x)
        for column in near:
            image = x.copy()
            image[:, column] *= -1.0
            total = np.logaddexp(total, self._log_density(image))
        return total

    def _log_density(self, x: FloatArray) -> FloatArray:
        z = np.linalg.solve(self._axes if self.normal else self.root, (x - self.middle).T)
        near, far = z[: self.normal], z[self.normal :]
        found: FloatArray = -0.5 * (near * near).sum(axis=0)
        found -= 0.5 * (_DEGREES + len(far)) * np.log1p((far * far).sum(axis=0) / _DEGREES)
        return found
