"""The SSDA903 return of children looked after, of one year, to `Records`."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from typing import Any, Final

import numpy as np
import pandas as pd

from socgrad.arrays import BoolArray
from socgrad.returns.assembling import RawTables, Unreadable, assembled
from socgrad.returns.dates import check_year, financial_year, read_dates
from socgrad.returns.identifiers import as_identifiers
from socgrad.returns.records import Records
from socgrad.returns.table_files import TableFile, read_table

__all__ = ["read_ssda903"]

#: Legal statuses of short breaks (respite), which the department's figures leave out.
_SHORT_BREAKS: Final = ("V3", "V4")
_NAMES: Final = {
    "children": {"birth": "DOB of Header"},
    "looked_after": {"begin": "DECOM of Episodes", "end": "DEC of Episodes"},
}


def read_ssda903(
    episodes: TableFile,
    header: TableFile,
    *,
    year: int,
    unreadable: Unreadable = "refuse",
) -> Records:
    """Read Episodes and Header of an SSDA903 return.

    Episodes that follow each other are one period of being looked after: it begins with an episode
    whose RNE is S and ends with one whose REC starts with E.

    Parameters
    ----------
    episodes, header
        CSV files or frames, with the columns of the return.
    year
        The 31 March on which the year of the return ends; the files do not say it.
    unreadable
        Refuse dates that cannot be read, or leave out their records, which the ledger counts.

    Returns
    -------
    Records
        Periods of being looked after, with the category of need of their first episode.

    Raises
    ------
    TableError
        If a table lacks a column, or dates cannot be read.

    Notes
    -----
    Periods under an agreed series of short breaks alone (legal status V3, V4) are left out, as in
    the department's figures. A period whose start is in an earlier return is known to have been
    open from its first episode in this one; it is no start in this year.

    Examples
    --------
    >>> import pandas as pd
    >>> import socgrad as sg
    >>> episodes = pd.DataFrame(
    ...     {
    ...         "CHILD": ["1", "1", "2"], "DECOM": ["15/05/2022", "01/09/2022", "02/02/2021"],
    ...         "RNE": ["S", "P", "L"], "LS": ["C2", "C2", "C2"], "CIN": ["N1", "N1", "N3"],
    ...         "DEC": ["01/09/2022", None, "03/03/2023"], "REC": ["X1", None, "E4A"],
    ...     }
    ... )
    >>> header = pd.DataFrame(
    ...     {"CHILD": ["1", "2"], "DOB": ["01/01/2015"] * 2, "ETHNIC": ["WBRI", "BAFR"]}
    ... )
    >>> sg.returns.read_ssda903(episodes, header, year=2023)
    Records(SSDA903, 2022-04-01 to 2023-03-31: 2 children; 2 periods of being looked after)
    """
    first, last = financial_year(check_year(year))
    people = read_table(header, name="Header", needed=["CHILD", "DOB", "ETHNIC"])
    rows = read_table(
        episodes,
        name="Episodes",
        needed=["CHILD", "DECOM", "RNE", "LS", "DEC", "REC"],
        known=["CIN"],
    )
    raw = RawTables(
        children=pd.DataFrame(
            {
                "child": people["CHILD"],
                "birth": people["DOB"],
                "expected_birth": None,
                "ethnicity": people["ETHNIC"],
            }
        ),
        tables={"looked_after": _periods(rows)},
        end=last,
        names=_NAMES,
    )
    return assembled([raw], source="SSDA903", authority=None, start=first, unreadable=unreadable)


def _periods(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per period: child, begin and end as written, need, whether its start is there."""
    rows = rows[~rows["LS"].isin(_SHORT_BREAKS)]
    rows = rows.assign(
        CHILD=as_identifiers(rows["CHILD"], where="CHILD of Episodes").to_numpy(),
        on=read_dates(rows["DECOM"])[0],
    )
    # Those whose date cannot be read are periods of their own, so that they are refused or counted.
    rows = rows.sort_values(["CHILD", "on"], kind="stable", na_position="first")
    ended = rows["REC"].astype(str).str.strip().str.startswith("E")
    begins = (
        (rows["CHILD"] != rows["CHILD"].shift())
        | (rows["RNE"].astype(str).str.strip() == "S")
        | ended.shift(fill_value=False)
        | rows["on"].isna()
        | rows["on"].shift().isna()
    )
    first = np.flatnonzero(begins.to_numpy())
    last = np.append(first[1:], len(rows)) - 1
    ends = rows["DEC"].astype(object).where(ended | _unreadable(rows["DEC"]), None)
    return pd.DataFrame(
        {
            "child": rows["CHILD"].to_numpy(dtype=object)[first],
            "begin": rows["DECOM"].to_numpy(dtype=object)[first],
            "end": ends.to_numpy(dtype=object)[last],
            "need": rows["CIN"].to_numpy(dtype=object)[first],
            "started": (rows["RNE"].astype(str).str.strip() == "S").to_numpy()[first],
        }
    )


def _unreadable(values: pd.Series[Any]) -> BoolArray:
    return read_dates(values)[1]
