"""Postcodes to neighbourhoods, by the user's NSPL or ONSPD file.

Postcodes of children may identify them: no message has one.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from socgrad.door.table_checks import name_some
from socgrad.errors import SpecificationError, TableError
from socgrad.places.text_tables import find_column, find_columns, read_text_table

__all__ = ["Postcodes", "read_postcodes"]

#: In the order of preference: with one blank, of eight or seven characters.
_POSTCODE: Final = ("pcds", "pcd8", "pcd7", "pcd2", "pcd", "postcode")
_VALID: Final = r"[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}"
#: Countries without LSOAs have codes of this form in the files.
_PSEUDO: Final = r"[A-Z]9{8}"
_FILE: Final = re.compile(
    r"pcds|pcd\d?|postcode|dointr|doterm|lsoa\d\d(cd)?|(oslaua|laua|lad\d\d(cd)?|ladcd)|(cty|utla)\d*(cd)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Postcodes:
    """Where each postcode lies, and from when to when it was in use.

    Make one with `read_postcodes`.

    Parameters
    ----------
    table
        Index the postcode without blanks; columns area, introduced and terminated (first days of
        months; NaT where still in use).
    census
        Census of the areas, 2011 or 2021.
    """

    table: pd.DataFrame
    census: int

    def __repr__(self) -> str:
        ended = int(self.table["terminated"].notna().sum())
        return f"Postcodes({len(self.table):,}, terminated: {ended:,}; LSOA {self.census})"

    def find(
        self,
        postcodes: pd.Series[Any],
        *,
        dates: pd.Series[Any] | None = None,
        out_of_use: Literal["leave out", "allow"] = "leave out",
    ) -> pd.DataFrame:
        """Find the area of each postcode on its date.

        Parameters
        ----------
        postcodes
            One for each record, in any spelling of blanks and case; missing ones stay missing.
        dates
            The date at which each record's child lived there, in the same order. Without dates
            terminated postcodes are found as well as others, since records may be older.
        out_of_use
            What to do with a postcode that was not in use on the date: leave it without area, or
            give the area that it has. Systems keep old addresses, so that "allow" may be right, and
            `status` still says so.

        Returns
        -------
        pandas.DataFrame
            Index as that of `postcodes`; columns area (missing where none) and status: "found",
            "not yet in use", "no longer in use", "not in the file", "no area there" (another
            country), "not a postcode", "missing". Every record has one: `status.value_counts()` is
            the balance sheet.

        Raises
        ------
        TableError
            If dates cannot be read, or there are not as many as postcodes.

        Examples
        --------
        >>> table = pd.DataFrame(
        ...     {
        ...         "area": ["E01000001", "E01000002"],
        ...         "introduced": pd.to_datetime(["1980-01-01", "1980-01-01"]),
        ...         "terminated": pd.to_datetime([None, "2015-06-01"]),
        ...     },
        ...     index=["AB12CD", "AB12CE"],
        ... )
        >>> postcodes = Postcodes(table=table, census=2011)
        >>> records = pd.Series(["ab1 2cd", "AB1 2CE", "AB1 2CE", "none"])
        >>> dates = pd.Series(["2019-05-01", "2015-06-30", "2019-05-01", "2019-05-01"])
        >>> postcodes.find(records, dates=pd.to_datetime(dates))["status"].tolist()
        ['found', 'found', 'no longer in use', 'not a postcode']
        """
        if out_of_use not in {"leave out", "allow"}:
            raise SpecificationError(f"out_of_use={out_of_use!r}: expected 'leave out' or 'allow'.")
        given = pd.Series(postcodes)
        plain = _plain(given)
        row = self.table.index.get_indexer(pd.Index(plain.fillna("").to_numpy(dtype=object)))
        there = row >= 0
        area = self.table["area"].to_numpy(dtype=object)[row]
        status = np.full(len(given), "found", dtype=object)
        status[there & pd.isna(area)] = "no area there"
        if dates is not None:
            day = _days(dates, len(given))
            introduced = self.table["introduced"].to_numpy()[row]
            ended = self.table["terminated"].to_numpy()[row]
            # The files give months: the whole of the last one counts as in use.
            ended = (ended.astype("datetime64[M]") + np.timedelta64(1, "M")).astype(day.dtype)
            found = there & (status == "found")
            status[found & (day < introduced)] = "not yet in use"
            status[found & (day >= ended)] = "no longer in use"
        status[~there] = "not in the file"
        valid = plain.str.fullmatch(_VALID).to_numpy(dtype=bool, na_value=False)
        status[~there & ~valid] = "not a postcode"
        status[(given.isna() | plain.isna()).to_numpy(dtype=bool)] = "missing"
        kept = {"found"} | (
            {"not yet in use", "no longer in use"} if out_of_use == "allow" else set()
        )
        keeps = pd.Series(status).isin(list(kept)).to_numpy(dtype=bool)
        return pd.DataFrame(
            {"area": pd.Series(area, dtype="string").where(keeps).to_numpy(), "status": status},
            index=given.index,
        )


def read_postcodes(
    path: str | Path, *, census: Literal[2011, 2021], among: pd.Series[Any] | None = None
) -> Postcodes:
    """Read the National Statistics Postcode Lookup, or the ONS Postcode Directory.

    Parameters
    ----------
    path
        The CSV file as published, of any release: columns such as ``pcds`` or ``pcd``, ``dointr``,
        ``doterm``, ``lsoa11`` or ``lsoa21cd``. The others are not read.
    census
        Census of the areas wanted. It must be that of the deprivation beside them.
    among
        Postcodes that will be asked for; others are dropped, to spare memory.

    Returns
    -------
    Postcodes
        With terminated postcodes too.

    Raises
    ------
    TableError
        If columns are not there, or dates are not months as in 201906.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from socgrad import places
    >>> text = '''pcds,dointr,doterm,lsoa11cd,lsoa21cd
    ... AB1 2CD,198001,,E01000001,E01000001
    ... AB1 2CE,198001,201506,E01000002,E01000003
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "NSPL21.csv"
    ...     _ = file.write_text(text)
    ...     postcodes = places.read_postcodes(file, census=2021)
    >>> postcodes
    Postcodes(2, terminated: 1; LSOA 2021)
    """
    if census not in {2011, 2021}:
        raise SpecificationError(f"census={census!r}: expected 2011 or 2021.")
    file = Path(path).name
    table = read_text_table(
        path,
        header=r"^(pcds|pcd\d?|postcode)$",
        such_as="pcds",
        keep=lambda name: _FILE.fullmatch(name) is not None,
    )
    own = next(found[0] for name in _POSTCODE if (found := find_columns(table, name)))
    area = find_column(
        table,
        rf"lsoa{census % 100}(cd)?",
        what=f"LSOAs of {census}",
        file=file,
        advice="Releases up to 2022 have areas of 2011, later ones of 2021, some both.",
    )
    plain = _plain(table[own])
    if among is not None:
        wanted = plain.isin(_plain(pd.Series(among)).dropna().unique())
        table, plain = table[wanted], plain[wanted]
    codes = table[area].mask(table[area].str.fullmatch(_PSEUDO).eq(True))
    bad = ~(codes.isna() | codes.str.fullmatch(r"[EW]01\d{6}|[SN]\w+|L\w+|M\w+").eq(True))
    if bad.any():
        raise TableError(
            f"Column {area!r} of {file} holds what is no LSOA in {int(bad.sum()):,} of "
            f"{len(codes):,} rows ({name_some(codes[bad].unique().tolist())}). Expected codes such "
            "as E01000001, from the file as published."
        )
    codes = codes.where(codes.str.match(r"[EW]01").eq(True))
    made = pd.DataFrame(
        {
            "area": codes.to_numpy(dtype=object),
            "introduced": _months(table, "dointr", file),
            "terminated": _months(table, "doterm", file),
        },
        index=pd.Index(plain.to_numpy(dtype=object), name="postcode"),
    )
    if made.index.has_duplicates:
        raise TableError(
            f"{file} has {int(made.index.duplicated().sum()):,} postcodes more than once. Expected "
            "the file as published, one row of each."
        )
    return Postcodes(table=made, census=int(census))


def _months(table: pd.DataFrame, name: str, file: str) -> Any:
    own = find_column(table, name, what="dates of use", file=file)
    # A column with blanks that went through a spreadsheet holds 201906.0.
    text = table[own].str.removesuffix(".0")
    month = pd.to_datetime(text, format="%Y%m", errors="coerce")
    bad = text.notna() & (month.isna() | ~text.str.fullmatch(r"\d{6}").eq(True))
    if bad.any():
        raise TableError(
            f"Column {own!r} of {file} holds what is no month in {int(bad.sum()):,} of "
            f"{len(text):,} rows ({name_some(text[bad].unique().tolist())}). Expected months such "
            "as 201906: a spreadsheet may have made dates of them."
        )
    return month.to_numpy()


def _plain(values: pd.Series[Any]) -> pd.Series[Any]:
    """Postcodes in capitals, without blanks; missing where empty."""
    text = values.astype("string").str.upper().str.replace(r"\s", "", regex=True)
    return text.mask(text == "")


def _days(dates: pd.Series[Any], count: int) -> Any:
    given = pd.Series(dates)
    if len(given) != count:
        raise TableError(f"{len(given):,} dates for {count:,} postcodes. Expected one of each.")
    if not pd.api.types.is_datetime64_any_dtype(given):
        raise TableError(
            f"dates hold {pd.api.types.infer_dtype(given)} values. Expected dates, as "
            "pd.to_datetime(dates, format='%Y-%m-%d') gives: numbers such as 43586 are days that a "
            "spreadsheet counts from 1899-12-30."
        )
    if given.isna().any():
        raise TableError(
            f"dates are missing in {int(given.isna().sum()):,} of {count:,} records. Leave these "
            "records out, or find areas without dates."
        )
    return given.to_numpy(dtype="datetime64[ns]")
