"""Reasons that ledgers of returns and reports of tables give, as they name them."""

from typing import Final

__all__ = ["DECLARED", "NOT_PLACED", "REASONS"]

#: Of rows of a table's report whose counts are read as the caller said that they were coarsened.
DECLARED: Final = "as coarsening declares"

#: From the furthest from being counted to the nearest. A child's reason is that of its nearest.
REASONS: Final = (
    "no such record",
    "a date that cannot be read",
    "the same record again",
    "without a date",
    "before the year",
    "not open on 31 March",
    "after the year",
    "ends before it begins",
    "not what the rule counts",
    "absent from the later return",
    "child not in the residence table",
    "no area on that day",
    "two areas on that day",
    "outside the areas",
    "the child counts once",
    "counted",
)

#: Of these, the ones of records that happened in the year, and that no area of the table has.
NOT_PLACED: Final = frozenset(
    {
        "child not in the residence table",
        "no area on that day",
        "two areas on that day",
        "outside the areas",
    }
)
