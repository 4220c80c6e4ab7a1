"""Log-likelihoods of single authorities as functions of level and slope, many points at once.

`socgrad.laws` sum over authorities; quadrature needs each authority by itself, on a
small grid around its own centre, for many values of the shared parameters. Arrays have slope nodes
first (a), then level nodes (b), points (n) and authorities (j): the long axes last, where NumPy is
fast. Constants are left out, except where they depend on overdispersion.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray, IntArray
from socgrad.laplace.exposure import Exposure, exposure_rule, tabulated_exposure

__all__ = [
    "AtSlopes",
    "Curved",
    "Derivatives",
    "Given",
    "OwnAtPoints",
    "PoissonRows",
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


class Expansion(NamedTuple):
    """A log-likelihood and its derivatives by the level, the second one negative."""

    value: FloatArray
    gradient: FloatArray
    curvature: FloatArray
    third: FloatArray
    fourth: FloatArray


class AtSlopes(Protocol):
    """A log-likelihood at slopes (..., n, j), as a function of the log of events expected."""

    @property
    def log_sums(self) -> FloatArray:
        """Log of the events expected at level 0."""

    def grid(self, log_expected: FloatArray, step: FloatArray) -> FloatArray:
        """As `Given.grid`."""

    def by_level(self, log_expected: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradient and negative curvature, shape (..., n, j) each."""

    def expansion(self, log_expected: FloatArray) -> Expansion:
        """Value and derivatives; the third and fourth are 0 where they are not known."""


@runtime_checkable
class Expanded(Given, Protocol):
    """One of which levels can be integrated out by its derivatives."""

    def expansion(self, level: FloatArray, slope: FloatArray) -> Expansion:
        """Value and derivatives at levels and slopes (a, n, j)."""


class Curved(ABC):
    """One whose likeliest levels lie along any curve of the slopes, as those of a total do."""

    @abstractmethod
    def at(self, slope: FloatArray) -> AtSlopes:
        """The same at slopes, of which sums over neighbourhoods are then taken once."""

    @abstractmethod
    def derivatives(self, level: FloatArray, slope: FloatArray) -> Derivatives:
        """As `Given.derivatives`."""

    def grid(self, level: FloatArray, step: FloatArray, slope: FloatArray) -> FloatArray:
        """As `Given.grid`."""
        there = self.at(slope)
        return there.grid(level + there.log_sums, step)


class Surface(Protocol):
    """The log-likelihood of some of the authorities."""

    @property
    def authority(self) -> IntArray:
        """Positions of these authorities along dim authority."""

    def given(self, overdispersion: FloatArray) -> Given:
        """The same at each point's overdispersion (n, 1), which the Poisson ignores."""

    def shared(self, overdispersion: FloatArray) -> FloatArray:
        """Terms that depend on overdispersion (n, 1) alone, shape (n,)."""


@runtime_checkable
class OwnAtPoints(Protocol):
    """A surface that is made anew for each point."""

    @property
    def point_size(self) -> int:
        """Numbers that are made for one."""


@dataclass(frozen=True, eq=False)
class PoissonRows:
    """Neighbourhood counts: Y level + YW slope - exp(level) S(slope)."""

    authority: IntArray
    events: FloatArray
    events_within: FloatArray
    rule: Exposure

    @classmethod
    def of(cls, data: xr.Dataset) -> "PoissonRows":
        """Take the counts from `likelihood_data`."""
        return cls(
            data["count_authority"].to_numpy(),
            data["count_events"].to_numpy(),
            data["count_events_within"].to_numpy(),
            exposure_rule(data, "count"),
        )

    def tabulated(self, low: FloatArray, high: FloatArray) -> "PoissonRows":
        """The same, quicker for slopes between `low` and `high`, (j,) each."""
        rule = tabulated_exposure(self.rule, low, high, self.events)
        return replace(self, rule=rule)

    def given(self, overdispersion: FloatArray) -> "Given":  # noqa: ARG002, D102
        return self

    def grid(self, level: FloatArray, step: FloatArray, slope: FloatArray) -> FloatArray:  # noqa: D102
        expected = np.exp(level + self.rule.log_sums(slope))
        linear = self.events * level + self.events_within * slope
        values = np.exp(step) * -expected[:, None]
        values += linear[:, None]
        values += self.events * step
        return values

    def expansion(self, level: FloatArray, slope: FloatArray) -> Expansion:  # noqa: D102
        expected = np.exp(level + self.rule.log_sums(slope))
        value = self.events * level
        value += self.events_within * slope
        value -= expected
        beyond = -expected
        return Expansion(value, self.events - expected, expected, beyond, beyond)

    def derivatives(self, level: FloatArray, slope: FloatArray) -> Derivatives:  # noqa: D102
        log_total, mean, variance = self.rule.moments(slope)
        expected = np.exp(level + log_total)
        first = expected * mean
        variance += mean * mean
        second = expected * variance
        return Derivatives(
            self.events - expected, self.events_within - first, expected, first, second, second
        )

    def shared(self, overdispersion: FloatArray) -> FloatArray:  # noqa: D102
        return np.zeros(len(overdispersion))
