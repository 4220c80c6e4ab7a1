"""NUTS on the graph of an outcome beside the gradients."""

import xarray as xr

from socgrad.model.outcome_model import OutcomeModel
from socgrad.nuts.options import NutsOptions
from socgrad.nuts.outcome_graph import all_data, outcome_graph, outcome_key
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
    values = all_data(model, data)
    graph = Graph(
        outcome_key(model, values),
        lambda: outcome_graph(model),
        (*PARAMETERS, *EFFECTS, *REGION_EFFECTS, *OUTCOME),
    )
    posterior, statistics = sample_graph(graph, values, options)
    return posterior.assign_coords(outcome_term=list(model.terms)), statistics
