"""The PyMC graph of a gradient model, plain enough to inspect, extend and sample.

Data, priors and centring weights are `pm.Data`, so that one compiled graph serves other outcomes
and other priors with the same terms. The counts enter through `pm.CustomDist`, whose density reads
the compressed statistics and whose `random` draws row by row, so that posterior prediction works as
usual.
"""

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad import likelihoods
from socgrad.compression import constants, likelihood_data
from socgrad.models import GradientModel
from socgrad.predictor import authority_level, authority_slope, log_rate
from socgrad.priors import Normal, PositiveNormal

with warnings.catch_warnings():
    # pip's PyTensor links no BLAS; these graphs multiply no matrices, so nothing is lost.
    warnings.filterwarnings("ignore", message=".*BLAS.*")
    import pymc as pm
    import pytensor.tensor as pt

__all__ = ["graph_data", "graph_key", "pymc_model"]

type Variable = Any  # PyTensor's variables carry no useful static types.
type Floats = npt.NDArray[np.float64]
type Size = int | tuple[int, ...] | None


def pymc_model(model: GradientModel) -> pm.Model:
    """Build the PyMC model of a specification.

    Parameters
    ----------
    model : GradientModel
        The specification.

    Returns
    -------
    pymc.Model
        Free variables named as in `socgrad.schema.PARAMETERS`, authority effects as deterministics
        `level_effect` and `slope_effect` (dim authority), counts as `events` (dim counted_area) and
        `total_events` (dim total_authority). Sampled with `pymc.sample`, it gives a tree that every
        summary accepts. Terms may be added inside ``with pymc_model(model):``.

    Notes
    -----
    The free variables behind the authority effects, `level_raw` and `slope_raw`, are the effects
    standardised by their approximate conditional posteriors, given the authority's own events.
    Their joint distribution is the model's in any case; the choice decides how well the posterior
    is sampled, for common and for very rare events. It goes further than centring by a fixed share
    (Papaspiliopoulos, Roberts & Sköld 2007, Statistical Science 22(1), doi
    10.1214/088342307000000014), because the share follows the standard deviations as they vary.
    """
    seam = constants(model)
    working = graph_data(model)
    coords = {"area": seam["area"].to_numpy(), "authority": seam["authority"].to_numpy()}
    if "count_events" in working:
        coords["counted_area"] = model.areas.area[model.areas.counted].to_numpy()
    if "sum_events" in working:
        coords["total_authority"] = coords["authority"][working["sum_authority"].to_numpy()]
    with pm.Model(coords=coords) as graph:
        data = {
            str(name): pm.Data(str(name), values.to_numpy(), dims=values.dims or None)
            for name, values in (*seam.data_vars.items(), *working.data_vars.items())
        }
        overdispersion = None
        if model.family == "negative_binomial":
            overdispersion = _positive("overdispersion", data["prior_overdispersion"])
        level, slope = _authorities(model, data, overdispersion)
        if "count_events" in data:
            _counts(model, data, level, slope, overdispersion)
        if "sum_events" in data:
            _totals(model, data, level, slope, overdispersion)
    return graph


def graph_data(model: GradientModel) -> xr.Dataset:
    """Everything of the graph that differs between outcomes and priors of the same graph."""
    data = likelihood_data(model)
    for name in _prior_names(model):
        prior: Normal | PositiveNormal = getattr(model.priors, name)
        data[f"prior_{name}"] = (("moment",), np.array([prior.mean, prior.sd]))
    if model.random_slopes:
        data["prior_correlation"] = ((), model.priors.correlation)
    return data


def graph_key(model: GradientModel) -> tuple[object, ...]:
    """What two models must share for one compiled graph to serve both."""
    return (
        model.family,
        model.deprivation,
        model.random_slopes,
        model.cross_level,
        model.curvature,
        bool(model.areas.counted.any()),
        bool((~np.isnan(model.areas.total_events)).any()),
        len(model.areas.authority),
    )


def _prior_names(model: GradientModel) -> list[str]:
    """The parameters, other than intercept and correlation, that the specification has."""
    present = {
        "within": model.deprivation != "none",
        "between": model.deprivation == "split",
        "cross_level": model.cross_level,
        "curvature": model.curvature,
        "level_sd": True,
        "slope_sd": model.random_slopes,
        "overdispersion": model.family == "negative_binomial",
    }
    return [name for name, there in present.items() if there]


def _normal(name: str, prior: Variable) -> Variable:
    return pm.Normal(name, mu=prior[0], sigma=prior[1])


def _positive(name: str, prior: Variable) -> Variable:
    return pm.TruncatedNormal(name, mu=prior[0], sigma=prior[1], lower=0.0)


