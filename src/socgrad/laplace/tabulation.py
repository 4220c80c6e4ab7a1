"""Where to tabulate likelihoods, and how finely."""

from dataclasses import replace

import numpy as np
from scipy.special import logsumexp

from socgrad.arrays import BoolArray, FloatArray
from socgrad.laplace.centres import centre
from socgrad.laplace.curves import SlopeRange
from socgrad.laplace.line_priors import LinePrior, population
from socgrad.laplace.marginal import Marginal
from socgrad.laplace.nodes import Grid, integrand
from socgrad.laplace.placing import placed
from socgrad.laplace.surfaces import Given, Surface
from socgrad.laplace.tabulated_counts import (
    Box,
    RowSurface,
    TabulatedCounts,
    tabulated,
)

__all__ = ["covering", "first_table", "holds", "slopes", "with_table"]

# Nodes whose share of an authority's integral is below exp(-_LIGHT) need no table.
_LIGHT = 12.0
_NODES = 7
# Points at which tables are held against rows.
_HELD = 6
# Standard deviations of an authority's slope that a table of exposures reaches.
_REACH = 5.0
_FIRST = (7, 7, 11)
_DEGREES = ((6, 6, 9), (7, 8, 12), (8, 10, 15), (9, 12, 18), (11, 14, 22))
# Error of the log-likelihood, all authorities together, that no posterior shows.
_SMALL = 4e-3
# Share of a range's half width in which the mode of an overdispersion counts; what is as good as 0.
_NEAR, _ZERO = 0.35, 1e-6
# The same beyond which it is at an edge.
_EDGE = 0.8


def first_table(
    rows: RowSurface, start: tuple[FloatArray, FloatArray], hidden: float
) -> TabulatedCounts:
    """Tabulate widely about each authority's own level and slope.

    `hidden` is about the largest overdispersion that the counts cannot tell from none.
    """
    r = rows.squared_variation(*start)
    return _wide_table(rows, start, hidden, float(np.sqrt(np.clip(r, 0.0, 1.0))))


def widened(marginal: Marginal, which: int, x: FloatArray, hidden: float) -> TabulatedCounts:
    """Tabulate as widely about the overdispersion of one point `x`."""
    table, start = marginal.surfaces[which], marginal.starts[which]
    assert isinstance(table, TabulatedCounts)
    assert not isinstance(start, SlopeRange)
    guess = float(marginal.coordinates.parameters(x[None])["overdispersion"][0])
    return _wide_table(table.rows, start, hidden, guess)


def _wide_table(
    rows: RowSurface, start: tuple[FloatArray, FloatArray], hidden: float, guess: float
) -> TabulatedCounts:
    """Tabulate about a guess of the overdispersion, and of each authority's level and slope."""
    level, slope = start
    low, high = max(0.5 * guess - 2.0 * hidden, 0.0), 1.5 * guess + 2.0 * hidden
    given = rows.given(np.array([[max(guess, hidden)]]))
    at = given.derivatives(level[None], slope[None])
    level_sd = 1.0 / np.sqrt(at.level_level[0] + 4.0)
    slope_sd = 1.0 / np.sqrt(at.slope_slope[0] + 16.0)
    box = Box(
        (level, 6.0 * level_sd + 0.1),
        (slope, 6.0 * slope_sd + 0.05),
        ((low + high) / 2, (high - low) / 2),
    )
    # Poisson counts do not depend on the spread.
    degrees = _FIRST if rows.beside is None else (1, *_FIRST[1:])
    return tabulated(rows, box, degrees=degrees)


