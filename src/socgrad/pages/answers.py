"""Questions to a fit, and their answers: sentences, a table, figures, or why there is none."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pandas as pd
import xarray as xr

from socgrad.errors import EstimandError, SupportWarning
from socgrad.pages.caveats import caveats
from socgrad.pages.subject import Part, Subject
from socgrad.reading.labels import label_draws
from socgrad.tables.summaries import intervals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "COLUMNS",
    "Answer",
    "Picture",
    "Question",
    "Refusal",
    "ask",
    "block",
    "in_parts",
    "ratio_of",
    "row_of",
    "rows",
]

#: Of every table of answers: what rows are of, which quantity, and its number with its interval.
COLUMNS = ("of", "quantity", "estimate", "lower", "upper")


#: Of numbers that draw a `SupportWarning`, whose own words name strata by their labels.
_THIN: Final = (
    "A caution: for some of these numbers fewer than ten neighbourhoods are like those that they "
    "speak of, so that they rest on the form of the model more than on counts."
)


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure to be drawn on axes, and what it shows in words."""

    draw: "Callable[[Axes], object]"
    shows: str
    size: tuple[float, float] = (5.0, 4.0)


@dataclass(frozen=True, eq=False)
class Answer:
    """What a fit says to a question.

    `found` are sentences, `table` has the columns `COLUMNS` (and perhaps observed), `unit` says
    what its numbers are.
    """

    found: Sequence[str]
    table: pd.DataFrame
    unit: str
    pictures: Sequence[Picture] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Refusal:
    """Why a fit does not answer a question."""

    reason: str


@dataclass(frozen=True, eq=False)
class Question:
    """One question: its name, what it asks, what a fit may lack for it, and how it is answered.

    `lacks` gives the reason why a fit cannot be asked, or nothing. `rests_on` names the parameters
    that decide the answer: where counts say little of one, that is said beside it. Where a fit
    cannot be asked and `silent` says so, the page leaves the question out, because no reader would
    look for it there.
    """

    name: str
    asks: Callable[[Subject], str]
    lacks: Callable[[Subject], str]
    answer: Callable[[Subject], Answer]
    rests_on: Sequence[str] = field(default=())
    silent: Callable[[Subject], bool] = field(default=lambda _: False)


def ask(question: Question, subject: Subject) -> Answer | Refusal:
    """Ask a fit; what rests on few neighbourhoods is said beside the answer."""
    if reason := question.lacks(subject):
        return Refusal(reason)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            answer = question.answer(subject)
        except EstimandError as error:
            return Refusal(str(error))
    thin = any(issubclass(one.category, SupportWarning) for one in caught)
    for one in caught:
        if not issubclass(one.category, SupportWarning):
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    notes = [*caveats(subject, question.rests_on), *answer.notes, *([_THIN] if thin else [])]
    return Answer(answer.found, answer.table, answer.unit, answer.pictures, notes)


def rows(subject: Subject, draws: xr.DataArray, labels: Sequence[str]) -> pd.DataFrame:
    """Rows of every part: medians and intervals of draws, under labels in the order of their dim.

    Parameters
    ----------
    subject
        What the draws are of.
    draws
        Of an estimand of the whole fit: dims chain, draw, that of the parts, and at most one more.
    labels
        Of the rows of each part.
    """
    # Of all parts at once: a summary of each would take as long as the estimand itself.
    summary = intervals(draws, prob=subject.prob)
    if subject.dim not in draws.dims:
        return _block(subject.first.name, labels, summary)
    tables = []
    for part in subject.parts:
        own = summary[summary[subject.dim] == part.label]
        if len(own):  # contrasts leave out what they are contrasted with
            tables.append(_block(part.name, labels, own))
    return pd.concat(tables, ignore_index=True)


def block(of: str, labels: Sequence[str], draws: xr.DataArray, *, prob: float) -> pd.DataFrame:
    """Rows of one heading, of draws without a dim of parts."""
    return _block(of, labels, intervals(draws, prob=prob))


def _block(of: str, labels: Sequence[str], summary: pd.DataFrame) -> pd.DataFrame:
    table = summary[["estimate", "lower", "upper"]].reset_index(drop=True)
    table.insert(0, "quantity", list(labels))
    table.insert(0, "of", of)
    return table


def ratio_of(draws: xr.DataArray, like: xr.DataArray) -> xr.DataArray:
    """Ratios made of an estimand's draws, under its name: rows of a table say what they are."""
    bare = draws.drop_vars(["units", "reference"], errors="ignore").drop_attrs()
    return label_draws(
        bare, estimand=str(like.attrs["estimand"]), units="ratio", reference="by row", null=1.0
    )


def row_of(table: pd.DataFrame, part: Part, at: int = 0) -> pd.Series:
    """One row of a part, by its place among the part's rows."""
    return table[table["of"] == part.name].iloc[at]


def in_parts(subject: Subject, table: pd.DataFrame) -> pd.DataFrame:
    """Bring the rows of each part together, in the order of the parts."""
    order = {part.name: place for place, part in enumerate(subject.parts)}
    return table.sort_values(
        "of", key=lambda names: names.map(order), kind="stable", ignore_index=True
    )
