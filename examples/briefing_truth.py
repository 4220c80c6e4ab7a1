"""What `briefing.py` should find: the truth of each finding, from the England that is simulated.

A real table has no truth, so an analysis to copy from leaves this out. Nothing here reads a fit:
each value comes from the simulation's expected numbers, and is of the same quantity that the
briefing estimates. See docs/simulated_england.md for what is exact and what is a projection.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from socgrad.predictor import authority_level, authority_slope, log_rate
from socgrad.ranks import quantile_groups
from socgrad.simulation.flow import Flow
from socgrad.simulation.groups import GROUPS

__all__ = [
    "Outcome",
    "between",
    "between_rates",
    "gradient_at",
    "inverse_intervention",
    "own_gradients",
    "rate_by_decile",
    "slope_correlation",
    "steepening",
]


@dataclass(frozen=True)
class Outcome:
    """What a stratum counts: a column of events over a column of exposure, of one group or all."""

    events: str
    exposure: str = "children"
    by: str | None = None
    group: str | None = None


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


def slope_correlation(flow: Flow, one: Outcome, other: Outcome) -> float:
    """Correlation, over the authorities, of their own log gradients at equal deprivation."""
    effects = flow.effects.set_index(["stage", "authority"])["slope_effect"]
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
    flow: Flow, outcome: Outcome, *, deprivation: float, authority_means: tuple[float, float]
) -> float:
    """Rate ratio of the second over the first authority at equal neighbourhood deprivation."""
    line = _line(flow, outcome)
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
    by = [] if outcome.by is None else [outcome.by]
    lines = flow.truth_of(outcome.events, exposure=outcome.exposure, by=by)
    groups = [outcome.events] if outcome.by is None else list(GROUPS[outcome.by])
    return lines.iloc[groups.index(outcome.group or outcome.events)]


def _expected(flow: Flow, name: str, outcome: Outcome, *, effects: bool = True) -> np.ndarray:
    """Expected number of a column, of the outcome's group, in each area."""
    if outcome.by is None:
        return flow.expected.column(name, effects=effects)
    numbers = flow.expected.column(name, (outcome.by,), effects=effects)
    return numbers[:, list(GROUPS[outcome.by]).index(outcome.group or "")]
