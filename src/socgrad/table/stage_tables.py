"""Stages: several columns of counts in one table of areas, each with its own exposure."""

from __future__ import annotations  # pandas' own classes are not generic at run time

import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from socgrad.coarsening.columns import Coarsening, unknown_cell
from socgrad.coarsening.rounding import Exact
from socgrad.door.table_checks import name_some
from socgrad.errors import StageOrderWarning, TableError
from socgrad.table.areas import Areas
from socgrad.table.count_columns import bounds_roles, least_counts

__all__ = [
    "PREVIOUS_STAGE",
    "exposure_columns",
    "refuse_coarsened_exposure",
    "refuse_strangers",
    "refuse_total_stratum",
    "stage_columns",
    "warn_of_exceeding",
    "without_unmatched",
]

#: As `exposure`: each stage's exposure is the events of the stage before.
PREVIOUS_STAGE: Final = "previous stage"
_PACKAGE: Final = (str(Path(__file__).parents[1]),)
#: Fewer events than this may add up to those of another stratum by chance.
_MANY_EVENTS: Final = 100


def stage_columns(
    stages: Sequence[str] | Mapping[str, str | None], totals: Mapping[str, object]
) -> dict[str, str | None]:
    """Column of events of each stage, in the caller's order; None where totals alone are given."""
    if isinstance(stages, str) or not isinstance(stages, Sequence | Mapping):
        raise TableError(
            f"stages is {stages!r}. Expected the columns of events in order, such as "
            '["referral", "plan"], or a mapping from label to column.'
        )
    given = stages.values() if isinstance(stages, Mapping) else stages
    unnamed = [name for name in given if not (isinstance(name, str) or name is None)]
    if unnamed or (None in given and not isinstance(stages, Mapping)):
        raise TableError(
            f"stages names {name_some(unnamed or [None])}, which is no text. Expected names of "
            "columns of events."
        )
    named: dict[str, str | None] = {name: name for name in stages}
    if isinstance(stages, Mapping):
        named = dict(stages)
    if len(named) < len(stages):
        raise TableError(f"stages names a column twice: {list(stages)}. Expected each stage once.")
    used = [column for column in named.values() if column is not None]
    if len(set(used)) < len(used):
        twice = next(column for column in used if used.count(column) > 1)
        raise TableError(
            f"Column {twice!r} is named for two stages. Expected a column of events for each."
        )
    refuse_strangers("totals", totals, named)
    bare = [label for label, column in named.items() if column is None and label not in totals]
    if bare:
        raise TableError(
            f"{len(bare)} of {len(named)} stages have neither a column nor totals "
            f"({name_some(bare)}). Name a column of events, or pass the stage's authority totals "
            "in totals={stage: {authority: count}}."
        )
    return named


def exposure_columns(
    stages: Mapping[str, str | None],
    exposure: str | Mapping[str, str] | None,
    *,
    children: str,
    totals: Mapping[str, object],
) -> dict[str, str]:
    """Column of exposure of each stage."""
    if exposure is None:
        return dict.fromkeys(stages, children)
    if isinstance(exposure, Mapping):
        refuse_strangers("exposure", exposure, stages)
        return {label: exposure.get(label, children) for label in stages}
    if not isinstance(exposure, str):
        raise TableError(
            f"exposure is a {type(exposure).__name__}. Expected the name of a column, a mapping "
            f'from stage to column, or "{PREVIOUS_STAGE}".'
        )
    if exposure != PREVIOUS_STAGE:
        return dict.fromkeys(stages, exposure)
    without = [label for label in stages if stages[label] is None or label in totals]
    if without:
        raise TableError(
            f'exposure="{PREVIOUS_STAGE}" needs the count of every area, and {len(without)} of '
            f"{len(stages)} stages are given as totals ({name_some(without)}): how their events "
            "spread over the areas is not known. Model the stages on one exposure instead."
        )
    columns = [str(column) for column in stages.values()]
    return dict(zip(stages, [children, *columns[:-1]], strict=True))


