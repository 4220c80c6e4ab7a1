"""Mid-year populations of small areas by single year of age, as published by the ONS."""

from __future__ import annotations  # pandas' own classes are not generic at run time

import re
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from socgrad.door.table_checks import name_some
from socgrad.errors import SpecificationError, TableError
from socgrad.places.codes import codes
from socgrad.places.sources import noted
from socgrad.places.text_tables import find_column, find_columns, number_column, read_text_table

__all__ = ["read_populations"]

_AREA: Final = r"(lsoa|area|super output area)[ _]?(\d{2,4})?[ _]?(cd|codes?)( ?\(?\d{4}\)?)?"
#: One year of age: 7, age 7, F7 and M7, or 7 years.
_AGE: Final = r"(?:(?:age|aged)[ _]?)?([FM]?)[ _]?(\d{1,2})(?: years?)?"


def read_populations(
    path: str | Path, *, year: int, ages: tuple[int, int] = (0, 17), sheet: str | None = None
) -> pd.DataFrame:
    r"""Read children of each area from mid-year estimates by single year of age.

    Parameters
    ----------
    path
        CSV or workbook with a column of LSOA codes and a column for each year of age: ``0``, ``1``
        ... for persons, or ``F0``, ``M0`` ... for females and males, which are added.
    year
        Mid-year of the estimates. Counts of a year to 31 March belong to the mid-year before it.
    ages
        First and last year of age, both included.
    sheet
        Name of the workbook's sheet; by default the first with such a header.

    Returns
    -------
    pandas.DataFrame
        Columns area and children; the note of the source in ``attrs["sources"]``.

    Raises
    ------
    TableError
        If an age is absent, a code damaged, an area given twice, or a population missing.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from socgrad import places
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "sape.csv"
    ...     _ = file.write_text("LSOA 2021 Code,Total,F0,F1,M0,M1\nE01000001,30,4,5,6,7\n")
    ...     frame = places.read_populations(file, year=2022, ages=(0, 1))
    >>> frame
            area  children
    0  E01000001      22.0
    """
    first, last = ages
    if not 0 <= first <= last <= 90:
        raise SpecificationError(f"ages={ages!r}: expected first and last year of age, as (0, 17).")
    file = Path(path).name
    table = read_text_table(
        path,
        header=f"^{_AREA}$",
        such_as="'LSOA 2021 Code'",
        sheet=None if sheet is None else re.escape(sheet),
    )
    area = find_column(table, _AREA, what="codes of areas", file=file)
    found: dict[int, list[str]] = {}
    for name in find_columns(table, _AGE):
        match = re.fullmatch(_AGE, name, re.IGNORECASE)
        if match:
            found.setdefault(int(match.group(2)), []).append(name)
    absent = [age for age in range(first, last + 1) if age not in found]
    if absent:
        raise TableError(
            f"{file} has no column for {len(absent)} of {last - first + 1} years of age "
            f"({name_some(absent)}). Expected one each, as 0 or as F0 and M0: groups of ages are "
            "not added up. If the file has a column of all children, read it with pandas.read_csv "
            "and name that column in children= of Areas.from_frame."
        )
    uneven = [age for age in found if len(found[age]) != len(found[first])]
    if uneven or len(found[first]) > 2:
        raise TableError(
            f"{file} has columns of age that repeat (age {name_some(uneven or [first])})."
        )
    total = np.zeros(len(table))
    for age in range(first, last + 1):
        for name in found[age]:
            total += number_column(table[name], where=f"Column {name!r} of {file}")
    frame = pd.DataFrame({"area": codes(table[area], where=f"Column {area!r} of {file}")})
    frame["children"] = total
    for bad, what in ((frame["area"].duplicated(), "twice"), (frame["children"].isna(), "unknown")):
        if bad.any():
            raise TableError(
                f"{file} has {int(bad.sum()):,} of {len(frame):,} areas {what} "
                f"({name_some(frame['area'][bad].tolist())}). Expected one population of each."
            )
    return noted(
        frame,
        title=f"Mid-year population estimates, ages {first} to {last}",
        publisher="Office for National Statistics",
        year=str(year),
        path=path,
    )
