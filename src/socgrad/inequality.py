"""How unequal rates are over deprivation: slope indices, gaps, concentration, excess events."""

from socgrad.estimands.attributable import attributable_fraction, attributable_rate
from socgrad.estimands.concentration import concentration_index
from socgrad.estimands.excess import excess_events
from socgrad.estimands.gaps import absolute_gap, relative_gap
from socgrad.estimands.inequality import rii, sii
from socgrad.estimands.inequality_of_rates import inequality_of_rates

__all__ = [
    "absolute_gap",
    "attributable_fraction",
    "attributable_rate",
    "concentration_index",
    "excess_events",
    "inequality_of_rates",
    "relative_gap",
    "rii",
    "sii",
]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
