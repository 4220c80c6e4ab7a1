"""Journal tables in LaTeX."""

from typing import Final

from socgrad.errors import EstimandError
from socgrad.tables.journal import JournalTable, check_journal_table

__all__ = ["to_latex"]

#: Characters that LaTeX would act on or print as others, and what prints them with any engine.
_PRINTED: Final = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"$<$",
        ">": r"$>$",
        "|": r"\textbar{}",
        '"': r"\textquotedbl{}",
        "\u2212": r"$-$",
        "\u00d7": r"$\times$",
        "\u2013": "--",
        "\u2014": "---",
    }
)


def to_latex(table: JournalTable, *, label: str = "", long: bool = False) -> str:
    r"""Lay out a journal table in LaTeX, with the rules of package booktabs.

    Parameters
    ----------
    table
        From `socgrad.tables.journal_table` or `socgrad.tables.journal_rates`.
    label
        For ``\ref``, such as "tab:gradients": letters, digits and ``:.-_`` alone.
    long
        Whether it may break over pages (package longtable), for a row per authority say.

    Returns
    -------
    str
        An environment `table` (or `longtable`) with caption and notes; every character that LaTeX
        would act on is escaped. The preamble needs ``\usepackage{booktabs}``, with `long` also
        ``\usepackage{longtable}``, and ``\usepackage[T1]{fontenc}`` for quotation marks.

    Raises
    ------
    EstimandError
        If `label` holds other characters.

    Examples
    --------
    >>> from socgrad.estimands.gradients import gradient
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.tables.journal import journal_table
    >>> from socgrad.tables.latex import to_latex
    >>> from socgrad.tables.summaries import summarise
    >>> print(to_latex(journal_table(summarise(gradient(example_fit())))).split("\\midrule")[0])
    \begin{table}
    \centering
    \begin{tabular}{lrr}
    \toprule
    Quantity & Estimate (95\% interval) & Pr($>$1) \\
    <BLANKLINE>
    """
    check_journal_table(table)
    odd = sorted({letter for letter in label if not (letter.isalnum() or letter in ":.-_")})
    if odd:
        raise EstimandError(
            f"label {label!r} holds {''.join(odd)!r}, which LaTeX does not take in a label. "
            "Expected letters, digits and :.-_ alone, such as 'tab:gradients'."
        )
    columns = "".join("l" if k < table.words else "r" for k in range(len(table.header)))
    name = "\n".join(
        part
        for part in (
            rf"\caption{{{_escaped(table.caption)}}}" if table.caption else "",
            rf"\label{{{label}}}" if label else "",
        )
        if part
    )
    header = f"\\toprule\n{_row(table.header)}\n\\midrule"
    rows = "\n".join(map(_row, table.rows))
    notes = "\n".join(rf"\par {_escaped(note)}" for note in table.notes)
    if long:
        named = f"{name} \\\\\n" if name else ""
        return (
            f"\\begin{{longtable}}{{{columns}}}\n{named}{header}\n\\endfirsthead\n"
            f"{header}\n\\endhead\n\\bottomrule\n\\endfoot\n{rows}\n\\end{{longtable}}\n"
            f"{{\\footnotesize\n{notes}\\par}}\n"
        )
    named = f"{name}\n" if name else ""
    return (
        f"\\begin{{table}}\n\\centering\n{named}\\begin{{tabular}}{{{columns}}}\n{header}\n{rows}\n"
        f"\\bottomrule\n\\end{{tabular}}\n\n\\footnotesize\n{notes}\n\\end{{table}}\n"
    )


def _row(cells: tuple[str, ...]) -> str:
    return " & ".join(map(_escaped, cells)) + r" \\"


def _escaped(text: str) -> str:
    """Escape what LaTeX acts on; at the start of a row a bracket or star would be an option."""
    escaped = " ".join(text.split()).translate(_PRINTED)
    return f"{{{escaped[0]}}}{escaped[1:]}" if escaped.startswith(("[", "*")) else escaped
