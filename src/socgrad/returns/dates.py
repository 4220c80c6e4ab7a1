"""Dates of returns: text to days, financial years, ages.

A date that cannot be read is shown by its shape (``99/99/99``), never as it stands: it may be a
child's date of birth.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

import re
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

from socgrad.arrays import BoolArray, IntArray
from socgrad.door.table_checks import name_some
from socgrad.errors import TableError

__all__ = [
    "DayArray",
    "ages",
    "as_days",
    "birthdays",
    "check_year",
    "day",
    "financial_year",
    "read_dates",
    "twelve_months_before",
    "unreadable_dates",
]

type DayArray = npt.NDArray[np.datetime64]

_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?")
_BRITISH: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: .*)?")
#: Systems write 1 January 1900 and the like where they know no date.
_FIRST_YEAR, _LAST_YEAR = 1980, 2100
_NEVER: Final = np.datetime64("NaT", "D")


def day(year: int, month: int, of_month: int) -> np.datetime64:
    """One day, as the arrays hold it."""
    return np.datetime64(date(year, month, of_month), "D")


def financial_year(year: int) -> tuple[np.datetime64, np.datetime64]:
    """First and last day of the year that ends on 31 March of `year`."""
    return day(year - 1, 4, 1), day(year, 3, 31)


def check_year(year: object) -> int:
    """Return the year as a plain integer, or refuse it."""
    whole = isinstance(year, int | np.integer) and not isinstance(year, bool)
    if not whole or not _FIRST_YEAR < int(str(year)) < _LAST_YEAR:
        raise TableError(
            f"year={year!r} is no year. Expected that of the 31 March on which it ends: 2023 is "
            "1 April 2022 to 31 March 2023."
        )
    return int(str(year))


def read_dates(values: pd.Series[Any]) -> tuple[DayArray, BoolArray]:
    """Read dates written as 2023-03-31 or 31/03/2023, with or without a time of day.

    Parameters
    ----------
    values
        Text, or pandas dates; missing and blank ones are no date.

    Returns
    -------
    days, unreadable
        Days, NaT where there is none; and where there is something that is none of these dates.
    """
    if types.is_datetime64_any_dtype(values.dtype):
        plain = values.dt.tz_localize(None).to_numpy(dtype="datetime64[s]").astype("datetime64[D]")
        wrong = ~np.isnat(plain) & ((plain < day(_FIRST_YEAR, 1, 1)) | (plain >= _end_of_dates()))
        return np.where(wrong, _NEVER, plain), wrong
    code, found = pd.factorize(values.astype(object).where(values.notna(), None).to_numpy())
    read = np.full(len(found) + 1, _NEVER)
    bad = np.zeros(len(found) + 1, dtype=bool)
    for position, one in enumerate(found):
        read[position], bad[position] = _read(one)
    return read[code], bad[code]


def unreadable_dates(values: pd.Series[Any], unreadable: BoolArray, *, where: str) -> TableError:
    """The error that says how many dates cannot be read, what they look like, and what to do."""
    shapes = pd.Series([_shape(one) for one in values[unreadable]]).value_counts()
    seen = name_some([f"{shape!r} {count:,} times" for shape, count in shapes.items()], limit=3)
    advice = _advice(values[unreadable])
    return TableError(
        f"{where} has {int(unreadable.sum()):,} dates of {len(values):,} that cannot be read. They "
        f"look like {seen}, where 9 stands for any digit and A for any letter. Expected 2023-03-31 "
        f"or 31/03/2023, of the years {_FIRST_YEAR} to {_LAST_YEAR - 1}.{advice} "
        'unreadable="leave out" leaves those records out and counts them in the ledger.'
    )


def as_days(values: pd.Series[Any]) -> DayArray:
    """Days of a column of pandas dates."""
    return values.to_numpy(dtype="datetime64[s]").astype("datetime64[D]")


def ages(birth: DayArray, on: DayArray) -> IntArray:
    """Completed years on a day; -1 before birth, -2 where either day is not known.

    Born on 29 February, a child is a year older on 1 March of a common year.
    """
    unknown = np.isnat(birth) | np.isnat(on)
    born, then = (np.where(unknown, day(2000, 1, 1), days) for days in (birth, on))
    month = then.astype("datetime64[M]").astype(int) - born.astype("datetime64[M]").astype(int)
    month = month - (_day_of_month(then) < _day_of_month(born))
    # 28 February is not yet the birthday of 29 February: the day of the month says so already.
    age = np.where(then < born, -1, month // 12)
    return np.where(unknown, -2, age).astype(np.int64)


def birthdays(birth: DayArray, age: int) -> DayArray:
    """The day on which children reach an age in whole years."""
    month = birth.astype("datetime64[M]") + np.timedelta64(12 * age, "M")
    found = month.astype("datetime64[D]") + (_day_of_month(birth) - 1).astype("timedelta64[D]")
    return np.where(np.isnat(birth), _NEVER, found)


def twelve_months_before(days: DayArray) -> DayArray:
    """The same day of the year before; of 29 February, 28 February."""
    month = days.astype("datetime64[M]") - np.timedelta64(12, "M")
    last = (month + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    found = month.astype("datetime64[D]") + (_day_of_month(days) - 1).astype("timedelta64[D]")
    return np.where(np.isnat(days), _NEVER, np.minimum(found, last))


def _day_of_month(days: DayArray) -> IntArray:
    start = days.astype("datetime64[M]").astype("datetime64[D]")
    found: IntArray = (days - start).astype(np.int64) + 1
    return found


def _end_of_dates() -> np.datetime64:
    return day(_LAST_YEAR, 1, 1)


def _read(one: object) -> tuple[np.datetime64, bool]:
    if isinstance(one, date):
        one = one.isoformat()
    text = str(one).strip()
    if text in {"", "nan", "NaT", "None", "NULL"}:
        return _NEVER, False
    found = _ISO.fullmatch(text)
    parts = found.groups() if found else ()
    british = None if found else _BRITISH.fullmatch(text)
    if british is not None:
        parts = british.groups()[::-1]
    if not parts or not _FIRST_YEAR <= int(parts[0]) < _LAST_YEAR:
        return _NEVER, True
    try:
        return day(*map(int, parts)), False
    except ValueError:
        return _NEVER, True


def _shape(one: object) -> str:
    return re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", str(one).strip()))[:20]


def _advice(values: pd.Series[Any]) -> str:
    texts = {str(one).strip() for one in values}
    if any(re.fullmatch(r"\d{5}(\.0+)?", text) for text in texts):
        return (
            " Five digits are Excel's own numbers of days: give the column a date format before "
            "saving it as CSV, or pass the table as pandas reads it from the workbook."
        )
    if any(re.fullmatch(r"\d{1,2}/\d{1,2}/\d{2}", text) for text in texts):
        return " Two digits leave the century open: save the years with four."
    month_first = [re.fullmatch(r"(\d{1,2})/(\d{1,2})/\d{4}", text) for text in texts]
    if any(found is not None and int(found[1]) <= 12 < int(found[2]) for found in month_first):
        return " Some have the month before the day, so that others may be misread: rewrite all."
    return ""
