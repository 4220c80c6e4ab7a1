"""Rate curves: the log rate of an authority as a function of neighbourhood deprivation.

Every estimand needs the height or the steepness of such a curve, for an authority with a given
mean deprivation and given effects. The curve is computed by `socgrad.predictor`, the only place
that holds the model's equation.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.departures import Departures
from socgrad.errors import EstimandError
from socgrad.estimands.new_authorities import new_authority_effects
from socgrad.predictor import authority_level, authority_slope, log_rate
from socgrad.ranks import weighted_quantile
from socgrad.reading.arguments import check_choice
from socgrad.reading.geography import Geography
from socgrad.reading.posterior import Coefficients, require_authorities, require_effects

__all__ = [
    "Curve",
    "DepartureDraws",
    "Target",
    "authority_mean_grid",
    "bend_of",
    "check_rate_per",
    "curve_at",
    "curve_of",
    "curve_of_target",
    "curves_of_all",
    "deprivation_grid",
    "exponential",
    "log_rate_at",
    "points",
    "rate_at",
    "step",
]

type Target = Literal["average", "each", "new"]

#: Shares of England's children below the default values of neighbourhood deprivation.
_DEFAULT_QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, eq=False)
class DepartureDraws:
    """Draws of the departure from a log-linear gradient, the same in every authority.

    `coefficient` has dims chain, draw, departure.
    """

    departures: Departures
    coefficient: xr.DataArray

    def at(self, deprivation: float | xr.DataArray) -> xr.DataArray:
        """Log ratio of the rate to the line's, at deprivations (proportions)."""
        return self._sum(xr.DataArray(deprivation), self.departures.at)

    def slope_at(self, deprivation: float | xr.DataArray, *, per: float) -> xr.DataArray:
        """What a spline adds to the log gradient per step `per`, at deprivations (proportions)."""
        return per * self._sum(xr.DataArray(deprivation), self.departures.slope_at)

    def _sum(
        self, x: xr.DataArray, columns_at: Callable[[npt.ArrayLike], npt.NDArray[np.float64]]
    ) -> xr.DataArray:
        columns = xr.DataArray(
            columns_at(x.to_numpy()), dims=(*x.dims, "departure"), coords=x.coords
        )
        summed: xr.DataArray = xr.dot(self.coefficient, columns, dim="departure")
        return summed


@dataclass(frozen=True, eq=False)
class Curve:
    """Draws of one log-rate line, or several (dim authority, or authority_mean).

    `level` is the log rate at deprivation `origin` (proportion), `slope` the log rate ratio per
    step `per` of the fit; `bend` is the departure from that line of a non-linear gradient.
    """

    level: xr.DataArray
    slope: xr.DataArray
    origin: float | xr.DataArray
    per: float
    bend: DepartureDraws | None = None


def curve_at(
    terms: Coefficients,
    land: Geography,
    authority_mean: float | xr.DataArray,
    *,
    level_effect: float | xr.DataArray = 0.0,
    slope_effect: float | xr.DataArray = 0.0,
) -> Curve:
    """Curve of an authority of a mean deprivation (proportion), by default without effects."""
    b = (authority_mean - land.national_mean) / land.per
    return Curve(
        level=authority_level(terms.intercept, terms.between, terms.curvature, b, level_effect),
        slope=authority_slope(terms.within, terms.cross_level, b, slope_effect),
        origin=land.national_mean if terms.is_pooled else authority_mean,
        per=land.per,
        bend=bend_of(terms, land),
    )


def bend_of(terms: Coefficients, land: Geography) -> DepartureDraws | None:
    """Departure of a fit from a log-linear gradient; None where the gradient is log-linear."""
    if land.departures is None or not terms.has_departures:
        return None
    like = terms.intercept.transpose("chain", "draw")
    values = terms.departure.reshape(*like.shape, -1)
    return DepartureDraws(
        land.departures,
        xr.DataArray(values, dims=("chain", "draw", "departure"), coords=like.coords),
    )


def curve_of(
    terms: Coefficients, land: Geography, authority: Hashable, *, own_effects: bool
) -> Curve:
    """Curve of a named authority, with its own effects or without any."""
    j = land.position(authority)
    mean = float(land.authority_mean[j])
    if not own_effects:
        return curve_at(terms, land, mean)
    require_effects(terms)
    level_effect, slope_effect = (
        effect.isel(authority=j, drop=True) if "authority" in effect.dims else effect
        for effect in (terms.level_effect, terms.slope_effect)
    )
    return curve_at(terms, land, mean, level_effect=level_effect, slope_effect=slope_effect)


def curves_of_all(terms: Coefficients, land: Geography, *, own_effects: bool) -> Curve:
    """Curves of all authorities (dim authority), with their own effects or without any."""
    if own_effects:
        require_effects(terms)
    b = land.between_part
    level_effect = terms.level_effect if own_effects else 0.0
    slope_effect = terms.slope_effect if own_effects else 0.0
    return Curve(
        level=authority_level(terms.intercept, terms.between, terms.curvature, b, level_effect),
        slope=authority_slope(terms.within, terms.cross_level, b, slope_effect),
        origin=land.origin,
        per=land.per,
        bend=bend_of(terms, land),
    )


