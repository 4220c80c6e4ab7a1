"""Checks of the table as a whole: which column is what, who is where, what can be estimated."""

from __future__ import annotations  # pandas' own classes are not generic at run time

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from socgrad.arrays import FloatArray, IntArray
from socgrad.errors import SampleOfAreasWarning, SocgradWarning, TableError
from socgrad.table.label_checks import check_distinct, check_labelled, is_blank, sorting_keys
from socgrad.table.table_checks import name_some, refuse
from socgrad.within_between import mean_reliability

__all__ = [
    "check_estimable",
    "check_no_total_row",
    "check_roles",
    "sorted_rows",
    "warn_if_more_events",
    "warn_if_sample",
]

_PACKAGE = (str(Path(__file__).parents[1]),)

#: Proportions closer than this are the same number, but for rounding.
_SAME = 1e-9

#: Below this median reliability of the authority means the table looks like a sample of areas.
_RELIABLE = 0.9

#: A total row is looked for among more areas than this, and among at least so many events.
_FEW, _MANY_EVENTS = 5, 100

#: An authority's total row is looked for among so many children: of few, as of a small group, one
#: estate may well hold half.
_MANY_OTHERS = 1000

#: A total row may differ by this share from the sum of the others: rounding, unknown places.
_ALIKE = 0.01

#: So many children, or more, hardly have so many events each; a handful may.
_MANY_CHILDREN, _EVENTS_EACH = 100, 5

#: What the row of a whole nation is called, or coded.
_NATIONS = frozenset(
    {"total", "all", "national", "england", "wales", "scotland", "northern ireland"}
    | {"england and wales", "great britain", "united kingdom", "uk", "e92000001", "w92000004"}
    | {"s92000003", "n92000002", "k02000001", "k03000001", "k04000001"}
)


def check_roles(names: Mapping[str, str]) -> None:
    """Refuse what is no name, and one column named for two roles."""
    for role, name in names.items():
        if not isinstance(name, str):
            raise TableError(
                f"{role} is a {type(name).__name__}. Expected the name of a column, as text: "
                f"{role}={role!r} if the column is called {role!r}. Name an index or a column "
                "without a name first, as with frame.reset_index(names=...) or frame.rename."
            )
    # Children as weights and as exposure is the ordinary case; any other pair is a slip.
    roles: dict[str, list[str]] = {}
    for role, name in names.items():
        roles.setdefault(name, []).append(role)
    for name, played in roles.items():
        if len(played) > 1 and set(played) != {"children", "exposure"}:
            raise TableError(
                f"Column {name!r} is named for {' and '.join(played)}. Expected a column for each; "
                "only children and exposure may be the same."
            )


def sorted_rows(
    area: pd.Index[Any], code: IntArray, authorities: pd.Index[Any], names: Mapping[str, str]
) -> IntArray:
    """Return the rows in order of authority, then area; refuse an area that appears twice."""
    where = f"Column {names['area']!r} (area)"
    sortable = sorting_keys(area)
    check_labelled(is_blank(sortable), where=where)
    by_area = np.argsort(sortable, kind="stable")
    ordered = sortable[by_area]
    repeat = np.flatnonzero(ordered[1:] == ordered[:-1])
    if repeat.size:
        first, second = by_area[repeat], by_area[repeat + 1]
        bad = np.zeros(len(area), dtype=bool)
        elsewhere = code[first] != code[second]
        if elsewhere.any():
            bad[first[elsewhere]] = True
            one = first[elsewhere][0]
            pair = authorities[[code[one], code[second[elsewhere][0]]]]
            refuse(
                bad,
                area,
                f"{where} has areas in two authorities",
                f"{area[one]} is in {pair[0]} and {pair[1]}. Expected each area in one authority: "
                "use the boundaries of one year.",
            )
        bad[second] = True
        refuse(
            bad,
            area,
            f"{where} has areas that appear more than once",
            "Expected one row per area: add the rows up by label, or pass one table for each "
            "stratum or period. A long table, one row per area and stage or group, is for "
            "Strata.from_long(frame, stratum=..., ...).",
        )
    check_distinct(area, sortable, where=where)
    return by_area[np.argsort(code[by_area], kind="stable")]


def check_no_total_row(
    number: Mapping[str, FloatArray],
    area: pd.Index[Any],
    group: IntArray,
    authorities: pd.Index[Any],
    names: Mapping[str, str],
) -> None:
    """Refuse a row that holds the children, or the events, of all other rows.

    One row is as large as all others together in a total row of the same areas, hardly ever in
    another. A total of more than the table's areas is larger still, as a single huge area may be:
    there its name decides.
    """
    # In few rows, or of few events, one is easily as large as the others together.
    for role, enough in (("children", 0), ("events", _MANY_EVENTS)):
        held = np.nan_to_num(number.get(role, np.zeros(len(area))))
        largest = int(held.argmax())
        others = float(held.sum() - held[largest])
        if np.count_nonzero(held) <= _FEW or others < enough:
            continue
        row, its = area[[largest]].tolist()[0], authorities[group[[largest]]].tolist()[0]
        named = {str(label).strip().casefold() for label in (row, its)} & _NATIONS
        ratio = float(held[largest]) / others
        if abs(ratio - 1) <= _ALIKE or (named and ratio > 1):
            raise TableError(
                f"Area {row!r} of authority {its!r} looks like a total row: it has "
                f"{held[largest]:,.0f} in column {names[role]!r} ({role}), and the other "
                f"{len(area) - 1:,} rows have {others:,.0f} together. A total counts everything "
                f"twice: drop it, as with frame[frame[{names['area']!r}] != {row!r}]."
            )
    _check_no_subtotals(number["children"], area, group, authorities, names)


