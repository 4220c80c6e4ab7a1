"""Covariances over years: of authority effects that drift, and of national coefficients.

Arithmetic for both wings: a prior while fitting, a conditional distribution where a fit is carried
on to another year. All of it takes complex numbers, from which derivatives come.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from socgrad.arrays import FloatArray

__all__ = [
    "DriftForm",
    "DriftStates",
    "NationalForm",
    "drift_covariance",
    "drift_states",
    "national_covariance",
    "national_step",
]

type DriftForm = Literal["autoregressive", "random walk", "trend", "none"]
type NationalForm = Literal["independent", "random walk", "trend"]
# Complex where derivatives are taken.
type Array = Any

#: What each year moves by beside its drift: so small that it changes no count, and without it
#: effects without drift would have no precision.
_OWN_SD: Final = 0.003


@dataclass(frozen=True, eq=False)
class DriftStates:
    """Effects of an authority over years, as what all years share and a state that goes on.

    ::

        effect_kt = sum_i loads_kti b_i + s_kt,   b ~ Normal(0, common)
        s_kt = keep_kt s_k(t-1) + Normal(0, variance_kt)

    Attributes
    ----------
    loads : ndarray, shape (kinds, years, m)
        Of levels and, where these vary, of slopes.
    common : ndarray, shape (..., m, m)
    keep, variance : ndarray, shape (..., kinds, years)
        Nothing is kept from before the first year.
    """

    loads: FloatArray
    common: Array
    keep: Array
    variance: Array

    def covariance(self) -> Array:
        """Covariance of levels of all years and then slopes, (..., effects, effects)."""
        kinds, t, m = self.loads.shape
        flat = self.loads.reshape(kinds * t, m)
        made = flat @ self.common @ flat.T
        for k in range(kinds):
            keep, variance = self.keep[..., k, :], self.variance[..., k, :]
            state = np.zeros((*variance.shape, t), dtype=made.dtype)
            for i in range(t):
                state[..., i, i] = variance[..., i]
                if i:
                    before = keep[..., i, None] * state[..., i - 1, :i]
                    state[..., i, :i] = before
                    state[..., :i, i] = before
                    state[..., i, i] += keep[..., i] * before[..., i - 1]
            at = slice(k * t, (k + 1) * t)
            made[..., at, at] += state
        return made


def drift_states(
    years: FloatArray,
    forms: Sequence[str],
    breaks: Sequence[float] | FloatArray,
    numbers: Mapping[str, Array],
    *,
    period: tuple[float, float] | None = None,
) -> DriftStates:
    """An authority's levels of all years and its slopes, as states.

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
    """
    since = (years[0], years[-1]) if period is None else period
    middle = years - (since[0] + since[1]) / 2
    after = (years[:, None] >= np.asarray(breaks, dtype=np.float64)).astype(np.float64)
    kinds = ("level", "slope")[: len(forms)]
    columns: list[tuple[int, FloatArray, Array]] = []
    keeps, variances = [], []
    for k, (kind, form) in enumerate(zip(kinds, forms, strict=True)):
        constant = numbers[f"{kind}_constant_sd"]
        columns.append((k, np.ones(len(years)), constant**2))
        drift = numbers.get(f"{kind}_drift_sd", 0.0 * constant)
        if form == "trend":
            columns.append((k, middle, drift**2))
        columns += [(k, each, numbers[f"{kind}_break_sd"] ** 2) for each in after.T]
        keep, variance = _STATES.get(form, _alone)(
            np.diff(years), drift, numbers.get(f"{kind}_autocorrelation")
        )
        keeps.append(keep)
        variances.append(variance)
    m = len(columns)
    loads = np.zeros((len(kinds), len(years), m))
    common = np.zeros((*np.shape(columns[0][2]), m, m), dtype=np.asarray(columns[0][2]).dtype)
    constants: list[int] = []
    for i, (k, load, variance) in enumerate(columns):
        loads[k, :, i] = load
        common[..., i, i] = variance
        if len(constants) == k:
            constants.append(i)
    if len(constants) > 1:
        first, second = constants
        across = numbers["constant_correlation"]
        across = across * numbers["level_constant_sd"] * numbers["slope_constant_sd"]
        common[..., first, second] = common[..., second, first] = across
    return DriftStates(loads, common, np.stack(keeps, axis=-2), np.stack(variances, axis=-2))


def drift_covariance(
    years: FloatArray,
    forms: Sequence[str],
    breaks: Sequence[float] | FloatArray,
    numbers: Mapping[str, Array],
    *,
    period: tuple[float, float] | None = None,
) -> Array:
    """Covariance of an authority's levels of all years and then its slopes.

    Parameters as of `drift_states`; shape (..., effects, effects).
    """
    return drift_states(years, forms, breaks, numbers, period=period).covariance()


def _autoregressive(gaps: FloatArray, drift: Array, rho: Array) -> tuple[Array, Array]:
    """Stationary; of years that are missing the clock goes on."""
    step = drift * drift + _OWN_SD**2
    square = rho * rho
    keep, variance = [0.0 * rho], [step / (1.0 - square)]
    for gap in gaps.astype(int):
        # By products: complex powers would lose the step.
        power, total = 1.0 + 0.0 * rho, 0.0 * rho
        for _ in range(gap):
            total = total * square + 1.0
            power = power * rho
        keep.append(power)
        variance.append(step * total)
    return np.stack(keep, axis=-1), np.stack(variance, axis=-1)


def _walk(gaps: FloatArray, drift: Array, _: Array) -> tuple[Array, Array]:
    own = _OWN_SD**2
    keep = np.zeros((*np.shape(drift), len(gaps) + 1)) + np.append(0.0, np.ones(len(gaps)))
    return keep, own + (drift * drift)[..., None] * np.append(0.0, gaps)


def _alone(gaps: FloatArray, drift: Array, _: Array) -> tuple[Array, Array]:
    """Of effects that do not drift from year to year."""
    nothing = 0.0 * np.asarray(drift)[..., None] * np.append(0.0, gaps)
    return nothing, nothing + _OWN_SD**2


_STATES: Final[dict[str, Callable[[FloatArray, Array, Array], tuple[Array, Array]]]] = {
    "autoregressive": _autoregressive,
    "random walk": _walk,
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
