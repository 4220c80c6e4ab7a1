"""Observed counts of the PyMC graph of one stratum: what its likelihood reads."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from socgrad.model import likelihoods
from socgrad.model.gradient_model import GradientModel
from socgrad.nuts.observed import Shifts, draw_areas, draw_totals, observe
from socgrad.nuts.pymc_quietly import pt

__all__ = ["observe_counts", "observe_totals", "shifted"]

type Variable = Any  # PyTensor's variables carry no useful static types.


def shifted(data: dict[str, Variable], kind: str, shifts: Shifts) -> tuple[Variable, Variable]:
    """What columns of areas add to level and slope of cells, rows or nodes; 0 where nothing."""
    level, slope, departure = (
        (data[f"{kind}_{name}"] * coefficient).sum(axis=-1)
        if coefficient is not None and f"{kind}_{name}" in data
        else 0.0
        for name, coefficient in (
            ("covariate", shifts.covariate),
            ("area_moderator", shifts.area_moderator),
            ("departure", shifts.departure),
        )
    )
    if shifts.departure is not None and f"{kind}_departure_slope" in data:
        slope += (data[f"{kind}_departure_slope"] * shifts.departure).sum()
    return level + departure, slope


def observe_counts(
    model: GradientModel,
    data: dict[str, Variable],
    level: Variable,
    slope: Variable,
    spread: Variable | None,
    *,
    shifts: Shifts,
) -> None:
    """Neighbourhood counts, observed; `spread` is that of the gamma factors, if there are any."""
    j, i = data["count_authority"], data["row_authority"]
    rows = {name: data[name] for name in ("row_within", "row_log_exposure")}
    of_row, of_cell = shifted(data, "row", shifts), shifted(data, "count", shifts)
    rows |= {"row_level": level[i] + of_row[0], "row_slope": slope[i] + of_row[1]}
    statistics = {"level": level[j] + of_cell[0], "slope": slope[j] + of_cell[1]}
    statistics |= {n: data[f"count_{n}"] for n in ("events", "events_within", "constant")}
    density: Callable[..., Variable] = likelihoods.poisson_counts
    if spread is None:
        statistics |= {n: data[f"count_{n}"] for n in ("node_within", "node_exposure")}
        if "count_node_departure" in data:  # of a spline, which bends within cells
            at_nodes = data["count_node_departure"] * shifts.departure
            of_events = data["count_events_departure"] * shifts.departure
            statistics |= {"node_level": at_nodes.sum(axis=-1), "events_level": of_events.sum()}
    elif model.localities:
        density = likelihoods.locality_counts
        statistics |= _of_localities(data, level, slope, shifts)
        statistics["locality_sd"] = spread
        rows["row_locality"] = data["row_locality"]
    else:
        density = likelihoods.negative_binomial_counts
        statistics |= {
            n: data[n] for n in ("row_events", "distinct_events", "distinct_rows")
        } | rows
        statistics["overdispersion"] = spread

    observe(
        "events",
        statistics | rows,
        density=density,
        density_names=tuple(statistics),
        draw=draw_areas,
        observed=model.areas.events[model.areas.counted],
        dim="counted_area",
        core="n",
    )


def _of_localities(
    data: dict[str, Variable], level: Variable, slope: Variable, shifts: Shifts
) -> dict[str, Variable]:
    """What the likelihood of localities needs besides that of cells."""
    j = data["locality_authority"]
    made = {"locality_level": level[j], "locality_slope": slope[j]}
    made |= {n: data[n] for n in ("locality_events", "distinct_events", "distinct_rows")}
    made |= {f"locality_{n}": data[f"locality_node_{n}"] for n in ("within", "exposure")}
    added = shifted(data, "locality_node", shifts)
    if shifts.covariate is not None or shifts.departure is not None:
        made["locality_node_level"] = added[0]
    if shifts.area_moderator is not None:
        made["locality_node_slope"] = added[1]
    return made


def observe_totals(
    model: GradientModel,
    data: dict[str, Variable],
    level: Variable,
    slope: Variable,
    spread: Variable | None,
    *,
    shifts: Shifts,
) -> None:
    """Authority totals, observed; `spread` is that of the gamma factors, if there are any."""
    j = data["sum_authority"]
    statistics = {"level": level[j], "slope": slope[j]}
    statistics |= {
        n: data[f"sum_{n}"] for n in ("events", "node_within", "node_exposure", "constant")
    }
    density: Callable[..., Variable] = likelihoods.poisson_totals
    if spread is not None:
        density = functools.partial(likelihoods.negative_binomial_totals, log_gamma=pt.gammaln)
        statistics["overdispersion"] = spread
        for name in ("within", "exposure"):
            statistics[f"square_{name}"] = data[f"square_node_{name}"]
    kinds = ("node",) if spread is None else ("node", "square")
    for kind, nodes in zip(kinds, ("sum_node", "square_node"), strict=False):
        added = shifted(data, nodes, shifts)
        if shifts.covariate is not None or shifts.departure is not None:
            statistics[f"{kind}_level"] = added[0]
        if shifts.area_moderator is not None:
            statistics[f"{kind}_slope"] = added[1]

    observed = model.areas.total_events
    observe(
        "total_events",
        statistics,
        density=density,
        density_names=tuple(statistics),
        draw=draw_totals,
        observed=observed[~np.isnan(observed)],
        dim="total_authority",
        core="c",
    )
