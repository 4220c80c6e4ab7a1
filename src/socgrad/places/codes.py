"""Official codes of places as columns hold them, and what has happened to them on the way."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from typing import Any, Final

import numpy as np
import pandas as pd

from socgrad.door.table_checks import name_some, refuse
from socgrad.errors import TableError

__all__ = ["codes", "refuse_unmatched"]

_CODE: Final = r"[EWSNKLM]\d{8}"
_DATE: Final = r"\d{1,4}[-/ ][A-Za-z\d]{1,3}([-/ ]\d{1,4})?( 00:00:00)?|[A-Z][a-z]{2}-\d\d"


def codes(values: pd.Series[Any], *, where: str) -> pd.Series[Any]:
    """Return nine-character official codes, stripped and in capitals; refuse anything else."""
    text = values.astype("str").str.strip()
    missing = values.isna().to_numpy(dtype=bool) | (text == "").to_numpy(dtype=bool)
    rows = np.arange(1, len(text) + 1)
    refuse(
        missing,
        rows,
        f"{where} has no code in rows",
        "Every row needs one: rows of notes or totals below a table must go.",
    )
    text = text.str.upper()
    bad = ~text.str.fullmatch(_CODE).to_numpy(dtype=bool)
    if bad.any():
        wrong = values[bad].astype("str").str.strip()
        raise TableError(
            f"{where} holds what is no official code in {int(bad.sum()):,} of {len(text):,} rows "
            f"({name_some(wrong.drop_duplicates().tolist())}). Expected a letter and eight digits, "
            f"such as E01000001. {_advice(wrong)}"
        )
    return text


def _advice(wrong: pd.Series[Any]) -> str:
    """What the first of the wrong values looks like."""
    first = str(wrong.iloc[0])
    digits = first.removesuffix(".0")
    if pd.Series([first]).str.fullmatch(_DATE).iloc[0]:
        return "These are dates: a spreadsheet made them of codes. Go back to the published file."
    if digits.isdigit() or (first[:1].isalpha() and first[1:].isdigit()):
        return (
            "Letters or leading zeros are lost, as when a column is read or saved as numbers, or "
            "these are codes of another kind, such as the department's three digits. Read the "
            "column as text (dtype=str), from the published file."
        )
    if (any(letter.isalpha() for letter in first) and " " in first) or first.isalpha():
        return "These look like names: take the column of codes, and keep the names as labels."
    return "Take the column of official codes, as published."


def refuse_unmatched(one: pd.Index[Any], other: pd.Index[Any], *, first: str, second: str) -> None:
    """Refuse codes of one table that the other lacks; say which way to go."""
    absent = one[~one.isin(other)]
    if absent.empty:
        return
    back = other[~other.isin(one)]
    advice = "Both tables must hold the same places."
    areas = bool(pd.Index(absent).astype("str").str.startswith(("E01", "W01")).all())
    if areas and len(back):
        advice = (
            "They look like neighbourhoods of two censuses (LSOA 2011 and LSOA 2021): bring one "
            "table to the codes of the other with socgrad.places.read_crosswalk and the lookup of "
            "the Office for National Statistics. To drop them would lose their children."
        )
    elif areas:
        advice = "To drop them would lose their children: take a file that has all of them."
    raise TableError(
        f"{len(absent):,} of {len(one):,} codes of {first} are not in {second} "
        f"({name_some(absent)}), and {len(back):,} of {len(other):,} the other way round. {advice}"
    )
