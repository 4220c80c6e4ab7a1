"""NUTS by nutpie on the joint graph, compiled once per shape and process."""

from collections.abc import Sequence

import xarray as xr

from socgrad.model.stratified_model import StratifiedModel
from socgrad.nuts.joint_data import joint_data
from socgrad.nuts.joint_graph import joint_compact_data, joint_compact_model, joint_key
from socgrad.nuts.options import NutsOptions
from socgrad.nuts.sampling import Graph, sample_graph
from socgrad.schema import COEFFICIENTS, CORRELATIONS, EFFECTS, PARAMETERS

__all__ = ["sample_joint"]


def sample_joint(
    model: StratifiedModel, data: Sequence[xr.Dataset], options: NutsOptions
) -> tuple[xr.Dataset, xr.Dataset]:
    """Draw from the joint posterior of several strata.

    Parameters
    ----------
    model : StratifiedModel
        The specification.
    data : sequence of xarray.Dataset
        The likelihood data of each stratum.
    options : NutsOptions
        How to sample.

    Returns
    -------
    posterior, sample_stats : xarray.Dataset
        Dims (chain, draw, stratum[, authority or stratum_bis]), and (chain, draw).
    """
    models = list(model.models.values())
    joint = joint_data(models, data)
    key = ("joint", *joint_key(model, joint))
    names = (*PARAMETERS, *EFFECTS, *COEFFICIENTS, *CORRELATIONS)
    graph = Graph(key, lambda: joint_compact_model(model, joint), names)
    posterior, statistics = sample_graph(graph, joint_compact_data(joint), options)
    labels = list(model.strata.labels)
    places = {"stratum": labels, "stratum_bis": labels, "authority": models[0].areas.authority}
    return posterior.assign_coords(places), statistics
