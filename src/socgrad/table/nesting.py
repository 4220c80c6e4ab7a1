"""Checks of levels between areas and the nation: who lies within whom, in exactly one."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from socgrad.arrays import IntArray
from socgrad.door.label_checks import coded_labels
from socgrad.door.table_checks import name_some
from socgrad.errors import TableError

__all__ = ["LEVELS", "nested_levels", "nested_localities", "nested_regions"]

#: Roles of columns that name a level between areas and the nation, besides authorities.
LEVELS = ("locality", "region")


def nested_levels(
    columns: Mapping[str, pd.Series[Any]],
    where: Mapping[str, str],
    order: IntArray,
    authority_of_area: IntArray,
    authorities: pd.Index[Any],
) -> dict[str, Any]:
    """Take the levels that were named, as `Areas` holds them.

    Parameters
    ----------
    columns
        Columns by role, of those in `LEVELS` that were named, in the order of the table.
    where
        Words for the column of each role.
    order
        Position of each sorted area in the table.
    authority_of_area, authorities
        Position of each sorted area's authority, and the labels of authorities.
    """
    found: dict[str, Any] = {}
    for role, values in columns.items():
        nested, names = (
            (nested_localities, ("locality_of_area", "locality"))
            if role == "locality"
            else (nested_regions, ("region_of_authority", "region"))
        )
        made = nested(values.iloc[order], authority_of_area, authorities, where=where[role])
        found |= zip(names, made, strict=True)
    return found


def nested_localities(
    values: pd.Series[Any],
    authority_of_area: IntArray,
    authorities: pd.Index[Any],
    *,
    where: str,
) -> tuple[IntArray, pd.Index[Any]]:
    """Take each area's locality, and refuse localities that lie in two authorities.

    Parameters
    ----------
    values
        Labels of localities, one per area.
    authority_of_area
        Position of each area's authority.
    authorities
        Labels of the authorities.
    where
        The column, for messages.

    Returns
    -------
    locality_of_area : ndarray of int
        Position of each area's locality; those of one authority stand together.
    locality : pandas.Index
        Their labels, by authority.
    """
    code, found = coded_labels(values, where=where)
    first, last = _ends(authority_of_area, of=code, size=len(found))
    astride = np.flatnonzero(first != last)
    if len(astride):
        named = [
            f"{found[m]!r} in {authorities[first[m]]!r} and {authorities[last[m]]!r}"
            for m in astride.tolist()
        ]
        raise TableError(
            f"{where} has {len(astride):,} of {len(found):,} localities in more than one authority "
            f"({name_some(named, limit=3)}). Expected each in exactly one: if a name stands for "
            "several places, join the authority's label to it; if boundaries changed, use one "
            "year's lookup for both columns."
        )
    # Labels are sorted; a stable sort by authority keeps them so inside each.
    order = np.argsort(first, kind="stable")
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    return position[code], found[order].rename("locality")


def nested_regions(
    values: pd.Series[Any],
    authority_of_area: IntArray,
    authorities: pd.Index[Any],
    *,
    where: str,
) -> tuple[IntArray, pd.Index[Any]]:
    """Take each authority's region, and refuse authorities whose areas lie in several.

    Parameters
    ----------
    values
        Labels of regions, one per area.
    authority_of_area
        Position of each area's authority.
    authorities
        Labels of the authorities.
    where
        The column, for messages.

    Returns
    -------
    region_of_authority : ndarray of int
        Position of each authority's region.
    region : pandas.Index
        Their labels, sorted.
    """
    code, found = coded_labels(values, where=where)
    first, last = _ends(code, of=authority_of_area, size=len(authorities))
    astride = np.flatnonzero(first != last)
    if len(astride):
        named = [
            f"{authorities[j]!r} in {found[first[j]]!r} and {found[last[j]]!r}"
            for j in astride.tolist()
        ]
        raise TableError(
            f"{where} has {len(astride):,} of {len(authorities):,} authorities in more than one "
            f"region ({name_some(named, limit=3)}). Expected one region in all rows of an "
            "authority: take it from a lookup of authorities, not of areas."
        )
    return first, found.rename("region")


def _ends(code: IntArray, *, of: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """Lowest and highest code of the areas of each group; they differ where there are several."""
    first = np.full(size, np.iinfo(np.int64).max)
    last = np.zeros(size, dtype=np.int64)
    np.minimum.at(first, of, code)
    np.maximum.at(last, of, code)
    return first, last
