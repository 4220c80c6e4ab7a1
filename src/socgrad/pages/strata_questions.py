"""Questions on several sets of counts: which gradient is steeper, and where it is added."""

from typing import Final

import pandas as pd

from socgrad.estimands.chains import gradient_by_step
from socgrad.estimands.gradient_contrasts import compare_gradients
from socgrad.estimands.stratum_correlations import stratum_correlations
from socgrad.pages.answers import Answer, Question, block, in_parts, row_of, rows
from socgrad.pages.rate_questions import no_deprivation
from socgrad.pages.subject import Subject
from socgrad.pages.words import change, lower_first, with_interval

__all__ = ["ALIKE", "STEEPEST", "STEPS"]


def _one_set(subject: Subject) -> str:
    if subject.relation in ("", "years"):
        return (
            "There is one set of counts. Several stages of intervention or groups of children, "
            "fitted together as strata, could be compared."
        )
    return no_deprivation(subject)


def _steepest(subject: Subject) -> Answer:
    draws = compare_gradients(subject.fit)
    first = subject.first
    table = rows(subject, draws, [f"Over {lower_first(first.name)}"])
    others = [part for part in subject.parts if part is not first]
    found = []
    steeper = [part for part in others if row_of(table, part)["lower"] > 1]
    flatter = [part for part in others if row_of(table, part)["upper"] < 1]
    for part in (*steeper, *flatter):
        found.append(
            f"The gradient of {part.noun} is "
            f"{change(row_of(table, part), 'steeper', 'flatter')} than that of {first.noun}."
        )
    unsure = len(others) - len(found)
    if unsure:
        found.append(
            f"For {unsure} of {len(others)} the interval leaves open whether they are steeper or "
            f"flatter than {first.noun}."
        )
    notes = []
    if draws.attrs.get("conservative"):
        notes = [f"These intervals are wider than need be: {draws.attrs['basis']} fits."]
    return Answer(
        found,
        table,
        f"Ratio of gradients, each over that of {first.noun}; above 1: steeper",
        (),
        notes,
    )


STEEPEST: Final = Question(
    "comparison",
    lambda subject: (
        "Is the gradient steeper at later stages?"
        if subject.relation in ("stages", "chain")
        else "Whose gradients are steeper?"
    ),
    _one_set,
    _steepest,
)


def _steps(subject: Subject) -> Answer:
    way = gradient_by_step(subject.fit)
    tables = []
    for name, words in (
        ("step_gradient", "What this step multiplies the gradient by"),
        ("population_gradient", "Gradient among all children, up to this step"),
        ("share_of_gradient", "Share of the whole gradient (on the log scale)"),
    ):
        tables.append(rows(subject, way[name], [words]))
    table = in_parts(subject, pd.concat(tables))
    share = row_of(table, subject.first, 2)
    last = row_of(table, subject.last, 1)
    found = [
        f"Among all children, a neighbourhood with {subject.step} more {subject.deprivation} has "
        f"{change(last, 'more', 'fewer')} {subject.last.noun}.",
        f"{100 * share['estimate']:.0f}% of that gradient ({100 * share['lower']:.0f}% to "
        f"{100 * share['upper']:.0f}%, on the log scale) is there at the first step, "
        f"{subject.first.noun}; the later steps add the rest.",
    ]
    return Answer(found, table, f"Each stage among those at the stage before, per {subject.step}")


STEPS: Final = Question(
    "steps",
    lambda _: "At which step is the gradient added?",
    lambda subject: (
        "" if subject.relation == "chain" else "The stages are not each counted on the one before."
    ),
    _steps,
    silent=True,
)


def _alike(subject: Subject) -> Answer:
    draws = stratum_correlations(subject.fit)
    name = "slope_correlation" if "slope_correlation" in draws else "level_correlation"
    pairs = draws[name]
    names = {part.label: part.name for part in subject.parts}
    labels = [
        f"{names[one]}, {lower_first(names[other])}"
        for one, other in zip(
            *(pairs[dim].to_numpy().tolist() for dim in ("stratum", "stratum_bis")), strict=True
        )
    ]
    table = block("", labels, pairs, prob=subject.prob)
    end = table.iloc[len(subject.parts) - 2]
    what = "gradients" if name == "slope_correlation" else "rates"
    one, other = f"high {what} of {subject.first.noun}", f"{what} of {subject.last.noun}"
    found = (
        f"Whether authorities with {one} have high or low {other} is not certain"
        if end["lower"] < 0 < end["upper"]
        else f"Authorities with {one} have {'high' if end['estimate'] > 0 else 'low'} {other}"
    )
    return Answer(
        [f"{found}: correlation {with_interval(end)}."],
        table,
        f"Correlation, over authorities, of their {what} in two of the sets of counts",
    )


ALIKE: Final = Question(
    "alike",
    lambda _: "Are the same authorities high in all of them?",
    lambda subject: (
        ""
        if "level_correlation" in subject.fit["posterior"]
        else _one_set(subject)
        or "The sets of counts were fitted one by one, which says nothing of how they go "
        "together (authority_effects='joint' does)."
    ),
    _alike,
    silent=True,
)