def covering(marginal: Marginal, which: int, x: FloatArray) -> tuple[TabulatedCounts, float]:
    """Tabulate anew where each authority's posterior lies at the points `x`.

    Returns
    -------
    table : TabulatedCounts
    error : float
        Largest error of the log marginal density at the first few of these points, against the
        rows themselves. An error that is the same at all of them changes no posterior and is left
        out.
    """
    table = marginal.surfaces[which]
    assert isinstance(table, TabulatedCounts)
    start, theirs = marginal.starts[which], marginal.predictors.of(table.authority)

    def about(values: dict[str, FloatArray]) -> tuple[LinePrior, Grid]:
        prior = population(values, theirs, varying=marginal.varying)
        given = table.given(prior.overdispersion)
        return prior, placed(given, prior, start).grid((_NODES, _NODES))

    def weighed(given: Given, prior: LinePrior, grid: Grid) -> FloatArray:
        return integrand(given, prior, grid) + grid.log_weight

    # Where posteriors lie the table there is can say; how far the next one is off, rows alone, at
    # fewer points.
    values = marginal.coordinates.parameters(x)
    prior, grid = about(values)
    found = weighed(table.given(prior.overdispersion), prior, grid)
    heavy = found > found.max(axis=(0, 1)) - _LIGHT
    box = Box(
        _interval(grid.level[:, None] + grid.step, heavy),
        _interval(np.broadcast_to(grid.slope[:, None], heavy.shape), heavy),
        _overdispersions(values.get("overdispersion", np.zeros(1))),
    )
    few, nodes = about({name: value[:_HELD] for name, value in values.items()})
    exact = weighed(table.rows.given(few.overdispersion), few, nodes)
    integral = logsumexp(exact, axis=(0, 1)).sum(axis=1)
    for of_spread, of_slope, of_level in _DEGREES:
        degrees = (of_spread if "overdispersion" in values else 1, of_slope, of_level)
        table = tabulated(table.rows, box, degrees=degrees)
        reached = weighed(table.given(few.overdispersion), few, nodes)
        difference = logsumexp(reached, axis=(0, 1)).sum(axis=1) - integral
        error = float(np.abs(difference - difference.mean()).max())
        if error < _SMALL:
            break
    return table, error


def _overdispersions(drawn: FloatArray) -> tuple[float, float]:
    """Middle and half width of a range twice as wide as the drawn one, at least 0."""
    low, high = float(drawn.min()), float(drawn.max())
    spare = 0.5 * (high - low) + 1e-3
    low, high = max(low - spare, 0.0), high + spare
    return (low + high) / 2, (high - low) / 2


def _interval(values: FloatArray, heavy: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Middle and half width of the nodes that matter, by authority, with a little to spare."""
    lowest = np.where(heavy, values, np.inf).min(axis=(0, 1, 2))
    highest = np.where(heavy, values, -np.inf).max(axis=(0, 1, 2))
    return (lowest + highest) / 2, 0.55 * (highest - lowest) + 1e-3


def holds(marginal: Marginal, which: int, x: FloatArray) -> bool:
    """Whether a table's box holds every authority's posterior at one point `x`, with room."""
    table, start = marginal.surfaces[which], marginal.starts[which]
    assert isinstance(table, TabulatedCounts)
    assert not isinstance(start, SlopeRange)
    values = marginal.coordinates.parameters(x[None])
    given, prior = marginal.given(which, x[None])
    at = centre(given, prior, start)
    level_sd = np.hypot(at.level_sd, at.tilt * at.slope_sd)
    box = table.box
    spread = values.get("overdispersion", np.array([box.overdispersion[0]]))
    return bool(
        np.all(np.abs(at.level[0] - box.level[0]) + 3.0 * level_sd[0] < box.level[1])
        and np.all(np.abs(at.slope[0] - box.slope[0]) + 3.0 * at.slope_sd[0] < box.slope[1])
        and _is_inside(spread[0], box.overdispersion, _NEAR)
    )


def is_at_edge(marginal: Marginal, which: int, x: FloatArray) -> bool:
    """Whether a point's overdispersion lies near an edge of a table, but not near 0."""
    table = marginal.surfaces[which]
    assert isinstance(table, TabulatedCounts)
    values = marginal.coordinates.parameters(x[None])
    if "overdispersion" not in values:
        return False
    return not _is_inside(values["overdispersion"][0], table.box.overdispersion, _EDGE)


def _is_inside(spread: FloatArray, about: tuple[float, float], share: float) -> bool:
    """Whether an overdispersion lies within a share of a range, or near 0 where that begins there.

    A table falls off beyond its edges, so that a top near one of them may be none of the counts.
    """
    middle, half = about
    away = (spread - middle) / half
    if middle - half > _ZERO:
        away = np.abs(away)
    return bool(np.all(away < share))


def slopes(marginal: Marginal, which: int, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest slope that an authority's posterior gives weight to at the points `x`."""
    given, prior = marginal.given(which, x)
    start = marginal.starts[which]
    if isinstance(start, SlopeRange):
        low, high = start.slopes(prior)
    else:
        at = centre(given, prior, start)
        reach = _REACH * at.slope_sd
        low, high = (at.slope - reach).min(axis=0), (at.slope + reach).max(axis=0)
    spare = 0.1 * (high - low)
    return low - spare, high + spare


def with_table(marginal: Marginal, which: int, table: Surface) -> Marginal:
    """The same model with another table."""
    surfaces = list(marginal.surfaces)
    surfaces[which] = table
    return replace(marginal, surfaces=tuple(surfaces))
