"""Rates and counts of places, of new ones too, and what if deprivation were otherwise."""

from socgrad.estimands.predictions import predict_authority_events, predict_events, predict_rate
from socgrad.estimands.what_if import scenario, what_if

__all__ = [
    "predict_authority_events",
    "predict_events",
    "predict_rate",
    "scenario",
    "what_if",
]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
