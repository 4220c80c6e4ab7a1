"""Counts drawn again from the posterior, and what is compared between them and the real ones.

Statistics are accumulated draw by draw over blocks of neighbourhoods, so that England needs no
array of areas by draws.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from socgrad.checks.counts import (
    FittedCounts,
    Lines,
    Population,
    total_moments,
)
from socgrad.checks.locality_counts import WholeLocalities, count_blocks
from socgrad.estimands.chance import counts_about
from socgrad.estimands.indicators import indicator
from socgrad.laws.draws import drawn_factors
from socgrad.reading.geography import Geography

__all__ = ["AreaReplicates", "AuthorityReplicates", "area_replicates", "authority_replicates"]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]

_TENTH = 0.1
#: Counts up to here are tallied one by one, larger ones in steps of their logarithm.
_EXACT = 4096
_STEP = 0.002


@dataclass(frozen=True, eq=False)
class AreaReplicates:
    """Statistics of counted neighbourhoods, observed and drawn again; arrays start with draws.

    Attributes
    ----------
    dispersion, dispersion_again : ndarray, shape (draws,)
        Mean of (count - mean)**2 / variance, under each draw.
    coefficient : float
        Coefficient of variation of neighbourhood rates about the lines, by moments; 0 at least.
    zeros, busiest, largest : ndarray, shape (1,) or (draws,)
        Share of areas without events; share of events in the tenth of areas with most; most events.
    zeros_again, busiest_again, largest_again : ndarray, shape (draws,)
    groups, groups_again, groups_mean : ndarray, shape (1 or draws, groups), (draws, groups) twice
        Events of groups of areas: observed, drawn again, expected.
    groups_variance : ndarray, shape (draws, groups)
        Variance of the drawn events.
    by_authority, by_authority_again : ndarray, shape (draws, authorities)
        Dispersion among each authority's areas; NaN where none is counted.
    localities, localities_again : ndarray, shape (draws,)
        As `dispersion`, of the counts of localities; without elements where there are none.
    expected, uncertainty : ndarray, shape (counted,)
        Mean and variance over draws of each area's expected events.
    """

    dispersion: Floats
    dispersion_again: Floats
    coefficient: float
    zeros: Floats
    zeros_again: Floats
    busiest: Floats
    busiest_again: Floats
    largest: Floats
    largest_again: Floats
    groups: Floats
    groups_again: Floats
    groups_mean: Floats
    groups_variance: Floats
    by_authority: Floats
    by_authority_again: Floats
    localities: Floats
    localities_again: Floats
    expected: Floats
    uncertainty: Floats


@dataclass(frozen=True, eq=False)
class AuthorityReplicates:
    """Authority totals, and totals of new authorities of the same neighbourhoods.

    Attributes
    ----------
    authority : ndarray, shape (authorities,)
        Positions of the authorities that have counts or a total.
    events : ndarray, shape (1 or draws, authorities)
    expected : ndarray, shape (draws, authorities)
        Expected events without effects.
    again : ndarray, shape (draws, authorities)
        Events drawn with effects drawn anew.
    """

    authority: Integers
    events: Floats
    expected: Floats
    again: Floats


def area_replicates(
    counts: FittedCounts,
    lines: Lines,
    land: Geography,
    *,
    group: Integers,
    groups: int,
    rng: np.random.Generator,
) -> AreaReplicates:
    """Draw the neighbourhood counts again under each draw and compare.

    Parameters
    ----------
    counts, lines, land
        Of one fit; `counts` has counted areas.
    group
        Group of each area of `land`, 0 to `groups` - 1.
    groups
        Number of groups.
    rng
        Source of randomness.
    """
    draws, number = len(lines.level), land.authority_mean.size
    r, shared = lines.overdispersion[:, None] ** 2, lines.locality_sd[:, None] ** 2
    named, localities = bool(land.locality_of_area.size), 0
    of_localities = np.zeros((2, draws))
    squares, squares_again = np.zeros((2, draws, number))
    means, again, variances = np.zeros((3, draws, groups))
    observed_groups = np.zeros((counts.events[..., :1].size, groups))
    tally, observed = _Tally.empty(draws), _Tally.empty(len(observed_groups))
    expected_events, uncertainty = np.zeros((2, len(counts.area)))
    excess = square_means = 0.0
    for block in count_blocks(counts, lines, land):
        at, y, mean = counts.area[block.rows], counts.events[..., block.rows], block.mean
        expected_events[block.rows] = mean.mean(axis=0)
        uncertainty[block.rows] = mean.var(axis=0)
        variance = mean * (1.0 + (r * (1.0 + shared) + shared) * mean)
        about = mean
        if shared.any():
            factor = drawn_factors(shared, (draws, len(block.first)), rng)
            about = mean * factor[:, block.locality]
        new = counts_about(about, np.broadcast_to(r, mean.shape), rng)
        to_authority = indicator(land.authority_of_area[at], number)
        to_group = indicator(group[at], groups)
        squares += ((y - mean) ** 2 / variance) @ to_authority
        squares_again += ((new - mean) ** 2 / variance) @ to_authority
        means += mean @ to_group
        variances += variance @ to_group
        if shared.any():
            variances += shared * _products(block, group[at], groups)
        again += new @ to_group
        observed_groups += np.atleast_2d(y) @ to_group
        tally, observed = tally.plus(new), observed.plus(np.atleast_2d(y))
        if named:
            expected = block.summed(mean)
            own = mean * (1.0 + r * (1.0 + shared) * mean)
            theirs = block.summed(own) + shared * expected**2
            for k, counted in enumerate((y, new)):
                apart = (block.summed(counted) - expected) ** 2
                of_localities[k] += (apart / theirs).sum(axis=1)
            localities += len(block.first)
        excess += float(((y - mean) ** 2 - mean).mean(axis=0).sum())
        square_means += float((mean**2).mean(axis=0).sum())
    areas = np.bincount(land.authority_of_area[counts.area], minlength=number)
    with np.errstate(invalid="ignore"):
        by_authority, by_authority_again = squares / areas, squares_again / areas
    return AreaReplicates(
        dispersion=squares.sum(axis=1) / areas.sum(),
        dispersion_again=squares_again.sum(axis=1) / areas.sum(),
        coefficient=float(np.sqrt(max(excess / square_means, 0.0))),
        zeros=observed.zeros / areas.sum(),
        zeros_again=tally.zeros / areas.sum(),
        busiest=observed.busiest,
        busiest_again=tally.busiest,
        largest=observed.largest,
        largest_again=tally.largest,
        groups=observed_groups,
        groups_again=again,
        groups_mean=means,
        groups_variance=variances,
        by_authority=by_authority,
        by_authority_again=by_authority_again,
        localities=of_localities[0] / localities if named else np.zeros(0),
        localities_again=of_localities[1] / localities if named else np.zeros(0),
        expected=expected_events,
        uncertainty=uncertainty,
    )


def authority_replicates(
    counts: FittedCounts, population: Population, land: Geography, rng: np.random.Generator
) -> AuthorityReplicates:
    """Draw each authority's total again, its effects drawn anew."""
    number = land.authority_mean.size
    home = land.authority_of_area[counts.area]
    events = np.atleast_2d(counts.events) @ indicator(home, number)
    rows = max(len(events), len(np.atleast_2d(counts.total)))
    events = np.broadcast_to(events, (rows, number)).copy()
    events[:, counts.constrained] = counts.constrained_total
    events[:, counts.authority] = counts.total
    known = np.bincount(home, minlength=number) > 0
    known[counts.authority] = True
    among = np.isin(land.authority_of_area, counts.authority)
    among[counts.area] = True

    of_areas = population.covariate, population.area_moderator, population.departure
    own = population.locality_sd
    without = Lines(
        population.level, population.slope, population.overdispersion, *of_areas, locality_sd=own
    )
    expected, _ = total_moments(without, land, among=among)
    z = rng.standard_normal((2, *population.level.shape))
    level, across, alone = (part[:, None] for part in population.factor)
    anew = Lines(
        population.level + level * z[0],
        population.slope + across * z[0] + alone * z[1],
        population.overdispersion,
        *of_areas,
        locality_sd=own,
    )
    again = counts_about(*total_moments(anew, land, among=among), rng)
    return AuthorityReplicates(
        np.flatnonzero(known), events[:, known], expected[:, known], again[:, known]
    )


