"""The PyMC graph of a gradient model, plain enough to inspect, extend and sample.

Data, priors and centring weights are `pm.Data`, so one compiled graph can be used again for other
outcomes and other priors with the same terms. The counts are a `pm.CustomDist`: its density is
computed from compressed statistics, and its `random` draws a count for every row, so posterior
prediction works as usual.
"""

import functools
from typing import Any

import numpy as np
import xarray as xr

from socgrad.model.bounds_checks import refuse_bounds_in_graphs
from socgrad.model.compression import constants, likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.terms import model_terms
from socgrad.nuts.centring import centring
from socgrad.nuts.counts import observe_counts, observe_totals, shifted
from socgrad.nuts.effects import level_and_slope_effects, level_effects, region_effects
from socgrad.nuts.hidden_counts import filled_in, hidden_data, observe_hidden
from socgrad.nuts.observed import Shifts
from socgrad.nuts.packing import layout, packed, unpacked
from socgrad.nuts.pymc_quietly import pm
from socgrad.predictor import authority_level, authority_slope

__all__ = [
    "compact_data",
    "compact_key",
    "compact_model",
    "gradient_graph",
    "graph_data",
    "graph_key",
]

type Variable = Any  # PyTensor's variables carry no useful static types.


def gradient_graph(model: GradientModel) -> pm.Model:
    """Build the graph of one stratum, as `socgrad.pymc_model` says.

    Parameters
    ----------
    model : GradientModel
        The specification.
    """
    refuse_bounds_in_graphs(model.areas, totals_alone=True)
    seam = constants(model)
    working = graph_data(model, likelihood_data(model))
    with pm.Model(coords=_coords(model, seam, working)) as graph:
        data = {
            str(name): pm.Data(str(name), values.to_numpy(), dims=values.dims or None)
            for name, values in (*seam.data_vars.items(), *working.data_vars.items())
        }
        _terms(model, data)
    return graph


def compact_model(model: GradientModel, data: xr.Dataset) -> pm.Model:
    """Build the graph of `gradient_graph` with its data in a few vectors, which compiles sooner.

    Parameters
    ----------
    model : GradientModel
        The specification.
    data : xarray.Dataset
        Its likelihood data.
    """
    seam, working = constants(model), graph_data(model, data)
    small, free = _parts(seam, working)
    with pm.Model(coords=_coords(model, seam, working)) as graph:
        values = packed(small).merge(free)
        arrays = {
            str(name): pm.Data(str(name), value.to_numpy())
            for name, value in values.data_vars.items()
        }
        _terms(model, arrays | unpacked(arrays, layout(small)))
    return graph


def compact_data(model: GradientModel, data: xr.Dataset) -> xr.Dataset:
    """Values of the data of `compact_model`, by name."""
    small, free = _parts(constants(model), graph_data(model, data))
    return packed(small).merge(free)


def graph_key(model: GradientModel) -> tuple[object, ...]:
    """What two models must share for one compiled graph to serve both."""
    return (
        model.family,
        model.localities,
        len(model.areas.region) if model.regions else 0,
        model.deprivation,
        model.random_levels,
        model.random_slopes,
        model.cross_level,
        model.curvature,
        bool(model.areas.counted.any()),
        bool((~np.isnan(model.areas.total_events)).any()),
        len(model.areas.authority),
        *(len(columns.names) for columns in model.designs.named.values()),
    )


def compact_key(model: GradientModel, data: xr.Dataset) -> tuple[object, ...]:
    """What two models must share for one compiled `compact_model` to serve both."""
    small, _ = _parts(constants(model), graph_data(model, data))
    return (*graph_key(model), layout(small))


