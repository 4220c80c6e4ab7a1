"""The log-rate equation, written once.

For neighbourhood i of authority j, with deprivation x_i, authority mean m_j and national mean c,
all proportions, and per = 0.10 (ten percentage points)::

    within part   w_i = (x_i - m_j) / per
    between part  b_j = (m_j - c) / per

    level_j    = intercept + between * b_j + curvature * b_j**2 + covariates_j + level_effect_j
    slope_j    = within + cross_level * b_j + moderators_j + slope_effect_j
    log rate_i = level_j + covariates_i + (slope_j + moderators_i) * w_i + departure(x_i)

where covariates_j and moderators_j are sums of coefficient times column over the covariates of
authorities (and, in covariates_j, what its region adds), covariates_i and moderators_i over those
of areas; all columns are centred at their child-weighted national means, so that an average
authority has none. The departure from a log-linear gradient is a function of deprivation itself
(`socgrad.departures`); where the gradient is a line there is none.

Only ``+`` and ``*`` are used, so the same three functions build the PyTensor graph, evaluate
xarray draws and evaluate NumPy arrays.
"""

from typing import Any

__all__ = ["authority_level", "authority_slope", "log_rate"]

# The operands are PyTensor variables, DataArrays, arrays or floats, in any mixture: no common type.
type Operand = Any


def authority_level(
    intercept: Operand,
    between: Operand,
    curvature: Operand,
    between_part: Operand,
    level_effect: Operand,
    *,
    covariates: Operand = 0.0,
) -> Operand:
    """Log rate of an authority at its own mean deprivation (w = 0)."""
    return (
        intercept
        + between * between_part
        + curvature * between_part * between_part
        + covariates
        + level_effect
    )


def authority_slope(
    within: Operand,
    cross_level: Operand,
    between_part: Operand,
    slope_effect: Operand,
    *,
    moderators: Operand = 0.0,
) -> Operand:
    """Log rate ratio per step of neighbourhood deprivation within an authority."""
    return within + cross_level * between_part + moderators + slope_effect


def log_rate(
    level: Operand,
    slope: Operand,
    within_part: Operand,
    *,
    covariates: Operand = 0.0,
    moderators: Operand = 0.0,
    departure: Operand = 0.0,
) -> Operand:
    """Log events per unit of exposure of a neighbourhood."""
    return level + covariates + (slope + moderators) * within_part + departure
