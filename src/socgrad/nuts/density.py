"""The log density of a gradient model and its gradient, compiled once per machine.

The same density as that of `nuts.graph`, for the models that are fitted most: what PyTensor needs
seconds to differentiate and compile in every process is here written out and kept by numba on disk.
A test holds value and gradient against the graph's. Names of adjoints, the derivatives of the log
density by an intermediate value, begin with `d_`.
"""

from math import exp, log
from typing import NamedTuple

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laws import compiled_gamma as gamma_functions
from socgrad.laws import compiled_negative_binomial as negative_binomial_rows
from socgrad.laws.compiled_gamma import gamma_differences, log_gamma_ratio
from socgrad.laws.compiled_negative_binomial import negative_binomial_terms
from socgrad.nuts import steering
from socgrad.nuts.numba_on_disk import compiled, on_disk
from socgrad.nuts.steering import EventsCurve, Steered, d_steered, steered

__all__ = ["HEADER", "Problem", "draws", "log_density", "problem_of"]

#: Numbers at the head of a packed problem: its length, sizes of what follows, two constants.
HEADER = 10


class Problem(NamedTuple):
    """What the density depends on besides the parameters, as arrays.

    Attributes
    ----------
    constant
        What the log density holds besides terms with parameters.
    prior_mean, prior_sd
        Of the coefficients: those of the level, then those of the slope.
    sd_mean, sd_sd
        Priors of level_sd, slope_sd and, of negative binomial counts, overdispersion.
    beta
        Both shapes of the correlation's beta distribution.
    level_columns, slope_columns
        What each coefficient multiplies, shape (coefficients, authorities).
    at, spread, level, slope, log_sum, level_information, slope_information, events_per_factor
        What steers the sampler: `socgrad.nuts.centring`.
    events, events_within
        Sums of events, and of events times w, by authority.
    is_total
        1 where the total alone is known.
    node_within, node_exposure
        Gauss rules of exposure, shape (authorities, nodes); nothing where counts are negative
        binomial.
    first
        Where the rows of each authority begin and the last one's end.
    row_events, row_within, row_log_exposure
        Neighbourhoods, by authority and events; none where counts are Poisson.
    numbers, many
        Distinct numbers of events, and how many neighbourhoods have each; none where counts are
        Poisson.
    """

    constant: float
    prior_mean: FloatArray
    prior_sd: FloatArray
    sd_mean: FloatArray
    sd_sd: FloatArray
    beta: float
    level_columns: FloatArray
    slope_columns: FloatArray
    at: FloatArray
    spread: FloatArray
    level: FloatArray
    slope: FloatArray
    log_sum: FloatArray
    level_information: FloatArray
    slope_information: FloatArray
    events_per_factor: FloatArray
    events: FloatArray
    events_within: FloatArray
    is_total: FloatArray
    node_within: FloatArray
    node_exposure: FloatArray
    first: FloatArray
    row_events: FloatArray
    row_within: FloatArray
    row_log_exposure: FloatArray
    numbers: FloatArray
    many: FloatArray


@on_disk()
def problem_of(packed: FloatArray) -> Problem:
    """Take a packed problem apart, in the order of `Problem`, without copying."""
    authorities, levels, slopes = int(packed[1]), int(packed[2]), int(packed[3])
    sds, nodes, rows, numbers = int(packed[4]), int(packed[5]), int(packed[6]), int(packed[7])
    constant, beta = packed[8], packed[9]
    at = HEADER
    coefficients = levels + slopes
    prior_mean = packed[at : at + coefficients]
    at += coefficients
    prior_sd = packed[at : at + coefficients]
    at += coefficients
    sd_mean = packed[at : at + sds]
    at += sds
    sd_sd = packed[at : at + sds]
    at += sds
    level_columns = packed[at : at + levels * authorities].reshape(levels, authorities)
    at += levels * authorities
    slope_columns = packed[at : at + slopes * authorities].reshape(slopes, authorities)
    at += slopes * authorities
    by_authority = packed[at : at + 11 * authorities].reshape(11, authorities)
    at += 11 * authorities
    node_within = packed[at : at + authorities * nodes].reshape(authorities, nodes)
    at += authorities * nodes
    node_exposure = packed[at : at + authorities * nodes].reshape(authorities, nodes)
    at += authorities * nodes
    first = packed[at : at + authorities + 1]
    at += authorities + 1
    by_row = packed[at : at + 3 * rows].reshape(3, rows)
    at += 3 * rows
    return Problem(
        constant,
        prior_mean,
        prior_sd,
        sd_mean,
        sd_sd,
        beta,
        level_columns,
        slope_columns,
        by_authority[0],
        by_authority[1],
        by_authority[2],
        by_authority[3],
        by_authority[4],
        by_authority[5],
        by_authority[6],
        by_authority[7],
        by_authority[8],
        by_authority[9],
        by_authority[10],
        node_within,
        node_exposure,
        first,
        by_row[0],
        by_row[1],
        by_row[2],
        packed[at : at + numbers],
        packed[at + numbers : at + 2 * numbers],
    )


