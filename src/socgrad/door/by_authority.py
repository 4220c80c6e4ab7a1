"""What the caller gives for whole authorities: totals, means, outcomes, regions, tables of them.

All are matched to the authorities of the first table, or of a fit, by label, never by position.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.coarsening.columns import ColumnRule, PublishedCounts, read_counts
from socgrad.door.label_checks import coded_labels, index_labels, labels
from socgrad.door.number_checks import MOST, check_proportion, numbers, suppressed
from socgrad.door.spelling import folded
from socgrad.door.table_checks import as_pandas, column, name_some, refuse
from socgrad.errors import TableError

__all__ = [
    "given_means",
    "given_measure",
    "given_regions",
    "given_totals",
    "rows_by_authority",
    "spelling_hint",
    "totals_by_stratum",
]

#: Measures of authorities, such as outcomes, in any unit: their squares stay finite.
_MOST = 1e100


def given_totals(
    totals: object, authorities: pd.Index[Any], rule: ColumnRule
) -> tuple[PublishedCounts, BoolArray]:
    """Return what is known of every authority's count, and which have a mark without a meaning."""
    series, given, position = _matched(totals, authorities, argument="totals", extra=False)
    read = read_counts(
        series, given, rule=rule, group=np.zeros(len(series), dtype=np.int64), where="totals"
    )
    size = len(authorities)

    def placed(rows: BoolArray) -> BoolArray:
        found = np.zeros(size, dtype=bool)
        found[position] = rows
        return found

    shown = np.full(size, np.nan)
    shown[position] = read.shown
    published = PublishedCounts(
        counts=read.counts.placed(position, size),
        shown=shown,
        kinds={words: placed(rows) for words, rows in read.kinds.items()},
    )
    return published, placed(suppressed(series, read.counts.low))


def totals_by_stratum(totals: object) -> Mapping[Any, Any]:
    """Take totals of strata, each by authority label, as a mapping; none where there are none."""
    if totals is None:
        return {}
    if not isinstance(totals, Mapping):
        raise TableError(
            f"totals is a {type(totals).__name__}. Expected a mapping from stratum to its totals, "
            "{stratum: {authority: count}}."
        )
    return totals


def given_means(authority_means: object, authorities: pd.Index[Any]) -> FloatArray:
    """Return the given mean deprivation of every authority; others are ignored."""
    mean = _numbers_of(authority_means, authorities, argument="authority_means")
    refuse(
        np.isnan(mean),
        authorities,
        "authority_means lacks authorities of the table",
        "Expected the child-weighted mean over all areas of each, by the same label."
        + _hint_for(authority_means, authorities[np.isnan(mean)]),
    )
    check_proportion(mean, authorities, where="authority_means")
    return mean


def given_measure(
    values: object, authorities: pd.Index[Any], *, argument: str, needed: bool
) -> FloatArray:
    """Return any measure of every authority; NaN where none, which ``needed=True`` refuses."""
    measure = _numbers_of(values, authorities, argument=argument, most=_MOST)
    if needed:
        refuse(
            np.isnan(measure),
            authorities,
            f"{argument} lacks authorities of the table",
            'Expected one number for each, by the same label; missing_outcomes="leave out" takes '
            "such authorities out of the regression, and keeps their events."
            + _hint_for(values, authorities[np.isnan(measure)]),
        )
    return measure


def given_regions(regions: object, authorities: pd.Index[Any]) -> tuple[IntArray, pd.Index[Any]]:
    """Return the position of each authority's region, and the sorted labels of these regions."""
    values = _by_label(regions, argument="regions")
    given, position = _places_of(values, authorities, argument="regions")
    home = pd.Series(np.full(len(authorities), None, dtype=object), index=authorities)
    home.iloc[position[position >= 0]] = values.to_numpy(dtype=object)[position >= 0]
    refuse(
        home.isna().to_numpy(dtype=bool),
        authorities,
        "regions has no region for authorities",
        "Expected one for each, by its label in the fit, spelt and typed as there."
        + spelling_hint(given, authorities[home.isna().to_numpy(dtype=bool)]),
    )
    return coded_labels(home, where="regions")


