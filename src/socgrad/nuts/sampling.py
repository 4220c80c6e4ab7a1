"""NUTS by nutpie on the PyMC graph, compiled once per graph and process."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import nutpie
import xarray as xr

from socgrad.model.gradient_model import GradientModel
from socgrad.model.stratified_model import StratifiedModel
from socgrad.nuts.graph import compact_data, compact_key, compact_model, full_data
from socgrad.nuts.nutpie_draws import draws_by_nutpie
from socgrad.nuts.options import NutsOptions
from socgrad.nuts.pymc_quietly import pm
from socgrad.progress import stage
from socgrad.schema import COEFFICIENTS, CORRELATIONS, EFFECTS, PARAMETERS, REGION_EFFECTS

__all__ = ["Graph", "sample_graph", "sample_nuts"]


@dataclass(frozen=True)
class Graph:
    """A graph to compile: two are the same when their keys are, whatever their data.

    Attributes
    ----------
    key
        What two graphs must share for one to serve both.
    build
        Makes the PyMC model.
    names
        Variables to keep draws of.
    """

    key: tuple[object, ...]
    build: Callable[[], pm.Model] = field(compare=False)
    names: tuple[str, ...] = field(compare=False)


# Compiling costs seconds and depends on the key alone; eight graphs cover a study's sensitivities.
@functools.lru_cache(maxsize=8)
def _compiled(graph: Graph) -> tuple[pm.Model, nutpie.compile_pymc.CompiledPyMCModel]:
    model = graph.build()
    return model, nutpie.compile_pymc_model(model, var_names=list(graph.names))


def sample_nuts(
    model: GradientModel | StratifiedModel, data: Sequence[xr.Dataset], options: NutsOptions
) -> tuple[xr.Dataset, xr.Dataset]:
    """Draw from the posterior of a gradient model, of one stratum or of several at once.

    Parameters
    ----------
    model : GradientModel or StratifiedModel
        The specification.
    data : sequence of xarray.Dataset
        The likelihood data of each stratum.
    options : NutsOptions
        How to sample.

    Returns
    -------
    posterior, sample_stats : xarray.Dataset
        Dims (chain, draw[, stratum, authority, region, or names of covariates]), and (chain, draw).
    """
    names = (*PARAMETERS, *EFFECTS, *COEFFICIENTS, *REGION_EFFECTS, *CORRELATIONS)
    whole = full_data(model, data)
    graph = Graph(compact_key(model, whole), lambda: compact_model(model, whole), names)
    posterior, statistics = sample_graph(graph, compact_data(whole), options)
    if isinstance(model, StratifiedModel):
        labels = list(model.strata.labels)
        posterior = posterior.assign_coords(stratum=labels, stratum_bis=labels)
    return posterior, statistics


def sample_graph(
    wanted: Graph, values: xr.Dataset, options: NutsOptions
) -> tuple[xr.Dataset, xr.Dataset]:
    """Draw from the posterior of a graph, compiled once for all that share its key.

    Parameters
    ----------
    wanted : Graph
        The graph.
    values : xarray.Dataset
        Every `pm.Data` of it, by name.
    options : NutsOptions
        How to sample.

    Returns
    -------
    posterior, sample_stats : xarray.Dataset
        Dims chain, draw, then those of each variable.
    """
    with stage("compiling, once for models of this form in a process"):
        graph, compiled = _compiled(wanted)
    used = {variable.name for variable in compiled.shared_var_keys}
    compiled = compiled.with_data(
        **{str(name): values[name].to_numpy() for name in values if name in used}
    )
    for name, value in values.data_vars.items():
        # The starting point is computed by the graph itself, from its own copy of the data.
        shared = graph[str(name)]
        shared.set_value(value.to_numpy().astype(shared.dtype))
    return draws_by_nutpie(compiled, options)
