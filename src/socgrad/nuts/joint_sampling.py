"""NUTS by nutpie on the joint graph, compiled once per shape and process."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import nutpie
import xarray as xr

from socgrad.model.stratified_model import StratifiedModel
from socgrad.nuts.joint_data import joint_data
from socgrad.nuts.joint_graph import joint_key, joint_pymc_model
from socgrad.nuts.options import NutsOptions
from socgrad.nuts.pymc_quietly import pm
from socgrad.schema import CORRELATIONS, EFFECTS, PARAMETERS

__all__ = ["sample_joint"]

_STATISTICS = ("diverging", "energy", "logp", "n_steps", "step_size", "depth")


@dataclass(frozen=True)
class _Graph:
    """A graph to compile: two are the same when their keys are, whatever their data."""

    key: tuple[object, ...]
    model: StratifiedModel = field(compare=False)
    data: xr.Dataset = field(compare=False)


# Compiling costs much of a minute and depends on the key alone.
@functools.lru_cache(maxsize=4)
def _compiled(graph: _Graph) -> tuple[pm.Model, nutpie.compile_pymc.CompiledPyMCModel]:
    model = joint_pymc_model(graph.model, data=graph.data)
    names = [*PARAMETERS, *EFFECTS, *CORRELATIONS]
    return model, nutpie.compile_pymc_model(model, var_names=names)


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
    graph, compiled = _compiled(_Graph(joint_key(model, joint), model, joint))
    used = {variable.name for variable in compiled.shared_var_keys}
    values = {str(name): each.to_numpy() for name, each in joint.data_vars.items()}
    compiled = compiled.with_data(**{name: each for name, each in values.items() if name in used})
    for name, value in values.items():
        # The starting point is computed by the graph itself, from its own copy of the data.
        shared = graph[name]
        shared.set_value(value.astype(shared.dtype))
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
    names = [name for name in _STATISTICS if name in statistics]
    posterior = trace["posterior"].to_dataset()
    labels = list(model.strata.labels)
    places = {"stratum": labels, "stratum_bis": labels, "authority": models[0].areas.authority}
    return posterior.assign_coords(places), statistics[names]
