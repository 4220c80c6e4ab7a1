"""The PyMC graph of several strata whose authority effects hang together.

Each stratum has its own coefficients and standard deviations; the levels and slopes of an authority
in all strata are one normal vector.
"""

from typing import Any

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.model.bounds_checks import refuse_bounds_in_graphs
from socgrad.model.compression import likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.stratified_model import Correlations, StratifiedModel
from socgrad.nuts.correlations import factor_loadings
from socgrad.nuts.joint_counts import observe_joint_counts, observe_joint_totals
from socgrad.nuts.joint_covariance import full_covariance
from socgrad.nuts.joint_data import joint_coefficients, joint_data
from socgrad.nuts.joint_effects import joint_effects
from socgrad.nuts.joint_rows import KINDS, OF_AREAS
from socgrad.nuts.observed import Shifts
from socgrad.nuts.packing import layout, packed, unpacked
from socgrad.nuts.pymc_quietly import pm, pt
from socgrad.nuts.spreads import standard_deviations
from socgrad.predictor import authority_level, authority_slope

__all__ = ["joint_compact_data", "joint_compact_model", "joint_graph", "joint_key"]

type Variable = Any  # PyTensor's variables carry no useful static types.


def joint_graph(model: StratifiedModel, *, data: xr.Dataset | None = None) -> pm.Model:
    """Build the graph of several strata with joint authority effects, as `socgrad.pymc_model` says.

    Free variables are on scales on which their posterior is about normal
    (`socgrad.nuts.coefficient_scales`, `joint_covariance`, `joint_effects`, `correlations`); their
    distribution is the model's whatever the scales are.

    Parameters
    ----------
    model : StratifiedModel
        The specification, with ``authority_effects="joint"``.
    data : xarray.Dataset, optional
        What `socgrad.nuts.joint_data` makes of it, where that has been computed already.
    """
    for areas in model.strata.values():
        refuse_bounds_in_graphs(areas)
    if data is None:
        models = list(model.models.values())
        data = joint_data(models, [likelihood_data(each) for each in models])
    with pm.Model(coords=_coords(model)) as graph:
        given = {
            str(name): pm.Data(str(name), values.to_numpy(), dims=values.dims or None)
            for name, values in data.data_vars.items()
        }
        _terms(model, given)
    return graph


def joint_compact_model(model: StratifiedModel, data: xr.Dataset) -> pm.Model:
    """Build the graph of `joint_graph` with its data in a few arrays, which compiles sooner.

    Parameters
    ----------
    model : StratifiedModel
        The specification.
    data : xarray.Dataset
        What `socgrad.nuts.joint_data` makes of it.
    """
    small, free = _parts(data)
    lengths = ("coefficient", "area_row", "sum_row")
    coords = {name: np.arange(data.sizes[name]) for name in lengths if name in data.sizes}
    with pm.Model(coords=_coords(model) | coords) as graph:
        arrays = {
            str(name): pm.Data(str(name), values.to_numpy())
            for name, values in joint_compact_data(data).data_vars.items()
        }
        given = unpacked(arrays, layout(small))
        for stack, names in _alike(free).items():
            given |= {name: arrays[stack][k] for k, name in enumerate(names)}
        _terms(model, given)
    return graph


def joint_compact_data(data: xr.Dataset) -> xr.Dataset:
    """Values of the data of `joint_compact_model`, by name."""
    small, free = _parts(data)
    stacks = {
        stack: ((f"{stack}_name", *free[names[0]].dims), np.stack([free[n] for n in names]))
        for stack, names in _alike(free).items()
    }
    return packed(small).assign(stacks)