def _authorities(
    model: GradientModel, data: dict[str, Variable], overdispersion: Variable | None
) -> tuple[Variable, Variable]:
    """Level and slope of each authority."""
    b = data["between_part"]
    present = _prior_names(model)
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
    expected = (
        authority_level(*terms, 0.0),
        # One slope per authority all the same, also where nothing makes it differ.
        authority_slope(within, coefficient["cross_level"], b, 0.0) + 0.0 * b,
    )
    # Overdispersed events say less: by how much depends on how many there are in an area.
    spread = 0.0 if overdispersion is None else overdispersion**2
    lost = 1.0 + spread * data["events_per_area"]
    known = {n: data[f"{n}_information"] / lost for n in ("level", "slope")}
    level_sd = _positive("level_sd", data["prior_level_sd"])
    if not model.random_slopes:
        level_effect = _effect(
            "level",
            mean=0.0,
            variance=level_sd**2,
            estimate=data["centring_level"] - _log_events(*expected, data),
            information=known["level"],
        )
        level_effect = pm.Deterministic("level_effect", level_effect, dims="authority")
        return authority_level(*terms, level_effect), expected[1]
    slope_sd = _positive("slope_sd", data["prior_slope_sd"])
    unit = pm.Beta("correlation_unit", data["prior_correlation"], data["prior_correlation"])
    correlation = pm.Deterministic("correlation", 2.0 * unit - 1.0)
    level_effect, slope_effect = _effects(
        data,
        expected_level=expected[0],
        expected_slope=expected[1],
        level_sd=level_sd,
        slope_sd=slope_sd,
        correlation=correlation,
        known=known,
    )
    return (
        authority_level(*terms, level_effect),
        authority_slope(within, coefficient["cross_level"], b, slope_effect),
    )


def _effects(
    data: dict[str, Variable],
    *,
    expected_level: Variable,
    expected_slope: Variable,
    level_sd: Variable,
    slope_sd: Variable,
    correlation: Variable,
    known: dict[str, Variable],
) -> tuple[Variable, Variable]:
    """Level and slope effects, bivariate normal, through two variables that the data tell apart.

    `total` is the effect on the log rate where an authority's events are (w = at), which its total
    determines: total = level_effect + at * slope_effect. `turn` is the slope effect itself where
    the data know the slope (share 0), and what `total` leaves of it where they do not:
    turn = slope_effect - share * total. Both are linear in the effects, so the density of the
    effects is the model's whatever `at` and `share` are.
    """
    at = data["centring_at"]
    covariance = slope_sd * (correlation * level_sd + at * slope_sd)
    total_variance = level_sd**2 + at * slope_sd * (2.0 * correlation * level_sd + at * slope_sd)
    unknown = 1.0 / (1.0 + known["slope"] * slope_sd**2)
    share = unknown * covariance / total_variance
    with_total = (1.0 - unknown) * covariance  # of turn
    turn_variance = slope_sd**2 - unknown * (2.0 - unknown) * covariance**2 / total_variance
    turn = _effect(
        "slope",
        mean=0.0,
        variance=turn_variance,
        estimate=data["centring_slope"] - expected_slope,
        information=known["slope"],
    )
    # `turn` fixes the slope but for share * total: a first look at the events gives about that.
    rough = _estimate_total(turn, expected_level, expected_slope, data)
    rough *= known["level"] * total_variance / (1.0 + known["level"] * total_variance)
    total = _effect(
        "level",
        mean=with_total / turn_variance * turn,
        variance=total_variance - with_total**2 / turn_variance,
        estimate=_estimate_total(turn + share * rough, expected_level, expected_slope, data),
        information=known["level"],
    )
    slope_effect = pm.Deterministic("slope_effect", turn + share * total, dims="authority")
    level_effect = pm.Deterministic("level_effect", total - at * slope_effect, dims="authority")
    return level_effect, slope_effect


def _estimate_total(
    slope_effect: Variable,
    expected_level: Variable,
    expected_slope: Variable,
    data: dict[str, Variable],
) -> Variable:
    """What an authority's events make of its total effect, were this its slope effect."""
    events = _log_events(expected_level, expected_slope + slope_effect, data)
    return data["centring_level"] - events + data["centring_at"] * slope_effect


def _log_events(level: Variable, slope: Variable, data: dict[str, Variable]) -> Variable:
    """Log of each authority's expected events."""
    rates = pt.exp(log_rate(0.0, slope[:, None], data["centring_node_within"]))
    return level + pt.log(pt.sum(data["centring_node_exposure"] * rates, axis=1))


def _effect(
    name: str, *, mean: Variable, variance: Variable, estimate: Variable, information: Variable
) -> Variable:
    """Effect ~ Normal(mean, variance), standardised by what its own data are expected to add.

    With an estimate of the effect and the information behind it, the effect's conditional posterior
    is about Normal(at, 1 / precision). The free variable is (effect - at) * sqrt(precision), about
    standard normal whatever the variance: non-centred where the data say little, centred where they
    say much, and as far as need be between.
    """
    precision = 1.0 / variance + information
    at = (mean / variance + information * estimate) / precision
    scale = pt.sqrt(1.0 / precision)
    raw = pm.Normal(
        f"{name}_raw", mu=(mean - at) / scale, sigma=pt.sqrt(variance) / scale, dims="authority"
    )
    return at + scale * raw


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


def _counts(
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

    def draw(values: dict[str, Floats], rng: np.random.Generator, size: Size) -> Floats:
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


def _totals(
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

    def draw(values: dict[str, Floats], rng: np.random.Generator, size: Size) -> Floats:
        def summed(power: float, within: Floats, exposure: Floats) -> Floats:
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


def _draw_counts(mean: Floats, variance: Floats, rng: np.random.Generator, size: Size) -> Floats:
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
    draw: Callable[[dict[str, Floats], np.random.Generator, Size], Floats],
    observed: Floats,
    dim: str,
    core: str,
) -> None:
    """Add observed counts with a compressed density and a row-wise generator."""
    names = tuple(parameters)

    def logp(value: Variable, *values: Variable) -> Variable:  # noqa: ARG001 the sums stand for it
        given = dict(zip(names, values, strict=True))
        return density(**{n: given[n] for n in density_names}, xp=pt)

    def random(
        *values: Floats, rng: np.random.Generator | None = None, size: Size = None
    ) -> Floats:
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
