"""From a specification to the numbers that `nuts.density` reads."""

import numpy as np
import xarray as xr
from scipy.special import betaln, log_ndtr

from socgrad.arrays import FloatArray
from socgrad.model.compression import constants
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, PositiveNormal
from socgrad.nuts.centring import centring
from socgrad.nuts.density import HEADER
from socgrad.predictor import authority_level, authority_slope

__all__ = ["first_guess", "is_written_out", "packed_problem", "parameters"]


def is_written_out(model: GradientModel) -> bool:
    """Whether `nuts.density` holds the density of a model; the graph of `nuts.graph` holds all."""
    has_totals = bool((~np.isnan(model.areas.total_events)).any())
    return (
        bool(model.random_slopes)
        and not model.designs.of_areas
        and not model.localities
        and not model.regions
        and (model.family == "poisson" or not has_totals)
    )


def _coefficients(model: GradientModel) -> tuple[dict[str, int], dict[str, int]]:
    """Names of the coefficients of level and of slope, and how many numbers each holds."""
    main = "pooled" if model.deprivation == "pooled" else "within"
    level = {"intercept": 1, "between": int(model.deprivation == "split")}
    level |= {"curvature": int(model.curvature)}
    level |= {"authority_covariate_coefficient": len(model.designs.authority_covariates.names)}
    slope = {main: 1, "cross_level": int(bool(model.cross_level))}
    slope |= {"moderator_coefficient": len(model.designs.moderators.names)}
    return {n: size for n, size in level.items() if size}, {n: s for n, s in slope.items() if s}


def parameters(model: GradientModel) -> dict[str, tuple[int, ...]]:
    """Names and shapes of what is drawn, in the order of `nuts.density.draws`."""
    level, slope = _coefficients(model)
    vectors = {"authority_covariate_coefficient", "moderator_coefficient"}
    shapes: dict[str, tuple[int, ...]] = {
        n: (size,) if n in vectors else () for n, size in (level | slope).items()
    }
    names = ["level_sd", "slope_sd", "correlation"]
    names += ["overdispersion"] * (model.family == "negative_binomial")
    shapes |= dict.fromkeys(names, ())
    effects = (len(model.areas.authority),)
    return shapes | {"level_effect": effects, "slope_effect": effects}


def packed_problem(model: GradientModel, data: xr.Dataset) -> FloatArray:
    """The numbers behind `socgrad.nuts.density.Problem`, in its order, after a header of sizes.

    Parameters
    ----------
    model : GradientModel
        The specification.
    data : xarray.Dataset
        Its likelihood data.
    """
    priors = _coefficient_priors(model, data)
    sds = _sd_priors(model)
    columns = _columns(model)
    steering = centring(model, data, constants(model)["within_part"].to_numpy())
    events = _events(model, data)
    rows = _rows(model, data)
    authorities = len(model.areas.authority)
    sizes = [
        authorities,
        len(columns[0]),
        len(columns[1]),
        len(sds),
        events["node_within"].shape[1],
        len(rows["row_events"]),
        len(rows["distinct_events"]),
    ]
    beta = float(model.step_priors.correlation)
    constant = sum(float(data[name]) for name in ("count_constant", "sum_constant") if name in data)
    widths = [prior.sd for prior in priors] + [prior.sd for prior in sds]
    constant -= float(np.sum(np.log(widths) + _HALF_LOG_2PI))
    constant -= sum(float(log_ndtr(prior.mean / prior.sd)) for prior in sds)
    constant -= 2 * authorities * _HALF_LOG_2PI + float(betaln(beta, beta))
    pieces = [
        [prior.mean for prior in priors],
        [prior.sd for prior in priors],
        [prior.mean for prior in sds],
        [prior.sd for prior in sds],
        *columns,
        *(
            steering[name]
            for name in (
                "centring_at",
                "centring_spread",
                "centring_level",
                "centring_slope",
                "centring_log_sum",
                "level_information",
                "slope_information",
                "events_per_factor",
            )
        ),
        *events.values(),
        *rows.values(),
    ]
    packed = np.concatenate([np.asarray(piece, dtype=np.float64).ravel() for piece in pieces])
    head = [HEADER + len(packed), *sizes, constant, beta]
    assert len(head) == HEADER
    return np.concatenate([head, packed])


