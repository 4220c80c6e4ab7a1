"""Observed counts of the joint graph: every stratum's in one compressed density."""

import functools
from collections.abc import Callable
from typing import Any, Final

from socgrad.arrays import FloatArray
from socgrad.model import likelihoods
from socgrad.nuts.joint_overdispersed import sharing_factors
from socgrad.nuts.observed import SHAPES, Shifts, draw_areas, draw_totals, observe
from socgrad.nuts.pymc_quietly import pt

__all__ = ["observe_joint_counts", "observe_joint_totals"]

type Variable = Any  # PyTensor's variables carry no useful static types.

# Each stratum has an overdispersion of its own: as many numbers as counts, or totals.
_BY_AREA: Final = {
    **SHAPES,
    "overdispersion": "n",
    "number_overdispersion": "m",
    "every_level": "e",
    "every_slope": "e",
    "every_overdispersion": "s",
    "factor_first": "f",
    "factor_events": "n",
    "factor_within": "n",
    "factor_exposure": "n",
}
_BY_TOTAL: Final = {**SHAPES, "overdispersion": "c"}
# Nodes of totals, as the likelihood and as the data call them.
_NODES: Final = {"node": "sum_node", "square": "square_node"}


def observe_joint_counts(
    data: dict[str, Variable],
    level: Variable,
    slope: Variable,
    *,
    overdispersion: Variable | None,
    shifts: Shifts,
    observed: FloatArray,
) -> None:
    """Neighbourhood counts of all strata, one stratum after the other.

    Parameters
    ----------
    data
        The graph's data, by name.
    level, slope
        Of every stratum and authority, one vector each.
    overdispersion
        Of every stratum; None where counts are Poisson.
    shifts
        Coefficients of columns of areas, a row for each stratum.
    observed
        The counts, in the order of `area_cell`.
    """
    cell, row = data["count_cell"], data["area_cell"]
    of_cell, of_row = (_shifted(data, kind, shifts) for kind in ("count", "area"))
    statistics = {"level": level[cell] + of_cell[0], "slope": slope[cell] + of_cell[1]}
    statistics |= {n: data[f"count_{n}"] for n in ("events", "events_within", "constant")}
    rows = {"row_level": level[row] + of_row[0], "row_slope": slope[row] + of_row[1]}
    rows |= {f"row_{name}": data[f"area_{name}"] for name in ("within", "log_exposure")}
    density: Callable[..., Variable] = likelihoods.poisson_counts
    if overdispersion is None:
        statistics |= {n: data[f"count_{n}"] for n in ("node_within", "node_exposure")}
    else:
        statistics["number_overdispersion"] = overdispersion[data["number_stratum"]]
        statistics |= {
            "distinct_events": data["number_events"],
            "distinct_rows": data["number_many"],
        }
        rows["overdispersion"] = overdispersion[_stratum(data, row)]
        if shifts.covariate is None and shifts.area_moderator is None:
            density = _counts_by_factors
            statistics |= {
                "every_level": level,
                "every_slope": slope,
                "every_overdispersion": overdispersion,
            }
            names = ("first", "events", "within", "exposure")
            statistics |= {f"factor_{name}": data[f"factor_{name}"] for name in names}
        else:
            density = likelihoods.negative_binomial_counts
            statistics |= rows | {"row_events": data["area_events"]}
    observe(
        "events",
        statistics | rows,
        density=density,
        density_names=tuple(statistics),
        draw=draw_areas,
        observed=observed,
        dim="area_row",
        core="n",
        shapes=_BY_AREA,
    )


def _counts_by_factors(
    level: Variable,
    slope: Variable,
    *,
    number_overdispersion: Variable,
    events: Variable,
    events_within: Variable,
    distinct_events: Variable,
    distinct_rows: Variable,
    constant: Variable,
    every_level: Variable,
    every_slope: Variable,
    every_overdispersion: Variable,
    factor_first: Variable,
    factor_events: Variable,
    factor_within: Variable,
    factor_exposure: Variable,
    xp: Any,
) -> Variable:
    """Negative binomial counts of areas that lie on their authority's line."""
    sums = likelihoods.negative_binomial_sums(
        level,
        slope,
        number_overdispersion,
        events=events,
        events_within=events_within,
        distinct_events=distinct_events,
        distinct_rows=distinct_rows,
        constant=constant,
        xp=xp,
    )
    return sums + sharing_factors(
        every_level,
        every_slope,
        every_overdispersion,
        first=factor_first,
        events=factor_events,
        within=factor_within,
        exposure=factor_exposure,
    )


def observe_joint_totals(
    data: dict[str, Variable],
    level: Variable,
    slope: Variable,
    *,
    overdispersion: Variable | None,
    shifts: Shifts,
    observed: FloatArray,
) -> None:
    """Authority totals of all strata, one stratum after the other.

    Parameters
    ----------
    data, level, slope, overdispersion, shifts, observed
        As for `observe_joint_counts`; the totals in the order of `sum_cell`.
    """
    cell = data["sum_cell"]
    statistics = {"level": level[cell], "slope": slope[cell]}
    statistics |= {
        n: data[f"sum_{n}"] for n in ("events", "node_within", "node_exposure", "constant")
    }
    density: Callable[..., Variable] = likelihoods.poisson_totals
    if overdispersion is not None:
        density = functools.partial(likelihoods.negative_binomial_totals, log_gamma=pt.gammaln)
        statistics["overdispersion"] = overdispersion[_stratum(data, cell)]
        for name in ("within", "exposure"):
            statistics[f"square_{name}"] = data[f"square_node_{name}"]
    kinds = {"node": "sum_node"} if overdispersion is None else _NODES
    for kind, nodes in kinds.items():
        added = _shifted(data, nodes, shifts)
        if shifts.covariate is not None:
            statistics[f"{kind}_level"] = added[0]
        if shifts.area_moderator is not None:
            statistics[f"{kind}_slope"] = added[1]
    observe(
        "total_events",
        statistics,
        density=density,
        density_names=tuple(statistics),
        draw=draw_totals,
        observed=observed,
        dim="sum_row",
        core="c",
        shapes=_BY_TOTAL,
    )


def _stratum(data: dict[str, Variable], cell: Variable) -> Variable:
    """The stratum of each cell."""
    return cell // data["between_part"].shape[0]


def _shifted(data: dict[str, Variable], kind: str, shifts: Shifts) -> tuple[Variable, Variable]:
    """What columns of areas add to level and slope of cells, areas or nodes; 0 where nothing."""
    of = _stratum(data, data[f"{kind.removesuffix('_node').replace('square', 'sum')}_cell"])
    added: list[Variable] = []
    for name, coefficient in (
        ("covariate", shifts.covariate),
        ("area_moderator", shifts.area_moderator),
    ):
        if coefficient is None:
            added.append(0.0)
            continue
        own = coefficient[of]
        own = own[:, None, :] if kind.endswith("_node") else own
        added.append((data[f"{kind}_{name}"] * own).sum(axis=-1))
    return added[0], added[1]
