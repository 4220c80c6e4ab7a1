"""Whether the numbers can be trusted: the sampling, the model against the counts, the priors."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from socgrad.checks.deciding_priors import about_priors
from socgrad.checks.fit_check import FitCheck, check_fit
from socgrad.checks.priors import compare_prior
from socgrad.errors import EstimandError, MisfitWarning
from socgrad.pages.caveats import meaning
from socgrad.pages.subject import Part, Subject
from socgrad.pages.words import in_a_list, number, upper_first
from socgrad.processors import by_threads
from socgrad.tables.diagnostics import SamplingCheck

__all__ = ["Trust", "Verdict", "trust"]

#: What each statistic of `check_fit` is, in words. The largest count is one neighbourhood's, and
#: is left out.
_STATISTICS: Final = {
    "dispersion": "How much like neighbourhoods differ (1: by chance alone)",
    "overdispersion": "The same, weighed by what each neighbourhood expects",
    "localities": "How much localities differ (1: by chance alone)",
    "zeros": "Share of neighbourhoods without events",
    "busiest_tenth": "Share of events in the busiest tenth of neighbourhoods",
    "log_linearity": "How far tenths of neighbourhoods lie off the model's line",
    "outlying_authority": "How far the most unusual authority lies off",
    "bend": "Whether the gradient bends",
    "bend_by_authority": "Whether it bends otherwise in deprived authorities",
    "heavy_tails": "Whether a few authorities differ far more than the others",
    "neighbours": "Whether neighbourhoods that adjoin are alike",
}


@dataclass(frozen=True, eq=False)
class Verdict:
    """One check: whether it passed (None where it could not be made), in words, with a table."""

    name: str
    asks: str
    passed: bool | None
    words: Sequence[str]
    table: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Trust:
    """The checks of a fit; `converged` says whether its numbers can be used at all."""

    converged: bool
    verdicts: Sequence[Verdict]


def trust(subject: Subject, *, against_counts: bool = True) -> Trust:
    """Check a fit, and say what was found."""
    sampling = subject.sampling
    opening = (
        "Yes: the computation came to an end that further computing would not change."
        if sampling.converged
        else "No: the computation has not come to an end. Do not use these numbers."
    )
    said = _without_priors(sampling)
    verdicts = [
        Verdict(
            "sampling", "Was the computation complete?", sampling.converged, [opening, said],
            pd.DataFrame(),
        ),
        *([_fits(subject)] if against_counts else []),
        _priors(subject, sampling.priors),
    ]  # fmt: skip
    return Trust(sampling.converged, verdicts)


def _without_priors(sampling: SamplingCheck) -> str:
    """The words on sampling alone: what priors decide has a verdict of its own."""
    said = sampling.statement
    priors = sampling.priors
    if isinstance(priors.index, pd.MultiIndex):
        for label, own in priors.groupby(level=0):
            if about := about_priors(own.droplevel(0)):
                said = said.replace(f"[{label}] {about}", "").replace(about, "")
    elif len(priors) and (about := about_priors(priors)):
        said = said.replace(about, "")
    return " ".join(said.split())


def _fits(subject: Subject) -> Verdict:
    asks = "Does the model fit the counts?"
    try:
        # Filters of warnings are the process's: set for all threads together.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MisfitWarning)
            found = by_threads(check_fit, [part.fit for part in subject.parts])
            checks = dict(zip(subject.parts, found, strict=True))
    except EstimandError as error:
        words = ["This could not be checked.", str(error)]
        return Verdict("fit", asks, None, words, pd.DataFrame())
    bad = {part: check for part, check in checks.items() if not check.adequate}
    if not bad:
        words = ["Yes: the counts are as the model expects, in every respect that was looked at."]
        words += _looked_at(subject)
    elif len(subject.parts) == 1:
        words = ["Not in every respect.", *_problems(bad[subject.first])]
    else:
        words = [f"Not in every respect, in {len(bad)} of {len(checks)} sets of counts."]
        words += [f"{part.name}: {' '.join(_problems(check))}" for part, check in bad.items()]
    tables = [_statistics(part, check) for part, check in checks.items()]
    return Verdict("fit", asks, not bad, words, pd.concat(tables, ignore_index=True))


def _looked_at(subject: Subject) -> list[str]:
    """What the check could not look at, where not every neighbourhood's count was known."""
    if all(part.evidence.only_totals for part in subject.parts):
        return [
            "Only totals of whole authorities could be looked at: whether the model is right about "
            "neighbourhoods, nothing here can tell."
        ]
    if any(part.evidence.hidden_areas for part in subject.parts):
        return [
            "Counts that were published within bounds were drawn by the model itself for this "
            "check, so that it sees less of what is wrong with them."
        ]
    return []


