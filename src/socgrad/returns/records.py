"""Records: what a return says of children, whichever return it came from.

One table for each kind of record, with the same columns, so that a counting rule does not know
whether it counts a census, an SSDA903 return or tables of the standard safeguarding dataset.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from socgrad.errors import TableError
from socgrad.returns.dates import financial_year
from socgrad.returns.identifiers import Identifiers

__all__ = ["KINDS", "Records"]

#: Kinds of record, and what one of them is.
KINDS: Mapping[str, str] = {
    "referral": "referrals",
    "assessment": "assessments",
    "child_in_need_plan": "child in need plans",
    "section_47": "section 47 enquiries",
    "conference": "initial child protection conferences",
    "child_protection_plan": "child protection plans",
    "looked_after": "periods of being looked after",
}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Records:
    """Children and what was recorded of them. `read_cin_census` and its neighbours make one.

    What it prints has no child in it. Its tables have: keep it where the return is kept.

    Parameters
    ----------
    source
        Name of the return.
    authority
        The department's three-digit number of the authority, if the return says it.
    start, end
        First and last day of which the records are complete.
    identifiers
        Identifiers of the children, whose text is hidden.
    children
        One row per child: birth (the expected one of an unborn child), ethnicity.
    tables
        One table for each kind of record: child (its position), begin, end, need, category,
        latest_category, no_further_action, not_in_need, previous (plans before this one), started
        (whether `begin` is a start), repeated (the same record is there again), unreadable (a date
        of it cannot be read), seen_until (the last day on which it is known to have been open).
    notes
        What was taken how, with the number of records: columns table, note, records.
    """

    source: str
    authority: str | None
    start: np.datetime64
    end: np.datetime64
    identifiers: Identifiers
    children: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    notes: pd.DataFrame

    def __repr__(self) -> str:
        rows = ", ".join(f"{len(table):,} {KINDS[kind]}" for kind, table in self.tables.items())
        return (
            f"Records({self.source}, {self.start} to {self.end}: "
            f"{len(self.identifiers):,} children; {rows})"
        )

    def __str__(self) -> str:
        lines = [f"{row.records:>9,}  {row.table}: {row.note}" for row in self.notes.itertuples()]
        return "\n".join([repr(self), *lines])

    def covers(self, year: int) -> bool:
        """Say whether the records are complete in the year that ends on 31 March of `year`."""
        first, last = financial_year(year)
        return bool(self.start <= first and last <= self.end)

    def check_covers(self, year: int) -> None:
        """Refuse a year of which the records are not complete."""
        if not self.covers(year):
            first, last = financial_year(year)
            raise TableError(
                f"The records ({self.source}) are complete from {self.start} to {self.end}, and "
                f"year={year} is {first} to {last}. A year is named by the 31 March on which it "
                "ends: count one that they cover, or read the return of that year as well."
            )
