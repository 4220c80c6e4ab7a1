"""Stretches of days that children lived in areas, no two of a child on one day.

Of several rows that hold on a day, the one that began last is taken. Where two began on one day and
name different areas, nobody can say which, and what happened then is not counted but in the ledger.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd

from socgrad.arrays import IntArray
from socgrad.returns.dates import DayArray

__all__ = ["AMBIGUOUS", "EVER", "NO_AREA", "NO_CHILD", "Stretches", "stretches_of"]

#: In place of an area's position: no row holds on the day; two do; the child has no row at all.
NO_AREA: Final = -1
AMBIGUOUS: Final = -2
NO_CHILD: Final = -3

#: First day after all days: of an address that has no end.
EVER: Final = np.datetime64("2200-01-01", "D")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Stretches:
    """Days that a child lived in an area: rows sorted by child and day, none overlapping.

    Parameters
    ----------
    child
        Position of the child among the records' children.
    first, after
        First day, and first day that no longer belongs to it.
    area
        Position of the area, or `AMBIGUOUS`, or `NO_AREA` where the table names none.
    known
        Whether each child of the records has a row in the table.
    """

    child: IntArray
    first: DayArray
    after: DayArray
    area: IntArray
    known: IntArray

    def at(self, child: IntArray, on: DayArray) -> IntArray:
        """Position of the area in which each child lived on a day, or why there is none."""
        key = _keys(child, on)
        row = np.searchsorted(_keys(self.child, self.first), key, side="right") - 1
        held = np.full(len(child), NO_AREA)
        there = row >= 0
        there[there] = (self.child[row[there]] == child[there]) & (
            self.after[row[there]] > on[there]
        )
        held[there] = self.area[row[there]]
        return np.where(self.known[child] == 0, NO_CHILD, held)


def stretches_of(
    child: IntArray, area: IntArray, first: DayArray, after: DayArray, *, children: int
) -> Stretches:
    """Put rows of addresses, in any order, into stretches of days.

    Parameters
    ----------
    child, area
        Positions, of each row.
    first, after
        First day, and first day that no longer belongs to it: `EVER` if it has no end.
    children
        How many children the records have.
    """
    rows = pd.DataFrame(
        {
            "child": child,
            "first": first.astype("datetime64[D]").astype(np.int64),
            "after": after.astype("datetime64[D]").astype(np.int64),
            "area": area,
        }
    ).drop_duplicates()
    rows = _without_overlaps(rows.sort_values(["child", "first", "after"], kind="stable"))
    known = np.zeros(children, dtype=np.int64)
    known[child] = 1
    return Stretches(
        child=rows["child"].to_numpy(),
        first=rows["first"].to_numpy().astype("datetime64[D]"),
        after=rows["after"].to_numpy().astype("datetime64[D]"),
        area=rows["area"].to_numpy(),
        known=known,
    )


def _without_overlaps(rows: pd.DataFrame) -> pd.DataFrame:
    """Sorted rows, no two of them on one day."""
    ever = EVER.astype(np.int64)
    following = rows.groupby("child")[["first", "after"]].shift(-1)
    # What needs no search: a move on the last day, and an address that never ends until another
    # begins that never ends either.
    moved = rows["after"] == following["first"] + 1
    replaced = (rows["after"] == ever) & (following["after"] == ever)
    begun = following["first"] > rows["first"]
    # Days stay whole numbers: the last row of a child is followed by none, and begun by none.
    days = following["first"].fillna(0).astype(np.int64)
    rows = rows.assign(after=rows["after"].mask((moved | replaced) & begun, days))
    reach = rows.groupby("child")["after"].cummax().shift()
    crossing = (rows["child"] == rows["child"].shift()) & (rows["first"] < reach)
    several = rows["child"].isin(rows.loc[crossing, "child"])
    cut = [
        (child, *piece)
        for child, own in rows[several].groupby("child")
        for piece in _cut(list(own[["first", "after", "area"]].itertuples(index=False, name=None)))
    ]
    pieces = pd.DataFrame(cut, columns=rows.columns).astype(np.int64)
    return pd.concat([rows[~several], pieces]).sort_values(["child", "first"], kind="stable")


def _cut(rows: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Pieces of one child's days, each with the area of the row that began last."""
    edges = sorted({edge for first, after, _ in rows for edge in (first, after)})
    made = []
    for low, high in pairwise(edges):
        held = [(first, area) for first, after, area in rows if first <= low < after]
        if held:
            latest = max(first for first, _ in held)
            areas = {area for first, area in held if first == latest}
            made.append((low, high, areas.pop() if len(areas) == 1 else AMBIGUOUS))
    return made


def _keys(child: IntArray, on: DayArray) -> IntArray:
    """One number that sorts by child, then by day."""
    return child * 1_000_000 + on.astype("datetime64[D]").astype(np.int64) + 100_000