def rows_by_authority(
    table: object, authorities: pd.Index[Any], *, authority: str, argument: str
) -> pd.DataFrame:
    """Return a table of authorities under its checked labels, one row each, in its own order.

    Parameters
    ----------
    table
        A table whose index, or whose column `authority`, holds the labels.
    authorities
        Labels of the authorities that are wanted.
    authority
        Name of that column.
    argument
        What the caller named the table, for messages.
    """
    frame = as_pandas(table)
    where = f"The labels of {argument}"
    if (frame.columns == authority).any():
        own = labels(column(frame, authority, role=f"authority of {argument}"), where=where)
        frame = frame.loc[:, frame.columns != authority]
    elif frame.index.nlevels > 1:
        raise TableError(
            f"The index of {argument} has {frame.index.nlevels} levels "
            f"({name_some(list(frame.index.names))}). Expected the labels of authorities alone, or "
            f"a column {authority!r} that holds them: frame.reset_index()."
        )
    else:
        own = index_labels(frame.index, where=where)
    refuse(
        own.duplicated(),
        own,
        f"{argument} has authorities more than once",
        "Expected one row each: choose a year, or sum up.",
    )
    lost = ~authorities.isin(own)
    if lost.all():
        raise TableError(
            f"{argument} has no row for any of the {len(authorities):,} authorities. Expected one "
            f"row each, labelled by its index or by a column {authority!r} as in the table of "
            f"areas; its first labels are {name_some(own, limit=3)}."
        )
    return frame.set_axis(own, axis=0)


def _numbers_of(
    values: object, authorities: pd.Index[Any], *, argument: str, most: float = MOST
) -> FloatArray:
    """Return numbers in the order of the authorities, NaN where none; others are ignored."""
    series, given, position = _matched(values, authorities, argument=argument, extra=True)
    number = numbers(series, given, where=argument, most=most)
    result = np.full(len(authorities), np.nan)
    result[position[position >= 0]] = number[position >= 0]
    return result


def _matched(
    values: object, authorities: pd.Index[Any], *, argument: str, extra: bool
) -> tuple[pd.Series[Any], pd.Index[Any], IntArray]:
    """Return values by label, their checked labels, and the position of each authority.

    With ``extra=False`` a label that is no authority of the table is refused; else it has -1.
    """
    series = _by_label(values, argument=argument)
    if series.empty:
        return series, series.index, np.zeros(0, dtype=np.int64)
    given, position = _places_of(series, authorities, argument=argument)
    unmatched = position < 0
    if not extra:
        advice = spelling_hint(given[unmatched], authorities).strip() or (
            "Codes change when authorities are reorganised: bring both to the codes of one year, "
            f"or take these labels out of {argument}."
        )
        problem = f"{argument} has labels that are no authority of the table"
        # Each is named: finding their new codes is the caller's work.
        refuse(unmatched, given, problem, advice, limit=50)
    return series, given, position


def _by_label(values: object, *, argument: str) -> pd.Series[Any]:
    """Take a mapping or a Series, by label."""
    if isinstance(values, Mapping):
        values = pd.Series(
            list(values.values()), index=pd.Index(list(values.keys()), dtype=object), dtype=object
        )
    if not isinstance(values, pd.Series):
        raise TableError(
            f"{argument} is a {type(values).__name__}. Expected a mapping or a pandas Series from "
            "authority label: authorities are matched by label, never by position. From a table of "
            f"authorities, of any kind, dict(zip(frame['code'], frame['{argument}'])) is such a "
            "mapping."
        )
    if values.index.nlevels > 1:
        raise TableError(
            f"The index of {argument} has {values.index.nlevels} levels "
            f"({name_some(list(values.index.names))}). Expected the labels of authorities alone: "
            "choose a year or a group, or values.droplevel(...)."
        )
    return values


def _places_of(
    values: pd.Series[Any], authorities: pd.Index[Any], *, argument: str
) -> tuple[pd.Index[Any], IntArray]:
    """Return the checked labels of a Series, and the position of each, -1 where there is none."""
    given = index_labels(values.index, where=f"The labels of {argument}")
    problem = f"{argument} names an authority more than once"
    refuse(given.duplicated(), given, problem, "Expected one for each.")
    return given, np.asarray(authorities.get_indexer(given), dtype=np.int64)


def _hint_for(values: object, authorities: pd.Index[Any]) -> str:
    index = values.index if isinstance(values, pd.Series) else pd.Index(list(values))  # type: ignore[call-overload]
    return spelling_hint(index, authorities)


def spelling_hint(given: pd.Index[Any], wanted: pd.Index[Any]) -> str:
    """Say why labels may not have met, where that can be seen."""
    given = given.difference(wanted, sort=False)
    if not len(given) or not len(wanted):
        return ""
    if types.is_integer_dtype(given.dtype) != types.is_integer_dtype(wanted.dtype):
        return (
            " One side holds text and the other whole numbers: convert one of them; or, if the "
            "labels are row numbers, take those of a column, frame.set_index('code')['total']."
        )
    seen = ({folded(str(label)) for label in side} for side in (given, wanted))
    if not frozenset.intersection(*map(frozenset, seen)):
        return ""
    return (
        " Some look alike and differ by case, by white space or by characters that cannot be told "
        "apart: give both sides one spelling."
    )
