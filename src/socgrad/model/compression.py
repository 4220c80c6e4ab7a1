"""The arrays of a model: what summaries need of the areas, and the likelihood's statistics.

The first (`constants`) go into the fit, where summaries read them. The second (`likelihood_data`)
are used for fitting only: sums of events per authority and Gauss rules of its exposures, from which
`socgrad.laws` computes likelihoods without loss. Both hold the position of each
authority along dim `authority`, so a table may mix areas with counts, authorities with totals, and
authorities with neither.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.special import gammaln

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.laws.gamma_factors import distinct
from socgrad.localities import area_pairs
from socgrad.model.constraint_data import constraint_data
from socgrad.model.departure_cells import (
    area_columns,
    cell_columns,
    count_departures,
    intervals,
    is_smooth,
    sum_departures,
)
from socgrad.model.gradient_model import GradientModel
from socgrad.model.kernel_data import has_data, kernel_data, kernels_of_totals
from socgrad.model.shared_factors import shared_counts, without_closed_form
from socgrad.quadrature import GaussRules, chosen_rules
from socgrad.schema import CONSTANTS, DEPARTURES, DESIGNS, LEVELS, NAMES

__all__ = [
    "SLOPE_RANGE",
    "area_cells",
    "constants",
    "curve_error",
    "likelihood_data",
    "quadrature_error",
]

type Variables = dict[str, tuple[tuple[str, ...], npt.ArrayLike]]

#: Log rate ratios per 10 points for which the compressed exposures are exact: 0.08 to 12.
SLOPE_RANGE: Final = (-2.5, 2.5)


def constants(model: GradientModel) -> xr.Dataset:
    """The constants of `socgrad.schema`, labelled by area, authority and names of covariates."""
    areas = model.areas
    within_part, between_part = model.within_part, model.between_part
    values = {
        "authority_of_area": areas.authority_of_area,
        "deprivation": areas.deprivation,
        "children": areas.children,
        "exposure": areas.exposure,
        "within_part": within_part,
        "has_data": has_data(areas).astype(np.int64),
        "authority_mean": areas.authority_mean,
        "between_part": between_part,
        "national_mean": areas.national_mean,
        "per": areas.per,
    }
    variables = {
        name: (dims, values[name], {"long_name": meaning})
        for name, (dims, meaning) in CONSTANTS.items()
    }
    coords = {"area": areas.area.to_numpy(), "authority": areas.authority.to_numpy()}
    levels = []
    if len(areas.locality):
        coords["locality"] = areas.locality.to_numpy()
        levels += ["locality_of_area", "authority_of_locality"]
    if model.regions:
        coords["region"] = areas.region.to_numpy()
        levels += ["region_of_authority"]
    for name in levels:
        dims, meaning = LEVELS[name]
        variables[name] = (dims, getattr(areas, name), {"long_name": meaning})
    for name, (dims, meaning) in NAMES.items():
        if len(held := getattr(areas, name)):
            variables[name] = (dims, held, {"long_name": meaning})
    for name, columns in model.designs.named.items():
        if columns.names:
            coords[name] = np.array(columns.names, dtype=object)
        if columns.names and name != "departure":
            dims, meaning = DESIGNS[f"{name}_design"]
            variables[f"{name}_design"] = (dims, columns.matrix, {"long_name": meaning})
    # Columns of departures follow from deprivation, of these areas and of others.
    if (made := model.departures) is not None:
        places = "departure_knots" if made.is_spline else "departure_edges"
        for name, held in ((places, made.places), ("departure_weights", made.weights)):
            dims, meaning = DEPARTURES[name]
            variables[name] = (dims, held, {"long_name": meaning})
    return xr.Dataset(variables, coords=coords)


def likelihood_data(model: GradientModel) -> xr.Dataset:
    """Statistics and Gauss rules of the model's likelihood.

    Returns
    -------
    xarray.Dataset
        `count_*` (dim counted_cell) and `row_*` (dim counted_area) of the neighbourhood counts,
        `sum_*` (dim total_authority) of the authority totals, either left out where there are none;
        `prior_intercept`. A cell is an authority, or the areas of one that share their covariates
        (and their tenth of deprivation, where the gradient is in steps; of a spline, where the
        counts are Poisson, the interval between its knots); `*_covariate`, `*_area_moderator` and
        `*_departure` are columns of cells, rows and nodes. `locality_*` (dim counted_locality) are
        the counts and rules of localities, if they are in the model; `distinct_events` (distinct
        numbers of events) and `distinct_rows` (how many share each) are then of theirs. Attributes
        `quadrature_error` and `slope_range` state for which slopes the compression is exact.
    """
    areas = model.areas
    within_part = model.within_part
    slopes = _slope_range(areas.per)
    # A spline adds to the slope: room for that, too.
    nominal, slopes = slopes, _wider(slopes, 1.4 if is_smooth(model) else 1.0)
    data: Variables = {}
    rules: list[GaussRules] = []
    shared = without_closed_form(model)

    if areas.counted.any():
        rows = areas.counted
        first, cell = area_cells(model, rows)
        rule = chosen_rules(
            cell, within_part[rows], areas.exposure[rows], cells=len(first), slopes=slopes
        )
        rules.append(rule)
        data |= _counts(areas.events[rows], within_part[rows], areas.exposure[rows], cell)
        data |= _rule("count", "counted_cell", rule)
        data["count_authority"] = (("counted_cell",), areas.authority_of_area[first])
        data["row_authority"] = (("counted_area",), areas.authority_of_area[rows])
        for name, values in cell_columns(model).items():
            data[f"count_{name}"] = (("counted_cell", name), values[first])
        for name, values in area_columns(model).items():
            data[f"row_{name}"] = (("counted_area", name), values[rows])
        data |= count_departures(model, rows, areas.authority_of_area[first], rule)
        if (rows & ~shared).any() and model.localities:
            of_localities, rule = _locality_counts(model, rows & ~shared, slopes)
            data |= of_localities
            rules.append(rule)
    data |= kernel_data(areas)
    data |= shared_counts(model)
    if (areas.known & ~areas.counted).any() or areas.has_both.any():
        data |= _coarsened_counts(model, slopes)
    constraints, constraint_error = constraint_data(model, slopes)
    data |= constraints
    if (areas.totals_known & ~areas.has_both).any():
        totals, of_totals = _totals(model, slopes)
        data |= totals
        rules += of_totals
    data["prior_intercept"] = (("moment",), model.intercept_prior)
    return xr.Dataset(
        data,
        attrs={
            "slope_range": list(nominal),
            "quadrature_error": max((rule.error for rule in rules), default=0.0),
            **({"constraint_error": constraint_error} if constraints else {}),
        },
    )


def quadrature_error(model: GradientModel, data: xr.Dataset, slopes: tuple[float, float]) -> float:
    """Largest relative error of the compressed exposures at the two slopes named.

    Parameters
    ----------
    model : GradientModel
        The specification.
    data : xarray.Dataset
        Its likelihood data.
    slopes : tuple of float
        Log rate ratios per step.
    """
    areas = model.areas
    within_part = model.within_part
    worst = 0.0
    closed = areas.counted & ~without_closed_form(model) if model.localities else areas.counted
    for kind, rows in (
        ("count", closed),
        ("sum", (areas.totals_known & ~areas.has_both)[areas.authority_of_area]),
    ):
        if f"{kind}_authority" not in data:
            continue
        nodes = "locality" if kind == "count" and model.localities else kind
        if f"{nodes}_node_within" not in data:
            continue
        at, mass = (data[f"{nodes}_node_{name}"].to_numpy() for name in ("within", "exposure"))
        if nodes == "locality":
            cell = np.unique(areas.locality_of_area[rows], return_inverse=True)[1].astype(np.int64)
        elif kind == "count":
            _, cell = area_cells(model, rows)
        else:
            authority = data["sum_authority"].to_numpy()
            cell = np.searchsorted(authority, areas.authority_of_area[rows])
        # Areas without exposure have no share in any sum.
        held = areas.exposure[rows] > 0
        position, exposure, cell = within_part[rows][held], areas.exposure[rows][held], cell[held]
        for slope in slopes:
            # Over the largest term of each cell: slopes that nobody believes must not overflow.
            exponent = slope * position
            largest = np.full(len(at), -np.inf)
            np.maximum.at(largest, cell, exponent)
            terms = exposure * np.exp(exponent - largest[cell])
            exact = np.bincount(cell, terms, minlength=len(at))
            reached = (mass * np.exp(slope * at - largest[:, None])).sum(axis=1)
            worst = max(worst, float(np.max(np.abs(reached / exact - 1))))
    return worst


def curve_error(
    model: GradientModel, data: xr.Dataset, slope: FloatArray, coefficient: FloatArray
) -> float:
    """Largest relative error of the compressed exposures along a spline; 0 of other shapes.

    Parameters
    ----------
    model : GradientModel
        The specification.
    data : xarray.Dataset
        Its likelihood data.
    slope : ndarray, shape (draws, authorities)
        Some draws of each authority's log rate ratio per step.
    coefficient : ndarray, shape (draws, departures)
        The same draws of the coefficients of the departure from the line.
    """
    if not is_smooth(model) or "count_node_departure" not in data:
        return 0.0
    areas, rows = model.areas, model.areas.counted
    _, cell = area_cells(model, rows)
    of = areas.authority_of_area[rows]
    within_part, columns = model.within_part[rows], model.designs.departures.matrix[rows]
    home, at, mass, at_nodes = (
        data[f"count_{name}"].to_numpy()
        for name in ("authority", "node_within", "node_exposure", "node_departure")
    )
    worst = 0.0
    for steep, bent in zip(slope, coefficient, strict=True):
        rate = np.exp(steep[of] * within_part + columns @ bent)
        exact = np.bincount(cell, areas.exposure[rows] * rate, minlength=len(home))
        reached = (mass * np.exp(steep[home][:, None] * at + at_nodes @ bent)).sum(axis=1)
        worst = max(worst, float(np.max(np.abs(reached / exact - 1))))
    return worst


def area_cells(model: GradientModel, rows: BoolArray) -> tuple[IntArray, IntArray]:
    """Sort areas into cells: one per authority, and per pattern of columns of areas inside it.

    Parameters
    ----------
    model : GradientModel
        The specification.
    rows : ndarray of bool, shape (areas,)
        The areas to sort.

    Returns
    -------
    first : ndarray of int, shape (cells,)
        Position of one area of each cell, sorted by authority.
    cell : ndarray of int
        The cell of each of `rows`.
    """
    chosen = np.flatnonzero(rows)
    columns = [values[chosen] for values in cell_columns(model).values()]
    columns += [values[chosen] for values in intervals(model)]
    first, cell = _cells(model.areas.authority_of_area[chosen], columns)
    return chosen[first], cell


def _cells(home: IntArray, columns: list[FloatArray]) -> tuple[IntArray, IntArray]:
    """Sort rows into cells, by home and by pattern of the columns inside it."""
    if columns:
        pattern = np.unique(np.hstack(columns), axis=0, return_inverse=True)[1].ravel()
        home = home * (int(pattern.max()) + 1) + pattern
    _, first, cell = np.unique(home, return_index=True, return_inverse=True)
    return first.astype(np.int64), cell.astype(np.int64)


def _coarsened_counts(model: GradientModel, slopes: tuple[float, float]) -> Variables:
    """Areas whose count was published in a coarser form, such as an interval.

    `known_*` is the Gauss rule, by authority, of all areas about whose count something is known.
    Areas of authorities with a known total are part of it, but not among the `coarsened_*`; nor are
    those that share a locality's factor.
    """
    areas = model.areas
    assert areas.coarsened is not None
    home = areas.authority_of_area
    constrained = areas.has_both[home] & (areas.counted | areas.within_bounds)
    at = np.flatnonzero(areas.known & ~areas.counted & ~constrained & ~without_closed_form(model))
    known = areas.known | constrained
    authority, cell = np.unique(home[known], return_inverse=True)
    within, exposure = model.within_part[known], areas.exposure[known]
    rule = chosen_rules(cell, within, exposure, cells=len(authority), slopes=slopes)
    return {
        **_rule("known", "known_authority", rule),
        "known_authority": (("known_authority",), authority),
        "coarsened_position": (("coarsened_area",), at),
        "coarsened_authority": (("coarsened_area",), home[at]),
        "coarsened_within": (("coarsened_area",), model.within_part[at]),
        "coarsened_log_exposure": (("coarsened_area",), np.log(areas.exposure[at])),
        "coarsened_kernel": (("coarsened_area",), areas.coarsened.kernel[at]),
    }


def _locality_counts(
    model: GradientModel, chosen: BoolArray, slopes: tuple[float, float]
) -> tuple[Variables, GaussRules]:
    """Counts of localities of the chosen areas, and the Gauss rules of their exposures."""
    areas, rows = model.areas, np.flatnonzero(chosen)
    columns = {name: values[rows] for name, values in area_columns(model).items()}
    present, locality = np.unique(areas.locality_of_area[rows], return_inverse=True)
    first, cell = _cells(locality, list(columns.values()))
    rule = chosen_rules(
        cell, model.within_part[rows], areas.exposure[rows], cells=len(first), slopes=slopes
    )
    events = np.bincount(locality, areas.events[rows])
    numbers, many = distinct(events)
    data = _side_by_side(
        "locality",
        rule,
        locality[first],
        {name: values[first] for name, values in columns.items()},
        dim="counted_locality",
    )
    data |= {
        "locality_events": (("counted_locality",), events),
        "locality_authority": (("counted_locality",), areas.authority_of_locality[present]),
        "row_locality": (("locality_area",), locality),
        "distinct_events": (("number",), numbers),
        "distinct_rows": (("number",), many),
    }
    return data, rule


def _totals(
    model: GradientModel, slopes: tuple[float, float]
) -> tuple[Variables, list[GaussRules]]:
    """Totals of authorities, with the Gauss rules of their exposures and of squares of these."""
    areas, within_part = model.areas, model.within_part
    authority = np.flatnonzero(areas.totals_known & ~areas.has_both)
    rows = np.isin(areas.authority_of_area, authority)
    first, cell = area_cells(model, rows)
    events = areas.total_events[authority]
    exact = ~np.isnan(events)
    exposure = areas.exposure[rows]
    rule = chosen_rules(cell, within_part[rows], exposure, cells=len(first), slopes=slopes)
    of = np.searchsorted(authority, areas.authority_of_area[first])
    columns = {name: values[first] for name, values in cell_columns(model).items()}
    data = _side_by_side("sum", rule, of, columns, dim="total_authority")
    data |= sum_departures(model, authority, data)
    squares, square = _squares(model, rows, slopes)
    data |= squares
    data["sum_authority"] = (("total_authority",), authority)
    data["sum_events"] = (("total_authority",), events)
    data["sum_constant"] = ((), -gammaln(events[exact] + 1).sum())
    if not exact.all():
        data["sum_kernel"] = (("total_authority",), kernels_of_totals(areas)[authority])
    return data, [rule, square]


def _squares(
    model: GradientModel, rows: BoolArray, slopes: tuple[float, float]
) -> tuple[Variables, GaussRules]:
    """Gauss rules of squared exposures that share a gamma factor, by authority with a total.

    Exposure squared pairs with twice the log rate (the variance of a sum of counts); of localities,
    products of the exposures of two areas pair with the sum of their log rates.
    """
    areas = model.areas
    chosen = np.flatnonzero(rows)
    authority = areas.authority_of_area[chosen]
    within_part, weight = model.within_part[chosen], areas.exposure[chosen] ** 2
    columns = {name: values[chosen] for name, values in area_columns(model).items()}
    if model.localities:
        pairs = area_pairs(areas.locality_of_area[chosen])
        authority = authority[pairs.first]
        within_part, weight = pairs.mean(within_part), pairs.weight(areas.exposure[chosen])
        columns = {name: pairs.mean(values) for name, values in columns.items()}
    first, cell = _cells(authority, list(columns.values()))
    twice = 2 * slopes[0], 2 * slopes[1]
    square = chosen_rules(cell, within_part, weight, cells=len(first), slopes=twice)
    of = np.unique(authority, return_inverse=True)[1][first].astype(np.int64)
    its = {name: values[first] for name, values in columns.items()}
    return _side_by_side("square", square, of, its, dim="total_authority"), square


def _side_by_side(
    kind: str, rule: GaussRules, row: IntArray, columns: dict[str, FloatArray], *, dim: str
) -> Variables:
    """Nodes of all cells of an authority, or of a locality, in one row; zero weights dropped.

    `row` is the place of each cell along `dim`, from 0 and without gaps; `columns` have a row per
    cell.
    """
    cell, node = np.nonzero(rule.weight > 0)
    of = row[cell]
    size = np.bincount(of)
    order = np.argsort(of, kind="stable")
    cell, node, of = cell[order], node[order], of[order]
    at = np.arange(len(of)) - (np.cumsum(size) - size)[of]
    shape = (len(size), int(size.max()))
    position, weight = np.zeros(shape), np.zeros(shape)
    position[of, at] = rule.position[cell, node]
    weight[of, at] = rule.weight[cell, node]
    dims = (dim, f"{kind}_node")
    data: Variables = {
        f"{kind}_node_within": (dims, position),
        f"{kind}_node_exposure": (dims, weight),
    }
    for name, values in columns.items():
        spread = np.zeros((*shape, values.shape[1]))
        spread[of, at] = values[cell]
        data[f"{kind}_node_{name}"] = ((*dims, name), spread)
    return data


def _slope_range(per: float) -> tuple[float, float]:
    return SLOPE_RANGE[0] * per / 0.10, SLOPE_RANGE[1] * per / 0.10


def _wider(slopes: tuple[float, float], times: float) -> tuple[float, float]:
    return times * slopes[0], times * slopes[1]


def _rule(kind: str, dim: str, rule: GaussRules) -> Variables:
    return {
        f"{kind}_node_within": ((dim, f"{kind}_node"), rule.position),
        f"{kind}_node_exposure": ((dim, f"{kind}_node"), rule.weight),
    }


def _counts(
    events: FloatArray, within_part: FloatArray, exposure: FloatArray, cell: IntArray
) -> Variables:
    """Sums per authority, and the rows that the negative binomial still needs one by one."""
    numbers, many = distinct(events)
    return {
        "count_events": (("counted_cell",), np.bincount(cell, events)),
        "count_events_within": (("counted_cell",), np.bincount(cell, events * within_part)),
        "count_constant": ((), float((events * np.log(exposure) - gammaln(events + 1)).sum())),
        "row_events": (("counted_area",), events),
        "row_within": (("counted_area",), within_part),
        "row_log_exposure": (("counted_area",), np.log(exposure)),
        "distinct_events": (("number",), numbers),
        "distinct_rows": (("number",), many),
    }
