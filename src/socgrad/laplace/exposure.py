"""Expected events of an authority as a function of its slope: sums of N exp(s w).

A Gauss rule gives the sum at any slope with an exponential for each of its nodes. Where an
authority's posterior lies, the log of the sum is so smooth that a polynomial of degree ten replaces
it to ten digits, with no exponential at all.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray, IntArray
from socgrad.laplace.polynomials import chebyshev, taylor

__all__ = ["Exposure", "GaussExposure", "exposure_rule", "tabulated_exposure"]

# Higher degrees lose in rounding what they gain.
_NUMBERS = (7, 9, 11, 13, 15)
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
    """Polynomials for the log of the sums, coefficients (degree, j), inside an interval of slopes.

    Outside, where draws are few, the rule itself.
    """

    exact: GaussExposure
    middle: FloatArray
    half: FloatArray
    coefficients: FloatArray

    def log_sums(self, slope: FloatArray) -> FloatArray:
        t = (slope - self.middle) / self.half
        values = np.empty_like(t)
        values[...] = self.coefficients[-1]
        for coefficient in self.coefficients[-2::-1]:
            values *= t
            values += coefficient
        if (outside := self._outside(t)) is not None:
            values[outside] = self.exact.of(outside[-1]).log_sums(slope[outside])
        return values

    def moments(self, slope: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        t = (slope - self.middle) / self.half
        value, first, second = taylor(self.coefficients, t)
        first /= self.half
        second /= self.half**2
        if (outside := self._outside(t)) is not None:
            exact = self.exact.of(outside[-1]).moments(slope[outside])
            value[outside], first[outside], second[outside] = exact
        return value, first, np.maximum(second, 0.0)

    @staticmethod
    def _outside(t: FloatArray) -> tuple[IntArray, ...] | None:
        if max(-float(t.min()), float(t.max())) <= 1.0:
            return None
        return tuple(each.astype(np.int64) for each in np.nonzero(np.abs(t) > 1.0))


def exposure_rule(data: xr.Dataset, kind: str) -> GaussExposure:
    """Take a Gauss rule from `likelihood_data`: "count", "locality", "sum" or "square"."""
    return GaussExposure(
        data[f"{kind}_node_within"].to_numpy(), data[f"{kind}_node_exposure"].to_numpy()
    )


def tabulated_exposure(
    exact: Exposure, low: FloatArray, high: FloatArray, events: FloatArray
) -> Exposure:
    """Tabulate the sums over intervals of slopes, (j,) each.

    Where no polynomial of moderate degree is exact enough for so many `events`, the rule stays.
    """
    if isinstance(exact, _TabulatedExposure):
        exact = exact.exact
    assert isinstance(exact, GaussExposure)
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, 1e-3)
    between = np.linspace(-1.0, 1.0, 25)[:, None]
    wanted = exact.log_sums(middle + half * between)
    for number in _NUMBERS:
        points, transform = chebyshev(number)
        values = exact.log_sums(middle + half * points[:, None])
        table = _TabulatedExposure(exact, middle, half, transform @ values)
        error = np.abs(table.log_sums(middle + half * between) - wanted) * (1.0 + events)
        if error.max() < _SMALL:
            return table
    return exact
