"""A long table of areas and years, taken apart into one table of areas per year.

Nothing is checked here that the door checks of each year's table; only what has to be known to
take the table apart, and what years must have in common.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from socgrad.arrays import IntArray
from socgrad.coarsening.columns import Coarsening, unknown_cell
from socgrad.door.label_checks import coded_labels
from socgrad.door.number_checks import check_known, numbers
from socgrad.door.table_checks import column, name_some
from socgrad.errors import TableError
from socgrad.table.area_checks import check_roles
from socgrad.table.count_columns import bounds_roles, own_rule

__all__ = ["YearlyTables", "yearly_tables"]

_EXPOSURE: Final = "of the year"


@dataclass(frozen=True, eq=False, kw_only=True)
class YearlyTables:
    """A table of areas and years taken apart.

    Parameters
    ----------
    frames
        One table of areas per year, all areas in each, years in order.
    exposure
        Column of exposure in these tables.
    absent
        Areas without a row, by year.
    index
        Name of each year's index of deprivation; empty where none was given.
    """

    frames: dict[int, pd.DataFrame]
    exposure: str
    absent: dict[int, pd.Index[Any]]
    index: dict[int, str]

    @property
    def new_index(self) -> list[int]:
        """First years of another index than the year before."""
        if not self.index:
            return []
        return [after for before, after in pairwise(self.index) if self._differ(before, after)]

    def _differ(self, before: int, after: int) -> bool:
        return self.index[before] != self.index[after]

    @property
    def stretches(self) -> list[list[int]]:
        """Years of one index each."""
        new = set(self.new_index)
        found: list[list[int]] = [[]]
        for year in self.frames:
            if year in new:
                found.append([])
            found[-1].append(year)
        return found


def yearly_tables(
    table: pd.DataFrame,
    *,
    year: str,
    area: str,
    authority: str,
    deprivation: str,
    children: str,
    exposure: str | None,
    events: str | None,
    coarsening: Coarsening | Mapping[int, Coarsening] | None,
    authorities: Literal["same"] | int,
    index: str | Mapping[int, str] | None,
    missing_rows: Literal["refuse", "leave out"],
    fixed: Mapping[str, str | None],
) -> YearlyTables:
    """Take a table apart by year.

    Raises
    ------
    TableError
        If a row is there twice, years are no whole numbers, an area changes its authority and
        `authorities` does not say which counts, or rows are missing and `missing_rows` refuses
        them.
    """
    roles = {"area": area, "authority": authority, "deprivation": deprivation}
    roles |= {"children": children, "year": year}
    roles |= {} if events is None else {"events": events}
    roles |= {} if exposure is None else {"exposure": exposure}
    check_roles(roles)
    for role, name in roles.items():
        column(table, name, role=role)
    of, years = _years(table, year)
    where = f"Column {area!r} (area)"
    place, areas = coded_labels(table[area].reset_index(drop=True), where=where)
    table = table.reset_index(drop=True)
    row = _rows(place, of, areas, years)
    if missing_rows == "refuse":
        _refuse_absent(row, areas, years)
    where = f"Column {authority!r} (authority)"
    code, labels = coded_labels(table[authority], where=where)
    home = _homes(code, row, labels=labels, areas=areas, years=years, authorities=authorities)
    for role, given in fixed.items():
        if given is not None:
            values = column(table, given, role=role)
            _refuse_unlike(values, row, areas, f"Column {given!r} ({role})")
    keys = pd.Index(areas[place])
    number = numbers(table[children], keys, where=f"Column {children!r} (children)")
    check_known(number, keys, where=f"Column {children!r} (children)")
    held = children if exposure is None else exposure
    if exposure is None and (row < 0).any():
        held = f"{children} {_EXPOSURE}"
    named = _index(table, index, of, years)
    nearest = _nearest(row, np.array(years))
    frames, absent = {}, {}
    for at, label in enumerate(years):
        gone = row[:, at] < 0
        own = table.iloc[nearest[:, at]].reset_index(drop=True)
        own[authority] = labels[home]
        own[held] = own[children] if exposure is None else own[exposure]
        if gone.any():
            own[held] = own[held].mask(gone, 0)
            rule = own_rule(coarsening, label, there=events is not None)
            for name in filter(None, (events, *bounds_roles(rule).values())):
                own[name] = own[name].astype(object).mask(gone, unknown_cell(rule)).infer_objects()
        own.attrs = dict(table.attrs)
        frames[label], absent[label] = own, pd.Index(areas[gone])
    return YearlyTables(frames=frames, exposure=held, absent=absent, index=named)


def _years(table: pd.DataFrame, name: str) -> tuple[IntArray, list[int]]:
    """Position of each row's year, and the years in order."""
    where = f"Column {name!r} (year)"
    column_of_years = table[name]
    if not pd.api.types.is_numeric_dtype(column_of_years):
        # Text such as 2018-19 is no count that is hidden: it has words of its own below.
        column_of_years = pd.to_numeric(column_of_years, errors="coerce")
    given = numbers(column_of_years, pd.Index(np.arange(len(table))), where=where)
    bad = ~np.isfinite(given) | (given != np.round(given))
    if bad.any():
        first = table[name].to_numpy()[bad][0]
        raise TableError(
            f"{where} is no whole number in {int(bad.sum()):,} of {len(table):,} rows (first: "
            f"{first!r}). Expected one year each: of a year such as 2018-19, the one it ends in."
        )
    years, of = np.unique(given.astype(np.int64), return_inverse=True)
    if len(years) < 2:
        raise TableError(
            f"{where} has {len(years)} year. Expected two or more: one alone is an Areas, "
            "Areas.from_frame, and its model a GradientModel."
        )
    return of.astype(np.int64), years.tolist()


