"""Area covariates of new rows: what they add to the lines of the rows' authorities."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from socgrad.designs import Columns, Designs
from socgrad.errors import EstimandError, SpecificationError
from socgrad.reading.fitted_designs import fitted_designs
from socgrad.reading.posterior import Coefficients
from socgrad.reading.support import warn_if_beyond

__all__ = ["added_by_covariates"]

type Floats = npt.NDArray[np.float64]


def added_by_covariates(
    fit: xr.DataTree,
    terms: Coefficients,
    frame: pd.DataFrame,
    position: npt.NDArray[np.int64] | None,
) -> tuple[xr.DataArray, xr.DataArray]:
    """What area covariates add to level and slope of new rows; zeros without any.

    Parameters
    ----------
    fit, terms
        The fit, and its coefficients.
    frame
        One row per neighbourhood, with the columns that the fit's formulas of areas name.
    position
        Where each row's authority stands along dim authority, for the part of a split covariate
        within it; None for authorities whose means are the national ones.

    Returns
    -------
    level, slope : xarray.DataArray
        Dims chain, draw, row.

    Raises
    ------
    EstimandError
        If a column is absent, missing in some rows or of an unknown level, or a transform of it is
        not finite; or if the fit holds no columns to transform new ones by (straight from
        `pymc.sample`).
    TableError
        If a column appears twice, or holds what is no number where the fitted rows have them.

    Warns
    -----
    SupportWarning
        Where a column lies far outside its fitted range.
    """
    like = terms.intercept.transpose("chain", "draw")
    if not terms.has_area_covariates:
        return xr.DataArray(0.0), xr.DataArray(0.0)
    made = fitted_designs(fit)

    def added(columns: Columns, coefficient: Floats) -> xr.DataArray:
        if columns.design is None:
            return xr.DataArray(0.0)
        values = coefficient @ _centred(columns, frame, made, position).T
        return xr.DataArray(
            values.reshape(*like.shape, -1),
            dims=("chain", "draw", "row"),
            coords={**like.coords, "row": frame.index.to_numpy()},
        )

    return (
        added(made.covariates, terms.covariate),
        added(made.area_moderators, terms.area_moderator),
    )


def _centred(
    columns: Columns,
    frame: pd.DataFrame,
    made: Designs,
    position: npt.NDArray[np.int64] | None,
) -> Floats:
    """Columns of new rows as the fitted ones were made."""
    assert columns.design is not None
    try:
        values = columns.design.of(frame) - columns.centre
    except SpecificationError as error:
        raise EstimandError(f"Area covariates of the new table: {error}") from error
    warn_if_beyond(frame, columns.design.ranges, rows="rows")
    if columns is made.covariates and made.split and position is not None:
        means = made.authority_covariates.matrix[:, -len(made.split) :]
        values[:, list(made.split)] -= means[position]
    return values
