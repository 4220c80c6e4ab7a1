"""Overdispersed counts of one authority: their log-likelihood and its derivatives, for numba."""

from math import exp, log

from socgrad.arrays import FloatArray
from socgrad.nuts.numba_on_disk import compiled

__all__ = ["overdispersed"]


@compiled
def overdispersed(  # noqa: PLR0917 numba takes no keywords
    level: float,
    slope: float,
    r: float,
    row_events: FloatArray,
    row_within: FloatArray,
    row_exposure: FloatArray,
) -> tuple[float, float, float, float]:
    """What a gamma factor of each row makes of its events, and derivatives by level, slope and r.

    sum_i -(y_i + 1 / r) log(1 + r mu_i), mu_i = exposure exp(level + slope w): the part of
    `socgrad.model.likelihoods.negative_binomial_counts` that is no sum of events. r is the square
    of the overdispersion. Rows with equally many events share a logarithm, that of the product of
    their 1 + r mu: they should stand in the order of their events.
    """
    value, d_level, d_slope, d_r = 0.0, 0.0, 0.0, 0.0
    product, of = 1.0, -1.0
    for i in range(len(row_events)):
        events, within = row_events[i], row_within[i]
        mean = row_exposure[i] * exp(level + slope * within)
        grown = 1.0 + r * mean
        if events != of or product > 1e100:
            if of >= 0.0:
                logarithm = log(product)
                value -= (of + 1.0 / r) * logarithm
                d_r += logarithm / (r * r)
            product, of = 1.0, events
        product *= grown
        share = (events * r + 1.0) * mean / grown
        d_level -= share
        d_slope -= share * within
        d_r -= share / r
    if of >= 0.0:
        logarithm = log(product)
        value -= (of + 1.0 / r) * logarithm
        d_r += logarithm / (r * r)
    return value, d_level, d_slope, d_r
