"""Checks of one column at a time: from whatever the caller's table holds to plain arrays.

Each check refuses with the column, how many rows, the first of them, what was expected and what to
do. Nothing here knows what a model is.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

from socgrad.arrays import BoolArray, FloatArray
from socgrad.errors import TableError

__all__ = [
    "as_pandas",
    "by_authority",
    "check_known",
    "check_proportion",
    "check_whole",
    "column",
    "fixed_width",
    "labels",
    "name_some",
    "numbers",
    "refuse",
]

#: Marks that statistical offices print where a count is hidden or absent. None of them means zero.
NOT_KNOWN = frozenset(
    [
        "",
        "c",
        "x",
        "z",
        ":",
        "*",
        "-",
        ".",
        "..",
        "k",
        "u",
        "low",
        "na",
        "n/a",
        "nan",
        "none",
        "null",
    ]
)


def name_some(items: npt.NDArray[Any] | pd.Index[Any] | list[Any], *, limit: int = 5) -> str:
    """Name the first few items, and say how many more there are."""
    shown = ", ".join(str(item) for item in items[:limit])
    return shown if len(items) <= limit else f"{shown} and {len(items) - limit:,} more"


def refuse(bad: BoolArray, keys: npt.NDArray[Any], problem: str, remedy: str) -> None:
    """Raise `TableError` if any row is bad: the problem, how many, the first keys, the remedy."""
    if bad.any():
        where = f"{int(bad.sum()):,} of {len(bad):,} ({name_some(keys[bad])})"
        raise TableError(f"{problem}: {where}. {remedy}")


def as_pandas(frame: object) -> pd.DataFrame:
    """Take the table as a pandas frame, if it has a ``to_pandas`` method (polars, pyarrow)."""
    if hasattr(frame, "to_pandas"):
        frame = frame.to_pandas()
    if not isinstance(frame, pd.DataFrame):
        raise TableError(
            f"A table was expected, not {type(frame).__name__}. Pass a pandas or polars DataFrame, "
            "or any other with a to_pandas method (collect a lazy one first)."
        )
    if frame.empty:
        raise TableError(
            f"The table is empty ({len(frame):,} rows, {frame.shape[1]} columns). Expected one row "
            "per area. A filter or a join before this step may have matched nothing."
        )
    return frame


def column(frame: pd.DataFrame, name: str, *, role: str) -> pd.Series[Any]:
    """Take one column of the table by name."""
    count = int((frame.columns == name).sum())
    if count == 1:
        return frame[name]
    if count > 1:
        raise TableError(
            f"Column {name!r} ({role}) appears {count} times in the table. "
            "Rename or drop the copies, so that it is plain which one is meant."
        )
    if name in frame.index.names:
        advice = f"The index has that name: pass frame.reset_index(level={name!r})."
    else:
        known = {str(label).casefold(): str(label) for label in frame.columns}
        close = [known[key] for key in get_close_matches(str(name).casefold(), list(known))]
        advice = (
            f"Did you mean {' or '.join(map(repr, close))}?"
            if close
            else f"The columns are {name_some(frame.columns, limit=12)}."
        )
    raise TableError(f"Column {name!r} ({role}) is not in the table. {advice}")


def labels(values: pd.Series[Any], *, name: str, role: str) -> npt.NDArray[Any]:
    """Return labels as an array of text (objects) or of int64, none missing."""
    kind = types.infer_dtype(values, skipna=True)
    if kind == "categorical":
        values = values.astype(values.cat.categories.dtype)
        kind = types.infer_dtype(values, skipna=True)
    rows = np.arange(len(values))
    advice = f"Every row needs its {role}; counting from 0, these are rows of the table."
    missing = values.isna().to_numpy(dtype=bool)
    refuse(missing, rows, f"Column {name!r} ({role}) has missing labels", advice)
    if kind == "string":
        text = values.to_numpy(dtype=object)
        blank = np.strings.str_len(np.strings.strip(fixed_width(text))) == 0
        refuse(blank, rows, f"Column {name!r} ({role}) has blank labels", advice)
        return text
    if kind in {"integer", "floating"}:
        number = values.to_numpy(dtype=np.float64)
        # A missing label, since dropped, leaves whole codes as floats: 101.0 is still code 101.
        refuse(number != np.floor(number), rows, f"Column {name!r} ({role}) has fractions", advice)
        return values.to_numpy(dtype=np.int64)
    raise TableError(
        f"Column {name!r} ({role}) holds {kind} values. Expected labels that are all text or all "
        "whole numbers; mixed ones would not match each other. Convert it, as with .astype(str)."
    )


def fixed_width(text: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return text as a fixed-width array, which sorts as Python does, but much faster."""
    try:
        return text.astype("S")
    except UnicodeEncodeError:
        return text.astype("U")


