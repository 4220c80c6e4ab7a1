"""What priors say before the data, and how far they decide what comes after."""

from socgrad.checks.priors import compare_prior, prior_sensitivity
from socgrad.simulation.prior_draws import draw_prior

__all__ = [
    "compare_prior",
    "draw_prior",
    "prior_sensitivity",
]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
