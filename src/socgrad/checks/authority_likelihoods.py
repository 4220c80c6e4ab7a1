"""The likelihood of every authority's counts, ready to be integrated over its effects."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from socgrad.checks.bounded_forms import (
    BoundedCounts,
    BoundedTotal,
    ConstrainedCounts,
    Together,
)
from socgrad.checks.counts import FittedCounts, Population, off_line
from socgrad.checks.likelihood_forms import (
    AuthorityLikelihood,
    LocalityCounts,
    NegativeBinomialCounts,
    PoissonCounts,
    Total,
)
from socgrad.checks.shared_forms import SharedCounts, has_no_closed_form
from socgrad.laws.constants_table import ConstantsTable
from socgrad.laws.kernels import Kernels
from socgrad.laws.negative_binomial import log_probability
from socgrad.localities import area_pairs
from socgrad.quadrature import GaussRules, chosen_rules
from socgrad.reading.geography import Geography

__all__ = ["authority_likelihoods"]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]

#: Slopes within so many standard deviations of an authority's expected slope are integrated over.
_REACH = 7.0


def authority_likelihoods(
    counts: FittedCounts, population: Population, land: Geography
) -> Iterator[tuple[int, AuthorityLikelihood]]:
    """Position and likelihood of every authority that has counts or a total."""
    if has_no_closed_form(counts, population):
        yield from _shared(counts, population, land)
        yield from _of_totals(counts, population, land)
        return
    hidden = dict(_hidden(counts, population, land))
    known = counts.kernel < 0
    exact = replace(counts, area=counts.area[known], events=counts.events[known])
    for j, likelihood in _of_numbers(exact, population, land):
        yield j, Together((likelihood, hidden.pop(j))) if j in hidden else likelihood
    yield from hidden.items()
    yield from _of_totals(counts, population, land)


def _shared(
    counts: FittedCounts, population: Population, land: Geography
) -> Iterator[tuple[int, AuthorityLikelihood]]:
    """Likelihoods of counts by locality, factors integrated out numerically."""
    home = land.authority_of_area[counts.area]
    order = np.argsort(land.locality_of_area[counts.area], kind="stable")
    for j in np.unique(home).tolist():
        at = order[home[order] == j]
        off = _off(population, land, counts.area[at])
        yield j, SharedCounts.of(counts, population, land, at, off)


def _hidden(
    counts: FittedCounts, population: Population, land: Geography
) -> Iterator[tuple[int, AuthorityLikelihood]]:
    """Likelihoods of the counts within bounds."""
    home, within = land.authority_of_area[counts.area], counts.kernel >= 0
    tied = dict(zip(counts.constrained.tolist(), counts.constrained_total.tolist(), strict=True))
    for j in np.unique(home[within]).tolist():
        own = within & (home == j)
        areas, kernel = counts.area[own], counts.kernel[own]
        if j in tied:
            events = tied[j] - counts.events[(home == j) & ~within].sum()
            among = np.isin(np.arange(land.authority_of_area.size), areas)
            rules = _rules(
                land.authority_of_area,
                among,
                land.within_part,
                land.exposure,
                population,
                power=1.0,
            )[1]
            yield j, _constrained(float(events), areas, (counts.kernels, kernel), land, rules)
            continue
        off = _off(population, land, areas)
        yield (
            j,
            BoundedCounts(
                float(counts.kernels.low[kernel].sum()),
                len(areas),
                counts.kernels,
                kernel,
                land.within_part[areas],
                np.log(land.exposure[areas]) + (0.0 if off is None else off),
            ),
        )


def _constrained(
    events: float,
    areas: Integers,
    known: tuple[Kernels, Integers],
    land: Geography,
    rules: GaussRules,
) -> ConstrainedCounts:
    """Poisson counts within bounds whose sum is known."""
    kernels, kernel = known
    within, log_exposure = land.within_part[areas], np.log(land.exposure[areas])
    rows = np.array([0, len(areas)]), kernel, within, log_exposure
    table, _ = ConstantsTable.of(kernels, rows, np.array([round(events)]), per=land.per)
    return ConstrainedCounts(events, len(areas), rules.position[0], rules.weight[0], table)


def _of_numbers(
    counts: FittedCounts, population: Population, land: Geography
) -> Iterator[tuple[int, AuthorityLikelihood]]:
    """Likelihoods of the counts that are known."""
    counted = np.isin(np.arange(land.authority_of_area.size), counts.area)
    home = land.authority_of_area
    shared = bool(population.locality_sd.any())
    if shared or population.overdispersion.any() or population.of_areas:
        spread = _localities if shared else _rows
        make = spread if population.spread.any() else _areas
        for j in np.unique(home[counted]).tolist():
            own = home[counts.area] == j
            areas = counts.area[own]
            yield j, make(counts.events[own], areas, land, _off(population, land, areas))
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
                PoissonCounts(
                    float(y[own].sum()),
                    int(own.sum()),
                    float(y[own] @ w),
                    constant,
                    node,
                    mass,
                ),
            )


def _of_totals(
    counts: FittedCounts, population: Population, land: Geography
) -> Iterator[tuple[int, AuthorityLikelihood]]:
    """Likelihoods of authorities known by their totals."""
    at, kernel = counts.authority.tolist(), counts.total_kernel
    kernel = kernel if len(kernel) else np.full(len(at), -1)
    least = np.where(
        kernel < 0, counts.total, counts.kernels.low[kernel] if len(counts.kernels.low) else 0.0
    )
    of = dict(zip(at, kernel.tolist(), strict=True))
    for j, likelihood in _totals(replace(counts, total=least), population, land):
        if of[j] < 0:
            yield j, likelihood
        else:
            yield j, BoundedTotal(likelihood, counts.kernels, np.array([of[j]]))


def _totals(
    counts: FittedCounts, population: Population, land: Geography
) -> Iterator[tuple[int, Total]]:
    home, shared = land.authority_of_area, bool(population.locality_sd.any())
    if len(counts.authority):
        total = dict(zip(counts.authority.tolist(), counts.total.tolist(), strict=True))
        among = np.isin(home, counts.authority) & (land.exposure > 0)
        if population.of_areas:
            for j, events in total.items():
                areas = np.flatnonzero(among & (home == j))
                off = _off(population, land, areas)
                assert off is not None
                yield j, _total_of_areas(float(events), areas, land, off, shared=shared)
            return
        at, rules = _rules(home, among, land.within_part, land.exposure, population, power=1.0)
        square = _squares(among, land, population, shared=shared)
        for row, j in enumerate(at.tolist()):
            yield (
                j,
                Total(
                    float(total[j]),
                    int((among & (home == j)).sum()),
                    rules.position[row],
                    rules.weight[row],
                    square.position[row],
                    square.weight[row],
                ),
            )


def _off(population: Population, land: Geography, areas: Integers) -> Floats | None:
    """What takes log rates of areas off their authority's line, (draws, areas); None if nothing."""
    return off_line(population, land, areas) if population.of_areas else None


