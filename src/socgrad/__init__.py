"""Bayesian multilevel models of social gradients: neighbourhoods within local authorities."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from socgrad import errors
from socgrad.areas import Areas
from socgrad.models import GradientModel
from socgrad.priors import Normal, PositiveNormal, Priors, rate_ratio

if TYPE_CHECKING:
    from socgrad import plots
    from socgrad.contextual import inverse_intervention, steepening
    from socgrad.crossings import crossing
    from socgrad.diagnostics import check_sampling
    from socgrad.fitting import fit
    from socgrad.gradients import between, gradient
    from socgrad.labels import label_draws
    from socgrad.pymc_graph import pymc_model
    from socgrad.rates import authority_rate, expected_rate, rate_by_group
    from socgrad.simulation import simulate
    from socgrad.storage import load, save
    from socgrad.summaries import summarise
    from socgrad.truth import Truth

__all__ = [
    "Areas",
    "GradientModel",
    "Normal",
    "PositiveNormal",
    "Priors",
    "Truth",
    "authority_rate",
    "between",
    "check_sampling",
    "crossing",
    "errors",
    "expected_rate",
    "fit",
    "gradient",
    "inverse_intervention",
    "label_draws",
    "load",
    "plots",
    "pymc_model",
    "rate_by_group",
    "rate_ratio",
    "save",
    "simulate",
    "steepening",
    "summarise",
]

# Imported on first use, so that a script which only reads a fit never waits for PyMC or matplotlib.
_LAZY = {
    "Truth": "truth",
    "authority_rate": "rates",
    "between": "gradients",
    "check_sampling": "diagnostics",
    "crossing": "crossings",
    "expected_rate": "rates",
    "fit": "fitting",
    "gradient": "gradients",
    "inverse_intervention": "contextual",
    "label_draws": "labels",
    "load": "storage",
    "pymc_model": "pymc_graph",
    "rate_by_group": "rates",
    "save": "storage",
    "simulate": "simulation",
    "steepening": "contextual",
    "summarise": "summaries",
}


def __getattr__(name: str) -> Any:
    if name == "plots":
        return import_module("socgrad.plots")
    if name not in _LAZY:
        raise AttributeError(f"module 'socgrad' has no attribute {name!r}")
    value = getattr(import_module(f"socgrad.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
