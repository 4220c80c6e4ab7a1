"""What `briefing.py` should find: the truth of each finding, from the parameters simulated with.

A real table has no truth, so an analysis to copy from is `briefing.py` alone. Nothing here reads a
fit: each value comes from the simulation's own parameters and effects through the equation of
`socgrad.predictor`, and is of the same quantity that the briefing estimates.
"""

import numpy as np
import pandas as pd

from socgrad.predictor import authority_level, authority_slope, log_rate
from socgrad.ranks import quantile_groups
from socgrad.simulation.england import Simulation

__all__ = [
    "between",
    "between_rates",
    "gradient_at",
    "inverse_intervention",
    "own_gradients",
    "rate_by_decile",
    "steepening",
]


def rate_by_decile(simulation: Simulation, stage: str) -> list[float]:
    """Expected events per 10,000 children in each tenth of neighbourhoods, least deprived first."""
    areas = _areas(simulation, stage)
    log_rates = log_rate(areas["level"], areas["slope"], areas["within_part"])
    decile = quantile_groups(areas["deprivation"], areas["children"], 10)
    events = (areas["children"] * np.exp(log_rates)).groupby(decile).sum()
    children = areas["children"].groupby(decile).sum()
    return [float(rate) for rate in 10_000 * events / children]


def gradient_at(simulation: Simulation, stage: str, authority_mean: float) -> float:
    """Rate ratio per 10 points within an authority of this mean deprivation, no effects."""
    truth = _parameters(simulation, stage)
    b = (authority_mean - simulation.national_mean) / simulation.per
    return float(np.exp(authority_slope(truth["within"], truth["cross_level"], b, 0.0)))


def own_gradients(simulation: Simulation, stage: str) -> pd.Series:
    """Rate ratio per 10 points within each authority, indexed by authority."""
    effects = simulation.effects[simulation.effects["stage"] == stage]
    return effects.set_index("authority")["gradient"]


def between(simulation: Simulation, stage: str) -> float:
    """Rate ratio per 10 points of authority deprivation, neighbourhoods at authority means."""
    return float(np.exp(_parameters(simulation, stage)["between"]))


def between_rates(simulation: Simulation, stage: str) -> float:
    """Rate ratio per 10 points of authority deprivation, whole authorities without effects."""
    truth = _parameters(simulation, stage)
    areas = _areas(simulation, stage)
    b = areas["between_part"]
    level = authority_level(truth["intercept"], truth["between"], truth["curvature"], b, 0.0)
    slope = authority_slope(truth["within"], truth["cross_level"], b, 0.0)
    areas["events"] = areas["children"] * np.exp(log_rate(level, slope, areas["within_part"]))
    authorities = areas.groupby("authority").agg(
        events=("events", "sum"), children=("children", "sum"), b=("between_part", "first")
    )
    log_rates = np.log(authorities["events"] / authorities["children"])
    # polyfit squares its weights.
    weights = np.sqrt(authorities["children"])
    return float(np.exp(np.polyfit(authorities["b"], log_rates, 1, w=weights)[0]))


def inverse_intervention(
    simulation: Simulation,
    stage: str,
    *,
    deprivation: float,
    authority_means: tuple[float, float],
) -> float:
    """Rate ratio of the second over the first authority at equal neighbourhood deprivation."""
    truth = _parameters(simulation, stage)
    log_rates = []
    for mean in authority_means:
        b = (mean - simulation.national_mean) / simulation.per
        level = authority_level(truth["intercept"], truth["between"], truth["curvature"], b, 0.0)
        slope = authority_slope(truth["within"], truth["cross_level"], b, 0.0)
        log_rates.append(log_rate(level, slope, (deprivation - mean) / simulation.per))
    return float(np.exp(log_rates[1] - log_rates[0]))


def steepening(simulation: Simulation, stage: str) -> float:
    """Ratio of the gradients of two authorities 10 points apart."""
    return float(np.exp(_parameters(simulation, stage)["cross_level"]))


def _parameters(simulation: Simulation, stage: str) -> dict[str, float]:
    """Parameters of a stage by name, as in `socgrad.Truth`."""
    values = simulation.truth.loc[stage].to_numpy(dtype=float)
    return {str(name): float(value) for name, value in zip(simulation.truth, values, strict=True)}


def _areas(simulation: Simulation, stage: str) -> pd.DataFrame:
    """Every area with the level and slope of its authority, and its within part in steps."""
    effects = simulation.effects[simulation.effects["stage"] == stage].set_index("authority")
    columns = ["authority_mean", "between_part", "level", "slope"]
    areas = simulation.frame.join(effects[columns], on="authority")
    areas["within_part"] = (areas["deprivation"] - areas["authority_mean"]) / simulation.per
    return areas
