"""Checks of levels between areas and the nation: who lies within whom, in exactly one."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from typing import Any

import numpy as np
import pandas as pd

from socgrad.arrays import IntArray
from socgrad.errors import TableError
from socgrad.table.label_checks import coded_labels
from socgrad.table.table_checks import name_some

__all__ = ["nested_localities"]


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
    first = np.full(len(found), len(authorities), dtype=np.int64)
    np.minimum.at(first, code, authority_of_area)
    last = np.zeros(len(found), dtype=np.int64)
    np.maximum.at(last, code, authority_of_area)
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
