"""Log-likelihoods of neighbourhood counts and of authority totals, in compressed form.

Each function computes with the array namespace `xp` that it is given: `numpy` for numbers,
`pytensor.tensor` for a graph. `level` and `slope` have one entry for each row of the other
arguments: an authority, or a cell of areas with the same covariates. `constant` holds the terms
that do not depend on parameters, so the result is the full log-probability of the counts.
"""

from typing import Any

from socgrad.laws.gamma_factors import rising
from socgrad.predictor import log_rate

__all__ = [
    "locality_counts",
    "negative_binomial_counts",
    "negative_binomial_sums",
    "negative_binomial_totals",
    "poisson_counts",
    "poisson_totals",
]

# Arrays or PyTensor variables, as `xp` has them.
type Array = Any


def _expected(
    level: Array,
    slope: Array,
    position: Array,
    exposure: Array,
    *,
    xp: Any,
    node_level: Array = 0.0,
    node_slope: Array = 0.0,
) -> Array:
    """Expected events of each authority: sum over nodes of exposure * rate."""
    log_rates = log_rate(
        level[:, None], slope[:, None], position, covariates=node_level, moderators=node_slope
    )
    rates = xp.exp(log_rates)
    return xp.sum(exposure * rates, axis=1)


def poisson_counts(
    level: Array,
    slope: Array,
    *,
    events: Array,
    events_within: Array,
    node_within: Array,
    node_exposure: Array,
    constant: Array,
    xp: Any,
    node_level: Array = 0.0,
    events_level: Array = 0.0,
) -> Array:
    """Poisson log-likelihood of every neighbourhood count, from sums per authority.

    sum_i [y_i log(mu_i) - mu_i - log y_i!] with mu_i = N_i rate_i. Because the log rate is linear
    in w_i, authority j enters through sum y, sum y w, and the Gauss rule of its exposures:
    Y_j level_j + YW_j slope_j - sum_k N_jk rate(w_jk).

    `node_level` is what a departure from the line adds to the level at each node, `events_level`
    the sum of events times what it adds at each neighbourhood.
    """
    expected = _expected(level, slope, node_within, node_exposure, xp=xp, node_level=node_level)
    return xp.sum(events * level + events_within * slope - expected) + events_level + constant


def poisson_totals(
    level: Array,
    slope: Array,
    *,
    events: Array,
    node_within: Array,
    node_exposure: Array,
    constant: Array,
    xp: Any,
    node_level: Array = 0.0,
    node_slope: Array = 0.0,
) -> Array:
    """Poisson log-likelihood of authority totals: Y_j ~ Poisson(sum_i N_i rate_i).

    `node_level` and `node_slope` are what area covariates add to level and slope at each node.
    """
    expected = _expected(
        level,
        slope,
        node_within,
        node_exposure,
        xp=xp,
        node_level=node_level,
        node_slope=node_slope,
    )
    return xp.sum(events * xp.log(expected) - expected) + constant


def negative_binomial_counts(
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

    where the last sum (`socgrad.laws.gamma_factors.rising`) is taken once for each of the
    `distinct_events`, which `distinct_rows` neighbourhoods have. This form stays exact as r
    approaches 0, where it is the Poisson likelihood.

    Where strata differ in overdispersion, `overdispersion` has an entry for each neighbourhood, and
    `number_spread` one for each of `distinct_events`, which are then of each stratum in
    turn.
    """
    mean = xp.exp(row_log_exposure + log_rate(row_level, row_slope, row_within))
    sums = negative_binomial_sums(
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
    return sums + _sharing_a_factor(row_events, mean, overdispersion, xp=xp)


def negative_binomial_sums(
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
    """The part of `negative_binomial_counts` that needs only sums of events.

    It is the whole except -sum_i (y_i + 1/r) log(1 + r mu_i), with the same arguments.
    """
    above = xp.sum(distinct_rows * rising(distinct_events, overdispersion * overdispersion, xp=xp))
    return above + (xp.sum(events * level + events_within * slope) + constant)


def locality_counts(
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
    i of locality m, of mean 1 and coefficient of variation `locality_sd`, integrated out: the
    negative multinomial. With r = locality_sd**2, Y_m = sum_i y_i and E_m = sum_i mu_i::

        sum_i [y_i log mu_i - log y_i!]
            + sum_m [sum_{k < Y_m} log(1 + r k) - (Y_m + 1/r) log(1 + r E_m)]

    with `distinct_events`, `distinct_rows` and `number_spread` as in `negative_binomial_counts`, of
    localities. E_m comes from a Gauss rule of the locality's exposures; `locality_node_level` and
    `locality_node_slope` are what area covariates add at each node. It is the Poisson
    likelihood as r approaches 0, and the negative binomial where each locality is one area.
    """
    mean = _expected(
        locality_level,
        locality_slope,
        locality_within,
        locality_exposure,
        xp=xp,
        node_level=locality_node_level,
        node_slope=locality_node_slope,
    )
    sums = negative_binomial_sums(
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
    return sums + _sharing_a_factor(locality_events, mean, locality_sd, xp=xp)


def _sharing_a_factor(events: Array, mean: Array, spread: Array, *, xp: Any) -> Array:
    """The terms that a gamma factor of each row adds, other than sums of events."""
    r = spread * spread
    return -xp.sum((events + 1.0 / r) * xp.log1p(r * mean))


def negative_binomial_totals(
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
    log_gamma: Any,
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
    expected = _expected(
        level,
        slope,
        node_within,
        node_exposure,
        xp=xp,
        node_level=node_level,
        node_slope=node_slope,
    )
    squares = _expected(
        2.0 * level,
        2.0 * slope,
        square_within,
        square_exposure,
        xp=xp,
        node_level=2.0 * square_level,
        node_slope=2.0 * square_slope,
    )
    r = overdispersion * overdispersion * squares / (expected * expected)
    phi = 1.0 / r
    return (
        xp.sum(
            events * xp.log(r * expected)
            - (events + phi) * xp.log1p(r * expected)
            + log_gamma(events + phi)
            - log_gamma(phi)
        )
        + constant
    )
