"""From answers to a page in HTML: chapters, contents, checks, how it was made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from importlib.resources import files
from string import Template
from typing import Final

import pandas as pd

from socgrad.pages import html
from socgrad.pages.answers import Answer, Question, Refusal
from socgrad.pages.figures import drawn, embedded
from socgrad.pages.method import features_of, method
from socgrad.pages.page import Section
from socgrad.pages.subject import Subject
from socgrad.pages.trust import Trust, Verdict
from socgrad.pages.words import in_a_list

__all__ = ["Chapter", "lay_out"]

_GRADIENT: Final = (
    "A gradient is the ratio of rates between two neighbourhoods of one authority, of which one "
    "has {step} more {deprivation}: 1.80 is 80% more, 1.00 is no difference."
)
_AVERAGE: Final = "An average authority has the mean deprivation of all."
_ALIKE: Final = (
    "Gradients and comparisons of authorities are of places that are alike in whatever else the "
    "model holds of them ({features}); rates are of places as they are."
)
#: Rows of a table that is kept on one page in print.
_SHORT: Final = 12
_NOTICE: Final = (
    '<div class="notice"><strong>The computation did not come to an end: do not use these numbers.'
    "</strong> What to do is said under “Can these numbers be trusted?”.</div>"
)


@dataclass(frozen=True, eq=False)
class Chapter:
    """A fit: its heading (empty of one alone), what it said to each question, and its checks."""

    heading: str
    subject: Subject
    answers: Mapping[Question, Answer | Refusal]
    trust: Trust


def lay_out(
    chapters: Sequence[Chapter],
    *,
    title: str,
    author: str,
    introduction: Sequence[str],
    sections: Sequence[Section],
    figures: bool,
) -> str:
    """Lay out a page of one or more chapters."""
    first = chapters[0].subject
    bodies = [
        _chapter(chapter, number, figures=figures)
        for number, chapter in enumerate(chapters, start=1)
    ]
    own = [_section(section, number) for number, section in enumerate(sections, start=1)]
    return Template(_stored("page.html")).substitute(
        title=escape(title),
        style=_stored("page.css"),
        version=escape(version("socgrad")),
        byline=html.paragraphs([author], "quiet"),
        notice="" if all(one.trust.converged for one in chapters) else _NOTICE,
        introduction=html.paragraphs(introduction),
        gradient=escape(_reading(chapters)),
        percent=f"{100 * first.prob:g}",
        contents=_contents(chapters, sections),
        chapters="\n".join(bodies),
        sections="\n".join(own),
        trust=_trusts(chapters),
        method=_methods(chapters),
    )


def _reading(chapters: Sequence[Chapter]) -> str:
    """What a reader has to know of the numbers of these fits."""
    words = []
    subjects = [one.subject for one in chapters]
    gradients = [one for one in subjects if one.first.terms.has_deprivation]
    if gradients:
        words.append(_GRADIENT.format(step=gradients[0].step, deprivation=gradients[0].deprivation))
    if any(not one.first.terms.is_alone for one in gradients):
        words.append(_AVERAGE)
    features = dict.fromkeys(name for one in subjects for name in features_of(one.first.fit))
    if features:
        words.append(_ALIKE.format(features=in_a_list(list(features))))
    return " ".join(words)


def _stored(name: str) -> str:
    """A file of this package."""
    return files("socgrad.pages").joinpath(name).read_text(encoding="utf-8")


def _contents(chapters: Sequence[Chapter], sections: Sequence[Section]) -> str:
    """Links to all that can be read."""
    items = []
    for number, chapter in enumerate(chapters, start=1):
        links = [
            f'<li><a href="#{_address(number, question)}">'
            f"{escape(question.asks(chapter.subject))}</a></li>"
            for question, answer in chapter.answers.items()
            if isinstance(answer, Answer)
        ]
        if chapter.heading:
            items.append(f"<li>{escape(chapter.heading)}<ul>{''.join(links)}</ul></li>")
        else:
            items += links
    items += [
        f'<li><a href="#section-{number}">{escape(section.heading)}</a></li>'
        for number, section in enumerate(sections, start=1)
    ]
    items.append('<li><a href="#trust">Can these numbers be trusted?</a></li>')
    items.append('<li><a href="#method">How it was done</a></li>')
    return f"<ul>{''.join(items)}</ul>"


def _chapter(chapter: Chapter, number: int, *, figures: bool) -> str:
    """All questions of a fit: those that it answers, then those that it cannot."""
    level = 3 if chapter.heading else 2
    opening = f"<h2>{escape(chapter.heading)}</h2>" if chapter.heading else ""
    parts = [opening]
    refused: dict[str, list[str]] = {}
    for question, answer in chapter.answers.items():
        asks = question.asks(chapter.subject)
        if isinstance(answer, Refusal):
            if not question.silent(chapter.subject):
                refused.setdefault(answer.reason, []).append(asks)
            continue
        parts.append(
            f'<section id="{_address(number, question)}">\n'
            f"{_answer(chapter.subject, asks, answer, level=level, figures=figures)}\n</section>"
        )
    if refused:
        # Questions that are refused for one reason stand together above it.
        listed = [
            "".join(f"<dt>{escape(asks)}</dt>" for asks in asked) + f"<dd>{escape(reason)}</dd>"
            for reason, asked in refused.items()
        ]
        parts.append(
            f"<section>\n<h{level}>What these counts and this model cannot say</h{level}>\n"
            f"<dl>{''.join(listed)}</dl>\n</section>"
        )
    return "\n".join(parts)


def _address(number: int, question: Question) -> str:
    return f"{question.name}-{number}"


def _answer(subject: Subject, asks: str, answer: Answer, *, level: int, figures: bool) -> str:
    """Question, sentences and figures, which stay on one page in print; notes; all numbers."""
    pictures = [
        html.figure(embedded(drawn(one)), one.shows, answer.found[0] if answer.found else "")
        for one in answer.pictures
        if figures
    ]
    numbers = html.table(answer.table, answer.unit, interval=_interval(subject))
    return "\n".join(
        [
            '<div class="whole">',
            f"<h{level}>{escape(asks)}</h{level}>",
            html.found(answer.found),
            html.figures(pictures),
            "</div>",
            html.paragraphs(answer.notes, "quiet"),
            _folded(answer.table, numbers),
        ]
    )


def _interval(subject: Subject) -> str:
    return f"{100 * subject.prob:g}% interval"


def _folded(table: pd.DataFrame, numbers: str) -> str:
    summary = f"All numbers ({len(table)} row{'s' if len(table) > 1 else ''})"
    return html.folded(summary, numbers, short=len(table) <= _SHORT)


def _section(section: Section, number: int) -> str:
    """A section that the writer brought."""
    text = [section.text] if isinstance(section.text, str) else section.text
    parts = [f'<section id="section-{number}">\n<h2>{escape(section.heading)}</h2>']
    parts.append(html.paragraphs(text))
    if section.figure is not None:
        parts.append(html.figure(embedded(section.figure), section.shows, ""))
    if section.table is not None:
        parts.append(html.plain_table(section.table, ""))
    return "\n".join([*parts, "</section>"])


def _trusts(chapters: Sequence[Chapter]) -> str:
    """The checks of every fit."""
    parts = ['<section id="trust">\n<h2>Can these numbers be trusted?</h2>']
    for chapter in chapters:
        if chapter.heading:
            parts.append(f"<h3>{escape(chapter.heading)}</h3>")
        parts += [_verdict(chapter.subject, one) for one in chapter.trust.verdicts]
    return "\n".join([*parts, "</section>"])


def _verdict(subject: Subject, verdict: Verdict) -> str:
    opening, *details = verdict.words
    words = [f"<p><strong>{escape(verdict.asks)}</strong> {escape(opening)}</p>"]
    words.append(html.paragraphs(details, "quiet"))
    if len(verdict.table):
        interval = "Expected" if verdict.name == "fit" else _interval(subject)
        numbers = html.table(verdict.table, "", interval=interval)
        words.append(_folded(verdict.table, numbers))
    return "\n".join(words)


def _methods(chapters: Sequence[Chapter]) -> str:
    parts = ['<section id="method">\n<h2>How it was done</h2>']
    for chapter in chapters:
        if chapter.heading:
            parts.append(f"<h3>{escape(chapter.heading)}</h3>")
        parts.append(html.paragraphs(method(chapter.subject)))
    return "\n".join([*parts, "</section>"])
