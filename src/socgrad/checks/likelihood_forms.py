"""The likelihood of one authority's counts as a function of its level and slope: its forms.

Poisson counts need two sums and the Gauss rule of the exposures; negative binomial counts need
every area, grouped by locality where localities share a factor; totals need one rule, or two. Each
form gives the log-likelihood, its gradient and the expected information at arrays of levels and
slopes, whose last axis but one is that of the draws of the spread of the factors. Where areas lie
off their authority's line, by covariates of their own or a gradient that is non-linear, every form
needs every area and differs between draws.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import digamma

from socgrad.laws.gamma_factors import distinct, rising
from socgrad.laws.negative_binomial import log_probability

__all__ = [
    "AuthorityLikelihood",
    "LocalityCounts",
    "NegativeBinomialCounts",
    "PoissonCounts",
    "Total",
]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]


class AuthorityLikelihood(Protocol):
    """Log-likelihood of one authority's counts; `level` and `slope` have shape (..., draws)."""

    @property
    def events(self) -> float:
        """Events of the authority."""

    @property
    def areas(self) -> int:
        """Areas that its counts are of."""

    def at(self, draws: Integers) -> "AuthorityLikelihood":
        """The likelihood in these draws: another one where areas lie off the authority's line."""

    def log_likelihood(self, level: Floats, slope: Floats, overdispersion: Floats) -> Floats:
        """Log probability of the counts."""

    def moments(
        self, level: Floats, slope: Floats, overdispersion: Floats
    ) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats, Floats]]:
        """Gradient (level, slope) and information (level, both, slope)."""


@dataclass(frozen=True, eq=False)
class PoissonCounts:
    """Poisson counts: two sums of events, and nodes of exposure.

    Where areas lie off the line, the nodes are the areas, their `mass` (draws, areas) is exposure
    times what takes their rates off it, and `constant` (draws,).
    """

    events: float
    areas: int
    events_within: float
    constant: float | Floats
    node: Floats
    mass: Floats

    def at(self, draws: Integers) -> "PoissonCounts":
        """The likelihood in these draws."""
        if self.mass.ndim == 1:
            return self
        return replace(self, mass=self.mass[draws], constant=np.asarray(self.constant)[draws])

    def log_likelihood(self, level: Floats, slope: Floats, overdispersion: Floats) -> Floats:  # noqa: ARG002 of the protocol
        """Log probability of the counts."""
        expected = np.exp(level) * _weighed(np.exp(slope[..., None] * self.node), self.mass)
        return self.events * level + self.events_within * slope - expected + self.constant

    def moments(
        self,
        level: Floats,
        slope: Floats,
        overdispersion: Floats,  # noqa: ARG002 of the protocol
    ) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats, Floats]]:
        """Gradient and information."""
        rate = np.exp(slope[..., None] * self.node)
        m0, m1, m2 = (np.exp(level) * _weighed(rate, self.mass * self.node**k) for k in range(3))
        return (self.events - m0, self.events_within - m1), (m0, m1, m2)


@dataclass(frozen=True, eq=False)
class NegativeBinomialCounts:
    """Negative binomial counts, area by area.

    Where areas lie off the line, `log_exposure` (draws, areas) holds what takes their log rates
    off it, too.
    """

    events: float
    areas: int
    count: Floats
    within_part: Floats
    log_exposure: Floats
    constant: float

    def at(self, draws: Integers) -> "NegativeBinomialCounts":
        """The likelihood in these draws."""
        if self.log_exposure.ndim == 1:
            return self
        return replace(self, log_exposure=self.log_exposure[draws])

    def log_likelihood(self, level: Floats, slope: Floats, overdispersion: Floats) -> Floats:
        """Log probability of the counts."""
        r = overdispersion**2
        log_mean = level[..., None] + slope[..., None] * self.within_part
        log_mean += self.log_exposure
        linear = log_mean @ self.count
        np.exp(log_mean, out=log_mean)
        log_mean *= r[:, None]
        np.log1p(log_mean, out=log_mean)
        lost = log_mean @ self.count + log_mean.sum(axis=-1) / r
        values: Floats = linear - lost + _shared(self.count, r) + self.constant
        return values

    def moments(
        self, level: Floats, slope: Floats, overdispersion: Floats
    ) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats, Floats]]:
        """Gradient and information."""
        r = (overdispersion**2)[:, None]
        w = self.within_part
        mean = np.exp(level[..., None] + slope[..., None] * w + self.log_exposure)
        pull = (self.count - mean) / (1.0 + r * mean)
        weight = mean / (1.0 + r * mean)
        return (pull.sum(axis=-1), pull @ w), (weight.sum(axis=-1), weight @ w, weight @ w**2)


