"""Rates over sets of neighbourhoods: expected events over exposure, by authority or group."""

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.area_factors import AreaFactors
from socgrad.estimands.area_rates import row_sums
from socgrad.estimands.curves import curves_of_all
from socgrad.estimands.exposure_sums import authority_sums, group_sums
from socgrad.estimands.indicators import indicator
from socgrad.reading.geography import Geography
from socgrad.reading.posterior import Coefficients

__all__ = [
    "as_draws",
    "authority_log_sums",
    "authority_rate_sums",
    "authority_rates",
    "group_rates",
    "line_draws",
]

type Floats = npt.NDArray[np.float64]


def authority_rates(
    terms: Coefficients,
    land: Geography,
    *,
    own_effects: bool,
    factors: AreaFactors | None = None,
) -> xr.DataArray:
    """Compute sum of N_i rate_i / sum of N_i over each authority's neighbourhoods.

    Parameters
    ----------
    terms, land
        Of one fit.
    own_effects
        Whether each authority has its own level and slope effect, and its areas their own
        covariates, or none.
    factors
        For realised rates, the factors of areas; None for structural ones.

    Returns
    -------
    xarray.DataArray
        Events per unit of exposure, dims chain, draw, authority: those that have exposure.
    """
    exposure = land.authority_exposure
    (events,) = authority_rate_sums(
        terms, land, land.exposure, own_effects=own_effects, factors=factors
    )
    kept = exposure > 0
    labels = land.authority_mean["authority"].to_numpy()
    return as_draws(events[:, kept] / exposure[kept], terms, "authority", labels[kept])


def authority_rate_sums(
    terms: Coefficients,
    land: Geography,
    *weights: Floats,
    own_effects: bool = True,
    factors: AreaFactors | None = None,
) -> list[Floats]:
    """Compute sum of weight_i rate_i over each authority's neighbourhoods.

    Parameters
    ----------
    terms, land
        Of one fit. An effect that is to be set aside is a zero in `terms`.
    *weights
        Sets of weights: one number of any sign per area, in the order of the fit.
    own_effects
        Whether each authority has its own level and slope effect, and its areas their own
        covariates, or none.
    factors
        For realised rates, the factors of areas; None for structural ones.

    Returns
    -------
    list of numpy.ndarray
        For each set of weights, shape (chain * draw, authority), all authorities.

    Raises
    ------
    EstimandError
        If a sum is no finite number.
    """
    level, slope = line_draws(terms, land, own_effects=own_effects)
    if not own_effects:
        terms = terms.without_area_covariates
    if terms.has_area_covariates or terms.has_departures or factors is not None:
        home, number = land.authority_of_area, level.shape[1]
        sets = [indicator(home, number, weight) for weight in weights]
        return _refuse_overflow(row_sums(terms, land, (level, slope), *sets, factors=factors))
    return _refuse_overflow(
        authority_sums(
            level,
            slope,
            authority=land.authority_of_area,
            within_part=land.within_part,
            weights=weights,
        )
    )


def authority_log_sums(terms: Coefficients, land: Geography, *weights: Floats) -> list[Floats]:
    """Compute sum of weight_i log(rate_i) over each authority's neighbourhoods, fitted effects.

    Log rates are linear in level, slope and coefficients, so a sum over areas of each serves all
    draws. Parameters and shapes as in `authority_rate_sums`.
    """
    level, slope = line_draws(terms, land, own_effects=True)
    sums = []
    for weight in weights:
        total, moment = (
            np.bincount(land.authority_of_area, weights=values, minlength=level.shape[1])
            for values in (weight, weight * land.within_part)
        )
        of_areas = indicator(land.authority_of_area, level.shape[1], weight).T
        shift = terms.of_levels @ (of_areas @ land.level_design(terms, slice(None))).T
        columns = land.area_moderator_design * land.within_part[:, None]
        shift += terms.area_moderator @ (of_areas @ columns).T
        sums.append(level * total + slope * moment + shift)
    return sums


def group_rates(
    terms: Coefficients,
    land: Geography,
    *,
    group: npt.NDArray[np.int64],
    groups: int,
    factors: AreaFactors | None = None,
) -> xr.DataArray:
    """Compute sum of N_i rate_i / sum of N_i over groups of neighbourhoods, with fitted effects.

    Parameters
    ----------
    terms, land
        Of one fit.
    group
        Group of each area, 1 to `groups`, in the order of the fit; none may be without
        exposure.
    groups
        Number of groups.
    factors
        For realised rates, the factors of areas; None for structural ones.

    Returns
    -------
    xarray.DataArray
        Events per unit of exposure, dims chain, draw, group.

    Raises
    ------
    EstimandError
        If a sum is no finite number.
    """
    level, slope = line_draws(terms, land, own_effects=True)
    if terms.has_area_covariates or terms.has_departures or factors is not None:
        of_groups = indicator(group - 1, groups, land.exposure)
        (events,) = row_sums(terms, land, (level, slope), of_groups, factors=factors)
    else:
        events = group_sums(
            level,
            slope,
            authority=land.authority_of_area,
            within_part=land.within_part,
            weight=land.exposure,
            group=group - 1,
            groups=groups,
        )
    _refuse_overflow([events])
    exposure = np.bincount(group - 1, weights=land.exposure, minlength=groups)
    return as_draws(events / exposure, terms, "group", np.arange(1, groups + 1))


def _refuse_overflow(sums: list[Floats]) -> list[Floats]:
    """Refuse expected events that are no numbers, as the wild draws of a doubted fit have them."""
    wrong = np.any([~np.isfinite(one).all(axis=1) for one in sums], axis=0)
    if wrong.any():
        raise EstimandError(
            f"In {int(wrong.sum())} of {wrong.size} draws the expected events are no finite "
            "number: levels or slopes are out of all range. Look at socgrad.check_sampling(fit), "
            "and at the priors if these are draws of a prior."
        )
    return sums


def line_draws(terms: Coefficients, land: Geography, *, own_effects: bool) -> tuple[Floats, Floats]:
    """Levels and slopes of all authorities, NumPy arrays of shape (chain * draw, authority).

    Neighbourhoods with covariates of their own do not lie on these lines, nor do they where the
    gradient is non-linear: see `socgrad.estimands.area_rates`.
    """
    curves = curves_of_all(terms, land, own_effects=own_effects)
    # A term that does not vary by draw or authority is repeated, so that shapes are known.
    full = terms.intercept * xr.ones_like(land.between_part)
    level, slope = (
        line.broadcast_like(full).transpose("chain", "draw", "authority").to_numpy()
        for line in (curves.level, curves.slope)
    )
    shape = (-1, land.authority_mean.size)
    return level.reshape(shape), slope.reshape(shape)


def as_draws(
    values: Floats, terms: Coefficients, dim: str | None = None, labels: npt.ArrayLike = ()
) -> xr.DataArray:
    """Give values of shape (chain * draw, dim) their dims and coordinates back.

    Without `dim` they have shape (chain * draw,).
    """
    like = terms.intercept.transpose("chain", "draw")
    if dim is None:
        return like.copy(data=values.reshape(like.shape))
    return xr.DataArray(
        values.reshape(*like.shape, -1),
        dims=("chain", "draw", dim),
        coords={**like.coords, dim: np.asarray(labels)},
    )
