"""Observed counts of a PyMC graph, of one stratum or several: what its likelihood reads."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from socgrad.arrays import FloatArray
from socgrad.laws import localities, negative_binomial, poisson
from socgrad.nuts.lines import AuthorityLines
from socgrad.nuts.observed import SHAPES, draw_areas, draw_totals, observe

__all__ = ["observe_counts", "observe_totals"]

type Variable = Any  # PyTensor's variables carry no useful static types.

# Each stratum has a spread of its own: as many numbers as counts, localities or totals.
_BY_AREA: Final = {"overdispersion": "n", "locality_sd": "g"}
_BY_TOTAL: Final = {"overdispersion": "c"}


def observe_counts(data: dict[str, Variable], lines: AuthorityLines, observed: FloatArray) -> None:
    """Neighbourhood counts, one stratum after the other.

    Parameters
    ----------
    data
        The graph's data, by name.
    lines
        Levels and slopes.
    observed
        The counts, in the order of `row_authority`.
    """
    j, i = data["count_authority"], data["row_authority"]
    spread, of_row, of_cell = lines.spread, lines.shifted(data, "row"), lines.shifted(data, "count")
    rows = {name: data[name] for name in ("row_within", "row_log_exposure")}
    rows |= {"row_level": lines.level[i] + of_row[0], "row_slope": lines.slope[i] + of_row[1]}
    statistics = {"level": lines.level[j] + of_cell[0], "slope": lines.slope[j] + of_cell[1]}
    statistics |= {n: data[f"count_{n}"] for n in ("events", "events_within", "constant")}
    density: Callable[..., Variable] = poisson.counts
    if spread is None:
        statistics |= {n: data[f"count_{n}"] for n in ("node_within", "node_exposure")}
        if "count_node_departure" in data:  # of a spline, which bends within cells
            bent = lines.shifts.departure
            at_nodes = data["count_node_departure"] * lines.along(bent, j)
            of_events = data["count_events_departure"] * bent
            statistics |= {"node_level": at_nodes.sum(axis=-1), "events_level": of_events.sum()}
    elif "locality_events" in data:
        density = localities.counts
        statistics |= _of_localities(data, lines) | _of_numbers(data, lines)
        rows["row_locality"] = data["row_locality"]
    else:
        statistics |= _of_numbers(data, lines)
        rows["overdispersion"] = lines.own(spread, i)
        density = negative_binomial.counts
        statistics |= rows | {"row_events": data["row_events"]}
    observe(
        "events",
        statistics | rows,
        density=density,
        density_names=tuple(statistics),
        draw=draw_areas,
        observed=observed,
        dim="counted_area",
        core="n",
        shapes=_shapes(lines, _BY_AREA),
    )


def _shapes(lines: AuthorityLines, several: Mapping[str, str]) -> Mapping[str, str]:
    """Core dimensions of what a likelihood takes."""
    return SHAPES if lines.strata == 1 else {**SHAPES, **several}


def _of_numbers(data: dict[str, Variable], lines: AuthorityLines) -> dict[str, Variable]:
    """Distinct numbers of events, with the spread of the stratum that each is of."""
    made = {n: data[n] for n in ("distinct_events", "distinct_rows")}
    if lines.strata > 1:
        assert lines.spread is not None
        made["number_spread"] = lines.spread[data["number_stratum"]]
    return made


def _of_localities(data: dict[str, Variable], lines: AuthorityLines) -> dict[str, Variable]:
    """What the likelihood of localities needs besides that of cells."""
    j = data["locality_authority"]
    made = {"locality_level": lines.level[j], "locality_slope": lines.slope[j]}
    made |= {"locality_sd": lines.own(lines.spread, j), "locality_events": data["locality_events"]}
    made |= {f"locality_{n}": data[f"locality_node_{n}"] for n in ("within", "exposure")}
    return made | _nodes_shifted(data, lines, "locality_node", "locality_node")


def _nodes_shifted(
    data: dict[str, Variable], lines: AuthorityLines, kind: str, name: str
) -> dict[str, Variable]:
    """What columns of areas add at nodes, as far as there are such columns."""
    level, slope = lines.shifted(data, kind)
    made = {f"{name}_level": level} if lines.shifts.of_level else {}
    return made | ({f"{name}_slope": slope} if lines.shifts.of_slope else {})


def observe_totals(data: dict[str, Variable], lines: AuthorityLines, observed: FloatArray) -> None:
    """Authority totals, one stratum after the other.

    Parameters
    ----------
    data, lines, observed
        As for `observe_counts`; the totals in the order of `sum_authority`.
    """
    j, kinds = data["sum_authority"], {"node": "sum_node"}
    statistics = {"level": lines.level[j], "slope": lines.slope[j]}
    names = ("events", "node_within", "node_exposure", "constant")
    statistics |= {n: data[f"sum_{n}"] for n in names}
    density: Callable[..., Variable] = poisson.totals
    if lines.spread is not None:
        density = negative_binomial.totals
        statistics["overdispersion"] = lines.own(lines.spread, j)
        for name in ("within", "exposure"):
            statistics[f"square_{name}"] = data[f"square_node_{name}"]
        kinds["square"] = "square_node"
    for name, nodes in kinds.items():
        statistics |= _nodes_shifted(data, lines, nodes, name)
    observe(
        "total_events",
        statistics,
        density=density,
        density_names=tuple(statistics),
        draw=draw_totals,
        observed=observed,
        dim="total_authority",
        core="c",
        shapes=_shapes(lines, _BY_TOTAL),
    )
