"""Identifiers of children: compared as text, and never shown.

They are held behind a value whose text is only how many there are, so that neither a message, nor a
log, nor a look at an object prints one.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from socgrad.arrays import BoolArray, IntArray
from socgrad.errors import TableError

__all__ = ["Identifiers", "as_identifiers", "positions"]


@dataclass(frozen=True, eq=False, repr=False)
class Identifiers:
    """Identifiers of children, one each, whose text says only how many they are.

    Parameters
    ----------
    text
        The identifiers.
    """

    text: pd.Index[Any]

    def __repr__(self) -> str:
        return f"Identifiers({len(self.text):,} children, not shown)"

    def __len__(self) -> int:
        return len(self.text)


def as_identifiers(values: pd.Series[Any], *, where: str) -> pd.Series[Any]:
    """Return identifiers as text without white space around them, None where there is none."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if types.is_float_dtype(values.dtype):
        # A missing identifier makes whole numbers floats: 101.0 is still child 101.
        number = values.to_numpy(dtype=np.float64, na_value=np.nan)
        broken = np.isfinite(number) & (number != np.floor(number))
        if broken.any():
            raise TableError(
                f"{where} holds numbers with fractions in {int(broken.sum()):,} of "
                f"{len(number):,} rows. Expected identifiers of children: text or whole numbers."
            )
        values = pd.Series(number).astype("Int64")
    text = values.astype(object).where(values.notna().to_numpy(), None)
    found = [None if one is None else str(one).strip() or None for one in text]
    return pd.Series(found, dtype=object)


def positions(known: Identifiers, given: pd.Series[Any], *, where: str) -> IntArray:
    """Position of each given identifier among the known ones, -1 where it is not among them.

    Raises
    ------
    TableError
        If identifiers would be the same but for zeros at their start, or for case.
    """
    found = np.asarray(known.text.get_indexer(pd.Index(given)), dtype=np.int64)
    _refuse_alike(known, pd.Index(given[found < 0].dropna().unique()), found, where)
    return found


def _refuse_alike(
    known: Identifiers, strangers: pd.Index[Any], found: IntArray, where: str
) -> None:
    """Refuse strangers that are known children but for how they are written."""
    unmatched: BoolArray = np.ones(len(known), dtype=bool)
    unmatched[found[found >= 0]] = False
    waiting = known.text[unmatched]
    for what, advice, fold in (
        (
            "leading zeros",
            "A spreadsheet, or reading the column as numbers, loses them: read it as text, as with "
            'pd.read_csv(..., dtype={"child": str}).',
            lambda text: text.lstrip("0"),
        ),
        ("case", "Give both one case, as with .str.upper().", str.casefold),
    ):
        alike = {fold(one) for one in waiting} & {fold(one) for one in strangers}
        if alike:
            raise TableError(
                f"{where} has identifiers that differ from those of the records by {what} alone: "
                f"{len(alike):,} of {len(known):,} children would be lost. {advice}"
            )
