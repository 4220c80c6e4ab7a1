"""The PyMC graph of an outcome beside the gradients: a regression on the authorities' slopes."""

from typing import Any

import numpy as np
import xarray as xr

from socgrad.model.outcome_data import COEFFICIENT_SD, CONSTANT_SD, NOISE_SD, outcome_data
from socgrad.model.outcome_model import OutcomeModel
from socgrad.nuts.graph import full_data, gradient_graph
from socgrad.nuts.pymc_quietly import pm, pt

__all__ = ["all_data", "outcome_graph", "outcome_key"]

type Variable = Any  # PyTensor's variables carry no useful static types.


def outcome_graph(model: OutcomeModel) -> pm.Model:
    """Build the graph of the gradient model, and observe the outcome in it.

    Parameters
    ----------
    model : OutcomeModel
        The specification.

    Returns
    -------
    pymc.Model
        As `gradient_graph` gives it, with the variables of `socgrad.schema.OUTCOME` added, in
        the outcome's own unit.
    """
    working = outcome_data(model)
    graph = gradient_graph(model.gradient_model)
    with graph:
        graph.add_coord("outcome_term", list(model.terms))
        graph.add_coord("outcome_authority", np.flatnonzero(model.known))
        data = {
            str(name): pm.Data(str(name), value.to_numpy(), dims=value.dims or None)
            for name, value in working.data_vars.items()
        }
        coefficient = pm.Normal("outcome_scaled", 0.0, COEFFICIENT_SD, dims="outcome_term")
        sd = pm.HalfNormal("outcome_sd_scaled", NOISE_SD)
        intercept = pm.Normal("outcome_intercept_scaled", 0.0, CONSTANT_SD)
        effects, per_unit = _effects(graph, model, data)
        given = (data["outcome_predictors"] * coefficient[len(effects) :]).sum(axis=1)
        mean = intercept + given + sum(coefficient[k] * effect for k, effect in enumerate(effects))
        pm.Normal(
            "outcome",
            mu=mean,
            sigma=pt.sqrt(sd**2 + data["outcome_error"] ** 2),
            observed=data["outcome_value"],
            dims="outcome_authority",
        )
        centre, unit = data["outcome_unit"][0], data["outcome_unit"][1]
        units = pm.math.concatenate([pt.stack(per_unit), data["outcome_predictor_scale"]])
        pm.Deterministic("outcome_coefficient", unit * coefficient / units, dims="outcome_term")
        pm.Deterministic("outcome_intercept", centre + unit * intercept)
        pm.Deterministic("outcome_sd", unit * sd)
    return graph


def _effects(
    graph: pm.Model, model: OutcomeModel, data: dict[str, Variable]
) -> tuple[list[Variable], list[Variable]]:
    """Predictors that are themselves estimated, in standard deviations, and these deviations."""
    rows = data["outcome_row"]
    steep = graph["slope_effect"]
    if not model.adjust_for_deprivation and model.gradient_model.cross_level:
        steep = steep + graph["cross_level"] * graph["between_part"]
    effects, deviations = [(steep / graph["slope_sd"])[rows]], [graph["slope_sd"]]
    if model.adjust_for_level:
        effects.append((graph["level_effect"] / graph["level_sd"])[rows])
        deviations.append(graph["level_sd"])
    return effects, deviations


def all_data(model: OutcomeModel, data: xr.Dataset) -> xr.Dataset:
    """Values of the data of `outcome_graph`, by name, from the gradient model's likelihood data."""
    return full_data(model.gradient_model, [data]).merge(outcome_data(model))


def outcome_key(model: OutcomeModel, data: xr.Dataset) -> tuple[object, ...]:
    """What two models must share for one compiled graph to serve both; of `all_data`, the names."""
    regions = data.sizes.get("region", 0)
    return ("outcome", tuple(data.data_vars), data.sizes["authority"], regions, model.terms)
