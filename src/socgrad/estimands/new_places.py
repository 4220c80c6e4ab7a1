"""Places of a new table: neighbourhoods that a model is asked about, checked at the door."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.reading.posterior import Geography
from socgrad.reading.support import count_near, warn_if_thin

__all__ = ["Places", "exposure_of", "locality_of_rows", "places_of"]

type Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Places:
    """Rows of a table (dim row, its labels): deprivation, and the authority each lies in.

    `authority_mean` is the mean deprivation of the row's authority, `group` a number for each
    distinct authority, `position` where it stands along dim authority of the fit (-1: not in it).
    """

    row: pd.Index
    deprivation: xr.DataArray
    authority_mean: xr.DataArray
    group: npt.NDArray[np.int64]
    position: npt.NDArray[np.int64]


def places_of(
    land: Geography,
    frame: pd.DataFrame,
    *,
    deprivation: str,
    authority: str | None,
    authority_mean: str | float | None,
    needs_authority: bool,
) -> Places:
    """Check a table of places.

    Raises
    ------
    EstimandError
        If it is no table, has no rows or row labels that repeat; if a column is missing, or holds
        what is no proportion or no authority of the fit.
    """
    _check_is_frame(frame)
    if frame.empty or frame.index.has_duplicates:
        twice = frame.index[frame.index.duplicated()].tolist()
        raise EstimandError(
            f"The table of places has {len(frame)} rows"
            + (f" and {len(twice)} row labels that repeat (first: {twice[0]!r})" if twice else "")
            + ". Expected one row or more, each with a label of its own: frame.reset_index()."
        )
    x = _proportions(frame, deprivation)
    if authority is None:
        if needs_authority:
            raise EstimandError(
                "target='own' asks for the rates of the authority that each row lies in. Name the "
                "column that holds it, authority=..., or choose target='average', 'new' or "
                "'integrated'."
            )
        position = np.full(len(frame), -1)
        group = np.zeros(len(frame), dtype=np.int64)
    else:
        labels = _column(frame, authority)
        group = np.asarray(pd.factorize(labels)[0], dtype=np.int64)
        known = pd.Index(land.authority_mean["authority"].to_numpy())
        position = known.get_indexer(pd.Index(labels.to_numpy()))
        lost = labels[position < 0]
        if len(lost) and (needs_authority or authority_mean is None):
            raise EstimandError(
                f"{len(lost)} of {len(frame)} rows of column {authority!r} name an authority that "
                f"is not in this fit (first: {lost.iloc[0]!r} in row {lost.index[0]!r}). Spell "
                "them as the fit does, or give a new authority's mean deprivation, "
                "authority_mean=..., with target='average', 'new' or 'integrated'."
            )
    if isinstance(authority_mean, str):
        mean = _proportions(frame, authority_mean)
    elif authority_mean is not None:
        mean = np.full(len(frame), float(authority_mean))
        if not 0 <= authority_mean <= 1:
            raise EstimandError(
                f"authority_mean is {authority_mean:g}; expected a proportion within 0-1. Divide "
                "percentages by 100."
            )
    elif authority is not None:
        mean = land.authority_mean.to_numpy()[position]
    else:
        mean = np.full(len(frame), land.national_mean)
    _warn_of_support(land, frame.index, x)
    coords = {"row": frame.index.to_numpy()}
    return Places(
        frame.index,
        xr.DataArray(x, dims="row", coords=coords),
        xr.DataArray(mean, dims="row", coords=coords),
        group,
        np.asarray(position, dtype=np.int64),
    )


def exposure_of(frame: pd.DataFrame, exposure: str | float | None) -> Floats:
    """Exposure of each row: a column, or one number that is stated for all.

    Raises
    ------
    EstimandError
        If it is not given, or not above 0.
    """
    _check_is_frame(frame)
    if exposure is None:
        raise EstimandError(
            "Events need an exposure, and none was given: name the column, exposure='children', or "
            "state one for every row, exposure=10_000. For rates use socgrad.predict_rate."
        )
    if not isinstance(exposure, str):
        values = np.full(len(frame), float(exposure))
        if not 0 < exposure < np.inf:
            raise EstimandError(f"exposure is {exposure:g}; expected a number above 0.")
        return values
    column = _numbers(frame, exposure)
    bad = column[~((column > 0) & np.isfinite(column))]
    if len(bad):
        raise EstimandError(
            f"{len(bad)} of {len(frame)} rows of column {exposure!r} are no exposure above 0 "
            f"(first: {bad.iloc[0]} in row {bad.index.tolist()[0]!r}). Leave those rows out, or "
            "ask for their rates: socgrad.predict_rate."
        )
    return column.to_numpy(dtype=np.float64)


def locality_of_rows(
    frame: pd.DataFrame, locality: str, authority: str | None
) -> npt.NDArray[np.int64]:
    """Number of each row's locality, from 0: a label within its authority, if that is named.

    Raises
    ------
    EstimandError
        If there is no such column, or it has missing labels.
    """
    _check_is_frame(frame)
    labels = _column(frame, locality)
    lost = labels.index[labels.isna()].tolist()
    if lost:
        raise EstimandError(
            f"{len(lost)} of {len(frame)} rows of column {locality!r} have no locality (first: row "
            f"{lost[0]!r}). Give each a label; a row that is alone gets one of its own."
        )
    columns = [locality] if authority is None else [authority, locality]
    number = frame.groupby(columns, sort=False, dropna=False).ngroup()
    return np.asarray(number, dtype=np.int64)


def _check_is_frame(frame: object) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise EstimandError(f"Expected a pandas DataFrame of places, got {type(frame).__name__}.")


def _column(frame: pd.DataFrame, name: str) -> "pd.Series[Any]":
    if name not in frame.columns:
        raise EstimandError(
            f"The table of places has no column {name!r} (it has "
            f"{', '.join(map(repr, frame.columns[:8]))}). Name the column that holds it."
        )
    return frame[name]


def _numbers(frame: pd.DataFrame, name: str) -> "pd.Series[Any]":
    column = _column(frame, name)
    if not pd.api.types.is_numeric_dtype(column):
        raise EstimandError(
            f"Column {name!r} of the table of places holds {column.dtype}, not numbers. Convert it "
            "first: pandas.to_numeric."
        )
    return column.astype(float)


def _proportions(frame: pd.DataFrame, name: str) -> Floats:
    column = _numbers(frame, name)
    bad = column[~((column >= 0) & (column <= 1))]
    if len(bad):
        raise EstimandError(
            f"{len(bad)} of {len(frame)} rows of column {name!r} are no proportion within 0-1 "
            f"(first: {bad.iloc[0]} in row {bad.index.tolist()[0]!r}). Divide percentages by 100, "
            "and leave rows out whose deprivation is missing."
        )
    return column.to_numpy(dtype=np.float64)


def _warn_of_support(land: Geography, row: pd.Index, x: Floats) -> None:
    """Count the fitted neighbourhoods, of any authority, that are as deprived as each place."""
    number = count_near(land, land.has_data, x)
    points = [
        (f"deprivation {value:.3g} in row {label!r}", int(count))
        for label, value, count in zip(row.tolist(), x, number, strict=True)
    ]
    warn_if_thin(land, points)
