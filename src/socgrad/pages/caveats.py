"""What numbers rest on beside counts: gradients and priors that were assumed."""

from collections.abc import Hashable, Sequence
from typing import Final

import pandas as pd

from socgrad.estimands.gradients import gradient
from socgrad.pages.subject import Part, Subject
from socgrad.pages.words import change, in_a_list
from socgrad.tables.summaries import intervals
from socgrad.terms import TERMS

__all__ = ["by_totals_alone", "caveats", "meaning", "no_comparison"]

#: Names of parameters to a reader; those of covariates follow in brackets.
_MEANINGS: Final = {
    "intercept": "the rate of an average authority",
    "within": "the gradient within authorities",
    "pooled": "the gradient",
    "between": "the gradient between authorities",
    "curvature": "the curve of the gradient between authorities",
    "cross_level": "how gradients change with an authority's deprivation",
    "level_sd": "how much authorities' rates differ",
    "slope_sd": "how much authorities' gradients differ",
    "correlation": "how authorities' rates and gradients go together",
    "overdispersion": "how much like neighbourhoods differ beyond chance",
    "locality_sd": "how much localities differ",
    "region_sd": "how much regions differ",
}
#: The same of a model of one authority.
_ALONE: Final = {"intercept": "the rate", "within": "the gradient", "pooled": "the gradient"}


def by_totals_alone(parts: Sequence[Part]) -> frozenset[Hashable]:
    """Labels of authorities of which no more than the total is known in every part."""
    return frozenset.intersection(*(part.evidence.by_total for part in parts))


def no_comparison(subject: Subject) -> str:
    """Why neighbourhoods cannot be compared: no part has counts of theirs."""
    if not all(part.evidence.only_totals for part in subject.parts):
        return ""
    assumed = [f"{_gradient(subject, part)} {part.events}" for part in subject.spoken]
    return (
        "Only totals of whole authorities were counted, and these hold no comparison of "
        "neighbourhoods: gradients were assumed, not found. In an average authority, "
        f"{subject.step} more {subject.deprivation} were taken to go with {in_a_list(assumed)}. "
        "Counts of neighbourhoods would answer this."
    )


def caveats(subject: Subject, rests_on: Sequence[str]) -> list[str]:
    """What is to be said beside numbers that rest on parameters of which counts say little.

    Parameters
    ----------
    subject
        The fit.
    rests_on
        Names of parameters.
    """
    found = []
    gradients = {"within", "pooled"}.intersection(rests_on)
    if gradients and (parts := [part for part in subject.parts if part.evidence.only_totals]):
        assumed = [
            _gradient(subject, part) + (f" for {part.noun}" if part.name else "")
            for part in parts
            if part in subject.spoken
        ]
        found.append(
            "Only totals of whole authorities were counted"
            + ("" if len(parts) == len(subject.parts) else f" of {_nouns(parts)}")
            + ", which hold no comparison of neighbourhoods. These numbers rest on a gradient that "
            f"was assumed, not found: {in_a_list(assumed)} per {subject.step}."
        )
        rests_on = [name for name in rests_on if name not in gradients]
    for name in rests_on:
        parts = [part for part in subject.parts if _decides(subject, part, name)]
        if parts:
            found.append(
                "The counts"
                + ("" if len(parts) == len(subject.parts) else f" of {_nouns(parts)}")
                + f" say little about {meaning(name, alone=subject.first.terms.is_alone)}: this "
                "rests in part on what was assumed beforehand."
            )
    return found


def _gradient(subject: Subject, part: Part) -> str:
    row = intervals(gradient(part.fit), prob=subject.prob).iloc[0]
    return change(row, "more", "fewer")


def _nouns(parts: Sequence[Part]) -> str:
    return in_a_list([part.noun for part in parts])


def _decides(subject: Subject, part: Part, name: str) -> bool:
    """Whether the prior decides on a parameter of a part."""
    priors = subject.sampling.priors
    if priors.empty:
        return False
    own = priors.xs(part.label, level=0) if isinstance(priors.index, pd.MultiIndex) else priors
    return bool(own["decides"].get(name, default=False))


def meaning(parameter: object, *, alone: bool = False) -> str:
    """A parameter in words; one that has no words here by its meaning in `terms`."""
    name, _, column = str(parameter).partition("[")
    words = (_ALONE if alone else {}).get(name) or _MEANINGS.get(name)
    if words is None:
        words = TERMS[name].meaning if name in TERMS else name.replace("_", " ")
    return f"{words} ({column.removesuffix(']')})" if column else words
