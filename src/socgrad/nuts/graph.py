"""The PyMC graph of a model, plain enough to inspect, extend and sample.

One stratum has numbers and vectors of authorities; several have dim stratum, too, and the levels
and slopes of an authority in all of them are one normal vector. What they have in common, terms,
laws and data, is written once. Data, priors and centring weights are `pm.Data`, so one compiled
graph can be used again for other outcomes and other priors with the same terms. The counts are a
`pm.CustomDist`: its density is computed from compressed statistics, and its `random` draws a count
for every row, so posterior prediction works as usual.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.model.compression import constants, likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.stratified_model import StratifiedModel
from socgrad.model.terms import model_terms
from socgrad.nuts.authority_lines import authority_lines
from socgrad.nuts.counts import observe_counts, observe_totals
from socgrad.nuts.graph_data import graph_data
from socgrad.nuts.hidden_counts import observe_hidden
from socgrad.nuts.packing import layout, packed, unpacked
from socgrad.nuts.pymc_quietly import pm
from socgrad.schema import NAMES

__all__ = ["compact_data", "compact_key", "compact_model", "full_data", "gradient_graph"]

type Variable = Any  # PyTensor's variables carry no useful static types.
type Model = GradientModel | StratifiedModel


def gradient_graph(model: Model) -> pm.Model:
    """Build the graph of a model of one stratum or of several, as `socgrad.pymc_model` says.

    Free variables of several are on scales on which their posterior is about normal
    (`socgrad.nuts.coefficient_scales`, `joint_covariance`, `joint_effects`, `correlations`); their
    distribution is the model's whatever the scales are.

    Parameters
    ----------
    model : GradientModel or StratifiedModel
        The specification; of strata with ``authority_effects="joint"``.
    """
    models = _models(model)
    values = full_data(model, [likelihood_data(each) for each in models])
    with pm.Model(coords=_coords(model, values)) as graph:
        data = {
            str(name): pm.Data(str(name), value.to_numpy(), dims=value.dims or None)
            for name, value in values.data_vars.items()
        }
        _terms(model, data)
    return graph


def full_data(model: Model, data: Sequence[xr.Dataset]) -> xr.Dataset:
    """Values of the data of `gradient_graph`, by name: of one stratum with all that summaries read.

    Parameters
    ----------
    model : GradientModel or StratifiedModel
        The specification.
    data : sequence of xarray.Dataset
        The likelihood data of each stratum.
    """
    models = _models(model)
    working = graph_data(models, data)
    if len(models) > 1:
        return working
    seam = constants(models[0]).reset_coords(drop=True)
    return seam.drop_vars(set(NAMES) & set(seam)).merge(working)


def compact_model(model: Model, data: xr.Dataset) -> pm.Model:
    """Build the graph of `gradient_graph` with its data in a few vectors, which compiles sooner.

    Parameters
    ----------
    model : GradientModel or StratifiedModel
        The specification.
    data : xarray.Dataset
        What `full_data` makes of it.
    """
    small, _ = _parts(data)
    with pm.Model(coords=_coords(model, data)) as graph:
        arrays = {
            str(name): pm.Data(str(name), value.to_numpy())
            for name, value in compact_data(data).data_vars.items()
        }
        _terms(model, arrays | unpacked(arrays, layout(small)))
    return graph


def compact_data(data: xr.Dataset) -> xr.Dataset:
    """Values of the data of `compact_model`, by name, from `full_data`."""
    small, free = _parts(data)
    return packed(small).merge(free)


def compact_key(model: Model, data: xr.Dataset) -> tuple[object, ...]:
    """What two models must share for one compiled `compact_model` to serve both.

    Names and shapes of the data say which terms and laws there are, and of how many.
    """
    small, free = _parts(data)
    correlations = model.correlations if isinstance(model, StratifiedModel) else "one stratum"
    return (correlations, tuple(free.data_vars), layout(small))


def _models(model: Model) -> list[GradientModel]:
    return list(model.models.values()) if isinstance(model, StratifiedModel) else [model]


def _parts(whole: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """What is packed, and what is not: by distinct number of events; by area nothing is read."""
    numbers = [name for name in whole if whole[name].dims == ("number",)]
    by_area = [name for name in whole if "area" in whole[name].dims]
    return whole.drop_vars([*numbers, *by_area]).reset_coords(drop=True), whole[numbers]


def _coords(model: Model, values: xr.Dataset) -> dict[str, Any]:
    """Labels of dims; areas and totals of several strata, one after the other, have numbers."""
    first = _models(model)[0]
    seam = constants(first)
    coords = {"area": seam["area"].to_numpy(), "authority": seam["authority"].to_numpy()}
    named = (*first.designs.named, "locality", "region")
    coords |= {name: seam[name].to_numpy() for name in named if name in seam.coords}
    if isinstance(model, StratifiedModel):
        labels = list(model.strata.labels)
        sizes = ("counted_area", "total_authority", "coefficient")
        return coords | {
            "stratum": labels,
            "stratum_bis": labels,
            "component": np.arange(len(labels) * (1 + bool(model.random_slopes))),
            **{name: np.arange(values.sizes[name]) for name in sizes if name in values.sizes},
        }
    if "count_events" in values:
        coords["counted_area"] = first.areas.area[first.areas.counted].to_numpy()
    if "sum_events" in values:
        coords["total_authority"] = coords["authority"][values["sum_authority"].to_numpy()]
    return coords


def _terms(model: Model, data: dict[str, Variable]) -> None:
    """Parameters, effects and observed counts, inside the context of a PyMC model."""
    models = _models(model)
    correlations = model.correlations if isinstance(model, StratifiedModel) else "full"
    lines = authority_lines(data, [model_terms(one) for one in models], correlations=correlations)
    if "count_events" in data:
        observe_counts(data, lines, _observed([m.areas.events[m.areas.counted] for m in models]))
    observe_hidden(data, lines)
    if "sum_events" in data:
        observe_totals(data, lines, _observed([m.areas.total_events for m in models]))


def _observed(counts: Sequence[FloatArray]) -> FloatArray:
    """Counts of all strata, those that there are."""
    every = np.concatenate(counts)
    return every[~np.isnan(every)]
