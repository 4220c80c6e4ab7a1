"""Bayesian multilevel models of social gradients: neighbourhoods within local authorities."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from socgrad import errors
from socgrad.model.gradient_model import GradientModel
from socgrad.model.outcome_model import OutcomeModel
from socgrad.model.priors import Normal, PositiveNormal, Priors, rate_ratio
from socgrad.model.stratified_model import StratifiedModel
from socgrad.table.areas import Areas
from socgrad.table.strata import Strata

if TYPE_CHECKING:
    from socgrad import (
        coarsening,
        covariates,
        disclosure,
        for_arviz,
        inequality,
        many,
        pages,
        places,
        plots,
        predictions,
        prior_checks,
        published,
        rates,
        release,
        results,
        returns,
        sensitivity,
        shapes,
        stages,
        tables,
        variation,
        years,
    )
    from socgrad.checks.fit_check import check_fit
    from socgrad.checks.left_out import compare_left_out, leave_out
    from socgrad.estimands.comparing import compare
    from socgrad.estimands.contextual import inverse_intervention, steepening
    from socgrad.estimands.crossings import crossing
    from socgrad.estimands.gradient_contrasts import compare_gradients
    from socgrad.estimands.gradients import between, gradient
    from socgrad.fitting import fit
    from socgrad.nuts.pymc_models import pymc_model
    from socgrad.pages.report import report
    from socgrad.reading.by_stratum import by_stratum, stratum
    from socgrad.reading.storage import load, save
    from socgrad.simulation.england import simulate
    from socgrad.simulation.truth import Truth
    from socgrad.tables.diagnostics import check_sampling
    from socgrad.tables.summaries import summarise

__all__ = [
    "Areas",
    "GradientModel",
    "Normal",
    "OutcomeModel",
    "PositiveNormal",
    "Priors",
    "Strata",
    "StratifiedModel",
    "Truth",
    "between",
    "by_stratum",
    "check_fit",
    "check_sampling",
    "coarsening",
    "compare",
    "compare_gradients",
    "compare_left_out",
    "covariates",
    "crossing",
    "disclosure",
    "errors",
    "fit",
    "for_arviz",
    "gradient",
    "inequality",
    "inverse_intervention",
    "leave_out",
    "load",
    "many",
    "pages",
    "places",
    "plots",
    "predictions",
    "prior_checks",
    "published",
    "pymc_model",
    "rate_ratio",
    "rates",
    "release",
    "report",
    "results",
    "returns",
    "save",
    "sensitivity",
    "shapes",
    "simulate",
    "stages",
    "steepening",
    "stratum",
    "summarise",
    "tables",
    "variation",
    "years",
]

# Imported on first use, so that a script which only reads a fit never waits for PyMC or matplotlib.
_LAZY = {
    "Truth": "simulation.truth",
    "between": "estimands.gradients",
    "by_stratum": "reading.by_stratum",
    "check_fit": "checks.fit_check",
    "check_sampling": "tables.diagnostics",
    "compare": "estimands.comparing",
    "compare_gradients": "estimands.gradient_contrasts",
    "compare_left_out": "checks.left_out",
    "crossing": "estimands.crossings",
    "fit": "fitting",
    "gradient": "estimands.gradients",
    "inverse_intervention": "estimands.contextual",
    "leave_out": "checks.left_out",
    "load": "reading.storage",
    "pymc_model": "nuts.pymc_models",
    "report": "pages.report",
    "save": "reading.storage",
    "simulate": "simulation.england",
    "steepening": "estimands.contextual",
    "stratum": "reading.by_stratum",
    "summarise": "tables.summaries",
}

#: Names that hold several others, imported on first use, too.
_NAMESPACES = {
    "coarsening",
    "covariates",
    "disclosure",
    "for_arviz",
    "inequality",
    "many",
    "pages",
    "places",
    "plots",
    "predictions",
    "prior_checks",
    "published",
    "rates",
    "release",
    "results",
    "returns",
    "sensitivity",
    "shapes",
    "stages",
    "tables",
    "variation",
    "years",
}


def __getattr__(name: str) -> Any:
    if name in _NAMESPACES:
        return import_module(f"socgrad.{name}")
    if name not in _LAZY:
        # With name and obj, Python adds which name was perhaps meant.
        words = f"module 'socgrad' has no attribute {name!r}"
        found = "" if name.startswith("_") else _place_of(name)
        raise AttributeError(words + found, name=name, obj=sys.modules[__name__])
    value = getattr(import_module(f"socgrad.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def _place_of(name: str) -> str:
    """Words for the namespace that has a name which is not among the flat ones."""
    spaces = sorted(_NAMESPACES - {"plots"})  # whose import draws in matplotlib
    places = [each for each in spaces if name in import_module(f"socgrad.{each}").__all__]
    return "; it is " + " or ".join(f"socgrad.{each}.{name}" for each in places) if places else ""


def __dir__() -> list[str]:
    return __all__