def _areas(
    events: Floats, areas: Integers, land: Geography, off: Floats | None
) -> AuthorityLikelihood:
    """Poisson counts of areas off their line."""
    assert off is not None
    exposure, w = land.exposure[areas], land.within_part[areas]
    plain = log_probability(events, exposure, np.zeros(()))
    return PoissonCounts(
        float(events.sum()),
        len(events),
        float(events @ w),
        (plain + exposure).sum() + off @ events,
        w,
        exposure * np.exp(off),
    )


def _rows(
    events: Floats, areas: Integers, land: Geography, off: Floats | None
) -> AuthorityLikelihood:
    exposure = land.exposure[areas]
    plain = log_probability(events, exposure, np.zeros(()))
    # What of log p depends on neither mean nor overdispersion: minus the log factorials.
    constant = float((plain + exposure - events * np.log(exposure)).sum())
    return NegativeBinomialCounts(
        float(events.sum()),
        len(events),
        events,
        land.within_part[areas],
        np.log(exposure) + (0.0 if off is None else off),
        constant,
    )


def _localities(
    events: Floats, areas: Integers, land: Geography, off: Floats | None
) -> AuthorityLikelihood:
    order = np.argsort(land.locality_of_area[areas], kind="stable")
    events, areas = events[order], areas[order]
    first = np.flatnonzero(np.diff(land.locality_of_area[areas], prepend=-1))
    w, exposure = land.within_part[areas], land.exposure[areas]
    plain = log_probability(events, exposure, np.zeros(()))
    # All of log p that depends on no level, slope or spread.
    constant = float((plain + exposure).sum())
    return LocalityCounts(
        float(events.sum()),
        len(events),
        float(events @ w),
        constant if off is None else constant + off[:, order] @ events,
        w,
        exposure if off is None else exposure * np.exp(off[:, order]),
        first,
        np.add.reduceat(events, first),
    )


def _total_of_areas(
    events: float, areas: Integers, land: Geography, off: Floats, *, shared: bool
) -> Total:
    """A total over areas off their line."""
    w, exposure = land.within_part[areas], land.exposure[areas]
    square = w, exposure**2 * np.exp(2.0 * off)
    if shared:
        pairs = area_pairs(land.locality_of_area[areas])
        square = pairs.mean(w), pairs.weight(exposure) * np.exp(2.0 * pairs.mean(off.T).T)
    return Total(events, len(areas), w, exposure * np.exp(off), *square)


def _squares(
    among: npt.NDArray[np.bool_], land: Geography, population: Population, *, shared: bool
) -> GaussRules:
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
) -> tuple[npt.NDArray[np.int64], GaussRules]:
    """Gauss rules of the marked areas by authority, for slopes that the population can have."""
    authority, cell = np.unique(home[among], return_inverse=True)
    slope, reach = population.slope[:, authority], _REACH * population.slope_sd[:, None]
    slopes = power * float((slope - reach).min()), power * float((slope + reach).max())
    rules = chosen_rules(
        cell, within_part[among], weight[among], cells=len(authority), slopes=slopes
    )
    return authority, rules
