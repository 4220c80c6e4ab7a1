"""Questions on affluent and deprived authorities: their rates, at equal places, their gradients."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from socgrad.errors import EstimandError
from socgrad.estimands.contextual import inverse_intervention, steepening
from socgrad.estimands.gradients import between, gradient
from socgrad.pages.answers import Answer, Picture, Question, in_parts, row_of, rows
from socgrad.pages.caveats import no_comparison
from socgrad.pages.rate_questions import no_deprivation
from socgrad.pages.subject import Part, Subject
from socgrad.pages.words import change, in_a_list, upper_first
from socgrad.plots.gradients import gradients_by_deprivation
from socgrad.plots.rates import inverse_intervention_lines

__all__ = ["BETWEEN", "CONTEXTUAL", "STEEPENING"]


def _no_split(subject: Subject) -> str:
    """Why authorities cannot be told from their neighbourhoods."""
    terms = subject.first.terms
    if reason := no_deprivation(subject):
        return reason
    if terms.is_alone:
        return "There is one authority, and nothing to compare it with."
    if not terms.has_split:
        return (
            "The model does not tell the deprivation of authorities from that of their "
            "neighbourhoods (deprivation='pooled'): it gives one number for both."
        )
    return ""


def _between(subject: Subject) -> Answer:
    whole, places = between(subject.fit, scale="rates"), between(subject.fit)
    table = in_parts(
        subject,
        pd.concat(
            [
                rows(subject, whole, ["Whole authorities, as published rates compare them"]),
                rows(subject, places, ["Neighbourhoods as deprived as their authority"]),
            ]
        ),
    )
    higher = [
        f"{change(row_of(table, part), 'higher', 'lower')}{_for(part)}" for part in subject.spoken
    ]
    found = [
        f"An authority that is {subject.step} more deprived than another has rates that are "
        f"{in_a_list(higher)}."
    ]
    unit = f"Ratio of rates per {subject.step} of authority deprivation"
    return Answer(found, table, unit)


BETWEEN: Final = Question(
    "between",
    lambda _: "Do more deprived authorities have higher rates?",
    _no_split,
    _between,
    rests_on=("between", "curvature"),
)


def _contextual(subject: Subject) -> Answer:
    # The same places in every part, so that parts can be compared.
    places = subject.places
    middle_place = len(places) // 2
    table = rows(
        subject,
        inverse_intervention(subject.fit, deprivation=places),
        [f"Neighbourhoods of {100 * x:.0f}% deprivation" for x in places],
    )
    own = {part: table[table["of"] == part.name] for part in subject.spoken}
    more = [
        f"{change(rows_at.iloc[middle_place], 'more', 'fewer')} {part.events}"
        for part, rows_at in own.items()
    ]
    found = [
        f"Take two equally deprived neighbourhoods (in the national middle), of two authorities "
        f"{subject.step} apart. The one in the more deprived authority has {in_a_list(more)}.",
        *_inverse(own, places),
    ]
    return Answer(
        found,
        table,
        f"Ratio of rates, the more over the less deprived authority ({subject.step} apart), at "
        "equal neighbourhood deprivation; below 1: rates are higher in affluent authorities",
        [
            Picture(
                lambda ax, part=part: inverse_intervention_lines(  # type: ignore[misc]
                    part.fit,
                    prob=subject.prob,
                    deprivation=upper_first(subject.deprivation),
                    events=upper_first(part.noun),
                    exposure=part.exposure,
                    ax=ax,
                ),
                f"Rates over neighbourhood deprivation, a line for each third of "
                f"authorities{part.after_colon}.",
            )
            for part in subject.ends
        ],
    )


def _inverse(found: Mapping[Part, pd.DataFrame], places: list[float]) -> list[str]:
    """Whether this is the inverse intervention effect, and in which neighbourhoods, in words."""
    if all((own["upper"] < 1).all() for own in found.values()):
        return [
            "Equally deprived neighbourhoods meet more intervention in affluent authorities: the "
            "inverse intervention effect."
        ]
    if all((own["lower"] < 1).all() and (own["upper"] > 1).all() for own in found.values()):
        return ["The intervals leave open which authorities have the higher rates."]
    said = []
    for part, own in found.items():
        lower, upper = own["lower"].to_numpy() > 1, own["upper"].to_numpy() < 1
        where = (
            ("higher in affluent authorities (the inverse intervention effect)", upper),
            ("higher in deprived authorities", lower),
            ("not certain to differ", ~(lower | upper)),
        )
        pieces = [
            f"{words} among neighbourhoods of "
            + in_a_list([f"{100 * x:.0f}%" for x, is_so in zip(places, at, strict=True) if is_so])
            + " deprivation"
            for words, at in where
            if at.any()
        ]
        said.append(f"At equal deprivation, rates of {part.events} are {in_a_list(pieces)}.")
    return said


CONTEXTUAL: Final = Question(
    "contextual",
    lambda _: (
        "At equal neighbourhood deprivation, are rates higher in affluent or in deprived "
        "authorities?"
    ),
    _no_split,
    _contextual,
    rests_on=("within", "between", "curvature", "cross_level"),
)


def _steepening(subject: Subject) -> Answer:
    means = subject.means
    if len(means) < 2:
        raise EstimandError(
            "All authorities are about equally deprived: there is no affluent one to compare."
        )
    named = [f"Gradient in an authority of {100 * mean:.0f}% deprivation" for mean in means]
    table = in_parts(
        subject,
        pd.concat(
            [
                rows(subject, gradient(subject.fit, authority_mean=means), named),
                rows(
                    subject,
                    steepening(subject.fit),
                    [f"Ratio of gradients, authorities {subject.step} apart"],
                ),
            ]
        ),
    )
    found = []
    for part in subject.spoken:
        affluent, *_, deprived, ratio = (row_of(table, part, at) for at in range(len(named) + 1))
        flatter = ratio["upper"] < 1
        verdict = (
            "The gradient is steeper in affluent authorities"
            if flatter
            else "The gradient is steeper in deprived authorities"
            if ratio["lower"] > 1
            else "No difference in gradients between affluent and deprived authorities is certain"
        )
        found.append(
            f"{verdict}: per {subject.step}, {change(affluent, 'more', 'fewer')} {part.events} in "
            f"an affluent authority ({100 * means[0]:.0f}%) and "
            f"{change(deprived, 'more', 'fewer')} in a deprived one ({100 * means[-1]:.0f}%)."
        )
    return Answer(
        found,
        table,
        f"Ratio of rates per {subject.step} of neighbourhood deprivation, by the deprivation of "
        "the authority (of the 10th, 50th and 90th of a hundred children)",
        [
            Picture(
                lambda ax, part=part: gradients_by_deprivation(  # type: ignore[misc]
                    part.fit,
                    prob=subject.prob,
                    deprivation=upper_first(subject.deprivation),
                    ax=ax,
                ),
                f"Each authority's gradient over its deprivation{part.after_colon}.",
            )
            for part in subject.ends
            # Without gradients of their own, authorities lie on the line.
            if part.terms.has_effects and part.terms.has_slopes
        ],
    )


def _no_steepening(subject: Subject) -> str:
    if reason := _no_split(subject) or no_comparison(subject):
        return reason
    if not subject.first.terms.has_cross_level:
        return (
            "The model gives affluent and deprived authorities the same average gradient. One "
            "whose gradients may change with an authority's deprivation (cross_level=True) would "
            "answer this."
        )
    return ""


STEEPENING: Final = Question(
    "steepening",
    lambda _: "Is the gradient steeper in affluent authorities?",
    _no_steepening,
    _steepening,
    rests_on=("cross_level",),
)


def _for(part: Part) -> str:
    return f" for {part.events}" if part.name else ""