def numbers(values: pd.Series[Any], keys: npt.NDArray[Any], *, name: str, role: str) -> FloatArray:
    """Return numbers as float64, NaN where missing; text is read if all of it parses."""
    where = f"Column {name!r} ({role})"
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    kind = types.infer_dtype(values, skipna=True)
    if kind in {"boolean", "complex"} or kind.startswith(("date", "time", "period", "interval")):
        raise TableError(f"{where} holds {kind} values. Expected numbers.")
    if types.is_numeric_dtype(values.dtype):
        number = values.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        given = values.to_numpy(dtype=object, na_value=np.nan)
        number = np.asarray(pd.to_numeric(given, errors="coerce"), dtype=np.float64)
        unread = np.flatnonzero(np.isnan(number) & values.notna().to_numpy(dtype=bool))
        marks = pd.Series(given[unread], dtype=object).astype(str).str.strip().str.casefold()
        wrong = unread[~marks.isin(NOT_KNOWN).to_numpy(dtype=bool)]
        if wrong.size:
            shown = name_some([f"{given[i]!r} at {keys[i]}" for i in wrong[:5]])
            raise TableError(
                f"{where} holds text that is not a number in {wrong.size:,} of {len(given):,} rows "
                f"({shown}). Expected numbers, without thousands separators, signs or ranges; "
                "where a value is not known, leave it missing."
            )
    refuse(np.isinf(number), keys, f"{where} has infinite values", "Expected finite numbers.")
    return number


def check_known(number: FloatArray, keys: npt.NDArray[Any], *, name: str, role: str) -> None:
    """Refuse missing and negative numbers."""
    where = f"Column {name!r} ({role})"
    refuse(
        np.isnan(number),
        keys,
        f"{where} has missing values",
        f"The {role} of every area is needed: fill it in from its source, by label, or drop the "
        "area yourself, knowing that its authority's mean then comes from the other areas.",
    )
    refuse(number < 0, keys, f"{where} has negative values", "Expected zero or more.")


def check_proportion(number: FloatArray, keys: npt.NDArray[Any], *, where: str) -> None:
    """Refuse what is not a proportion, above all percentages."""
    refuse(number < 0, keys, f"{where} has values below 0", "Expected proportions, 0 to 1.")
    refuse(
        number > 1,
        keys,
        f"{where} has values above 1, up to {float(number.max()):g}",
        "Expected proportions, 0 to 1. If these are percentages, divide by 100; a rank, decile or "
        "score will not do.",
    )


def check_whole(number: FloatArray, keys: npt.NDArray[Any], *, where: str) -> None:
    """Refuse negative and fractional counts; missing ones pass."""
    refuse(number < 0, keys, f"{where} has negative counts", "Expected counts, zero or more.")
    refuse(
        np.isfinite(number) & (number != np.round(number)),
        keys,
        f"{where} has fractional counts",
        "Expected whole numbers of events, not rates or averages: pass the count, and its "
        "denominator as the exposure.",
    )


def by_authority(
    values: object, authority: pd.Index[Any], *, argument: str, extra: bool
) -> FloatArray:
    """Return numbers given by authority label in the order of `authority`, NaN where there is none.

    With ``extra=False`` a label that is no authority of the table is refused.
    """
    if isinstance(values, Mapping):
        values = pd.Series(list(values.values()), index=list(values.keys()), dtype=object)
    if not isinstance(values, pd.Series):
        raise TableError(
            f"{argument} is a {type(values).__name__}. Expected a mapping or a pandas Series from "
            "authority label to number: authorities are matched by label, never by position."
        )
    result = np.full(len(authority), np.nan)
    if values.empty:
        return result
    given = labels(values.index.to_series(), name=argument, role="authority label")
    number = numbers(values, given, name=argument, role="by authority")
    twice = pd.Index(given).duplicated()
    refuse(twice, given, f"{argument} names an authority twice", "Expected one number for each.")
    position = authority.get_indexer(pd.Index(given))
    unmatched = position < 0
    if not extra:
        kinds = {_kind(given), _kind(authority.to_numpy())}
        hint = (
            " The one holds text, the other whole numbers: convert one." if len(kinds) > 1 else ""
        )
        refuse(
            unmatched,
            given,
            f"{argument} has labels that are no authority of the table",
            f"Codes change when authorities are reorganised: bring both to the codes of one year, "
            f"or take these labels out of {argument}.{hint}",
        )
    result[position[~unmatched]] = number[~unmatched]
    return result


def _kind(given: npt.NDArray[Any]) -> str:
    return "number" if given.dtype.kind in "iu" else "text"
