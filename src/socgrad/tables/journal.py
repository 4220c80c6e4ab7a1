"""A table as a journal prints it: estimate (95% interval) and Pr, in words and rounded.

`journal_table` turns a summary into words once; each format (`to_markdown`, `to_latex`, `to_html`)
then only escapes and lays out. Rounded words are for reading: `to_csv` gives numbers in full.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from socgrad.errors import EstimandError
from socgrad.notebooks.html import cells_table, paragraph
from socgrad.reading.data_marks import HAS_DATA, NO_DATA, NO_DATA_SHORT
from socgrad.schema import NAMES

__all__ = ["JournalTable", "check_journal_table", "check_summary", "journal_table", "number"]

_NEEDED: Final = ("estimate", "lower", "upper", "pr_above", "null", "units", "reference")
#: Dims whose labels speak for themselves.
_SILENT: Final = ("authority", "stratum", "year", "region")
#: Dims whose values are proportions, which readers take as percentages.
_PROPORTIONS: Final = ("deprivation", "authority_mean")
#: Columns of a summary that are no coordinates.
_NO_COORDINATES: Final = (*_NEEDED, "ess_bulk", "mcse")


@dataclass(frozen=True, repr=False)
class JournalTable:
    """Words in rows and columns, to be laid out by a format; nothing in it is escaped.

    Parameters
    ----------
    header
        Headings of the columns.
    rows
        Cells, as many in each row as there are headings.
    words
        How many of the first columns hold words; the others hold numbers.
    caption
        What the table shows, one sentence.
    notes
        What stands below it: units, references, how the numbers were made.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int
    caption: str
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """How large it is, and what lays it out."""
        size = f"{len(self.rows)} rows, {len(self.header)} columns"
        return f"JournalTable({size}; socgrad.tables.to_markdown, to_latex, to_html lay it out)"

    def _repr_html_(self) -> str:
        numbers = range(self.words, len(self.header))
        table = cells_table(self.header, self.rows, numbers=numbers, caption=self.caption)
        return table + "".join(map(paragraph, self.notes))


def journal_table(
    summary: pd.DataFrame,
    *,
    caption: str = "",
    labels: Mapping[str, str] | None = None,
    decimals: int | None = None,
) -> JournalTable:
    """Put a summary into the words and the form of a journal table.

    Parameters
    ----------
    summary
        From `socgrad.summarise`; rows may be selected and put in another order.
    caption
        What the table shows, one sentence.
    labels
        Names of estimands in print, such as ``{"gradient": "Referrals"}``; by default their own
        names in words.
    decimals
        Digits after the point, 0 or more. By default two for ratios and shares, and otherwise as
        many as give the largest number of an estimand three digits.

    Returns
    -------
    JournalTable
        Columns Quantity, At (where rows have coordinates), Estimate with its interval, and Pr: the
        posterior probability of a value above the one that means no difference (where there is
        one). Notes say what an estimate is, and units and reference of each quantity. For
        `to_markdown`, `to_latex` and `to_html`.

    Raises
    ------
    EstimandError
        If `summary` is not from `summarise`, `labels` names what it does not hold, or `decimals` is
        below 0.

    Notes
    -----
    Probabilities of less than 0.01 or more than 0.99 are printed as <0.01 and >0.99: a few
    thousand draws tell no more.

    Interpretation
    --------------
    "1.73 (1.64 to 1.84)" with Pr(>1) >0.99: rates are 73% higher per step, and given model and data
    the true figure lies between 64% and 84% higher with a probability of 95%.

    Examples
    --------
    >>> from socgrad.estimands.gradients import gradient
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.tables.journal import journal_table
    >>> from socgrad.tables.summaries import summarise
    >>> table = journal_table(summarise(gradient(example_fit())))
    >>> table.header
    ('Quantity', 'Estimate (95% interval)', 'Pr(>1)')
    >>> table.rows
    (('Gradient', '1.73 (1.64 to 1.84)', '>0.99'),)
    """
    check_summary(summary)
    names = summary.index.get_level_values("estimand").astype(str)
    printed = {name: _in_words(name) for name in names.unique()}
    foreign = sorted(set(labels or {}) - set(printed))
    if foreign:
        raise EstimandError(
            f"labels names {len(foreign)} of what is not in the summary (first: {foreign[0]!r}). "
            f"It holds {', '.join(map(repr, printed))}."
        )
    printed |= dict(labels or {})
    if decimals is not None and decimals < 0:
        raise EstimandError(f"decimals is {decimals}; expected 0 or more digits after the point.")
    digits = {
        name: _digits(summary[names == name]) if decimals is None else decimals for name in printed
    }
    nulls = summary["null"].dropna().unique()
    rows = []
    for name, at, (_, row) in zip(names, _places(summary), summary.iterrows(), strict=True):
        cells = [printed[name], at, _interval(row, digits[name])]
        rows.append([*cells, _probability(row["pr_above"], row["null"], told=len(nulls) > 1)])
    prob = summary.attrs.get("prob")
    interval = "interval" if prob is None else f"{100 * prob:g}% interval"
    pr = f"Pr(>{nulls[0]:g})" if len(nulls) == 1 else "Pr"
    header = ["Quantity", "At", f"Estimate ({interval})", pr]
    kept = [True, any(row[1] for row in rows), True, len(nulls) > 0]
    return JournalTable(
        header=_only(header, kept),
        rows=tuple(_only(row, kept) for row in rows),
        words=sum(kept[:2]),
        caption=caption,
        notes=tuple(_notes(summary, names, printed, interval, has_pr=len(nulls) > 0)),
    )


