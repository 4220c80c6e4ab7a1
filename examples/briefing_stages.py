"""Findings F1-F5 of `briefing.py`: rates, gradients and authorities, stage by stage."""

from functools import partial

import numpy as np
import pandas as pd

import briefing_truth as true
import socgrad as sg
from briefing_tables import (
    Answer,
    Finding,
    authority_means,
    change,
    in_blocks,
    lower,
    per_stratum,
    rows,
)
from briefing_truth import Outcome
from socgrad.simulation.flow import Flow

__all__ = [
    "ALIKE",
    "STEPS",
    "at_equal_deprivation",
    "between_authorities",
    "correlations",
    "gradients_by_stage",
    "inverse_intervention",
    "rates",
    "steepening",
]

#: Blocks of F2.
STEPS = "Where the gradient is added: each step of the way"
ALIKE = "Correlation of authorities' own gradients, at two stages"
SHARES = "Share of the log gradient of plans"


def rates(stages: Answer, flow: Flow) -> Finding:
    """F1: rates by tenth of neighbourhoods."""
    labels = [f"Tenth {n}" for n in range(1, 11)]
    labels[0], labels[-1] = "Tenth 1 (least deprived)", "Tenth 10 (most deprived)"
    table = per_stratum(
        stages,
        labels,
        sg.rates.rate_by_group(stages.fit),
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


def gradients_by_stage(stages: Answer, chain: Answer, flow: Flow) -> Finding:
    """F2: gradients by stage, their ratios, and where along the way they are added."""
    gradients = per_stratum(
        stages,
        ["Gradient in an average authority"],
        sg.gradient(stages.fit),
        lambda outcome: [_gradient(flow, outcome)],
    )
    first, final = gradients.iloc[0], gradients.iloc[-1]
    alike = correlations(stages, flow)
    table = pd.concat(
        [gradients, _ratios(stages, flow), _way(chain, flow), alike], ignore_index=True
    )
    share = table.loc[table["stage"] == SHARES, "estimate"].iloc[0]
    return Finding(
        "F2",
        "The gradient is steeper at later stages of intervention.",
        "Rate ratio per 10 points of neighbourhood deprivation, average authority.",
        f"In an averagely deprived authority, a neighbourhood with 10 percentage points more "
        f"children in low-income families has {change(final, 'more', 'fewer')} "
        f"{lower(final['stage'])}, and {change(first, 'more', 'fewer')} {lower(first['stage'])}. "
        f"{100 * share:.0f}% of the gradient of plans (on the log scale) is there at referral; the "
        f"later steps add the rest.{_steep_again(stages, alike)}",
        table,
    )


def _ratios(stages: Answer, flow: Flow) -> pd.DataFrame:
    """Ratios of gradients: stage over the stage before, and the last over the first."""
    first, *_, last = stages.strata
    pairs = [*zip(stages.strata[1:], stages.strata, strict=False), (last, first)]
    over = [sg.compare_gradients(stages.fit, over="previous"), sg.compare_gradients(stages.fit)]
    tables = []
    for place, (later, earlier) in enumerate(pairs):
        ratio = over[place == len(pairs) - 1].sel(stratum=later).drop_vars("stratum")
        truth = _gradient(flow, stages.outcomes[later]) / _gradient(flow, stages.outcomes[earlier])
        label = f"{stages.names[later]} over {lower(stages.names[earlier])}"
        tables.append(rows("Ratios of gradients (intervals too wide)", [label], ratio, [truth]))
    return pd.concat(tables)


def _way(chain: Answer, flow: Flow) -> pd.DataFrame:
    """Where along the way to a plan the gradient is added, from the chain of stages."""
    names = list(chain.names.values())
    way = sg.stages.gradient_by_step(chain.fit)
    steps = np.array([_gradient(flow, outcome) for outcome in chain.outcomes.values()])
    labels = [f"{names[0]}, of children", *(f"{name}, of the stage before" for name in names[1:])]
    whole = way["population_gradient"].sel(stratum=chain.strata[1:])
    shares = np.log(steps) / np.log(steps).sum()
    return pd.concat(
        [
            rows(STEPS, labels, way["step_gradient"], steps.tolist()),
            rows(
                "All steps so far multiplied: among all children",
                names[1:],
                whole,
                np.cumprod(steps)[1:].tolist(),
            ),
            rows(SHARES, names, way["share_of_gradient"], shares.tolist()),
        ]
    )


def correlations(stages: Answer, flow: Flow) -> pd.DataFrame:
    """Correlations of authorities' gradients at two stages; none if stages were fitted apart."""
    if "slope_correlation" not in stages.fit["posterior"]:
        return pd.DataFrame()
    draws = sg.stages.stratum_correlations(stages.fit)["slope_correlation"]
    pairs = list(zip(*(draws[name].to_numpy() for name in ("stratum", "stratum_bis")), strict=True))
    return rows(
        ALIKE,
        [f"{stages.names[one]}, {lower(stages.names[other])}" for one, other in pairs],
        draws,
        [true.slope_correlation(flow, *(stages.outcomes[name] for name in pair)) for pair in pairs],
    )


def _steep_again(stages: Answer, alike: pd.DataFrame) -> str:
    """Whether an authority that is steep at the first stage is steep at the last."""
    if alike.empty:
        return ""
    # Pairs of the first stage come first: the last of them is with the last stage.
    row = alike.iloc[len(stages.strata) - 2]
    return (
        f" Authorities that are steep at {lower(stages.names[stages.strata[0]])} are steep at "
        f"{lower(stages.names[stages.strata[-1]])} too: correlation {row['estimate']:.2f} "
        f"({row['lower_95']:.2f} to {row['upper_95']:.2f})."
    )


def _gradient(flow: Flow, outcome: Outcome) -> float:
    """True gradient in an average authority."""
    return true.gradient_at(flow, outcome, flow.national_mean)


def between_authorities(stages: Answer, flow: Flow) -> Finding:
    """F3: rates of more and less deprived authorities."""
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


def inverse_intervention(stages: Answer, flow: Flow) -> Finding:
    """F4: authorities compared at equal neighbourhood deprivation."""
    table = at_equal_deprivation(stages, flow)
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


def steepening(stages: Answer, flow: Flow) -> Finding:
    """F5: gradients of more and less deprived authorities."""
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
        limit = sg.tables.label_draws(
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


def _own_quantile(flow: Flow, share: float, outcome: Outcome) -> list[float]:
    """Quantile over the authorities of their true gradients."""
    return [float(true.own_gradients(flow, outcome).quantile(share))]


def at_equal_deprivation(answer: Answer, flow: Flow) -> pd.DataFrame:
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


def _at_places(
    flow: Flow, places: list[float], means: tuple[float, float], outcome: Outcome
) -> list[float]:
    """True ratio of two authorities at some deprivations of the neighbourhood."""
    return [
        true.inverse_intervention(flow, outcome, deprivation=x, authority_means=means)
        for x in places
    ]