def _check_no_subtotals(
    children: FloatArray,
    area: pd.Index[Any],
    group: IntArray,
    authorities: pd.Index[Any],
    names: Mapping[str, str],
) -> None:
    """Refuse a row that holds the children of all other rows of its authority."""
    size = len(authorities)
    held = np.bincount(group, children > 0, minlength=size)
    others = np.bincount(group, children, minlength=size)[group] - children
    many = (held[group] > _FEW) & (others >= _MANY_OTHERS)
    alike = many & (np.abs(children - others) <= _ALIKE * others)
    if alike.any():
        first = int(alike.argmax())
        refuse(
            alike,
            area,
            f"Column {names['area']!r} (area) has rows that look like totals of their authority",
            f"{area[first]} has {children[first]:,.0f} in column {names['children']!r} (children), "
            f"and the other areas of {authorities[group[first]]} have {others[first]:,.0f} "
            "together. A total counts everything twice: keep the rows of areas, and drop these.",
        )


def warn_if_more_events(
    events: FloatArray, children: FloatArray, area: pd.Index[Any], names: Mapping[str, str]
) -> None:
    """Warn where events far exceed children, the exposure: one column is not what it says."""
    known = ~np.isnan(events)
    everywhere = events[known].sum() > children[known].sum()
    more = known & (events > _EVENTS_EACH * children) & (everywhere | (children >= _MANY_CHILDREN))
    if more.any():
        worst = int(np.where(more, events - children, -np.inf).argmax())
        warnings.warn(
            f"Column {names['events']!r} (events) is more than {_EVENTS_EACH} times column "
            f"{names['children']!r} (children) in {np.count_nonzero(more):,} of {len(area):,} "
            f"areas ({name_some(area[more])}); most at {area[worst]}, {events[worst]:,.0f} events "
            f"among {children[worst]:,g} children. Children may have several events, hardly so "
            "many: check both columns, the join, and that children are counted one by one, not in "
            "thousands. If the events come from something else than children, name its column in "
            "exposure=.",
            SocgradWarning,
            skip_file_prefixes=_PACKAGE,  # at the caller's line
        )


def check_estimable(
    x: FloatArray, mean: FloatArray, group: IntArray, names: Mapping[str, str]
) -> None:
    """Refuse deprivation or authorities from which the model's effects cannot be told."""
    where = f"Column {names['deprivation']!r} (deprivation)"
    if len(mean) == 1:
        raise TableError(
            f"Column {names['authority']!r} (authority) has a single authority. Between, "
            "cross-level and contextual effects, and the variation between authorities, cannot be "
            "estimated from one. Expected two or more, and many more for a useful answer."
        )
    if np.ptp(x) <= _SAME:
        raise TableError(
            f"{where} is {x[0]:g} in all {len(x):,} areas, so no gradient can be estimated. "
            "Expected a measure that differs between neighbourhoods. A null model needs no "
            "deprivation, but the door does not know the model and asks for it all the same."
        )
    if np.ptp(mean) <= _SAME:
        raise TableError(
            f"{where} has the same mean, {mean[0]:g}, in all {len(mean):,} authorities. Between, "
            "cross-level and contextual effects cannot be estimated from equally deprived "
            "authorities."
        )
    if np.abs(x - mean[group]).max() <= _SAME:
        raise TableError(
            f"{where} does not vary within any of the {len(mean):,} authorities, so the gradient "
            "within authorities cannot be estimated. Expected neighbourhoods: an authority's mean "
            "given to all its areas will not do."
        )


def warn_if_sample(x: FloatArray, weights: FloatArray, group: IntArray, size: int) -> None:
    """Warn where areas are too few, or too varied, for the means of their authorities."""
    reliability = float(np.median(mean_reliability(x, weights, group, size)))
    if reliability < _RELIABLE:
        warnings.warn(
            f"The table looks like a sample of areas: authorities have a median of "
            f"{np.median(np.bincount(group, minlength=size)):g} areas, too few for reliable means "
            f"of deprivation (median reliability {reliability:.2f}, below {_RELIABLE}). If areas "
            "are missing, contextual effects shrink towards zero: from -0.118 to -0.087 with 10 of "
            "60 areas in a simulation (Lüdtke et al. 2008, https://doi.org/10.1037/a0012869). Pass "
            "authority_means= and national_mean=, over all areas; or complete=True if every area "
            "is here.",
            SampleOfAreasWarning,
            skip_file_prefixes=_PACKAGE,  # at the caller's line
        )
