"""Checks of a column of labels, of areas or of authorities: text or whole numbers, none missing."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

from socgrad.arrays import BoolArray, IntArray
from socgrad.errors import TableError
from socgrad.table.table_checks import name_some, refuse

__all__ = ["check_distinct", "check_labelled", "coded_labels", "is_blank", "labels", "sorting_keys"]


def labels(values: pd.Series[Any], *, where: str) -> pd.Index[Any]:
    """Return labels as a plain index of text or of int64, none missing."""
    check_labelled(values.isna().to_numpy(dtype=bool), where=where)
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    kind = types.infer_dtype(values, skipna=True)
    if kind == "string":
        # pandas 3 keeps text in a compact dtype of its own, which is plain enough and quicker.
        plain = values.dtype == pd.Index(["text"]).dtype
        text: pd.Index[Any] = pd.Index(values if plain else values.to_numpy(dtype=object))
        return text
    if kind in {"integer", "floating"}:
        # A missing label, since dropped, leaves whole codes as floats: 101.0 is still code 101.
        number = values.to_numpy(dtype=np.float64)
        problem = f"{where} has labels with fractions"
        refuse(number != np.floor(number), number, problem, "Expected text or whole numbers.")
        code: pd.Index[Any] = pd.Index(values.to_numpy(dtype=np.int64))
        return code
    raise TableError(
        f"{where} holds {kind} values. Expected labels that are all text or all "
        "whole numbers; mixed ones would not match each other. Convert it, as with .astype(str)."
    )


def coded_labels(values: pd.Series[Any], *, where: str) -> tuple[IntArray, pd.Index[Any]]:
    """Return each row's position along the sorted labels, and those labels."""
    code, found = pd.factorize(values)
    check_labelled(code < 0, where=where)
    label = labels(pd.Series(found), where=where)
    sortable = sorting_keys(label)
    check_labelled(is_blank(sortable)[code], where=where)
    rank = np.argsort(sortable, kind="stable")
    position = np.empty(len(rank), dtype=np.int64)
    position[rank] = np.arange(len(rank))
    check_distinct(label[rank], sortable, where=where)
    return position[code], label[rank]


def check_distinct(label: pd.Index[Any], keys: npt.NDArray[Any], *, where: str) -> None:
    """Refuse labels, each given once, that differ only by case or by white space around them."""
    if _has_one_case_and_no_space(keys):
        return
    folded = [text.strip().casefold() for text in label.tolist()]
    if len(set(folded)) == len(folded):
        return
    alike = pd.Series(label.to_numpy(dtype=object)).groupby(np.array(folded, dtype=object))
    pairs = [" and ".join(map(repr, its)) for _, its in alike if len(its) > 1]
    raise TableError(
        f"{where} has labels that differ only by case or by white space around them: "
        f"{len(pairs):,} pair{'s' if len(pairs) > 1 else ''} of {len(label):,} labels "
        f"({name_some(pairs)}). They would stand for different ones. Give each one spelling, as "
        "with .str.strip() or .str.upper(); or distinct names if they are different."
    )


def _has_one_case_and_no_space(keys: npt.NDArray[Any]) -> bool:
    """Say so of sorting keys, quickly, as they are of codes: such labels differ as they stand."""
    if keys.dtype.kind != "S":
        return keys.dtype.kind != "U"
    byte = np.ascontiguousarray(keys).view(np.uint8)
    low, high = (bool(((byte >= ord(a)) & (byte <= ord(z))).any()) for a, z in ("az", "AZ"))
    space = bool(((byte <= ord(" ")) & (byte > 0)).any())
    return not (space or (low and high))


def check_labelled(missing: BoolArray, *, where: str) -> None:
    """Refuse rows without a label."""
    refuse(
        missing,
        np.arange(len(missing)),
        f"{where} has missing or blank labels in rows",
        "Every row needs a label (rows are counted from 0): fill it in, or drop total rows.",
    )


def sorting_keys(label: pd.Index[Any]) -> npt.NDArray[Any]:
    """Return labels as an array that sorts as Python would, but much faster than objects."""
    if types.is_integer_dtype(label.dtype):
        return label.to_numpy()
    text = label.to_numpy(dtype=object)
    try:
        return text.astype("S")
    except UnicodeEncodeError:
        return text.astype("U")


def is_blank(keys: npt.NDArray[Any]) -> BoolArray:
    """Say which sorting keys are empty or white space."""
    if keys.dtype.kind not in "SU":
        return np.zeros(len(keys), dtype=bool)
    blank: BoolArray = np.strings.str_len(np.strings.strip(keys)) == 0
    return blank
