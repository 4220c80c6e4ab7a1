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

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.errors import TableError

__all__ = [
    "as_pandas",
    "by_authority",
    "check_known",
    "check_labelled",
    "check_proportion",
    "check_whole",
    "coded_labels",
    "column",
    "is_blank",
    "labels",
    "name_some",
    "numbers",
    "refuse",
    "sorting_keys",
]

#: What names the rows in a message.
type Keys = pd.Index[Any] | npt.NDArray[Any] | list[Any]

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


def name_some(items: Keys, *, limit: int = 5) -> str:
    """Name the first few items, and say how many more there are."""
    shown = ", ".join(str(item) for item in items[:limit])
    return shown if len(items) <= limit else f"{shown} and {len(items) - limit:,} more"


def refuse(bad: BoolArray, keys: Keys, problem: str, remedy: str, *, limit: int = 5) -> None:
    """Raise `TableError` if any row is bad: the problem, how many, the first keys, the remedy."""
    if bad.any():
        first = name_some(pd.Index(keys)[bad], limit=limit)
        where = f"{int(bad.sum()):,} of {len(bad):,} ({first})"
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


def labels(values: pd.Series[Any], *, where: str) -> pd.Index[Any]:
    """Return labels as a plain index of text or of int64, none missing."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    check_labelled(values.isna().to_numpy(dtype=bool), where=where)
    kind = types.infer_dtype(values, skipna=True)
    if kind == "string":
        # pandas 3 keeps text in a compact dtype of its own, which is plain enough and quicker.
        plain = values.dtype == pd.Index(["text"]).dtype
        text: pd.Index[Any] = pd.Index(values if plain else values.to_numpy(dtype=object))
        return text
    if kind in {"integer", "floating"}:
        # A missing label, since dropped, leaves whole codes as floats: 101.0 is still code 101.
        number = values.to_numpy(dtype=np.float64)
        problem = f"{where} has labels with fractions"
        refuse(number != np.floor(number), number, problem, "Expected text or whole numbers.")
        code: pd.Index[Any] = pd.Index(values.to_numpy(dtype=np.int64))
        return code
    raise TableError(
        f"{where} holds {kind} values. Expected labels that are all text or all "
        "whole numbers; mixed ones would not match each other. Convert it, as with .astype(str)."
    )


def coded_labels(values: pd.Series[Any], *, where: str) -> tuple[IntArray, pd.Index[Any]]:
    """Return each row's position along the sorted labels, and those labels."""
    code, found = pd.factorize(values)
    check_labelled(code < 0, where=where)
    label = labels(pd.Series(found), where=where)
    sortable = sorting_keys(label)
    check_labelled(is_blank(sortable)[code], where=where)
    rank = np.argsort(sortable, kind="stable")
    position = np.empty(len(rank), dtype=np.int64)
    position[rank] = np.arange(len(rank))
    return position[code], label[rank]


def check_labelled(missing: BoolArray, *, where: str) -> None:
    """Refuse rows without a label."""
    refuse(
        missing,
        np.arange(len(missing)),
        f"{where} has missing or blank labels in rows",
        "Every row needs a label (rows are counted from 0): fill it in, or drop total rows.",
    )


def sorting_keys(label: pd.Index[Any]) -> npt.NDArray[Any]:
    """Return labels as an array that sorts as Python would, but much faster than objects."""
    if types.is_integer_dtype(label.dtype):
        return label.to_numpy()
    text = label.to_numpy(dtype=object)
    try:
        return text.astype("S")
    except UnicodeEncodeError:
        return text.astype("U")


def is_blank(keys: npt.NDArray[Any]) -> BoolArray:
    """Say which sorting keys are empty or white space."""
    if keys.dtype.kind not in "SU":
        return np.zeros(len(keys), dtype=bool)
    blank: BoolArray = np.strings.str_len(np.strings.strip(keys)) == 0
    return blank


def numbers(values: pd.Series[Any], keys: pd.Index[Any], *, where: str) -> FloatArray:
    """Return numbers as float64, NaN where missing; text is read if all of it parses."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    kind = types.infer_dtype(values, skipna=True)
    if kind in {"boolean", "complex"} or kind.startswith(("date", "time", "period", "interval")):
        raise TableError(f"{where} holds {kind} values. Expected numbers.")
    if types.is_numeric_dtype(values.dtype):
        # Copied, because pandas may hand out a view of the caller's own column.
        number = values.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
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


def check_known(number: FloatArray, keys: Keys, *, where: str) -> None:
    """Refuse missing and negative numbers."""
    refuse(
        np.isnan(number),
        keys,
        f"{where} has missing values",
        "Every area needs one: fill it in from its source, by label, or drop the area yourself, "
        "knowing that its authority's mean then comes from the other areas.",
    )
    refuse(number < 0, keys, f"{where} has negative values", "Expected zero or more.")


def check_proportion(number: FloatArray, keys: Keys, *, where: str) -> None:
    """Refuse what is not a proportion, above all percentages."""
    refuse(number < 0, keys, f"{where} has values below 0", "Expected proportions, 0 to 1.")
    refuse(
        number > 1,
        keys,
        f"{where} has values above 1, up to {float(number.max()):g}",
        "Expected proportions, 0 to 1. If these are percentages, divide by 100; a rank, decile or "
        "score will not do.",
    )


def check_whole(number: FloatArray, keys: Keys, *, where: str) -> None:
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
    given = labels(values.index.to_series(), where=f"The labels of {argument}")
    number = numbers(values, given, where=argument)
    problem = f"{argument} names an authority more than once"
    refuse(given.duplicated(), given, problem, "Expected one number for each.")
    position = authority.get_indexer(given)
    unmatched = position < 0
    if not extra:
        advice = (
            "Codes change when authorities are reorganised: bring both to the codes of one year, "
            f"or take these labels out of {argument}."
        )
        if types.is_integer_dtype(given.dtype) != types.is_integer_dtype(authority.dtype):
            advice = "One side holds text and the other whole numbers: convert one of them."
        problem = f"{argument} has labels that are no authority of the table"
        # Each is named: finding their new codes is the caller's work.
        refuse(unmatched, given, problem, advice, limit=50)
    result[position[~unmatched]] = number[~unmatched]
    return result
