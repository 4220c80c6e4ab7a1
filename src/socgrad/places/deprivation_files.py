"""The English Indices of Deprivation as published: Files 3, 5, 6, 7, 10 and 11 of 2015 to 2025."""

from __future__ import annotations  # pandas' own classes are not generic at run time

import re
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pandas as pd

from socgrad.errors import SpecificationError, TableError
from socgrad.places.codes import codes
from socgrad.places.sources import noted
from socgrad.places.text_tables import find_columns, number_column, read_text_table

__all__ = ["read_deprivation"]

#: How the files name each index; both are rates, the share of people in income deprivation.
_INDEX: Final = {
    "idaci": r"(income deprivation affecting children index )?\(?idaci\)?",
    "income": r"income",
}
#: Dependent children, the denominator of the IDACI: columns of Files 6 and 7.
_CHILDREN: Final = r"dependent children aged 0-15:? mid.*"
_AREA: Final = r"lsoa code \((\d{4})\)"
_AUTHORITY: Final = r"(upper tier local authority|local authority)( district)? code \((\d{4})\)"
_HEADER: Final = rf"{_AREA}|{_AUTHORITY}"
_SUCH_AS: Final = "'LSOA code (2011)' or 'Local Authority District code (2019)'"


def read_deprivation(
    path: str | Path, *, index: Literal["idaci", "income"] = "idaci"
) -> pd.DataFrame:
    """Read a file of the Indices of Deprivation by its own column titles.

    Parameters
    ----------
    path
        A file of 2015, 2019 or 2025 as published, CSV or workbook: File 5 or 7 (scores), File 3
        (ranks of the children's index), File 6 (children), File 10 or 11 (means of authorities).
    index
        "idaci": income deprivation affecting children; "income": the income domain. The overall
        index (IMD) is a score without a unit, so that no step of it can be read as percentage
        points.

    Returns
    -------
    pandas.DataFrame
        Of neighbourhoods: area, area_name, district, district_name and, as far as the file has
        them, deprivation (a proportion 0-1), children (0-15), rank and decile (1 the most
        deprived). Of authorities (Files 10, 11): authority, authority_name, deprivation_mean
        (child-weighted) and their rank. The note of the source is in ``attrs["sources"]``.

    Raises
    ------
    TableError
        If the file is not one of these, a code is damaged or a score is no proportion.

    Notes
    -----
    Only Files 5 and 7 have scores. Ranks and deciles of File 3 say who is more deprived, not by how
    much; as deprivation of a model `Areas.from_frame` refuses them.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from socgrad import places
    >>> text = '''LSOA code (2011),Income Deprivation Affecting Children Index (IDACI) Score (rate)
    ... E01000001,0.006
    ... E01000002,0.012
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "File_5_IoD2019_Scores.csv"
    ...     _ = file.write_text(text)
    ...     frame = places.read_deprivation(file)
    >>> frame[["area", "deprivation"]]
            area  deprivation
    0  E01000001        0.006
    1  E01000002        0.012
    """
    if index not in _INDEX:
        raise SpecificationError(
            f"index={index!r} is not one that can be deprivation here. Expected 'idaci' or "
            "'income': these are proportions of people; the IMD and its other domains have no unit."
        )
    sheet = index if Path(path).suffix.casefold() == ".xlsx" else None
    file = Path(path).name
    try:
        table = read_text_table(path, header=_HEADER, such_as=_SUCH_AS, sheet=sheet)
    except TableError:
        if sheet is None:
            raise
        table = read_text_table(path, header=_HEADER, such_as=_SUCH_AS)
    if found := find_columns(table, _AREA):
        frame = _of_areas(table, found[0], index, file)
    else:
        frame = _of_authorities(table, index, file)
    edition = _edition(table, file)
    return noted(
        frame,
        title=f"English Indices of Deprivation {edition}, {index.upper()}",
        publisher="Ministry of Housing, Communities and Local Government",
        year=edition,
        path=path,
    )


def _of_areas(table: pd.DataFrame, area: str, index: str, file: str) -> pd.DataFrame:
    frame = pd.DataFrame({"area": codes(table[area], where=f"Column {area!r} of {file}")})
    for name, pattern in (
        ("area_name", r"lsoa name \(\d{4}\)"),
        ("district", r"local authority district code \(\d{4}\)"),
        ("district_name", r"local authority district name \(\d{4}\)"),
    ):
        if found := find_columns(table, pattern):
            frame[name] = table[found[0]]
    word = _INDEX[index]
    wanted = {
        "deprivation": rf"{word} score( \(rate\))?",
        "children": _CHILDREN,
        "rank": rf"{word} rank.*",
        "decile": rf"{word} decile.*",
    }
    there = {name: find_columns(table, pattern) for name, pattern in wanted.items()}
    if not any(there.values()):
        raise TableError(
            f"{file} has neither a score, a rank nor children of the index {index!r}. Files 5 and "
            "7 have scores, File 3 ranks of the IDACI, Files 6 and 7 children; File 1 has the IMD "
            "alone, and Files 2 and 4 ranks and scores of its parts."
        )
    for name, found in there.items():
        if found:
            number = number_column(table[found[0]], where=f"Column {found[0]!r} of {file}")
            whole = name in {"rank", "decile"} and not np.isnan(number).any()
            frame[name] = number.astype(np.int64) if whole else number
    if "deprivation" in frame:
        _check_score(frame["deprivation"].to_numpy(), file)
    return frame


def _of_authorities(table: pd.DataFrame, index: str, file: str) -> pd.DataFrame:
    code = find_columns(table, _AUTHORITY)[0]
    frame = pd.DataFrame({"authority": codes(table[code], where=f"Column {code!r} of {file}")})
    if names := find_columns(table, _AUTHORITY.replace(" code ", " name ")):
        frame["authority_name"] = table[names[0]]
    word = _INDEX[index]
    for name, pattern in (
        ("deprivation_mean", rf"{word} - average score"),
        ("rank", rf"{word} - rank of average score"),
    ):
        found = find_columns(table, pattern)
        if not found:
            raise TableError(
                f"{file} has no average score of the index {index!r} among its columns. Files 10 "
                "(districts) and 11 (upper-tier authorities) have one on a sheet for each index."
            )
        frame[name] = number_column(table[found[0]], where=f"Column {found[0]!r} of {file}")
    _check_score(frame["deprivation_mean"].to_numpy(), file)
    return frame


def _check_score(score: np.ndarray[tuple[int, ...], np.dtype[np.float64]], file: str) -> None:
    if np.nanmin(score) < 0 or np.nanmax(score) > 1:
        raise TableError(
            f"The score in {file} runs from {np.nanmin(score):g} to {np.nanmax(score):g}. Expected "
            "a rate, 0 to 1: percentages divide by 100; a standardised score will not do."
        )


def _edition(table: pd.DataFrame, file: str) -> str:
    """The edition: named in the file's name, else told by the year of its areas or authorities."""
    if named := re.search(r"IoD_?(20\d\d)", file, re.IGNORECASE):
        return named.group(1)
    years = re.findall(r"code \((\d{4})\)", " ".join(table.columns), re.IGNORECASE)
    return {"2013": "2015", "2019": "2019", "2024": "2025"}.get(max(years), "of unknown edition")