def _rows(place: IntArray, of: IntArray, areas: pd.Index[Any], years: list[int]) -> IntArray:
    """Row of each area and year, (areas, years); -1 where there is none."""
    cell = place * len(years) + of
    found, first, many = np.unique(cell, return_index=True, return_counts=True)
    if (many > 1).any():
        which = found[many > 1][:5]
        words = [f"{areas[i // len(years)]} in {years[i % len(years)]}" for i in which]
        raise TableError(
            f"{int((many - 1).sum()):,} of {len(cell):,} rows repeat an area and year "
            f"({name_some(words)}). Expected one row for each: add them up by label first. Stages "
            "or groups over years are one panel each: choose the rows of one."
        )
    row = np.full(len(areas) * len(years), -1, dtype=np.int64)
    row[found] = first
    return row.reshape(len(areas), len(years))


def _refuse_absent(row: IntArray, areas: pd.Index[Any], years: list[int]) -> None:
    place, at = np.nonzero(row < 0)
    if place.size:
        words = [f"{areas[i]} in {years[k]}" for i, k in zip(place[:5], at[:5], strict=True)]
        raise TableError(
            f"{place.size:,} of {row.size:,} rows are missing from the table, one for each area "
            f"and year ({name_some(words)}{' ...' if place.size > 5 else ''}). If areas were drawn "
            "anew between years, bring them to one set first (socgrad.places). If nothing is "
            'known of them in these years, pass missing_rows="leave out": they leave the '
            "likelihood of those years and are reported."
        )


def _homes(
    code: IntArray,
    row: IntArray,
    *,
    labels: pd.Index[Any],
    areas: pd.Index[Any],
    years: list[int],
    authorities: Literal["same"] | int,
) -> IntArray:
    """Authority of each area, whatever the year."""
    by_year = np.where(row >= 0, code[row], -1)
    if authorities == "same":
        first = by_year[np.arange(len(areas)), np.argmax(row >= 0, axis=1)]
        moved = ((by_year >= 0) & (by_year != first[:, None])).any(axis=1)
        if moved.any():
            at = int(np.flatnonzero(moved)[0])
            own = [
                f"{labels[code]} in {label}"
                for code, label in zip(by_year[at], years, strict=True)
                if code >= 0
            ]
            raise TableError(
                f"{int(moved.sum()):,} of {len(areas):,} areas change their authority between "
                f"years (first: {areas[at]}, {own[0]} and {next(o for o in own if o != own[0])}"
                "). Expected one authority of each area. After a reorganisation, pass "
                f"authorities={years[-1]}: every area then has the authority of that year, in all "
                "years. Of one authority that only changed its code, write one code."
            )
        return first
    if authorities not in years:
        raise TableError(
            f"authorities={authorities!r} is no year of this table. Expected 'same', or one of "
            f"{', '.join(map(str, years))}."
        )
    home = by_year[:, years.index(authorities)]
    if (home < 0).any():
        gone = areas[home < 0]
        raise TableError(
            f"authorities={authorities}, and {len(gone):,} areas have no row in that year "
            f"({name_some(gone.tolist())}). Choose a year in which all are there."
        )
    return home


def _refuse_unlike(values: pd.Series[Any], row: IntArray, areas: pd.Index[Any], where: str) -> None:
    code = pd.factorize(values, use_na_sentinel=False)[0]
    by_year = np.where(row >= 0, code[row], -1)
    first = by_year.max(axis=1)
    unlike = ((by_year >= 0) & (by_year != first[:, None])).any(axis=1)
    if unlike.any():
        raise TableError(
            f"{where} differs between the years of {int(unlike.sum()):,} areas "
            f"({name_some(areas[unlike].tolist())}). It belongs to the area: bring the rows to "
            "one value, by label."
        )


def _nearest(row: IntArray, years: IntArray) -> IntArray:
    """For each area and year the row of the nearest year that it has, (areas, years)."""
    away = np.abs(years[:, None] - years[None]).astype(float)
    found = row.copy()
    for place in np.flatnonzero((row < 0).any(axis=1)):
        reach = np.where(row[place][None] >= 0, away, np.inf)
        found[place] = row[place, reach.argmin(axis=1)]
    return found


def _index(
    table: pd.DataFrame, index: str | Mapping[int, str] | None, of: IntArray, years: list[int]
) -> dict[int, str]:
    """Name of each year's index of deprivation."""
    if index is None:
        return {}
    if isinstance(index, Mapping):
        lacking = [year for year in years if year not in index]
        if lacking:
            raise TableError(
                f"index names no index of deprivation for {', '.join(map(str, lacking))}. Expected "
                "a name for each year of the table."
            )
        return {year: str(index[year]) for year in years}
    values = column(table, index, role="index")
    found = {}
    for at, year in enumerate(years):
        own = values[of == at].unique()
        if len(own) != 1 or pd.isna(own[0]):
            raise TableError(
                f"Column {index!r} (index) has {len(own)} values in {year} "
                f"({name_some([str(each) for each in own])}). Expected the name of one index of "
                "deprivation in all rows of a year."
            )
        found[year] = str(own[0])
    return found
