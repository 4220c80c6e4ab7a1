"""Log-likelihoods of single authorities as functions of level and slope, many points at once.

`socgrad.likelihoods` sums over authorities; quadrature needs each authority by itself, on a small
grid around its own centre, for many values of the shared parameters. Arrays have slope nodes first
(a), then level nodes (b), points (n) and authorities (j): the long axes last, where NumPy is fast.
Constants are left out, except where they depend on overdispersion.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import xarray as xr
from scipy.special import gammaln

from socgrad.arrays import FloatArray, IntArray

__all__ = [
    "Derivatives",
    "Given",
    "NegativeBinomialTotals",
    "PoissonCounts",
    "PoissonTotals",
    "Surface",
]


class Derivatives(NamedTuple):
    """Gradient of a log-likelihood, and its negative Hessian, each of shape (n, j).

    `level_slope_slope` is the negative third derivative, twice by the slope: it bends the line of
    likeliest levels along the slopes.
    """

    level: FloatArray
    slope: FloatArray
    level_level: FloatArray
    level_slope: FloatArray
    slope_slope: FloatArray
    level_slope_slope: FloatArray


class Given(Protocol):
    """The log-likelihood of some of the authorities at each point's overdispersion."""

    def grid(self, level: FloatArray, step: FloatArray, slope: FloatArray) -> FloatArray:
        """Log-likelihood at levels `level` + `step` and at slopes, shape (a, b, n, j).

        `level` and `slope` have shape (a, n, j), `step` (b, n, j).
        """

    def derivatives(self, level: FloatArray, slope: FloatArray) -> Derivatives:
        """Derivatives by level and slope at one point (n, j) each; they need not be exact.

        They place and scale the quadrature nodes, whose sums are right wherever they lie.
        """


class Surface(Protocol):
    """The log-likelihood of some of the authorities."""

    @property
    def authority(self) -> IntArray:
        """Positions of these authorities along dim authority."""

    def given(self, overdispersion: FloatArray) -> Given:
        """The same at each point's overdispersion (n, 1), which the Poisson ignores."""

    def shared(self, overdispersion: FloatArray) -> FloatArray:
        """Terms that depend on overdispersion (n, 1) alone, shape (n,)."""


