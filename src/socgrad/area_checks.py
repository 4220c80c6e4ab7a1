"""Checks of the table as a whole: what was asked for, who is where, what can be estimated."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from socgrad.arrays import FloatArray, IntArray
from socgrad.errors import TableError
from socgrad.table_checks import check_labelled, is_blank, refuse, sorting_keys

__all__ = ["check_arguments", "check_estimable", "check_roles", "sorted_rows"]

#: Proportions closer than this are the same number, but for rounding.
_SAME = 1e-9


def check_arguments(
    *,
    per: float,
    national_mean: float | None,
    missing_events: str,
    zero_exposure: str,
    complete: bool | None,
    authority_means: object,
    has_counts: bool,
) -> None:
    """Refuse options that contradict each other, before looking at any data."""
    if not 0 < per <= 1:
        raise TableError(
            f"per={per!r} is not a step of deprivation. Expected a proportion above 0, up to 1: "
            "0.10 is ten percentage points."
        )
    if national_mean is not None and not 0 <= national_mean <= 1:
        raise TableError(
            f"national_mean={national_mean!r} is not a deprivation. Expected a proportion, 0 to 1: "
            "0.20, not 20."
        )
    for name, value in (("missing_events", missing_events), ("zero_exposure", zero_exposure)):
        if value not in {"refuse", "leave out"}:
            raise TableError(f'{name}={value!r} is unknown. Expected "refuse" or "leave out".')
    if complete is False and authority_means is None:
        raise TableError(
            "complete=False says that the table is a sample of areas; its own means would then "
            "shrink the contextual effect. Pass authority_means (and national_mean), the "
            "child-weighted means over all areas."
        )
    if not has_counts:
        raise TableError(
            "Neither events nor totals is given, so there is nothing to model. Name the column of "
            "neighbourhood counts with events=, or pass authority totals by label with totals=."
        )


def check_roles(names: Mapping[str, str]) -> None:
    """Refuse one column named for two roles."""
    # Children as weights and as exposure is the ordinary case; any other pair is a slip.
    roles: dict[str, list[str]] = {}
    for role, name in names.items():
        roles.setdefault(name, []).append(role)
    for name, played in roles.items():
        if len(played) > 1 and set(played) != {"children", "exposure"}:
            raise TableError(
                f"Column {name!r} is named for {' and '.join(played)}. Expected a column for each; "
                "only children and exposure may be the same."
            )


def sorted_rows(
    area: pd.Index[Any], code: IntArray, authorities: pd.Index[Any], names: Mapping[str, str]
) -> IntArray:
    """Return the rows in order of authority, then area; refuse an area that appears twice."""
    where = f"Column {names['area']!r} (area)"
    sortable = sorting_keys(area)
    check_labelled(is_blank(sortable), where=where)
    by_area = np.argsort(sortable, kind="stable")
    ordered = sortable[by_area]
    repeat = np.flatnonzero(ordered[1:] == ordered[:-1])
    if repeat.size:
        first, second = by_area[repeat], by_area[repeat + 1]
        bad = np.zeros(len(area), dtype=bool)
        elsewhere = code[first] != code[second]
        if elsewhere.any():
            bad[first[elsewhere]] = True
            one = first[elsewhere][0]
            pair = authorities[[code[one], code[second[elsewhere][0]]]]
            refuse(
                bad,
                area,
                f"{where} has areas in two authorities",
                f"{area[one]} is in {pair[0]} and {pair[1]}. Expected each area in one authority: "
                "use the boundaries of one year.",
            )
        bad[second] = True
        refuse(
            bad,
            area,
            f"{where} has areas that appear more than once",
            "Expected one row per area: add the rows up by label, or pass one table for each "
            "stratum or period.",
        )
    return by_area[np.argsort(code[by_area], kind="stable")]


def check_estimable(
    x: FloatArray, mean: FloatArray, group: IntArray, names: Mapping[str, str]
) -> None:
    """Refuse deprivation or authorities from which the model's effects cannot be told."""
    where = f"Column {names['deprivation']!r} (deprivation)"
    if len(mean) == 1:
        raise TableError(
            f"Column {names['authority']!r} (authority) has a single authority. Between, "
            "cross-level and contextual effects, and the variation between authorities, cannot be "
            "estimated from one. Expected two or more, and many more for a useful answer."
        )
    if np.ptp(x) <= _SAME:
        raise TableError(
            f"{where} is {x[0]:g} in all {len(x):,} areas, so no gradient can be estimated. "
            "Expected a measure that differs between neighbourhoods."
        )
    if np.ptp(mean) <= _SAME:
        raise TableError(
            f"{where} has the same mean, {mean[0]:g}, in all {len(mean):,} authorities. Between, "
            "cross-level and contextual effects cannot be estimated from equally deprived "
            "authorities."
        )
    if np.abs(x - mean[group]).max() <= _SAME:
        raise TableError(
            f"{where} does not vary within any of the {len(mean):,} authorities, so the gradient "
            "within authorities cannot be estimated. Expected neighbourhoods: an authority's mean "
            "given to all its areas will not do."
        )
