"""How authorities drift over years, and how national coefficients go from year to year."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from socgrad.errors import SpecificationError
from socgrad.model.priors import PositiveNormal
from socgrad.yearly_covariances import DriftForm, NationalForm

__all__ = ["Drift", "National"]

_DRIFTS: Final = ("autoregressive", "random walk", "trend", "none")
_NATIONALS: Final = ("independent", "random walk", "trend")


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Authority effects over years: a constant part, and what drifts about it.

    ::

        level_effect_jt = a_j + p_jt + breaks,   slope_effect_jt = c_j + q_jt + breaks

    (a, c) are normal with `Priors.level_sd`, `Priors.slope_sd` and `Priors.correlation`. p and q
    are independent of them, of each other and between authorities, each of its own form:

    - "autoregressive": p_t = rho p_s + innovations; stationary, of variance
      level_drift_sd**2 / (1 - rho**2). Years that are missing keep the clock: rho**(t - s).
    - "random walk": p = 0 in the first year, and changes by a normal number of standard deviation
      level_drift_sd a year. The constant part is that of the first year.
    - "trend": p_t = (t - middle of the period) times a normal number of that standard deviation.
      The constant part is that of the middle of the period.
    - "none": p = 0.

    From each break on, every authority's effect has moved by a further normal number. Beside that
    every year moves by a normal number of standard deviation 0.003, which changes no count.

    Parameters
    ----------
    levels, slopes : {"autoregressive", "random walk", "trend", "none"}
        Form of the drift of levels, and of slopes.
    breaks : tuple of int, optional
        First years of what is not comparable with the years before. By default those of the panel;
        an empty tuple says that authorities' effects go on across them.
    level_sd, slope_sd : PositiveNormal
        Prior of the drift in a year: standard deviation of a year's innovation, or of the trend a
        year; log rate, and log gradient per 10 points. With 0.10 an authority's rate moves in a
        year by a factor of 0.82 to 1.22 (95%). `socgrad.years.prior_drift` draws what all of this
        says of a year and of a period.
    level_break_sd, slope_break_sd : PositiveNormal
        Prior of the standard deviation of the move at a break.
    autocorrelation : tuple of float
        (rho + 1) / 2 ~ Beta(of these two). With (4, 2): mean 0.33, standard deviation 0.36. Fewer
        than six years say little against it.

    Raises
    ------
    SpecificationError
        If a form is unknown, a prior is none, or breaks are no whole years.

    Examples
    --------
    >>> from socgrad.model.drift import Drift
    >>> Drift(levels="random walk", slopes="none").levels
    'random walk'
    """

    levels: DriftForm = "autoregressive"
    slopes: DriftForm = "autoregressive"
    breaks: tuple[int, ...] | None = None
    level_sd: PositiveNormal = field(default=PositiveNormal(0.0, 0.10))
    slope_sd: PositiveNormal = field(default=PositiveNormal(0.0, 0.05))
    level_break_sd: PositiveNormal = field(default=PositiveNormal(0.0, 0.20))
    slope_break_sd: PositiveNormal = field(default=PositiveNormal(0.0, 0.10))
    autocorrelation: tuple[float, float] = (4.0, 2.0)

    def __post_init__(self) -> None:
        for name in ("levels", "slopes"):
            _check_form(name, getattr(self, name), _DRIFTS)
        for name in ("level_sd", "slope_sd", "level_break_sd", "slope_break_sd"):
            if not isinstance(getattr(self, name), PositiveNormal):
                raise SpecificationError(
                    f"Drift.{name} must be a PositiveNormal; got {getattr(self, name)!r}. For "
                    "example PositiveNormal(0.0, 0.1)."
                )
        shapes = self.autocorrelation
        if not (
            isinstance(shapes, tuple)
            and len(shapes) == 2
            and all(isinstance(each, int | float) and 0 < each < np.inf for each in shapes)
        ):
            raise SpecificationError(
                f"Drift.autocorrelation is {shapes!r}. Expected the two shapes of a beta "
                "distribution of (autocorrelation + 1) / 2, both above 0, such as (4.0, 2.0)."
            )
        object.__setattr__(self, "breaks", _checked_breaks("Drift.breaks", self.breaks))

    @property
    def has_autocorrelation(self) -> bool:
        """Whether levels or slopes are autoregressive."""
        return "autoregressive" in (self.levels, self.slopes)


@dataclass(frozen=True, kw_only=True)
class National:
    """How each national coefficient (intercept, within, between ...) goes from year to year.

    - "independent": each year has the prior of `Priors`.
    - "random walk": the first year has it; every other one is normal about the year before, with
      the steps below for each year that passed.
    - "trend": a straight line whose first year has it, of a slope with these steps a year as its
      standard deviation, and a deviation of each year of the same size.

    From a break on, a coefficient has moved by a further normal number with its prior's standard
    deviation: the years before say nothing of where it is.

    Parameters
    ----------
    form : {"independent", "random walk", "trend"}
    level : float
        Step of a year of the intercept: log rate, above 0. With 0.15 the national rate moves in a
        year by a factor of 0.75 to 1.34 (95%).
    gradient : float
        Step of a year of within, pooled and between: log rate ratio per 10 points, above 0. With
        0.05 a gradient of 1.80 moves in a year to between 1.63 and 1.99 (95%).
    bend : float
        Step of a year of cross_level and curvature, per 10 points squared, above 0.
    other : float
        Step of a year of the coefficients of covariates and shapes, as a part of the standard
        deviation of their priors, above 0.
    breaks : tuple of int, optional
        First years of what is not comparable with the years before. By default those of the panel.

    Raises
    ------
    SpecificationError
        If the form is unknown, a step is not above 0, or breaks are no whole years.
    """

    form: NationalForm = "random walk"
    level: float = 0.15
    gradient: float = 0.05
    bend: float = 0.02
    other: float = 0.1
    breaks: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        _check_form("form", self.form, _NATIONALS)
        for name in ("level", "gradient", "bend", "other"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 10:
                raise SpecificationError(
                    f"National.{name} is {value!r}. Expected the standard deviation of a year's "
                    "step on the log scale, above 0, such as 0.05."
                )
        object.__setattr__(self, "breaks", _checked_breaks("National.breaks", self.breaks))


def _check_form(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SpecificationError(
            f"{name}={value!r} is unknown. Expected {', '.join(map(repr, allowed))}."
        )


def _checked_breaks(name: str, given: Any) -> tuple[int, ...] | None:
    if given is None:
        return None
    whole = isinstance(given, tuple | list | set | frozenset | range)
    years: list[Any] = list(given) if whole else [None]
    if any(isinstance(year, bool) or not isinstance(year, int | np.integer) for year in years):
        raise SpecificationError(
            f"{name} is {given!r}. Expected the first years after each break, such as (2020,)."
        )
    return tuple(sorted({int(year) for year in years}))