def _parts(data: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """What has one shape in all models of a key, and what is as long as the table is."""
    rows = [name for name in data if str(name).startswith(KINDS)]
    rows = [name for name in rows if data[name].ndim]
    return data.drop_vars(rows), data[rows]


def _alike(free: xr.Dataset) -> dict[str, list[str]]:
    """Names of arrays of the same dims and kind, which make one array of the compact graph."""
    stacks: dict[str, list[str]] = {}
    for name, values in free.data_vars.items():
        stack = "_by_".join([values.dtype.kind, *map(str, values.dims)])
        stacks.setdefault(stack, []).append(str(name))
    return stacks


def joint_key(model: StratifiedModel, data: xr.Dataset) -> tuple[object, ...]:
    """What two joint models must share for one compiled graph to serve both."""
    models = list(model.models.values())
    return (
        model.correlations,
        model.family,
        len(models),
        len(models[0].areas.authority),
        tuple((one.name, one.place) for one in joint_coefficients(models[0])),
        tuple(len(models[0].designs.named[name].names) for name in OF_AREAS),
        "count_events" in data,
        "sum_events" in data,
    )


def _coords(model: StratifiedModel) -> dict[str, Any]:
    labels, first = list(model.strata.labels), model.strata.first
    designs = model.models[labels[0]].designs.named
    named = ("authority_covariate", "moderator", *OF_AREAS)
    covariates = {name: list(designs[name].names) for name in named}
    return {
        "stratum": labels,
        "stratum_bis": labels,
        "authority": first.authority.to_numpy(),
        "component": np.arange(2 * len(labels)),
    } | {name: columns for name, columns in covariates.items() if columns}


def _terms(model: StratifiedModel, data: dict[str, Variable]) -> None:
    """Parameters, effects and observed counts, inside the context of a PyMC model."""
    models = list(model.models.values())
    shifts = Shifts(*(_coefficients_of_areas(data, name) for name in OF_AREAS))
    level, slope = _authorities(models[0], data, shifts, len(models), model.correlations)
    overdispersion = None
    if model.family == "negative_binomial":
        prior = data["prior_overdispersion"]
        overdispersion = pm.TruncatedNormal(
            "overdispersion", mu=prior[:, 0], sigma=prior[:, 1], lower=0.0, dims="stratum"
        )
    if "count_events" in data:
        counts = np.concatenate([each.areas.events[each.areas.counted] for each in models])
        observe_joint_counts(
            data, level, slope, overdispersion=overdispersion, shifts=shifts, observed=counts
        )
    if "sum_events" in data:
        totals = np.concatenate([each.areas.total_events for each in models])
        totals = totals[~np.isnan(totals)]
        observe_joint_totals(
            data, level, slope, overdispersion=overdispersion, shifts=shifts, observed=totals
        )


def _authorities(
    model: GradientModel,
    data: dict[str, Variable],
    shifts: Shifts,
    strata: int,
    correlations: Correlations,
) -> tuple[Variable, Variable]:
    """Level and slope of every stratum and authority, one vector each."""
    raw = pm.CustomDist(
        "coefficients_raw",
        *(data[f"coefficient_{name}"] for name in ("centre", "scale", "mean", "sd")),
        logp=_coefficient_density,
        random=_draw_coefficients,
        signature="(c),(c,c),(c),(c)->(c)",
        dtype="float64",
        dims="coefficient",
    )
    values = data["coefficient_centre"] + data["coefficient_scale"] @ raw
    coefficient: dict[str, Variable] = {}
    shift: dict[str, Variable] = {}
    every = joint_coefficients(model)
    values = values.reshape((len(every), strata))
    for name in dict.fromkeys(one.name for one in every):
        places = [k for k, one in enumerate(every) if one.name == name]
        dim = name.removesuffix("_coefficient")
        if dim == name:
            (k,) = places
            coefficient[name] = pm.Deterministic(name, values[k], dims="stratum")[:, None]
        else:
            own = pm.Deterministic(name, values[places].T, dims=("stratum", dim))
            shift[dim] = own @ data[f"{dim}_design"].T
    if correlations == "full":
        sds, loadings = full_covariance(data, strata)
    else:
        prior = pt.concatenate([data["prior_level_sd"], data["prior_slope_sd"]])
        sds = standard_deviations("spreads_raw", prior[:, 0], prior[:, 1], data["spread_mixing"])
        loadings = factor_loadings(strata, data["prior_correlation"])
    pm.Deterministic("level_sd", sds[:strata], dims="stratum")
    slope_sd = pm.Deterministic("slope_sd", sds[strata:], dims="stratum")
    _report_correlations(loadings @ loadings.T, strata)

    b = data["between_part"]
    terms = (
        coefficient["intercept"],
        coefficient.get("between", 0.0),
        coefficient.get("curvature", 0.0),
        b,
    )
    within = coefficient.get("within", coefficient.get("pooled"))
    cross_level = coefficient.get("cross_level", 0.0)
    level_shift, slope_shift = shift.get("authority_covariate", 0.0), shift.get("moderator", 0.0)
    # One number per authority all the same, also where nothing makes it differ.
    everywhere = 0.0 * b
    level_effect, slope_effect = joint_effects(
        data,
        expected_level=authority_level(*terms, everywhere, covariates=level_shift)
        + _on_average(data, "covariate", shifts.covariate),
        expected_slope=authority_slope(within, cross_level, b, everywhere, moderators=slope_shift)
        + _on_average(data, "area_moderator", shifts.area_moderator),
        slope_sd=slope_sd,
        loadings=sds[:, None] * loadings,
    )
    level = authority_level(*terms, level_effect, covariates=level_shift)
    slope = authority_slope(within, cross_level, b, slope_effect, moderators=slope_shift)
    return level.ravel(), slope.ravel()


def _coefficients_of_areas(data: dict[str, Variable], name: str) -> Variable | None:
    """Coefficients of columns of areas, a row for each stratum; None where there are none."""
    prior = data.get(f"prior_{name}_coefficient")
    if prior is None:
        return None
    moments = {"mu": prior[:, :, 0], "sigma": prior[:, :, 1]}
    return pm.Normal(f"{name}_coefficient", **moments, dims=("stratum", name))


def _on_average(data: dict[str, Variable], name: str, coefficient: Variable | None) -> Variable:
    """What columns of areas make of an authority's average neighbourhood: it steers alone."""
    if coefficient is None:
        return 0.0
    return (data[f"centring_{name}"] * coefficient[:, None, :]).sum(axis=-1)


def _coefficient_density(
    value: Variable, centre: Variable, scale: Variable, mean: Variable, sd: Variable
) -> Variable:
    """Log density of raw where coefficient = centre + scale @ raw ~ Normal(mean, sd)."""
    away = (centre + scale @ value - mean) / sd
    constant = 0.5 * np.log(2.0 * np.pi)
    return pt.sum(pt.log(pt.diagonal(scale) / sd) - constant - 0.5 * away**2)


def _draw_coefficients(  # noqa: PLR0917 PyMC passes by position
    centre: FloatArray,
    scale: FloatArray,
    mean: FloatArray,
    sd: FloatArray,
    rng: np.random.Generator | None = None,
    size: int | tuple[int, ...] | None = None,
) -> FloatArray:
    if rng is None:
        rng = np.random.default_rng()
    shape = () if size is None else tuple(np.atleast_1d(size))
    away = mean + sd * rng.standard_normal((*shape, mean.shape[-1])) - centre
    raw: FloatArray = np.linalg.solve(scale, away[..., None])[..., 0]
    return raw


def _report_correlations(correlations: Variable, strata: int) -> None:
    dims = ("stratum", "stratum_bis")
    pm.Deterministic("level_correlation", correlations[:strata, :strata], dims=dims)
    pm.Deterministic("slope_correlation", correlations[strata:, strata:], dims=dims)
    across = pm.Deterministic("level_slope_correlation", correlations[:strata, strata:], dims=dims)
    pm.Deterministic("correlation", across[np.arange(strata), np.arange(strata)], dims="stratum")