class SharedScalars(NamedTuple):
    """The parameters that authorities share, besides coefficients; `unit` is (correlation + 1) / 2.

    `at` is the place of the first of them in a point, `first_effect` that of the first effect.
    """

    at: int
    first_effect: int
    level_sd: float
    slope_sd: float
    unit: float
    correlation: float
    overdispersion: float


@compiled
def _shared(point: FloatArray, problem: Problem) -> SharedScalars:
    at, sds = len(problem.prior_mean), len(problem.sd_mean)
    unit = 1.0 / (1.0 + exp(-point[at + 2]))
    return SharedScalars(
        at,
        at + sds + 1,
        exp(point[at]),
        exp(point[at + 1]),
        unit,
        2.0 * unit - 1.0,
        exp(point[at + 3]) if sds == 3 else 0.0,
    )


@compiled
def _without_effects(j: int, point: FloatArray, problem: Problem) -> tuple[float, float]:
    """Level and slope of an authority without effects."""
    levels = len(problem.level_columns)
    level, slope = 0.0, 0.0
    for k in range(levels):
        level += point[k] * problem.level_columns[k, j]
    for k in range(len(problem.slope_columns)):
        slope += point[levels + k] * problem.slope_columns[k, j]
    return level, slope


@compiled
def _lost(j: int, shared: SharedScalars, problem: Problem) -> float:
    """How much less overdispersed events say: it depends on how many there are in an area."""
    r = shared.overdispersion * shared.overdispersion
    return float(1.0 + r * problem.events_per_factor[j])


@compiled
def _effects(  # noqa: PLR0917 as in `steered`
    j: int, level: float, slope: float, point: FloatArray, shared: SharedScalars, problem: Problem
) -> Steered:
    """Effects of an authority whose level and slope without them are known."""
    lost = _lost(j, shared, problem)
    authorities = problem.level_columns.shape[1]
    return steered(
        _curve_of(j, problem),
        problem.level[j] - level,
        slope - problem.slope[j],
        problem.level_information[j] / lost,
        problem.slope_information[j] / lost,
        shared.level_sd,
        shared.slope_sd,
        shared.correlation,
        point[shared.first_effect + j],
        point[shared.first_effect + authorities + j],
    )


@on_disk(negative_binomial_rows, steering, gamma_functions)
def log_density(point: FloatArray, gradient: FloatArray, problem: Problem) -> float:
    """Log density at a point without bounds; writes its gradient into `gradient`.

    The point holds the coefficients, log level_sd, log slope_sd, the logit of the correlation's
    place between -1 and 1, log overdispersion where there is one, and of each authority the two
    standard effects: that behind the slope, for all authorities, then that behind the level.
    """
    shared = _shared(point, problem)
    levels, authorities = problem.level_columns.shape
    r = shared.overdispersion * shared.overdispersion
    total = problem.constant + _coefficient_priors(point, gradient, problem)
    d_level_sd, d_slope_sd, d_correlation, d_r = 0.0, 0.0, 0.0, 0.0
    terms = np.empty(10)
    for j in range(authorities):
        level, slope = _without_effects(j, point, problem)
        effect = _effects(j, level, slope, point, shared, problem)
        level += effect.level_effect
        slope += effect.slope_effect
        if len(problem.sd_mean) == 3:
            value, d_level, d_slope, more_d_r = _negative_binomial(
                level, slope, r, j, problem, terms
            )
            d_r += more_d_r
        else:
            value, d_level, d_slope = _poisson(level, slope, j, problem)
        total += effect.log_density + value

        d = d_steered(effect, d_level, d_slope)
        gradient[shared.first_effect + j] = d.slope_raw
        gradient[shared.first_effect + authorities + j] = d.level_raw
        d_level -= d.ahead
        d_slope += d.apart
        for k in range(levels):
            gradient[k] += d_level * problem.level_columns[k, j]
        for k in range(len(problem.slope_columns)):
            gradient[levels + k] += d_slope * problem.slope_columns[k, j]
        d_level_sd += d.level_sd
        d_slope_sd += d.slope_sd
        d_correlation += d.correlation
        known = d.known_level * effect.known_level + d.known_slope * effect.known_slope
        d_r -= known * problem.events_per_factor[j] / _lost(j, shared, problem)
    if len(problem.numbers):
        x = 1.0 / r
        apart = np.empty(3)
        for k in range(len(problem.numbers)):
            y = problem.numbers[k]
            gamma_differences(y, x, apart)
            total += problem.many[k] * log_gamma_ratio(y, x)
            d_r += problem.many[k] * (y - x * apart[0]) / r
    return total + _shared_priors(
        point, gradient, shared, problem, d_level_sd, d_slope_sd, d_correlation, d_r
    )