def warn_of_exceeding(tables: Mapping[Any, Areas]) -> None:
    """Warn once of all stages with more events than the stage before them, in an area or a total.

    Episodes may do so with good reason: a plan may start in the year after its assessment.
    """
    labels, found = list(tables), []
    for before, after in pairwise(labels):
        first, second = tables[before], tables[after]
        # Bounds exceed others where even the lowest count is above the highest.
        (_, most), (least, _) = first.event_bounds, second.event_bounds
        (_, most_of_all), (least_of_all, _) = first.total_bounds, second.total_bounds
        for where, keys, more in (
            ("areas", first.area, least - most),
            ("authority totals", first.authority, least_of_all - most_of_all),
        ):
            over = more > 0
            if over.any():
                found.append(
                    f"{after} exceeds {before} in {int(over.sum()):,} of {len(over):,} {where} "
                    f"({name_some(keys[over])}), by {np.nansum(more[over]):,.0f} events in all"
                )
    if found:
        warnings.warn(
            f"Stages that exceed the stage before them: {'; '.join(found)}. Episodes may do so "
            "(a plan in the year after its assessment); the same children cannot. Check the order "
            "of the stages, the period and the unit of each count. If they are not stages of one "
            "another, say nested=False.",
            StageOrderWarning,
            skip_file_prefixes=_PACKAGE,
        )


def without_unmatched(
    table: pd.DataFrame,
    columns: Mapping[str, str | None],
    exposures: Mapping[str, str],
    rules: Mapping[str, Coarsening | None],
) -> dict[str, pd.DataFrame]:
    """Tables in which events without an exposure to come from are not known, by stage.

    Only the stage's own events are changed: as the exposure of the next stage they stay.
    """
    changed, found = {}, []
    for label, events in columns.items():
        rule = rules[label]
        cells = [events, *bounds_roles(rule).values()]
        named = [name for name in cells if name is not None]
        if not named or not {*named, exposures[label]} <= set(table.columns):
            continue
        count = least_counts(table, events, rule)
        base = pd.to_numeric(table[exposures[label]], errors="coerce").to_numpy()
        unmatched = (base == 0) & (count > 0)
        if unmatched.any():
            cell = unknown_cell(rule)
            own = {name: table[name].astype(object).mask(unmatched, cell) for name in named}
            changed[label] = table.assign(**own)
            found.append(
                f"{label}: {count[unmatched].sum():,.0f} of {np.nansum(count):,.0f} in "
                f"{int(unmatched.sum()):,} of {len(table):,} areas"
            )
    if found:
        warnings.warn(
            f"Events in areas whose exposure is 0 are left out ({'; '.join(found)}). They are "
            "part of no rate: the rates of these stages are that much too low, most so where the "
            "exposure is small. Where they are many, model the stages on children, or count the "
            "later stages among the children of the earlier ones.",
            StageOrderWarning,
            skip_file_prefixes=_PACKAGE,
        )
    return changed


def refuse_coarsened_exposure(
    columns: Mapping[str, str | None],
    exposures: Mapping[str, str],
    rules: Mapping[str, Coarsening | None],
) -> None:
    """Refuse exposures that are another stage's events, and known within bounds only."""
    inexact = {
        column: label
        for label, column in columns.items()
        if not (rules[label] is None or rules[label] == Exact())
    }
    wrong = [label for label in columns if exposures[label] in inexact]
    if wrong:
        names = [f"{label} on {inexact[exposures[label]]}" for label in wrong]
        raise TableError(
            f"{len(wrong)} of {len(columns)} stages have an exposure that is suppressed or rounded "
            f"({name_some(names)}). Expected exposures that are known: model the stages on "
            "children, exposure=None, and take a decision's gradient as the ratio of two, "
            "compare_gradients."
        )


def refuse_total_stratum(tables: Mapping[Any, Areas]) -> None:
    """Refuse a group that holds, in every area, the events of all other groups together.

    Areas and authorities with a count that is known within bounds do not tell.
    """
    vague = np.any(
        [np.concatenate([one.within_bounds, one.totals_within_bounds]) for one in tables.values()],
        axis=0,
    )
    events = {
        label: np.where(vague, 0, np.nan_to_num(np.concatenate([one.events, one.total_events])))
        for label, one in tables.items()
    }
    every = sum(events.values(), start=np.zeros(()))
    for label, own in events.items():
        if own.sum() >= _MANY_EVENTS and np.array_equal(own, every - own):
            raise TableError(
                f"Stratum {label!r} looks like a total: in each of {np.count_nonzero(own):,} areas "
                "and authorities with events it has as many as all other strata together. A total "
                "counts everything twice: leave it out, or model it by itself."
            )


def refuse_strangers(
    argument: str, given: Mapping[Any, object], strata: Mapping[Any, object]
) -> None:
    """Refuse labels that are no stratum's."""
    strangers = [label for label in given if label not in strata]
    if strangers:
        raise TableError(
            f"{argument} names {len(strangers)} strata that there are not "
            f"({name_some(strangers)}). The strata are {name_some(list(strata), limit=20)}."
        )