def curve_of_target(
    terms: Coefficients,
    land: Geography,
    *,
    target: Target,
    authority_mean: float | Sequence[float] | None,
    random_seed: int,
) -> tuple[Curve, str]:
    """Curve of the authority or authorities that an estimand is of, and who they are in words.

    Of a fit of one authority alone the average one is that authority.

    Raises
    ------
    EstimandError
        If `target` is unknown, or `authority_mean` is given with target "each" or no proportion; of
        one authority alone, if `target` is "new" or `authority_mean` is given.
    """
    check_choice("target", target, ("average", "each", "new"))
    if target == "each":
        if authority_mean is not None:
            raise EstimandError(
                "authority_mean was given with target='each', which has every authority at its own "
                "mean. Leave authority_mean out, or choose target='average' or 'new'."
            )
        curve = curves_of_all(terms, land, own_effects=True)
        at = " at its own mean deprivation" if land.has_deprivation else ""
        return curve, f"each authority{at} with its own effects"
    if target == "new":
        require_authorities(terms, "target='new'")
    if authority_mean is not None:
        require_authorities(terms, "authority_mean")
        land.require_deprivation()
    if terms.is_alone:
        return curve_of(terms, land, *land.labels, own_effects=True), f"{land.labels[0]}, alone"
    level, slope = new_authority_effects(terms, random_seed) if target == "new" else (0.0, 0.0)
    mean = land.national_mean if authority_mean is None else authority_mean_grid(authority_mean)
    whose = "a new authority" if target == "new" else "an authority without effects"
    curve = curve_at(terms, land, mean, level_effect=level, slope_effect=slope)
    if not land.has_deprivation:
        return curve, whose
    at = "the national mean" if authority_mean is None else "authority_mean"
    return curve, f"{whose}, its mean deprivation {at}"


def log_rate_at(curve: Curve, deprivation: float | xr.DataArray) -> xr.DataArray:
    """Log events per unit of exposure at a neighbourhood deprivation (proportion)."""
    rate: xr.DataArray = log_rate(
        curve.level,
        curve.slope,
        (deprivation - curve.origin) / curve.per,
        departure=0.0 if curve.bend is None else curve.bend.at(deprivation),
    )
    return rate


def rate_at(curve: Curve, deprivation: float | xr.DataArray) -> xr.DataArray:
    """Events per unit of exposure at a neighbourhood deprivation (proportion)."""
    return exponential(log_rate_at(curve, deprivation))


def exponential(log_ratio: xr.DataArray) -> xr.DataArray:
    """Exponential of draws, a DataArray to the type checker too."""
    return xr.apply_ufunc(np.exp, log_ratio)  # type: ignore[no-any-return]


def step(land: Geography, per: float | None) -> float:
    """Step of deprivation asked for (proportion), by default the fit's."""
    if per is None:
        return land.per
    if not (isinstance(per, Real) and 0 < per <= 1):
        raise EstimandError(
            f"per is {per!r}; expected a step of deprivation as a proportion above 0 and up to 1, "
            "such as 0.10 for ten percentage points."
        )
    return float(per)


def check_rate_per(rate_per: float) -> float:
    """Units of exposure that a rate counts, refused where they are none."""
    if not 0 < rate_per < np.inf:
        raise EstimandError(
            f"rate_per is {rate_per:g}; expected the units of exposure that a rate counts, "
            "above 0, such as 10_000."
        )
    return rate_per


def points(per: float) -> str:
    """Words for a step of deprivation."""
    return f"{100 * per:g} points"


def deprivation_grid(land: Geography, deprivation: float | Sequence[float] | None) -> xr.DataArray:
    """Neighbourhood deprivations asked for, dim deprivation; by default national P10, P50, P90.

    Of a table without deprivation, whose rates do not go along it, the one at which it is held.

    Raises
    ------
    EstimandError
        If a value is no proportion, or is asked for where the table has no deprivation.
    """
    if deprivation is None and not land.has_deprivation:
        values = np.zeros(1)
    elif deprivation is None:
        values = weighted_quantile(land.deprivation, land.children, _DEFAULT_QUANTILES)
    else:
        land.require_deprivation()
        values = _proportions(deprivation, "deprivation")
    return xr.DataArray(values, dims="deprivation", coords={"deprivation": values})


def authority_mean_grid(authority_mean: float | Sequence[float]) -> xr.DataArray:
    """Mean deprivations of authorities asked for, dim authority_mean."""
    values = _proportions(authority_mean, "authority_mean")
    return xr.DataArray(values, dims="authority_mean", coords={"authority_mean": values})


def _proportions(values: float | Sequence[float], name: str) -> np.ndarray:
    """Check that values are proportions, and make them an array of one dim."""
    try:
        array = np.atleast_1d(np.asarray(values, dtype=float))
    except (TypeError, ValueError) as error:
        raise EstimandError(
            f"{name} is {values!r}; expected one or more proportions within 0-1, such as 0.25."
        ) from error
    outside = array[~((array >= 0) & (array <= 1))]
    if array.ndim > 1 or not array.size or outside.size:
        found = f"{outside.size} outside it (first: {outside[0]:g})" if outside.size else "none"
        raise EstimandError(
            f"{name} must be one or more proportions within 0-1; found {found} among "
            f"{array.size}. Divide percentages by 100."
        )
    return array
