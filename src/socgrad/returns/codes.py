"""Code sets of the returns, and the groups that counts are broken down by.

Ethnicity has the department's five groups (Chinese counted as Asian, as in censuses since 2011).
What is refused, not yet obtained, missing or no code of the set is "Not known": the record counts.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from socgrad.arrays import IntArray
from socgrad.errors import TableError

__all__ = ["AGE_BANDS", "NOT_KNOWN", "banded", "check_bands", "grouped"]

NOT_KNOWN: Final = "Not known"

#: Ages at which a band begins: under 1, 1 to 4, 5 to 9, 10 to 15, 16 to 17, 18 and over.
AGE_BANDS: Final = (1, 5, 10, 16, 18)

_GROUPS: Final = MappingProxyType(
    {
        "ethnicity": {
            "White": "WBRI WIRI WIRT WROM WOTH",
            "Mixed": "MWBC MWBA MWAS MOTH",
            "Asian": "AIND APKN ABAN AOTH CHNE",
            "Black": "BCRB BAFR BOTH",
            "Other": "OOTH",
        },
        "need": {
            "N1 abuse or neglect": "N1",
            "N2 child's disability or illness": "N2",
            "N3 parent's disability or illness": "N3",
            "N4 family in acute stress": "N4",
            "N5 family dysfunction": "N5",
            "N6 socially unacceptable behaviour": "N6",
            "N7 low income": "N7",
            "N8 absent parenting": "N8",
            "N9 cases other than children in need": "N9",
        },
        "category": {
            "Neglect": "NEG",
            "Physical abuse": "PHY",
            "Sexual abuse": "SAB",
            "Emotional abuse": "EMO",
            "Multiple": "MUL",
        },
    }
)


def grouped(kind: str, codes: pd.Series[Any]) -> pd.Series[Any]:
    """Groups of codes of a kind, in the order of the code set, as an ordered category."""
    group_of = {code: group for group, text in _GROUPS[kind].items() for code in text.split()}
    names = [*_GROUPS[kind], NOT_KNOWN]
    found = codes.astype(object).map(group_of).fillna(NOT_KNOWN)
    return pd.Series(pd.Categorical(found, categories=names, ordered=True), index=codes.index)


def banded(age: IntArray, begins: Sequence[int]) -> pd.Categorical[Any]:
    """Band of each age in completed years; -1 is unborn, -2 not known."""
    names = _band_names(begins)
    band = 1 + np.searchsorted(np.asarray(begins), age, side="right")
    band = np.select([age == -1, age == -2], [0, len(names) - 1], band)
    return pd.Categorical(np.array(names, dtype=object)[band], categories=names, ordered=True)


def check_bands(begins: Sequence[int]) -> tuple[int, ...]:
    """Refuse ages that do not rise, or are no whole numbers from 1 to 25."""
    found = tuple(begins)
    whole = all(isinstance(age, int) and 1 <= age <= 25 for age in found)
    if not found or not whole or sorted(set(found)) != list(found):
        raise TableError(
            f"age_bands={begins!r} is unknown. Expected the ages at which a band begins, rising "
            "whole numbers from 1 to 25: (5, 10, 16, 18) is 0 to 4, 5 to 9, 10 to 15, 16 to 17, "
            "18 and over."
        )
    return found


def _band_names(begins: Sequence[int]) -> list[str]:
    first = "Under 1" if begins[0] == 1 else f"0 to {begins[0] - 1}"
    between = [
        str(low) if high == low + 1 else f"{low} to {high - 1}" for low, high in pairwise(begins)
    ]
    return ["Unborn", first, *between, f"{begins[-1]} and over", NOT_KNOWN]
