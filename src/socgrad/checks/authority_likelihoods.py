"""The likelihood of one authority's counts as a function of its level and slope.

Poisson counts need two sums and the Gauss rule of the exposures; negative binomial counts need
every area, grouped by locality where localities share a factor; totals need one rule, or two. Each
form gives the log-likelihood, its gradient and the expected information at arrays of levels and
slopes, whose last axis but one is that of the draws of the spread of the factors.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from socgrad.checks.counts import Counts, Population, log_probability
from socgrad.errors import EstimandError
from socgrad.localities import area_pairs
from socgrad.quadrature import Rules, chosen_rules
from socgrad.reading.posterior import Geography

__all__ = ["AuthorityLikelihood", "authority_likelihoods"]

type Floats = npt.NDArray[np.float64]

#: Slopes within so many standard deviations of an authority's expected slope are integrated over.
_REACH = 7.0


class AuthorityLikelihood(Protocol):
    """Log-likelihood of one authority's counts; `level` and `slope` have shape (..., draws)."""

    @property
    def events(self) -> float:
        """Events of the authority."""

    @property
    def areas(self) -> int:
        """Areas that its counts are of."""

    def log_likelihood(self, level: Floats, slope: Floats, overdispersion: Floats) -> Floats:
        """Log probability of the counts."""

    def moments(
        self, level: Floats, slope: Floats, overdispersion: Floats
    ) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats, Floats]]:
        """Gradient (level, slope) and information (level, both, slope)."""


@dataclass(frozen=True, eq=False)
class _PoissonCounts:
    events: float
    areas: int
    events_within: float
    constant: float
    node: Floats
    mass: Floats

    def log_likelihood(self, level: Floats, slope: Floats, overdispersion: Floats) -> Floats:  # noqa: ARG002 of the protocol
        expected: Floats = np.exp(level) * (np.exp(slope[..., None] * self.node) @ self.mass)
        return self.events * level + self.events_within * slope - expected + self.constant

    def moments(
        self,
        level: Floats,
        slope: Floats,
        overdispersion: Floats,  # noqa: ARG002 of the protocol
    ) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats, Floats]]:
        rate = np.exp(slope[..., None] * self.node)
        m0, m1, m2 = (np.exp(level) * (rate @ (self.mass * self.node**k)) for k in range(3))
        return (self.events - m0, self.events_within - m1), (m0, m1, m2)


@dataclass(frozen=True, eq=False)
class _NegativeBinomialCounts:
    events: float
    areas: int
    count: Floats
    within_part: Floats
    log_exposure: Floats
    constant: float

    def log_likelihood(self, level: Floats, slope: Floats, overdispersion: Floats) -> Floats:
        r = overdispersion**2
        log_mean = level[..., None] + slope[..., None] * self.within_part
        log_mean += self.log_exposure
        linear = log_mean @ self.count
        np.exp(log_mean, out=log_mean)
        log_mean *= r[:, None]
        np.log1p(log_mean, out=log_mean)
        lost = log_mean @ self.count + log_mean.sum(axis=-1) / r
        # sum over k < y of log(1 + r k): no gamma functions, and exact as r vanishes.
        steps = np.arange(self.count.max())
        above = (self.count[:, None] > steps).sum(axis=0)
        rising = np.log1p(r[:, None] * steps) @ above.astype(float)
        values: Floats = linear - lost + rising + self.constant
        return values

    def moments(
        self, level: Floats, slope: Floats, overdispersion: Floats
    ) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats, Floats]]:
        r = (overdispersion**2)[:, None]
        w = self.within_part
        mean = np.exp(level[..., None] + slope[..., None] * w + self.log_exposure)
        pull = (self.count - mean) / (1.0 + r * mean)
        weight = mean / (1.0 + r * mean)
        return (pull.sum(axis=-1), pull @ w), (weight.sum(axis=-1), weight @ w, weight @ w**2)


@dataclass(frozen=True, eq=False)
class _LocalityCounts:
    """Areas sorted by locality; `first` and `count` are of localities."""

    events: float
    areas: int
    events_within: float
    constant: float
    within_part: Floats
    exposure: Floats
    first: npt.NDArray[np.int64]
    count: Floats

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
        r = overdispersion**2
        (lost,) = self._moments(level, slope, 1)
        lost *= r[:, None]
        np.log1p(lost, out=lost)
        gone = lost @ self.count + lost.sum(axis=-1) / r
        steps = np.arange(self.count.max())
        above = (self.count[:, None] > steps).sum(axis=0)
        rising = np.log1p(r[:, None] * steps) @ above.astype(float)
        linear = self.events * level + self.events_within * slope
        values: Floats = linear - gone + rising + self.constant
        return values

    def moments(
        self, level: Floats, slope: Floats, overdispersion: Floats
    ) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats, Floats]]:
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
class _Total:
    events: float
    areas: int
    node: Floats
    mass: Floats
    square_node: Floats
    square_mass: Floats

    def _mean(self, level: Floats, slope: Floats) -> tuple[Floats, Floats]:
        """Expected total, and the mean of w over it."""
        rate = np.exp(slope[..., None] * self.node)
        base = rate @ self.mass
        return np.exp(level) * base, (rate @ (self.mass * self.node)) / base

    def _variance(
        self, level: Floats, slope: Floats, overdispersion: Floats, mean: Floats
    ) -> Floats:
        if not overdispersion.any():
            return np.zeros_like(mean)
        rate = np.exp(2.0 * slope[..., None] * self.square_node)
        squares = np.exp(2.0 * level) * (rate @ self.square_mass)
        variance: Floats = overdispersion**2 * squares / mean**2
        return variance

    def log_likelihood(self, level: Floats, slope: Floats, overdispersion: Floats) -> Floats:
        mean, _ = self._mean(level, slope)
        variance = self._variance(level, slope, overdispersion, mean)
        return log_probability(np.asarray(self.events), mean, variance)

    def moments(
        self, level: Floats, slope: Floats, overdispersion: Floats
    ) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats, Floats]]:
        mean, at = self._mean(level, slope)
        wide = 1.0 + self._variance(level, slope, overdispersion, mean) * mean
        pull, weight = (self.events - mean) / wide, mean / wide
        return (pull, pull * at), (weight, weight * at, weight * at**2)