def _problems(check: FitCheck) -> list[str]:
    """What a check found; of doubted counts without the counts that are an example of them."""
    doubted = (
        "The counts look as if small ones had been suppressed, or all been rounded "
        "(socgrad.check_fit says how)."
    )
    return [doubted, *check.problems] if check.counts_doubted else list(check.problems)


def _statistics(part: Part, check: FitCheck) -> pd.DataFrame:
    shown = check.statistics.drop(index="largest", errors="ignore")
    return pd.DataFrame(
        {
            "of": part.name,
            "quantity": [_STATISTICS.get(str(name), str(name)) for name in shown.index],
            "estimate": shown["observed"].to_numpy(),
            "lower": shown["lower"].to_numpy(),
            "upper": shown["upper"].to_numpy(),
            "as expected": ["yes" if good else "no" for good in shown["as_expected"]],
        }
    )


def _priors(subject: Subject, moved: pd.DataFrame) -> Verdict:
    asks = "Do the numbers rest on what was assumed beforehand?"
    if moved.empty:
        words = [
            "Years that are tied together cannot be asked this one number at a time."
            if subject.relation == "years"
            else "This fit does not record what was assumed beforehand."
        ]
        return Verdict("priors", asks, None, words, pd.DataFrame())
    deciding = moved[moved["decides"].astype(bool)]
    alone = subject.first.terms.is_alone
    if deciding.empty:
        words = ["No: priors half as strong would hardly change any number of the model."]
    else:
        names = {part.label: part.name for part in subject.parts}
        where: dict[str, list[str]] = {}
        for at in deciding.index:
            label, name = at if isinstance(at, tuple) else (None, at)
            where.setdefault(meaning(name, alone=alone), []).append(names.get(label, str(label)))
        said = [
            f"{words} ({in_a_list(of)})" if len(of) < len(subject.parts) else words
            for words, of in where.items()
        ]
        words = [
            f"In part. The counts say little about {in_a_list(said)}. With other assumptions "
            "these numbers, and what rests on them, would be others."
        ]
    tables = []
    for part in subject.parts:
        try:
            tables.append(_beside(part))
        except EstimandError:
            continue
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return Verdict("priors", asks, deciding.empty, words, table)


def _beside(part: Part) -> pd.DataFrame:
    """Each number of the model, before the counts and after."""
    table = compare_prior(part.fit)
    before = [
        f"{number(middle)} ({number(low)} to {number(high)})"
        for middle, low, high in table[["prior", "prior_lower", "prior_upper"]].to_numpy().tolist()
    ]
    return pd.DataFrame(
        {
            "of": part.name,
            "quantity": [
                f"{upper_first(meaning(name, alone=part.terms.is_alone))} ({scale})"
                for name, scale in zip(table.index, table["scale"], strict=True)
            ],
            "estimate": table["posterior"].to_numpy(),
            "lower": table["posterior_lower"].to_numpy(),
            "upper": table["posterior_upper"].to_numpy(),
            "assumed beforehand": before,
        }
    )
