"""Observed counts of the PyMC graph: a compressed density, and a generator row by row."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.model import likelihoods
from socgrad.model.gradient_model import GradientModel
from socgrad.nuts.pymc_quietly import pm, pt
from socgrad.predictor import log_rate

__all__ = ["Shifts", "observe_counts", "observe_totals"]

type Variable = Any  # PyTensor's variables carry no useful static types.
type Size = int | tuple[int, ...] | None


@dataclass(frozen=True, eq=False)
class Shifts:
    """Coefficients of columns of areas; None where there are none.

    Of covariates that change the level, of those that change the slope, and of departures from a
    log-linear gradient.
    """

    covariate: Variable | None
    area_moderator: Variable | None
    departure: Variable | None = None


# Core dimensions of the arguments of each likelihood, in the notation of generalised ufuncs: n
# counted areas, c cells of them (or authorities with totals), g localities, k, q and h nodes, m
# steps of a count.
_SHAPES = {
    "level": "c",
    "slope": "c",
    "overdispersion": "",
    "locality_sd": "",
    "locality_level": "g",
    "locality_slope": "g",
    "locality_events": "g",
    "locality_within": "g,h",
    "locality_exposure": "g,h",
    "locality_node_level": "g,h",
    "locality_node_slope": "g,h",
    "row_locality": "n",
    "constant": "",
    "events": "c",
    "events_within": "c",
    "node_within": "c,k",
    "node_exposure": "c,k",
    "square_within": "c,q",
    "square_exposure": "c,q",
    "node_level": "c,k",
    "node_slope": "c,k",
    "events_level": "",
    "square_level": "c,q",
    "square_slope": "c,q",
    "row_level": "n",
    "row_slope": "n",
    "row_events": "n",
    "row_within": "n",
    "row_log_exposure": "n",
    "exceeding": "m",
    "steps": "m",
}


def _shifted(data: dict[str, Variable], kind: str, shifts: Shifts) -> tuple[Variable, Variable]:
    """What columns of areas add to level and slope of cells, rows or nodes; 0 where nothing."""
    level, slope, departure = (
        (data[f"{kind}_{name}"] * coefficient).sum(axis=-1)
        if coefficient is not None and f"{kind}_{name}" in data
        else 0.0
        for name, coefficient in (
            ("covariate", shifts.covariate),
            ("area_moderator", shifts.area_moderator),
            ("departure", shifts.departure),
        )
    )
    if shifts.departure is not None and f"{kind}_departure_slope" in data:
        slope += (data[f"{kind}_departure_slope"] * shifts.departure).sum()
    return level + departure, slope


def observe_counts(
    model: GradientModel,
    data: dict[str, Variable],
    level: Variable,
    slope: Variable,
    spread: Variable | None,
    *,
    shifts: Shifts,
) -> None:
    """Neighbourhood counts, observed; `spread` is that of the gamma factors, if there are any."""
    j, i = data["count_authority"], data["row_authority"]
    rows = {name: data[name] for name in ("row_within", "row_log_exposure")}
    of_row, of_cell = _shifted(data, "row", shifts), _shifted(data, "count", shifts)
    rows |= {"row_level": level[i] + of_row[0], "row_slope": slope[i] + of_row[1]}
    statistics = {"level": level[j] + of_cell[0], "slope": slope[j] + of_cell[1]}
    statistics |= {n: data[f"count_{n}"] for n in ("events", "events_within", "constant")}
    density: Callable[..., Variable] = likelihoods.poisson_counts
    if spread is None:
        statistics |= {n: data[f"count_{n}"] for n in ("node_within", "node_exposure")}
        if "count_node_departure" in data:  # of a spline, which bends within cells
            at_nodes = data["count_node_departure"] * shifts.departure
            of_events = data["count_events_departure"] * shifts.departure
            statistics |= {"node_level": at_nodes.sum(axis=-1), "events_level": of_events.sum()}
    elif model.localities:
        density = likelihoods.locality_counts
        statistics |= _of_localities(data, level, slope, shifts)
        statistics["locality_sd"] = spread
        rows["row_locality"] = data["row_locality"]
    else:
        density = likelihoods.negative_binomial_counts
        statistics |= {n: data[n] for n in ("row_events", "exceeding", "steps")} | rows
        statistics["overdispersion"] = spread

    def draw(values: dict[str, FloatArray], rng: np.random.Generator, size: Size) -> FloatArray:
        log_rates = log_rate(values["row_level"], values["row_slope"], values["row_within"])
        mean = np.exp(values["row_log_exposure"] + log_rates)
        if "locality_sd" in values:
            variance = np.square(values["locality_sd"]) * np.ones_like(values["locality_level"])
            factor = _draw_factors(variance, rng, _shape(variance, size))
            return _draw_counts(mean * factor[..., values["row_locality"]], np.zeros(()), rng, size)
        return _draw_counts(mean, np.square(values.get("overdispersion", 0.0)), rng, size)

    _observe(
        "events",
        statistics | rows,
        density=density,
        density_names=tuple(statistics),
        draw=draw,
        observed=model.areas.events[model.areas.counted],
        dim="counted_area",
        core="n",
    )


def _of_localities(
    data: dict[str, Variable], level: Variable, slope: Variable, shifts: Shifts
) -> dict[str, Variable]:
    """What the likelihood of localities needs besides that of cells."""
    j = data["locality_authority"]
    made = {"locality_level": level[j], "locality_slope": slope[j]}
    made |= {n: data[n] for n in ("locality_events", "exceeding", "steps")}
    made |= {f"locality_{n}": data[f"locality_node_{n}"] for n in ("within", "exposure")}
    added = _shifted(data, "locality_node", shifts)
    if shifts.covariate is not None or shifts.departure is not None:
        made["locality_node_level"] = added[0]
    if shifts.area_moderator is not None:
        made["locality_node_slope"] = added[1]
    return made


def observe_totals(
    model: GradientModel,
    data: dict[str, Variable],
    level: Variable,
    slope: Variable,
    spread: Variable | None,
    *,
    shifts: Shifts,
) -> None:
    """Authority totals, observed; `spread` is that of the gamma factors, if there are any."""
    j = data["sum_authority"]
    statistics = {"level": level[j], "slope": slope[j]}
    statistics |= {
        n: data[f"sum_{n}"] for n in ("events", "node_within", "node_exposure", "constant")
    }
    density: Callable[..., Variable] = likelihoods.poisson_totals
    if spread is not None:
        density = functools.partial(likelihoods.negative_binomial_totals, log_gamma=pt.gammaln)
        statistics["overdispersion"] = spread
        for name in ("within", "exposure"):
            statistics[f"square_{name}"] = data[f"square_node_{name}"]
    kinds = ("node",) if spread is None else ("node", "square")
    for kind, nodes in zip(kinds, ("sum_node", "square_node"), strict=False):
        added = _shifted(data, nodes, shifts)
        if shifts.covariate is not None or shifts.departure is not None:
            statistics[f"{kind}_level"] = added[0]
        if shifts.area_moderator is not None:
            statistics[f"{kind}_slope"] = added[1]

    def draw(values: dict[str, FloatArray], rng: np.random.Generator, size: Size) -> FloatArray:
        def summed(power: float, kind: str) -> FloatArray:
            level, slope = (
                power * (values[n][..., None] + values.get(f"{kind}_{n}", 0.0))
                for n in ("level", "slope")
            )
            rates = np.exp(log_rate(level, slope, values[f"{kind}_within"]))
            return np.sum(values[f"{kind}_exposure"] * rates, axis=-1)

        mean = summed(1.0, "node")
        if "overdispersion" not in values:
            return _draw_counts(mean, np.zeros(()), rng, size)
        squares = summed(2.0, "square")
        return _draw_counts(mean, values["overdispersion"] ** 2 * squares / mean**2, rng, size)

    observed = model.areas.total_events
    _observe(
        "total_events",
        statistics,
        density=density,
        density_names=tuple(statistics),
        draw=draw,
        observed=observed[~np.isnan(observed)],
        dim="total_authority",
        core="c",
    )


def _draw_counts(
    mean: FloatArray, variance: FloatArray, rng: np.random.Generator, size: Size
) -> FloatArray:
    """Poisson counts whose means vary by a gamma factor of mean 1 and the given variance."""
    shape = _shape(mean, size)
    factor = _draw_factors(variance, rng, shape)
    return rng.poisson(np.broadcast_to(mean, shape) * factor).astype(np.float64)


def _shape(values: FloatArray, size: Size) -> tuple[int, ...]:
    return values.shape if size is None else (*np.atleast_1d(size), values.shape[-1])


def _draw_factors(
    variance: FloatArray, rng: np.random.Generator, shape: tuple[int, ...]
) -> FloatArray:
    """Gamma factors of mean 1 and the given variance; 1 where it is 0."""
    variance = np.broadcast_to(variance, shape)
    positive = variance > 0
    factor = np.ones(shape)
    factor[positive] = rng.gamma(1.0 / variance[positive], variance[positive])
    return factor


def _observe(
    name: str,
    parameters: dict[str, Variable],
    *,
    density: Callable[..., Variable],
    density_names: tuple[str, ...],
    draw: Callable[[dict[str, FloatArray], np.random.Generator, Size], FloatArray],
    observed: FloatArray,
    dim: str,
    core: str,
) -> None:
    """Add observed counts with a compressed density and a row-wise generator."""
    names = tuple(parameters)

    def logp(value: Variable, *values: Variable) -> Variable:  # noqa: ARG001 the sums stand for it
        given = dict(zip(names, values, strict=True))
        return density(**{n: given[n] for n in density_names}, xp=pt)

    def random(
        *values: FloatArray, rng: np.random.Generator | None = None, size: Size = None
    ) -> FloatArray:
        if rng is None:
            rng = np.random.default_rng()
        return draw(dict(zip(names, values, strict=True)), rng, size)

    signature = ",".join(f"({_SHAPES[n]})" for n in names)
    pm.CustomDist(
        name,
        *parameters.values(),
        logp=logp,
        random=random,
        signature=f"{signature}->({core})",
        observed=observed.astype(np.int64),
        dtype="int64",
        dims=dim,
    )
