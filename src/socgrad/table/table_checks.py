"""Checks of the table itself and of each column's place in it, and how a refusal is worded.

Each check refuses with the column, how many rows, the first of them, what was expected and what to
do. Nothing here knows what a model is.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from difflib import get_close_matches
from typing import Any

import numpy.typing as npt
import pandas as pd

from socgrad.arrays import BoolArray
from socgrad.errors import TableError

__all__ = ["Keys", "as_pandas", "column", "name_some", "refuse"]

#: What names the rows in a message.
type Keys = pd.Index[Any] | npt.NDArray[Any] | list[Any]


def name_some(items: Keys, *, limit: int = 5) -> str:
    """Name the first few items, and say how many more there are."""
    shown = ", ".join(str(item) for item in items[:limit])
    return shown if len(items) <= limit else f"{shown} and {len(items) - limit:,} more"


def refuse(bad: BoolArray, keys: Keys, problem: str, remedy: str, *, limit: int = 5) -> None:
    """Raise `TableError` if any row is bad: the problem, how many, the first keys, the remedy."""
    if bad.any():
        first = name_some(pd.Index(keys)[bad], limit=limit)
        where = f"{int(bad.sum()):,} of {len(bad):,} ({first})"
        raise TableError(f"{problem}: {where}. {remedy}")


def as_pandas(frame: object) -> pd.DataFrame:
    """Take the table as a pandas frame, if it has a ``to_pandas`` method (polars, pyarrow)."""
    if hasattr(frame, "to_pandas"):
        frame = frame.to_pandas()
    if not isinstance(frame, pd.DataFrame):
        raise TableError(
            f"A table was expected, not {type(frame).__name__}. Pass a pandas or polars DataFrame, "
            "or any other with a to_pandas method (collect a lazy one first)."
        )
    if frame.empty:
        raise TableError(
            f"The table is empty ({len(frame):,} rows, {frame.shape[1]} columns). Expected one row "
            "per area. A filter or a join before this step may have matched nothing."
        )
    return frame


def column(frame: pd.DataFrame, name: str, *, role: str) -> pd.Series[Any]:
    """Take one column of the table by name."""
    count = int((frame.columns == name).sum())
    if count == 1:
        return frame[name]
    if count > 1:
        raise TableError(
            f"Column {name!r} ({role}) appears {count} times in the table. "
            "Rename or drop the copies, so that it is plain which one is meant."
        )
    if name in frame.index.names:
        advice = f"The index has that name: pass frame.reset_index(level={name!r})."
    else:
        known = {str(label).casefold(): str(label) for label in frame.columns}
        close = [known[key] for key in get_close_matches(str(name).casefold(), list(known))]
        advice = (
            f"Did you mean {' or '.join(map(repr, close))}?"
            if close
            else f"The columns are {name_some(frame.columns, limit=12)}."
        )
    raise TableError(f"Column {name!r} ({role}) is not in the table. {advice}")
