"""Checks of the table as a whole: which column is what, who is where, what can be estimated."""

from __future__ import annotations  # pandas' own classes are not generic at run time

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from socgrad.arrays import FloatArray, IntArray
from socgrad.door.label_checks import check_distinct, sorting_keys
from socgrad.door.table_checks import name_some, refuse
from socgrad.errors import SampleOfAreasWarning, SocgradWarning, TableError
from socgrad.within_between import mean_reliability

__all__ = [
    "check_estimable",
    "check_roles",
    "sorted_rows",
    "warn_if_larger_totals",
    "warn_if_more_events",
    "warn_if_sample",
    "warn_of_means",
]

_PACKAGE = (str(Path(__file__).parents[1]),)

#: Proportions closer than this are the same number, but for rounding.
_SAME = 1e-9

#: Below this median reliability of the authority means the table looks like a sample of areas.
_RELIABLE = 0.9

#: So many children, or more, hardly have so many events each; a handful may.
_MANY_CHILDREN, _EVENTS_EACH = 100, 5

#: A given mean of deprivation may lie so far outside what the table's own areas allow, and is held
#: against them where an authority has so many; a nation's against so many authorities.
_MEAN_MARGIN, _MANY_AREAS, _MANY_AUTHORITIES = 0.02, 10, 20


def check_roles(names: Mapping[str, str]) -> None:
    """Refuse what is no name, and one column named for two roles."""
    for role, name in names.items():
        if not isinstance(name, str):
            raise TableError(
                f"{role} is a {type(name).__name__}. Expected the name of a column, as text: "
                f"{role}={role!r} if the column is called {role!r}. Name an index or a column "
                "without a name first, as with frame.reset_index(names=...) or frame.rename."
            )
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
            "stratum or period. A long table, one row per area and stage or group, is for "
            "Strata.from_long(frame, stratum=..., ...).",
        )
    check_distinct(area, sortable, where=where)
    return by_area[np.argsort(code[by_area], kind="stable")]


def warn_if_more_events(
    events: FloatArray, children: FloatArray, area: pd.Index[Any], names: Mapping[str, str]
) -> None:
    """Warn where events far exceed children, the exposure: one column is not what it says."""
    known = ~np.isnan(events)
    everywhere = events[known].sum() > children[known].sum()
    more = known & (events > _EVENTS_EACH * children) & (everywhere | (children >= _MANY_CHILDREN))
    if more.any():
        worst = int(np.where(more, events - children, -np.inf).argmax())
        warnings.warn(
            f"Column {names['events']!r} (events) is more than {_EVENTS_EACH} times column "
            f"{names['children']!r} (children) in {np.count_nonzero(more):,} of {len(area):,} "
            f"areas ({name_some(area[more])}); most at {area[worst]}, {events[worst]:,.0f} events "
            f"among {children[worst]:,g} children. Children may have several events, hardly so "
            "many: check both columns, the join, and that children are counted one by one, not in "
            "thousands. If the events come from something else than children, name its column in "
            "exposure=.",
            SocgradWarning,
            skip_file_prefixes=_PACKAGE,  # at the caller's line
        )


def warn_if_larger_totals(
    totals: FloatArray, children: FloatArray, authorities: pd.Index[Any], names: Mapping[str, str]
) -> None:
    """Warn where an authority's total exceeds its children, who are the exposure."""
    more = totals > children
    if more.any():
        worst = int(np.where(more, totals - children, -np.inf).argmax())
        warnings.warn(
            f"totals is more than column {names['children']!r} (children) in "
            f"{np.count_nonzero(more):,} of {len(more):,} authorities "
            f"({name_some(authorities[more])}); most at {authorities[worst]}, "
            f"{totals[worst]:,.0f} events among {children[worst]:,g} children. Check the totals, "
            "that children are counted one by one, not in thousands, and that every area of these "
            "authorities is in the table. If the events come from something else than children, "
            "name its column in exposure=.",
            SocgradWarning,
            skip_file_prefixes=_PACKAGE,  # at the caller's line
        )


