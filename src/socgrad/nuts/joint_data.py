"""The data of the joint graph: those of every stratum, side by side."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.model.compression import constants
from socgrad.model.gradient_model import GradientModel
from socgrad.nuts.centring import centring
from socgrad.nuts.coefficient_scales import coefficient_scales

__all__ = ["joint_coefficients", "joint_data"]

_ALSO = ("centring_at", "centring_slope", "level_information", "slope_information")


def joint_coefficients(model: GradientModel) -> list[tuple[str, str, int]]:
    """Each coefficient: its name, whether it belongs to the level or the slope, and its power of b.

    In the order of the free vector of the graph, each once for all strata.
    """
    names = [("intercept", "level", 0)]
    if model.deprivation != "none":
        names.append(("pooled" if model.deprivation == "pooled" else "within", "slope", 0))
    if model.deprivation == "split":
        names.append(("between", "level", 1))
    if model.cross_level:
        names.append(("cross_level", "slope", 1))
    if model.curvature:
        names.append(("curvature", "level", 2))
    return names


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
        `count_*` (authorities with counts), `area_*` and `sum_*` one stratum after the other, where
        `*_cell` is the position of stratum and authority in an array of shape (stratum, authority).
        `prior_*`, dims (stratum, moment). `coefficient_*`: their prior, and the scales of
        `socgrad.nuts.coefficient_scales`.
    """
    own = [_centring(model, each) for model, each in zip(models, data, strict=True)]
    dims = ("stratum", "authority")
    joint = xr.Dataset({n: (dims, np.stack([each[n] for each in own])) for n in own[0]})
    joint["between_part"] = ("authority", constants(models[0])["between_part"].to_numpy())
    authorities = joint.sizes["authority"]
    for kind, names in (
        ("count", ("events", "events_within")),
        ("sum", ("events",)),
        ("area", ("within", "log_exposure")),
    ):
        theirs = "row" if kind == "area" else kind
        parts = [(s, each) for s, each in enumerate(data) if f"{theirs}_authority" in each]
        if not parts:
            continue
        cells = [s * authorities + each[f"{theirs}_authority"].to_numpy() for s, each in parts]
        joint[f"{kind}_cell"] = (f"{kind}_row", np.concatenate(cells))
        for name in names:
            values = np.concatenate([each[f"{theirs}_{name}"].to_numpy() for _, each in parts])
            joint[f"{kind}_{name}"] = (f"{kind}_row", values)
        if kind == "area":
            continue
        joint[f"{kind}_constant"] = ((), sum(float(each[f"{kind}_constant"]) for _, each in parts))
        for name in ("node_within", "node_exposure"):
            values = _stacked([each[f"{theirs}_{name}"].to_numpy() for _, each in parts])
            joint[f"{kind}_{name}"] = ((f"{kind}_row", f"{kind}_node"), values)
    return joint.assign(_priors(models)).assign(_scales(models, data, joint))


def _centring(model: GradientModel, data: xr.Dataset) -> dict[str, FloatArray]:
    """Rough estimates of one stratum, with the log of its expected events about them."""
    within_part = constants(model)["within_part"].to_numpy()
    found = centring(model, data, within_part)
    values: dict[str, FloatArray] = {name: found[name].to_numpy() for name in _ALSO}
    of, n = model.areas.authority_of_area, len(model.areas.authority)
    mass = model.areas.exposure * np.exp(values["centring_slope"][of] * within_part)
    has_data = model.areas.counted | ~np.isnan(model.areas.total_events)[of]
    mass = np.where(has_data, mass, 0.0)
    total = np.bincount(of, mass, n)
    known = values["level_information"] > 0
    events = np.where(known, values["level_information"], 1.0)
    square = np.bincount(of, mass * (within_part - values["centring_at"][of]) ** 2, n)
    values["centring_level"] = np.where(known, np.log(events / np.where(known, total, 1.0)), 0.0)
    values["centring_spread"] = np.where(known, square / np.where(known, total, 1.0), 0.0)
    return values


def _stacked(parts: list[FloatArray]) -> FloatArray:
    """Nodes of all strata: those of no exposure fill up rows that have fewer."""
    width = max(each.shape[1] for each in parts)
    return np.concatenate([np.pad(each, ((0, 0), (0, width - each.shape[1]))) for each in parts])


def _priors(
    models: Sequence[GradientModel],
) -> dict[str, tuple[tuple[str, ...], FloatArray]]:
    made: dict[str, tuple[tuple[str, ...], FloatArray]] = {}
    for name in ("level_sd", "slope_sd"):
        priors = [getattr(model.step_priors, name) for model in models]
        moments = np.array([[prior.mean, prior.sd] for prior in priors])
        made[f"prior_{name}"] = (("stratum", "moment"), moments)
    return {**made, "prior_correlation": ((), np.array(models[0].step_priors.correlation))}


def _scales(
    models: Sequence[GradientModel], data: Sequence[xr.Dataset], joint: xr.Dataset
) -> dict[str, tuple[tuple[str, ...], FloatArray]]:
    """Prior of the free coefficients, given the scales on which they are about independent."""
    strata = len(models)
    names = joint_coefficients(models[0])
    moments = np.array(
        [
            each["prior_intercept"].to_numpy()
            if name == "intercept"
            else [getattr(model.step_priors, prior).mean, getattr(model.step_priors, prior).sd]
            for name, _, _ in names
            for prior in ["within" if name == "pooled" else name]
            for model, each in zip(models, data, strict=True)
        ]
    )
    rows = {"level": np.arange(strata), "slope": strata + np.arange(strata)}
    terms = [
        (power, np.concatenate([rows[kind] for _, kind, p in names if p == power]))
        for power in sorted({power for _, _, power in names})
    ]
    centre, scale = coefficient_scales(
        np.concatenate([joint["centring_level"], joint["centring_slope"]]),
        np.concatenate([joint["level_information"], joint["slope_information"]]),
        joint["between_part"].to_numpy(),
        terms=terms,
        prior_mean=moments[:, 0],
        prior_sd=moments[:, 1],
    )
    return {
        "coefficient_centre": (("coefficient",), centre),
        "coefficient_scale": (("coefficient", "coefficient_bis"), scale),
        "coefficient_mean": (("coefficient",), moments[:, 0]),
        "coefficient_sd": (("coefficient",), moments[:, 1]),
    }
