"""What totals say of hidden counts, as polynomials of the slope: cheap to evaluate anywhere."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from socgrad.arrays import FloatArray, IntArray
from socgrad.laws.kernels import Kernels

__all__ = ["ConstantsTable"]

# Log rate ratios per 10 points between which what a total says is tabulated.
_SLOPES: Final = (-1.0, 2.0)
_NUMBERS: Final = (12, 18, 26, 40)
_SMALL: Final = 2e-3
_BETWEEN: Final = np.array([-0.97, -0.6, -0.2, 0.1, 0.45, 0.8, 0.99])


@dataclass(frozen=True, eq=False)
class ConstantsTable:
    """Log C of `socgrad.laws.constrained` for some authorities.

    Attributes
    ----------
    coefficient : ndarray, shape (degree, authorities)
        Of Chebyshev polynomials between two slopes; beyond them log C goes on along its tangents.
    slopes : tuple of float
        The two.
    """

    coefficient: FloatArray
    slopes: tuple[float, float]

    @classmethod
    def of(
        cls,
        kernels: Kernels,
        rows: tuple[IntArray, IntArray, FloatArray, FloatArray],
        totals: IntArray,
        *,
        per: float,
    ) -> tuple["ConstantsTable", float]:
        """Tabulate log C, with the largest error between nodes.

        Parameters
        ----------
        kernels, rows, totals
            As in `socgrad.laws.constrained.log_constants`.
        per
            Deprivation that slopes are of.
        """
        from socgrad.laws.constrained import log_constants  # noqa: PLC0415 numba takes time

        low, high = (end * per / 0.10 for end in _SLOPES)

        def exact(t: FloatArray) -> FloatArray:
            slopes = np.broadcast_to((low + high) / 2 + (high - low) / 2 * t, (len(totals), len(t)))
            return log_constants(kernels, rows, totals, np.ascontiguousarray(slopes))[0]

        wanted = exact(_BETWEEN)
        for nodes in _NUMBERS:
            t = np.cos(np.pi * (np.arange(nodes) + 0.5) / nodes)
            found = np.polynomial.chebyshev.chebfit(t, exact(t).T, nodes - 1)
            reached = np.polynomial.chebyshev.chebval(_BETWEEN, found)
            error = float(np.abs(reached - wanted).max())
            if error < _SMALL:
                break
        return cls(np.asarray(found, dtype=np.float64), (low, high)), error

    def values(self, slope: FloatArray, derivative: int) -> FloatArray:
        """Log C, or a derivative of it, at slopes (..., authorities)."""
        low, high = self.slopes
        half = (high - low) / 2
        t = (slope - (low + high) / 2) / half
        held = np.clip(t, -1.0, 1.0)
        of = np.polynomial.chebyshev.chebder(self.coefficient, derivative, scl=1.0 / half)
        found = np.asarray(np.polynomial.chebyshev.chebval(held, of, tensor=False))
        if derivative == 0:
            first = np.polynomial.chebyshev.chebder(self.coefficient)
            tangent = np.polynomial.chebyshev.chebval(held, first, tensor=False)
            found = found + (t - held) * tangent
        return np.asarray(found, dtype=np.float64)