def check_summary(summary: pd.DataFrame) -> None:
    """Refuse what `summarise` did not make.

    Raises
    ------
    EstimandError
        If columns or the index are not a summary's.
    """
    columns = list(summary.columns) if isinstance(summary, pd.DataFrame) else []
    missing = [name for name in _NEEDED if name not in columns]
    if missing or list(summary.index.names) != ["estimand", "at"]:
        raise EstimandError(
            f"This {type(summary).__name__} is no summary: it lacks "
            f"{', '.join(missing) or 'the index of estimand and at'}. Expected a table of "
            "socgrad.summarise, with its index and all columns."
        )


def check_journal_table(table: object) -> None:
    """Refuse what is no journal table, such as the summary that one is made of.

    Raises
    ------
    EstimandError
        If `table` is no `JournalTable`.
    """
    if not isinstance(table, JournalTable):
        raise EstimandError(
            f"Expected a journal table, found {type(table).__name__}. Make one of a summary first: "
            "socgrad.tables.journal_table(summary); of rates, "
            "socgrad.tables.journal_rates(rate_table)."
        )


def number(value: float, decimals: int) -> str:
    """Write a number with digits after the point, thousands marked, and a true minus sign.

    Examples
    --------
    >>> from socgrad.tables.journal import number
    >>> number(-1234.5, 1), number(-0.001, 2)
    ('\u22121,234.5', '0.00')
    """
    text = f"{value:,.{decimals}f}"
    if not text.strip("-0.,"):
        text = text.removeprefix("-")  # what rounds to zero has no sign
    return text.replace("-", "\u2212")


def _in_words(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _digits(rows: pd.DataFrame) -> int:
    """Digits after the point that give the largest number three digits, two for ratios."""
    numbers = rows[["estimate", "lower", "upper"]].to_numpy(dtype=float)
    largest = np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0)
    if (rows["null"] == 1).all() or rows["lower"].isna().all() or largest == 0:
        return 2
    return int(np.clip(2 - np.floor(np.log10(largest)), 0, 4))


def _interval(row: "pd.Series[float]", decimals: int) -> str:
    estimate = number(row["estimate"], decimals)
    if np.isnan(row["lower"]):
        return estimate
    low, high = number(row["lower"], decimals), number(row["upper"], decimals)
    return f"{estimate} ({low} to {high})"


def _probability(above: float, null: float, *, told: bool) -> str:
    if np.isnan(null):
        return ""
    text = "<0.01" if above < 0.01 else ">0.99" if above > 0.99 else f"{above:.2f}"
    return f"{text} (>{null:g})" if told else text


def _places(summary: pd.DataFrame) -> list[str]:
    """The coordinates of each row, as a reader would say them."""
    places = [str(at) for at in summary.index.get_level_values("at")]
    for name in summary.columns.difference([*_NO_COORDINATES, HAS_DATA, *NAMES]):
        places = [_said(at, str(name)) for at in places]
    if HAS_DATA not in summary:
        return places
    known = summary[HAS_DATA]
    return [at if has else f"{at} ({NO_DATA_SHORT})" for at, has in zip(places, known, strict=True)]


def _said(at: str, name: str) -> str:
    """Say one coordinate in words: `deprivation=0.2` is "deprivation 20%"."""
    words = "" if name in _SILENT else f"{name.replace('_', ' ')} "
    value = r"([0-9.e-]+)" if name in _PROPORTIONS else "()"

    def say(found: re.Match[str]) -> str:
        return f"{found[1]}{words}" + (f"{100 * float(found[2]):.3g}%" if found[2] else "")

    return re.sub(rf"(^|, ){re.escape(name)}={value}", say, at)


def _notes(
    summary: pd.DataFrame,
    names: "pd.Index[str]",
    printed: Mapping[str, str],
    interval: str,
    *,
    has_pr: bool,
) -> list[str]:
    """How to read the numbers; then units and reference of each quantity, once."""
    pr = "; Pr: posterior probability of a value above that of no difference" if has_pr else ""
    notes = [f"Estimate: posterior median ({interval}, equal-tailed){pr}."]
    reference = summary["reference"].str.removesuffix(f"; {NO_DATA}")
    said = dict.fromkeys(zip(names, summary["units"], reference, strict=True))
    for name, units, against in said:
        notes.append(f"{printed[name]}: {units}; reference: {against}.")
    if HAS_DATA in summary and not summary[HAS_DATA].all():
        notes.append(f"({NO_DATA_SHORT}): {NO_DATA}.")
    return notes


def _only(cells: Sequence[str], kept: Sequence[bool]) -> tuple[str, ...]:
    return tuple(cell for cell, keep in zip(cells, kept, strict=True) if keep)
