"""The findings F1-F8 of the briefing, each a table: estimate, 95% interval, and the truth.

Every function reads fits through `socgrad`'s estimands alone. For a table of your own, leave the
column `truth` out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

import briefing_truth as true
import socgrad as sg
from briefing_truth import Outcome
from socgrad.ranks import weighted_quantile
from socgrad.simulation.flow import Flow

__all__ = ["Answer", "Finding", "Row", "blocks", "covers", "findings", "own_gradients"]


@dataclass(frozen=True, eq=False)
class Answer:
    """A fit of several strata, their names in print, and what each counts."""

    fit: xr.DataTree
    names: Mapping[str, str]
    outcomes: Mapping[str, Outcome]

    @property
    def strata(self) -> list[str]:
        """Labels of the strata, in the fit's order."""
        return list(self.names)


class Row(NamedTuple):
    """One row of a finding."""

    stage: str
    quantity: str
    estimate: float
    lower: float
    upper: float
    truth: float

    @property
    def held(self) -> bool:
        """Whether the interval holds the truth."""
        return self.lower <= self.truth <= self.upper


def blocks(table: pd.DataFrame) -> Iterator[tuple[str, list[Row]]]:
    """Rows of a table, block by block."""
    every = [Row(*values) for values in zip(*(table[name] for name in COLUMNS), strict=True)]
    for stage in dict.fromkeys(row.stage for row in every):
        yield stage, [row for row in every if row.stage == stage]


COLUMNS = ("stage", "quantity", "estimate", "lower_95", "upper_95", "truth")


@dataclass(frozen=True, eq=False)
class Finding:
    """One finding: what is claimed, what was found, and the numbers.

    `table` has the columns stage (a block of rows), quantity, estimate, lower_95, upper_95, truth.
    """

    name: str
    claim: str
    question: str
    found: str
    table: pd.DataFrame
    decimals: int = 2


def findings(answers: Mapping[str, Answer], flow: Flow) -> list[Finding]:
    """Compute every finding."""
    stages, chain, returns = answers["stages"], answers["chain"], answers["returns"]
    groups = [answers[name] for name in ("age", "ethnicity", "need", "category")]
    return [
        _f1(stages, flow),
        _f2(stages, chain, flow),
        _f3(stages, flow),
        _f4(stages, flow),
        _f5(stages, flow),
        _f6(groups, flow),
        _f7(returns, flow),
        _f8(returns, flow),
    ]


def _f1(stages: Answer, flow: Flow) -> Finding:
    labels = [f"Tenth {n}" for n in range(1, 11)]
    labels[0], labels[-1] = "Tenth 1 (least deprived)", "Tenth 10 (most deprived)"
    table = per_stratum(
        stages,
        labels,
        sg.rate_by_group(stages.fit),
        lambda outcome: true.rate_by_decile(flow, outcome),
    )
    first, last = table.iloc[0], table.iloc[9]
    return Finding(
        "F1",
        "Rates rise with the deprivation of the neighbourhood.",
        "Expected events per 10,000 children, by tenths of England's children.",
        f"{first['stage']} rise from {first['estimate']:,.0f} per 10,000 children in the least "
        f"deprived tenth of neighbourhoods to {last['estimate']:,.0f} in the most deprived.",
        table,
        decimals=1,
    )


