"""How a fit was made, in words: its counts, its model, its draws."""

import json
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import xarray as xr

from socgrad.formulas import named_in
from socgrad.pages.subject import Part, Subject
from socgrad.pages.words import in_a_list, upper_first
from socgrad.reading.posterior import Coefficients
from socgrad.reported_reasons import DECLARED, NOT_PLACED

__all__ = ["data_words", "features_of", "method"]

_FAMILIES: Final = {
    "poisson": "Poisson",
    "negative_binomial": "negative binomial (neighbourhoods differ beyond chance)",
}
#: Totals below this are not told, even roughly.
_LEAST_TOTAL: Final = 1000


def method(subject: Subject) -> list[str]:
    """Paragraphs on how the numbers were made."""
    attrs = subject.fit.attrs
    terms = subject.first.terms
    model = _read(subject.first.fit.attrs.get("model"))
    words = [
        f"{data_words(subject)} Counts follow a Bayesian multilevel "
        f"{_FAMILIES.get(str(model.get('family')), 'count')} model of neighbourhoods"
        + ("." if terms.is_alone else " within authorities."),
        *_known(subject),
    ]
    if terms.has_split and not terms.is_alone:
        words.append(
            "A neighbourhood's deprivation is split into the mean of its authority and its "
            "distance from that mean, so that differences within authorities are told from those "
            f"between them. {_own(terms)}"
        )
    words += _further(subject)
    if len(subject.parts) > 1:
        names = in_a_list([part.name for part in subject.parts])
        together = "level_correlation" in subject.fit["posterior"]
        words.append(
            f"{upper_first(names)} were fitted {'together' if together else 'one by one'}."
        )
    sampler = _read(attrs.get("sampler"))
    made = [
        f"{draws:,} draws from the posterior" if (draws := _draws(subject.fit)) else "",
        f"by {sampler['name']}" if sampler.get("name") else "",
        f"random seed {attrs['random_seed']}" if "random_seed" in attrs else "",
        f"socgrad {attrs['socgrad_version']}" if "socgrad_version" in attrs else "",
        f"on {str(attrs['created_at'])[:10]}" if "created_at" in attrs else "",
    ]
    words.append(f"{', '.join(part for part in made if part)}.")
    return words


def _own(terms: Coefficients) -> str:
    """What an authority has of its own, and what may change with its deprivation."""
    own, changes = "a level", "the level"
    if terms.has_slopes:
        own = "a level and a gradient"
    if terms.has_cross_level:
        changes = "both" if terms.has_slopes else "level and gradient"
    return f"Each authority has {own} of its own; {changes} may change with its deprivation."


def _further(subject: Subject) -> list[str]:
    """Sentences on what else the model holds."""
    terms = subject.first.terms
    words = []
    if terms.has_departures:
        words.append("The gradient may be steeper among some neighbourhoods than among others.")
    if features := features_of(subject.first.fit):
        besides = "Beside deprivation the" if terms.has_deprivation else "The"
        words.append(
            f"{besides} model holds {in_a_list(features)}, which may go with rates or with "
            "gradients."
        )
    if terms.has_regions:
        words.append("Authorities of one region have something in common.")
    if terms.has_localities:
        words.append("Neighbourhoods of one locality have something in common, too.")
    if "outcome" in subject.fit.attrs:
        outcome = _read(subject.fit.attrs["outcome"])
        words.append(
            f"“{outcome.get('name')}” is known of {outcome.get('authorities', 0):,} authorities, "
            "and set beside their gradients in the same model, so that how uncertain these are is "
            "allowed for."
        )
    return words


def features_of(fit: xr.DataTree) -> list[str]:
    """Columns of a fit's table, besides deprivation, that its model holds."""
    model = _read(fit.attrs.get("model"))
    formulas = ("covariates", "authority_covariates", "moderators", "area_moderators")
    found: dict[str, None] = {}
    for name in formulas:
        if formula := model.get(name):
            found |= dict.fromkeys(sorted(named_in(str(formula), where=name)))
    return list(found)


