"""Expected events of an authority as a function of its slope: sums of N exp(s w).

A Gauss rule gives the sum at any slope with an exponential for each of its nodes. Where an
authority's posterior lies, the log of the sum is so smooth that a polynomial of degree ten replaces
it to ten digits, with no exponential at all.
"""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray, IntArray
from socgrad.laplace.polynomials import chebyshev, horner, taylor

__all__ = ["Exposure", "GaussExposure", "exposure_rule", "tabulated_exposure"]

# Coefficients of a polynomial, and how many pieces have one: higher degrees lose in rounding what
# they gain. To look up a piece takes as long as some fifteen coefficients.
_NUMBERS = ((7, 1), (9, 1), (11, 1), (13, 1), (15, 1), (6, 48), (6, 96), (6, 192), (6, 384))
# Slopes at which a table is held against the rule: at different places of its pieces.
_BETWEEN = 253
# Error of an authority's log-likelihood, about its events times that of the log of the sum.
_SMALL = 1e-6


class Exposure(Protocol):
    """Sums of N exp(s w) of some authorities (j), at slopes (..., j)."""

    def log_sums(self, slope: FloatArray) -> FloatArray:
        """Log of the sums, shape of `slope`."""

    def moments(self, slope: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Log of the sums, and mean and variance of w under these weights, each as `slope`."""


@dataclass(frozen=True, eq=False)
class GaussExposure:
    """The sums by a Gauss rule, `position` and `weight` of shape (j, nodes)."""

    position: FloatArray
    weight: FloatArray

    def sums(self, slope: FloatArray) -> FloatArray:
        """The sums themselves, shape of `slope`."""
        total = np.zeros_like(slope)
        term = np.empty_like(slope)
        for position, weight in zip(self.position.T, self.weight.T, strict=True):
            np.multiply(slope, position, out=term)
            np.exp(term, out=term)
            term *= weight
            total += term
        return total

    def log_sums(self, slope: FloatArray) -> FloatArray:  # noqa: D102
        total = self.sums(slope)
        return np.log(total, out=total)

    def moments(self, slope: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:  # noqa: D102
        total, first, second = (np.zeros_like(slope) for _ in range(3))
        for position, weight in zip(self.position.T, self.weight.T, strict=True):
            term = np.exp(slope * position)
            term *= weight
            total += term
            term *= position
            first += term
            term *= position
            second += term
        mean = first / total
        return np.log(total), mean, np.maximum(second / total - mean**2, 0.0)

    def of(self, authority: IntArray) -> "GaussExposure":
        """The same for chosen authorities, as many times as they are named."""
        return GaussExposure(self.position[authority], self.weight[authority])


@dataclass(frozen=True, eq=False)
class _TabulatedExposure:
    """Polynomials for the log of the sums, inside an interval of slopes for each authority.

    `coefficients` (degree, pieces, j) are those of each of as many equal pieces of the interval.
    Outside, where draws are few, the rule itself.
    """

    exact: GaussExposure
    low: FloatArray
    width: FloatArray
    coefficients: FloatArray

    @classmethod
    def of(
        cls, exact: GaussExposure, low: FloatArray, high: FloatArray, number: int, pieces: int
    ) -> Self:
        """Interpolate at `number` Chebyshev points of each piece."""
        points, transform = chebyshev(number)
        width = (high - low) / pieces
        begins = np.arange(pieces)[:, None] + 0.5 * (points[:, None, None] + 1.0)
        values = exact.log_sums(low + width * begins)
        return cls(exact, low, width, np.tensordot(transform, values, axes=1))

    def log_sums(self, slope: FloatArray) -> FloatArray:
        coefficients, t, outside = self._there(slope)
        values = horner(coefficients, t)
        if outside is not None:
            values[outside] = self.exact.of(outside[-1]).log_sums(slope[outside])
        return values

    def moments(self, slope: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        coefficients, t, outside = self._there(slope)
        value, first, second = taylor(coefficients, t)
        first /= 0.5 * self.width
        second /= (0.5 * self.width) ** 2
        if outside is not None:
            exact = self.exact.of(outside[-1]).moments(slope[outside])
            value[outside], first[outside], second[outside] = exact
        return value, first, np.maximum(second, 0.0)

    def _there(
        self, slope: FloatArray
    ) -> tuple[FloatArray, FloatArray, tuple[IntArray, ...] | None]:
        """Coefficients along the first axis, the place in each piece, -1 to 1, what is outside."""
        degree, pieces, authorities = self.coefficients.shape
        t = (slope - self.low) / self.width
        inside = float(t.min()) >= 0.0 and float(t.max()) <= pieces
        outside = None if inside else np.nonzero((t < 0.0) | (t > pieces))
        if pieces == 1:
            chosen = self.coefficients[:, 0]
        else:
            which = np.clip(t, 0.0, pieces - 1.0).astype(np.int64)
            t -= which
            which *= authorities
            which += np.arange(authorities)
            # Slopes that are no numbers have no place, and stay so.
            chosen = self.coefficients.reshape(degree, -1).take(which, axis=1, mode="clip")
        return chosen, 2.0 * t - 1.0, outside


def exposure_rule(data: xr.Dataset, kind: str) -> GaussExposure:
    """Take a Gauss rule from `likelihood_data`: "count", "locality", "sum" or "square"."""
    return GaussExposure(
        data[f"{kind}_node_within"].to_numpy(), data[f"{kind}_node_exposure"].to_numpy()
    )


def tabulated_exposure(
    exact: Exposure, low: FloatArray, high: FloatArray, events: FloatArray
) -> Exposure:
    """Tabulate the sums over intervals of slopes, (j,) each.

    Where no polynomials are exact enough for so many `events`, the rule stays.
    """
    if isinstance(exact, _TabulatedExposure):
        exact = exact.exact
    assert isinstance(exact, GaussExposure)
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, 1e-3)
    low, high = middle - half, middle + half
    between = middle + half * np.linspace(-1.0, 1.0, _BETWEEN)[:, None]
    wanted = exact.log_sums(between)
    for number, pieces in _NUMBERS:
        table = _TabulatedExposure.of(exact, low, high, number, pieces)
        error = np.abs(table.log_sums(between) - wanted) * (1.0 + events)
        if error.max() < _SMALL:
            return table
    return exact
