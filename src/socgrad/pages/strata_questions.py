"""Questions on several sets of counts: which gradient is steeper, and where it is added."""

from typing import Final

import pandas as pd

from socgrad.estimands.chains import gradient_by_step
from socgrad.estimands.gradient_contrasts import compare_gradients
from socgrad.estimands.stratum_correlations import stratum_correlations
from socgrad.pages.answers import Answer, Question, block, in_parts, row_of, rows
from socgrad.pages.caveats import no_comparison
from socgrad.pages.rate_questions import no_deprivation
from socgrad.pages.subject import Subject
from socgrad.pages.words import change, in_a_list, lower_first, with_interval

__all__ = ["ALIKE", "STEEPEST", "STEPS"]


def _no_gradients(subject: Subject) -> str:
    return _one_set(subject) or no_comparison(subject)


def _one_set(subject: Subject) -> str:
    if subject.relation == "years":
        return "These counts differ by year alone: how gradients changed is said under the years."
    if not subject.relation:
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
    unsure = [part for part in others if part not in (*steeper, *flatter)]
    if len(unsure) == 1:
        found.append(
            f"Whether the gradient of {unsure[0].noun} is steeper or flatter than that of "
            f"{first.noun} is not certain: "
            f"{change(row_of(table, unsure[0]), 'steeper', 'flatter')}."
        )
    elif unsure:
        said = [
            f"{part.noun}, {change(row_of(table, part), 'steeper', 'flatter')}" for part in unsure
        ]
        found.append(
            f"Whether gradients are steeper or flatter than that of {first.noun} is not certain "
            f"for {'; '.join(said)}."
        )
    notes = []
    if draws.attrs.get("conservative"):
        why = (
            "The sets of counts were fitted together, but those who are counted in several of them "
            "are not told from others"
            if "level_correlation" in subject.fit["posterior"]
            else "The sets of counts were fitted one by one, so that what they share is not taken "
            "account of"
        )
        notes = [f"{why}: these intervals are wider than need be."]
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
    _no_gradients,
    _steepest,
    rests_on=("within", "pooled"),
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
        no_deprivation(subject) or no_comparison(subject)
        if subject.relation == "chain"
        else "The stages are not each counted on the one before."
    ),
    _steps,
    rests_on=("within", "pooled"),
    silent=lambda _: True,
)


def _alike(subject: Subject) -> Answer:
    draws = stratum_correlations(subject.fit)
    names = {part.label: part.name for part in subject.parts}
    kinds = {"level_correlation": ("rates", "high"), "slope_correlation": ("gradients", "steep")}
    if all(part.evidence.only_totals for part in subject.parts):
        del kinds["slope_correlation"]  # of which totals know nothing
    terms = subject.first.terms
    given = {kind: ["deprivation"] * terms.has_deprivation for kind in kinds}
    given["level_correlation"] += ["region"] * terms.has_regions
    tables, found = [], []
    for kind, (what, much) in kinds.items():
        if kind not in draws:
            continue
        pairs = draws[kind]
        labels = [
            f"{names[one]}, {lower_first(names[other])}: {what}"
            for one, other in zip(
                *(pairs[dim].to_numpy().tolist() for dim in ("stratum", "stratum_bis")), strict=True
            )
        ]
        own = block("", labels, pairs, prob=subject.prob)
        end = own.iloc[len(subject.parts) - 2]  # of the first and the last
        first, last = subject.first.noun, subject.last.noun
        alike = f", given their {in_a_list(given[kind])}," if given[kind] else ""
        verdict = (
            f"Whether authorities with {much} {what} of {first}{alike} also have {much} {what} of "
            f"{last} is not certain"
            if end["lower"] < 0 < end["upper"]
            else f"Authorities with {much} {what} of {first}{alike} tend to have "
            f"{much if end['estimate'] > 0 else _OPPOSITE[much]} {what} of {last}"
        )
        found.append(f"{verdict}: correlation {with_interval(end)}.")
        tables.append(own)
    shown = [kind for kind in kinds if kind in draws]
    return Answer(
        found,
        pd.concat(tables, ignore_index=True),
        f"Correlation, over authorities, of their {' or '.join(kinds[kind][0] for kind in shown)} "
        f"in two of the sets of counts{_beyond([given[kind] for kind in shown])} (1: the same "
        "order, 0: no relation)",
    )


def _beyond(given: list[list[str]]) -> str:
    """What levels, and slopes after them, are compared beyond."""
    rates, *_, last = *given, given[-1]
    if not rates:
        return ""
    of_rates = f" (rates: and their {in_a_list(rates[len(last) :])})" if rates != last else ""
    return f", beyond what goes with their {in_a_list(last)}{of_rates}"


_OPPOSITE: Final = {"high": "low", "steep": "flat"}

ALIKE: Final = Question(
    "alike",
    lambda subject: (
        "Are the same authorities high in every year?"
        if subject.relation == "years"
        else "Are the same authorities high in all of them?"
    ),
    lambda subject: (
        ""
        if "level_correlation" in subject.fit["posterior"]
        else _one_set(subject)
        or "The sets of counts were fitted one by one, which says nothing of how they go "
        "together (authority_effects='joint' does)."
    ),
    _alike,
    silent=lambda _: True,
)