@dataclass(frozen=True, eq=False)
class _Rule:
    """Gauss rules of exposure: sums of N exp(s w) and its moments in w."""

    position: FloatArray
    weight: FloatArray

    def sums(self, slope: FloatArray) -> FloatArray:
        """Sum of N exp(s w), shape of `slope` (..., j)."""
        total = np.zeros_like(slope)
        term = np.empty_like(slope)
        for position, weight in zip(self.position.T, self.weight.T, strict=True):
            np.multiply(slope, position, out=term)
            np.exp(term, out=term)
            term *= weight
            total += term
        return total

    def moments(self, slope: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Sum of N exp(s w), and mean and variance of w under these weights, each as `slope`."""
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
        return total, mean, np.maximum(second / total - mean**2, 0.0)


def _rule(data: xr.Dataset, kind: str) -> _Rule:
    return _Rule(data[f"{kind}_node_within"].to_numpy(), data[f"{kind}_node_exposure"].to_numpy())


@dataclass(frozen=True, eq=False)
class PoissonCounts:
    """Neighbourhood counts: Y level + YW slope - exp(level) S(slope)."""

    authority: IntArray
    events: FloatArray
    events_within: FloatArray
    rule: _Rule

    @classmethod
    def of(cls, data: xr.Dataset) -> "PoissonCounts":
        """Take the counts from `likelihood_data`."""
        return cls(
            data["count_authority"].to_numpy(),
            data["count_events"].to_numpy(),
            data["count_events_within"].to_numpy(),
            _rule(data, "count"),
        )

    def given(self, overdispersion: FloatArray) -> "Given":  # noqa: ARG002, D102
        return self

    def grid(self, level: FloatArray, step: FloatArray, slope: FloatArray) -> FloatArray:  # noqa: D102
        expected = np.exp(level) * self.rule.sums(slope)
        values = -expected[:, None] * np.exp(step)
        values += (self.events * level + self.events_within * slope)[:, None]
        values += self.events * step
        return values

    def derivatives(self, level: FloatArray, slope: FloatArray) -> Derivatives:  # noqa: D102
        total, mean, variance = self.rule.moments(slope)
        expected = np.exp(level) * total
        return Derivatives(
            self.events - expected,
            self.events_within - expected * mean,
            expected,
            expected * mean,
            expected * (mean**2 + variance),
            expected * (mean**2 + variance),
        )

    def shared(self, overdispersion: FloatArray) -> FloatArray:  # noqa: D102
        return np.zeros(len(overdispersion))


@dataclass(frozen=True, eq=False)
class PoissonTotals:
    """Authority totals: Y log(E) - E with E = exp(level) S(slope)."""

    authority: IntArray
    events: FloatArray
    rule: _Rule

    @classmethod
    def of(cls, data: xr.Dataset) -> "PoissonTotals":
        """Take the totals from `likelihood_data`."""
        return cls(
            data["sum_authority"].to_numpy(), data["sum_events"].to_numpy(), _rule(data, "sum")
        )

    def given(self, overdispersion: FloatArray) -> "Given":  # noqa: ARG002, D102
        return self

    def grid(self, level: FloatArray, step: FloatArray, slope: FloatArray) -> FloatArray:  # noqa: D102
        log_expected = level + np.log(self.rule.sums(slope))
        logs = log_expected[:, None] + step
        return self.events * logs - np.exp(logs)

    def derivatives(self, level: FloatArray, slope: FloatArray) -> Derivatives:  # noqa: D102
        total, mean, variance = self.rule.moments(slope)
        expected = np.exp(level) * total
        rest = self.events - expected
        return Derivatives(
            rest,
            rest * mean,
            expected,
            expected * mean,
            expected * mean**2 - rest * variance,
            expected * (mean**2 + variance),
        )

    def shared(self, overdispersion: FloatArray) -> FloatArray:  # noqa: D102
        return np.zeros(len(overdispersion))


@dataclass(frozen=True, eq=False)
class NegativeBinomialTotals:
    """Authority totals, negative binomial with the mean and variance of the sum."""

    authority: IntArray
    events: FloatArray
    rule: _Rule
    square: _Rule

    @classmethod
    def of(cls, data: xr.Dataset) -> "NegativeBinomialTotals":
        """Take the totals from `likelihood_data`."""
        return cls(
            data["sum_authority"].to_numpy(),
            data["sum_events"].to_numpy(),
            _rule(data, "sum"),
            _rule(data, "square"),
        )

    def given(self, overdispersion: FloatArray) -> Given:  # noqa: D102
        return _TotalsAtOverdispersion(self, overdispersion)

    def shared(self, overdispersion: FloatArray) -> FloatArray:  # noqa: D102
        return np.zeros(len(overdispersion))


@dataclass(frozen=True, eq=False)
class _TotalsAtOverdispersion:
    totals: NegativeBinomialTotals
    overdispersion: FloatArray

    def grid(self, level: FloatArray, step: FloatArray, slope: FloatArray) -> FloatArray:
        events = self.totals.events
        sums = self.totals.rule.sums(slope)
        # The variance of the total over its squared mean does not depend on the level.
        share = self.totals.square.sums(2.0 * slope) / sums**2
        r = (self.overdispersion**2 * share)[:, None]
        expected = np.exp((level + np.log(sums))[:, None] + step)
        phi = 1.0 / r
        values: FloatArray = (
            events * np.log(r * expected)
            - (events + phi) * np.log1p(r * expected)
            + gammaln(events + phi)
            - gammaln(phi)
        )
        return values

    def derivatives(self, level: FloatArray, slope: FloatArray) -> Derivatives:
        # Dispersion held where it is: enough to place the nodes.
        total, mean, spread = self.totals.rule.moments(slope)
        expected = np.exp(level) * total
        squares = self.totals.square.sums(2.0 * slope)
        variance = 1.0 + self.overdispersion**2 * np.exp(level) * squares / total
        rest = (self.totals.events - expected) / variance
        information = expected / variance
        return Derivatives(
            rest,
            rest * mean,
            information,
            information * mean,
            information * mean**2,
            information * (mean**2 + spread),
        )
