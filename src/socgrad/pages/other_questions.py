"""Questions on years, on covariates, and on an outcome of authorities."""

import json
import re
from collections.abc import Hashable, Mapping
from typing import Final

import pandas as pd
import xarray as xr

from socgrad.estimands.changes import change as change_of
from socgrad.estimands.changes import steepened
from socgrad.estimands.contextual import inverse_intervention
from socgrad.estimands.covariate_ratios import covariate_ratio
from socgrad.estimands.gradients import gradient
from socgrad.estimands.group_rates import authority_rate, rate_by_group
from socgrad.estimands.outcome_association import outcome_association
from socgrad.pages.answers import Answer, Picture, Question, block, ratio_of, row_of, rows
from socgrad.pages.caveats import no_comparison
from socgrad.pages.rate_questions import no_deprivation
from socgrad.pages.subject import Subject
from socgrad.pages.words import change, difference, in_a_list, upper_first
from socgrad.plots.years import changed_authorities
from socgrad.schema import OUTCOME

__all__ = ["COVARIATES", "OUTCOMES", "YEARS"]

#: Comparisons that each have a sentence, whatever they found.
_FEW: Final = 4


def _years(subject: Subject) -> Answer:
    start, end = subject.first.name, subject.last.name
    counted = not no_comparison(subject)
    measures = (
        [*_halves(subject), (change_of(gradient(subject.fit)), "Gradient, average authority")]
        if counted
        else [(_whole(subject), "Rates of all neighbourhoods together")]
    )
    terms = subject.first.terms
    if terms.has_split and not terms.is_alone:
        middle = subject.places[len(subject.places) // 2]
        contextual = inverse_intervention(subject.fit, deprivation=middle)
        if "deprivation" in contextual.dims:
            contextual = contextual.isel(deprivation=0, drop=True)
        words = "More over less deprived authority, at equal neighbourhood deprivation"
        measures.append((change_of(contextual), words))
    table = pd.concat(
        [block("", [words], draws, prob=subject.prob) for draws, words in measures],
        ignore_index=True,
    )
    what = ["rates"]
    if counted:
        what = [f"rates in the {half} deprived half of neighbourhoods" for half in ("less", "more")]
        what.append("the gradient")
    found = [
        f"From {start} to {end}, {_became(table.iloc[at], words)}." for at, words in enumerate(what)
    ]
    pictures = []
    if counted and terms.has_effects and terms.has_slopes and not terms.is_alone:
        share = steepened(subject.fit).mean(("chain", "draw"))
        sure = [int((share > 0.95).sum()), int((share < 0.05).sum())]
        found.append(
            f"Of {share.size} authorities, the gradient became steeper in {sure[0]} and flatter in "
            f"{sure[1]} with a probability of 95% or more."
        )
        pictures = [
            Picture(
                lambda ax: changed_authorities(gradient(subject.fit, target="each"), ax=ax),
                f"Each authority's gradient in {start} and {end}; coloured where it changed for "
                "certain.",
                (5.0, 4.6),
            )
        ]
    return Answer(found, table, f"Ratio, {end} over {start}", pictures)


def _halves(subject: Subject) -> list[tuple[xr.DataArray, str]]:
    """How rates changed in the less and in the more deprived half of neighbourhoods."""
    rates = rate_by_group(subject.fit, groups=2)
    less, more = (change_of(rates.isel(group=at, drop=True), scale="ratio") for at in (0, 1))
    return [
        (less, "Rates in the less deprived half of neighbourhoods"),
        (more, "Rates in the more deprived half"),
    ]


def _whole(subject: Subject) -> xr.DataArray:
    """How the rate of all neighbourhoods together changed, of which totals know."""
    rates = [authority_rate(part.fit) for part in subject.ends]
    first, last = (
        own.weighted(xr.DataArray(part.land.authority_exposure, dims="authority")).mean("authority")
        for own, part in zip(rates, subject.ends, strict=True)
    )
    return ratio_of(last / first, rates[0])


def _became(row: pd.Series, what: str) -> str:
    """How something changed, or that it is not certain whether it did."""
    words = ("steeper", "flatter") if what == "the gradient" else ("higher", "lower")
    if row["lower"] < 1 < row["upper"]:
        return f"it is not certain whether {what} changed: {change(row, *words)}"
    return f"{what} became {change(row, *words)}"


YEARS: Final = Question(
    "years",
    lambda _: "What changed over the years?",
    lambda subject: (
        no_deprivation(subject)
        if subject.relation == "years"
        else "The counts are of one period. Several years, fitted together, would show change."
    ),
    _years,
    rests_on=("within", "between"),
)


def _covariates(subject: Subject) -> Answer:
    tables = []
    for effect, words in (("level", "ratio of rates"), ("gradient", "ratio of gradients")):
        if not _has(subject, effect):
            continue
        draws = covariate_ratio(subject.fit, effect=effect)  # type: ignore[arg-type]
        dim = next(d for d in draws.dims if d not in ("chain", "draw", subject.dim))
        compared = _compared(draws, str(dim), subject.names)
        table = rows(subject, draws, [f"{name}: {words}" for name in compared])
        tables.append(table.assign(name=compared * (len(table) // len(compared)), effect=effect))
    table = pd.concat(tables, ignore_index=True)
    found = []
    for part in subject.spoken:
        own = table[table["of"] == part.name]
        apart = (own["lower"] > 1) | (own["upper"] < 1)
        # All of a few; of many, those that tell.
        for _, row in (own if len(own) <= _FEW else own[apart]).iterrows():
            what = f"rates of {part.events} are {change(row, 'higher', 'lower')}"
            if row["effect"] == "gradient":
                what = f"gradients of {part.events} are {change(row, 'steeper', 'flatter')}"
            found.append(f"{upper_first(row['name'])}: {what}.")
        if len(own) > _FEW and not apart.all():
            found.append(
                f"For {(~apart).sum()} of {len(own)} comparisons it is not certain that "
                f"{part.events} differ."
            )
    return Answer(
        found,
        table.drop(columns=["name", "effect"]),
        "Ratio of rates or of gradients, all else equal",
        (),
        ["What goes together need not be cause and effect."],
    )


def _compared(draws: xr.DataArray, dim: str, names: Mapping[Hashable, str]) -> list[str]:
    """What each covariate compares, in a reader's words if these were given."""
    units = draws["units"].broadcast_like(draws[dim]) if "units" in draws.coords else draws[dim]
    if units.ndim > 1:  # the same in every part
        units = units.isel({d: 0 for d in units.dims if d != dim})
    said = []
    for label, unit in zip(draws[dim].to_numpy().tolist(), units.to_numpy().tolist(), strict=True):
        words = re.sub(r"^(rate ratio|ratio of gradients( \(per [^)]*\))?) (of )?", "", str(unit))
        said.append(names.get(label, words.replace(" over the table's rows, divided by n", "")))
    return said


def _has(subject: Subject, effect: str) -> bool:
    names = {
        "level": ("covariate", "authority_covariate"),
        "gradient": ("area_moderator", "moderator"),
    }[effect]
    return any(name in subject.first.fit["posterior"] for name in names)


COVARIATES: Final = Question(
    "covariates",
    lambda _: "Do other features of places go with rates or gradients?",
    lambda subject: (
        ""
        if _has(subject, "level") or _has(subject, "gradient")
        else "The model holds nothing of places but their deprivation. Covariates of "
        "neighbourhoods or authorities would be added to it."
    ),
    _covariates,
)


def _outcomes(subject: Subject) -> Answer:
    draws = outcome_association(subject.fit)
    about = json.loads(str(subject.fit.attrs.get("outcome", "{}")))
    name = about.get("name", "the outcome")
    table = block("", ["A gradient a tenth steeper"], draws, prob=subject.prob)
    row = row_of(table, subject.first)
    open_ended = row["lower"] < 0 < row["upper"]
    verdict = (
        "Whether authorities with steeper gradients have other outcomes is not certain"
        if open_ended
        else "Authorities with steeper gradients have "
        f"{'higher' if row['estimate'] > 0 else 'lower'} outcomes"
    )
    adjusted = [
        {"deprivation": "deprived", "level": "high in their rates"}.get(term, f"alike in {term}")
        for term in about.get("terms", [])
        if term != "gradient"
    ]
    among = f"Among authorities equally {in_a_list(adjusted)}, a" if adjusted else "A"
    return Answer(
        [
            f"{verdict}. {among} gradient a tenth steeper goes with a difference of "
            f"{difference(row)} in “{name}”."
        ],
        table,
        upper_first(str(draws.attrs["units"])),
        (),
        [
            "Whether more is better depends on the outcome. This is about authorities, not "
            "children, and says nothing of what would come of changing a gradient."
        ],
    )


OUTCOMES: Final = Question(
    "outcomes",
    lambda _: "Do steeper gradients go with better outcomes?",
    lambda subject: (
        no_comparison(subject)
        if any(name in subject.first.fit["posterior"] for name in OUTCOME)
        else "No outcome of authorities was brought to the model."
    ),
    _outcomes,
)
