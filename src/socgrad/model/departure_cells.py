"""Departures from a log-linear gradient in the compressed likelihood: what makes a cell of areas.

Inside a cell departures are one value (of steps, but for a slope that all cells share), or one
polynomial between two knots of a spline, which is taken at the nodes of the cell's exposure.
"""

import numpy as np
import numpy.typing as npt

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.model.gradient_model import GradientModel
from socgrad.quadrature import GaussRules

__all__ = [
    "area_columns",
    "cell_columns",
    "count_departures",
    "intervals",
    "is_smooth",
    "sum_departures",
]

type Variables = dict[str, tuple[tuple[str, ...], npt.ArrayLike]]


def count_departures(
    model: GradientModel, rows: BoolArray, authority: IntArray, rule: GaussRules
) -> Variables:
    """What departures are inside cells of counts, besides what is one value in each."""
    if _is_in_steps(model):
        return {"count_departure_slope": (("departure",), _slope_inside(model))}
    if not is_smooth(model):
        return {}
    at_nodes = _at_nodes(model, authority, rule.position)
    summed = model.areas.events[rows] @ model.designs.departures.matrix[rows]
    return {
        "count_node_departure": (("counted_cell", "count_node", "departure"), at_nodes),
        "count_events_departure": (("departure",), summed),
    }


def sum_departures(model: GradientModel, authority: IntArray, data: Variables) -> Variables:
    """Departures at the nodes of authorities known as totals, of which `data` has the rest."""
    at = np.asarray(data["sum_node_within"][1], dtype=np.float64)
    if is_smooth(model):
        columns = _at_nodes(model, authority, at)
    elif _is_in_steps(model):
        of_cells = np.asarray(data["sum_node_departure"][1], dtype=np.float64)
        columns = of_cells + at[..., None] * _slope_inside(model)
    else:
        return {}
    return {"sum_node_departure": (("total_authority", "sum_node", "departure"), columns)}


def area_columns(model: GradientModel) -> dict[str, FloatArray]:
    """Design matrices of areas, those there are, by the dim of their columns."""
    made = model.designs.named
    names = ("covariate", "area_moderator", "departure")
    return {name: made[name].matrix for name in names if made[name].names}


def cell_columns(model: GradientModel) -> dict[str, FloatArray]:
    """Those of them that are one value in all areas of a cell; of steps, where w is 0."""
    columns = area_columns(model)
    if is_smooth(model):
        del columns["departure"]
    elif _is_in_steps(model):
        # Equal in equal tenths of one authority to the last bit, so that they share a cell.
        areas, made = model.areas, model.departures
        assert made is not None
        home = areas.authority_of_area
        pooled = model.deprivation != "split"
        origin = np.full(len(home), areas.national_mean) if pooled else areas.authority_mean[home]
        tenth = made.tenth_of(areas.deprivation) - 1
        columns["departure"] = made.weights[tenth] + origin[:, None] * made.tilt
    return columns


def _is_in_steps(model: GradientModel) -> bool:
    """Whether departures are steps, with a slope inside them that is the same everywhere."""
    return model.departures is not None and not model.departures.is_spline


def _slope_inside(model: GradientModel) -> FloatArray:
    """What each column of steps adds to the slope inside tenths, per step of deprivation."""
    assert model.departures is not None
    return model.areas.per * model.departures.tilt


def is_smooth(model: GradientModel) -> bool:
    """Whether departures vary within cells: of a spline, where no gamma factor needs its rows."""
    made = model.departures
    has_factor = model.family != "poisson" or model.localities
    return made is not None and made.is_spline and not has_factor


def _at_nodes(model: GradientModel, authority: IntArray, position: FloatArray) -> FloatArray:
    """Columns of departures at the nodes of some authorities' exposure, (rows, nodes, columns)."""
    areas, made = model.areas, model.departures
    assert made is not None
    pooled = model.deprivation != "split"
    origin = areas.national_mean if pooled else areas.authority_mean[authority][:, None]
    return made.at(origin + areas.per * position)


def intervals(model: GradientModel) -> list[FloatArray]:
    """The interval between knots in which each area lies, (areas, 1), if it makes cells.

    There a spline is one polynomial, which Gauss rules reproduce.
    """
    if model.departures is None or not is_smooth(model):
        return []
    at = np.searchsorted(model.departures.places, model.areas.deprivation)
    return [at[:, None].astype(np.float64)]
