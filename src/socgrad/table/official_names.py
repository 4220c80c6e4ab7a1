"""Official names of areas and authorities beside their codes: read once, at the door.

Codes are what tables are matched by; names are what people read. A fit keeps both.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from socgrad.arrays import IntArray, TextArray
from socgrad.door.by_authority import spelling_hint
from socgrad.door.label_checks import index_labels, labels
from socgrad.door.table_checks import column, name_some, refuse
from socgrad.errors import TableError

__all__ = ["Names", "name_roles", "official_names"]

#: By "area" or "authority": a column of the table, or names by label.
type Names = Mapping[str, str | Mapping[Any, str] | pd.Series[Any]]

_EXPECTED: Final = (
    'Expected a mapping from "area" or "authority" to a column of the table or to names by label, '
    'as {"authority": "utla19nm"}.'
)
#: A code of the Office for National Statistics, or several joined.
_CODE: Final = re.compile(r"[A-Z]\d{8}(\+[A-Z]\d{8})*")


def name_roles(names: Names | None) -> dict[str, str]:
    """Columns of the table that hold names, by their roles in messages."""
    return {f"name of the {of}": column for of, column in _columns(names).items()}


def _columns(names: Names | None) -> dict[str, str]:
    """Columns of the table that hold names, by what they are of; the mapping itself is checked."""
    if names is None:
        return {}
    if not isinstance(names, Mapping):
        raise TableError(f"names is a {type(names).__name__}. {_EXPECTED}")
    strangers = [key for key in names if key not in ("area", "authority")]
    if strangers:
        raise TableError(f"names has {name_some(strangers)}. {_EXPECTED}")
    for of, given in names.items():
        if not isinstance(given, str | Mapping | pd.Series):
            raise TableError(f"names[{of!r}] is a {type(given).__name__}. {_EXPECTED}")
    return {of: given for of, given in names.items() if isinstance(given, str)}


def official_names(
    names: Names | None,
    table: pd.DataFrame,
    *,
    order: IntArray,
    area: pd.Index[Any],
    authority: pd.Index[Any],
    authority_of_area: IntArray,
) -> dict[str, Any]:
    """Take the names of areas and of authorities, as `Areas` holds them.

    Parameters
    ----------
    names
        As `Areas.from_frame` has them.
    table
        The caller's table.
    order
        Position of each sorted area in the table.
    area, authority, authority_of_area
        Sorted labels, and the position of each area's authority.

    Returns
    -------
    dict
        `area_name` and `authority_name`, of those that were given.

    Raises
    ------
    TableError
        If a name is missing, stands for two places, looks like a code, or differs between the rows
        of one authority.
    """
    columns = _columns(names)
    made: dict[str, TextArray] = {}
    for of, label in (("area", area), ("authority", authority)):
        if of in columns:
            where = f"Column {columns[of]!r} (names of {_MANY[of]})"
            held = _texts(column(table, columns[of], role=f"name of the {of}"), where).iloc[order]
            if of == "authority":
                held = _one_each(held, authority_of_area, label, where)
        elif names is not None and of in names:
            where = f"names[{of!r}]"
            held = _by_label(names[of], label, where)
        else:
            continue
        found = held.to_numpy(dtype=object)
        _check_names(found, label, where, of)
        made[f"{of}_name"] = found
    return made


_MANY: Final = {"area": "areas", "authority": "authorities"}


def _texts(values: pd.Series[Any], where: str) -> pd.Series[Any]:
    """Names as text without white space around them, none missing."""
    found = labels(values.reset_index(drop=True), where=where)
    if found.dtype.kind == "i":
        raise TableError(f"{where} holds whole numbers. Expected names, as people read them.")
    return pd.Series(found.to_numpy(dtype=object)).str.strip()


def _one_each(
    held: pd.Series[Any], authority_of_area: IntArray, authority: pd.Index[Any], where: str
) -> pd.Series[Any]:
    """The name of each authority, which all of its rows give."""
    first = np.unique(authority_of_area, return_index=True)[1]
    theirs = held.iloc[first].reset_index(drop=True)
    unlike = held.to_numpy() != theirs.to_numpy()[authority_of_area]
    which = np.unique(authority_of_area[unlike])
    if which.size:
        said = [
            f"{authority[j]}: {' and '.join(map(repr, held[authority_of_area == j].unique()))}"
            for j in which[:3].tolist()
        ]
        raise TableError(
            f"{where} has several names for {which.size:,} of {len(authority):,} authorities "
            f"({name_some(said)}). Expected one in all rows of an authority: take codes and names "
            "of one year."
        )
    return theirs


def _by_label(given: Any, label: pd.Index[Any], where: str) -> pd.Series[Any]:
    """Names by label, in the order of the labels; those of other places are ignored."""
    series = given if isinstance(given, pd.Series) else pd.Series(dict(given), dtype=object)
    own = index_labels(series.index, where=f"The labels of {where}")
    refuse(own.duplicated(), own, f"{where} names places twice", "Expected one name for each.")
    at = own.get_indexer(label)
    refuse(
        at < 0,
        label,
        f"{where} has no name for places of the table",
        "Expected one for each, by the same label." + spelling_hint(own, label[at < 0]),
    )
    return _texts(series.iloc[at], where)


def _check_names(found: TextArray, label: pd.Index[Any], where: str, of: str) -> None:
    codes = np.array([_CODE.fullmatch(name) is not None for name in found])
    same = found == label.to_numpy(dtype=object)
    refuse(
        codes & ~same,
        found,
        f"{where} holds codes where names are expected",
        f"Were the two exchanged? {of}= takes the codes, names= the names.",
    )
    twice = pd.Series(found).duplicated(keep=False).to_numpy(dtype=bool)
    refuse(
        twice,
        np.array([f"{name} ({code})" for name, code in zip(found, label, strict=True)], object),
        f"{where} gives one name to several {_MANY[of]}",
        "Tables and figures could not tell them apart: add what does, such as the county.",
    )
