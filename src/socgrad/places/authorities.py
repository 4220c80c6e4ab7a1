"""Authorities that were merged, split or recoded: how totals of one year meet areas of another."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import pandas as pd

from socgrad.door.table_checks import name_some
from socgrad.errors import TableError
from socgrad.places.codes import codes
from socgrad.table.provenance import SOURCES

__all__ = ["AuthorityMatch", "authority_changes", "match_authorities"]


@cache
def _changes() -> pd.DataFrame:
    with files("socgrad.places").joinpath("authority_changes.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file, dtype="str", comment="#")
    return table.assign(date=pd.to_datetime(table["date"], format="%Y-%m-%d"))


def authority_changes() -> pd.DataFrame:
    """Changes of England's upper-tier authorities from 2009 to 2025, by code and date.

    Returns
    -------
    pandas.DataFrame
        A row for each old and new authority that share ground: date (from which the new code
        holds), old, new, change: "recoded" (the same authority under a new code, in 2013 and 2025
        with a boundary moved a little), "merged" (all of it went into the new one), or "split" (it
        went to more than one). Contains National Statistics data, Open Government Licence v3.0.

    Examples
    --------
    >>> from socgrad import places
    >>> table = places.authority_changes()
    >>> table[table["old"] == "E10000021"]
             date        old        new change
    16 2021-04-01  E10000021  E06000061  split
    17 2021-04-01  E10000021  E06000062  split
    """
    return _changes().copy()


@dataclass(frozen=True, eq=False, kw_only=True)
class AuthorityMatch:
    """How authorities of a table of areas and authorities of totals are the same ground.

    Make one with `match_authorities`.

    Parameters
    ----------
    report
        One row for each authority of either table: code, table ("areas", "totals" or "both"), unit,
        and what was done: "same code", "recoded", "joined", or why it was not bridged.
    of_areas, of_totals
        Unit of each code of the areas, and of the totals; missing where it could not be bridged.
    """

    report: pd.DataFrame
    of_areas: pd.Series[Any]
    of_totals: pd.Series[Any]

    def __repr__(self) -> str:
        found = self.report["what"].value_counts().to_dict()
        return f"AuthorityMatch({', '.join(f'{what}: {n:,}' for what, n in found.items())})"

    def areas(self, frame: pd.DataFrame, *, authority: str = "authority") -> pd.DataFrame:
        """Give each area the unit of its authority, and leave out those that were not bridged.

        Parameters
        ----------
        frame
            The table of areas, as given to `match_authorities`.
        authority
            Its column of authorities.

        Returns
        -------
        pandas.DataFrame
            With the units in that column; the code as it was is kept in ``<authority>_given``.
        """
        given = codes(frame[authority], where=f"Column {authority!r}")
        unit = given.map(self.of_areas)
        found = frame.assign(**{f"{authority}_given": given, authority: unit})
        found = found[unit.notna()].reset_index(drop=True)
        found.attrs = dict(frame.attrs)
        return found

    def totals(self, totals: pd.Series[Any]) -> pd.Series[Any]:
        """Sum totals over units.

        Parameters
        ----------
        totals
            By authority code, of authorities that were given to `match_authorities`; from
            `authority_totals`.

        Returns
        -------
        pandas.Series
            By unit. A unit with a total that is suppressed (``c``) or missing has no sum: it is
            ``c`` or missing too, never a sum of the others.

        Raises
        ------
        TableError
            If totals name an authority that was not matched.
        """
        given = codes(totals.index.to_series(), where="The labels of totals").to_numpy()
        known = set(self.report.loc[self.report["table"] != "areas", "code"])
        strange = [code for code in given if code not in known]
        if strange:
            raise TableError(
                f"totals name {len(strange):,} authorities that were not matched "
                f"({name_some(strange)}): files of one year may have codes of several dates, or "
                "lack authorities. Match all totals that go together, match_authorities(areas, "
                "{name: totals, ...}), or these by themselves."
            )
        number = pd.to_numeric(totals, errors="coerce").to_numpy(dtype=float)
        hidden = np.isnan(number) & totals.notna().to_numpy(dtype=bool)
        rows = pd.DataFrame({"number": number, "hidden": hidden}, pd.Index(given))
        # A sum needs every one of its numbers, also of parts that have no row.
        parts = self.of_totals.dropna()
        rows = rows.reindex(parts.index)
        unit = parts.to_numpy(dtype=object)
        total: pd.Series[Any] = rows["number"].groupby(unit).agg(lambda its: its.sum(skipna=False))
        marked = rows["hidden"].eq(True).groupby(unit).any()
        if marked.any():
            total = total.astype(object).mask(marked, "c")
        total.name = totals.name
        total.index.name = "authority"
        if SOURCES in totals.attrs:
            total.attrs[SOURCES] = totals.attrs[SOURCES]
        return total

    def names(self, names: pd.Series[Any]) -> dict[str, str]:
        """Name units, for ``Areas.from_frame(names={"authority": ...})``.

        Parameters
        ----------
        names
            Name of each authority by its code, of either table, or of both.

        Returns
        -------
        dict
            Name by unit; where a unit has several of these authorities, all their names.
        """
        units = {**self.of_areas.to_dict(), **self.of_totals.to_dict()}
        given = codes(names.index.to_series(), where="The labels of names").to_numpy()
        found: dict[str, list[str]] = {}
        for code, name in zip(given, names.to_numpy(dtype=object), strict=True):
            if code in units and str(name) not in found.setdefault(units[code], []):
                found[units[code]].append(str(name))
        return {unit: " and ".join(parts) for unit, parts in found.items()}

    def balance(self, totals: pd.Series[Any]) -> pd.DataFrame:
        """Events in, kept and left out, by what was done with their authority.

        Parameters
        ----------
        totals
            By authority code, as given to `match_authorities`.

        Returns
        -------
        pandas.DataFrame
            Index what was done, and "all"; columns authorities, events known, without a number.
        """
        number = pd.to_numeric(totals, errors="coerce")
        rows = self.report[self.report["table"] != "areas"].set_index("code")
        what = totals.index.to_series().map(rows["what"])
        table = pd.DataFrame(
            {
                "authorities": what.groupby(what).size(),
                "events known": number.groupby(what.to_numpy()).sum(),
                "without a number": number.isna().groupby(what.to_numpy()).sum(),
            }
        )
        table.loc["all"] = table.sum()
        return table


def match_authorities(
    areas: pd.Series[Any], totals: pd.Series[Any] | Mapping[Any, pd.Series[Any]]
) -> AuthorityMatch:
    """Find the smallest units that are whole both in a table of areas and in one of totals.

    Parameters
    ----------
    areas
        Authority code of each area, of any one date.
    totals
        Totals by authority code, of any one date (their numbers are not read); or several by name,
        such as those of stages, of which one file may lack an authority that another has.

    Returns
    -------
    AuthorityMatch
        Codes that both have stand for themselves. Others are followed through
        `authority_changes`, onwards or back, until all their ground is found on the other side;
        authorities that share ground become one unit. Its label is the one code of the totals, or
        the one of the areas, or the codes of the totals joined by +.

    Raises
    ------
    TableError
        If one table has an authority and its successor (two dates in one table), a code is
        damaged, or no code of the two is the same ground.

    Interpretation
    --------------
    No neighbourhood and no event changes hands: a unit is coarser than an authority where one side
    cannot be taken apart. What the other side lacks is left out by name, in `report`.

    Examples
    --------
    >>> import pandas as pd
    >>> from socgrad import places
    >>> areas = pd.Series(["E06000061", "E06000062", "E06000047"])  # of 2021
    >>> totals = pd.Series({"E10000021": 900, "E06000047": 666})  # of 2019
    >>> match = places.match_authorities(areas, totals)
    >>> match.report[["code", "table", "unit", "what"]]
            code   table       unit       what
    0  E06000047    both  E06000047  same code
    1  E06000061   areas  E10000021     joined
    2  E06000062   areas  E10000021     joined
    3  E10000021  totals  E10000021     joined
    """
    here = set(codes(areas.drop_duplicates(), where="The column of authorities"))
    there: set[str] = set()
    for each in totals.values() if isinstance(totals, Mapping) else [totals]:
        if each.index.has_duplicates:
            twice = each.index[each.index.duplicated()]
            raise TableError(
                f"totals name {len(twice):,} authorities more than once ({name_some(twice)}). "
                "Expected one total of each: take one year and one category."
            )
        there |= set(codes(each.index.to_series(), where="The labels of totals"))
    for found, what in ((here, "areas"), (there, "totals")):
        _refuse_two_dates(found, what)
    units: list[set[tuple[str, str]]] = [
        {("areas", code), ("totals", code)} for code in here & there
    ]
    reasons: dict[tuple[str, str], str] = {}
    for side, own, other in (("areas", here, there), ("totals", there, here)):
        for code in sorted(own - other):
            reached, lacking = _ground(code, other)
            if lacking or not reached:
                reasons[side, code] = _not_bridged(side, lacking)
            else:
                opposite = "totals" if side == "areas" else "areas"
                _unite(units, {(side, code), *((opposite, found) for found in reached)})
    units = [unit for unit in units if _is_whole(unit, reasons)]
    if not units:
        raise TableError(
            f"None of the {len(here):,} authorities of the areas is among the {len(there):,} of "
            f"the totals ({name_some(sorted(here))}; {name_some(sorted(there))}), also by way of "
            "reorganisations. Are these codes of districts, or of another country?"
        )
    return _match(units, reasons, here, there)


def _ground(code: str, other: set[str]) -> tuple[set[str], set[str]]:
    """Codes of the other table that cover an authority, and those that are needed and absent."""
    onwards = _followed(code, other, "old", "new")
    if onwards[0]:
        return onwards
    back = _followed(code, other, "new", "old")
    return back if back[0] or back[1] else onwards


def _followed(
    code: str, other: set[str], of: Literal["old", "new"], to: Literal["old", "new"]
) -> tuple[set[str], set[str]]:
    table = _changes()
    steps = table.loc[table[of] == code, to]
    reached: set[str] = set()
    lacking: set[str] = set()
    for step in steps:
        if step in other:
            reached.add(step)
            continue
        further = _followed(step, other, of, to)
        reached |= further[0]
        lacking |= further[1] if further[0] or further[1] else {step}
    return reached, lacking


def _unite(units: list[set[tuple[str, str]]], new: set[tuple[str, str]]) -> None:
    touching = [unit for unit in units if unit & new]
    for unit in touching:
        units.remove(unit)
        new |= unit
    units.append(new)


def _is_whole(unit: set[tuple[str, str]], reasons: dict[tuple[str, str], str]) -> bool:
    """Say whether all authorities that share a unit's ground are in it, and name them if not."""
    table = _changes()
    codes_of = {side: {code for its, code in unit if its == side} for side in ("areas", "totals")}
    if codes_of["areas"] == codes_of["totals"]:
        return True
    ground = codes_of["areas"] | codes_of["totals"]
    for side, opposite in (("areas", "totals"), ("totals", "areas")):
        for code in codes_of[side] - codes_of[opposite]:
            _, lacking = _ground(code, codes_of[opposite])
            linked = table.loc[table["old"].eq(code), "new"].tolist()
            linked += table.loc[table["new"].eq(code), "old"].tolist()
            absent = lacking | {
                key[1] for key in reasons if key[1] in linked and key[1] not in ground
            }
            if absent:
                for key in unit:
                    reasons[key] = _not_bridged(key[0], absent)
                return False
    return True


