"""Checks of a column of numbers: proportions, counts, and the marks that stand for unknown ones."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from socgrad.arrays import FloatArray
from socgrad.errors import TableError
from socgrad.table_checks import Keys, name_some, refuse

__all__ = ["check_known", "check_proportion", "check_whole", "numbers"]

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
