"""Where draws of many shared parameters come from: a Student distribution."""

from dataclasses import dataclass

import numpy as np

from socgrad.arrays import BoolArray, FloatArray

__all__ = ["Student"]


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
    degrees : float
        Of freedom: fewer make heavier tails.
    """

    middle: FloatArray
    root: FloatArray
    mirrored: BoolArray
    degrees: float

    def draw(self, number: int, rng: np.random.Generator) -> FloatArray:
        """Draw points, shape (number, d)."""
        z = rng.standard_normal((number, len(self.middle)))
        z /= np.sqrt(rng.chisquare(self.degrees, number) / self.degrees)[:, None]
        x = self.middle + z @ self.root.T
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
        z = np.linalg.solve(self.root, (x - self.middle).T)
        found: FloatArray = (
            -0.5 * (self.degrees + len(z)) * np.log1p((z * z).sum(axis=0) / self.degrees)
        )
        return found
