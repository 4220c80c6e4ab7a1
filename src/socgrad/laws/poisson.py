"""Poisson counts of neighbourhoods, and totals of authorities, in compressed form.

Functions compute with the array namespace `xp` that they are given: `numpy` for numbers,
`pytensor.tensor` for a graph. `level` and `slope` have one entry for each row of the other
arguments: an authority, or a cell of areas with the same covariates. `constant` holds the terms
that do not depend on parameters, so the result is the full log-probability of the counts.
"""

from typing import Any

from socgrad.predictor import log_rate

__all__ = ["counts", "expected", "totals"]

# Arrays or PyTensor variables, as `xp` has them.
type Array = Any


def expected(
    level: Array,
    slope: Array,
    position: Array,
    exposure: Array,
    *,
    xp: Any,
    node_level: Array = 0.0,
    node_slope: Array = 0.0,
) -> Array:
    """Expected events of each authority: sum over nodes of exposure * rate.

    `node_level` and `node_slope` are what area covariates add to level and slope at each node.
    """
    log_rates = log_rate(
        level[:, None], slope[:, None], position, covariates=node_level, moderators=node_slope
    )
    rates = xp.exp(log_rates)
    return xp.sum(exposure * rates, axis=1)


def counts(
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
    """Log-likelihood of every neighbourhood count, from sums per authority.

    sum_i [y_i log(mu_i) - mu_i - log y_i!] with mu_i = N_i rate_i. Because the log rate is linear
    in w_i, authority j enters through sum y, sum y w, and the Gauss rule of its exposures:
    Y_j level_j + YW_j slope_j - sum_k N_jk rate(w_jk).

    `node_level` is what a departure from the line adds to the level at each node, `events_level`
    the sum of events times what it adds at each neighbourhood.
    """
    of_nodes = expected(level, slope, node_within, node_exposure, xp=xp, node_level=node_level)
    return xp.sum(events * level + events_within * slope - of_nodes) + events_level + constant


def totals(
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
    """Log-likelihood of authority totals: Y_j ~ Poisson(sum_i N_i rate_i)."""
    of_nodes = expected(
        level,
        slope,
        node_within,
        node_exposure,
        xp=xp,
        node_level=node_level,
        node_slope=node_slope,
    )
    return xp.sum(events * xp.log(of_nodes) - of_nodes) + constant