def _known(subject: Subject) -> list[str]:
    """How counts were known, where it was not one by one."""
    if len(subject.parts) > 1 and all(part.evidence.only_totals for part in subject.parts):
        return ["Only totals of whole authorities were counted."]
    words = []
    for part in subject.spoken:
        known = part.evidence
        of = f" of {part.noun}" if part.name else ""
        authorities, areas = len(part.land.labels), len(part.land.children)
        if known.only_totals:
            words.append(f"Only totals of whole authorities were counted{of}.")
        elif totals := len(known.by_total):
            words.append(
                f"For {totals:,} of {authorities:,} authorities only the total{of} was counted."
            )
        if known.beside:
            words.append(
                f"Totals{of} of {known.beside:,} of {authorities:,} authorities are known beside "
                "counts of their neighbourhoods, which are taken to add up to them."
            )
        if hidden := known.hidden_areas + known.hidden_totals:
            totals = len(known.by_total)
            what = f"{areas:,} neighbourhoods" if known.hidden_areas else f"{totals:,} totals"
            words.append(
                f"The counts{of} of {hidden:,} of {what} were published within bounds only "
                f"({_rules(part)}): every count that they allow is taken into account."
            )
        words += _not_placed(part)
        if without := int((part.fit["constant_data"]["has_data"] == 0).sum()):
            words.append(
                f"For {without:,} of {areas:,} neighbourhoods neither a count{of} nor a total of "
                "their authority is known: their rates are what the model expects of places like "
                "them."
            )
    return list(dict.fromkeys(words))


def _rules(part: Part) -> str:
    """How the counts of a part were coarsened, as its table's report names it."""
    report = json.loads(part.fit.attrs.get("rows", "[]"))
    declared = (row["step"] for row in report if row["reason"] == DECLARED and row["rows"])
    return "; ".join(dict.fromkeys(declared)) or "suppressed or rounded"


def _not_placed(part: Part) -> list[str]:
    """Which share of a part's records lies in none of its neighbourhoods; of large numbers only."""
    ledger = pd.DataFrame(json.loads(part.fit.attrs.get("ledger", "[]")))
    if ledger.empty:
        return []
    own = ledger[ledger["stage"] == _read(part.fit.attrs.get("columns")).get("events")]
    lost = own[own["reason"].isin(NOT_PLACED) & (own["amount"] > 0)]
    counted = own.loc[own["reason"] == "counted", "amount"].sum()
    if lost.empty or counted < _LEAST_TOTAL:
        return []
    share = 100 * lost["amount"].sum() / (lost["amount"].sum() + counted)
    said = f"{share:.0f}%" if share >= 1 else "Less than 1%"
    return [
        f"{said} of the records of {part.noun} could be placed in none of these neighbourhoods "
        f"({in_a_list(lost['reason'].tolist())}) and are not in the numbers."
    ]


def data_words(subject: Subject) -> str:
    """How many places, children and events the numbers rest on; events roughly, and large ones."""
    land = subject.last.land
    places = (
        f"{len(land.children):,} neighbourhoods in "
        f"{'one authority' if len(land.labels) == 1 else f'{len(land.labels):,} authorities'}, "
        f"{land.children.sum():,.0f} children"
    )
    events = [(part.events, part.evidence.events) for part in subject.spoken]
    told = [f"about {_roughly(total)} {words}" for words, total in events if total >= _LEAST_TOTAL]
    return f"{places}{'; ' + in_a_list(told) if told else ''}."


def _roughly(total: float) -> str:
    """Two digits of a number: no count can be had back from it."""
    return f"{float(f'{total:.2g}'):,.0f}"


def _draws(fit: xr.DataTree) -> int:
    sizes = fit["posterior"].sizes
    return int(sizes["chain"] * sizes["draw"])


def _read(given: object) -> Mapping[str, Any]:
    """What a fit records of itself; nothing of a tree straight from a sampler."""
    found = json.loads(given) if isinstance(given, str) else {}
    return found if isinstance(found, dict) else {}
