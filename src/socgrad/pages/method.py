"""How a fit was made, in words: its counts, its model, its draws."""

import json
from collections.abc import Mapping
from typing import Any, Final

import xarray as xr

from socgrad.pages.subject import Subject
from socgrad.pages.words import in_a_list

__all__ = ["data_words", "method"]

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
        + ("." if terms.is_alone else " within authorities.")
    ]
    if terms.has_split and not terms.is_alone:
        words.append(
            "A neighbourhood's deprivation is split into the mean of its authority and its "
            "distance from that mean, so that differences within authorities are told from those "
            "between them. Each authority has a level"
            + (" and a gradient of its own" if terms.has_slopes else " of its own")
            + (
                "; both may change with its deprivation."
                if terms.has_cross_level
                else "; the level may change with its deprivation."
            )
        )
    if terms.has_departures:
        words.append("The gradient may be steeper among some neighbourhoods than among others.")
    if len(subject.parts) > 1:
        names = in_a_list([part.name for part in subject.parts])
        together = "level_correlation" in subject.fit["posterior"]
        words.append(f"{names} were fitted {'together' if together else 'one by one'}.")
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


def data_words(subject: Subject) -> str:
    """How many places, children and events the numbers rest on; events roughly, and large ones."""
    land = subject.last.land
    places = (
        f"{len(land.deprivation):,} neighbourhoods in "
        f"{'one authority' if len(land.labels) == 1 else f'{len(land.labels):,} authorities'}, "
        f"{land.children.sum():,.0f} children"
    )
    events = [(part.events, _events(part.fit)) for part in subject.spoken]
    told = [f"about {_roughly(total)} {words}" for words, total in events if total >= _LEAST_TOTAL]
    return f"{places}{'; ' + in_a_list(told) if told else ''}."


def _events(fit: xr.DataTree) -> float:
    """Events that are known for certain; 0 where a fit holds none."""
    observed = fit.children.get("observed_data")
    names = ("events", "total_events")
    return (
        0.0 if observed is None else float(sum(observed[n].sum() for n in names if n in observed))
    )


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
