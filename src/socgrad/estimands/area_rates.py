"""Rates of neighbourhoods off their authority's line, by their covariates or by a departure.

Such neighbourhoods share no line, so sums over them run over rows, a block of draws at a time:
England's 32,844 areas in 4,000 draws take a few seconds and some 30 MB.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import sparse

from socgrad.estimands.area_factors import AreaFactors
from socgrad.predictor import log_rate
from socgrad.reading.geography import Geography
from socgrad.reading.posterior import Coefficients

__all__ = ["area_rates", "area_shifts", "row_sums"]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]

# Draws times areas of one block: 8 MB for each array.
_BLOCK = 1_000_000


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
    for rows, rates in _rates_of_blocks(terms, land, lines, factors):
        for k, weight in enumerate(weights):
            sums[k] += rates @ weight[rows]
    return sums


def _rates_of_blocks(
    terms: Coefficients,
    land: Geography,
    lines: tuple[Floats, Floats],
    factors: AreaFactors | None,
) -> Iterator[tuple[slice | Integers, Floats]]:
    """Areas and their rates, (chain * draw, areas of the block), block after block."""
    if factors is None:
        for some in _blocks(len(land.within_part), len(lines[0])):
            yield some, area_rates(terms, land, lines, some)
        return
    rng = factors.generator()
    for areas in factors.blocks():
        rates = area_rates(terms, land, lines, areas)
        rates *= factors.drawn(rates * land.exposure[areas], areas, rng)
        yield areas, rates


def _blocks(areas: int, draws: int) -> Iterator[slice]:
    """Slices of areas whose rates in all draws are a block."""
    size = max(1, _BLOCK // draws)
    for first in range(0, areas, size):
        yield slice(first, min(first + size, areas))