def warn_of_means(
    mean: FloatArray,
    national_mean: float | None,
    x: FloatArray,
    group: IntArray,
    authorities: pd.Index[Any],
    *,
    own: FloatArray | None,
) -> None:
    """Warn of given means that the table's own areas hardly allow.

    Parameters
    ----------
    mean
        Mean deprivation of each authority, given or the table's own.
    national_mean
        As given, if it was.
    x, group
        Deprivation of each area, and the position of its authority.
    authorities
        Their labels.
    own
        The table's own means, where all areas are in it and means were given all the same.
    """
    size = len(authorities)
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, group, x)
    np.maximum.at(high, group, x)
    if own is not None:
        low = high = own
    told = np.bincount(group, minlength=size) >= _MANY_AREAS
    off = told & ((mean < low - _MEAN_MARGIN) | (mean > high + _MEAN_MARGIN))
    if off.any():
        first = int(off.argmax())
        held = f"are from {low[first]:.3g} to {high[first]:.3g}"
        if own is not None:
            held = f"have a mean of {own[first]:.3g}"
        warnings.warn(
            f"authority_means is far from the table's own areas in {np.count_nonzero(off):,} of "
            f"{size:,} authorities ({name_some(authorities[off])}): {mean[first]:.3g} for "
            f"{authorities[first]}, whose areas {held}. Check that both are one measure of "
            "one year, and that the labels are those of one year.",
            SocgradWarning,
            skip_file_prefixes=_PACKAGE,  # at the caller's line
        )
    if national_mean is None:
        return
    outside = not x.min() <= national_mean <= x.max()
    if outside or (
        size >= _MANY_AUTHORITIES
        and not mean.min() - _MEAN_MARGIN <= national_mean <= mean.max() + _MEAN_MARGIN
    ):
        warnings.warn(
            f"national_mean={national_mean:g} lies outside the deprivation of the table: areas are "
            f"from {x.min():.3g} to {x.max():.3g}, authorities' means from {mean.min():.3g} to "
            f"{mean.max():.3g}. Levels and gradients would be stated for a deprivation that hardly "
            "occurs: check that both are one measure.",
            SocgradWarning,
            skip_file_prefixes=_PACKAGE,  # at the caller's line
        )


def check_estimable(x: FloatArray, mean: FloatArray, group: IntArray, *, where: str) -> None:
    """Refuse deprivation or authorities from which the model's effects cannot be told."""
    if np.ptp(x) <= _SAME:
        raise TableError(
            f"{where} is {x[0]:g} in all {len(x):,} areas, so no gradient can be estimated. "
            "Expected a measure that differs between neighbourhoods. A null model needs none: "
            "leave deprivation= out."
        )
    # One authority alone has a level and a gradient; the model leaves out how authorities differ.
    if len(mean) > 1 and np.ptp(mean) <= _SAME:
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


def warn_if_sample(x: FloatArray, weights: FloatArray, group: IntArray, size: int) -> None:
    """Warn where areas are too few, or too varied, for the means of their authorities."""
    if size == 1:
        return  # with nothing to compare its mean with, that mean is a place to measure from
    reliability = float(np.median(mean_reliability(x, weights, group, size)))
    if reliability < _RELIABLE:
        warnings.warn(
            f"The table looks like a sample of areas: authorities have a median of "
            f"{np.median(np.bincount(group, minlength=size)):g} areas, too few for reliable means "
            f"of deprivation (median reliability {reliability:.2f}, below {_RELIABLE}). If areas "
            "are missing, contextual effects shrink towards zero: from -0.118 to -0.087 with 10 of "
            "60 areas in a simulation (Lüdtke et al. 2008, https://doi.org/10.1037/a0012869). Pass "
            "authority_means= and national_mean=, over all areas; or complete=True if every area "
            "is here.",
            SampleOfAreasWarning,
            skip_file_prefixes=_PACKAGE,  # at the caller's line
        )
