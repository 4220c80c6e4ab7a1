"""Tables for people: rates side by side, tables for a journal, and their files.

`socgrad.summarise` makes the summary that these functions lay out.
"""

from socgrad.reading.labels import label_draws
from socgrad.tables.comma_separated import to_csv
from socgrad.tables.html import to_great_table, to_html
from socgrad.tables.journal import journal_table
from socgrad.tables.latex import to_latex
from socgrad.tables.markdown import to_markdown
from socgrad.tables.rate_tables import journal_rates, rate_table

__all__ = [
    "journal_rates",
    "journal_table",
    "label_draws",
    "rate_table",
    "to_csv",
    "to_great_table",
    "to_html",
    "to_latex",
    "to_markdown",
]


def __dir__() -> list[str]:
    """Public names alone."""
    return __all__
