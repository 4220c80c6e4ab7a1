"""Checks of a column of labels: text or whole numbers, none missing, no two that look alike.

They serve all labels of places and of strata: those of the first table, and those of numbers,
regions, controls and new places that are matched to it afterwards.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

from socgrad.arrays import BoolArray, IntArray
from socgrad.door.spelling import are_plain, folded, is_unreadable, other_alphabets
from socgrad.door.table_checks import name_some, refuse, refuse_cells
from socgrad.errors import SocgradWarning, TableError

__all__ = [
    "check_distinct",
    "check_labelled",
    "coded_labels",
    "index_labels",
    "labels",
    "row_labels",
    "sorting_keys",
]

_PACKAGE = (str(Path(__file__).parents[1]),)

#: What stands for a missing label where text was made of everything, as by .astype(str).
_NO_LABEL = frozenset(
    {"nan", "none", "null", "<na>", "nat", "n/a", "#n/a", "inf", "-inf", "#ref!", "#value!"}
)

_KINDS = "Expected labels that are all text or all whole numbers"


def labels(values: pd.Series[Any], *, where: str) -> pd.Index[Any]:
    """Return labels as a plain index of text or of int64, none missing."""
    _check_kind(values, where=where)
    check_labelled(values.isna().to_numpy(dtype=bool), where=where)
    return _plain(values, np.arange(len(values)), where=where)


def coded_labels(values: pd.Series[Any], *, where: str) -> tuple[IntArray, pd.Index[Any]]:
    """Return each row's position along the sorted labels, and those labels, none like another."""
    _check_kind(values, where=where)
    code, found = pd.factorize(values)
    check_labelled(code < 0, where=where)
    label = _plain(pd.Series(found), code, where=where)
    sortable = sorting_keys(label)
    rank = np.argsort(sortable, kind="stable")
    position = np.empty(len(rank), dtype=np.int64)
    position[rank] = np.arange(len(rank))
    check_distinct(label[rank], sortable, where=where)
    return position[code], label[rank]


def index_labels(index: pd.Index[Any], *, where: str) -> pd.Index[Any]:
    """Return the labels in an index, as `labels` does those in a column."""
    if index.dtype == object:  # as it is: pandas would take text for its own, compact kind
        return labels(pd.Series(index.to_numpy(), dtype=object), where=where)
    return labels(index.to_series(), where=where)


def row_labels(index: pd.Index[Any], *, where: str) -> pd.Index[Any]:
    """Return the labels of a table's rows, each of its own, as draws and files can hold them."""
    if index.nlevels > 1:
        raise TableError(
            f"The index of {where} has {index.nlevels} levels ({name_some(list(index.names))}), "
            "which no file of draws can hold. Expected one label for each row: "
            "frame.reset_index(), or an index of one column."
        )
    if types.is_numeric_dtype(index.dtype) and not index.hasnans:
        found = index
    else:
        found = index_labels(index, where=f"The index of {where}")
    refuse(
        found.duplicated(),
        found,
        f"The index of {where} has labels that repeat",
        "Expected a label of its own for each row: frame.reset_index().",
    )
    return found


def check_distinct(label: pd.Index[Any], keys: npt.NDArray[Any], *, where: str) -> None:
    """Refuse labels, each given once, that a reader cannot tell apart; doubt other alphabets."""
    if _has_one_case_and_no_space(keys):
        return
    texts = label.tolist()
    plain = are_plain(texts)
    seen = [" ".join(text.split()).casefold() if plain else folded(text) for text in texts]
    if len(set(seen)) < len(seen):
        alike = pd.Series(label.to_numpy(dtype=object)).groupby(np.array(seen, dtype=object))
        pairs = [" and ".join(map(ascii, its)) for _, its in alike if len(its) > 1]
        raise TableError(
            f"{where} has labels that look alike, that differ only by case or by white space, or "
            f"by characters that cannot be told apart: {len(pairs):,} "
            f"pair{'s' if len(pairs) > 1 else ''} of {len(label):,} labels ({name_some(pairs)}). "
            "They would stand for different ones. Give each one spelling, as with .str.strip(), "
            ".str.upper() or .str.normalize('NFKC'); or distinct names if they are different."
        )
    strange = {} if plain else other_alphabets(texts)
    if strange:
        first = [f"{text!r}: {letter}" for text, letter in strange.items()]
        warnings.warn(
            f"{where} has letters of another alphabet than the other labels in {len(strange):,} of "
            f"{len(texts):,} ({name_some(first)}). Some look like letters of the others, and a "
            "label with one matches none without: check where these come from.",
            SocgradWarning,
            skip_file_prefixes=_PACKAGE,  # at the caller's line
        )


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


