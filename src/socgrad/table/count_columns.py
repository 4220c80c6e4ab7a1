"""The columns that say how many events each area had: counts, marks, rounded numbers, bounds."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from socgrad.arrays import BoolArray, IntArray
from socgrad.coarsening.bounds import Bounds
from socgrad.coarsening.columns import Coarsening, PublishedCounts, read_bounds, read_counts
from socgrad.coarsening.kernels import CoarsenedCounts
from socgrad.coarsening.rounding import Exact
from socgrad.door.number_checks import marks_in, suppressed
from socgrad.door.table_checks import column

__all__ = ["CountColumn", "bounds_roles", "count_column"]


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
