"""Counts by area and stage, with the zeros, and a ledger that says what became of each child."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from socgrad.arrays import IntArray
from socgrad.errors import TableError
from socgrad.reported_reasons import REASONS
from socgrad.returns.breakdowns import Breakdown, Breakdowns, check_dims, filled, strata_of
from socgrad.returns.codes import AGE_BANDS, check_bands
from socgrad.returns.dates import as_days, check_year
from socgrad.returns.entries import entries_of, months_by_stretch
from socgrad.returns.identifiers import Identifiers
from socgrad.returns.ledger import COUNTED, child_reasons, ledger_rows
from socgrad.returns.placing import (
    check_areas,
    first_of_each_child,
    placed,
    places_of,
    warn_of_outside,
)
from socgrad.returns.records import Records
from socgrad.returns.residence import Residence
from socgrad.returns.rules import check_stages

__all__ = ["Counts", "count"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Counts:
    """Counts by area, ready for `Areas.from_frame`, and their ledger. `count` makes one.

    What it prints has no child in it.

    Parameters
    ----------
    frame
        The table of areas with a column for each stage: whole numbers, zero where nothing happened;
        child-months with fractions. With a breakdown, one row for each area and stratum.
    ledger
        For each stage, what became of every record and every child of the return: columns stage,
        reason, amount, unit, children. Amounts add up to all records of the kind (or all
        child-months), children to all children of the return.
    stages
        Columns of counts.
    year
        By the 31 March on which it ends.
    """

    frame: pd.DataFrame
    ledger: pd.DataFrame
    stages: tuple[str, ...]
    year: int
    _identifiers: Identifiers
    _reasons: dict[str, IntArray]

    def __repr__(self) -> str:
        counted = self.ledger[self.ledger["reason"] == "counted"].set_index("stage")["amount"]
        parts = ", ".join(f"{stage} {counted[stage]:,.0f}" for stage in self.stages)
        return f"Counts(year to March {self.year}, {len(self.frame):,} rows: {parts})"

    def __str__(self) -> str:
        return f"{self!r}\n{self.ledger.to_string(index=False, float_format='{:,.1f}'.format)}"

    def children_with(self, reason: str, *, stage: str) -> pd.Index[Any]:
        """Identifiers of the children whom the ledger has under a reason, to put records right.

        This alone shows identifiers: keep what it returns where the return is kept.

        Parameters
        ----------
        reason
            As in the ledger's column of that name.
        stage
            One of the stages counted.

        Returns
        -------
        pandas.Index
            Identifiers, as text.
        """
        if stage not in self.stages or reason not in REASONS:
            raise TableError(
                f"The ledger has no {reason!r} of {stage!r}. Its stages are "
                f"{', '.join(self.stages)}, its reasons {', '.join(REASONS)}."
            )
        named: pd.Index[Any] = self._identifiers.text[self._reasons[stage] == REASONS.index(reason)]
        return named


def count(
    records: Records,
    residence: Residence,
    places: object,
    *,
    area: str,
    year: int,
    stages: Sequence[str],
    by: Breakdown | Sequence[Breakdown] | None = None,
    age_bands: Sequence[int] = AGE_BANDS,
    age_at: Literal["event", "31 March"] = "event",
    category: Literal["initial", "latest"] = "initial",
    each: Literal["record", "child"] = "record",
    left_censored: Literal["refuse", "count"] = "refuse",
) -> Counts:
    """Count records of a year by area, one column for each stage.

    Parameters
    ----------
    records
        From `read_cin_census`, `read_ssda903` or `read_safeguarding`.
    residence
        Where children lived when.
    places
        The table of areas, one row each, with whatever columns the model needs (authority,
        deprivation, children); or the frame of another `Counts` (without breakdown), to add
        stages to it. Areas without events are zeros; what happened elsewhere is in the ledger,
        outside the areas.
    area
        Column of areas in `places`.
    year
        By the 31 March on which it ends: 2023 is 1 April 2022 to 31 March 2023.
    stages
        What to count: see `counting_rules`.
    by
        Break counts down by age, ethnicity (five groups), need (of the referral) or category (of
        child protection plans), or by several: one row for each area and stratum that occurs.
    age_bands
        Ages at which a band begins, after the unborn.
    age_at
        Age on the day of the event (of months, on each day), or on 31 March at the year's end.
    category
        Category of abuse when a plan began, or the latest.
    each
        Count records (a child with two referrals counts twice), or children (its first record of
        the year that can be placed). Child-months are the same for both.
    left_censored
        Refuse a stage that needs the year before, where the records do not have it, or count it,
        too low.

    Returns
    -------
    Counts
        The frame, and the ledger.

    Raises
    ------
    TableError
        If the records do not cover the year or the stages; if no child has a row in `residence`,
        or identifiers differ by leading zeros or case; if areas repeat, or no child lives in any.

    Warns
    -----
    SocgradWarning
        If more than a tenth of what has an area lies outside the areas of `places`: they may be of
        another census, or the children placed elsewhere.

    Notes
    -----
    Area and age are those of the event's day: of a referral, the day of referral; of a plan that
    starts, the day it starts; of what is open on 31 March, that day. Child-months are divided where
    the child moves. Unborn children have ages before birth as a band of their own, by the expected
    date of birth until there is another. People of 18 and over count, as in the department's
    figures, though rates are per child aged 0 to 17.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> import socgrad as sg
    >>> with TemporaryDirectory() as folder:
    ...     made = sg.returns.example_returns(folder, children=200, random_seed=1)
    ...     records = sg.returns.read_cin_census([made.census[2022], made.census[2023]])
    ...     addresses = pd.read_csv(made.residence, dtype=str)
    ...     places = pd.read_csv(made.places)
    >>> residence = sg.returns.Residence.from_frame(
    ...     addresses, child="child", area="lsoa", start="from", end="to"
    ... )
    >>> counts = sg.returns.count(
    ...     records, residence, places, area="lsoa", year=2023, stages=["referral", "rereferral"]
    ... )
    >>> counts.frame["referral"].sum() == made.known.loc["referral", "counted"]
    np.True_
    """
    year = check_year(year)
    _check_options(age_at=age_at, category=category, each=each, left_censored=left_censored)
    records.check_covers(year)
    rules = check_stages(stages, records, year, left_censored)
    split = Breakdowns(
        dims=check_dims(by, rules),
        bands=check_bands(age_bands),
        age_at=age_at,
        category=category,
    )
    table, known = places_of(places, area, [*rules, *split.dims])
    where = residence.stretches(records.identifiers, known)
    check_areas(where, len(known))
    birth = as_days(records.children["birth"])
    found: dict[str, pd.DataFrame] = {}
    reasons: dict[str, IntArray] = {}
    ledger: list[pd.DataFrame] = []
    for stage, rule in rules.items():
        entries = entries_of(records, rule, year)
        if rule.dated == "months":
            entries = months_by_stretch(entries, where, birth, split.bands, year)
        entries = placed(entries, where, len(known))
        if rule.dated == "open" or (each == "child" and rule.dated != "months"):
            entries = first_of_each_child(entries)
        reasons[stage] = child_reasons(
            entries["child"].to_numpy(), entries["reason"].to_numpy(), len(records.identifiers)
        )
        unit = "children" if each == "child" and rule.dated != "months" else rule.unit
        ledger.append(
            ledger_rows(
                stage, unit, entries["reason"].to_numpy(), entries["amount"], reasons[stage]
            )
        )
        counted = entries[entries["reason"] == COUNTED]
        strata = strata_of(counted, split, records, birth, year)
        found[stage] = pd.concat([counted[["area", "amount"]], strata], axis=1)
    whole = pd.concat(ledger, ignore_index=True)
    warn_of_outside(whole)
    return Counts(
        frame=filled(table, found, split.dims, rules),
        ledger=whole,
        stages=tuple(rules),
        year=year,
        _identifiers=records.identifiers,
        _reasons=reasons,
    )


def _check_options(**given: str) -> None:
    allowed = {
        "age_at": ("event", "31 March"),
        "category": ("initial", "latest"),
        "each": ("record", "child"),
        "left_censored": ("refuse", "count"),
    }
    for name, value in given.items():
        if value not in allowed[name]:
            raise TableError(
                f"{name}={value!r} is unknown. Expected {' or '.join(map(repr, allowed[name]))}."
            )
