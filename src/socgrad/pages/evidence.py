"""What numbers rest on: counts of neighbourhoods or of authorities, and what was assumed."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd
import xarray as xr

from socgrad.estimands.gradients import gradient
from socgrad.pages.subject import Part, Subject
from socgrad.pages.words import change, in_a_list
from socgrad.tables.summaries import intervals
from socgrad.terms import TERMS

__all__ = [
    "Evidence",
    "by_totals_alone",
    "caveats",
    "evidence",
    "meaning",
    "no_comparison",
    "only_totals",
]

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


@dataclass(frozen=True)
class Evidence:
    """How much of a set of counts is known.

    Attributes
    ----------
    areas, hidden_areas
        Areas whose count is known, and areas of which it is known within bounds.
    by_total
        Labels of authorities of which no more than the total is known.
    hidden_totals
        How many of these totals are known within bounds.
    beside
        How many totals are known beside counts of neighbourhoods.
    events
        Events that are known for certain, once each: those of totals, and of areas of authorities
        whose total is not known.
    only_totals
        Whether nothing was counted of neighbourhoods, only totals of whole authorities. A fit kept
        without its events still says so.
    """

    areas: int
    hidden_areas: int
    by_total: frozenset[Hashable]
    hidden_totals: int
    beside: int
    events: float
    only_totals: bool


def evidence(fit: xr.DataTree) -> Evidence:
    """Count what a fit was made from; nothing of a fit kept without its events."""
    observed = fit.children.get("observed_data")
    held = xr.Dataset() if observed is None else observed.to_dataset()
    counted, bounded, totals, bounded_totals = (
        held[dim].to_numpy().tolist() if dim in held.coords else []
        for dim in ("counted_area", "bounded_area", "total_authority", "bounded_authority")
    )
    of_counted, of_bounded = (_authorities(fit, areas) for areas in (counted, bounded))
    by_total = frozenset((*totals, *bounded_totals)).difference(of_counted, of_bounded)
    known = [held[name].to_numpy() for name in ("total_events",) if name in held]
    if counted:
        in_no_total = ~pd.Index(of_counted).isin(totals)
        known.append(held["events"].to_numpy()[in_no_total])
    no_areas = bool(by_total) and not (counted or bounded)
    return Evidence(
        len(counted),
        len(bounded),
        by_total,
        len(by_total.intersection(bounded_totals)),
        len(totals) + len(bounded_totals) - len(by_total),
        float(sum(one.sum() for one in known)),
        fit.attrs.get("counts_of") == "authorities" if observed is None else no_areas,
    )


def _authorities(fit: xr.DataTree, areas: Sequence[Hashable]) -> list[Hashable]:
    """Label of the authority that each area lies in."""
    places = fit["constant_data"].to_dataset()
    rows = places.indexes["area"].get_indexer(pd.Index(areas, dtype=object))
    of = places["authority_of_area"].to_numpy()[rows]
    labels: list[Hashable] = places["authority"].to_numpy()[of].tolist()
    return labels


def only_totals(part: Part) -> bool:
    """Whether nothing was counted of a part's neighbourhoods, only totals of whole authorities."""
    return evidence(part.fit).only_totals


def by_totals_alone(parts: Sequence[Part]) -> frozenset[Hashable]:
    """Labels of authorities of which no more than the total is known in every part."""
    return frozenset.intersection(*(evidence(part.fit).by_total for part in parts))


def no_comparison(subject: Subject) -> str:
    """Why neighbourhoods cannot be compared: no part has counts of theirs."""
    if not all(only_totals(part) for part in subject.parts):
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
    if gradients and (parts := [part for part in subject.parts if only_totals(part)]):
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
