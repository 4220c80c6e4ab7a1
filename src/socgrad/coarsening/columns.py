"""Published columns to what is known of each count, held against what was declared."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.coarsening.bounds import Bounds
from socgrad.coarsening.kernels import CoarsenedCounts, Kernel
from socgrad.coarsening.rounding import Exact, MidpointRounded, Rounded
from socgrad.coarsening.suppression import Suppressed, interval_words
from socgrad.door.number_checks import ABSENT, check_whole, numbers, plain_marks
from socgrad.door.table_checks import Keys, name_some, refuse
from socgrad.errors import TableError

__all__ = [
    "Coarsening",
    "ColumnRule",
    "PublishedCounts",
    "check_coarsening",
    "read_bounds",
    "read_counts",
    "unknown_cell",
]

#: How one column was coarsened, and how any counts were.
type ColumnRule = Exact | Rounded | MidpointRounded | Suppressed
type Coarsening = ColumnRule | Bounds

_RULES: Final = (Exact, Rounded, MidpointRounded, Suppressed)


@dataclass(frozen=True, eq=False, kw_only=True)
class PublishedCounts:
    """A column as it was read.

    Parameters
    ----------
    counts
        What is known of each count.
    shown
        The number in each cell, NaN where there is a mark or nothing, (n,).
    kinds
        Rows by what is known of them, in words: each mark, rounded numbers, bounds.
    """

    counts: CoarsenedCounts
    shown: FloatArray
    kinds: Mapping[str, BoolArray]


def check_coarsening(given: object, *, argument: str, bounds: bool) -> None:
    """Refuse what is no declaration."""
    if given is None or isinstance(given, _RULES) or (bounds and isinstance(given, Bounds)):
        return
    if isinstance(given, Bounds):
        raise TableError(
            f"{argument} is {given!r}, and here are no columns of bounds. Expected a rule for "
            'marks and numbers, such as socgrad.coarsening.Suppressed({"c": (1, 5)}) or Rounded(5).'
        )
    raise TableError(
        f"{argument} is a {type(given).__name__}. Expected one of socgrad.coarsening: "
        'Suppressed({"c": (1, 5)}), Rounded(5), MidpointRounded(6), '
        + ('Bounds("low", "high"), ' if bounds else "")
        + "or Exact() for counts as they were counted."
    )


def unknown_cell(rule: Coarsening | None) -> str | float:
    """What stands in a column for a count of which nothing is known: no mark of the rule."""
    if isinstance(rule, Suppressed) and "" in rule.marks:
        return min(ABSENT - set(map(str, rule.marks)) - {""})
    return np.nan


def read_counts(
    values: pd.Series[Any], keys: pd.Index[Any], *, rule: ColumnRule, group: IntArray, where: str
) -> PublishedCounts:
    """Read a column of marks and numbers.

    Parameters
    ----------
    values
        The column, (n,).
    keys
        What names its rows in messages.
    rule
        How it was coarsened.
    group
        Whose smallest shown count bounds a row's mark: the authority of each row, (n,).
    where
        What the column is called in messages.

    Raises
    ------
    TableError
        If a cell is neither a number nor stands for a missing one, or contradicts what was
        declared.
    """
    marked = _marked(values, rule)
    # Object cells first: an integer column has no room for missing ones.
    rest = values.astype(object).mask(marked >= 0, np.nan) if (marked >= 0).any() else values
    number = numbers(rest, keys, where=where)
    check_whole(number, keys, where=where)
    there = ~np.isnan(number)
    shown, position = np.unique(number[there], return_inverse=True)
    kernels: list[Kernel | None] = [None]
    row = np.zeros(len(number), dtype=np.int64)
    row[there] = 1 + position
    kernels += [rule.kernel(int(value)) for value in shown]
    impossible = np.array([False, *(kernel is None for kernel in kernels[1:])])[row]
    _refuse_impossible(impossible, number, keys, rule, where)
    kinds: dict[str, BoolArray] = {}
    inexact = np.array([False, *(k is not None and not k.is_exact for k in kernels[1:])])[row]
    if inexact.any():
        kinds[f"numbers {rule.words}"] = inexact
    marks = rule.marks if isinstance(rule, Suppressed) else {}
    for code, (mark, interval) in enumerate(marks.items()):
        rows = marked == code
        kinds[f"marked {mark!r}: {interval_words(interval)}"] = rows
        low, high = (0, None) if interval is None else interval
        top = group[rows] if isinstance(high, str) else np.zeros(int(rows.sum()), dtype=np.int64)
        tops, its = np.unique(top, return_inverse=True)
        row[rows] = len(kernels) + its
        for each in tops.tolist():
            if isinstance(high, str):
                own = number[there & (group == each) & (number >= low)]
                kernels.append(Kernel(low, int(own.min()) if own.size else None))
            else:
                kernels.append(Kernel(low, high))
    counts = CoarsenedCounts.from_kernels(kernels, row)
    return PublishedCounts(counts=counts, shown=number, kinds=kinds)


def read_bounds(
    low: pd.Series[Any],
    high: pd.Series[Any],
    stated: FloatArray,
    keys: pd.Index[Any],
    *,
    bounds: Bounds,
    events: str | None,
) -> PublishedCounts:
    """Read two columns of bounds, beside the counts that are stated, NaN where there is none."""
    where = {name: f"Column {name!r} (coarsening)" for name in (bounds.low, bounds.high)}
    least = numbers(low, keys, where=where[bounds.low])
    # Written as infinite or not at all, an upper bound that is none is the same.
    open_above = pd.Series([cell == np.inf for cell in high], index=high.index, dtype=bool)
    most = numbers(high.mask(open_above, np.nan), keys, where=where[bounds.high])
    for name, number in ((bounds.low, least), (bounds.high, most)):
        check_whole(number, keys, where=where[name])
    refuse(
        np.isnan(least) & ~np.isnan(most) & np.isnan(stated),
        keys,
        f"{where[bounds.low]} is missing where column {bounds.high!r} is not",
        "Expected both, or neither where nothing is known: the lowest count possible is 0.",
    )
    refuse(
        most < least,
        keys,
        f"{where[bounds.high]} is below column {bounds.low!r}",
        "Expected the smallest count that is possible, and the largest.",
    )
    refuse(
        (stated < least) | (stated > most),
        keys,
        f"Column {events!r} (events) lies outside the bounds in columns {bounds.low!r} and "
        f"{bounds.high!r}",
        "Expected stated counts between their bounds: check which of the three columns is wrong.",
    )
    exact = ~np.isnan(stated)
    floor, ceiling = np.where(exact, stated, least), np.where(exact, stated, most)
    pairs, rows = np.unique(
        np.column_stack([np.nan_to_num(floor, nan=-1), np.nan_to_num(ceiling, nan=-1)]),
        axis=0,
        return_inverse=True,
    )
    kernels = [
        None if one < 0 else Kernel(int(one), None if other < 0 else int(other))
        for one, other in pairs.tolist()
    ]
    # Some versions of numpy 2 give as many axes as the pairs have.
    counts = CoarsenedCounts.from_kernels(kernels, rows.ravel())
    return PublishedCounts(
        counts=counts,
        shown=counts.exact,
        kinds={f"between {bounds.low!r} and {bounds.high!r}": counts.is_interval},
    )


def _marked(values: pd.Series[Any], rule: ColumnRule) -> IntArray:
    """Position of each cell's mark among those declared, -1 where it is none of them."""
    found = np.full(len(values), -1, dtype=np.int64)
    if not isinstance(rule, Suppressed):
        return found
    cells = values.to_numpy(dtype=object, na_value="")
    text = np.array(plain_marks(cells), dtype=object)
    number = pd.to_numeric(pd.Series(text, dtype=object), errors="coerce").to_numpy()
    for code, mark in enumerate(rule.marks):
        found[(number == mark) if isinstance(mark, int) else (text == mark)] = code
    return found


def _refuse_impossible(
    bad: BoolArray, number: FloatArray, keys: Keys, rule: ColumnRule, where: str
) -> None:
    if not bad.any():
        return
    some = name_some([f"{n:,.0f} at {k}" for n, k in zip(number[bad], keys[bad], strict=True)])
    advice = "Check the rule, and that every number of this column was made by it."
    if isinstance(rule, Suppressed) and rule.others == Exact():
        advice = (
            "A rule that hides every count of an interval shows none of them. If it hides fewer, "
            'give the interval that it does; if the mark also protects other cells, (1, "smallest '
            'shown"); if rules differ by place, give each row its own: Bounds(low, high).'
        )
    raise TableError(
        f"{where} has numbers that contradict {rule!r} in {int(bad.sum()):,} of {len(bad):,} rows "
        f"({some}): no count would be shown so. {advice}"
    )