@dataclass(frozen=True, eq=False)
class LocalityCounts:
    """Areas sorted by locality; `first` and `count` are of localities.

    Where areas lie off the line, `exposure` (draws, areas) is times what takes their rates off it,
    and `constant` (draws,).
    """

    events: float
    areas: int
    events_within: float
    constant: float | Floats
    within_part: Floats
    exposure: Floats
    first: npt.NDArray[np.int64]
    count: Floats

    def at(self, draws: Integers) -> "LocalityCounts":
        """The likelihood in these draws."""
        if self.exposure.ndim == 1:
            return self
        constant = np.asarray(self.constant)[draws]
        return replace(self, exposure=self.exposure[draws], constant=constant)

    def _moments(self, level: Floats, slope: Floats, powers: int) -> list[Floats]:
        """Sums of expected events times powers of w over each locality, (..., draws, locality)."""
        mean = np.exp(slope[..., None] * self.within_part)
        mean *= self.exposure
        mean *= np.exp(level)[..., None]
        found = []
        for _ in range(powers):
            found.append(np.add.reduceat(mean, self.first, axis=-1))
            mean *= self.within_part
        return found

    def log_likelihood(self, level: Floats, slope: Floats, overdispersion: Floats) -> Floats:
        """Log probability of the counts."""
        r = overdispersion**2
        (lost,) = self._moments(level, slope, 1)
        lost *= r[:, None]
        np.log1p(lost, out=lost)
        gone = lost @ self.count + lost.sum(axis=-1) / r
        linear = self.events * level + self.events_within * slope
        values: Floats = linear - gone + _shared(self.count, r) + self.constant
        return values

    def moments(
        self, level: Floats, slope: Floats, overdispersion: Floats
    ) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats, Floats]]:
        """Gradient and information."""
        r = (overdispersion**2)[:, None]
        m0, m1, m2 = self._moments(level, slope, 3)
        wide = 1.0 + r * m0
        share = (1.0 + r * self.count) / wide
        gradient = (
            self.events - (share * m0).sum(axis=-1),
            self.events_within - (share * m1).sum(axis=-1),
        )
        information = (
            (m0 / wide).sum(axis=-1),
            (m1 / wide).sum(axis=-1),
            (m2 - r * m1**2 / wide).sum(axis=-1),
        )
        return gradient, information


@dataclass(frozen=True, eq=False)
class Total:
    """A total: nodes of exposure, and of what shares a gamma factor, squared.

    Where areas lie off the line, nodes are areas, and both masses (draws, nodes).
    """

    events: float
    areas: int
    node: Floats
    mass: Floats
    square_node: Floats
    square_mass: Floats

    def at(self, draws: Integers) -> "Total":
        """The likelihood in these draws."""
        if self.mass.ndim == 1:
            return self
        return replace(self, mass=self.mass[draws], square_mass=self.square_mass[draws])

    def _mean(self, level: Floats, slope: Floats) -> tuple[Floats, Floats]:
        """Expected total, and the mean of w over it."""
        rate = np.exp(slope[..., None] * self.node)
        base = _weighed(rate, self.mass)
        return np.exp(level) * base, _weighed(rate, self.mass * self.node) / base

    def _variance(
        self, level: Floats, slope: Floats, overdispersion: Floats, mean: Floats
    ) -> Floats:
        if not overdispersion.any():
            return np.zeros_like(mean)
        rate = np.exp(2.0 * slope[..., None] * self.square_node)
        squares = np.exp(2.0 * level) * _weighed(rate, self.square_mass)
        variance: Floats = overdispersion**2 * squares / mean**2
        return variance

    def expected(
        self, level: Floats, slope: Floats, overdispersion: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Expected total, the variance of its gamma factor, and the mean of w over it."""
        mean, at = self._mean(level, slope)
        return mean, self._variance(level, slope, overdispersion, mean), at

    def log_likelihood(self, level: Floats, slope: Floats, overdispersion: Floats) -> Floats:
        """Log probability of the total."""
        mean, variance, _ = self.expected(level, slope, overdispersion)
        return log_probability(np.asarray(self.events), mean, variance)

    def moments(
        self, level: Floats, slope: Floats, overdispersion: Floats
    ) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats, Floats]]:
        """Gradient, and the information of a variance that stays what it is."""
        mean, variance, at = self.expected(level, slope, overdispersion)
        wide = 1.0 + variance * mean
        pull, weight = (self.events - mean) / wide, mean / wide
        gradient = pull * at
        if variance.any():
            # The gamma factor varies less the more areas share the events: that moves with slopes.
            rate = np.exp(2.0 * slope[..., None] * self.square_node)
            among = _weighed(rate, self.square_mass * self.square_node)
            moves = 2.0 * (among / _weighed(rate, self.square_mass) - at)
            gradient = gradient + moves * _by_log_variance(self.events, mean, variance)
        return (pull, gradient), (weight, weight * at, weight * at**2)


def _by_log_variance(events: float, mean: Floats, variance: Floats) -> Floats:
    """Derivative of a total's log probability by the log of its gamma factor's variance."""
    some = np.where(variance > 0.0, variance, 1.0)
    phi, share = 1.0 / some, some * mean
    found = events - phi * (digamma(events + phi) - digamma(phi) - np.log1p(share))
    found = found - (events + phi) * share / (1.0 + share)
    return np.where(variance > 0.0, found, 0.0)


def _weighed(rate: Floats, mass: Floats) -> Floats:
    """Sum of rates (..., draws, nodes) times mass, one for all draws or of each."""
    summed: Floats = rate @ mass if mass.ndim == 1 else (rate * mass).sum(axis=-1)
    return summed


def _shared(events: Floats, r: Floats) -> Floats:
    """What gamma factors make of numbers of events, (draws,)."""
    numbers, many = distinct(events)
    summed: Floats = rising(numbers, r[:, None], xp=np) @ many
    return summed
