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
        disclosure,
        for_arviz,
        many,
        places,
        plots,
        published,
        release,
        returns,
        sensitivity,
        years,
    )
    from socgrad.checks.fit_check import check_fit
    from socgrad.checks.left_out import compare_left_out, leave_out
    from socgrad.checks.log_likelihood import add_log_likelihood
    from socgrad.checks.priors import compare_prior, prior_sensitivity
    from socgrad.estimands.attributable import attributable_fraction, attributable_rate
    from socgrad.estimands.authority_ranks import authority_ranks
    from socgrad.estimands.chains import gradient_by_step, population_gradient
    from socgrad.estimands.concentration import concentration_index
    from socgrad.estimands.contextual import inverse_intervention, steepening
    from socgrad.estimands.covariate_ratios import covariate_ratio, moderated_gradient
    from socgrad.estimands.crossings import crossing
    from socgrad.estimands.deprivation_ratios import departure_from_line, deprivation_ratio
    from socgrad.estimands.durations import duration_ratio
    from socgrad.estimands.excess import excess_events
    from socgrad.estimands.gaps import absolute_gap, relative_gap
    from socgrad.estimands.gradient_contrasts import compare_gradients
    from socgrad.estimands.gradient_pairs import pairwise_steeper, steeper_than
    from socgrad.estimands.gradients import between, gradient
    from socgrad.estimands.group_rates import authority_rate, rate_by_group
    from socgrad.estimands.inequality import rii, sii
    from socgrad.estimands.inequality_of_rates import inequality_of_rates
    from socgrad.estimands.locality_ratios import locality_ratio
    from socgrad.estimands.observed_rates import observed_authority_rate, observed_rate_by_group
    from socgrad.estimands.outcome_association import outcome_association
    from socgrad.estimands.predictions import predict_authority_events, predict_events, predict_rate
    from socgrad.estimands.rates import expected_rate
    from socgrad.estimands.region_ratios import region_ratio
    from socgrad.estimands.slope_variation import gradient_sd, level_slope_correlation
    from socgrad.estimands.stratum_correlations import stratum_correlations
    from socgrad.estimands.variance_partition import variance_explained, vpc
    from socgrad.estimands.variation import authority_sd, median_rate_ratio
    from socgrad.estimands.what_if import scenario, what_if
    from socgrad.fitting import fit
    from socgrad.nuts.graph import pymc_model
    from socgrad.nuts.joint_graph import joint_pymc_model
    from socgrad.reading.by_stratum import by_stratum, stratum
    from socgrad.reading.labels import label_draws
    from socgrad.reading.storage import load, save
    from socgrad.simulation.england import simulate
    from socgrad.simulation.flow_simulation import simulate_flow
    from socgrad.simulation.prior_draws import draw_prior
    from socgrad.simulation.truth import Truth
    from socgrad.tables.comma_separated import to_csv
    from socgrad.tables.diagnostics import check_sampling
    from socgrad.tables.html import to_great_table, to_html
    from socgrad.tables.journal import journal_table
    from socgrad.tables.latex import to_latex
    from socgrad.tables.markdown import to_markdown
    from socgrad.tables.rate_tables import journal_rates, rate_table
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
    "absolute_gap",
    "add_log_likelihood",
    "attributable_fraction",
    "attributable_rate",
    "authority_ranks",
    "authority_rate",
    "authority_sd",
    "between",
    "by_stratum",
    "check_fit",
    "check_sampling",
    "coarsening",
    "compare_gradients",
    "compare_left_out",
    "compare_prior",
    "concentration_index",
    "covariate_ratio",
    "crossing",
    "departure_from_line",
    "deprivation_ratio",
    "disclosure",
    "draw_prior",
    "duration_ratio",
    "errors",
    "excess_events",
    "expected_rate",
    "fit",
    "for_arviz",
    "gradient",
    "gradient_by_step",
    "gradient_sd",
    "inequality_of_rates",
    "inverse_intervention",
    "joint_pymc_model",
    "journal_rates",
    "journal_table",
    "label_draws",
    "leave_out",
    "level_slope_correlation",
    "load",
    "locality_ratio",
    "many",
    "median_rate_ratio",
    "moderated_gradient",
    "observed_authority_rate",
    "observed_rate_by_group",
    "outcome_association",
    "pairwise_steeper",
    "places",
    "plots",
    "population_gradient",
    "predict_authority_events",
    "predict_events",
    "predict_rate",
    "prior_sensitivity",
    "published",
    "pymc_model",
    "rate_by_group",
    "rate_ratio",
    "rate_table",
    "region_ratio",
    "relative_gap",
    "release",
    "returns",
    "rii",
    "save",
    "scenario",
    "sensitivity",
    "sii",
    "simulate",
    "simulate_flow",
    "steepening",
    "steeper_than",
    "stratum",
    "stratum_correlations",
    "summarise",
    "to_csv",
    "to_great_table",
    "to_html",
    "to_latex",
    "to_markdown",
    "variance_explained",
    "vpc",
    "what_if",
    "years",
]

