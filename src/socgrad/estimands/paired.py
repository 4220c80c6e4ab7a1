"""Ratio or difference: the scale on which draws of an estimand are compared."""

from typing import Literal

import xarray as xr

from socgrad.errors import EstimandError
from socgrad.reading.arguments import check_choice

__all__ = ["OVER", "Scale", "compared", "scale_of"]

type Scale = Literal["ratio", "difference"]

#: How the first is set against the second.
OVER = {"ratio": "over", "difference": "less"}


def scale_of(draws: xr.DataArray, scale: Scale | None) -> Scale:
    """The scale asked for, or a ratio of what is itself a ratio (its null is 1), else a difference.

    Raises
    ------
    EstimandError
        If the scale is unknown, or a ratio is asked for and some draws are not above 0.
    """
    if scale is not None:
        check_choice("scale", scale, ("ratio", "difference"))
    own: Scale = scale or ("ratio" if draws.attrs.get("null") == 1.0 else "difference")
    if own == "ratio" and not bool((draws > 0).where(draws.notnull(), other=True).all()):
        raise EstimandError(
            f"{draws.attrs['estimand']} is not above 0 in all draws, so that it has no ratios. "
            "Choose scale='difference'."
        )
    return own


def compared(first: xr.DataArray, second: xr.DataArray, scale: Scale) -> xr.DataArray:
    """The first over the second, or less it."""
    return first / second if scale == "ratio" else first - second