def _f2(stages: Answer, chain: Answer, flow: Flow) -> Finding:
    average = flow.national_mean
    gradients = per_stratum(
        stages,
        ["Gradient in an average authority"],
        sg.gradient(stages.fit),
        lambda outcome: [true.gradient_at(flow, outcome, average)],
    )
    pairs = [*zip(stages.strata[1:], stages.strata, strict=False)]
    pairs.append((stages.strata[-1], stages.strata[0]))
    tables = [gradients]
    for later, earlier in pairs:
        label = f"{stages.names[later]} over {lower(stages.names[earlier])}"
        ratio = sg.label_draws(
            sg.gradient(sg.stratum(stages.fit, later)).drop_vars("stratum")
            / sg.gradient(sg.stratum(stages.fit, earlier)).drop_vars("stratum"),
            estimand="ratio_of_gradients",
            units="ratio of rate ratios per 10 points of neighbourhood deprivation",
            reference=label,
            null=1.0,
        )
        truth = true.gradient_at(flow, stages.outcomes[later], average) / true.gradient_at(
            flow, stages.outcomes[earlier], average
        )
        tables.append(rows("Ratio of gradients", [label], ratio, [truth]))
    step = sg.gradient(chain.fit)
    along = per_stratum(
        chain, ["of those at the stage before"], step,
        lambda outcome: [true.gradient_at(flow, outcome, average)],
    )  # fmt: skip
    along["quantity"] = along["stage"] + ", " + along["quantity"]
    along.loc[0, "quantity"] = f"{chain.names[chain.strata[0]]}, of children"
    tables.append(along.assign(stage="Where the gradient is added: each step's own"))
    product = sg.label_draws(
        step.prod("stratum"),
        estimand="gradient",
        units=step.attrs["units"],
        reference="all steps multiplied",
        null=1.0,
    )
    truth = float(
        np.prod([true.gradient_at(flow, one, average) for one in chain.outcomes.values()])
    )
    last = chain.names[chain.strata[-1]]
    tables.append(
        rows(
            tables[-1]["stage"].iloc[0], [f"All steps multiplied: {lower(last)}"], product, [truth]
        )
    )
    first, final = gradients.iloc[0], gradients.iloc[-1]
    return Finding(
        "F2",
        "The gradient is steeper at later stages of intervention.",
        "Rate ratio per 10 points of neighbourhood deprivation, average authority.",
        f"In an averagely deprived authority, a neighbourhood with 10 percentage points more "
        f"children in low-income families has {change(final, 'more', 'fewer')} "
        f"{lower(final['stage'])}, and {change(first, 'more', 'fewer')} {lower(first['stage'])}. "
        "Most of the gradient is there at referral; the later steps add to it.",
        pd.concat(tables, ignore_index=True),
    )


def _f3(stages: Answer, flow: Flow) -> Finding:
    table = pd.concat(
        [
            per_stratum(
                stages,
                ["Neighbourhoods as deprived as their authority"],
                sg.between(stages.fit),
                lambda outcome: [true.between(flow, outcome)],
            ),
            per_stratum(
                stages,
                ["Whole authorities, as published rates compare them"],
                sg.between(stages.fit, scale="rates"),
                lambda outcome: [true.between_rates(flow, outcome)],
            ),
        ]
    )
    table = in_blocks(table, stages)
    whole = table[table["quantity"].str.startswith("Whole")].iloc[0]
    return Finding(
        "F3",
        "More deprived authorities have higher rates.",
        "Rate ratio per 10 points of authority deprivation.",
        f"An authority that is 10 points more deprived than another has rates of "
        f"{lower(whole['stage'])} that are {change(whole, 'higher', 'lower')}.",
        table,
    )


def _f4(stages: Answer, flow: Flow) -> Finding:
    table = inverse_intervention(stages, flow)
    middle = table.iloc[1]
    return Finding(
        "F4",
        "At equal neighbourhood deprivation, more deprived authorities have LOWER rates.",
        "Rate ratio of the more over the less deprived authority; below 1 is the inverse\n"
        "intervention effect. At the national 10th, 50th and 90th percentile of\n"
        "neighbourhoods, and between the 90th and 10th percentile of authorities.",
        "Two neighbourhoods are equally deprived (the national middle). The one in the authority "
        f"that is 10 points more deprived has {change(middle, 'more', 'fewer')} "
        f"{lower(middle['stage'])} among its children.",
        table,
    )


def _f5(stages: Answer, flow: Flow) -> Finding:
    means = authority_means(flow.frame)
    own = sg.gradient(stages.fit, target="each")
    tables = [
        per_stratum(
            stages,
            ["Ratio of gradients, authorities 10 points apart"],
            sg.steepening(stages.fit),
            lambda outcome: [true.steepening(flow, outcome)],
        ),
        per_stratum(
            stages,
            [f"Gradient in an authority of {100 * mean:.0f}%" for mean in means],
            sg.gradient(stages.fit, authority_mean=means),
            lambda outcome: [true.gradient_at(flow, outcome, mean) for mean in means],
        ),
    ]
    for share, words in ((0.1, "flatter"), (0.9, "steeper")):
        label = f"A tenth of the authorities are {words} than"
        limit = sg.label_draws(
            own.quantile(share, "authority").drop_vars("quantile"),
            estimand=f"gradient_{words}",
            units=own.attrs["units"],
            reference=label,
            null=1.0,
        )
        tables.append(
            per_stratum(
                stages,
                [label],
                limit,
                partial(_own_quantile, flow, share),
            )
        )
    table = in_blocks(pd.concat(tables), stages)
    last = table[table["stage"] == stages.names[stages.strata[-1]]]
    return Finding(
        "F5",
        "The gradient is steeper in affluent authorities.",
        "Rate ratio per 10 points of neighbourhood deprivation, at the 10th, 50th and\n"
        "90th percentile of authorities, and how much authorities differ.",
        f"Per 10 points of neighbourhood deprivation there are "
        f"{change(last.iloc[1], 'more', 'fewer')} {lower(last['stage'].iloc[0])} in an affluent "
        f"authority ({100 * means[0]:.0f}% deprived) and {change(last.iloc[3], 'more', 'fewer')} "
        f"in a deprived one ({100 * means[2]:.0f}%).",
        table,
    )


