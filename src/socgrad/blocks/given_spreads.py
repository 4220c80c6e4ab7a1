"""Where draws of years come from: spreads by a map that bends, coefficients normal given them.

Given spreads and autocorrelations the national coefficients of years, four a year, are as good as
normal, and heavy tails in so many numbers would cost most of the draws. The few others are bent,
the more the fewer authorities there are.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.blocks.mode import Mode
from socgrad.laplace.proposal import Proposal

__all__ = ["GivenSpreads"]


@dataclass(frozen=True, eq=False)
class GivenSpreads:
    """A density of points whose first numbers are normal given the others.

    Attributes
    ----------
    spreads : Proposal
        Of the others.
    middle : ndarray, shape (coefficients,)
    along : ndarray, shape (coefficients, others)
        How the mean moves with the others.
    root : ndarray, shape (coefficients, coefficients)
        Lower triangular.
    """

    spreads: Proposal
    middle: FloatArray
    along: FloatArray
    root: FloatArray

    @classmethod
    def about(cls, found: Mode) -> Self:
        """As the posterior is about its mode."""
        first = found.marginal.coordinates.sizes[0]
        covariance = found.root @ found.root.T
        across, others = covariance[:first, first:], covariance[first:, first:]
        along = np.linalg.solve(others, across.T).T
        left = covariance[:first, :first] - along @ across.T
        mirrored = found.marginal.coordinates.mirrored[first:]
        scale = np.linalg.cholesky(others)
        spreads = Proposal.flat(found.point[first:], scale, mirrored)
        return cls(spreads, found.point[:first], along, np.linalg.cholesky(left))

    def fitted(self, x: FloatArray, weight: FloatArray) -> Self:
        """Bend the map of spreads to weighted draws."""
        return replace(self, spreads=self.spreads.fitted(x[:, len(self.middle) :], weight))

    def draw(self, number: int, rng: np.random.Generator) -> FloatArray:
        """Draw points, shape (number, d)."""
        others = self.spreads.draw(number, rng)
        z = rng.standard_normal((number, len(self.middle)))
        return np.hstack([self._mean(others) + z @ self.root.T, others])

    def log_density(self, x: FloatArray) -> FloatArray:
        """Log density of points up to a constant, shape (points,)."""
        first = len(self.middle)
        others = x[:, first:]
        z = np.linalg.solve(self.root, (x[:, :first] - self._mean(others)).T)
        found: FloatArray = self.spreads.log_density(others) - 0.5 * (z * z).sum(axis=0)
        return found

    def _mean(self, others: FloatArray) -> FloatArray:
        return self.middle + (others - self.spreads.middle) @ self.along.T
