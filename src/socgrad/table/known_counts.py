"""Which counts are known, and how: neighbourhood by neighbourhood, as authority totals, or not.

A count that is not known is never zero. It is refused, or, when the caller says so, left out of the
likelihood; the area stays in every mean and the report says why. Leaving out assumes that being
unknown has nothing to do with the count. Suppressed counts (1-5) are not so: a warning says it. A
count of which something is known, because its mark or rounding was declared, stays in.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.coarsening.columns import PublishedCounts
from socgrad.coarsening.kernels import CoarsenedCounts
from socgrad.coarsening.rounding import Exact, MidpointRounded, Rounded
from socgrad.door.table_checks import name_some, refuse
from socgrad.errors import SuppressionWarning, TableError
from socgrad.reported_reasons import DECLARED

__all__ = ["KnownCounts", "known_counts"]

_PACKAGE = (str(Path(__file__).parents[1]),)


@dataclass(frozen=True, eq=False, kw_only=True)
class KnownCounts:
    """What enters the likelihood, and the report of what does not.

    Parameters
    ----------
    counted
        Areas whose own count is known exactly and has an exposure.
    total_events
        Total of each authority whose total is known exactly; NaN for the others.
    report
        Rows and authorities at each step, with the reason.
    """

    counted: BoolArray
    total_events: FloatArray
    report: pd.DataFrame


def known_counts(
    events: PublishedCounts,
    totals: PublishedCounts,
    *,
    suppressed_events: BoolArray,
    suppressed_totals: BoolArray,
    marks: Sequence[str],
    others: Exact | Rounded | MidpointRounded,
    exposure: FloatArray,
    area: pd.Index[Any],
    authority: pd.Index[Any],
    authority_of_area: IntArray,
    leave_out_missing: bool,
    leave_out_zero_exposure: bool,
    events_name: str | None,
    exposure_name: str,
) -> KnownCounts:
    """Sort areas into counted, part of an authority total, and left out.

    Parameters
    ----------
    events
        What is known of each area's count.
    totals
        What is known of each authority's count.
    suppressed_events, suppressed_totals
        Which counts of areas, and of authorities, have a mark of suppression without a meaning.
    marks
        What stands in the column of events without a number or a meaning, for the messages.
    others
        How the numbers beside these were made, as far as that was said.
    exposure
        Exposure of each area.
    area, authority
        Labels, for the messages.
    authority_of_area
        Position of each area's authority.
    leave_out_missing, leave_out_zero_exposure
        Leave such areas out of the likelihood, rather than refuse the table.
    events_name, exposure_name
        The caller's columns, for the messages; no events column if the table holds totals only.
    """
    size = len(authority)
    own, whole = events.counts, totals.counts
    with_total = ~np.isnan(whole.low)
    known = ~np.isnan(own.low)
    idle = exposure == 0
    where = f"Column {exposure_name!r} (exposure)"

    _refuse_twice(
        own,
        whole,
        idle,
        authority=authority,
        authority_of_area=authority_of_area,
        events_name=events_name,
    )
    refuse(
        idle & (own.low > 0),
        area,
        f"{where} is 0 in areas with events",
        "Events need an exposure to come from: check the join of counts and exposure, by label.",
    )
    exposed = np.bincount(authority_of_area, weights=exposure, minlength=size) > 0
    refuse(
        ~exposed & (whole.low > 0),
        authority,
        f"{where} is 0 in authorities with a total",
        "Events need an exposure to come from: check the join of the exposure, by label.",
    )
    if not leave_out_zero_exposure:
        refuse(
            idle,
            area,
            f"{where} is 0 in areas",
            "Such an area says nothing about rates. If these zeros are right, pass "
            'zero_exposure="leave out": the areas leave the likelihood, stay in the means and are '
            "reported.",
        )
    totalled = with_total & exposed
    absent = ~known & ~idle & ~totalled[authority_of_area]
    if not leave_out_missing:
        _refuse_missing(
            absent,
            area,
            authority,
            authority_of_area,
            events_name=events_name,
            marks=marks,
            others=others,
        )

    within = known & ~idle
    telling = within & own.is_informative
    if not telling.any() and not totalled.any():
        raise TableError(
            "No count is known: every area's count is missing and no authority has a total. "
            "Check the column of events, and the labels of totals."
        )
    if own.high[within].sum() + whole.high[totalled].sum() == 0:
        raise TableError(
            f"All counts are zero, in {int(within.sum()):,} areas and {int(totalled.sum()):,} "
            "authority totals. Nothing can be estimated without an event: check the column of "
            "events, or widen the period or the definition."
        )
    left_out_authority = np.bincount(authority_of_area, weights=absent, minlength=size) > 0
    _warn_of_suppression(absent & suppressed_events, area, where=f"Column {events_name!r} (events)")
    _warn_of_suppression(left_out_authority & suppressed_totals, authority, where="totals")
    kinds = {words: rows & ~idle for words, rows in events.kinds.items()}
    for words, theirs in totals.kinds.items():
        kinds[f"totals {words}"] = (theirs & exposed)[authority_of_area] & ~idle
    report = _report(
        marked=suppressed_events | suppressed_totals[authority_of_area],
        counted=within & own.is_exact,
        interval=within & own.is_interval,
        telling=telling,
        totalled=totalled,
        absent=absent,
        idle=idle,
        kinds=kinds,
        authority=authority,
        authority_of_area=authority_of_area,
    )
    return KnownCounts(
        counted=within & own.is_exact,
        total_events=np.where(totalled, whole.exact, np.nan),
        report=report,
    )


def _refuse_twice(
    own: CoarsenedCounts,
    whole: CoarsenedCounts,
    idle: BoolArray,
    *,
    authority: pd.Index[Any],
    authority_of_area: IntArray,
    events_name: str | None,
) -> None:
    """Refuse a total beside counts of its areas, unless it adds something to what is known of them.

    It does where some of them are within bounds, and nothing is missing: then they have to add up.
    """
    size = len(authority)

    def some(rows: BoolArray) -> BoolArray:
        return np.bincount(authority_of_area, weights=rows, minlength=size) > 0

    def added(bound: FloatArray) -> FloatArray:
        return np.bincount(authority_of_area, weights=np.where(idle, 0, bound), minlength=size)

    telling, known = whole.is_informative, some(~np.isnan(own.low))
    missing = some(np.isnan(own.low) & ~idle)
    twice = telling & known & (missing | ~some(own.is_interval & ~idle))
    refuse(
        twice,
        authority,
        f"Authorities in totals also have counts in column {events_name!r} (events)",
        "Their events would count twice. Give an authority its total or its areas' counts: take it "
        "out of totals, or set all its areas' counts to missing. A total beside areas whose counts "
        "are suppressed or rounded is used if coarsening says what is known of each of them: "
        'where nothing is, as coarsening=socgrad.coarsening.Suppressed({"c": (1, 5), "": None}).',
    )
    both = telling & known
    refuse(
        both & ((added(own.low) > whole.high) | (added(own.high) < whole.low)),
        authority,
        f"totals contradict column {events_name!r} (events) in authorities",
        "Their areas' counts cannot add up to the total, whatever is hidden: check that both are "
        "of one period and one definition, and what coarsening and totals_coarsening declare.",
    )


def _refuse_missing(
    absent: BoolArray,
    area: pd.Index[Any],
    authority: pd.Index[Any],
    authority_of_area: IntArray,
    *,
    events_name: str | None,
    marks: Sequence[str],
    others: Exact | Rounded | MidpointRounded,
) -> None:
    declared = ", ".join(f"{mark!r}: (1, 5)" for mark in list(marks)[:3]) or "'': (1, 5)"
    rounded = "" if others == Exact() else f", others=socgrad.coarsening.{others!r}"
    remedy = (
        "A missing count (or c, x, z, : and blanks) is not zero. If these are zero, write 0 in the "
        "source. If they hide small counts, say which, such as "
        f"coarsening=socgrad.coarsening.Suppressed({{{declared}}}{rounded}): they stay in the "
        "likelihood. If their authority's total is known, pass it in totals=, with all its areas' "
        'counts missing. Else missing_events="leave out" takes them out of the likelihood, which '
        "assumes that being unknown has nothing to do with the count. Suppressed (1-5) counts are "
        "not so: leaving them out biases rates and gradients."
    )
    if events_name is None:
        without = np.bincount(authority_of_area, weights=absent, minlength=len(authority)) > 0
        remedy = f"Their codes may have changed in a reorganisation. {remedy}"
        refuse(without, authority, "Authorities without a total in totals", remedy, limit=50)
    else:
        refuse(absent, area, f"Column {events_name!r} (events) has missing counts", remedy)


def _warn_of_suppression(hidden: BoolArray, keys: pd.Index[Any], *, where: str) -> None:
    if not hidden.any():
        return
    number = int(hidden.sum())
    argument = "totals_coarsening" if where == "totals" else "coarsening"
    warnings.warn(
        f"{where} has {number:,} suppressed count{'s' if number > 1 else ''} of {len(hidden):,} "
        f"({name_some(keys[hidden])}) that {'are' if number > 1 else 'is'} left out of the "
        "likelihood. That assumes that being unknown has nothing to do with the count, but these "
        "are hidden for being small: in a simulated England, leaving out areas with 1-5 events "
        "moved the contextual ratio of plans from 0.725 to 0.942. Say which counts each mark "
        f'hides, such as {argument}=socgrad.coarsening.Suppressed({{"c": (1, 5)}}), and they '
        "stay in.",
        SuppressionWarning,
        skip_file_prefixes=_PACKAGE,  # at the caller's line
    )


def _report(
    *,
    marked: BoolArray,
    counted: BoolArray,
    interval: BoolArray,
    telling: BoolArray,
    totalled: BoolArray,
    absent: BoolArray,
    idle: BoolArray,
    kinds: Mapping[str, BoolArray],
    authority: pd.Index[Any],
    authority_of_area: IntArray,
) -> pd.DataFrame:
    every = np.ones(len(counted), dtype=bool)
    likely = counted | telling | totalled[authority_of_area] & ~idle
    dark = np.bincount(authority_of_area, weights=likely, minlength=len(authority)) == 0
    unseen = name_some(authority[dark], limit=len(authority))
    declared = [(words, rows, DECLARED) for words, rows in kinds.items()]
    if kinds:
        declared.insert(0, ("counts within bounds", interval, "the count is one of several"))
    steps = [
        ("rows in", every, "the table as given"),
        ("kept for the means", every, "means are over all areas"),
        ("marked as suppressed", marked, "c, *, low and the like, in events or totals"),
        ("neighbourhood counts", counted, "the area's own count is known"),
        (
            "in authority totals",
            likely & ~counted & ~interval,
            "only the authority's total is known",
        ),
        *declared,
        ("left out: no count", absent, 'count missing, missing_events="leave out"'),
        (
            "of these, suppressed",
            absent & marked,
            "small counts, not missing at random: biased" if (absent & marked).any() else "none",
        ),
        ("left out: no exposure", idle, 'exposure is zero, zero_exposure="leave out"'),
        (
            "authorities without data",
            dark[authority_of_area],
            f"their effects follow the prior: {unseen}" if dark.any() else "none",
        ),
    ]
    return pd.DataFrame(
        {
            "step": [step for step, _, _ in steps],
            "rows": [int(rows.sum()) for _, rows, _ in steps],
            "authorities": [len(np.unique(authority_of_area[rows])) for _, rows, _ in steps],
            "reason": [reason for _, _, reason in steps],
        }
    )