def _f6(groups: Sequence[Answer], flow: Flow) -> Finding:
    average = flow.national_mean
    tables, steepest = [], []
    for answer in groups:
        block = per_stratum(
            answer,
            ["Gradient"],
            sg.gradient(answer.fit),
            lambda outcome: [true.gradient_at(flow, outcome, average)],
        )
        by = next(iter(answer.outcomes.values())).by or ""
        block["quantity"] = block["stage"]
        tables.append(block.assign(stage=GROUP_WORDS[by]))
        top = int(block["estimate"].argmax())
        name = lower(block["quantity"].iloc[top], keep=by)
        steepest.append(f"{name} ({block['estimate'].iloc[top]:.2f})")
    return Finding(
        "F6",
        "Gradients are steepest for younger children, White children and neglect.",
        "Rate ratio per 10 points of neighbourhood deprivation, average authority.",
        f"The steepest gradients are those of {', '.join(steepest[:-1])} and, among plans by "
        f"category of abuse, {steepest[-1]}.",
        pd.concat(tables, ignore_index=True),
    )


#: Heading of the block of each kind of group.
GROUP_WORDS = {
    "age": "Referrals by age",
    "ethnicity": "Referrals by ethnicity",
    "need": "Episodes of need by assessed need",
    "category": "Child protection plans by category of abuse",
}


def _f7(returns: Answer, flow: Flow) -> Finding:
    average = flow.national_mean
    draws = sg.gradient(returns.fit)
    table = per_stratum(
        returns, ["Gradient"], draws, lambda outcome: [true.gradient_at(flow, outcome, average)]
    )
    closing = draws.sel(stratum="closed").drop_vars("stratum")
    longer = sg.label_draws(
        1 / closing,
        estimand="ratio_of_durations",
        units="ratio of mean durations per 10 points of neighbourhood deprivation",
        reference="a constant closing rate, or a steady state",
        null=1.0,
    )
    truth = 1 / true.gradient_at(flow, returns.outcomes["closed"], average)
    table["quantity"] = table["stage"].map(RETURN_WORDS)
    table = pd.concat(
        [
            table,
            rows(
                returns.names["closed"],
                ["Mean duration, at a constant closing rate"],
                longer,
                [truth],
            ),
        ]
    )
    table = in_blocks(table, returns)
    # Closures, durations, re-referrals, repeat plans.
    longer_row, again = table.iloc[1], table.iloc[2]
    return Finding(
        "F7",
        "Children from deprived neighbourhoods have longer involvement, and return more often.",
        "Rate ratio per 10 points of neighbourhood deprivation, average authority.",
        "Per 10 points of neighbourhood deprivation, cases stay open "
        f"{change(longer_row, 'longer', 'shorter')}, and {change(again, 'more', 'fewer')} of the "
        "closed cases are referred again within twelve months.",
        table,
    )


#: Which rate a gradient is of.
RETURN_WORDS = {
    "Closures": "Closures, per month open",
    "Re-referrals": "Re-referrals within 12 months, of closed cases",
    "Repeat plans": "Repeat plans, of plans started",
}


def _f8(returns: Answer, flow: Flow) -> Finding:
    table = inverse_intervention(returns, flow)
    table = table[table["stage"] != returns.names["closed"]].reset_index(drop=True)
    again, plans = (
        table[table["stage"] == returns.names[name]].iloc[1]
        for name in ("rereferral", "repeat_plan")
    )
    return Finding(
        "F8",
        "At equal neighbourhood deprivation, returns are most frequent in affluent authorities.",
        "Rate ratio of the more over the less deprived authority; below 1: more frequent in\n"
        "affluent ones. Places and pairs of authorities as in F4.",
        "At equal neighbourhood deprivation (the national middle), in the authority that is 10 "
        f"points more deprived re-referrals are {change(again, 'more frequent', 'less frequent')} "
        f"and repeat plans {change(plans, 'more frequent', 'less frequent')}.",
        table,
    )


