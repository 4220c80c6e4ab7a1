"""From models to the rows of the block engine: those of all strata, sorted by authority."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.blocks.segments import (
    COARSENED,
    CONSTRAINT,
    LOCALITY,
    MASS,
    OVERDISPERSED,
    SHARED,
    TOTAL,
    Rows,
)
from socgrad.laws.gamma_factors import distinct
from socgrad.laws.kernels import Kernels, kernels_of
from socgrad.model.gradient_model import GradientModel
from socgrad.model.terms import Term

__all__ = ["CountsOfStrata", "counts_of"]


@dataclass(frozen=True, eq=False)
class CountsOfStrata:
    """The counts of all strata.

    Attributes
    ----------
    rows : Rows
        Their laws.
    offset, square_offset : ndarray
        Log exposures of rows and squares, of squares their own weights'.
    columns, square_columns : ndarray, shape (rows or squares, columns)
        What coefficients of areas multiply.
    stratum, square_stratum : ndarray of int
        The stratum of each row and square.
    linear_columns : ndarray, shape (strata, columns)
        Sums of events times columns.
    numbers, many : tuple of ndarray
        For each stratum, and in it for factors of areas and of localities, distinct numbers of
        events that share one, and how many rows (or localities) have each; empty where there are no
        factors, or where these are integrated out numerically.
    pairs : ndarray, shape (2 strata,)
        Pairs of events that share a gamma factor, of coarsened rows near enough: what tells of it.
    constant : float
        What of the log-likelihood depends on no parameter.
    """

    rows: Rows
    offset: FloatArray
    square_offset: FloatArray
    columns: FloatArray
    square_columns: FloatArray
    stratum: IntArray
    square_stratum: IntArray
    linear_columns: FloatArray
    numbers: tuple[FloatArray, ...]
    many: tuple[FloatArray, ...]
    pairs: FloatArray
    constant: float

    @property
    def has_columns(self) -> bool:
        """Whether areas differ by columns of their own."""
        return bool(self.columns.shape[1])


@dataclass(eq=False)
class _Segments:
    """Segments of one law and stratum, of any authorities; rows (and squares) by segment.

    `of` and `square_of` name the segment of each row and square.
    """

    kind: int
    stratum: int
    authority: IntArray
    events: FloatArray
    kernel: IntArray
    of: IntArray
    within: FloatArray
    log_exposure: FloatArray
    row_events: FloatArray
    row_kernel: IntArray
    columns: FloatArray
    square_of: IntArray
    square_within: FloatArray
    log_square: FloatArray
    square_columns: FloatArray


def counts_of(
    models: Sequence[GradientModel],
    terms: Sequence[dict[str, Term]],
    data: Sequence[xr.Dataset],
) -> CountsOfStrata:
    """Rows of every stratum's counts.

    Parameters
    ----------
    models : sequence of GradientModel
        One per stratum, of one geography.
    terms : sequence of dict
        Their terms.
    data : sequence of xarray.Dataset
        Their likelihood data.
    """
    strata, authorities = len(models), len(models[0].areas.authority)
    segments: list[_Segments] = []
    linear = np.zeros((authorities, strata, 2))
    is_total = np.zeros((authorities, strata), dtype=bool)
    linear_columns, constant = [], 0.0
    numbers: list[FloatArray] = []
    many: list[FloatArray] = []
    pairs = np.zeros((strata, 2))
    slopes = np.tile([-1.0, 1.0], (strata, 1))
    kernels = 0
    for stratum, (model, own, each) in enumerate(zip(models, terms, data, strict=True)):
        areas, counted = model.areas, model.areas.counted
        columns = _area_columns(own, len(areas.area))
        events = np.where(counted, areas.events, 0.0)
        linear_columns.append(events @ columns)
        home = areas.authority_of_area
        linear[:, stratum, 0] = np.bincount(home, events, authorities)
        linear[:, stratum, 1] = np.bincount(home, events * model.within_part, authorities)
        if "constraint_events" in each:
            constrained = each["constraint_authority"].to_numpy()
            linear[constrained, stratum, 0] += each["constraint_events"].to_numpy()
            slopes[stratum] = each["constraint_slopes"].to_numpy()
        for made in _segments(model, own, each, stratum):
            segments.append(made)
            if made.kind == TOTAL:
                is_total[made.authority, stratum] = True
            made.row_kernel = np.where(made.row_kernel >= 0, made.row_kernel + kernels, -1)
            made.kernel = np.where(made.kernel >= 0, made.kernel + kernels, -1)
        kernels += each.sizes.get("kernel", 0)
        for place, found in enumerate(_with_factors(model, each)):
            held, times = distinct(found)
            numbers.append(held)
            many.append(times)
            pairs[stratum, place] = (times * held * (held - 1.0)).sum()
        pairs[stratum] += _pairs_within_bounds(each)
        constant += sum(float(each[n]) for n in ("count_constant", "sum_constant") if n in each)
    return _joined(
        segments,
        linear=linear,
        is_total=is_total,
        kernels=kernels_of(data),
        slopes=slopes,
        linear_columns=np.array(linear_columns),
        numbers=tuple(numbers),
        many=tuple(many),
        pairs=pairs.ravel(),
        constant=constant,
    )


def _with_factors(model: GradientModel, data: xr.Dataset) -> tuple[FloatArray, FloatArray]:
    """Events that share a factor of an area, and of a locality in closed form."""
    none = np.zeros(0)
    of_areas = model.areas.events[model.areas.counted]
    of_localities = data["locality_events"].to_numpy() if "locality_events" in data else none
    return of_areas if model.family == "negative_binomial" else none, of_localities


def _pairs_within_bounds(data: xr.Dataset) -> FloatArray:
    """Pairs of events of areas, and of localities, that are not all known, near enough."""
    pairs = np.zeros(2)
    if "coarsened_kernel" in data or "shared_kernel" in data:
        every = [data[n] for n in ("coarsened_kernel", "shared_kernel") if n in data]
        hidden = np.concatenate([kernel.to_numpy() for kernel in every])
        pairs[0] = kernels_of([data]).pairs[hidden[hidden >= 0]].sum()
    if "shared_kernel" in data:
        kernel, locality = data["shared_kernel"].to_numpy(), data["shared_locality"].to_numpy()
        events = data["shared_events"].to_numpy().copy()
        known = kernel < 0
        events[~known] = kernels_of([data]).middle[kernel[~known]]
        summed = np.bincount(locality, events)
        pairs[1] = np.maximum(summed * (summed - 1.0), 0.0).sum()
    return pairs


def _area_columns(terms: dict[str, Term], areas: int) -> FloatArray:
    """Columns of all coefficients of areas, side by side."""
    found = [
        term.columns
        for term in terms.values()
        if term.columns is not None and term.kind.acts_on.startswith("area")
    ]
    return np.hstack([np.zeros((areas, 0)), *found])


def _segments(
    model: GradientModel, terms: dict[str, Term], data: xr.Dataset, stratum: int
) -> list[_Segments]:
    """Segments of one stratum."""
    made: list[_Segments] = []
    areas, counted = model.areas, model.areas.counted
    if "locality_events" in data:
        nodes = _Nodes.read(data, "locality", terms)
        numbers = data["locality_events"].to_numpy()
        authority = data["locality_authority"].to_numpy()
        made.append(_grouped(LOCALITY, stratum, authority, numbers, nodes=nodes))
    if "shared_locality" in data:
        made.append(_shared(terms, data, len(areas.area), stratum))
    alone = "count_events" in data and not model.localities
    if alone and model.family == "negative_binomial":
        # Rows with equally many events stand together: they share a logarithm.
        rank = np.flatnonzero(counted)
        rank = rank[np.argsort(areas.events[rank], kind="stable")]
        columns = _area_columns(terms, len(areas.area))[rank]
        home, of = np.unique(areas.authority_of_area[rank], return_inverse=True)
        rows = _Nodes(of, model.within_part[rank], np.log(areas.exposure[rank]), columns)
        segment = _grouped(OVERDISPERSED, stratum, home, np.zeros(len(home)), nodes=rows)
        segment.row_events = areas.events[rank]
        made.append(segment)
    elif alone:
        nodes = _Nodes.read(data, "count", terms)
        home, of = np.unique(data["count_authority"].to_numpy()[nodes.cell], return_inverse=True)
        nodes.cell = of.astype(np.int64)
        made.append(_grouped(MASS, stratum, home, np.zeros(len(home)), nodes=nodes))
    if "coarsened_kernel" in data and data.sizes["coarsened_area"]:
        made.append(_coarsened(terms, data, len(areas.area), stratum))
    if "constraint_events" in data:
        made += _constrained(data, terms, stratum)
    if "sum_events" in data:
        nodes = _Nodes.read(data, "sum", terms)
        varies = model.localities or model.family == "negative_binomial"
        squares = _Nodes.read(data, "square", terms) if varies else None
        home, totals = (data[f"sum_{name}"].to_numpy() for name in ("authority", "events"))
        segment = _grouped(TOTAL, stratum, home, totals, nodes=nodes, squares=squares)
        if "sum_kernel" in data:
            segment.kernel = data["sum_kernel"].to_numpy()
        made.append(segment)
    return made


def _coarsened(terms: dict[str, Term], data: xr.Dataset, areas: int, stratum: int) -> _Segments:
    """Rows of which something coarser than their count was published."""
    authority, within, log_exposure, position, kernel = (
        data[f"coarsened_{name}"].to_numpy()
        for name in ("authority", "within", "log_exposure", "position", "kernel")
    )
    home, of = np.unique(authority, return_inverse=True)
    rows = _Nodes(of, within, log_exposure, _area_columns(terms, areas)[position])
    segment = _grouped(COARSENED, stratum, home, np.zeros(len(home)), nodes=rows)
    segment.row_kernel = kernel
    return segment


def _shared(terms: dict[str, Term], data: xr.Dataset, areas: int, stratum: int) -> _Segments:
    """Rows of localities whose factor is integrated out numerically."""
    locality, within, log_exposure, position = (
        data[f"shared_{name}"].to_numpy()
        for name in ("locality", "within", "log_exposure", "position")
    )
    authority = data["shared_locality_authority"].to_numpy()
    columns = _area_columns(terms, areas)[position]
    rows = _Nodes(locality, within, log_exposure, columns)
    segment = _grouped(SHARED, stratum, authority, np.zeros(len(authority)), nodes=rows)
    segment.row_events = data["shared_events"].to_numpy()
    segment.row_kernel = data["shared_kernel"].to_numpy()
    return segment


def _constrained(data: xr.Dataset, terms: dict[str, Term], stratum: int) -> list[_Segments]:
    """Expected events of hidden areas of authorities whose total is known, and what it says."""
    home = data["constraint_authority"].to_numpy()
    nodes = _Nodes.read(data, "constraint", terms)
    none = np.zeros(len(home))
    coefficient = data["constraint_coefficient"].to_numpy()
    of = np.repeat(np.arange(len(home)), coefficient.shape[1])
    # Its rows are coefficients: they have neither a place nor an exposure.
    nowhere = np.zeros(len(of))
    rows = _Nodes(of, nowhere, nowhere, np.zeros((len(of), nodes.columns.shape[1])))
    says = _grouped(CONSTRAINT, stratum, home, none, nodes=rows)
    says.row_events = coefficient.ravel()
    return [_grouped(MASS, stratum, home, none, nodes=nodes), says]


@dataclass(eq=False)
class _Nodes:
    """Rows, or nodes of exposure that stand for them, each of a cell."""

    cell: IntArray
    within: FloatArray
    log_exposure: FloatArray
    columns: FloatArray

    @classmethod
    def read(cls, data: xr.Dataset, kind: str, terms: dict[str, Term]) -> "_Nodes":
        """Nodes of one kind in likelihood data, without those of no exposure."""
        within, exposure = (
            data[f"{kind}_node_{name}"].to_numpy() for name in ("within", "exposure")
        )
        cell, node = np.nonzero(exposure > 0)
        at = within[cell, node]
        columns = [np.zeros((len(cell), 0))]
        for term in terms.values():
            if term.kind.acts_on.startswith("area"):
                own = _node_columns(data, kind, str(term.kind.dim), cell=cell, node=node, at=at)
                columns.append(own * (at[:, None] if term.kind.acts_on == "area slope" else 1.0))
        return cls(cell.astype(np.int64), at, np.log(exposure[cell, node]), np.hstack(columns))


def _node_columns(
    data: xr.Dataset, kind: str, dim: str, *, cell: IntArray, node: IntArray, at: FloatArray
) -> FloatArray:
    """Columns of one kind at nodes: one value a cell, or one a node."""
    if f"{kind}_node_{dim}" in data:
        return data[f"{kind}_node_{dim}"].to_numpy()[cell, node]
    columns = data[f"{kind}_{dim}"].to_numpy()[cell]
    if f"{kind}_{dim}_slope" in data:
        # Steps have a slope inside that is the same everywhere.
        columns = columns + at[:, None] * data[f"{kind}_{dim}_slope"].to_numpy()
    return np.asarray(columns, dtype=np.float64)


def _grouped(
    kind: int,
    stratum: int,
    authority: IntArray,
    events: FloatArray,
    *,
    nodes: "_Nodes",
    squares: "_Nodes | None" = None,
) -> _Segments:
    none = np.zeros(0)
    blank = np.zeros((0, nodes.columns.shape[1]))
    return _Segments(
        kind,
        stratum,
        authority.astype(np.int64),
        events.astype(np.float64),
        np.full(len(authority), -1, dtype=np.int64),
        nodes.cell,
        nodes.within,
        nodes.log_exposure,
        np.zeros(len(nodes.cell)),
        np.full(len(nodes.cell), -1, dtype=np.int64),
        nodes.columns,
        np.zeros(0, dtype=np.int64) if squares is None else squares.cell,
        none if squares is None else squares.within,
        none if squares is None else squares.log_exposure,
        blank if squares is None else squares.columns,
    )


def _joined(
    segments: Sequence[_Segments],
    *,
    linear: FloatArray,
    is_total: BoolArray,
    kernels: Kernels,
    slopes: FloatArray,
    linear_columns: FloatArray,
    numbers: tuple[FloatArray, ...],
    many: tuple[FloatArray, ...],
    pairs: FloatArray,
    constant: float,
) -> CountsOfStrata:
    """All segments by authority and stratum, their rows in the same order."""
    strata = linear.shape[1]
    sizes = np.array([len(each.authority) for each in segments])
    begin = np.cumsum(sizes) - sizes
    block = np.concatenate([each.authority * strata + each.stratum for each in segments])
    order = np.argsort(block, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))

    def sorted_rows(name: str) -> tuple[IntArray, IntArray, IntArray]:
        """Order of rows, where each segment's begin, and the stratum of each row."""
        of = np.concatenate(
            [place[getattr(each, name) + at] for each, at in zip(segments, begin, strict=True)]
        )
        stratum = np.concatenate(
            [np.full(len(getattr(each, name)), each.stratum) for each in segments]
        )
        rows = np.argsort(of, kind="stable")
        first = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=len(order)))])
        return rows, first.astype(np.int64), stratum[rows].astype(np.int64)

    def side(name: str, rows: IntArray) -> FloatArray:
        joined = np.concatenate([getattr(each, name) for each in segments])
        return np.ascontiguousarray(joined[rows], dtype=np.float64)

    rows, first_row, stratum = sorted_rows("of")
    squares, first_square, square_stratum = sorted_rows("square_of")
    held = np.bincount(block, minlength=linear.shape[0] * strata)
    return CountsOfStrata(
        Rows(
            np.concatenate([[0], np.cumsum(held)]).astype(np.int64),
            np.concatenate([np.full(len(each.authority), each.kind) for each in segments])[
                order
            ].astype(np.int64),
            first_row,
            first_square,
            side("events", order),
            np.concatenate([each.kernel for each in segments])[order],
            side("within", rows),
            side("row_events", rows),
            np.concatenate([each.row_kernel for each in segments])[rows],
            side("square_within", squares),
            linear,
            is_total,
            kernels,
            slopes,
        ),
        side("log_exposure", rows),
        side("log_square", squares),
        side("columns", rows),
        side("square_columns", squares),
        stratum,
        square_stratum,
        linear_columns,
        numbers,
        many,
        pairs,
        constant,
    )
