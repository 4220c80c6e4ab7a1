"""Negative binomial counts of neighbourhoods, and totals of authorities.

A Poisson count whose mean mu is multiplied by a gamma variable of mean 1 and variance r, integrated
out::

    log p(y) = y log mu + sum_{k < y} log(1 + r k) - (y + 1/r) log(1 + r mu) - log y!

Its variance is mu + r mu**2. This form stays exact as r approaches 0, where it is the Poisson
probability; the sum is `socgrad.laws.gamma_factors.rising`. Arguments are as in
`socgrad.laws.poisson`.
"""

from typing import Any

import numpy as np
from scipy.special import betaln, gammaln

from socgrad.arrays import FloatArray
from socgrad.laws.gamma_factors import rising
from socgrad.laws.poisson import expected
from socgrad.predictor import log_rate

__all__ = ["counts", "log_probability", "of_factor", "of_total", "sums_of_events", "totals"]

# Arrays or PyTensor variables, as `xp` has them.
type Array = Any


def of_factor(events: Array, mean: Array, r: Array, *, xp: Any) -> Array:
    """-(y + 1/r) log(1 + r mu), of each count: what a gamma factor makes of its mean.

    The rest of its log probability, y log mu + sum_{k < y} log(1 + r k) - log y!, is a sum of
    events, or does not depend on the mean.
    """
    return -(events + 1.0 / r) * xp.log1p(r * mean)


def counts(
    level: Array,
    slope: Array,
    overdispersion: Array,
    *,
    row_level: Array,
    row_slope: Array,
    events: Array,
    events_within: Array,
    row_events: Array,
    row_within: Array,
    row_log_exposure: Array,
    distinct_events: Array,
    distinct_rows: Array,
    constant: Array,
    xp: Any,
    number_spread: Array | None = None,
) -> Array:
    """Negative binomial log-likelihood of neighbourhood counts.

    A Poisson count whose mean mu_i is multiplied by a gamma variable of mean 1 and coefficient of
    variation `overdispersion`, integrated out. With r = overdispersion**2 (phi = 1 / r)::

        sum_i [y_i log mu_i - (y_i + 1/r) log(1 + r mu_i) - log y_i! + sum_{k < y_i} log(1 + r k)]

    where the last sum is taken once for each of the `distinct_events`, which `distinct_rows`
    neighbourhoods have.

    Where strata differ in overdispersion, `overdispersion` has an entry for each neighbourhood, and
    `number_spread` one for each of `distinct_events`, which are then of each stratum in
    turn.
    """
    mean = xp.exp(row_log_exposure + log_rate(row_level, row_slope, row_within))
    sums = sums_of_events(
        level,
        slope,
        overdispersion if number_spread is None else number_spread,
        events=events,
        events_within=events_within,
        distinct_events=distinct_events,
        distinct_rows=distinct_rows,
        constant=constant,
        xp=xp,
    )
    return sums + xp.sum(of_factor(row_events, mean, overdispersion**2, xp=xp))


def sums_of_events(
    level: Array,
    slope: Array,
    overdispersion: Array,
    *,
    events: Array,
    events_within: Array,
    distinct_events: Array,
    distinct_rows: Array,
    constant: Array,
    xp: Any,
) -> Array:
    """The part of `counts` that needs only sums of events.

    It is the whole except -sum_i (y_i + 1/r) log(1 + r mu_i), with the same arguments.
    """
    above = xp.sum(distinct_rows * rising(distinct_events, overdispersion * overdispersion, xp=xp))
    return above + (xp.sum(events * level + events_within * slope) + constant)


def totals(
    level: Array,
    slope: Array,
    overdispersion: Array,
    *,
    events: Array,
    node_within: Array,
    node_exposure: Array,
    square_within: Array,
    square_exposure: Array,
    constant: Array,
    xp: Any,
    node_level: Array = 0.0,
    node_slope: Array = 0.0,
    square_level: Array = 0.0,
    square_slope: Array = 0.0,
) -> Array:
    """Negative binomial log-likelihood of authority totals, matched in mean and variance.

    A sum of negative binomial neighbourhoods has mean M_j = sum_i mu_i and variance
    M_j + r sum_i mu_i**2, r = overdispersion**2. The total gets the negative binomial with these
    two moments: 1 / phi_j = r sum_i mu_i**2 / M_j**2. `overdispersion` is one number, or one for
    each total. `square_*` are the Gauss rules of exposure
    squared (at twice the log rate). `node_level`, `node_slope`, `square_level` and `square_slope`
    are what area covariates add to level and slope at each node.
    """
    mean = expected(
        level,
        slope,
        node_within,
        node_exposure,
        xp=xp,
        node_level=node_level,
        node_slope=node_slope,
    )
    squares = expected(
        2.0 * level,
        2.0 * slope,
        square_within,
        square_exposure,
        xp=xp,
        node_level=2.0 * square_level,
        node_slope=2.0 * square_slope,
    )
    r = overdispersion * overdispersion * squares / (mean * mean)
    return xp.sum(of_total(events, xp.log(mean), r, xp=xp)) + constant


def of_total(events: Array, log_mean: Array, r: Array, *, xp: Any) -> Array:
    """Log probability of totals, each of an r of its own, without its log y!."""
    rest = of_factor(events, xp.exp(log_mean), r, xp=xp) + rising(events, r, xp=xp)
    return events * log_mean + rest


def log_probability(events: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Log probability of each count about `mean`; the gamma factor has variance `variance`.

    Where the variance is 0 this is the Poisson probability. Arrays broadcast.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        # A count of 0 about a mean of 0 is certain.
        poisson = np.where(events > 0, events * np.log(mean), 0.0) - mean - gammaln(events + 1)
    if not np.any(variance > 0):
        return poisson  # type: ignore[no-any-return]
    r = np.broadcast_to(variance, np.broadcast_shapes(np.shape(variance), poisson.shape))
    phi = 1.0 / np.where(r > 0, r, 1.0)
    some = np.where(events > 0, events, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        # log gamma(y + phi) - log gamma(phi) through a beta function: exact for vast phi, too.
        gammas = events * np.log(mean / phi) - betaln(some, phi) - np.log(some)
    binomial = np.where(events > 0, gammas, 0.0) + of_factor(events, mean, 1.0 / phi, xp=np)
    found: FloatArray = np.where(r > 0, binomial, poisson)
    return found
