"""Questions on years, on covariates, and on an outcome of authorities."""

from typing import Final

import pandas as pd

from socgrad.estimands.changes import change as change_of
from socgrad.estimands.changes import steepened
from socgrad.estimands.contextual import inverse_intervention
from socgrad.estimands.covariate_ratios import covariate_ratio
from socgrad.estimands.gradients import gradient
from socgrad.estimands.group_rates import rate_by_group
from socgrad.estimands.outcome_association import outcome_association
from socgrad.pages.answers import Answer, Picture, Question, block, row_of, rows
from socgrad.pages.rate_questions import no_deprivation
from socgrad.pages.subject import Subject
from socgrad.pages.words import change, in_a_list, upper_first
from socgrad.plots.years import changed_authorities
from socgrad.schema import OUTCOME

__all__ = ["COVARIATES", "OUTCOMES", "YEARS"]


def _years(subject: Subject) -> Answer:
    start, end = subject.first.name, subject.last.name
    whole = rate_by_group(subject.fit, groups=2)
    halves = [change_of(whole.isel(group=half, drop=True), scale="ratio") for half in (0, 1)]
    measures = [
        (halves[0], "Rates in the less deprived half of neighbourhoods"),
        (halves[1], "Rates in the more deprived half"),
        (change_of(gradient(subject.fit)), "Gradient, average authority"),
    ]
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
    less, more, steep = (table.iloc[at] for at in range(3))
    found = [
        f"From {start} to {end}, rates became {change(less, 'higher', 'lower')} in the less "
        f"deprived half of neighbourhoods and {change(more, 'higher', 'lower')} in the more "
        "deprived half.",
        f"The gradient became {change(steep, 'steeper', 'flatter')}.",
    ]
    pictures = []
    if terms.has_effects and terms.has_slopes and not terms.is_alone:
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


YEARS: Final = Question(
    "years",
    lambda _: "What changed over the years?",
    lambda subject: (
        no_deprivation(subject)
        if subject.relation == "years"
        else "The counts are of one period. Several years, fitted together, would show change."
    ),
    _years,
)


def _covariates(subject: Subject) -> Answer:
    tables = []
    for effect, words in (("level", "ratio of rates"), ("gradient", "ratio of gradients")):
        if not _has(subject, effect):
            continue
        draws = covariate_ratio(subject.fit, effect=effect)  # type: ignore[arg-type]
        dim = next(d for d in draws.dims if d not in ("chain", "draw", subject.dim))
        named = [subject.names.get(name, str(name)) for name in draws[dim].to_numpy().tolist()]
        table = rows(subject, draws, [f"{name}: {words}" for name in named])
        tables.append(table.assign(name=named * (len(table) // len(named)), effect=effect))
    table = pd.concat(tables, ignore_index=True)
    found = []
    for part in subject.spoken:
        own = table[table["of"] == part.name]
        apart = own[(own["lower"] > 1) | (own["upper"] < 1)]
        said = [
            f"rates {change(row, 'higher', 'lower')} with {row['name']}"
            if row["effect"] == "level"
            else f"gradients {change(row, 'steeper', 'flatter')} with {row['name']}"
            for _, row in apart.iterrows()
        ]
        found.append(
            f"{upper_first(part.events)}, at equal deprivation: {in_a_list(said)}."
            if said
            else f"No covariate goes with {part.events} for certain."
        )
    return Answer(
        found,
        table.drop(columns=["name", "effect"]),
        "Ratio of rates or of gradients, per unit of the covariate or over the first of its "
        "categories",
        (),
        ["What goes together need not be cause and effect."],
    )


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
    table = block("", ["A gradient a tenth steeper"], draws, prob=subject.prob)
    row = row_of(table, subject.first)
    open_ended = row["lower"] < 0 < row["upper"]
    found = (
        "There is no certain evidence that authorities with steeper gradients have other outcomes"
        if open_ended
        else "Authorities with steeper gradients have "
        f"{'higher' if row['estimate'] > 0 else 'lower'} outcomes"
    )
    return Answer(
        [
            f"{found}: a gradient a tenth steeper goes with a difference of "
            f"{row['estimate']:+.3g} ({row['lower']:+.3g} to {row['upper']:+.3g})."
        ],
        table,
        str(draws.attrs["units"]),
    )


OUTCOMES: Final = Question(
    "outcomes",
    lambda _: "Do steeper gradients go with better outcomes?",
    lambda subject: (
        ""
        if any(name in subject.first.fit["posterior"] for name in OUTCOME)
        else "No outcome of authorities was brought to the model."
    ),
    _outcomes,
)
