"""Where to tabulate the negative binomial, and how finely."""

from dataclasses import replace

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laplace.marginal import Marginal, centre, population
from socgrad.laplace.negative_binomial import (
    Box,
    NegativeBinomialCounts,
    NegativeBinomialRows,
    tabulated,
)

__all__ = ["covering", "first_table", "holds", "table_error"]

# Standard deviations of an authority's level and slope that a box reaches beyond its centres.
_REACH = 4.0
_FIRST = (7, 7, 11)
_DEGREES = ((6, 6, 9), (7, 8, 12), (8, 10, 15), (9, 12, 18), (11, 14, 22))
# Error of the log-likelihood, all authorities together, that no posterior shows.
_SMALL = 5e-3


def first_table(
    rows: NegativeBinomialRows, start: tuple[FloatArray, FloatArray], hidden: float
) -> NegativeBinomialCounts:
    """Tabulate widely about each authority's own level and slope.

    `hidden` is about the largest overdispersion that the counts cannot tell from none.
    """
    level, slope = start
    mean = np.exp(level[rows.cell] + slope[rows.cell] * rows.row_within + rows.row_log_exposure)
    # Variance beyond Poisson, in squared means: a moment estimate of overdispersion squared.
    r = np.sum((rows.row_events - mean) ** 2 - mean) / np.sum(mean**2)
    guess = float(np.sqrt(np.clip(r, 0.0, 1.0)))
    low, high = max(0.5 * guess - 2.0 * hidden, 0.0), 1.5 * guess + 2.0 * hidden
    at = rows.derivatives(level[None], slope[None], np.array([[max(guess, hidden)]]))
    level_sd = 1.0 / np.sqrt(at.level_level[0] + 4.0)
    slope_sd = 1.0 / np.sqrt(at.slope_slope[0] + 16.0)
    box = Box(
        (level, 6.0 * level_sd + 0.1),
        (slope, 6.0 * slope_sd + 0.05),
        ((low + high) / 2, (high - low) / 2),
    )
    return tabulated(rows, box, degrees=_FIRST)


def covering(marginal: Marginal, which: int, x: FloatArray) -> tuple[NegativeBinomialCounts, float]:
    """Tabulate anew so that the box covers every authority's posterior at the points `x`.

    Returns
    -------
    table : NegativeBinomialCounts
    error : float
        Largest error of the log-likelihood at points of the region, all authorities together.
    """
    table = marginal.surfaces[which]
    assert isinstance(table, NegativeBinomialCounts)
    values = marginal.coordinates.parameters(x)
    prior = population(values, marginal.between_part[table.authority], varying=marginal.varying)
    at = centre(table.given(prior.overdispersion), prior, marginal.starts[which])
    level_sd = np.hypot(at.level_sd, at.tilt * at.slope_sd)
    overdispersion = values["overdispersion"]
    box = Box(
        _interval(at.level - _REACH * level_sd, at.level + _REACH * level_sd),
        _interval(at.slope - _REACH * at.slope_sd - 1e-3, at.slope + _REACH * at.slope_sd + 1e-3),
        _overdispersions(overdispersion),
    )
    rng = np.random.default_rng(0)
    some = rng.choice(len(x), size=min(len(x), 12), replace=False)
    z = rng.standard_normal((2, *at.level[some].shape))
    along = at.slope_sd[some] * z[1]
    level = at.level[some] + at.tilt[some] * along + at.level_sd[some] * z[0]
    slope = at.slope[some] + along
    for degrees in _DEGREES:
        table = tabulated(table.rows, box, degrees=degrees)
        error = table_error(table, level, slope, overdispersion[some, None])
        if error < _SMALL:
            break
    return table, error


def _overdispersions(drawn: FloatArray) -> tuple[float, float]:
    """Middle and half width of a range half as wide again as the drawn one, at least 0."""
    low, high = float(drawn.min()), float(drawn.max())
    spare = 0.25 * (high - low) + 1e-3
    low, high = max(low - spare, 0.0), high + spare
    return (low + high) / 2, (high - low) / 2


def _interval(low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Middle and half width of the range over points, by authority."""
    lowest, highest = low.min(axis=0), high.max(axis=0)
    return (lowest + highest) / 2, (highest - lowest) / 2


def holds(marginal: Marginal, which: int, x: FloatArray) -> bool:
    """Whether a table's box holds every authority's posterior at one point `x`, with room."""
    table = marginal.surfaces[which]
    assert isinstance(table, NegativeBinomialCounts)
    values = marginal.coordinates.parameters(x[None])
    prior = population(values, marginal.between_part[table.authority], varying=marginal.varying)
    at = centre(table.given(prior.overdispersion), prior, marginal.starts[which])
    level_sd = np.hypot(at.level_sd, at.tilt * at.slope_sd)
    box = table.box
    return bool(
        np.all(np.abs(at.level[0] - box.level[0]) + 3.0 * level_sd[0] < box.level[1])
        and np.all(np.abs(at.slope[0] - box.slope[0]) + 3.0 * at.slope_sd[0] < box.slope[1])
        and abs(values["overdispersion"][0] - box.overdispersion[0]) < 0.9 * box.overdispersion[1]
    )


def table_error(
    table: NegativeBinomialCounts,
    level: FloatArray,
    slope: FloatArray,
    overdispersion: FloatArray,
) -> float:
    """Largest difference of table and rows at points (n, j), authorities summed.

    A difference that is the same everywhere changes no posterior and is left out.
    """
    exact = table.rows.value(level, slope, overdispersion).sum(axis=1)
    none = np.zeros((1, *level.shape))
    reached = table.given(overdispersion).grid(level[None], none, slope[None])[0, 0].sum(axis=1)
    difference = reached - exact
    return float(np.abs(difference - difference.mean()).max())


def with_table(marginal: Marginal, which: int, table: NegativeBinomialCounts) -> Marginal:
    """The same model with another table."""
    surfaces = list(marginal.surfaces)
    surfaces[which] = table
    return replace(marginal, surfaces=tuple(surfaces))
