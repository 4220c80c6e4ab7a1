"""Rates over sets of neighbourhoods: expected events over exposure, by authority or group."""

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.estimands.curves import curves_of_all
from socgrad.estimands.exposure_sums import group_sums
from socgrad.reading.posterior import Coefficients, Geography

__all__ = ["authority_rates", "group_rates", "line_draws"]

type Floats = npt.NDArray[np.float64]


def authority_rates(terms: Coefficients, land: Geography, *, own_effects: bool) -> xr.DataArray:
    """Compute sum of N_i rate_i / sum of N_i over each authority's neighbourhoods.

    Parameters
    ----------
    terms, land
        Of one fit.
    own_effects
        Whether each authority has its own level and slope effect, or none.

    Returns
    -------
    xarray.DataArray
        Events per unit of exposure, dims chain, draw, authority: those that have exposure.
    """
    level, slope = line_draws(terms, land, own_effects=own_effects)
    exposure = land.authority_exposure
    events = group_sums(
        level,
        slope,
        authority=land.authority_of_area,
        within_part=land.within_part,
        weight=land.exposure,
        group=land.authority_of_area,
        groups=exposure.size,
    )
    kept = exposure > 0
    labels = land.authority_mean["authority"].to_numpy()
    return _draws(events[:, kept] / exposure[kept], terms, "authority", labels[kept])


def group_rates(
    terms: Coefficients, land: Geography, *, group: npt.NDArray[np.int64], groups: int
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

    Returns
    -------
    xarray.DataArray
        Events per unit of exposure, dims chain, draw, group.
    """
    level, slope = line_draws(terms, land, own_effects=True)
    events = group_sums(
        level,
        slope,
        authority=land.authority_of_area,
        within_part=land.within_part,
        weight=land.exposure,
        group=group - 1,
        groups=groups,
    )
    exposure = np.bincount(group - 1, weights=land.exposure, minlength=groups)
    return _draws(events / exposure, terms, "group", np.arange(1, groups + 1))


def line_draws(terms: Coefficients, land: Geography, *, own_effects: bool) -> tuple[Floats, Floats]:
    """Levels and slopes of all authorities, NumPy arrays of shape (chain * draw, authority)."""
    curves = curves_of_all(terms, land, own_effects=own_effects)
    # A term that does not vary by draw or authority is repeated, so that shapes are known.
    full = terms.intercept * xr.ones_like(land.between_part)
    level, slope = (
        line.broadcast_like(full).transpose("chain", "draw", "authority").to_numpy()
        for line in (curves.level, curves.slope)
    )
    shape = (-1, land.authority_mean.size)
    return level.reshape(shape), slope.reshape(shape)


def _draws(
    values: Floats, terms: Coefficients, dim: str, labels: npt.NDArray[np.generic]
) -> xr.DataArray:
    """Give values of shape (chain * draw, dim) their dims and coordinates back."""
    like = terms.intercept.transpose("chain", "draw")
    return xr.DataArray(
        values.reshape(*like.shape, -1),
        dims=("chain", "draw", dim),
        coords={**like.coords, dim: labels},
    )
