"""Groups that ArviZ asks for beside the posterior, added to a fit when they are wanted.

A fit holds draws, geography and counts, and no more: these groups are as large as counts times
draws, or need the model. Each function gives a copy of the fit with one group more, under the names
that `az.loo`, `az.plot_ppc_dist`, `az.plot_prior_posterior`, `az.psense` and others look for.
"""

from socgrad.checks.log_likelihood import add_log_likelihood
from socgrad.for_arviz.energies import check_energy
from socgrad.for_arviz.predictive import add_posterior_predictive
from socgrad.for_arviz.priors import add_log_prior, add_prior

__all__ = [
    "add_log_likelihood",
    "add_log_prior",
    "add_posterior_predictive",
    "add_prior",
    "check_energy",
]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
