"""The log-rate equation, written once.

For neighbourhood i of authority j, with deprivation x_i, authority mean m_j and national mean c,
all proportions, and per = 0.10 (ten percentage points)::

    within part   w_i = (x_i - m_j) / per
    between part  b_j = (m_j - c) / per

    level_j    = intercept + between * b_j + curvature * b_j**2 + level_effect_j
    slope_j    = within + cross_level * b_j + slope_effect_j
    log rate_i = level_j + slope_j * w_i

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
) -> Operand:
    """Log rate of an authority at its own mean deprivation (w = 0)."""
    return (
        intercept + between * between_part + curvature * between_part * between_part + level_effect
    )


def authority_slope(
    within: Operand, cross_level: Operand, between_part: Operand, slope_effect: Operand
) -> Operand:
    """Log rate ratio per step of neighbourhood deprivation within an authority."""
    return within + cross_level * between_part + slope_effect


def log_rate(level: Operand, slope: Operand, within_part: Operand) -> Operand:
    """Log events per unit of exposure of a neighbourhood."""
    return level + slope * within_part
