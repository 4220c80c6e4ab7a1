"""Views of a fit: figures that a reader of policy understands, drawn from draws, never sampling.

Every function takes a fit, draws on the axes given (or on new ones) and returns them, so that
titles and files are the caller's: ``ax.set_title(...)``, ``ax.figure.savefig(...)``. They need
matplotlib, the optional extra ``plots``.
"""

from socgrad.plots.bars import rate_bars
from socgrad.plots.curves import inverse_intervention_curve
from socgrad.plots.departures import departure_curve
from socgrad.plots.fit_checks import checked_counts
from socgrad.plots.funnel import gradient_funnel
from socgrad.plots.gradients import gradients_by_deprivation
from socgrad.plots.intervals import caterpillar
from socgrad.plots.ladders import gradient_ladder
from socgrad.plots.lines import authority_curve, authority_lines
from socgrad.plots.maps import authority_map
from socgrad.plots.priors import prior_and_posterior
from socgrad.plots.rates import inverse_intervention_lines
from socgrad.plots.stage_funnel import stage_funnel
from socgrad.plots.years import changed_authorities, over_years

__all__ = [
    "authority_curve",
    "authority_lines",
    "authority_map",
    "caterpillar",
    "changed_authorities",
    "checked_counts",
    "departure_curve",
    "gradient_funnel",
    "gradient_ladder",
    "gradients_by_deprivation",
    "inverse_intervention_curve",
    "inverse_intervention_lines",
    "over_years",
    "prior_and_posterior",
    "rate_bars",
    "stage_funnel",
]


def __dir__() -> list[str]:
    """Public names alone: modules are where they are found, not what is called."""
    return sorted(__all__)
