"""NUTS by nutpie on the PyMC graph, compiled once per graph and process."""

import functools
from dataclasses import dataclass, field

import nutpie
import xarray as xr

from socgrad.model.compression import constants
from socgrad.model.gradient_model import GradientModel
from socgrad.nuts.graph import graph_data, graph_key, pymc_model
from socgrad.nuts.options import NutsOptions
from socgrad.nuts.pymc_quietly import pm
from socgrad.schema import EFFECTS, PARAMETERS

__all__ = ["sample_nuts"]

_STATISTICS = ("diverging", "energy", "logp", "n_steps", "step_size", "depth")


@dataclass(frozen=True)
class _Graph:
    """A graph to compile: two are the same when their keys are, whatever their data."""

    key: tuple[object, ...]
    model: GradientModel = field(compare=False)


# Compiling costs seconds and depends on the key alone; eight graphs cover a study's sensitivities.
@functools.lru_cache(maxsize=8)
def _compiled(graph: _Graph) -> tuple[pm.Model, nutpie.compile_pymc.CompiledPyMCModel]:
    model = pymc_model(graph.model)
    return model, nutpie.compile_pymc_model(model, var_names=[*PARAMETERS, *EFFECTS])


def sample_nuts(
    model: GradientModel, data: xr.Dataset, options: NutsOptions
) -> tuple[xr.Dataset, xr.Dataset]:
    """Draw from the posterior.

    Parameters
    ----------
    model : GradientModel
        The specification.
    data : xarray.Dataset
        Its likelihood data.
    options : NutsOptions
        How to sample.

    Returns
    -------
    posterior, sample_stats : xarray.Dataset
        Dims (chain, draw[, authority]).
    """
    graph, compiled = _compiled(_Graph(graph_key(model), model))
    parts = (constants(model), graph_data(model, data))
    values = {str(name): part[name] for part in parts for name in part.data_vars}
    used = {variable.name for variable in compiled.shared_var_keys}
    compiled = compiled.with_data(**{n: values[n].to_numpy() for n in values if n in used})
    for name, value in values.items():
        # The starting point is computed by the graph itself, from its own copy of the data.
        shared = graph[name]
        shared.set_value(value.to_numpy().astype(shared.dtype))
    trace = nutpie.sample(
        compiled,
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        cores=options.cores,
        seed=options.random_seed,
        target_accept=options.target_accept,
        progress_bar=options.progress,
        save_warmup=False,
    )
    statistics = trace["sample_stats"].to_dataset()
    return (
        trace["posterior"].to_dataset(),
        statistics[[name for name in _STATISTICS if name in statistics]],
    )
