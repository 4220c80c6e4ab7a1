"""Observed counts of the PyMC graph: a compressed density, and a generator row by row."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.model import likelihoods
from socgrad.model.gradient_model import GradientModel
from socgrad.nuts.pymc_quietly import pm, pt
from socgrad.predictor import log_rate

__all__ = ["observe_counts", "observe_totals"]

type Variable = Any  # PyTensor's variables carry no useful static types.
type Size = int | tuple[int, ...] | None

# Core dimensions of the arguments of each likelihood, in the notation of generalised ufuncs: n
# counted areas, c authorities (with counts, or with totals), k and q nodes, m steps of a count.
_SHAPES = {
    "level": "c",
    "slope": "c",
    "overdispersion": "",
    "constant": "",
    "events": "c",
    "events_within": "c",
    "node_within": "c,k",
    "node_exposure": "c,k",
    "square_within": "c,q",
    "square_exposure": "c,q",
    "row_level": "n",
    "row_slope": "n",
    "row_events": "n",
    "row_within": "n",
    "row_log_exposure": "n",
    "exceeding": "m",
    "steps": "m",
}


def observe_counts(
    model: GradientModel,
    data: dict[str, Variable],
    level: Variable,
    slope: Variable,
    overdispersion: Variable | None,
) -> None:
    """Neighbourhood counts, observed."""
    j, i = data["count_authority"], data["row_authority"]
    rows = {name: data[name] for name in ("row_within", "row_log_exposure")}
    rows |= {"row_level": level[i], "row_slope": slope[i]}
    statistics = {"level": level[j], "slope": slope[j]}
    statistics |= {n: data[f"count_{n}"] for n in ("events", "events_within", "constant")}
    if overdispersion is None:
        density: Callable[..., Variable] = likelihoods.poisson_counts
        statistics |= {n: data[f"count_{n}"] for n in ("node_within", "node_exposure")}
    else:
        density = likelihoods.negative_binomial_counts
        statistics |= {n: data[n] for n in ("row_events", "exceeding", "steps")} | rows
        statistics["overdispersion"] = overdispersion

    def draw(values: dict[str, FloatArray], rng: np.random.Generator, size: Size) -> FloatArray:
        log_rates = log_rate(values["row_level"], values["row_slope"], values["row_within"])
        mean = np.exp(values["row_log_exposure"] + log_rates)
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


def observe_totals(
    model: GradientModel,
    data: dict[str, Variable],
    level: Variable,
    slope: Variable,
    overdispersion: Variable | None,
) -> None:
    """Authority totals, observed."""
    j = data["sum_authority"]
    statistics = {"level": level[j], "slope": slope[j]}
    statistics |= {
        n: data[f"sum_{n}"] for n in ("events", "node_within", "node_exposure", "constant")
    }
    density: Callable[..., Variable] = likelihoods.poisson_totals
    if overdispersion is not None:
        density = functools.partial(likelihoods.negative_binomial_totals, log_gamma=pt.gammaln)
        statistics["overdispersion"] = overdispersion
        for name in ("within", "exposure"):
            statistics[f"square_{name}"] = data[f"square_node_{name}"]

    def draw(values: dict[str, FloatArray], rng: np.random.Generator, size: Size) -> FloatArray:
        def summed(power: float, within: FloatArray, exposure: FloatArray) -> FloatArray:
            level, slope = (power * values[n][..., None] for n in ("level", "slope"))
            return np.sum(exposure * np.exp(log_rate(level, slope, within)), axis=-1)

        mean = summed(1.0, values["node_within"], values["node_exposure"])
        if "overdispersion" not in values:
            return _draw_counts(mean, np.zeros(()), rng, size)
        squares = summed(2.0, values["square_within"], values["square_exposure"])
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
    shape = mean.shape if size is None else (*np.atleast_1d(size), mean.shape[-1])
    variance = np.broadcast_to(variance, shape)
    positive = variance > 0
    factor = np.ones(shape)
    factor[positive] = rng.gamma(1.0 / variance[positive], variance[positive])
    return rng.poisson(np.broadcast_to(mean, shape) * factor).astype(np.float64)


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
