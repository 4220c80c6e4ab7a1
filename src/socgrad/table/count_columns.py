"""The columns that say how many events each area had: counts, marks, rounded numbers, bounds."""

from __future__ import annotations  # pandas' own classes are not generic at run time

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, overload

import numpy as np
import pandas as pd

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.coarsening.bounds import Bounds
from socgrad.coarsening.columns import (
    Coarsening,
    ColumnRule,
    PublishedCounts,
    check_coarsening,
    read_bounds,
    read_counts,
)
from socgrad.coarsening.kernels import CoarsenedCounts
from socgrad.coarsening.rounding import Exact
from socgrad.coarsening.suppression import Suppressed
from socgrad.coarsening.suspicion import (
    Suspicion,
    hidden_by,
    rounded_beside_marks,
    suspicion,
)
from socgrad.coarsening.suspicion_words import about_coarsening, about_others
from socgrad.door.number_checks import marks_in, suppressed
from socgrad.door.table_checks import column
from socgrad.errors import CoarsenedCountsWarning

__all__ = [
    "CountColumn",
    "bounds_roles",
    "check_rules",
    "count_column",
    "least_counts",
    "own_rule",
    "warn_if_coarsened",
]

_PACKAGE: Final = (str(Path(__file__).parents[1]),)


@dataclass(frozen=True, eq=False, kw_only=True)
class CountColumn:
    """What a table says of its areas' counts.

    Parameters
    ----------
    published
        What is known of each area's count.
    suppressed
        Areas that have a mark of suppression without a meaning.
    marks
        Whatever stands in cells of which nothing is known; "" is an empty one.
    """

    published: PublishedCounts
    suppressed: BoolArray
    marks: list[str]


def check_rules(given: object, *, argument: str, bounds: bool) -> None:
    """Refuse what is neither one declaration for all strata nor one for each, by its label."""
    each = given if isinstance(given, Mapping) else {None: given}
    for label, rule in each.items():
        name = argument if label is None else f"{argument}[{label!r}]"
        check_coarsening(rule, argument=name, bounds=bounds)


@overload
def own_rule(
    given: ColumnRule | Mapping[Any, ColumnRule] | None, label: Any, *, there: bool
) -> ColumnRule | None: ...


@overload
def own_rule(
    given: Coarsening | Mapping[Any, Coarsening] | None, label: Any, *, there: bool
) -> Coarsening | None: ...


def own_rule(
    given: Coarsening | Mapping[Any, Coarsening] | None, label: Any, *, there: bool
) -> Coarsening | None:
    """Take a stratum's declaration; one for all is of those strata that have such counts."""
    if isinstance(given, Mapping):
        return given.get(label)
    return given if there else None


def least_counts(table: pd.DataFrame, events: str | None, rule: Coarsening | None) -> FloatArray:
    """Lower bound of each row's count, NaN where nothing is known, in the order of the table."""
    if rule is None or isinstance(rule, Bounds):
        stated = [] if events is None else [events]
        names = [*stated, *([] if rule is None else [rule.low])]
        held = [pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64) for name in names]
        return np.asarray(np.fmax.reduce(held))
    read = read_counts(
        column(table, str(events), role="events"),
        pd.RangeIndex(len(table)),
        rule=rule,
        group=np.zeros(len(table), dtype=np.int64),
        where=f"Column {events!r} (events)",
    )
    return read.counts.low


def bounds_roles(coarsening: Coarsening | None) -> dict[str, str]:
    """Columns of bounds by role, if there are any."""
    if not isinstance(coarsening, Bounds):
        return {}
    return {"lower bound": coarsening.low, "upper bound": coarsening.high}


def count_column(
    table: pd.DataFrame,
    events: str | None,
    coarsening: Coarsening | None,
    *,
    order: IntArray,
    area: pd.Index[Any],
    authority_of_area: IntArray,
) -> CountColumn:
    """Read the counts of areas as they were declared.

    Parameters
    ----------
    table
        The caller's table.
    events
        Its column of counts, if there is one.
    coarsening
        How it was coarsened; not said: as counted.
    order
        Its rows in the order of the areas.
    area, authority_of_area
        Labels of areas, and the position of each one's authority.

    Raises
    ------
    TableError
        If cells cannot be read, or contradict what was declared.
    """
    size = len(area)
    published = PublishedCounts(
        counts=CoarsenedCounts.from_kernels([None], np.zeros(size, dtype=np.int64)),
        shown=np.full(size, np.nan),
        kinds={},
    )
    hidden, marks = np.zeros(size, dtype=bool), list[str]()
    if events is not None:
        values = column(table, events, role="events").iloc[order]
        rule = Exact() if coarsening is None or isinstance(coarsening, Bounds) else coarsening
        published = read_counts(
            values,
            area,
            rule=rule,
            group=authority_of_area,
            where=f"Column {events!r} (events)",
        )
        hidden = suppressed(values, published.counts.low)
        marks = marks_in(values, published.counts.low)
    if isinstance(coarsening, Bounds):
        low, high = (
            column(table, name, role=role).iloc[order]
            for role, name in bounds_roles(coarsening).items()
        )
        published = read_bounds(low, high, published.shown, area, bounds=coarsening, events=events)
        hidden = hidden & np.isnan(published.counts.low)
    return CountColumn(published=published, suppressed=hidden, marks=marks)


def warn_if_coarsened(
    column_read: CountColumn,
    exposure: FloatArray,
    alone: BoolArray,
    *,
    events: str,
    rule: Coarsening | None,
) -> None:
    """Warn of counts that look as if someone had coarsened them, and nobody said so.

    Of a column whose marks are declared, that is whether the others look rounded.

    Parameters
    ----------
    column_read
        The column.
    exposure
        Exposure of each area, (n,).
    alone
        Areas whose authority has no total: elsewhere a missing count says nothing, (n,).
    events
        The caller's column.
    rule
        What was declared of it, if anything.
    """
    rows = alone & (exposure > 0)
    shown = column_read.published.shown[rows]
    where = f"Column {events!r} (events)"
    if rule is None:
        words = _about(suspicion(shown, exposure[rows]), column_read, where)
    elif isinstance(rule, Suppressed) and rule.others == Exact():
        rounded = rounded_beside_marks(shown, exposure[rows])
        words = "" if rounded is None else about_others(rounded, where, rule)
    else:
        return
    if words:
        warnings.warn(
            words,
            CoarsenedCountsWarning,
            skip_file_prefixes=_PACKAGE,  # at the caller's line
        )


def _about(found: Suspicion | None, column_read: CountColumn, where: str) -> str:
    """What a column looks like of which nothing was declared; no words for nothing."""
    if found is None:
        return ""
    hidden = hidden_by(found.rule)
    if hidden is not None:
        if column_read.suppressed.any():
            return ""  # their marks are warned of
        interval = (hidden.low, hidden.high)
        found = replace(found, rule=Suppressed(dict.fromkeys(column_read.marks, interval)))
    return about_coarsening(found, where)