def inverse_intervention(answer: Answer, flow: Flow) -> pd.DataFrame:
    """The contrast per 10 points, and between a deprived and an affluent authority."""
    half, average = flow.per / 2, flow.national_mean
    affluent, _, deprived = authority_means(flow.frame)
    tables = []
    for label, means, ratio in (
        (
            "authorities 10 points apart",
            (average - half, average + half),
            sg.inverse_intervention(answer.fit),
        ),
        (
            f"authorities of {100 * deprived:.0f}% over {100 * affluent:.0f}%",
            (affluent, deprived),
            sg.inverse_intervention(answer.fit, authority_quantiles=(0.1, 0.9)),
        ),
    ):
        places = ratio["deprivation"].to_numpy()
        tables.append(
            per_stratum(
                answer,
                [f"Neighbourhoods of {100 * x:.0f}%, {label}" for x in places],
                ratio,
                partial(_at_places, flow, places.tolist(), means),
            )
        )
    return in_blocks(pd.concat(tables), answer)


def _own_quantile(flow: Flow, share: float, outcome: Outcome) -> list[float]:
    """Quantile over the authorities of their true gradients."""
    return [float(true.own_gradients(flow, outcome).quantile(share))]


def _at_places(
    flow: Flow, places: list[float], means: tuple[float, float], outcome: Outcome
) -> list[float]:
    """True ratio of two authorities at some deprivations of the neighbourhood."""
    return [
        true.inverse_intervention(flow, outcome, deprivation=x, authority_means=means)
        for x in places
    ]


def own_gradients(stages: Answer, flow: Flow) -> pd.DataFrame:
    """Each authority's own gradient at each stage, with the truth."""
    own = sg.gradient(stages.fit, target="each")
    labels = own["authority"].to_numpy().tolist()
    table = per_stratum(
        stages,
        labels,
        own,
        lambda outcome: true.own_gradients(flow, outcome).loc[labels].tolist(),
    )
    return table.rename(columns={"quantity": "authority"})


def rows(
    stage: str, labels: Sequence[str], draws: xr.DataArray, truth: Sequence[float]
) -> pd.DataFrame:
    """Summarise draws as rows of a finding: estimate, 95% interval, truth."""
    summary = sg.summarise(draws, prob=0.95)
    return pd.DataFrame(
        {
            "stage": stage,
            "quantity": labels,
            "estimate": summary["estimate"].to_numpy(),
            "lower_95": summary["lower"].to_numpy(),
            "upper_95": summary["upper"].to_numpy(),
            "truth": truth,
        }
    )


def per_stratum(
    answer: Answer,
    labels: Sequence[str],
    draws: xr.DataArray,
    truth: Callable[[Outcome], Sequence[float]],
) -> pd.DataFrame:
    """Rows of every stratum, one block each."""
    return pd.concat(
        [
            rows(
                answer.names[one],
                labels,
                draws.sel(stratum=one).drop_vars("stratum"),
                truth(answer.outcomes[one]),
            )
            for one in answer.strata
        ],
        ignore_index=True,
    )


def in_blocks(table: pd.DataFrame, answer: Answer) -> pd.DataFrame:
    """Bring the rows of each stratum together, in the strata's order."""
    order = list(answer.names.values())
    return table.sort_values(
        "stage", key=lambda names: names.map(order.index), kind="stable", ignore_index=True
    )


def authority_means(frame: pd.DataFrame) -> list[float]:
    """Deprivation of the authorities in which the 10th, 50th and 90th child of 100 lives."""
    by_authority = frame["authority"]
    children = frame["children"].groupby(by_authority).sum()
    means = (frame["deprivation"] * frame["children"]).groupby(by_authority).sum() / children
    return [float(mean) for mean in weighted_quantile(means, children, (0.1, 0.5, 0.9))]


def covers(table: pd.DataFrame) -> pd.Series:
    """Whether each interval holds the truth."""
    return table["truth"].between(table["lower_95"], table["upper_95"])


def change(row: pd.Series, more: str, less: str) -> str:
    """How far a ratio is from 1, in words, with its interval: 62% more (57% to 68%)."""
    low, middle, high = (100 * (row[name] - 1) for name in ("lower_95", "estimate", "upper_95"))
    if low < 0 < high:
        return f"{abs(middle):.0f}% {more if middle > 0 else less} ({low:+.0f}% to {high:+.0f}%)"
    ends = sorted((abs(low), abs(high)))
    word = more if middle > 0 else less
    return f"{abs(middle):.0f}% {word} ({ends[0]:.0f}% to {ends[1]:.0f}%)"


def lower(name: str, keep: str = "") -> str:
    """A name within a sentence; groups of ethnicity keep their capital, ages have a word more."""
    if keep == "ethnicity":
        return f"{name} children"
    if keep == "age":
        return f"children aged {name}"
    return name[0].lower() + name[1:]
