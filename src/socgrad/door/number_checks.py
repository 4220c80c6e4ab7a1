"""Checks of a column of numbers: proportions, counts, and the marks that stand for unknown ones."""

from __future__ import annotations  # pandas' own classes are not generic at run time

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.door.table_checks import Keys, name_some, refuse, refuse_cells
from socgrad.errors import TableError

__all__ = [
    "ABSENT",
    "MOST",
    "check_known",
    "check_no_percentiles",
    "check_proportion",
    "check_whole",
    "is_number",
    "marks_in",
    "numbers",
    "plain_marks",
    "share_of_numbers",
    "suppressed",
]

#: No number of children, of events or of what else is counted here is larger: sums of such, and
#: of their squares, stay far within what floats hold.
MOST: Final = 1e12

#: Marks that statistical offices print where a count is hidden because it is small, or may be: "x"
#: hides one in the DfE's older tables, "u" is too few to be reliable. None of them means zero.
SUPPRESSED = frozenset({"c", "[c]", "*", "low", "[low]", "k", "[k]", "u", "[u]", "~", "x"})

#: Marks of values that are absent or do not apply, whatever their size. None of them means zero.
ABSENT = frozenset(
    {"", "[x]", "z", "[z]", ":", ".", "..", "[..]", "na", "n/a", "nan", "none", "null"}
)

#: LSOAs of England that the Indices rank, of 2011 and of 2021.
_RANKED: Final = (32_844, 33_755)
#: Percentiles are told from proportions in this many areas or more, within this share; even values
#: drawn evenly between 0 and 1 come that near in tens of thousands only.
_PERCENTILES_FROM, _PERCENTILES_WITHIN = 200, 0.0055

#: Older official tables print these for nil, others for not available.
DASHES = frozenset("-–—")


#: Kinds of whole columns that hold no numbers; objects, cell by cell, are looked at apart.
_OTHER_KINDS = frozenset({"boolean", "complex", "bytes"})

#: Text of a code, such as 007.
_CODE: Final = re.compile("0[0-9]+")

#: Text of a number; infinity is read, so that the refusal can name it.
_NUMBER: Final = re.compile(
    r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|(?i:inf|infinity))"
)


def numbers(
    values: pd.Series[Any], keys: pd.Index[Any], *, where: str, most: float = MOST
) -> FloatArray:
    """Return numbers as float64, NaN where missing; text is read if all of it parses."""
    refuse_cells(
        values,
        keys,
        where=where,
        allowed=(str, int, float, Decimal, np.integer, np.floating),
        expected="Expected numbers.",
    )
    if isinstance(values.dtype, pd.CategoricalDtype):
        # A category of whole numbers has no room for a missing value; objects have.
        values = values.astype(object if values.hasnans else values.cat.categories.dtype)
    if isinstance(values.dtype, pd.SparseDtype):
        values = pd.Series(values.to_numpy(), index=values.index)
    kind = types.infer_dtype(values, skipna=True)
    if kind in _OTHER_KINDS or kind.startswith(("date", "time", "period", "interval")):
        raise TableError(f"{where} holds {kind} values. Expected numbers.")
    if types.is_numeric_dtype(values.dtype):
        # Copied, because pandas may hand out a view of the caller's own column.
        number = values.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    else:
        given = values.to_numpy(dtype=object, na_value=np.nan)
        number = _parsed(given)
        unread = np.flatnonzero(np.isnan(number) & values.notna().to_numpy(dtype=bool))
        _check_read(given, unread, keys, where=where)
    refuse(np.isinf(number), keys, f"{where} has infinite values", "Expected finite numbers.")
    refuse(
        np.abs(number) > most,
        keys,
        f"{where} has values beyond {most:g}",
        "No such measure is so large: check the unit, and what was joined or multiplied upstream.",
    )
    return number


def share_of_numbers(values: pd.Series[Any]) -> float:
    """Return the share of the cells with something in them that are numbers, or text of one.

    Text such as 007 is the code of something, and no number.
    """
    given = values.dropna().to_numpy(dtype=object)
    marks = _marks(given)
    filled = ~marks.isin(SUPPRESSED | ABSENT | DASHES).to_numpy(dtype=bool)
    if not filled.any():
        return 0.0
    coded = np.array([_CODE.fullmatch(mark) is not None for mark in marks])
    return float((np.isfinite(_parsed(given)) & ~coded)[filled].mean())


def _parsed(given: npt.NDArray[Any]) -> FloatArray:
    """Numbers in cells, NaN where there is none."""
    return np.array([_number(cell) for cell in given], dtype=np.float64)


def _number(cell: object) -> float:
    """Read one cell: to Python 1_0 is 10, to pandas 'True' is 1, but nobody writes counts so."""
    if isinstance(cell, str):
        text = cell.strip()
        return float(text) if is_number(text) else np.nan
    if pd.isna(cell):  # type: ignore[call-overload]
        return np.nan
    try:
        return float(cell)  # type: ignore[arg-type]
    except OverflowError:
        return np.inf
    except (TypeError, ValueError):
        return np.nan


