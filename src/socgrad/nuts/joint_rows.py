"""What the likelihood of the joint graph reads: counts of all strata, one after the other."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.model.gradient_model import GradientModel

__all__ = ["KINDS", "OF_AREAS", "joint_rows"]

type Variables = dict[str, tuple[tuple[str, ...], np.ndarray]]

#: Columns of areas, by the dims that name them: those of the level, and of the slope.
OF_AREAS = ("covariate", "area_moderator")
#: Beginnings of the names of what is as long as the table is.
KINDS = ("count_", "sum_", "square_", "area_", "number_", "factor_")


def joint_rows(models: Sequence[GradientModel], data: Sequence[xr.Dataset]) -> Variables:
    """Sums, Gauss rules and counts of all strata.

    Parameters
    ----------
    models : sequence of GradientModel
        One per stratum, of one geography and the same terms.
    data : sequence of xarray.Dataset
        Their likelihood data.

    Returns
    -------
    dict
        `count_*` (authorities with counts), `area_*` (their areas) and `sum_*` (authorities with
        totals), `*_cell` being the position of stratum and authority in an array of shape (stratum,
        authority); with `*_covariate` and `*_area_moderator`, columns of cells, areas and nodes,
        where there are any. Of the negative binomial also `square_*`, the rules of squared exposure
        of totals; `number_*`, distinct numbers of events of a stratum, and how many rows have each;
        and `factor_*`, areas by stratum, authority and events, `factor_first` saying where those of
        each begin.
    """
    authorities = len(models[0].areas.authority)
    made: Variables = {}
    for kind, theirs, names in (
        ("count", "count", ("events", "events_within")),
        ("sum", "sum", ("events",)),
        ("area", "row", ("within", "log_exposure", "events")),
    ):
        parts = [(s, each) for s, each in enumerate(data) if f"{theirs}_authority" in each]
        if not parts:
            continue
        cells = [s * authorities + each[f"{theirs}_authority"].to_numpy() for s, each in parts]
        made[f"{kind}_cell"] = ((f"{kind}_row",), np.concatenate(cells))
        for name in names:
            values = np.concatenate([each[f"{theirs}_{name}"].to_numpy() for _, each in parts])
            made[f"{kind}_{name}"] = ((f"{kind}_row",), values)
        for name in OF_AREAS:
            columns = [each[f"{theirs}_{name}"] for _, each in parts if f"{theirs}_{name}" in each]
            if columns:
                made[f"{kind}_{name}"] = ((f"{kind}_row", name), np.concatenate(columns))
        if kind != "area":
            constant = sum(float(each[f"{kind}_constant"]) for _, each in parts)
            made[f"{kind}_constant"] = ((), np.array(constant))
            made |= _nodes(kind, f"{kind}_row", data)
    if models[0].family == "negative_binomial":
        made |= _nodes("square", "sum_row", data)
        made |= _numbers(data)
        if "area_cell" in made:
            made |= _by_events(made, len(models) * authorities)
    return made


def _nodes(kind: str, row: str, data: Sequence[xr.Dataset]) -> Variables:
    """Gauss rules, if there are any."""
    made: Variables = {}
    for name in ("within", "exposure", *OF_AREAS):
        node = f"{kind}_node_{name}"
        parts = [each[node].to_numpy() for each in data if node in each]
        if parts:
            dims = (row, f"{kind}_node", name)[: parts[0].ndim]
            made[node] = (dims, _stacked(parts))
    return made


def _stacked(parts: list[FloatArray]) -> FloatArray:
    """Nodes of all strata: those of no exposure fill up rows that have fewer."""
    width = max(each.shape[1] for each in parts)
    filled = []
    for each in parts:
        room = [(0, 0)] * each.ndim
        room[1] = (0, width - each.shape[1])
        filled.append(np.pad(each, room))
    return np.concatenate(filled)


def _numbers(data: Sequence[xr.Dataset]) -> Variables:
    """Distinct numbers of events of each stratum, and how many rows have each."""
    parts = [(s, each) for s, each in enumerate(data) if "distinct_events" in each]
    if not parts:
        return {}
    stratum = np.concatenate([np.full(each.sizes["number"], s) for s, each in parts])
    numbers, many = (
        np.concatenate([each[name].to_numpy() for _, each in parts])
        for name in ("distinct_events", "distinct_rows")
    )
    row = ("number_row",)
    return {
        "number_stratum": (row, stratum),
        "number_events": (row, numbers),
        "number_many": (row, many),
    }


def _by_events(made: Variables, cells: int) -> Variables:
    """Areas in the order in which `socgrad.nuts.overdispersed` reads them."""
    cell, events, within, log_exposure = (
        made[f"area_{name}"][1] for name in ("cell", "events", "within", "log_exposure")
    )
    order = np.lexsort((events, cell))
    row = ("factor_row",)
    return {
        "factor_first": (("factor_end",), np.searchsorted(cell[order], np.arange(cells + 1))),
        "factor_events": (row, events[order]),
        "factor_within": (row, within[order]),
        "factor_exposure": (row, np.exp(log_exposure[order])),
    }