def first_guess(model: GradientModel, data: xr.Dataset) -> FloatArray:
    """A point without bounds to start near: about where the priors lie."""
    sds = [np.log(max(prior.mean, prior.sd)) for prior in _sd_priors(model)]
    effects = np.zeros(2 * len(model.areas.authority))
    means = [prior.mean for prior in _coefficient_priors(model, data)]
    return np.concatenate([means, sds[:2], [0.0], sds[2:], effects])


_HALF_LOG_2PI = 0.5 * float(np.log(2 * np.pi))


def _coefficient_priors(model: GradientModel, data: xr.Dataset) -> list[Normal]:
    """The prior of each coefficient, those of the level first."""
    mean, sd = data["prior_intercept"].to_numpy()
    given = model.coefficient_priors
    priors: list[Normal] = []
    for name in (name for names in _coefficients(model) for name in names):
        if name == "intercept":
            priors.append(Normal(float(mean), float(sd)))
        elif name in given:
            priors.extend(given[name])
        else:
            priors.append(getattr(model.step_priors, name.replace("pooled", "within")))
    return priors


def _sd_priors(model: GradientModel) -> list[PositiveNormal]:
    given = model.step_priors
    overdispersion = [given.overdispersion] * (model.family == "negative_binomial")
    return [given.level_sd, given.slope_sd, *overdispersion]


def _columns(model: GradientModel) -> tuple[FloatArray, FloatArray]:
    """What each coefficient multiplies: level and slope where it is 1 and all else is 0."""
    b = model.between_part
    designs = model.designs
    level, slope = _coefficients(model)

    def one(name: str, wanted: str) -> float:
        return float(name == wanted)

    levels = [
        authority_level(one(n, "intercept"), one(n, "between"), one(n, "curvature"), b, 0.0 * b)
        for n in level
        if n != "authority_covariate_coefficient"
    ]
    slopes = [
        authority_slope(float(n in ("within", "pooled")), one(n, "cross_level"), b, 0.0)
        for n in slope
        if n != "moderator_coefficient"
    ]
    return (
        np.vstack([*levels, designs.authority_covariates.matrix.T]),
        np.vstack([*slopes, designs.moderators.matrix.T]),
    )


def _events(model: GradientModel, data: xr.Dataset) -> dict[str, FloatArray]:
    """Events and exposures by authority; those of areas by themselves are in `_rows`."""
    authorities = len(model.areas.authority)
    kinds = [kind for kind in ("count", "sum") if f"{kind}_events" in data]
    by_rows = model.family == "negative_binomial"
    nodes = 0 if by_rows else max(data.sizes[f"{kind}_node"] for kind in kinds)
    made = {name: np.zeros(authorities) for name in ("events", "events_within", "is_total")}
    made |= {name: np.zeros((authorities, nodes)) for name in ("node_within", "node_exposure")}
    for kind in kinds:
        of = data[f"{kind}_authority"].to_numpy()
        made["events"][of] = data[f"{kind}_events"]
        if kind == "count":
            made["events_within"][of] = data["count_events_within"]
        made["is_total"][of] = kind == "sum"
        if not by_rows:
            for name in ("node_within", "node_exposure"):
                values = data[f"{kind}_{name}"].to_numpy()
                made[name][of, : values.shape[1]] = values
    return made


def _rows(model: GradientModel, data: xr.Dataset) -> dict[str, FloatArray]:
    """Neighbourhoods by authority and events, for the negative binomial."""
    authorities = len(model.areas.authority)
    if model.family == "poisson":
        empty = np.zeros(0)
        names = ("row_events", "row_within", "row_log_exposure", "distinct_events", "distinct_rows")
        rows = dict.fromkeys(names, empty)
        return {"first": np.zeros(authorities + 1), **rows}
    authority, events, within = (
        data[name].to_numpy() for name in ("row_authority", "row_events", "row_within")
    )
    order = np.lexsort((events, authority))
    return {
        "first": np.searchsorted(authority[order], np.arange(authorities + 1)).astype(np.float64),
        "row_events": events[order],
        "row_within": within[order],
        "row_log_exposure": data["row_log_exposure"].to_numpy()[order],
        "distinct_events": data["distinct_events"].to_numpy(),
        "distinct_rows": data["distinct_rows"].to_numpy(),
    }