def suppressed(values: pd.Series[Any], number: FloatArray) -> BoolArray:
    """Say which of the numbers read from `values` were marked as suppressed small counts."""
    marked = np.isnan(number)
    marks = _marks(values[marked].to_numpy(dtype=object))
    marked[marked] = marks.isin(SUPPRESSED).to_numpy(dtype=bool)
    return marked


def marks_in(values: pd.Series[Any], number: FloatArray) -> list[str]:
    """Return what stands in cells without a number, each once; "" is an empty cell."""
    return sorted(set(plain_marks(values[np.isnan(number)].to_numpy(dtype=object, na_value=""))))


def plain_marks(cells: Iterable[object]) -> list[str]:
    """Return marks as they are compared: without regard to case and outer spaces."""
    return [str(cell).strip().casefold() for cell in cells]


def is_number(text: str) -> bool:
    """Say whether a text is read as a number."""
    return _NUMBER.fullmatch(text) is not None


def _marks(given: npt.NDArray[Any]) -> pd.Series[Any]:
    # Not by pandas' own methods: text that cannot be encoded is no text to them.
    return pd.Series(plain_marks(given), dtype=object)


def _check_read(
    given: npt.NDArray[Any], unread: IntArray, keys: pd.Index[Any], *, where: str
) -> None:
    """Refuse text that neither is a number nor stands for a missing one."""
    marks = _marks(given[unread])
    dash = np.zeros(len(given), dtype=bool)
    dash[unread] = marks.isin(DASHES).to_numpy(dtype=bool)
    if dash.any():
        raise TableError(
            f"{where} holds a dash in {int(dash.sum()):,} of {len(given):,} rows "
            f"({name_some(keys[dash])}). Older official tables use it for nil, others for not "
            "available. See the table's notes, and replace it by 0 or by a blank yourself."
        )
    wrong = unread[~marks.isin(SUPPRESSED | ABSENT).to_numpy(dtype=bool)]
    if wrong.size:
        texts = [f"{given[i]!r} at {keys[i]}" for i in wrong[:5]]
        percent = any("%" in text for text in texts)
        advice = " Take off the % and divide percentages by 100: 12% is 0.12." if percent else ""
        raise TableError(
            f"{where} holds text that is not a number in {wrong.size:,} of {len(given):,} rows "
            f"({name_some(texts)}). Expected numbers, without thousands separators, signs or "
            "ranges. Where a value is not known, leave it missing; where it stands for a "
            "hidden small count of events, as <5, say for which: "
            f"coarsening=socgrad.coarsening.Suppressed({{'<5': (1, 4)}}).{advice}"
        )


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
        "Expected proportions, 0 to 1. If these are percentages, divide by 100. A rank or a "
        "decile will not do: take a share, such as the IDACI score (of children in low-income "
        "families).",
    )


def check_no_percentiles(number: FloatArray, *, where: str) -> None:
    """Refuse shares that are ranks: of each value, the share of areas up to it is the value.

    Ranks of all England as shares, of some of its authorities, are multiples of one over its areas.
    """
    if len(number) < _PERCENTILES_FROM:
        return
    value, times = np.unique(number, return_counts=True)
    upto, below = np.cumsum(times) / len(number), (np.cumsum(times) - times) / len(number)
    off = min(float(np.abs(value - share).max()) for share in (upto, below))
    if off <= _PERCENTILES_WITHIN:
        raise TableError(
            f"{where} holds ranks, percentiles or deciles: of each value, the share of areas up to "
            f"it is the value itself (within {off:.3f}). They say who is more deprived, not by how "
            "much. Expected a proportion of people, such as the IDACI score (rate) of File 5 or 7."
        )
    for ranked in _RANKED:
        rank = 2.0 * ranked * number  # also of (rank - 1/2) / areas
        if len(value) > 10 and np.abs(rank - np.round(rank)).max() < 1e-6:
            raise TableError(
                f"{where} holds ranks as shares: each value is a whole number of "
                f"{ranked:,}ths, the areas that England's Indices rank. They say who is more "
                "deprived, not by how much. Expected a proportion of people, such as the IDACI "
                "score (rate) of File 5 or 7."
            )


def check_whole(number: FloatArray, keys: Keys, *, where: str) -> None:
    """Refuse negative and fractional counts; missing ones pass."""
    refuse(number < 0, keys, f"{where} has negative counts", "Expected counts, zero or more.")
    fractional = np.isfinite(number) & (number != np.round(number))
    refuse(fractional, keys, f"{where} has fractional counts", _back_to_counts(number))


def _back_to_counts(number: FloatArray) -> str:
    """How counts are had from shares or rates, whichever these look like."""
    expected = (
        "Expected whole numbers of events, not rates or averages: pass the count, and its "
        "denominator as the exposure."
    )
    shares = float(np.nanmax(number, initial=0.0)) <= 1
    what, back = ("shares", "share * denominator") if shares else ("rates", "rate * denominator")
    return (
        f"{expected} If these are {what}, counts are {back}"
        f"{'' if shares else ' / 10,000 (or whatever the rate is per)'}, rounded to whole numbers; "
        f"where {what} were printed with so few digits that several counts fit, give the smallest "
        'and the largest in two columns: coarsening=socgrad.coarsening.Bounds("low", "high").'
    )
