"""Rows that are totals of other rows: of the table, of parts of it, or of one authority.

A total counts everything twice. A row that has the children of all others may yet be a city in its
region, so that children only raise the question; events, names and deprivation answer it.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.door.spelling import folded
from socgrad.door.table_checks import name_some
from socgrad.errors import SocgradWarning, TableError

__all__ = ["check_no_totals"]

_PACKAGE: Final = (str(Path(__file__).parents[1]),)

#: A total is looked for among more rows than this, and by its events among at least so many.
_FEW, _MANY_EVENTS = 5, 100

#: An authority's total row is looked for among so many children: of few, as of a small group, one
#: estate may well hold half.
_MANY_OTHERS = 1000

#: A total may differ by this share from the sum of the others: rounding, unknown places.
_ALIKE = 0.01

#: So many events of the others, or more, say whether a row's events are their sum, but for this
#: share; a suppressed count among them may be up to this.
_TELLING_EVENTS, _ALIKE_EVENTS, _SUPPRESSED = 20, 0.02, 5

#: Deprivation of a total is the mean of its parts, but for rounding.
_ALIKE_DEPRIVATION = 0.002

#: The smallest of several totals is so many times as large as the largest row that is none; nested
#: ones (regions and a nation) hold everything so many times.
_GAP, _NESTED = 2.0, (1, 2)

#: What the row of a nation or region is called, or coded.
_NATIONS: Final = frozenset(
    {"total", "all", "national", "england", "wales", "scotland", "northern ireland"}
    | {"england and wales", "great britain", "united kingdom", "uk", "e92000001", "w92000004"}
    | {"s92000003", "n92000002", "k02000001", "k03000001", "k04000001"}
)
_REGIONS: Final = frozenset(
    {"north east", "north west", "yorkshire and the humber", "east midlands", "west midlands"}
    | {"east of england", "east", "london", "south east", "south west", "inner london"}
    | {"outer london"}
)
_REGION_CODE: Final = re.compile(r"e12\d{6}")


@dataclass(frozen=True, eq=False)
class _TotalRows:
    """Checked columns of the table, and what its caller calls them."""

    children: FloatArray
    events: FloatArray
    deprivation: FloatArray | None
    area: pd.Index[Any]
    group: IntArray
    authorities: pd.Index[Any]
    names: Mapping[str, str]

    def words(self, row: int) -> tuple[str, str]:
        """What a row and its authority are called, folded."""
        its = self.authorities[self.group[[row]]].tolist()[0]
        return folded(str(self.area[[row]].tolist()[0])), folded(str(its))

    def add_up(self, rows: BoolArray, among: BoolArray, times: int) -> bool | None:
        """Whether the events of some rows are so many times those of the others; None: not known.

        Where events do not tell, deprivation does: that of a total is the mean of its parts.
        """
        rest = among & ~rows
        own, others = self.events[rows], self.events[rest]
        known = np.nansum(others)
        if not np.isnan(own).any() and known >= _TELLING_EVENTS:
            hidden = _SUPPRESSED * np.count_nonzero(np.isnan(others)) * times
            excess = own.sum() - times * known
            margin = _ALIKE_EVENTS * times * known
            return bool(-margin <= excess <= margin + hidden)
        if self.deprivation is None:
            return None
        means = [
            float(np.average(self.deprivation[its], weights=self.children[its]))
            for its in (rows, rest)
        ]
        return True if abs(means[0] - means[1]) <= _ALIKE_DEPRIVATION else None


def check_no_totals(
    number: Mapping[str, FloatArray],
    area: pd.Index[Any],
    group: IntArray,
    authorities: pd.Index[Any],
    names: Mapping[str, str],
    *,
    keep: bool,
) -> None:
    """Refuse rows that are totals of others, and doubt one that only has as many children.

    Parameters
    ----------
    number
        Numbers of each area by role: children and, if there are any, deprivation and events.
    area, group, authorities
        Labels of areas, the position of each one's authority, and the labels of these.
    names
        The caller's columns.
    keep
        Whether the caller says that no row is a total, or wants them all the same.
    """
    if keep:
        return
    events = number.get("events", np.full(len(area), np.nan))
    rows = _TotalRows(
        number["children"], events, number.get("deprivation"), area, group, authorities, names
    )
    _check_largest(rows)
    _check_authorities(rows)
    _check_several(rows)


def _check_largest(rows: _TotalRows) -> None:
    """Look at the row with the most children, and at that with the most events."""
    everywhere = np.ones(len(rows.area), dtype=bool)
    held, largest, others = _largest(rows.children)
    if np.count_nonzero(held) > _FEW:
        row, its = rows.words(largest)
        named = bool({row, its} & _NATIONS)
        alike = abs(held[largest] - others) <= _ALIKE * others
        if named and held[largest] > others * (1 - _ALIKE):
            _refuse_row(rows, "children", largest, held[largest], others)
        if alike:
            mark = np.zeros(len(held), dtype=bool)
            mark[largest] = True
            if rows.add_up(mark, everywhere, 1):
                _refuse_row(rows, "children", largest, held[largest], others)
            _warn_of_row(rows, largest, others, "of the table")
    held, largest, others = _largest(rows.events)
    few = np.count_nonzero(held) <= _FEW or others < _MANY_EVENTS
    alike = abs(held[largest] - others) <= _ALIKE * others
    named = bool(set(rows.words(largest)) & _NATIONS)
    if not few and ((alike and rows.children[largest] == 0) or (named and held[largest] > others)):
        _refuse_row(rows, "events", largest, held[largest], others)


def _largest(values: FloatArray) -> tuple[FloatArray, int, float]:
    held = np.nan_to_num(values)
    largest = int(held.argmax())
    return held, largest, float(held.sum() - held[largest])


def _refuse_row(rows: _TotalRows, role: str, row: int, held: float, others: float) -> None:
    label = rows.area[[row]].tolist()[0]
    its = rows.authorities[rows.group[[row]]].tolist()[0]
    raise TableError(
        f"Area {label!r} of authority {its!r} looks like a total row: it has {held:,.0f} in column "
        f"{rows.names[role]!r} ({role}), and the other {len(rows.area) - 1:,} rows have "
        f"{others:,.0f} together. A total counts everything twice: drop it, as with "
        f"frame[frame[{rows.names['area']!r}] != {label!r}]. If it is an area like the others, say "
        'total_rows="keep".'
    )


def _check_several(rows: _TotalRows) -> None:
    """Look for several rows, such as regions, that hold together what all the others hold."""
    order = np.argsort(-rows.children, kind="stable")
    held = rows.children[order]
    above = np.cumsum(held)
    positive = int(np.count_nonzero(held))
    # Behind each place: is there a gap, and is what stands above it a multiple of what is below?
    number = np.arange(1, positive)
    below = above[-1] - above[: positive - 1]
    gap = held[: positive - 1] >= _GAP * held[1:positive]
    for times in _NESTED:
        alike = np.abs(above[: positive - 1] - times * below) <= _ALIKE * times * below
        # As many parts as totals, or hardly more, are no parts.
        split = number[gap & alike & (number > 1) & (number <= (positive - number) / 2)]
        for each in split.tolist():
            mark = np.zeros(len(order), dtype=bool)
            mark[order[:each]] = True
            words = [rows.words(int(row)) for row in order[:each]]
            named = sum(bool({*its} & (_NATIONS | _REGIONS)) or _coded(its) for its in words)
            adding = rows.add_up(mark, np.ones(len(order), dtype=bool), times)
            if adding or (adding is None and 2 * named > each):
                first = name_some(rows.area[order[:each]])
                raise TableError(
                    f"Column {rows.names['area']!r} (area) has {each:,} rows that look like totals "
                    f"of the others ({first}): together they have {above[each - 1]:,.0f} in column "
                    f"{rows.names['children']!r} (children), and the other "
                    f"{len(order) - each:,} rows have {below[each - 1]:,.0f}. Totals, as of "
                    "regions, count everything twice: keep the rows of areas alone. If they are "
                    'areas like the others, say total_rows="keep".'
                )


def _coded(words: tuple[str, str]) -> bool:
    return any(_REGION_CODE.fullmatch(word) for word in words)


def _check_authorities(rows: _TotalRows) -> None:
    """Look for a row that holds the children of all other rows of its authority."""
    size = len(rows.authorities)
    number = np.bincount(rows.group, rows.children > 0, minlength=size)
    others = np.bincount(rows.group, rows.children, minlength=size)[rows.group] - rows.children
    many = (number[rows.group] > _FEW) & (others >= _MANY_OTHERS)
    alike = many & (np.abs(rows.children - others) <= _ALIKE * others)
    # In one authority that may be chance; hardly in several, or in most of them.
    several = max(2, np.count_nonzero(number > _FEW) / 2)
    usual = len(np.unique(rows.group[alike])) >= several
    totals: list[int] = []
    doubted: list[int] = []
    for row in np.flatnonzero(alike).tolist():
        mark = np.zeros(len(others), dtype=bool)
        mark[row] = True
        word, its = rows.words(row)
        named = word == its or word in _NATIONS | _REGIONS
        adding = rows.add_up(mark, rows.group == rows.group[row], 1)
        is_total = named or adding or (usual and adding is None)
        (totals if is_total else doubted).append(row)
    if totals:
        first = totals[0]
        raise TableError(
            f"Column {rows.names['area']!r} (area) has rows that look like totals of their "
            f"authority: {len(totals):,} of {len(others):,} ({name_some(rows.area[totals])}). "
            f"{rows.area[first]} has {rows.children[first]:,.0f} in column "
            f"{rows.names['children']!r} (children), and the other areas of "
            f"{rows.authorities[rows.group[first]]} have {others[first]:,.0f} together. A total "
            "counts everything twice: keep the rows of areas, and drop these. If they are areas "
            'like the others, say total_rows="keep".'
        )
    for row in doubted:
        its = rows.authorities[rows.group[[row]]].tolist()[0]
        _warn_of_row(rows, row, float(others[row]), f"of authority {its!r}")


def _warn_of_row(rows: _TotalRows, row: int, others: float, of: str) -> None:
    """Doubt a row that has the children of a total, and neither its events nor its name."""
    warnings.warn(
        f"Area {rows.area[[row]].tolist()[0]!r} has {rows.children[row]:,.0f} in column "
        f"{rows.names['children']!r} (children), as many as all other areas {of} together "
        f"({others:,.0f}). A total row would, and would count everything twice; nothing else here "
        "says that it is one, so it is taken as an area. If it is a total, drop it; if it is an "
        'area, total_rows="keep" says so.',
        SocgradWarning,
        skip_file_prefixes=_PACKAGE,  # at the caller's line
    )
