"""Files of the Department for Education's statistics service, with their marks and codes."""

from __future__ import annotations  # pandas' own classes are not generic at run time

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from socgrad.door.table_checks import column, name_some
from socgrad.errors import TableError
from socgrad.places.codes import codes
from socgrad.places.sources import noted
from socgrad.places.text_tables import number_column, read_text_table
from socgrad.table.provenance import SOURCES

__all__ = ["MARKS", "authority_totals", "read_education"]

#: What the department prints in place of a number, in small letters and without brackets.
MARKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "c": "suppressed, because it is small or would give away one that is",
        "x": "not available, whatever its size",
        "z": "not applicable",
        "..": "not available, whatever its size",
        ":": "not available, whatever its size",
        "low": "rounds to zero, but is not zero",
        "k": "rounds to zero, but is not zero",
        "u": "too few to be reliable",
        "~": "suppressed, because it is small or would give away one that is",
    }
)
#: Marks behind which a small number stands: to leave these out is not to leave out at random.
_SMALL: Final = frozenset({"c", "low", "k", "u", "~"})
_PLACE: Final = (
    r"time_(period|identifier)|geographic_level|(country|region)_(code|name)|(old|new)_la_code"
    r"|la_name"
)
_LEVELS: Final = r"local authority"


def read_education(
    path: str | Path, *, year: int, where: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Read the local authorities of one year from a file of Explore education statistics.

    Parameters
    ----------
    path
        A CSV file as published, also compressed, with columns ``time_period``,
        ``geographic_level`` and ``new_la_code``.
    year
        The year in which the period ends: 2022 is ``2022``, and also ``202122``.
    where
        A value for each column by which the file is divided, such as
        ``{"age_group": "Children aged 0 to 17 years"}``, if it holds more than one row for each
        authority.

    Returns
    -------
    pandas.DataFrame
        One row per authority: authority, authority_name, old_code, region_name, year, then the
        file's own columns of numbers, NaN where a mark stands; for each of these with marks a
        column ``<name>_mark`` holds the mark. Their meanings are in ``attrs["marks"]``, the note of
        the source in ``attrs["sources"]``. Old codes are text of three digits.

    Raises
    ------
    TableError
        If columns are not there, the year is not, a mark is unknown, or authorities appear twice.

    Notes
    -----
    A mark is never zero. ``c`` is a small number hidden, or one that would give it away; ``x``,
    ``..`` and ``:`` are counts that nobody has, of any size; ``z`` does not apply.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from socgrad import places
    >>> text = '''time_period,geographic_level,old_la_code,new_la_code,la_name,CPP_start
    ... 2022,National,,,,64390
    ... 2022,Local authority,840,E06000047,County Durham,666
    ... 2022,Local authority,420,E06000053,Isles of Scilly,c
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "d1.csv"
    ...     _ = file.write_text(text)
    ...     frame = places.read_education(file, year=2022)
    >>> frame[["authority", "CPP_start", "CPP_start_mark"]]
       authority  CPP_start CPP_start_mark
    0  E06000047      666.0           <NA>
    1  E06000053        NaN              c
    """
    file = Path(path).name
    table = read_text_table(path, header="^time_period$", such_as="time_period")
    for name in ("time_period", "geographic_level", "new_la_code"):
        column(table, name, role=f"of {file}")
    period = table["time_period"].map(_year)
    if not (period == year).any():
        raise TableError(
            f"{file} has no year {year}: its periods are "
            f"{name_some(sorted(table['time_period'].dropna().unique()), limit=12)}. A financial "
            "or academic year is named by the year in which it ends."
        )
    level = table["geographic_level"].str.fullmatch(_LEVELS, case=False).eq(True)
    rows = table[(period == year) & level].reset_index(drop=True)
    if rows.empty:
        raise TableError(
            f"{file} has no rows of local authorities in {year}: its levels are "
            f"{name_some(table['geographic_level'].dropna().unique().tolist())}."
        )
    other = [name for name in rows.columns if not re.fullmatch(_PLACE, name)]
    measures = [name for name in other if _is_measure(table[name])]
    parts = [name for name in other if name not in measures]
    rows = _one_part(rows, parts, where or {}, file)
    frame = pd.DataFrame(
        {"authority": codes(rows["new_la_code"], where=f"Column 'new_la_code' of {file}")}
    )
    known = {"authority_name": "la_name", "old_code": "old_la_code", "region_name": "region_name"}
    for name, own in known.items():
        if own in rows:
            frame[name] = rows[own]
    frame["year"] = year
    _refuse_twice(frame, parts, rows, file)
    for name in measures:
        text = rows[name].str.strip("[]")
        frame[name] = number_column(text, where=f"Column {name!r} of {file}", marks=MARKS)
        marked = text.where(np.isnan(frame[name].to_numpy())).str.casefold()
        if marked.notna().any():
            frame[f"{name}_mark"] = marked.astype("string")
    frame.attrs["marks"] = dict(MARKS)
    return noted(
        frame.copy(),
        title=f"Explore education statistics: {Path(file).stem.removesuffix('.csv')}",
        publisher="Department for Education",
        year=str(year),
        path=path,
    )


def authority_totals(frame: pd.DataFrame, count: str) -> pd.Series[Any]:
    """Take one count of every authority, as ``Areas.from_frame(totals=)`` reads it.

    Parameters
    ----------
    frame
        From `read_education`.
    count
        One of its columns of counts.

    Returns
    -------
    pandas.Series
        By authority code. Suppressed small counts stay marked ``c``, so that leaving them out is
        warned of; what is not available is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from socgrad import places
    >>> frame = pd.DataFrame(
    ...     {"authority": ["E06000047", "E06000053"], "plans": [666, None],
    ...      "plans_mark": [None, "c"]}
    ... )
    >>> places.authority_totals(frame, "plans").tolist()
    [666.0, 'c']
    """
    number = column(frame, count, role="count")
    total = pd.Series(number.to_numpy(), pd.Index(frame["authority"], name="authority"), name=count)
    mark = f"{count}_mark"
    if mark in frame:
        small = frame[mark].isin(list(_SMALL)).to_numpy(dtype=bool)
        total = total.astype(object).mask(small, "c")
    if SOURCES in frame.attrs:
        total.attrs[SOURCES] = frame.attrs[SOURCES]
    return total


def _year(period: object) -> int:
    """The year in which a period ends; 0 if it is none: 2022; 202122; 2021-22; 2021/22."""
    text = re.sub(r"\D", "", str(period))
    if len(text) == 4:
        return int(text)
    if len(text) == 6:
        return int(text[:2] + text[4:]) + (100 if text[2:] == "9900" else 0)
    return 0


def _is_measure(values: pd.Series[Any]) -> bool:
    """Whether every value of a column is a number, a mark or missing."""
    text = values.dropna().str.strip("[]").str.casefold()
    text = text[~text.isin(list(MARKS))]
    return bool(pd.to_numeric(text, errors="coerce").notna().all())


def _one_part(
    rows: pd.DataFrame, parts: list[str], where: Mapping[str, str], file: str
) -> pd.DataFrame:
    for name, value in where.items():
        if name not in parts:
            raise TableError(
                f"where names {name!r}, by which {file} is not divided. It is divided by "
                f"{name_some(parts) or 'nothing'}."
            )
        its = rows[name] == value
        if not its.any():
            raise TableError(
                f"{file} has no rows with {name} {value!r}. Its values are "
                f"{name_some(rows[name].dropna().unique().tolist(), limit=12)}."
            )
        rows = rows[its]
    return rows.reset_index(drop=True)


def _refuse_twice(frame: pd.DataFrame, parts: list[str], rows: pd.DataFrame, file: str) -> None:
    twice = frame["authority"].duplicated()
    if not twice.any():
        return
    divided = {name: rows[name].dropna().unique().tolist() for name in parts}
    choices = "; ".join(
        f"{name}: {name_some(values, limit=6)}"
        for name, values in divided.items()
        if len(values) > 1
    )
    raise TableError(
        f"{file} has {int(twice.sum()):,} authorities more than once in one year "
        f"({name_some(frame['authority'][twice].tolist())}). Choose one part with where=, as in "
        f"where={{column: value}}: {choices or 'no column tells the rows apart'}."
    )
