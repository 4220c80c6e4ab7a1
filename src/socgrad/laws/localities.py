"""Poisson counts of neighbourhoods whose localities share a gamma factor: negative multinomial.

Arguments are as in `socgrad.laws.poisson`.
"""

from typing import Any

from socgrad.laws.negative_binomial import of_factor, sums_of_events
from socgrad.laws.poisson import expected

__all__ = ["counts"]

# Arrays or PyTensor variables, as `xp` has them.
type Array = Any


def counts(
    level: Array,
    slope: Array,
    locality_sd: Array,
    *,
    locality_level: Array,
    locality_slope: Array,
    events: Array,
    events_within: Array,
    locality_events: Array,
    locality_within: Array,
    locality_exposure: Array,
    distinct_events: Array,
    distinct_rows: Array,
    constant: Array,
    xp: Any,
    locality_node_level: Array = 0.0,
    locality_node_slope: Array = 0.0,
    number_spread: Array | None = None,
) -> Array:
    """Log-likelihood of neighbourhood counts whose localities share a gamma factor.

    Poisson counts whose means mu_i = N_i rate_i are multiplied by one gamma variable for all areas
    i of locality m, of mean 1 and coefficient of variation `locality_sd`, integrated out. With
    r = locality_sd**2, Y_m = sum_i y_i and E_m = sum_i mu_i::

        sum_i [y_i log mu_i - log y_i!]
            + sum_m [sum_{k < Y_m} log(1 + r k) - (Y_m + 1/r) log(1 + r E_m)]

    with `distinct_events`, `distinct_rows` and `number_spread` as in
    `socgrad.laws.negative_binomial.counts`, of localities. E_m comes from a Gauss rule of the
    locality's exposures; `locality_node_level` and `locality_node_slope` are what area covariates
    add at each node. It is the Poisson likelihood as r approaches 0, and the negative binomial
    where each locality is one area.
    """
    mean = expected(
        locality_level,
        locality_slope,
        locality_within,
        locality_exposure,
        xp=xp,
        node_level=locality_node_level,
        node_slope=locality_node_slope,
    )
    sums = sums_of_events(
        level,
        slope,
        locality_sd if number_spread is None else number_spread,
        events=events,
        events_within=events_within,
        distinct_events=distinct_events,
        distinct_rows=distinct_rows,
        constant=constant,
        xp=xp,
    )
    return sums + xp.sum(of_factor(locality_events, mean, locality_sd**2, xp=xp))
