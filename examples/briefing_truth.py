"""What `briefing.py` should find: the truth of each finding, from the England that is simulated.

A real table has no truth, so an analysis to copy from leaves this out. Nothing here reads a fit:
each value comes from the simulation's expected numbers, and is of the same quantity that the
briefing estimates. See docs/simulated_england.md for what is exact and what is a projection.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
import pandas as pd

from socgrad.predictor import authority_level, authority_slope, log_rate
from socgrad.ranks import quantile_groups, weighted_quantile
from socgrad.simulation.flow import Flow
from socgrad.simulation.groups import GROUPS

__all__ = [
    "Outcome",
    "between",
    "between_rates",
    "effect_correlation",
    "gradient_at",
    "inverse_intervention",
    "own_gradients",
    "rate_by_decile",
    "steepening",
    "truth_of",
]


@dataclass(frozen=True)
class Outcome:
    """What a stratum counts: a column of events over a column of exposure, of one group or all."""

    events: str
    exposure: str = "children"
    by: str | None = None
    group: str | None = None


def truth_of(
    flow: Flow, question: str, outcomes: Mapping[str, Outcome], *, bends: bool
) -> list[float]:
    """Truths of a page's table, row by row; none of a question that has none here.

    Parameters
    ----------
    flow
        The simulated England.
    question
        Of `socgrad.report`.
    outcomes
        What each stratum counts, in the order of the fit.
    bends
        Whether the model's gradients bend as this England's do. Otherwise the truth of its lines is
        what they come to with ever more data.
    """
    if question == "steps":
        return _steps(flow, list(outcomes.values()))
    if question == "alike":
        pairs = list(combinations(outcomes.values(), 2))
        return [
            effect_correlation(flow, *pair, effect=effect)
            for effect in ("level_effect", "slope_effect")
            for pair in pairs
        ]
    if question == "comparison":
        first, *others = (gradient_at(flow, one, flow.national_mean) for one in outcomes.values())
        return [other / first for other in others]
    of_one: dict[str, Callable[[Outcome], list[float]]] = {
        "rates": lambda one: rate_by_decile(flow, one),
        "gradient": lambda one: [gradient_at(flow, one, flow.national_mean)],
        "shape": lambda one: _halves(flow, one),
        "between": lambda one: [between_rates(flow, one), between(flow, one)],
        "contextual": lambda one: _contextual(flow, one, bends=bends),
        "steepening": lambda one: [
            *(gradient_at(flow, one, mean) for mean in _authority_means(flow)),
            steepening(flow, one),
        ],
    }
    if question not in of_one:
        return []
    return [value for one in outcomes.values() for value in of_one[question](one)]


def _steps(flow: Flow, outcomes: list[Outcome]) -> list[float]:
    """Of each step: what it multiplies the gradient by, the product so far, its share."""
    steps = np.array([gradient_at(flow, one, flow.national_mean) for one in outcomes])
    table = np.column_stack([steps, np.cumprod(steps), np.log(steps) / np.log(steps).sum()])
    return [float(value) for value in table.ravel()]


def _places(flow: Flow) -> list[float]:
    """Deprivation of the neighbourhoods of the 10th, 50th and 90th of a hundred children."""
    x, children = (flow.frame[name].to_numpy() for name in ("deprivation", "children"))
    return [float(place) for place in weighted_quantile(x, children, (0.1, 0.5, 0.9))]


def _authority_means(flow: Flow) -> list[float]:
    """Deprivation of the authorities of the 10th, 50th and 90th of a hundred children."""
    parts = flow.expected.parts
    children = np.bincount(parts.authority_of_area, weights=parts.children)
    means = weighted_quantile(parts.authority_mean, children, (0.1, 0.5, 0.9))
    return [float(mean) for mean in means]


def _halves(flow: Flow, outcome: Outcome) -> list[float]:
    """Of a bent rate: gradients below and above the 50th percentile, and the first over the second.

    They go from the 10th percentile to the 50th, and from there to the 90th.
    """
    places = np.array(_places(flow))
    bend = np.interp(places, *_bend(flow))
    slope = flow.expected.stages[outcome.events].truth.within
    steps = np.diff(places) / flow.per
    below, above = np.exp(slope + np.diff(bend) / steps)
    return [float(ratio) for ratio in (below, above, below / above)]


def _bend(flow: Flow) -> tuple[np.ndarray, np.ndarray]:
    """Deprivation in ascending order, and how far log rates lie off their lines there."""
    x = flow.frame["deprivation"].to_numpy()
    order = np.argsort(x)
    return x[order], np.log(flow.expected.relief[order])


def _contextual(flow: Flow, outcome: Outcome, *, bends: bool) -> list[float]:
    half, average = flow.per / 2, flow.national_mean
    means = (average - half, average + half)
    return [
        inverse_intervention(flow, outcome, deprivation=x, authority_means=means, bends=bends)
        for x in _places(flow)
    ]


def rate_by_decile(flow: Flow, outcome: Outcome) -> list[float]:
    """Expected events per 10,000 in each tenth of neighbourhoods, least deprived first."""
    tenth = quantile_groups(flow.frame["deprivation"], flow.frame["children"], 10)
    events, exposure = (
        pd.Series(_expected(flow, name, outcome)).groupby(tenth).sum()
        for name in (outcome.events, outcome.exposure)
    )
    return [float(rate) for rate in 10_000 * events / exposure]


def gradient_at(flow: Flow, outcome: Outcome, authority_mean: float) -> float:
    """Rate ratio per 10 points within an authority of this mean deprivation, no effects."""
    line = _line(flow, outcome)
    b = (authority_mean - flow.national_mean) / flow.per
    return float(np.exp(authority_slope(line["within"], line["cross_level"], b, 0.0)))


def own_gradients(flow: Flow, outcome: Outcome) -> pd.Series:
    """Rate ratio per 10 points within each authority, indexed by authority."""
    by = [] if outcome.by is None else [outcome.by]
    own = flow.effects_of(outcome.events, exposure=outcome.exposure, by=by)
    if outcome.by is not None:
        own = own[own[outcome.by] == outcome.group]
    return own.set_index("authority")["gradient"]


def effect_correlation(flow: Flow, one: Outcome, other: Outcome, *, effect: str) -> float:
    """Correlation, over the authorities, of their own levels or log gradients, deprivation equal.

    Parameters
    ----------
    flow
        The simulated England.
    one, other
        Two stages.
    effect
        "level_effect" or "slope_effect".
    """
    effects = flow.effects.set_index(["stage", "authority"])[effect]
    return float(effects.loc[one.events].corr(effects.loc[other.events]))


def between(flow: Flow, outcome: Outcome) -> float:
    """Rate ratio per 10 points of authority deprivation, neighbourhoods at authority means."""
    return float(np.exp(_line(flow, outcome)["between"]))


def between_rates(flow: Flow, outcome: Outcome) -> float:
    """Rate ratio per 10 points of authority deprivation, whole authorities without effects."""
    parts = flow.expected.parts
    events, exposure = (
        np.bincount(parts.authority_of_area, weights=_expected(flow, name, outcome, effects=False))
        for name in (outcome.events, outcome.exposure)
    )
    # polyfit squares its weights.
    weights = np.sqrt(np.bincount(parts.authority_of_area, weights=parts.children))
    slope = np.polyfit(parts.between_part, np.log(events / exposure), 1, w=weights)[0]
    return float(np.exp(slope))


def inverse_intervention(
    flow: Flow,
    outcome: Outcome,
    *,
    deprivation: float,
    authority_means: tuple[float, float],
    bends: bool = False,
) -> float:
    """Rate ratio of the second over the first authority at equal neighbourhood deprivation."""
    # A bend is the same on both sides and cancels: what is left is of the lines that it bends.
    bent = vars(flow.expected.stages[outcome.events].truth) if bends else {}
    line = bent or _line(flow, outcome)
    log_rates = []
    for mean in authority_means:
        b = (mean - flow.national_mean) / flow.per
        level = authority_level(line["intercept"], line["between"], 0.0, b, 0.0)
        slope = authority_slope(line["within"], line["cross_level"], b, 0.0)
        log_rates.append(log_rate(level, slope, (deprivation - mean) / flow.per))
    return float(np.exp(log_rates[1] - log_rates[0]))


def steepening(flow: Flow, outcome: Outcome) -> float:
    """Ratio of the gradients of two authorities 10 points apart."""
    return float(np.exp(_line(flow, outcome)["cross_level"]))


def _line(flow: Flow, outcome: Outcome) -> "pd.Series[float]":
    """The true line of an average authority."""
    lines = _lines(flow, outcome.events, outcome.exposure, outcome.by)
    groups = [outcome.events] if outcome.by is None else list(GROUPS[outcome.by])
    return lines.iloc[groups.index(outcome.group or outcome.events)]


@lru_cache(maxsize=32)  # several questions ask for the same line, every group for those of all
def _lines(flow: Flow, events: str, exposure: str, by: str | None) -> pd.DataFrame:
    """True lines of an average authority, of every group."""
    return flow.truth_of(events, exposure=exposure, by=[] if by is None else [by])


def _expected(flow: Flow, name: str, outcome: Outcome, *, effects: bool = True) -> np.ndarray:
    """Expected number of a column, of the outcome's group, in each area."""
    if outcome.by is None:
        return flow.expected.column(name, effects=effects)
    numbers = flow.expected.column(name, (outcome.by,), effects=effects)
    return numbers[:, list(GROUPS[outcome.by]).index(outcome.group or "")]
