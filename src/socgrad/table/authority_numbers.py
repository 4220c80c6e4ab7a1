"""Numbers that the caller gives for whole authorities: totals, and means over all their areas.

They are matched to the authorities of the table by label, never by position.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from socgrad.arrays import BoolArray, FloatArray
from socgrad.errors import TableError
from socgrad.table.label_checks import labels
from socgrad.table.number_checks import check_proportion, check_whole, numbers, suppressed
from socgrad.table.table_checks import refuse

__all__ = ["given_means", "given_measure", "given_totals"]


def given_totals(totals: object, authorities: pd.Index[Any]) -> tuple[FloatArray, BoolArray]:
    """Return the given count of every authority, NaN where none, and which were suppressed."""
    total, marked = _by_authority(totals, authorities, argument="totals", extra=False)
    check_whole(total, authorities, where="totals")
    return total, marked


def given_means(authority_means: object, authorities: pd.Index[Any]) -> FloatArray:
    """Return the given mean deprivation of every authority; others are ignored."""
    mean, _ = _by_authority(authority_means, authorities, argument="authority_means", extra=True)
    refuse(
        np.isnan(mean),
        authorities,
        "authority_means lacks authorities of the table",
        "Expected the child-weighted mean over all areas of each, by the same label.",
    )
    check_proportion(mean, authorities, where="authority_means")
    return mean


def given_measure(
    values: object, authorities: pd.Index[Any], *, argument: str, needed: bool
) -> FloatArray:
    """Return any measure of every authority; NaN where none, which ``needed=True`` refuses."""
    measure, _ = _by_authority(values, authorities, argument=argument, extra=True)
    if needed:
        refuse(
            np.isnan(measure),
            authorities,
            f"{argument} lacks authorities of the table",
            'Expected one number for each, by the same label; missing_outcomes="leave out" takes '
            "such authorities out of the regression, and keeps their events.",
        )
    return measure


def _by_authority(
    values: object, authority: pd.Index[Any], *, argument: str, extra: bool
) -> tuple[FloatArray, BoolArray]:
    """Return numbers in the order of `authority`, NaN where none, and which were suppressed.

    With ``extra=False`` a label that is no authority of the table is refused.
    """
    if isinstance(values, Mapping):
        values = pd.Series(list(values.values()), index=list(values.keys()), dtype=object)
    if not isinstance(values, pd.Series):
        raise TableError(
            f"{argument} is a {type(values).__name__}. Expected a mapping or a pandas Series from "
            "authority label to number: authorities are matched by label, never by position. From "
            "a table of authorities, frame.set_index('code')['total'] is such a Series."
        )
    result, marked = np.full(len(authority), np.nan), np.zeros(len(authority), dtype=bool)
    if values.empty:
        return result, marked
    given = labels(values.index.to_series(), where=f"The labels of {argument}")
    number = numbers(values, given, where=argument)
    problem = f"{argument} names an authority more than once"
    refuse(given.duplicated(), given, problem, "Expected one number for each.")
    position = authority.get_indexer(given)
    unmatched = position < 0
    if not extra:
        advice = (
            "Codes change when authorities are reorganised: bring both to the codes of one year, "
            f"or take these labels out of {argument}."
        )
        if types.is_integer_dtype(given.dtype) != types.is_integer_dtype(authority.dtype):
            advice = (
                "One side holds text and the other whole numbers: convert one of them; or, if the "
                "labels are row numbers, take those of a column, frame.set_index('code')['total']."
            )
        elif not _folded(given[unmatched]).isdisjoint(_folded(authority)):
            advice = "Some differ only by case or by white space: give both sides one spelling."
        problem = f"{argument} has labels that are no authority of the table"
        # Each is named: finding their new codes is the caller's work.
        refuse(unmatched, given, problem, advice, limit=50)
    result[position[~unmatched]] = number[~unmatched]
    marked[position[~unmatched]] = suppressed(values, number)[~unmatched]
    return result, marked


def _folded(label: pd.Index[Any]) -> set[str]:
    return {str(text).strip().casefold() for text in label}
