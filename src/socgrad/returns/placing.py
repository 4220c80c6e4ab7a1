"""The areas that counts are asked for, and in which of them each entry lies, or why in none."""

from __future__ import annotations  # pandas' own classes are not generic at run time

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from socgrad.door.label_checks import coded_labels, labels
from socgrad.door.table_checks import as_pandas, column, name_some
from socgrad.errors import SocgradWarning, TableError
from socgrad.returns.dates import as_days
from socgrad.returns.ledger import COUNTED, reason
from socgrad.returns.stretches import AMBIGUOUS, NO_AREA, NO_CHILD, Stretches

__all__ = ["check_areas", "first_of_each_child", "placed", "places_of", "warn_of_outside"]

_PACKAGE: Final = (str(Path(__file__).parents[1]),)
#: Share of located records outside the areas above which the areas are doubted.
_MANY_OUTSIDE: Final = 0.1


def places_of(
    places: object, area: str, names: Sequence[str]
) -> tuple[pd.DataFrame, pd.Index[Any]]:
    """The table of areas, and their labels."""
    table = as_pandas(places).reset_index(drop=True)
    where = f"Column {area!r} (area)"
    known = labels(column(table, area, role="area"), where=where)
    coded_labels(column(table, area, role="area"), where=where)
    twice = known[known.duplicated()].unique()
    if len(twice):
        raise TableError(
            f"{where} of places has {len(twice):,} areas in several rows ({name_some(twice)}). "
            "Expected one row per area; break counts down with by=, and join the children of each "
            "stratum to the frame afterwards."
        )
    taken = [name for name in names if name in table.columns]
    if taken:
        raise TableError(
            f"places already has columns {', '.join(taken)}, which would hold counts. Drop or "
            "rename them."
        )
    return table, known


def placed(entries: pd.DataFrame, where: Stretches, areas: int) -> pd.DataFrame:
    """Give what is counted so far its area, or the reason why it has none."""
    lived = where.at(entries["child"].to_numpy(), as_days(entries["on"]))
    why = np.select(
        [lived == NO_CHILD, lived == NO_AREA, lived == AMBIGUOUS, lived >= areas],
        [
            reason("child not in the residence table"),
            reason("no area on that day"),
            reason("two areas on that day"),
            reason("outside the areas"),
        ],
        COUNTED,
    )
    candidate = entries["reason"].to_numpy() == COUNTED
    return entries.assign(reason=np.where(candidate, why, entries["reason"]), area=lived)


def check_areas(where: Stretches, areas: int) -> None:
    """Refuse areas in which none of the children ever lived."""
    named = where.area >= 0
    if not (named & (where.area < areas)).any():
        raise TableError(
            f"None of {int(named.sum()):,} addresses of the records' children lies in one of the "
            f"{areas:,} areas of places: the two tables name areas differently. Expected codes of "
            "one census in both (LSOAs of 2011 and of 2021 are not the same), not names."
        )


def warn_of_outside(ledger: pd.DataFrame) -> None:
    """Warn where much of what has an area has it elsewhere."""
    amount = ledger[ledger["unit"] != "child-months"].groupby("reason")["amount"].sum()
    outside, counted = amount.get("outside the areas", 0.0), amount.get("counted", 0.0)
    if outside > _MANY_OUTSIDE * (outside + counted):
        warnings.warn(
            f"{outside:,.0f} of {outside + counted:,.0f} records with an area lie outside the "
            "areas of places, and are not counted. Children who live or are placed elsewhere do; "
            "so do all areas that two censuses (2011, 2021) draw differently.",
            SocgradWarning,
            skip_file_prefixes=_PACKAGE,
        )


def first_of_each_child(entries: pd.DataFrame) -> pd.DataFrame:
    """Count the first of a child's entries, the earliest begun of those of one day."""
    counted = entries[entries["reason"] == COUNTED].sort_values(["on", "begin"], kind="stable")
    again = counted.index[counted.duplicated("child")]
    reasons = entries["reason"].copy()
    reasons.loc[again] = reason("the child counts once")
    return entries.assign(reason=reasons)
