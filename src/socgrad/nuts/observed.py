"""Observed counts of a PyMC graph: a compressed density, and a generator row by row."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laws.draws import drawn_counts, drawn_factors
from socgrad.nuts.drawing import Size
from socgrad.nuts.pymc_quietly import pm, pt
from socgrad.predictor import log_rate

__all__ = ["SHAPES", "draw_areas", "draw_totals", "observe"]

type Variable = Any  # PyTensor's variables carry no useful static types.
type Draw = Callable[[dict[str, FloatArray], np.random.Generator, Size], FloatArray]


# Core dimensions of the arguments of each likelihood, in the notation of generalised ufuncs: n
# counted areas, c cells of them (or authorities with totals), g localities, k, q and h nodes, m
# distinct numbers of events, e authorities of all strata, s strata, f one more than e.
SHAPES: Final[Mapping[str, str]] = {
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
    "number_spread": "m",
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
    "distinct_events": "m",
    "distinct_rows": "m",
}


def observe(
    name: str,
    parameters: dict[str, Variable],
    *,
    density: Callable[..., Variable],
    density_names: tuple[str, ...],
    draw: Draw,
    observed: FloatArray,
    dim: str,
    core: str,
    shapes: Mapping[str, str] = SHAPES,
) -> None:
    """Add observed counts with a compressed density and a row-wise generator.

    Parameters
    ----------
    name
        Of the variable.
    parameters
        What density and generator read, by name.
    density
        Log-likelihood of all counts, which enter through sums among its parameters.
    density_names
        The parameters that it takes.
    draw
        Makes counts of parameters by name, a generator and a size.
    observed
        The counts.
    dim
        Their dimension.
    core
        Its letter in `shapes`.
    shapes
        Core dimensions of the parameters.
    """
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

    signature = ",".join(f"({shapes[n]})" for n in names)
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


def draw_areas(values: dict[str, FloatArray], rng: np.random.Generator, size: Size) -> FloatArray:
    """Counts of neighbourhoods, by the names of `socgrad.laws`."""
    log_rates = log_rate(values["row_level"], values["row_slope"], values["row_within"])
    mean = np.exp(values["row_log_exposure"] + log_rates)
    if "locality_sd" in values:
        variance = np.square(values["locality_sd"]) * np.ones_like(values["locality_level"])
        factor = drawn_factors(variance, _shape(variance, size), rng)
        return _draw_counts(mean * factor[..., values["row_locality"]], np.zeros(()), rng, size)
    return _draw_counts(mean, np.square(values.get("overdispersion", 0.0)), rng, size)


def draw_totals(values: dict[str, FloatArray], rng: np.random.Generator, size: Size) -> FloatArray:
    """Authority totals, by the names of `socgrad.laws`."""

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


def _draw_counts(
    mean: FloatArray, variance: FloatArray, rng: np.random.Generator, size: Size
) -> FloatArray:
    """Poisson counts whose means vary by a gamma factor of mean 1 and the given variance."""
    return drawn_counts(np.broadcast_to(mean, _shape(mean, size)), variance, rng)


def _shape(values: FloatArray, size: Size) -> tuple[int, ...]:
    return values.shape if size is None else (*np.atleast_1d(size), values.shape[-1])