@compiled
def _coefficient_priors(point: FloatArray, gradient: FloatArray, problem: Problem) -> float:
    """Log density of the coefficients; begins their gradient."""
    total = 0.0
    for k in range(len(problem.prior_mean)):
        z = (point[k] - problem.prior_mean[k]) / problem.prior_sd[k]
        total -= 0.5 * z * z
        gradient[k] = -z / problem.prior_sd[k]
    return total


@compiled
def _shared_priors(  # noqa: PLR0917 as in `steered`
    point: FloatArray,
    gradient: FloatArray,
    shared: SharedScalars,
    problem: Problem,
    d_level_sd: float,
    d_slope_sd: float,
    d_correlation: float,
    d_r: float,
) -> float:
    """Log density of what authorities share, scales changed; completes the gradient by it."""
    unit = shared.unit
    total = problem.beta * (log(unit) + log(1.0 - unit))
    gradient[shared.at + 2] = 2.0 * d_correlation * unit * (1.0 - unit)
    gradient[shared.at + 2] += problem.beta * (1.0 - 2.0 * unit)
    for k in range(len(problem.sd_mean)):
        place, sd, d_sd = shared.at, shared.level_sd, d_level_sd
        if k == 1:
            place, sd, d_sd = shared.at + 1, shared.slope_sd, d_slope_sd
        if k == 2:
            place, sd = shared.at + 3, shared.overdispersion
            d_sd = 2.0 * sd * d_r
        z = (sd - problem.sd_mean[k]) / problem.sd_sd[k]
        total += point[place] - 0.5 * z * z
        gradient[place] = 1.0 + sd * (d_sd - z / problem.sd_sd[k])
    return total


@compiled
def _curve_of(j: int, problem: Problem) -> EventsCurve:
    """How the log of an authority's expected events bends in its slope."""
    return EventsCurve(
        problem.is_total[j] > 0,
        problem.at[j],
        problem.spread[j],
        problem.slope[j],
        problem.log_sum[j],
        problem.node_within[j],
        problem.node_exposure[j],
    )


@compiled
def _poisson(level: float, slope: float, j: int, problem: Problem) -> tuple[float, float, float]:
    """Log-likelihood of an authority's counts or total, and its derivatives by level and slope."""
    expected, expected_within = 0.0, 0.0
    for k in range(problem.node_within.shape[1]):
        events = problem.node_exposure[j, k] * exp(level + slope * problem.node_within[j, k])
        expected += events
        expected_within += events * problem.node_within[j, k]
    if problem.is_total[j]:
        ratio = problem.events[j] / expected
        value = problem.events[j] * log(expected) - expected
        return value, problem.events[j] - expected, (ratio - 1.0) * expected_within
    value = problem.events[j] * level + problem.events_within[j] * slope - expected
    return value, problem.events[j] - expected, problem.events_within[j] - expected_within


@compiled
def _negative_binomial(  # noqa: PLR0917 as in `steered`
    level: float, slope: float, r: float, j: int, problem: Problem, found: FloatArray
) -> tuple[float, float, float, float]:
    """Log-likelihood of an authority's counts, and its derivatives by level, slope and r."""
    begin, end = int(problem.first[j]), int(problem.first[j + 1])
    y, y_within = problem.events[j], problem.events_within[j]
    found[:] = 0.0
    d_log_r = negative_binomial_terms(  # type: ignore[no-untyped-call]
        problem.row_events, problem.row_within, problem.row_log_exposure, begin, end,
        level, slope, r, True, found,
    )  # fmt: skip
    value = found[0] + y * level + y_within * slope
    return value, y + found[1], y_within + found[2], d_log_r / r


@on_disk(negative_binomial_rows, steering, gamma_functions)
def draws(point: FloatArray, values: FloatArray, problem: Problem) -> None:
    """Write what is kept of a point: parameters in its order, then effects on level and slope."""
    shared = _shared(point, problem)
    authorities = problem.level_columns.shape[1]
    at, first = shared.at, shared.first_effect
    values[:at] = point[:at]
    values[at], values[at + 1] = shared.level_sd, shared.slope_sd
    values[at + 2] = shared.correlation
    if len(problem.sd_mean) == 3:
        values[at + 3] = shared.overdispersion
    for j in range(authorities):
        level, slope = _without_effects(j, point, problem)
        effect = _effects(j, level, slope, point, shared, problem)
        values[first + j] = effect.level_effect
        values[first + authorities + j] = effect.slope_effect
