"""Rates of neighbourhoods off their authority's line, by their covariates or by a departure.

Such neighbourhoods share no line, so sums over them run over rows, a block of areas at a time: an
array of England's 32,844 areas in 4,000 draws would take 1 GB.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from socgrad.estimands.area_factors import AreaFactors
from socgrad.predictor import log_rate
from socgrad.processors import by_threads
from socgrad.reading.geography import Geography
from socgrad.reading.posterior import Coefficients

__all__ = ["area_rates", "area_shifts", "row_sums"]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]

# Draws times areas of one block: arrays that a processor's cache holds take half the time. Draws
# are cut for it, so that a block has some tens of areas.
_BLOCK, _DRAWS = 100_000, 1_000


def area_shifts(
    terms: Coefficients, land: Geography, areas: Integers | slice
) -> tuple[Floats | float, Floats | float]:
    """What moves areas off their line, in level and slope, (chain * draw, area); 0 where nothing.

    Their own covariates, and the departure from a log-linear gradient at their deprivation.
    """
    level: Floats | float = 0.0
    slope: Floats | float = 0.0
    if terms.covariate.shape[1] or terms.has_departures:
        level = terms.of_levels @ land.level_design(terms, areas).T
    if terms.area_moderator.shape[1]:
        slope = terms.area_moderator @ land.area_moderator_design[areas].T
    return level, slope


def area_rates(
    terms: Coefficients, land: Geography, lines: tuple[Floats, Floats], areas: Integers | slice
) -> Floats:
    """Rates of areas on the lines of their authorities, (chain * draw, area): few at a time.

    Parameters
    ----------
    terms, land
        Of one fit.
    lines
        Level and slope of every authority, as `socgrad.estimands.aggregates.line_draws`.
    areas
        Positions of areas.
    """
    level, slope = lines
    of = land.authority_of_area[areas]
    shift, turn = area_shifts(terms, land, areas)
    rates: Floats = log_rate(
        level[:, of], slope[:, of], land.within_part[areas], covariates=shift, moderators=turn
    )
    return np.exp(rates, out=rates)


def row_sums(
    terms: Coefficients,
    land: Geography,
    lines: tuple[Floats, Floats],
    *weights: sparse.csr_array,
    factors: AreaFactors | None = None,
) -> list[Floats]:
    """Sums of weight times rate over areas, one after another.

    Parameters
    ----------
    terms, land, lines
        As in `area_rates`.
    *weights
        Each of shape (areas, sums).
    factors
        For realised rates, the factors of areas; None for structural ones.

    Returns
    -------
    list of numpy.ndarray
        For each set of weights, shape (chain * draw, sums).
    """
    sums = [np.zeros((len(lines[0]), weight.shape[1])) for weight in weights]
    if factors is not None:
        for rows, rates in _realised(terms, land, lines, factors):
            for k, weight in enumerate(weights):
                sums[k] += rates @ weight[rows]
        return sums

    def add(draws: slice) -> None:
        """Sum over all areas in some draws, whose rows are no other thread's."""
        level, slope = (line[draws] for line in lines)
        own = replace(
            terms,
            covariate=terms.covariate[draws],
            area_moderator=terms.area_moderator[draws],
            departure=terms.departure[draws],
        )
        for rows in _slices(len(land.within_part), _BLOCK // len(level)):
            rates = area_rates(own, land, (level, slope), rows)
            for held, weight in zip(sums, weights, strict=True):
                held[draws] += rates @ weight[rows]

    by_threads(add, _slices(len(lines[0]), _DRAWS))
    return sums


def _realised(
    terms: Coefficients, land: Geography, lines: tuple[Floats, Floats], factors: AreaFactors
) -> Iterator[tuple[Integers, Floats]]:
    """Areas and their realised rates, (chain * draw, areas of the block), block after block."""
    rng = factors.generator()
    for areas in factors.blocks():
        rates = area_rates(terms, land, lines, areas)
        rates *= factors.drawn(rates * land.exposure[areas], areas, rng)
        yield areas, rates


def _slices(number: int, size: int) -> list[slice]:
    """Slices of so many, one at least in each."""
    size = max(size, 1)
    return [slice(first, first + size) for first in range(0, number, size)]
