"""Lookups from neighbourhoods to authorities, by the columns that official files give them."""

from __future__ import annotations  # pandas' own classes are not generic at run time

import re
from pathlib import Path
from typing import Final

import pandas as pd

from socgrad.door.table_checks import name_some
from socgrad.errors import TableError
from socgrad.places.codes import codes
from socgrad.places.sources import noted
from socgrad.places.text_tables import find_column, find_columns, read_text_table

__all__ = ["read_lookup"]

_CODE: Final = r"(?:_?cd|_?codes?)"


def read_lookup(
    path: str | Path, *, authorities: int | None = None, areas: int | None = None
) -> pd.DataFrame:
    r"""Read which authority each neighbourhood lies in.

    Parameters
    ----------
    path
        A lookup of the Office for National Statistics, such as from LSOA to upper-tier authority:
        columns such as ``LSOA11CD`` and ``UTLA21CD``, ``LSOA11NM`` and ``UTLA21NM``.
    authorities
        Year of the authorities' codes, if the file has more than one.
    areas
        Census of the neighbourhoods, 2011 or 2021, if the file has both.

    Returns
    -------
    pandas.DataFrame
        Columns area and authority; area_name, authority_name and region where the file has them.

    Raises
    ------
    TableError
        If columns are not there, or several are and no year is given, or an area is in two
        authorities.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from socgrad import places
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "lookup.csv"
    ...     _ = file.write_text("LSOA11CD,UTLA21CD,UTLA21NM\nE01000002,E09000001,London\n")
    ...     frame = places.read_lookup(file)
    >>> frame
            area  authority authority_name
    0  E01000002  E09000001         London
    """
    file = Path(path).name
    years = {"areas": _two(areas), "authorities": _two(authorities)}
    wanted = r"(lsoa|utla|ctyua|rgn|region)\d*(_?(cd|nm|nmw|code|name))"
    table = read_text_table(
        path,
        header=rf"^lsoa\d\d{_CODE}$",
        such_as="LSOA11CD",
        keep=lambda name: re.fullmatch(wanted, name, re.IGNORECASE) is not None,
    )
    area = find_column(
        table,
        rf"lsoa{years['areas']}{_CODE}",
        what="codes of areas",
        file=file,
        advice="Choose the census with areas=2011 or areas=2021.",
    )
    authority = find_column(
        table,
        rf"(utla|ctyua){years['authorities']}{_CODE}",
        what="codes of upper-tier authorities",
        file=file,
        advice="Choose the year of the codes with authorities=, as authorities=2021. Districts are "
        "not the authorities that look after children.",
    )
    frame = pd.DataFrame(
        {
            "area": codes(table[area], where=f"Column {area!r} of {file}"),
            "authority": codes(table[authority], where=f"Column {authority!r} of {file}"),
        }
    )
    for name, own in (("area_name", area), ("authority_name", authority)):
        stem = re.sub(rf"{_CODE}$", "", own, flags=re.IGNORECASE)
        if found := find_columns(table, rf"{stem}(_?nm|_?name)"):
            frame[name] = table[found[0]]
    if found := find_columns(table, rf"(rgn|region)\d*{_CODE}"):
        frame["region"] = table[found[-1]]
    frame = frame.drop_duplicates(ignore_index=True)
    twice = frame["area"].duplicated()
    if twice.any():
        raise TableError(
            f"{file} has {int(twice.sum()):,} areas in more than one authority "
            f"({name_some(frame['area'][twice].tolist())}). A lookup of two censuses has an area "
            "once for each link: use read_crosswalk for those."
        )
    return noted(
        frame,
        title=f"Lookup of {area} to {authority}",
        publisher="Office for National Statistics",
        year=re.sub(r"\D", "", authority),
        path=path,
    )


def _two(year: int | None) -> str:
    return r"\d\d" if year is None else f"{year % 100:02d}"
