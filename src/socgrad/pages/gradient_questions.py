"""Questions on gradients: how steep within an authority, and of which shape."""

from typing import Final

import pandas as pd

from socgrad.errors import EstimandError
from socgrad.estimands.deprivation_ratios import deprivation_ratio
from socgrad.estimands.gradients import gradient
from socgrad.pages.answers import (
    Answer,
    Picture,
    Question,
    in_parts,
    ratio_of,
    row_of,
    rows,
)
from socgrad.pages.caveats import no_comparison
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
    lambda subject: no_deprivation(subject) or no_comparison(subject),
    _within,
    rests_on=("within", "pooled"),
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
    # Both per the fit's step, so that they can be compared: in every draw, since intervals of two
    # numbers may overlap that differ.
    steps = [(middle - low) / land.per, (high - middle) / land.per]
    per_step = [
        ratio_of(draws.isel(deprivation=0, drop=True) ** (1 / span), draws)
        for draws, span in zip((lower, upper), steps, strict=True)
    ]
    apart = ratio_of(per_step[0] / per_step[1], lower)
    labels.append("The first over the second")
    tables = [
        rows(subject, draws, [label])
        for draws, label in zip((*per_step, apart), labels, strict=True)
    ]
    table = in_parts(subject, pd.concat(tables, ignore_index=True))
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
    below, above, ratio = (row_of(table, part, at) for at in range(3))
    words = (
        f"Whether the gradient of {part.events} is steeper among affluent neighbourhoods or "
        "among deprived ones is not certain"
    )
    if ratio["lower"] > 1 or ratio["upper"] < 1:
        steeper = "steeper" if ratio["lower"] > 1 else "flatter"
        words = f"The gradient of {part.events} is {steeper} among affluent neighbourhoods"
    low, middle, high = (f"{100 * x:.0f}%" for x in at)
    return (
        f"{words}: {subject.step} more {subject.deprivation} go with "
        f"{change(below, 'more', 'fewer')} between {low} and {middle}, and with "
        f"{change(above, 'more', 'fewer')} between {middle} and {high}."
    )


def _no_shape(subject: Subject) -> str:
    if reason := no_deprivation(subject) or no_comparison(subject):
        return reason
    if subject.first.terms.has_departures:
        return ""
    return (
        "The model takes the gradient to be equally steep everywhere. One whose gradient may bend "
        "(shape='spline') would show where it is steeper."
    )


SHAPE: Final = Question(
    "shape",
    lambda _: "Is the gradient as steep among affluent neighbourhoods as among deprived ones?",
    _no_shape,
    _shape,
    rests_on=("within", "pooled"),
)