def authority_likelihoods(
    counts: Counts, population: Population, land: Geography
) -> Iterator[tuple[int, AuthorityLikelihood]]:
    """Position and likelihood of every authority that has counts or a total."""
    columns = population.covariate, population.area_moderator, population.departure
    if any(coefficient.shape[1] for coefficient in columns):
        what = "a gradient that is no line" if columns[2].shape[1] else "area covariates"
        raise EstimandError(
            "Likelihoods of whole authorities, their effects integrated out, are of one line each, "
            f"and {what} give the neighbourhoods of an authority lines of their own. Score "
            "areas instead (unit='area'), or a model without them."
        )
    counted = np.isin(np.arange(land.authority_of_area.size), counts.area)
    home = land.authority_of_area
    shared = bool(population.locality_sd.any())
    if shared or population.overdispersion.any():
        make = _localities if shared else _rows
        for j in np.unique(home[counted]).tolist():
            own = home[counts.area] == j
            yield j, make(counts.events[own], counts.area[own], land)
    elif counted.any():
        y = np.zeros(home.size)
        y[counts.area] = counts.events
        at, rules = _rules(home, counted, land.within_part, land.exposure, population, power=1.0)
        for j, node, mass in zip(at.tolist(), rules.position, rules.weight, strict=True):
            own = counted & (home == j)
            w = land.within_part[own]
            # All of log p but what the level and slope add: at a level and slope of zero.
            plain = log_probability(y[own], land.exposure[own], np.zeros(()))
            constant = float(plain.sum() + land.exposure[own].sum())
            yield (
                j,
                _PoissonCounts(
                    float(y[own].sum()),
                    int(own.sum()),
                    float(y[own] @ w),
                    constant,
                    node,
                    mass,
                ),
            )
    if len(counts.authority):
        total = dict(zip(counts.authority.tolist(), counts.total.tolist(), strict=True))
        among = np.isin(home, counts.authority) & (land.exposure > 0)
        at, rules = _rules(home, among, land.within_part, land.exposure, population, power=1.0)
        square = _squares(among, land, population, shared=shared)
        for row, j in enumerate(at.tolist()):
            yield (
                j,
                _Total(
                    float(total[j]),
                    int((among & (home == j)).sum()),
                    rules.position[row],
                    rules.weight[row],
                    square.position[row],
                    square.weight[row],
                ),
            )


def _rows(events: Floats, areas: npt.NDArray[np.int64], land: Geography) -> AuthorityLikelihood:
    exposure = land.exposure[areas]
    plain = log_probability(events, exposure, np.zeros(()))
    # What of log p depends on neither mean nor overdispersion: minus the log factorials.
    constant = float((plain + exposure - events * np.log(exposure)).sum())
    return _NegativeBinomialCounts(
        float(events.sum()),
        len(events),
        events,
        land.within_part[areas],
        np.log(exposure),
        constant,
    )


def _localities(
    events: Floats, areas: npt.NDArray[np.int64], land: Geography
) -> AuthorityLikelihood:
    order = np.argsort(land.locality_of_area[areas], kind="stable")
    events, areas = events[order], areas[order]
    first = np.flatnonzero(np.diff(land.locality_of_area[areas], prepend=-1))
    w, exposure = land.within_part[areas], land.exposure[areas]
    plain = log_probability(events, exposure, np.zeros(()))
    return _LocalityCounts(
        float(events.sum()),
        len(events),
        float(events @ w),
        # All of log p that depends on no parameter.
        float((plain + exposure).sum()),
        w,
        exposure,
        first,
        np.add.reduceat(events, first),
    )


def _squares(
    among: npt.NDArray[np.bool_], land: Geography, population: Population, *, shared: bool
) -> Rules:
    """Gauss rules of what shares a gamma factor, squared: exposures, or pairs in a locality."""
    home, w, weight = land.authority_of_area, land.within_part, land.exposure**2
    if shared:
        areas = np.flatnonzero(among)
        pairs = area_pairs(land.locality_of_area[areas])
        home, w = home[areas][pairs.first], pairs.mean(w[areas])
        weight = pairs.weight(land.exposure[areas])
        among = np.ones(len(home), dtype=bool)
    return _rules(home, among, w, weight, population, power=2.0)[1]


def _rules(
    home: npt.NDArray[np.int64],
    among: npt.NDArray[np.bool_],
    within_part: Floats,
    weight: Floats,
    population: Population,
    *,
    power: float,
) -> tuple[npt.NDArray[np.int64], Rules]:
    """Gauss rules of the marked areas by authority, for slopes that the population can have."""
    authority, cell = np.unique(home[among], return_inverse=True)
    slope, reach = population.slope[:, authority], _REACH * population.slope_sd[:, None]
    slopes = power * float((slope - reach).min()), power * float((slope + reach).max())
    rules = chosen_rules(
        cell, within_part[among], weight[among], cells=len(authority), slopes=slopes
    )
    return authority, rules
