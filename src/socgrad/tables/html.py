"""Journal tables in HTML, by great-tables."""

from typing import TYPE_CHECKING

import pandas as pd

from socgrad.errors import SocgradError
from socgrad.tables.journal import JournalTable, check_journal_table

if TYPE_CHECKING:
    from great_tables import GT

__all__ = ["to_great_table", "to_html"]


def to_great_table(table: JournalTable) -> "GT":
    """Lay out a journal table as one of great-tables, to be styled further or shown in a notebook.

    Parameters
    ----------
    table
        From `socgrad.tables.journal_table` or `socgrad.tables.journal_rates`.

    Returns
    -------
    great_tables.GT
        Caption as its title, notes below; words to the left and numbers to the right.

    Raises
    ------
    SocgradError
        If great-tables is not installed.

    Examples
    --------
    >>> from socgrad.estimands.gradients import gradient
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.tables.html import to_great_table
    >>> from socgrad.tables.journal import journal_table
    >>> from socgrad.tables.summaries import summarise
    >>> type(to_great_table(journal_table(summarise(gradient(example_fit()))))).__name__
    'GT'
    """
    check_journal_table(table)
    try:
        from great_tables import GT  # noqa: PLC0415 great-tables is optional
    except ImportError as error:
        raise SocgradError(
            "Tables in HTML need great-tables, which is not installed here. It comes with the "
            "optional extra 'tables': pip install 'socgrad[tables]'. to_markdown, to_latex and "
            "to_csv work without it."
        ) from error
    # Columns are told apart by number, whatever their headings are.
    names = [f"column_{k}" for k in range(len(table.header))]
    frame = pd.DataFrame([list(row) for row in table.rows], columns=names, dtype=object)
    made = GT(frame, id="socgrad")
    made = made.cols_label(dict(zip(names, table.header, strict=True)))
    made = made.cols_align("left", columns=names[: table.words])
    made = made.cols_align("right", columns=names[table.words :])
    if table.caption:
        made = made.tab_header(title=table.caption)
    for note in table.notes:
        made = made.tab_source_note(note)
    return made


def to_html(table: JournalTable, *, page: bool = False) -> str:
    """Lay out a journal table in HTML.

    Parameters
    ----------
    table
        From `socgrad.tables.journal_table` or `socgrad.tables.journal_rates`.
    page
        Whether to make a whole page, which a browser opens; by default a piece to put into one.

    Returns
    -------
    str
        HTML with its own style; every character that HTML would act on is escaped.

    Raises
    ------
    SocgradError
        If great-tables is not installed.

    Examples
    --------
    >>> from socgrad.estimands.gradients import gradient
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.tables.html import to_html
    >>> from socgrad.tables.journal import journal_table
    >>> from socgrad.tables.summaries import summarise
    >>> html = to_html(journal_table(summarise(gradient(example_fit()))))
    >>> "1.73 (1.64 to 1.84)" in html, "Pr(&gt;1)" in html
    (True, True)
    """
    html: str = to_great_table(table).as_raw_html(make_page=page)
    return html
