"""What figures of any estimand ask of its draws: one named dim, and something to hold them to."""

from collections.abc import Hashable
from numbers import Real
from typing import Final

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.reading.labels import are_labelled

__all__ = ["AVERAGE", "one_dim", "reference_of"]

#: What the default reference of authorities is called in a key.
AVERAGE: Final = "the average of those shown"


def one_dim(draws: xr.DataArray) -> Hashable:
    """Name the one named dim of draws as an estimand returns them.

    Raises
    ------
    EstimandError
        If they are no such draws, or have none or several named dims.
    """
    if not isinstance(draws, xr.DataArray) or not {"chain", "draw"} <= set(draws.dims):
        raise EstimandError(
            "Expected draws of an estimand, such as socgrad.gradient(fit, target='each'); found "
            f"{type(draws).__name__}."
        )
    if not are_labelled(draws):
        raise EstimandError(
            f"These draws ({draws.name}) are not as an estimand returned them, so that their units "
            "need not hold. Label them: socgrad.tables.label_draws(draws, estimand=..., units=..., "
            "reference=..., null=...)."
        )
    named = [dim for dim in draws.dims if dim not in ("chain", "draw")]
    if len(named) != 1:
        raise EstimandError(
            f"These draws have {len(named)} named dims ({', '.join(map(str, named)) or 'none'}); "
            "expected one, along which authorities run. Choose of the others: draws.sel(...)."
        )
    return named[0]


def reference_of(
    draws: xr.DataArray, reference: xr.DataArray | float | None
) -> xr.DataArray | float | None:
    """Give what draws are held to: as asked for, else a default, else nothing.

    By default authorities are held to the average of those shown, draw by draw (of ratios the
    geometric mean), since a gradient of nearly every authority lies surely above 1; other dims to
    their null value. What has no null value, such as a rank, is held to nothing.

    Raises
    ------
    EstimandError
        If the reference is neither draws nor a number, or has named dims.
    """
    if reference is None:
        null = draws.attrs.get("null")
        if null is None or draws.sizes.get("authority", 1) == 1:
            return None if null is None else float(null)
        if null == 1:
            logs: xr.DataArray = xr.apply_ufunc(np.log, draws)
            average: xr.DataArray = xr.apply_ufunc(np.exp, logs.mean("authority"))
            return average
        return draws.mean("authority")
    if not isinstance(reference, xr.DataArray | Real):
        raise EstimandError(
            f"reference is a {type(reference).__name__}; expected draws of one quantity, such as "
            "socgrad.gradient(fit), or a number."
        )
    if isinstance(reference, xr.DataArray) and set(reference.dims) != {"chain", "draw"}:
        raise EstimandError(
            f"reference has dims {reference.dims}; expected draws of one quantity, dims chain and "
            "draw, such as socgrad.gradient(fit), or a number."
        )
    return reference
