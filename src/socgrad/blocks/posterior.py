"""Points and effects as named draws."""

from typing import Any

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.blocks.coordinates import FACTORS, Coordinates
from socgrad.blocks.effects import Effects
from socgrad.terms import TERMS

__all__ = ["posterior_of", "shaped"]


def posterior_of(coordinates: Coordinates, x: FloatArray, effects: Effects) -> xr.Dataset:
    """Named draws, dims sample, stratum and those of each term.

    Parameters
    ----------
    coordinates : Coordinates
    x : ndarray, shape (draws, d)
    effects : Effects
        Of the same draws.
    """
    s = coordinates.strata
    shared = coordinates.shared(x)
    made: dict[str, tuple[tuple[str, ...], Any]] = {}
    for kind, values in (
        (coordinates.coefficients, shared.coefficients),
        (coordinates.area_coefficients, shared.area_coefficients),
    ):
        for name in dict.fromkeys(each.name for each in kind):
            places = [k for k, each in enumerate(kind) if each.name == name]
            own = np.moveaxis(values[:, places], 1, -1)
            dim = TERMS[name].dim
            made[name] = (
                (("sample", "stratum", dim), own) if dim else (("sample", "stratum"), own[..., 0])
            )
    covariance = coordinates.covariance(coordinates.parts(x)[2])
    sds = np.sqrt(np.einsum("nkk->nk", covariance))
    by_authority = ("sample", "stratum", "authority")
    levels = effects.effects[:, :, :s]
    if coordinates.has_levels:
        made["level_sd"] = (("sample", "stratum"), sds[:, :s])
        made["level_effect"] = (by_authority, np.moveaxis(levels, 1, -1))
    else:
        # Of one authority alone: the intercept is its level.
        dims, intercept = made["intercept"]
        made["intercept"] = (dims, intercept + levels[:, 0])
    correlation = covariance / sds[:, :, None] / sds[:, None, :]
    pairs = ("sample", "stratum", "stratum_bis")
    if coordinates.has_levels and s > 1:
        made["level_correlation"] = (pairs, correlation[:, :s, :s])
    if coordinates.has_slopes:
        on = np.arange(s)
        made["slope_sd"] = (("sample", "stratum"), sds[:, s:])
        made["correlation"] = (("sample", "stratum"), correlation[:, on, s + on])
        made["slope_effect"] = (by_authority, np.moveaxis(effects.effects[:, :, s:], 1, -1))
        if s > 1:
            made["slope_correlation"] = (pairs, correlation[:, s:, s:])
            made["level_slope_correlation"] = (pairs, correlation[:, :s, s:])
    for name, values in coordinates.structure.named(coordinates.parts(x)[2]).items():
        made[name] = (("sample",), values)
    for place, name in enumerate(FACTORS):
        if (coordinates.with_factor % len(FACTORS) == place).any():
            made[name] = (("sample", "stratum"), shared.spread[..., place])
    if coordinates.outcome is not None and shared.outcome is not None:
        made |= coordinates.outcome.named(shared.outcome, sds)
    if shared.region_sd.shape[1]:
        made["region_sd"] = (("sample", "stratum"), shared.region_sd)
        made["region_effect"] = (
            ("sample", "stratum", "region"),
            np.moveaxis(effects.region_effects, 1, -1),
        )
    return xr.Dataset(made)


def shaped(flat: xr.Dataset, chains: int, draws: int) -> xr.Dataset:
    """Draws in a row, dim sample, as chains."""
    made = {
        name: (
            ("chain", "draw", *one.dims[1:]),
            one.to_numpy().reshape(chains, draws, *one.shape[1:]),
        )
        for name, one in flat.data_vars.items()
    }
    return xr.Dataset(made, {"chain": np.arange(chains), "draw": np.arange(draws)})
