"""Strata that follow each other or go together: chains of stages, correlations, durations."""

from socgrad.estimands.chains import gradient_by_step, population_gradient
from socgrad.estimands.durations import duration_ratio
from socgrad.estimands.stratum_correlations import stratum_correlations
from socgrad.reading.relabelling import relabel
from socgrad.simulation.flow_simulation import simulate_flow

__all__ = [
    "duration_ratio",
    "gradient_by_step",
    "population_gradient",
    "relabel",
    "simulate_flow",
    "stratum_correlations",
]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