def _products(block: WholeLocalities, group: Integers, groups: int) -> Floats:
    """Sum over groups of the products of different areas of one locality, (draws, groups)."""
    cell, member = np.unique(block.locality * groups + group, return_inverse=True)
    sums = block.mean @ indicator(member, len(cell))
    products: Floats = sums**2 @ indicator(cell % groups, groups)
    products -= block.mean**2 @ indicator(group, groups)
    return products


@dataclass(frozen=True, eq=False)
class _Tally:
    """How many areas have a count of each size, and their events, (draws, sizes); the largest.

    Sizes are whole numbers up to a bound, beyond it steps of a fifth of a percent: so counts of any
    size take little room, and the share of the busiest tenth stays as exact as that.
    """

    areas: Floats
    events: Floats
    largest: Floats

    @classmethod
    def empty(cls, draws: int) -> "_Tally":
        return cls(np.zeros((draws, 1)), np.zeros((draws, 1)), np.zeros(draws))

    def plus(self, counts: Floats) -> "_Tally":
        """With counts (draws, areas) added."""
        size = _size(counts)
        width = max(self.areas.shape[1], int(size.max()) + 1)
        flat = (size + width * np.arange(len(counts))[:, None]).ravel()
        return _Tally(
            _widened(self.areas, flat, np.ones(counts.size), width),
            _widened(self.events, flat, counts.ravel(), width),
            np.maximum(self.largest, counts.max(axis=1)),
        )

    @property
    def zeros(self) -> Floats:
        """Areas without events, for each draw."""
        return self.areas[:, 0]

    @property
    def busiest(self) -> Floats:
        """Share of events in the tenth of areas with most events, for each draw; 0 without any."""
        areas, events = self.areas[:, ::-1], self.events[:, ::-1]
        places = _TENTH * areas.sum(axis=1, keepdims=True)
        before = np.cumsum(areas, axis=1) - areas
        taken = np.clip(places - before, 0.0, areas) / np.maximum(areas, 1.0)
        shares: Floats = (taken * events).sum(axis=1) / np.maximum(events.sum(axis=1), 1.0)
        return shares


def _widened(held: Floats, place: Integers, more: Floats, width: int) -> Floats:
    """Add numbers at places of rows laid end to end to what rows hold, made wide enough."""
    shape = (len(held), width)
    sums = np.bincount(place, more, minlength=shape[0] * width).reshape(shape)
    sums[:, : held.shape[1]] += held
    return sums


def _size(counts: Floats) -> Integers:
    """Place of counts among the sizes of a tally."""
    size = counts.astype(np.int64)
    beyond = counts > _EXACT
    size[beyond] = _EXACT + np.ceil(np.log(counts[beyond] / _EXACT) / _STEP).astype(np.int64)
    return size
