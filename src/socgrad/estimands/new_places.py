"""Places of a new table: neighbourhoods that a model is asked about, checked as at the first door.

Callers turn the table into a pandas frame first (`socgrad.door.table_checks.as_pandas`), so that it
is turned once.
"""

from dataclasses import dataclass
from numbers import Real
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from socgrad.door.by_authority import spelling_hint
from socgrad.door.label_checks import coded_labels, row_labels
from socgrad.door.number_checks import MOST, check_proportion, numbers
from socgrad.door.table_checks import column, refuse
from socgrad.errors import EstimandError
from socgrad.reading.geography import Geography
from socgrad.reading.support import count_near, warn_if_thin

__all__ = ["Places", "exposure_of", "locality_of_rows", "places_of"]

type Floats = npt.NDArray[np.float64]

_TABLE: Final = "the table of places"


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
    TableError
        If row labels repeat; if a column is missing, or holds what is no proportion, no label or no
        authority of the fit.
    EstimandError
        If authorities are needed and no column of them is named; if `authority_mean` is no
        proportion.
    """
    row = row_labels(frame.index, where=_TABLE)
    x = np.zeros(len(frame))
    if land.has_deprivation:
        x = _proportions(frame, deprivation, row)
    elif authority_mean is not None:
        land.require_deprivation()
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
        values = column(frame, authority, role="authority")
        where = f"Column {authority!r} (authority) of {_TABLE}"
        group, its = coded_labels(values, where=where)
        known = pd.Index(land.authority_mean["authority"].to_numpy()).infer_objects()
        position, names = known.get_indexer(its)[group], its.tolist()
        if needs_authority or authority_mean is None:
            refuse(
                position < 0,
                [
                    f"{names[k]!r} in row {label!r}"
                    for k, label in zip(group, row.tolist(), strict=True)
                ],
                f"{where} names authorities that are not in this fit, in rows",
                "Spell them as the fit does, or give a new authority's mean deprivation, "
                "authority_mean=..., with target='average', 'new' or 'integrated'."
                + spelling_hint(its[known.get_indexer(its) < 0], known),
            )
    if isinstance(authority_mean, str):
        mean = _proportions(frame, authority_mean, row)
    elif authority_mean is not None:
        is_number = isinstance(authority_mean, Real) and not isinstance(authority_mean, bool)
        if not (is_number and 0 <= authority_mean <= 1):
            raise EstimandError(
                f"authority_mean is {authority_mean!r}; expected a proportion within 0-1, or the "
                "name of a column. Divide percentages by 100."
            )
        mean = np.full(len(frame), float(authority_mean))
    elif authority is not None:
        mean = land.authority_mean.to_numpy()[position]
    else:
        mean = np.full(len(frame), land.national_mean)
    if land.has_deprivation:
        _warn_of_support(land, row, x)
    coords = {"row": row.to_numpy()}
    return Places(
        row,
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
        If it is not given, or a number not above 0.
    TableError
        If its column is missing, or holds what is not above 0.
    """
    if exposure is None:
        raise EstimandError(
            "Events need an exposure, and none was given: name the column, exposure='children', or "
            "state one for every row, exposure=10_000. For rates use "
            "socgrad.predictions.predict_rate."
        )
    if not isinstance(exposure, str):
        is_number = isinstance(exposure, Real) and not isinstance(exposure, bool)
        if not (is_number and 0 < exposure <= MOST):
            raise EstimandError(
                f"exposure is {exposure!r}; expected a number above 0, up to {MOST:g}, or the name "
                "of a column."
            )
        return np.full(len(frame), float(exposure))
    where = f"Column {exposure!r} (exposure) of {_TABLE}"
    values = numbers(column(frame, exposure, role="exposure"), frame.index, where=where)
    refuse(
        ~(values > 0),
        frame.index,
        f"{where} is missing or not above 0 in rows",
        "Leave those rows out, or ask for their rates: socgrad.predictions.predict_rate.",
    )
    return values


def locality_of_rows(
    frame: pd.DataFrame, locality: str, authority: str | None
) -> npt.NDArray[np.int64]:
    """Number of each row's locality, from 0: a label within its authority, if that is named.

    Raises
    ------
    TableError
        If there is no such column, or it has missing labels.
    """

    def code(name: str, role: str) -> npt.NDArray[np.int64]:
        where = f"Column {name!r} ({role}) of {_TABLE}"
        return coded_labels(column(frame, name, role=role), where=where)[0]

    codes = [code(locality, "locality")]
    if authority is not None:
        codes.append(code(authority, "authority"))
    number = np.unique(np.column_stack(codes), axis=0, return_inverse=True)[1]
    return np.asarray(number, dtype=np.int64).ravel()


def _proportions(frame: pd.DataFrame, name: str, row: pd.Index) -> Floats:
    where = f"Column {name!r} (deprivation) of {_TABLE}"
    values = numbers(column(frame, name, role="deprivation"), row, where=where)
    refuse(
        np.isnan(values),
        row,
        f"{where} has missing values",
        "Fill them in, or leave those rows out.",
    )
    check_proportion(values, row, where=where)
    return values


def _warn_of_support(land: Geography, row: pd.Index, x: Floats) -> None:
    """Count the fitted neighbourhoods, of any authority, that are as deprived as each place."""
    number = count_near(land, land.has_data, x)
    points = [
        (f"deprivation {value:.3g} in row {label!r}", int(count))
        for label, value, count in zip(row.tolist(), x, number, strict=True)
    ]
    warn_if_thin(land, points)
