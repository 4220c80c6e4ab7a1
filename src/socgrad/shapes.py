"""Gradients that are not log-linear: ratios between places, and departures from the line."""

from socgrad.estimands.deprivation_ratios import departure_from_line, deprivation_ratio

__all__ = [
    "departure_from_line",
    "deprivation_ratio",
]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
