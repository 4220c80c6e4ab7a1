"""Reasons for which records are counted or not, as ledgers of returns name them."""

from typing import Final

__all__ = ["NOT_PLACED", "REASONS"]

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
