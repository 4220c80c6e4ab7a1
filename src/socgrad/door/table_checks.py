"""Checks of the table itself and of each column's place in it, and how a refusal is worded.

Each check refuses with the column, how many rows, the first of them, what was expected and what to
do. Nothing here knows what a model is.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Hashable, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from socgrad.arrays import BoolArray
from socgrad.errors import TableError

__all__ = ["Keys", "as_pandas", "column", "column_names", "name_some", "refuse", "refuse_cells"]

#: What names the rows in a message.
type Keys = pd.Index[Any] | npt.NDArray[Any] | list[Any]


def name_some(items: Keys, *, limit: int = 5) -> str:
    """Name the first few items, and say how many more there are."""
    # What cannot be encoded, or printed, is shown by its code: a message has to reach the reader.
    shown = ", ".join(
        text if (text := str(item)).isprintable() else ascii(text) for item in items[:limit]
    )
    return shown if len(items) <= limit else f"{shown} and {len(items) - limit:,} more"


def refuse(bad: BoolArray, keys: Keys, problem: str, remedy: str, *, limit: int = 5) -> None:
    """Raise `TableError` if any row is bad: the problem, how many, the first keys, the remedy."""
    if bad.any():
        first = name_some(pd.Index(keys)[bad], limit=limit)
        where = f"{int(bad.sum()):,} of {len(bad):,} ({first})"
        raise TableError(f"{problem}: {where}. {remedy}")


def refuse_cells(
    values: pd.Series[Any], keys: Keys, *, where: str, allowed: tuple[type, ...], expected: str
) -> None:
    """Refuse a column of objects with cells of other types than these, missing ones apart.

    Python takes True for 1, so that flags would pass as numbers and as labels: they never do.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if values.dtype != object:
        return
    cells = values.to_numpy()
    wrong = {
        kind
        for kind in set(map(type, cells))
        if issubclass(kind, bool | np.bool_) or not issubclass(kind, allowed)
    } - {type(None), type(pd.NA), type(pd.NaT)}
    if not wrong:
        return
    bad = np.flatnonzero([type(cell) in wrong for cell in cells])
    first = [f"{_short(cells[i])}, a {type(cells[i]).__name__}, at {keys[i]}" for i in bad[:3]]
    raise TableError(
        f"{where} has cells of another kind in {bad.size:,} of {len(cells):,} rows "
        f"({name_some(first)}). {expected}"
    )


def _short(cell: object) -> str:
    text = ascii(cell)
    return text if len(text) <= 40 else f"{text[:37]}..."


def as_pandas(frame: object) -> pd.DataFrame:
    """Take the table as a pandas frame, if it has a ``to_pandas`` method (polars, pyarrow)."""
    if hasattr(frame, "to_pandas"):
        try:
            frame = frame.to_pandas()
        except Exception as error:
            raise TableError(
                f"A {type(frame).__name__} could not be turned into a pandas DataFrame: {error}. "
                "Convert it yourself, and pass the result."
            ) from error
        if isinstance(frame, pd.DataFrame):
            frame = _without_order_of_appearance(frame)
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
    if frame.columns.nlevels > 1:
        raise TableError(
            f"The columns of the table have {frame.columns.nlevels} levels (first: "
            f"{frame.columns[0]!r}), as after a pivot. Expected one name each: frame.columns = "
            '["_".join(map(str, name)) for name in frame.columns].'
        )
    return _in_native_order(frame)


def _in_native_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn numbers with the bytes of another machine, as of FITS files, which pandas 2 refuses."""
    made = frame
    for position, dtype in enumerate(frame.dtypes):
        if isinstance(dtype, np.dtype) and not dtype.isnative:
            made = made.copy(deep=False) if made is frame else made
            native = frame.iloc[:, position].to_numpy().astype(dtype.newbyteorder("="))
            made.isetitem(position, native)
    return made


def _without_order_of_appearance(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort the categories that polars and arrow number as they appear: rows have no order here."""
    sorted_ones = {
        position: values.cat.reorder_categories(sorted(values.cat.categories))
        for position, (_, values) in enumerate(frame.items())
        if isinstance(values.dtype, pd.CategoricalDtype)
        and not values.cat.ordered
        and values.cat.categories.inferred_type == "string"
    }
    if not sorted_ones:
        return frame
    names, columns = frame.columns, [frame.iloc[:, k] for k in range(frame.shape[1])]
    made = pd.concat([sorted_ones.get(k, values) for k, values in enumerate(columns)], axis=1)
    return made.set_axis(names, axis=1)


def column(frame: pd.DataFrame, name: str, *, role: str) -> pd.Series[Any]:
    """Take one column of the table by name."""
    if not isinstance(name, Hashable):
        raise TableError(
            f"{role} is a {type(name).__name__} ({_short(name)}). Expected the name of one column."
        )
    found = [k for k, label in enumerate(frame.columns) if label is name or label == name]
    if len(found) == 1:
        return frame.iloc[:, found[0]]
    if len(found) > 1:
        raise TableError(
            f"Column {name!r} ({role}) appears {len(found)} times in the table. "
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


def column_names(names: object, *, argument: str) -> list[Any]:
    """Take a list of columns' names; one text, or what cannot be gone through, is no list."""
    if isinstance(names, str):
        raise TableError(
            f"{argument}={names!r} is one text. Expected a list of columns: [{names!r}]. Formulas "
            "go into GradientModel."
        )
    if isinstance(names, bytes) or not isinstance(names, Sequence | pd.Index | set | dict):
        raise TableError(
            f"{argument} is a {type(names).__name__} ({_short(names)}). Expected a list of "
            "names of columns."
        )
    return list(names)
