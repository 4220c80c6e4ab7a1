"""Totals of authorities, known exactly: Poisson, and negative binomial by mean and variance."""

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray, IntArray
from socgrad.laplace.exposure import Exposure, exposure_rule, tabulated_exposure
from socgrad.laplace.surfaces import AtSlopes, Curved, Derivatives, Expansion, Given
from socgrad.laws.negative_binomial import of_total

__all__ = ["NegativeBinomialTotals", "PoissonTotals", "exact_totals", "squared_variation"]


def squared_variation(
    square: Exposure, overdispersion: FloatArray, slope: FloatArray, log_sums: FloatArray
) -> FloatArray:
    """Variance of a total beyond Poisson over its squared mean, which no level changes.

    `square` is the rule of squared exposures, `log_sums` are the logs of the sums at the slopes.
    """
    share = np.exp(square.log_sums(2.0 * slope) - 2.0 * log_sums)
    found: FloatArray = overdispersion**2 * share
    return found


def exact_totals(data: xr.Dataset) -> IntArray:
    """Positions along dim total_authority of totals that are known exactly."""
    return np.flatnonzero(~np.isnan(data["sum_events"].to_numpy()))


@dataclass(frozen=True, eq=False)
class PoissonTotals(Curved):
    """Authority totals: Y log(E) - E with E = exp(level) S(slope)."""

    authority: IntArray
    events: FloatArray
    rule: Exposure

    @classmethod
    def of(cls, data: xr.Dataset) -> "PoissonTotals":
        """Take the totals from `likelihood_data`, those that are known exactly."""
        at = exact_totals(data)
        return cls(
            data["sum_authority"].to_numpy()[at],
            data["sum_events"].to_numpy()[at],
            exposure_rule(data, "sum").of(at),
        )

    def tabulated(self, low: FloatArray, high: FloatArray) -> "PoissonTotals":
        """The same, quicker for slopes between `low` and `high`, (j,) each."""
        rule = tabulated_exposure(self.rule, low, high, self.events)
        return replace(self, rule=rule)

    def given(self, overdispersion: FloatArray) -> "Given":  # noqa: ARG002, D102
        return self

    def at(self, slope: FloatArray) -> AtSlopes:  # noqa: D102
        return _PoissonTotalsAtSlopes(self.events, self.rule.log_sums(slope))

    def derivatives(self, level: FloatArray, slope: FloatArray) -> Derivatives:  # noqa: D102
        log_total, mean, variance = self.rule.moments(slope)
        expected = np.exp(level + log_total)
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
class _PoissonTotalsAtSlopes:
    events: FloatArray
    log_sums: FloatArray

    def grid(self, log_expected: FloatArray, step: FloatArray) -> FloatArray:
        logs = log_expected[:, None] + step
        expected = np.exp(logs)
        logs *= self.events
        logs -= expected
        return logs

    def by_level(self, log_expected: FloatArray) -> tuple[FloatArray, FloatArray]:
        expected = np.exp(log_expected)
        return self.events - expected, expected

    def expansion(self, log_expected: FloatArray) -> Expansion:
        expected = np.exp(log_expected)
        value = self.events * log_expected - expected
        beyond = -expected
        return Expansion(value, self.events - expected, expected, beyond, beyond)


@dataclass(frozen=True, eq=False)
class NegativeBinomialTotals:
    """Authority totals, negative binomial with the mean and variance of the sum."""

    authority: IntArray
    events: FloatArray
    rule: Exposure
    square: Exposure

    @classmethod
    def of(cls, data: xr.Dataset) -> "NegativeBinomialTotals":
        """Take the totals from `likelihood_data`, those that are known exactly."""
        at = exact_totals(data)
        return cls(
            data["sum_authority"].to_numpy()[at],
            data["sum_events"].to_numpy()[at],
            exposure_rule(data, "sum").of(at),
            exposure_rule(data, "square").of(at),
        )

    def tabulated(self, low: FloatArray, high: FloatArray) -> "NegativeBinomialTotals":
        """The same, quicker for slopes between `low` and `high`, (j,) each."""
        rule = tabulated_exposure(self.rule, low, high, self.events)
        square = tabulated_exposure(self.square, 2.0 * low, 2.0 * high, self.events)
        return replace(self, rule=rule, square=square)

    def given(self, overdispersion: FloatArray) -> Given:  # noqa: D102
        return _TotalsAtOverdispersion(self, overdispersion)

    def shared(self, overdispersion: FloatArray) -> FloatArray:  # noqa: D102
        return np.zeros(len(overdispersion))


@dataclass(frozen=True, eq=False)
class _TotalsAtOverdispersion(Curved):
    totals: NegativeBinomialTotals
    overdispersion: FloatArray

    def at(self, slope: FloatArray) -> AtSlopes:
        log_sums = self.totals.rule.log_sums(slope)
        variation = squared_variation(self.totals.square, self.overdispersion, slope, log_sums)
        return _NegativeBinomialTotalsAtSlopes(self.totals.events, log_sums, variation)

    def derivatives(self, level: FloatArray, slope: FloatArray) -> Derivatives:
        # Dispersion held where it is: enough to place the nodes.
        log_total, mean, spread = self.totals.rule.moments(slope)
        expected = np.exp(level + log_total)
        log_squares = self.totals.square.log_sums(2.0 * slope)
        variance = 1.0 + self.overdispersion**2 * np.exp(level + log_squares - log_total)
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


@dataclass(frozen=True, eq=False)
class _NegativeBinomialTotalsAtSlopes:
    events: FloatArray
    log_sums: FloatArray
    squared_variation: FloatArray

    def grid(self, log_expected: FloatArray, step: FloatArray) -> FloatArray:
        logs = log_expected[:, None] + step
        values: FloatArray = of_total(self.events, logs, self.squared_variation[:, None], xp=np)
        return values

    def by_level(self, log_expected: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self._derivatives(log_expected)[:2]

    def expansion(self, log_expected: FloatArray) -> Expansion:
        value = of_total(self.events, log_expected, self.squared_variation, xp=np)
        gradient, curvature, share = self._derivatives(log_expected)
        third = curvature * (1.0 - 2.0 * share)
        fourth = curvature * (6.0 * share * (1.0 - share) - 1.0)
        return Expansion(value, gradient, curvature, third, fourth)

    def _derivatives(self, log_expected: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Gradient and negative curvature, and the share of a variance that is Poisson's."""
        expected = np.exp(log_expected)
        share = 1.0 / (1.0 + self.squared_variation * expected)
        curvature = (1.0 + self.squared_variation * self.events) * expected * share**2
        return (self.events - expected) * share, curvature, share
