"""Covariances of authority effects over years: a constant part and drift, on scales without bounds.

The effects are levels of all years and then slopes of all years. Each map takes complex numbers,
as those of `socgrad.blocks.covariance` do.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize

from socgrad.arrays import BoolArray, FloatArray
from socgrad.blocks.arrows import Arrow, arrow_of
from socgrad.blocks.covariance import Structure
from socgrad.blocks.scales import bounded, positive, positive_prior
from socgrad.yearly_covariances import DriftStates, drift_states

__all__ = ["Drifting", "drifting"]

# Complex where derivatives are taken.
type Array = Any

#: Standard deviations of the point that a pilot starts from lie above this.
_LEAST: Final = 0.02


@dataclass(frozen=True, eq=False)
class _Number:
    """One number of a point: its name, whether it is a standard deviation, its prior."""

    name: str
    is_sd: bool
    prior: tuple[float, float]
    bend: float = 0.05

    def value(self, x: Array) -> Array:
        return positive(x, self.bend) if self.is_sd else np.tanh(x)

    def log_prior(self, x: Array) -> Array:
        first, second = self.prior
        if self.is_sd:
            return positive_prior(x, self.bend, first, second)
        # (tanh x + 1) / 2 ~ Beta(first, second): a symmetric part, and (first - second) x.
        return bounded(x, (first + second) / 2) + (first - second) * x


@dataclass(frozen=True, eq=False)
class Drifting(Structure):
    """A constant pair of each authority and drift of its level and slope.

    Attributes
    ----------
    years : ndarray
        In order.
    forms : tuple of str
        Of the drift of levels and, where slopes vary, of slopes.
    breaks : ndarray
    numbers : tuple
        What a point holds.
    """

    years: FloatArray
    forms: tuple[str, ...]
    breaks: FloatArray
    numbers: tuple[_Number, ...]

    @property
    def size(self) -> int:  # noqa: D102
        return len(self.numbers)

    @property
    def mirrored(self) -> BoolArray:  # noqa: D102
        return np.array([each.is_sd for each in self.numbers])

    def named(self, x: Array) -> dict[str, Array]:
        """What the numbers of points (..., size) are, by name, each (...)."""
        return {each.name: each.value(x[..., k]) for k, each in enumerate(self.numbers)}

    def _states(self, x: Array) -> DriftStates:
        return drift_states(self.years, self.forms, self.breaks, self.named(x))

    def covariance(self, x: Array) -> Array:  # noqa: D102
        return self._states(x).covariance()

    def arrow(self, x: Array) -> Arrow:
        """The same as a precision that goes from year to year, at points (..., size)."""
        return arrow_of(self._states(x))

    def log_prior(self, x: Array) -> Array:  # noqa: D102
        return sum(each.log_prior(x[..., k]) for k, each in enumerate(self.numbers))

    def point(self, covariance: FloatArray) -> FloatArray:
        """The point whose covariance is nearest: as the second moments of normal effects.

        The prior counts as it does for one authority of a hundred.
        """
        t = len(self.years)
        spread = np.sqrt(np.diag(covariance).reshape(-1, t).mean(axis=1))
        start = np.zeros(self.size)
        for k, each in enumerate(self.numbers):
            if each.is_sd:
                whole = spread[int(each.name.startswith("slope"))]
                size = whole * (0.9 if "constant" in each.name else 0.3)
                start[k] = np.arcsinh(max(size, _LEAST) / each.bend)
            elif "autocorrelation" in each.name:
                start[k] = 0.5

        def away(x: FloatArray) -> float:
            with np.errstate(all="ignore"):
                own = self.covariance(x)
                sign, size = np.linalg.slogdet(own)
                if not sign > 0:
                    return 1e10
                fit = size + np.trace(np.linalg.solve(own, covariance))
            return float(0.5 * fit - 0.01 * self.log_prior(x))

        found: FloatArray = minimize(away, start, method="BFGS", options={"maxiter": 200}).x
        held = np.where(self.mirrored, np.abs(found), np.clip(found, -2.0, 2.0))
        least = np.array([np.arcsinh(0.2 * _LEAST / each.bend) for each in self.numbers])
        return np.where(self.mirrored, np.maximum(held, least), held)

    def bent(self, hidden: FloatArray) -> "Drifting":
        """The same on scales that suit what counts tell: `hidden` by effect, (effects,)."""
        t = len(self.years)
        least = hidden.reshape(-1, t).min(axis=1)
        numbers = []
        for each in self.numbers:
            if each.is_sd:
                own = float(least[int(each.name.startswith("slope"))])
                bend = min(own, each.prior[0] + each.prior[1])
                numbers.append(replace(each, bend=max(bend, 1e-3)))
            else:
                numbers.append(each)
        return replace(self, numbers=tuple(numbers))


def drifting(
    years: FloatArray,
    breaks: tuple[int, ...],
    forms: tuple[str, ...],
    priors: dict[str, tuple[float, float]],
) -> Drifting:
    """The structure of drifting effects.

    Parameters
    ----------
    years : ndarray
    breaks : tuple of int
        Those after the first year.
    forms : tuple of str
        Of the drift of levels, and of slopes where these vary.
    priors : dict
        Of every number by name, per step of the model: mean and sd, or shapes of the beta.
    """
    numbers = []

    def add(name: str, *, is_sd: bool) -> None:
        numbers.append(_Number(name, is_sd, priors[name]))

    kinds = ("level", "slope")[: len(forms)]
    for kind in kinds:
        add(f"{kind}_constant_sd", is_sd=True)
    if len(forms) > 1:
        add("constant_correlation", is_sd=False)
    for kind, form in zip(kinds, forms, strict=True):
        if form != "none":
            add(f"{kind}_drift_sd", is_sd=True)
        if form == "autoregressive":
            add(f"{kind}_autocorrelation", is_sd=False)
        if breaks:
            add(f"{kind}_break_sd", is_sd=True)
    return Drifting(years, forms, np.array(breaks, dtype=float), tuple(numbers))
