"""A report of a fit for readers of policy: one page that answers what the fit can answer."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
import xarray as xr

from socgrad.errors import EstimandError, SpecificationError
from socgrad.pages.answers import Answer, Refusal, ask
from socgrad.pages.layout import Chapter, lay_out
from socgrad.pages.page import Page, Section
from socgrad.pages.questions import QUESTIONS
from socgrad.pages.subject import read_subject
from socgrad.pages.trust import trust

__all__ = ["report"]


def report(
    fit: xr.DataTree | Mapping[str, xr.DataTree],
    *,
    title: str = "The social gradient",
    events: str | Mapping[str, str] = "events",
    exposure: str | Mapping[Any, str] = "children",
    deprivation: str = "deprivation",
    names: Mapping[Any, str] | None = None,
    authority: Hashable | None = None,
    introduction: str | Sequence[str] = "",
    author: str = "",
    sections: Sequence[Section] | Callable[[Mapping[str, pd.DataFrame]], Sequence[Section]] = (),
    questions: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    figures: bool = True,
    suppress_below: int = 10,
    prob: float = 0.95,
) -> Page:
    """Write one self-contained page in HTML that says what a fit found, for readers of policy.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load` or `pymc.sample` on `socgrad.pymc_model(model)`: of one
        set of counts, of strata, or of years. Or several of them by heading, a chapter each.
    title, author
        Of the page.
    events
        What was counted, in the plural and as within a sentence: "child protection plans". Of
        several fits, by heading. Stages are called by their `names`, groups "events (group)", or by
        their names too if this is empty.
    exposure
        What it was counted per: "children". By label of stratum where strata differ.
    deprivation
        What deprivation measures, as after "10 percentage points more": "children in low-income
        families".
    names
        Names of strata in print, by label; by default the labels.
    authority
        Label of an authority that is looked at closely, in every fit. By default none.
    introduction
        A paragraph, or several, before all else. Text, not HTML: what is given here and elsewhere
        is escaped.
    sections
        Sections of your own, after the answers; or a function that makes them from `Page.tables`.
    questions
        Names of the questions to be put, as `Page.found` and `Page.refused` have them, and "fit"
        for whether the model fits the counts, which takes some seconds a set of counts at England's
        size. Of several fits perhaps by heading; one that is not named is asked all. By default
        all.
    figures
        Whether figures are drawn, which needs matplotlib (the extra ``plots``).
    suppress_below
        Observed rates of tenths of neighbourhoods are shown only where every tenth of the fit has
        this many events, at least 1: one that is left out could be had back from the others.
    prob
        Probability of the intervals, within 0-1, ends excluded.

    Returns
    -------
    Page
        The page, to be saved with ``.save("report.html")``, with its sentences, its tables, and
        what it could not answer and why.

    Raises
    ------
    SpecificationError
        If there is no fit, `suppress_below` is no whole number from 1, `sections` holds what is no
        `pages.Section`, words are no text, or a mapping of words names what is not there.
    EstimandError
        If `authority` is in none of the fits, or `prob` is out of range.
    SchemaError
        If `fit` is not a socgrad fit.
    SocgradError
        If matplotlib is not installed and figures are wanted.

    Notes
    -----
    Every number is an estimand's (`rates.rate_by_group`, `gradient`, `between`,
    `inverse_intervention`, `steepening` ...), summarised as by `summarise`; the page computes
    nothing of its own. It shows no count of a neighbourhood or an authority: totals of all are said
    in two digits, and observed rates by tenths as above. Estimates of authorities are there by
    name. Whether a page may leave a secure place is decided by its output checker.

    Interpretation
    --------------
    A question that is not answered is one that this fit cannot answer; the page says why, and what
    could. A page whose notice says that sampling did not converge is not to be used.

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.reading.example import example_fit
    >>> page = sg.report(example_fit(), title="Six authorities", events="plans", figures=False)
    >>> page.found["gradient"][0][:65]
    'In an average authority, a neighbourhood with 10 percentage point'
    >>> page.refused["outcomes"]
    'No outcome of authorities was brought to the model.'
    """
    fits = {"": fit} if isinstance(fit, xr.DataTree) else fit
    _check(fits, events, suppress_below, prob)
    _check_questions(questions, fits)
    _check_words("title", title, str)
    _check_words("author", author, str)
    _check_words("deprivation", deprivation, str)
    _check_words("exposure", exposure, str, Mapping)
    _check_words("names", names, Mapping, type(None))
    chapters = []
    for heading, one in fits.items():
        subject = read_subject(
            one,
            events=events if isinstance(events, str) else events.get(heading, "events"),
            exposure=exposure,
            deprivation=deprivation,
            names=names or {},
            authority=authority,
            prob=prob,
            suppress_below=suppress_below,
        )
        asked = questions.get(heading) if isinstance(questions, Mapping) else questions
        answers = {
            question: ask(question, subject)
            for question in QUESTIONS
            if asked is None or question.name in asked
        }
        checks = trust(subject, against_counts=asked is None or "fit" in asked)
        chapters.append(Chapter(heading, subject, answers, checks))
    said = {
        f"{chapter.heading}: {question.name}" if chapter.heading else question.name: answer
        for chapter in chapters
        for question, answer in chapter.answers.items()
    }
    tables = {name: one.table for name, one in said.items() if isinstance(one, Answer)}
    own = sections(tables) if callable(sections) else sections
    _check_sections(own)
    page = lay_out(
        chapters,
        title=title,
        author=author,
        introduction=[introduction] if isinstance(introduction, str) else introduction,
        sections=own,
        figures=figures,
    )
    return Page(
        title,
        page,
        found={name: tuple(one.found) for name, one in said.items() if isinstance(one, Answer)},
        tables=tables,
        refused={name: one.reason for name, one in said.items() if isinstance(one, Refusal)},
        converged=all(chapter.trust.converged for chapter in chapters),
    )


def _check(
    fits: object,
    events: str | Mapping[str, str],
    suppress_below: int,
    prob: float,
) -> None:
    """Refuse what a page cannot be made of."""
    if not isinstance(fits, Mapping):
        raise EstimandError(
            f"report got a {type(fits).__name__}. Expected a fit, such as socgrad.fit or "
            "socgrad.load returns, or several by heading: {'Stages': fit, 'By age': other}."
        )
    if not fits:
        raise SpecificationError("There are no fits to report. Expected one or more, by heading.")
    if not isinstance(events, str) and (others := [name for name in events if name not in fits]):
        raise SpecificationError(
            f"events has words for {', '.join(map(repr, others))}, and there is no such fit. "
            f"Expected headings of fits: {', '.join(map(repr, fits))}."
        )
    if not (isinstance(suppress_below, int) and suppress_below >= 1):
        raise SpecificationError(
            f"suppress_below must be a whole number from 1; got {suppress_below!r}."
        )
    if not 0 < prob < 1:
        raise EstimandError(
            f"prob is {prob!r}; expected the probability of an interval, above 0 and below 1, such "
            "as 0.95."
        )


def _check_words(name: str, words: object, *kinds: type) -> None:
    """Refuse what are no words."""
    if isinstance(words, kinds):
        return
    expected = {str: "words", Mapping: "a mapping from labels of strata to words"}
    raise SpecificationError(
        f"{name} is {words!r}. Expected "
        + " or ".join(said for kind, said in expected.items() if kind in kinds)
        + "."
    )


def _check_sections(sections: Sequence[Section]) -> None:
    """Refuse what is no section."""
    wrong = [type(one).__name__ for one in sections if not isinstance(one, Section)]
    if wrong:
        raise SpecificationError(
            f"{len(wrong)} of {len(sections)} sections are no pages.Section (first: {wrong[0]}). "
            "Make them with socgrad.pages.Section(heading, text)."
        )


def _check_questions(
    questions: Sequence[str] | Mapping[str, Sequence[str]] | None, fits: Mapping[str, xr.DataTree]
) -> None:
    """Refuse questions that there are not."""
    named = dict(questions) if isinstance(questions, Mapping) else {"": questions or ()}
    known = [question.name for question in QUESTIONS] + ["fit"]
    if isinstance(questions, Mapping) and (others := [name for name in named if name not in fits]):
        raise SpecificationError(
            f"questions has some for {', '.join(map(repr, others))}, and there is no such fit. "
            f"Expected headings of fits: {', '.join(map(repr, fits))}."
        )
    for names in named.values():
        if isinstance(names, str) or (odd := [name for name in names if name not in known]):
            raise SpecificationError(
                f"questions has {names if isinstance(names, str) else ', '.join(odd)!r}. Expected "
                f"a list of some of {', '.join(known)}."
            )
