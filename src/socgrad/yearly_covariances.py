"""Covariances over years: of authority effects that drift, and of national coefficients.

Arithmetic for both wings: a prior while fitting, a conditional distribution where a fit is carried
on to another year. All of it takes complex numbers, from which derivatives come.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np

from socgrad.arrays import FloatArray

__all__ = [
    "DriftForm",
    "NationalForm",
    "drift_covariance",
    "national_covariance",
    "national_step",
]

type DriftForm = Literal["autoregressive", "random walk", "trend", "none"]
type NationalForm = Literal["independent", "random walk", "trend"]
# Complex where derivatives are taken.
type Array = Any

#: What each year has of its own beside constant part and drift: so small that it changes no count,
#: and without it effects without drift would have no precision.
_OWN_SD: Final = 0.003


def drift_covariance(
    years: FloatArray,
    forms: Sequence[str],
    breaks: Sequence[float] | FloatArray,
    numbers: Mapping[str, Array],
    *,
    period: tuple[float, float] | None = None,
) -> Array:
    """Covariance of an authority's levels of all years and then its slopes.

    Parameters
    ----------
    years : ndarray
        In order.
    forms : sequence of str
        Of the drift of levels, and of slopes where these vary.
    breaks : sequence of float
    numbers : mapping
        By their names in `socgrad.schema.DRIFT`, each (...).
    period : tuple of float, optional
        First and last year of what was fitted; by default of `years`.

    Returns
    -------
    ndarray, shape (..., effects, effects)
    """
    t, many = len(years), len(forms)
    first = numbers["level_constant_sd"]
    made = np.zeros((*np.shape(first), many * t, many * t), dtype=np.asarray(first).dtype)
    after = (years[:, None] >= np.asarray(breaks, dtype=np.float64)).astype(np.float64)
    since = (years[0], years[-1]) if period is None else period
    sds = []
    for k, (kind, form) in enumerate(zip(("level", "slope"), forms, strict=False)):
        at = slice(k * t, (k + 1) * t)
        sds.append(numbers[f"{kind}_constant_sd"])
        made[..., at, at] += (sds[-1] ** 2)[..., None, None]
        if form != "none":
            shape = _SHAPES[form](years, numbers.get(f"{kind}_autocorrelation"), since)
            made[..., at, at] += (numbers[f"{kind}_drift_sd"] ** 2)[..., None, None] * shape
        if after.shape[1]:
            jump = numbers[f"{kind}_break_sd"]
            made[..., at, at] += (jump**2)[..., None, None] * (after @ after.T)
    every = np.arange(many * t)
    made[..., every, every] += _OWN_SD**2
    if many > 1:
        across = (numbers["constant_correlation"] * sds[0] * sds[1])[..., None, None]
        made[..., :t, t:] += across
        made[..., t:, :t] += across
    return made


def _autoregressive(years: FloatArray, rho: Array, _: tuple[float, float]) -> Array:
    lag = np.abs(np.subtract.outer(years, years)).astype(int)
    powers = np.ones((*rho.shape, lag.max() + 1), dtype=rho.dtype)
    # By products: complex powers would lose the step.
    powers[..., 1:] = np.cumprod(np.broadcast_to(rho[..., None], powers[..., 1:].shape), axis=-1)
    return powers[..., lag] / (1.0 - rho * rho)[..., None, None]


def _walk(years: FloatArray, _: Array, period: tuple[float, float]) -> Array:
    since = years - period[0]
    return np.minimum.outer(since, since)


def _trend(years: FloatArray, _: Array, period: tuple[float, float]) -> Array:
    since = years - (period[0] + period[1]) / 2
    return np.outer(since, since)


_SHAPES: Final[dict[str, Callable[[FloatArray, Array, tuple[float, float]], Array]]] = {
    "autoregressive": _autoregressive,
    "random walk": _walk,
    "trend": _trend,
}


def national_covariance(
    form: NationalForm, years: FloatArray, breaks: Sequence[int], *, sd: float, step: float
) -> FloatArray:
    """Prior covariance of one coefficient of all years, (years, years).

    Parameters
    ----------
    form : {"independent", "random walk", "trend"}
    years : ndarray
        In order.
    breaks : sequence of int
    sd, step : float
        Of its prior, and of a year's step.
    """
    if form == "independent":
        return sd**2 * np.eye(len(years))
    since = years - years[0]
    made = np.full((len(years), len(years)), sd**2)
    if form == "random walk":
        made += step**2 * np.minimum.outer(since, since)
    else:
        made += step**2 * (np.outer(since, since) + np.eye(len(years)))
    for at in breaks:
        after = (years >= at).astype(float)
        made += sd**2 * np.outer(after, after)
    return made


def national_step(name: str, steps: Mapping[str, float], *, sd: float, per: float) -> float:
    """Standard deviation of a year's step of the coefficient of a term, per step of a model.

    Parameters
    ----------
    name : str
        Of the term.
    steps : mapping
        Level, gradient, bend and other of `socgrad.years.National`.
    sd : float
        Of the term's prior, per step of the model.
    per : float
        Step of the model, a proportion.
    """
    k = per / 0.10
    if name == "intercept":
        return steps["level"]
    if name in ("within", "pooled", "between"):
        return steps["gradient"] * k
    if name in ("cross_level", "curvature"):
        return steps["bend"] * k * k
    return steps["other"] * sd