def _parts(seam: xr.Dataset, working: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """What is packed, and what is not: by area, or by distinct number of events."""
    by_area = [name for name in seam if "area" in seam[name].dims]
    numbers = [name for name in working if working[name].dims == ("number",)]
    small = working.drop_vars(numbers).merge(seam.drop_vars(by_area)).reset_coords(drop=True)
    free = working[numbers].merge(seam[[name for name in by_area if str(name).endswith("_design")]])
    return small, free.reset_coords(drop=True)


def _coords(model: GradientModel, seam: xr.Dataset, working: xr.Dataset) -> dict[str, Any]:
    coords = {"area": seam["area"].to_numpy(), "authority": seam["authority"].to_numpy()}
    coords |= {name: seam[name].to_numpy() for name in model.designs.named if name in seam.coords}
    if "count_events" in working:
        coords["counted_area"] = model.areas.area[model.areas.counted].to_numpy()
    if "locality" in seam.coords:
        coords["locality"] = seam["locality"].to_numpy()
    if "region" in seam.coords:
        coords["region"] = seam["region"].to_numpy()
    if "sum_events" in working:
        coords["total_authority"] = coords["authority"][working["sum_authority"].to_numpy()]
    return coords


def _terms(model: GradientModel, data: dict[str, Variable]) -> None:
    """Parameters, effects and observed counts, inside the context of a PyMC model."""
    spread = None
    if model.family == "negative_binomial":
        spread = _positive("overdispersion", data["prior_overdispersion"])
    elif model.localities:
        spread = _positive("locality_sd", data["prior_locality_sd"])
    names = ("covariate", "area_moderator", "departure")
    shifts = Shifts(*(_coefficient(data, name) for name in names))
    level, slope = _authorities(model, data, spread, shifts)
    if "count_events" in data:
        observe_counts(model, data, level, slope, spread, shifts=shifts)
    observe_hidden(data, level, slope, spread, functools.partial(shifted, data, shifts=shifts))
    if "sum_events" in data:
        observe_totals(model, data, level, slope, spread, shifts=shifts)


def graph_data(model: GradientModel, data: xr.Dataset) -> xr.Dataset:
    """Everything of the graph that differs between outcomes and priors of the same graph.

    Parameters
    ----------
    model : GradientModel
        The specification.
    data : xarray.Dataset
        Its likelihood data.
    """
    steering = model, data
    if model.areas.within_bounds.any():
        filled = filled_in(model)
        steering = filled, likelihood_data(filled)
    within_part = constants(model)["within_part"].to_numpy()
    data = hidden_data(model, data).assign(centring(*steering, within_part))
    for name, term in model_terms(model).items():
        kind, known_as = term.kind, term.kind.prior_name or name
        if kind.prior == "correlation":
            data[f"prior_{known_as}"] = ((), term.prior[0])
        else:
            dims = ("moment",) if kind.dim is None else (kind.dim, "moment")
            data[f"prior_{known_as}"] = (dims, term.prior)
    return data


def _normal(name: str, prior: Variable) -> Variable:
    return pm.Normal(name, mu=prior[0], sigma=prior[1])


def _coefficient(data: dict[str, Variable], name: str) -> Variable | None:
    """Coefficients of the columns of one kind; None where there are none."""
    prior = data.get(f"prior_{name}_coefficient")
    if prior is None:
        return None
    return pm.Normal(f"{name}_coefficient", mu=prior[:, 0], sigma=prior[:, 1], dims=name)


def _sum(columns: Variable | None, coefficient: Variable | None) -> Variable:
    """Sum of coefficient times column over covariates; 0 where there are none."""
    return 0.0 if coefficient is None else (columns * coefficient).sum(axis=1)


def _positive(name: str, prior: Variable) -> Variable:
    return pm.TruncatedNormal(name, mu=prior[0], sigma=prior[1], lower=0.0)


def _authorities(
    model: GradientModel,
    data: dict[str, Variable],
    spread: Variable | None,
    shifts: Shifts,
) -> tuple[Variable, Variable]:
    """Level and slope of each authority."""
    b = data["between_part"]
    present = model_terms(model)
    coefficient = {
        name: _normal(name, data[f"prior_{name}"]) if name in present else 0.0
        for name in ("between", "cross_level", "curvature")
    }
    intercept = _normal("intercept", data["prior_intercept"])
    within: Variable = 0.0
    if model.deprivation != "none":
        within = _normal(
            "pooled" if model.deprivation == "pooled" else "within", data["prior_within"]
        )

    terms = (intercept, coefficient["between"], coefficient["curvature"], b)
    shift, turns = (
        _sum(data.get(f"{name}_design"), _coefficient(data, name))
        for name in ("authority_covariate", "moderator")
    )
    # One slope per authority all the same, also where nothing makes it differ.
    own_slope = 0.0 * b + authority_slope(
        within, coefficient["cross_level"], b, 0.0, moderators=turns
    )
    # The mean effect of columns of areas is used to precondition the sampler, nothing else.
    expected = (
        authority_level(*terms, 0.0, covariates=shift)
        + _sum(data.get("centring_covariate"), shifts.covariate)
        + _sum(data.get("centring_departure"), shifts.departure),
        own_slope + _sum(data.get("centring_area_moderator"), shifts.area_moderator),
    )
    # Events that share a gamma factor say less: by how much depends on how many of them do.
    lost = 1.0 + (0.0 if spread is None else spread**2) * data["events_per_factor"]
    known_level, known_slope = (data[f"{n}_information"] / lost for n in ("level", "slope"))
    # A factor that areas share says nothing of how their rates differ.
    known_slope += data["shared_slope_information"]
    if not model.random_levels:
        return authority_level(*terms, 0.0 * b, covariates=shift), own_slope
    level_sd = _positive("level_sd", data["prior_level_sd"])
    if model.regions:
        region_effect = region_effects(
            data,
            expected_level=expected[0],
            expected_slope=expected[1],
            level_sd=level_sd,
            region_sd=_positive("region_sd", data["prior_region_sd"]),
            known=known_level,
            regions=len(model.areas.region),
        )
        of_region = region_effect[data["region_of_authority"]]
        shift, expected = shift + of_region, (expected[0] + of_region, expected[1])
    if not model.random_slopes:
        level_effect = level_effects(
            data,
            expected_level=expected[0],
            expected_slope=expected[1],
            level_sd=level_sd,
            known=known_level,
        )
        return authority_level(*terms, level_effect, covariates=shift), own_slope
    slope_sd = _positive("slope_sd", data["prior_slope_sd"])
    unit = pm.Beta("correlation_unit", data["prior_correlation"], data["prior_correlation"])
    correlation = pm.Deterministic("correlation", 2.0 * unit - 1.0)
    level_effect, slope_effect = level_and_slope_effects(
        data,
        expected_level=expected[0],
        expected_slope=expected[1],
        level_sd=level_sd,
        slope_sd=slope_sd,
        correlation=correlation,
        known_level=known_level,
        known_slope=known_slope,
    )
    return (
        authority_level(*terms, level_effect, covariates=shift),
        authority_slope(within, coefficient["cross_level"], b, slope_effect, moderators=turns),
    )