def _check_kind(values: pd.Series[Any], *, where: str) -> None:
    """Refuse columns, and cells, that are neither text nor numbers."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.cat.categories.to_series()
    refuse_cells(
        values,
        np.arange(len(values)),
        where=where,
        allowed=(str, int, float, np.integer, np.floating),
        expected=f"{_KINDS}: write out what each stands for (rows are counted from 0).",
    )
    _check_encodable(values, where=where)
    kind = types.infer_dtype(values, skipna=True)
    if kind not in {"string", "integer", "floating", "mixed-integer-float", "empty"}:
        raise TableError(
            f"{where} holds {kind} values. {_KINDS}; mixed ones would not match each other. "
            "Convert it, as with .astype(str)."
        )


def _check_encodable(values: pd.Series[Any], *, where: str) -> None:
    """Refuse halves of characters, which no file and no compact dtype of text can hold."""
    if types.is_numeric_dtype(values.dtype):
        return
    texts = values.to_numpy(dtype=object).tolist()
    try:
        joined = "".join(texts)
    except TypeError:  # missing ones, or numbers
        texts = [cell if isinstance(cell, str) else "" for cell in texts]
        joined = "".join(texts)
    try:
        joined.encode()
    except UnicodeEncodeError:
        _refuse_unreadable(texts, np.arange(len(texts)), where=where)


def _refuse_unreadable(texts: list[str], code: IntArray, *, where: str) -> None:
    refuse(
        np.array([is_unreadable(each) for each in texts])[code],
        np.array([ascii(each) for each in texts], dtype=object)[code],
        f"{where} has labels with control characters or broken ones in rows",
        "They cannot be shown or saved: read the file again in its own encoding (often utf-8 or "
        "cp1252).",
    )


def _plain(values: pd.Series[Any], code: IntArray, *, where: str) -> pd.Index[Any]:
    """Labels as text or int64; `code` is the label of each row of the table, for messages."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if types.infer_dtype(values, skipna=True) != "string":
        return _whole(values, code, where=where)
    # pandas 3 keeps text in a compact dtype of its own, which is plain enough and quicker.
    plain = values.dtype == pd.Index(["text"]).dtype
    text: pd.Index[Any] = pd.Index(values if plain else values.to_numpy(dtype=object))
    _check_text(text, code, where=where)
    return text


def _check_text(text: pd.Index[Any], code: IntArray, *, where: str) -> None:
    """Refuse text that is no label: blank, unreadable, or what a missing one became."""
    every = text.tolist()
    rows = np.arange(len(code))
    plain = are_plain(every)
    if not plain:
        _refuse_unreadable(every, code, where=where)
    seen = _plainly_seen(every) if plain else [folded(each) for each in every]
    if "" not in seen and _NO_LABEL.isdisjoint(seen):
        return
    check_labelled(np.array([not each for each in seen])[code], where=where)
    refuse(
        np.array([each in _NO_LABEL for each in seen])[code],
        rows,
        f"{where} has text that stands for a missing label ({_first_of(seen)}) in rows",
        "A missing label turned into text would gather unlike places under one name (rows are "
        "counted from 0): fill it in, or drop the rows. If it is a name, write it out.",
    )


def _plainly_seen(every: list[str]) -> list[str]:
    """Texts in printable ASCII without case or space about them, all at once: there are many."""
    joined = "\n".join(every).casefold()
    seen = joined.split("\n") if every else []
    return [each.strip() for each in seen] if " " in joined else seen


def _first_of(seen: list[str]) -> str:
    return next((repr(each) for each in seen if each in _NO_LABEL), "")


def _whole(values: pd.Series[Any], code: IntArray, *, where: str) -> pd.Index[Any]:
    """Whole numbers as int64; a missing label, since dropped, leaves them as floats."""
    given = values.to_numpy(dtype=object)
    # Whole numbers too large for a float are so for a label.
    number = np.array([float(each) if abs(each) < 2.0**1000 else np.inf for each in given])
    exact = np.array([not isinstance(each, float | np.floating) for each in given], dtype=bool)
    held = values.to_numpy().dtype
    digits = np.finfo(held.type).nmant if isinstance(held.type(), np.floating) else 52
    beyond = np.array([not -(2**63) <= int(each) < 2**63 for each in given[exact]], dtype=bool)
    shown = given[code]
    refuse(
        (~exact & ~np.isfinite(number))[code],
        shown,
        f"{where} has labels that are infinite",
        "Expected text or whole numbers: a division upstream may have made them.",
    )
    problem = f"{where} has labels with fractions"
    fractions = ~exact & (number != np.floor(number))
    refuse(fractions[code], shown, problem, "Expected text or whole numbers.")
    lost = ~exact & (np.abs(number) > 2.0 ** (digits + 1))
    lost[exact] = beyond
    refuse(
        lost[code],
        shown,
        f"{where} has whole numbers of more digits than are kept",
        "Labels of so many digits would run into each other: read the column as text, as with "
        "pandas.read_csv(..., dtype={name: str}).",
    )
    return pd.Index(np.array([int(each) for each in given], dtype=np.int64))


def _has_one_case_and_no_space(keys: npt.NDArray[Any]) -> bool:
    """Say so of sorting keys, quickly, as they are of codes: such labels differ as they stand."""
    if keys.dtype.kind != "S":
        return keys.dtype.kind != "U"
    byte = np.ascontiguousarray(keys).view(np.uint8)
    low, high = (bool(((byte >= ord(a)) & (byte <= ord(z))).any()) for a, z in ("az", "AZ"))
    space = bool(((byte <= ord(" ")) & (byte > 0)).any())
    quoted = bool((byte == ord("`")).any())
    return not (space or quoted or (low and high))
