"""Journal tables in Markdown."""

import re
from typing import Final

from socgrad.tables.journal import JournalTable, check_journal_table

__all__ = ["to_markdown"]

#: What Markdown (GitHub's, Pandoc's or Quarto's) could take for markup inside a cell.
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|~$^&@!])")


def to_markdown(table: JournalTable) -> str:
    r"""Lay out a journal table in Markdown: a pipe table, its caption above and notes below.

    Parameters
    ----------
    table
        From `socgrad.tables.journal_table` or `socgrad.tables.journal_rates`.

    Returns
    -------
    str
        Lines that end in a newline. What could be taken for markup is escaped by a backslash;
        columns are padded, so that the source reads as a table too.

    Examples
    --------
    >>> from socgrad.estimands.gradients import gradient
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.tables.journal import journal_table
    >>> from socgrad.tables.markdown import to_markdown
    >>> from socgrad.tables.summaries import summarise
    >>> table = journal_table(summarise(gradient(example_fit())), caption="Gradients")
    >>> print("\n".join(to_markdown(table).splitlines()[:5]))
    **Gradients**
    <BLANKLINE>
    | Quantity | Estimate (95% interval) | Pr(\>1) |
    |:---------|------------------------:|--------:|
    | Gradient |     1.73 (1.64 to 1.84) |  \>0.99 |
    """
    check_journal_table(table)
    lines = [[_escaped(cell) for cell in row] for row in (table.header, *table.rows)]
    widths = [max(3, *(len(row[k]) for row in lines)) for k in range(len(table.header))]

    def line(cells: list[str]) -> str:
        padded = [
            cell.ljust(width) if k < table.words else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rules = [
        f":{'-' * (width + 1)}" if k < table.words else f"{'-' * (width + 1)}:"
        for k, width in enumerate(widths)
    ]
    parts = [f"**{_escaped(table.caption)}**", ""] if table.caption else []
    parts += [line(lines[0]), f"|{'|'.join(rules)}|", *(line(row) for row in lines[1:])]
    for note in table.notes:
        parts += ["", _escaped(note)]
    return "\n".join(parts) + "\n"


def _escaped(text: str) -> str:
    """Escape what is markup, and keep a cell on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