def _not_bridged(side: str, lacking: set[str]) -> str:
    other = "totals" if side == "areas" else "areas"
    if not lacking:
        return f"not bridged: no {other} of it"
    return f"not bridged: no {other} of {name_some(sorted(lacking))}"


def _refuse_two_dates(found: set[str], what: str) -> None:
    table = _changes()
    both = table[table["old"].isin(found) & table["new"].isin(found)]
    if len(both):
        pairs = [f"{row.old} and {row.new}" for row in both.itertuples()]
        raise TableError(
            f"The {what} hold authorities and their successors: {name_some(pairs)}. They are of "
            "two dates, and the same children would count twice. Take one year."
        )


def _match(
    units: list[set[tuple[str, str]]],
    reasons: dict[tuple[str, str], str],
    here: set[str],
    there: set[str],
) -> AuthorityMatch:
    label: dict[tuple[str, str], str] = {}
    what: dict[tuple[str, str], str] = {}
    for unit in units:
        own = sorted(code for side, code in unit if side == "areas")
        other = sorted(code for side, code in unit if side == "totals")
        name = other[0] if len(other) == 1 else own[0] if len(own) == 1 else "+".join(other)
        done = (
            "same code" if own == other else "recoded" if len(own) == len(other) == 1 else "joined"
        )
        label |= dict.fromkeys(unit, name)
        what |= dict.fromkeys(unit, done)
    rows = []
    for code in sorted(here | there):
        sides = [side for side, found in (("areas", here), ("totals", there)) if code in found]
        key = (sides[0], code)
        done = what.get(key) or reasons[key]
        table = "both" if len(sides) == 2 else sides[0]
        rows.append((code, table, label.get(key), done))
    report = pd.DataFrame(rows, columns=["code", "table", "unit", "what"])
    of = {
        side: pd.Series(
            {code: name for (its, code), name in label.items() if its == side}, dtype=object
        )
        for side in ("areas", "totals")
    }
    return AuthorityMatch(report=report, of_areas=of["areas"], of_totals=of["totals"])
