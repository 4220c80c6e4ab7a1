"""Authorities over years: the smallest units that are whole in areas and in every year's totals."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from socgrad.errors import TableError
from socgrad.places.authorities import AuthorityMatch, match_authorities
from socgrad.places.codes import codes

__all__ = ["YearsMatch", "match_years"]


@dataclass(frozen=True, eq=False, kw_only=True)
class YearsMatch:
    """Units of authorities that are the same ground in all years.

    Make one with `match_years`.

    Parameters
    ----------
    report
        One row for each year and authority of either table that is not itself a unit: year, code,
        table ("areas", "totals" or "both"), unit (missing where it has none), and what was done.
    of_areas
        Unit of each code of the areas.
    totals
        By year, totals by unit: NaN where a part of the unit has no total that year.
    """

    report: pd.DataFrame
    of_areas: pd.Series[Any]
    totals: dict[int, pd.Series[Any]]

    def areas(self, frame: pd.DataFrame, *, authority: str = "authority") -> pd.DataFrame:
        """Give each area the unit of its authority.

        Parameters
        ----------
        frame
            The table of areas, as given to `match_years`, of one year or of all.
        authority
            Its column of authorities.

        Returns
        -------
        pandas.DataFrame
            With the units in that column; the code as it was is kept in ``<authority>_given``.
        """
        given = codes(frame[authority], where=f"Column {authority!r}")
        made = frame.assign(**{f"{authority}_given": given, authority: given.map(self.of_areas)})
        made.attrs = dict(frame.attrs)
        return made


def match_years(areas: pd.Series[Any], totals: Mapping[int, pd.Series[Any]]) -> YearsMatch:
    """Find the smallest units that are whole in a table of areas and in the totals of every year.

    Parameters
    ----------
    areas
        Authority code of each area, of any one date, the same in all years.
    totals
        By year, totals by authority code as they were that year.

    Returns
    -------
    YearsMatch
        Areas of authorities that were one in any year are one unit in all of them, since totals of
        one year cannot be taken apart.

    Raises
    ------
    TableError
        As `match_authorities` does, naming the year.

    Interpretation
    --------------
    No event changes hands. A unit that lacks a total in some year has none of that year alone, and
    `report` says why.

    Examples
    --------
    >>> import pandas as pd
    >>> from socgrad import places
    >>> areas = pd.Series(["E06000061", "E06000062", "E06000047"])  # of 2021
    >>> totals = {
    ...     2020: pd.Series({"E10000021": 900, "E06000047": 666}),
    ...     2022: pd.Series({"E06000061": 400, "E06000062": 510, "E06000047": 650}),
    ... }
    >>> match = places.match_years(areas, totals)
    >>> match.totals[2022].to_dict()
    {'E06000047': 650.0, 'E06000061+E06000062': 910.0}
    """
    own = {str(code): {str(code)} for code in codes(areas.drop_duplicates(), where="areas")}
    matches: dict[int, AuthorityMatch] = {}
    for year, given in totals.items():
        try:
            matches[year] = match_authorities(areas, given)
        except TableError as error:
            raise TableError(f"Year {year}: {error}") from error
        for _, group in matches[year].of_areas.groupby(matches[year].of_areas):
            joined = set().union(*(own[str(code)] for code in group.index))
            for code in joined:
                own[code] = joined
    unit = pd.Series({code: "+".join(sorted(group)) for code, group in own.items()}, dtype=object)
    rows: list[dict[str, object]] = []
    made = {}
    for year, match in matches.items():
        made[year] = _totals(match, totals[year], unit)
        for row in match.report.itertuples():
            code = str(row.code)
            whole = unit.get(code) if row.table != "totals" else None
            if row.table == "totals" and isinstance(row.unit, str):
                inside = match.of_areas.index[match.of_areas == row.unit]
                whole = unit[inside[0]]
            lost = str(row.what).startswith("not bridged")
            if whole != code or lost:
                held = {"year": year, "code": code, "table": row.table}
                rows.append(held | {"unit": whole, "what": row.what})
    report = pd.DataFrame(rows, columns=["year", "code", "table", "unit", "what"])
    return YearsMatch(report=report, of_areas=unit, totals=made)


def _totals(match: AuthorityMatch, given: pd.Series[Any], unit: pd.Series[Any]) -> pd.Series[Any]:
    """Totals of one year by unit; suppressed or missing where any part of a unit is."""
    summed = match.totals(given)
    found: dict[str, Any] = {}
    for whole, members in unit.groupby(unit):
        parts = match.of_areas.reindex(members.index)
        if parts.isna().any():
            found[str(whole)] = float("nan")
            continue
        values = summed.reindex(parts.unique())
        number = pd.to_numeric(values, errors="coerce")
        hidden = number.isna() & values.notna()
        found[str(whole)] = "c" if hidden.any() else float(number.sum(skipna=False))
    made = pd.Series(found, name=given.name)
    made.index.name = "authority"
    made.attrs = dict(summed.attrs)
    return made
