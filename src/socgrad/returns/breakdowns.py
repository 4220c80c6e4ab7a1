"""Counts broken down: the stratum of each entry, and the table with its zeros for each stratum."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from socgrad.errors import TableError
from socgrad.returns.codes import banded, grouped
from socgrad.returns.dates import DayArray, ages, as_days, financial_year
from socgrad.returns.records import Records
from socgrad.returns.rules import Rule

__all__ = ["Breakdown", "Breakdowns", "check_dims", "filled", "strata_of"]

type Breakdown = Literal["age", "ethnicity", "need", "category"]

_DIMS: Final = ("age", "ethnicity", "need", "category")


@dataclass(frozen=True, kw_only=True)
class Breakdowns:
    """What counts are broken down by, and how.

    Parameters
    ----------
    dims
        Of age, ethnicity, need, category; none for counts by area alone.
    bands
        Ages at which a band begins.
    age_at, category
        Which age, and which category of abuse, as `count` has them.
    """

    dims: tuple[str, ...]
    bands: tuple[int, ...]
    age_at: str
    category: str


def check_dims(by: object, rules: Mapping[str, Rule]) -> tuple[str, ...]:
    """The breakdowns asked for, or a refusal of those that the stages do not have."""
    dims = (by,) if isinstance(by, str) else tuple(by) if isinstance(by, Sequence) else ()
    if (by is not None and not dims) or len(set(dims)) < len(dims) or not {*dims} <= {*_DIMS}:
        raise TableError(f"by={by!r} is unknown. Expected some of {', '.join(_DIMS)}, each once.")
    others = [stage for stage, rule in rules.items() if rule.kind != "child_protection_plan"]
    if "category" in dims and others:
        raise TableError(
            f'by="category" has no meaning for {", ".join(others)}: only child protection plans '
            "have a category of abuse. Count plans by category in a call of their own."
        )
    return dims


def strata_of(
    counted: pd.DataFrame, by: Breakdowns, records: Records, birth: DayArray, year: int
) -> pd.DataFrame:
    """The stratum of each entry, a column for each breakdown."""
    child = counted["child"].to_numpy()
    made: dict[str, Any] = {}
    for dim in by.dims:
        if dim == "age":
            on = as_days(counted["on"])
            if by.age_at == "31 March":
                on = np.full(len(on), financial_year(year)[1])
            made[dim] = banded(ages(birth[child], on), by.bands)
        elif dim == "ethnicity":
            made[dim] = grouped(dim, records.children["ethnicity"].iloc[child]).array
        else:
            latest = dim == "category" and by.category == "latest"
            made[dim] = grouped(dim, counted["latest_category" if latest else dim]).array
    return pd.DataFrame(made, index=counted.index)


def filled(
    table: pd.DataFrame,
    found: Mapping[str, pd.DataFrame],
    dims: tuple[str, ...],
    rules: Mapping[str, Rule],
) -> pd.DataFrame:
    """The table of areas with its counts, zeros included, for every stratum that occurs.

    Parameters
    ----------
    table
        One row per area.
    found
        Entries that are counted, by stage: columns area (its position), amount, and the strata's.
    dims
        Columns of strata.
    rules
        By stage.
    """
    size = len(table)
    strata = pd.DataFrame(index=[0])
    of = {stage: np.zeros(len(each), dtype=np.int64) for stage, each in found.items()}
    if dims:
        every = pd.concat([each[list(dims)] for each in found.values()], ignore_index=True)
        if every.empty:
            raise TableError(
                f"Nothing was counted, so that there are no strata by {', '.join(dims)}. Count "
                "without by= first: its ledger says what became of the records."
            )
        groups = every.groupby(list(dims), observed=True, sort=True)
        strata = groups.size().reset_index()[list(dims)]
        splits = np.cumsum([len(each) for each in found.values()])[:-1]
        of = dict(zip(found, np.split(groups.ngroup().to_numpy(), splits), strict=True))
    long = table.loc[table.index.repeat(len(strata))].reset_index(drop=True)
    for dim in dims:
        long[dim] = pd.concat([strata[dim]] * size, ignore_index=True)
    for stage, each in found.items():
        cell = each["area"].to_numpy() * len(strata) + of[stage]
        sums = np.bincount(cell, weights=each["amount"], minlength=size * len(strata))
        long[stage] = sums if rules[stage].dated == "months" else sums.astype(np.int64)
    return long
