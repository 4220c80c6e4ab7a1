"""Whether two values hold the same: arrays, tables and labels compared as a whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

__all__ = ["ComparedAsAWhole", "holds_the_same"]


class ComparedAsAWhole:
    """A value that equals another of its class which holds the same."""

    def __eq__(self, other: object) -> bool:
        """Whether the other is of this class and was made from the same."""
        return holds_the_same(self, other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        """Equal values have the same, and the others that there are in one session, hardly ever."""
        return hash(repr(self))


def holds_the_same(one: Any, other: Any) -> bool:
    """Compare two values of any kind that tables and models hold.

    Dataclasses of one class hold the same if all of their fields do that are given when one is
    made; NaN is like NaN.
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if is_dataclass(one):
        names = [field.name for field in fields(one) if field.init]
        return all(holds_the_same(getattr(one, name), getattr(other, name)) for name in names)
    for kind, compare in _WAYS.items():
        if isinstance(one, kind):
            return compare(one, other)
    if hasattr(one, "to_pandas"):  # a table of another library
        return _same_tables(one.to_pandas(), other.to_pandas())
    return bool(one == other)


def _same_arrays(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    is_float = one.dtype.kind == other.dtype.kind == "f"
    return np.array_equal(one, other, equal_nan=is_float)


def _same_tables(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    return one.equals(other) and one.columns.equals(other.columns)


def _same_columns(one: Any, other: Any) -> bool:
    return bool(one.equals(other)) and one.name == other.name


def _same_mappings(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    return list(one) == list(other) and all(holds_the_same(one[k], other[k]) for k in one)


def _same_sequences(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return len(one) == len(other) and all(map(holds_the_same, one, other))


_WAYS: Final[Mapping[type, Callable[[Any, Any], bool]]] = {
    np.ndarray: _same_arrays,
    pd.DataFrame: _same_tables,
    pd.Series: _same_columns,
    pd.Index: _same_columns,
    Mapping: _same_mappings,
    tuple: _same_sequences,
    list: _same_sequences,
}
