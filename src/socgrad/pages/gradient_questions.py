"""Questions on gradients: how steep within an authority, and of which shape."""

from typing import Final

import pandas as pd

from socgrad.errors import EstimandError
from socgrad.estimands.deprivation_ratios import deprivation_ratio
from socgrad.estimands.gradients import gradient
from socgrad.pages.answers import Answer, Picture, Question, in_parts, row_of, rows
from socgrad.pages.rate_questions import no_deprivation
from socgrad.pages.subject import Part, Subject
from socgrad.pages.words import change, in_a_list, upper_first
from socgrad.plots.departures import departure_curve
from socgrad.plots.ladders import gradient_ladder
from socgrad.plots.years import over_years

__all__ = ["SHAPE", "WITHIN"]

#: Rungs of a ladder that can be read beside each other.
_RUNGS: Final = 6


def _within(subject: Subject) -> Answer:
    table = rows(subject, gradient(subject.fit), ["Gradient"])
    whose = "In the authority" if subject.first.terms.is_alone else "In an average authority"
    bent = subject.first.terms.has_departures
    opening = "Taken over the whole range, in" if bent else "In"
    more = [
        f"{change(row_of(table, part), 'more', 'fewer')} {part.events}" for part in subject.spoken
    ]
    found = [
        f"{opening}{whose[2:]}, a neighbourhood with {subject.step} more {subject.deprivation} "
        f"than another has {in_a_list(more)}."
    ]
    return Answer(
        found,
        table,
        f"Gradient: ratio of rates per {subject.step} of neighbourhood deprivation, within one "
        "authority",
        _ladder(subject),
    )


def _ladder(subject: Subject) -> list[Picture]:
    if subject.relation == "years":
        return [
            Picture(
                lambda ax: over_years(gradient(subject.fit), prob=subject.prob, ax=ax),
                "The gradient over the years, with its interval.",
            )
        ]
    if not 1 < len(subject.parts) <= _RUNGS:
        return []
    named = {part.name: part.fit for part in subject.parts}
    return [
        Picture(
            lambda ax: gradient_ladder(named, prob=subject.prob, ax=ax),
            "The gradient of each, from the first to the last.",
            (max(5.0, 1.2 * len(named)), 4.2),
        )
    ]


WITHIN: Final = Question(
    "gradient",
    lambda _: "How steep is the gradient within an authority?",
    no_deprivation,
    _within,
)


def _shape(subject: Subject) -> Answer:
    land = subject.first.land
    if len(subject.places) < 3:
        raise EstimandError("Deprivation has too few values to compare its lower and upper half.")
    low, middle, high = subject.places
    lower = deprivation_ratio(subject.fit, deprivation=middle, reference=low)
    upper = deprivation_ratio(subject.fit, deprivation=high, reference=middle)
    labels = [
        f"From {100 * low:.0f}% to {100 * middle:.0f}% deprivation",
        f"From {100 * middle:.0f}% to {100 * high:.0f}% deprivation",
    ]
    # Both per the fit's step, so that they can be compared.
    steps = [(middle - low) / land.per, (high - middle) / land.per]
    tables = [
        rows(subject, draws.isel(deprivation=0, drop=True), [label]).assign(steps=span)
        for draws, label, span in zip((lower, upper), labels, steps, strict=True)
    ]
    table = pd.concat(tables, ignore_index=True)
    for name in ("estimate", "lower", "upper"):
        table[name] = table[name] ** (1 / table["steps"])
    table = in_parts(subject, table.drop(columns="steps"))
    return Answer(
        [_bends(table, part, subject, (low, middle, high)) for part in subject.spoken],
        table,
        f"Ratio of rates per {subject.step} of neighbourhood deprivation, in the affluent and in "
        "the deprived half of neighbourhoods",
        [
            Picture(
                lambda ax, part=part: departure_curve(  # type: ignore[misc]
                    part.fit,
                    prob=subject.prob,
                    deprivation=upper_first(subject.deprivation),
                    ax=ax,
                ),
                f"How far rates lie off a straight line{part.after_colon}.",
            )
            for part in subject.ends
        ],
    )


def _bends(
    table: pd.DataFrame, part: Part, subject: Subject, at: tuple[float, float, float]
) -> str:
    below, above = row_of(table, part, 0), row_of(table, part, 1)
    steeper = below["estimate"] > above["estimate"]
    apart = below["lower"] > above["upper"] or above["lower"] > below["upper"]
    words = (
        f"The gradient of {part.events} is {'steeper' if steeper else 'flatter'} among affluent "
        "neighbourhoods"
        if apart
        else f"The gradient of {part.events} is about as steep among affluent neighbourhoods as "
        "among deprived ones"
    )
    low, middle, high = (f"{100 * x:.0f}%" for x in at)
    return (
        f"{words}: {subject.step} more {subject.deprivation} go with "
        f"{change(below, 'more', 'fewer')} between {low} and {middle}, and with "
        f"{change(above, 'more', 'fewer')} between {middle} and {high}."
    )


def _no_shape(subject: Subject) -> str:
    if reason := no_deprivation(subject):
        return reason
    if subject.first.terms.has_departures:
        return ""
    return (
        "The model takes the gradient to be equally steep everywhere. Whether the counts "
        "contradict that is said in the section on trust; a model with shape='spline' would show "
        "where it is steeper."
    )


SHAPE: Final = Question(
    "shape",
    lambda _: "Is the gradient as steep among affluent neighbourhoods as among deprived ones?",
    _no_shape,
    _shape,
)
