"""NUTS on the graph of an outcome beside the gradients."""

import xarray as xr

from socgrad.model.compression import constants
from socgrad.model.outcome_data import outcome_data
from socgrad.model.outcome_model import OutcomeModel
from socgrad.nuts.graph import graph_data
from socgrad.nuts.options import NutsOptions
from socgrad.nuts.outcome_graph import outcome_graph, outcome_key
from socgrad.nuts.sampling import Graph, sample_graph
from socgrad.schema import EFFECTS, OUTCOME, PARAMETERS, REGION_EFFECTS

__all__ = ["sample_outcome"]


def sample_outcome(
    model: OutcomeModel, data: xr.Dataset, options: NutsOptions
) -> tuple[xr.Dataset, xr.Dataset]:
    """Draw gradients and their association with the outcome at once.

    Parameters
    ----------
    model : OutcomeModel
        The specification.
    data : xarray.Dataset
        The likelihood data of its gradient model.
    options : NutsOptions
        How to sample.

    Returns
    -------
    posterior, sample_stats : xarray.Dataset
        Dims (chain, draw[, authority or outcome_term]).
    """
    inner = model.gradient_model
    values = xr.merge([constants(inner), graph_data(inner, data), outcome_data(model)])
    graph = Graph(
        outcome_key(model),
        lambda: outcome_graph(model),
        (*PARAMETERS, *EFFECTS, *REGION_EFFECTS, *OUTCOME),
    )
    posterior, statistics = sample_graph(graph, values, options)
    return posterior.assign_coords(outcome_term=list(model.terms)), statistics