# Imported on first use, so that a script which only reads a fit never waits for PyMC or matplotlib.
_LAZY = {
    "Truth": "simulation.truth",
    "absolute_gap": "estimands.gaps",
    "add_log_likelihood": "checks.log_likelihood",
    "attributable_fraction": "estimands.attributable",
    "attributable_rate": "estimands.attributable",
    "authority_ranks": "estimands.authority_ranks",
    "authority_rate": "estimands.group_rates",
    "authority_sd": "estimands.variation",
    "between": "estimands.gradients",
    "by_stratum": "reading.by_stratum",
    "check_fit": "checks.fit_check",
    "check_sampling": "tables.diagnostics",
    "compare_gradients": "estimands.gradient_contrasts",
    "compare_left_out": "checks.left_out",
    "compare_prior": "checks.priors",
    "concentration_index": "estimands.concentration",
    "covariate_ratio": "estimands.covariate_ratios",
    "crossing": "estimands.crossings",
    "departure_from_line": "estimands.deprivation_ratios",
    "deprivation_ratio": "estimands.deprivation_ratios",
    "draw_prior": "simulation.prior_draws",
    "duration_ratio": "estimands.durations",
    "excess_events": "estimands.excess",
    "expected_rate": "estimands.rates",
    "fit": "fitting",
    "gradient": "estimands.gradients",
    "gradient_by_step": "estimands.chains",
    "gradient_sd": "estimands.slope_variation",
    "inequality_of_rates": "estimands.inequality_of_rates",
    "inverse_intervention": "estimands.contextual",
    "joint_pymc_model": "nuts.joint_graph",
    "journal_rates": "tables.rate_tables",
    "journal_table": "tables.journal",
    "label_draws": "reading.labels",
    "leave_out": "checks.left_out",
    "level_slope_correlation": "estimands.slope_variation",
    "load": "reading.storage",
    "locality_ratio": "estimands.locality_ratios",
    "median_rate_ratio": "estimands.variation",
    "moderated_gradient": "estimands.covariate_ratios",
    "observed_authority_rate": "estimands.observed_rates",
    "observed_rate_by_group": "estimands.observed_rates",
    "outcome_association": "estimands.outcome_association",
    "pairwise_steeper": "estimands.gradient_pairs",
    "population_gradient": "estimands.chains",
    "predict_authority_events": "estimands.predictions",
    "predict_events": "estimands.predictions",
    "predict_rate": "estimands.predictions",
    "prior_sensitivity": "checks.priors",
    "pymc_model": "nuts.graph",
    "rate_by_group": "estimands.group_rates",
    "rate_table": "tables.rate_tables",
    "region_ratio": "estimands.region_ratios",
    "relative_gap": "estimands.gaps",
    "rii": "estimands.inequality",
    "save": "reading.storage",
    "scenario": "estimands.what_if",
    "sii": "estimands.inequality",
    "simulate": "simulation.england",
    "simulate_flow": "simulation.flow_simulation",
    "steepening": "estimands.contextual",
    "steeper_than": "estimands.gradient_pairs",
    "stratum": "reading.by_stratum",
    "stratum_correlations": "estimands.stratum_correlations",
    "summarise": "tables.summaries",
    "to_csv": "tables.comma_separated",
    "to_great_table": "tables.html",
    "to_html": "tables.html",
    "to_latex": "tables.latex",
    "to_markdown": "tables.markdown",
    "variance_explained": "estimands.variance_partition",
    "vpc": "estimands.variance_partition",
    "what_if": "estimands.what_if",
}

#: Names that hold several others, imported on first use, too.
_NAMESPACES = {
    "coarsening": "coarsening",
    "disclosure": "disclosure",
    "for_arviz": "for_arviz",
    "many": "many",
    "places": "places",
    "plots": "plots",
    "published": "published",
    "release": "release",
    "returns": "returns",
    "sensitivity": "sensitivity",
    "years": "years",
}


def __getattr__(name: str) -> Any:
    if name in _NAMESPACES:
        return import_module(f"socgrad.{_NAMESPACES[name]}")
    if name not in _LAZY:
        # With name and obj, Python adds which name was perhaps meant.
        words = f"module 'socgrad' has no attribute {name!r}"
        raise AttributeError(words, name=name, obj=sys.modules[__name__])
    value = getattr(import_module(f"socgrad.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
