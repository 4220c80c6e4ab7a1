"""The data of the joint graph: those of every stratum, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray, IntArray
from socgrad.model.compression import constants
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal
from socgrad.nuts.centring import centring
from socgrad.nuts.coefficient_scales import coefficient_scales, invertible, rough_effects
from socgrad.nuts.correlations import partial_mixing
from socgrad.nuts.joint_rows import OF_AREAS, joint_rows
from socgrad.nuts.spreads import spread_mixing

__all__ = ["Coefficient", "joint_coefficients", "joint_data"]

_DESIGNS = ("authority_covariate_design", "moderator_design")
_ALSO = ("centring_at", "centring_slope", "level_information", "slope_information")


@dataclass(frozen=True, eq=False)
class Coefficient:
    """A coefficient that every stratum has.

    Attributes
    ----------
    name, prior : str
        Its name in `socgrad.schema`, and that of its prior.
    of : {"level", "slope"}
        What it adds to.
    column : ndarray, shape (authorities,)
        What it multiplies.
    place : int
        Which of the coefficients of this name it is.
    """

    name: str
    prior: str
    of: Literal["level", "slope"]
    column: FloatArray
    place: int = 0


def joint_coefficients(model: GradientModel) -> list[Coefficient]:
    """The coefficients, in the order of the free vector of the graph: each once for all strata.

    Those that multiply the same column stand together.
    """
    b = constants(model)["between_part"].to_numpy()
    one = np.ones_like(b)
    made = [Coefficient("intercept", "intercept", "level", one)]
    if model.deprivation != "none":
        name = "pooled" if model.deprivation == "pooled" else "within"
        made.append(Coefficient(name, "within", "slope", one))
    if model.deprivation == "split":
        made.append(Coefficient("between", "between", "level", b))
    if model.cross_level:
        made.append(Coefficient("cross_level", "cross_level", "slope", b))
    if model.curvature:
        made.append(Coefficient("curvature", "curvature", "level", b**2))
    kinds: tuple[tuple[str, Literal["level", "slope"]], ...] = (
        ("authority_covariate", "level"),
        ("moderator", "slope"),
    )
    for dim, of in kinds:
        name = f"{dim}_coefficient"
        columns = model.designs.named[dim].matrix.T
        made += [Coefficient(name, name, of, each, k) for k, each in enumerate(columns)]
    return made


def joint_data(models: Sequence[GradientModel], data: Sequence[xr.Dataset]) -> xr.Dataset:
    """Everything of the joint graph that differs between outcomes and priors of the same graph.

    Parameters
    ----------
    models : sequence of GradientModel
        One per stratum, of one geography and the same terms.
    data : sequence of xarray.Dataset
        Their likelihood data.

    Returns
    -------
    xarray.Dataset
        Dims (stratum, authority): what the events of each stratum say of each authority.
        What `socgrad.nuts.joint_rows` makes of the counts.
        `prior_*`, dims (stratum, moment). `coefficient_*`: their prior, and the scales of
        `socgrad.nuts.coefficient_scales`; `spread_mixing`, from `socgrad.nuts.spreads`;
        `level_tilt`, of `socgrad.nuts.joint_covariance`.
        `effect_place`: the order, best known first, in which
        `socgrad.nuts.correlations` takes the levels of all strata and their slopes; and
        `partial_mixing`, from there.
    """
    own = [_centring(model, each) for model, each in zip(models, data, strict=True)]
    joint = xr.Dataset(
        {
            name: (("stratum", *value.dims), np.stack([each[name] for each in own]))
            for name, value in own[0].items()
        }
    )
    seam = constants(models[0])
    joint["between_part"] = ("authority", seam["between_part"].to_numpy())
    for name in _DESIGNS:
        if name in seam:
            joint[name] = (seam[name].dims, seam[name].to_numpy())
    joint = joint.assign(joint_rows(models, data))
    joint = joint.assign(_priors(models))
    joint["level_tilt"] = ("stratum", _tilt(joint))
    return joint.assign(_scales(models, data, joint))


def _centring(model: GradientModel, data: xr.Dataset) -> dict[str, xr.DataArray]:
    """Rough estimates of one stratum, with the log of its expected events about them.

    Information is what is left of it by the gamma factors of areas, at a rough overdispersion.
    """
    within_part = constants(model)["within_part"].to_numpy()
    found = centring(model, data, within_part)
    values: dict[str, FloatArray] = {name: found[name].to_numpy() for name in _ALSO}
    of, n = model.areas.authority_of_area, len(model.areas.authority)
    mass = model.areas.exposure * np.exp(values["centring_slope"][of] * within_part)
    has_data = model.areas.known | model.areas.totals_known[of]
    mass = np.where(has_data, mass, 0.0)
    total = np.bincount(of, mass, n)
    known = values["level_information"] > 0
    events = np.where(known, values["level_information"], 1.0)
    square = np.bincount(of, mass * (within_part - values["centring_at"][of]) ** 2, n)
    values["centring_level"] = np.where(known, np.log(events / np.where(known, total, 1.0)), 0.0)
    values["centring_spread"] = np.where(known, square / np.where(known, total, 1.0), 0.0)
    if model.family == "negative_binomial":
        expected = mass * (events / np.where(known, total, 1.0))[of]
        lost = 1.0 + _overdispersion(model, expected) ** 2 * found["events_per_factor"].to_numpy()
        for name in ("level_information", "slope_information"):
            values[name] /= lost
    made = {name: xr.DataArray(value, dims="authority") for name, value in values.items()}
    means = [f"centring_{name}" for name in OF_AREAS]
    return made | {name: found[name] for name in means if name in found}


def _overdispersion(model: GradientModel, expected: FloatArray) -> float:
    """Rough overdispersion of one stratum: by moments of its counts, as far as its prior allows.

    Of totals alone, what the prior says.
    """
    prior = model.step_priors.overdispersion
    usual = float(np.hypot(prior.mean, prior.sd))
    rows = model.areas.counted
    if not rows.any():
        return usual
    mean = expected[rows]
    excess = np.sum((model.areas.events[rows] - mean) ** 2 - mean) / np.sum(mean**2)
    return float(np.clip(np.sqrt(max(excess, 0.0)), 0.1 * usual, 4.0 * usual))


def _places(joint: xr.Dataset) -> IntArray:
    """Place of each effect, levels and then slopes, in the order of what events say of them.

    That is their information beside the variance that effects have a priori.
    """
    told = [
        joint[f"{name}_information"].sum("authority")
        * (joint[f"prior_{name}_sd"] ** 2).sum("moment")  # mean and SD of the prior of an SD
        for name in ("level", "slope")
    ]
    order = np.argsort(-np.concatenate(told), kind="stable")
    places: IntArray = np.empty_like(order)
    places[order] = np.arange(len(order))
    return places


def _tilt(joint: xr.Dataset) -> FloatArray:
    """Where events stand on average, in the steps of w, as far as they do not tell the slope.

    Mean over authorities by what their events say of the level; 0 where counts of neighbourhoods
    tell slopes more closely than their prior does.
    """
    level, slope = (joint[f"{name}_information"].to_numpy() for name in ("level", "slope"))
    weight = level / (1.0 + 0.1 * level)
    prior = (joint["prior_slope_sd"] ** 2).sum("moment").to_numpy()
    untold = 1.0 / (1.0 + slope * prior[:, None])
    tilt: FloatArray = np.sum(weight * untold * joint["centring_at"].to_numpy(), axis=1)
    return tilt / np.maximum(weight.sum(axis=1), 1e-12)


def _priors(
    models: Sequence[GradientModel],
) -> dict[str, tuple[tuple[str, ...], FloatArray]]:
    made: dict[str, tuple[tuple[str, ...], FloatArray]] = {}
    names = ["level_sd", "slope_sd"]
    if models[0].family == "negative_binomial":
        names.append("overdispersion")
    for name in names:
        priors = [getattr(model.step_priors, name) for model in models]
        moments = np.array([[prior.mean, prior.sd] for prior in priors])
        made[f"prior_{name}"] = (("stratum", "moment"), moments)
    for dim in OF_AREAS:
        name = f"{dim}_coefficient"
        if name in models[0].coefficient_priors:
            every = [model.coefficient_priors[name] for model in models]
            moments = np.array([[[prior.mean, prior.sd] for prior in priors] for priors in every])
            made[f"prior_{name}"] = (("stratum", dim, "moment"), moments)
    return {**made, "prior_correlation": ((), np.array(models[0].step_priors.correlation))}


def _scales(
    models: Sequence[GradientModel], data: Sequence[xr.Dataset], joint: xr.Dataset
) -> dict[str, tuple[tuple[str, ...], FloatArray]]:
    """Prior of the free coefficients, given the scales on which they are about independent."""
    coefficients = joint_coefficients(models[0])
    pairs = list(zip(models, data, strict=True))
    moments = [_moments(each, *pair) for each in coefficients for pair in pairs]
    mean, sd = np.array(moments).T
    strata = np.arange(len(models))
    rows = {"level": strata, "slope": len(models) + strata}
    terms: list[tuple[FloatArray, IntArray]] = []
    for each in coefficients:
        own = rows[each.of]
        if terms and terms[-1][0] is each.column:
            own = np.concatenate([terms.pop()[1], own])
        terms.append((each.column, own))
    rough = rough_effects(
        np.concatenate([joint["centring_level"], joint["centring_slope"]]),
        np.concatenate([joint["level_information"], joint["slope_information"]]),
        terms=terms,
    )
    centre, scale = coefficient_scales(rough, terms=terms, prior_mean=mean, prior_sd=sd)
    scale = _tilted(scale, coefficients, joint["level_tilt"].to_numpy())
    spreads = np.concatenate([joint["prior_level_sd"], joint["prior_slope_sd"]])
    mixing = spread_mixing(
        rough.covariance, rough.noise, prior_mean=spreads[:, 0], prior_sd=spreads[:, 1]
    )
    places = _places(joint)
    order = np.argsort(places)
    root = np.sqrt(np.maximum(np.diag(rough.covariance), 1e-12))
    alike = invertible((rough.covariance / np.outer(root, root))[np.ix_(order, order)])
    return {
        "effect_place": (("effect",), places),
        "partial_mixing": (("partial", "partial_bis"), partial_mixing(alike)),
        "spread_mixing": (("effect", "effect_bis"), mixing),
        "coefficient_centre": (("coefficient",), centre),
        "coefficient_scale": (("coefficient", "coefficient_bis"), scale),
        "coefficient_mean": (("coefficient",), mean),
        "coefficient_sd": (("coefficient",), sd),
    }


def _tilted(scale: FloatArray, coefficients: Sequence[Coefficient], tilt: FloatArray) -> FloatArray:
    """Scale of the coefficients where those of levels are known only with those of slopes.

    What is known is the coefficient of level + tilt slope, where both multiply the same column.
    """
    strata = len(tilt)
    level = np.eye(len(scale))
    for i, one in enumerate(coefficients):
        for k, other in enumerate(coefficients):
            if one.of == "level" and other.of == "slope" and one.column is other.column:
                at = np.arange(strata)
                level[strata * i + at, strata * k + at] = -tilt
    root = level @ scale
    lower: FloatArray = np.linalg.cholesky(root @ root.T)
    return lower


def _moments(one: Coefficient, model: GradientModel, data: xr.Dataset) -> tuple[float, float]:
    """Mean and SD of the prior of a coefficient in one stratum."""
    if one.name == "intercept":
        mean, sd = data["prior_intercept"].to_numpy()
        return float(mean), float(sd)
    if one.name in model.coefficient_priors:
        prior: Normal = model.coefficient_priors[one.name][one.place]
    else:
        prior = getattr(model.step_priors, one.prior)
    return prior.mean, prior.sd
