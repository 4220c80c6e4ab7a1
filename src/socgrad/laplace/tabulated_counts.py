"""Counts that do not compress: row by row, and as a polynomial for each authority.

A row is a neighbourhood with a factor of its own (the negative binomial), or a locality whose
neighbourhoods share one. Neither compresses as the Poisson does: each evaluation needs exponentials
and a logarithm per row. But over the region where its posterior lies, an authority's
log-likelihood is a smooth function of three numbers (level, slope, overdispersion), so a tabulation
at a few hundred Chebyshev points gives a polynomial that replaces it to many digits (Trefethen
2019, Approximation Theory and Approximation Practice, doi 10.1137/1.9781611975949). Its error is
measured against the rows and recorded with the fit.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray, IntArray
from socgrad.laplace.exposure import GaussExposure, exposure_rule
from socgrad.laplace.polynomials import chebyshev
from socgrad.laplace.slices import slices
from socgrad.laplace.surfaces import Derivatives, PoissonRows, Surface
from socgrad.laws.gamma_factors import rising
from socgrad.processors import by_threads

__all__ = [
    "Box",
    "NegativeBinomialRows",
    "RowSurface",
    "RowsAtOverdispersion",
    "TabulatedCounts",
    "tabulated",
]


@dataclass(frozen=True, eq=False)
class Box:
    """Where a polynomial stands for the rows: middle and half width of each variable.

    Level and slope have shape (j,); overdispersion is one interval for all.
    """

    level: tuple[FloatArray, FloatArray]
    slope: tuple[FloatArray, FloatArray]
    overdispersion: tuple[float, float]


class RowSurface(Surface, Protocol):
    """Counts of some authorities, row by row."""

    @property
    def pairs(self) -> float:
        """Pairs of events that share a gamma factor: what tells of overdispersion."""

    @property
    def beside(self) -> PoissonRows | None:
        """Counts of the same authorities that need no table, to be added."""

    def squared_variation(self, level: FloatArray, slope: FloatArray) -> float:
        """Moment estimate of squared overdispersion, at a level and slope of each authority."""

    def value(self, level: FloatArray, slope: FloatArray, overdispersion: FloatArray) -> FloatArray:
        """Log-likelihood at points (n, j), overdispersion (n, 1); without `shared`."""

    def derivatives(
        self, level: FloatArray, slope: FloatArray, overdispersion: FloatArray
    ) -> Derivatives:
        """Derivatives at points (n, j), overdispersion (n, 1)."""


@dataclass(frozen=True, eq=False)
class NegativeBinomialRows:
    """Counts of neighbourhoods or localities; rows of one authority stand together.

    `rule` holds each row's exposure: one node for a neighbourhood, a few for a locality; `rows` the
    same as the compiled laws read it.
    """

    authority: IntArray
    events: FloatArray
    events_within: FloatArray
    cell: IntArray
    row_events: FloatArray
    rule: GaussExposure
    rows: tuple[IntArray, IntArray, FloatArray, FloatArray, FloatArray]
    numbers: FloatArray
    many: FloatArray

    @classmethod
    def of(cls, data: xr.Dataset) -> "NegativeBinomialRows":
        """Take the counts from `likelihood_data`: of localities, where they have a factor."""
        authority = data["count_authority"].to_numpy()
        if "locality_events" in data:
            home, events = (data[f"locality_{n}"].to_numpy() for n in ("authority", "events"))
            rule = exposure_rule(data, "locality")
        else:
            home, events = (data[f"row_{n}"].to_numpy() for n in ("authority", "events"))
            within, log_exposure = (
                data[f"row_{n}"].to_numpy()[:, None] for n in ("within", "log_exposure")
            )
            rule = GaussExposure(within, np.exp(log_exposure))
        cell = np.searchsorted(authority, home)
        # Rows of one authority in the order of their events: equal ones share a logarithm.
        order = np.lexsort((events, cell))
        first = np.searchsorted(cell[order], np.arange(len(authority) + 1))
        rule = rule.of(order)
        there = rule.weight > 0
        first_node = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        nodes = rule.position[there], np.log(rule.weight[there])
        return cls(
            authority=authority,
            events=data["count_events"].to_numpy(),
            events_within=data["count_events_within"].to_numpy(),
            cell=cell[order],
            row_events=events[order],
            rule=rule,
            rows=(first, first_node, events[order].astype(np.float64), *nodes),
            numbers=data["distinct_events"].to_numpy(),
            many=data["distinct_rows"].to_numpy(),
        )

    @property
    def beside(self) -> None:
        """Nothing: all of it is tabulated."""

    @property
    def pairs(self) -> float:
        """Pairs of events that share a gamma factor."""
        return float(np.sum(self.row_events * (self.row_events - 1.0)))

    def squared_variation(self, level: FloatArray, slope: FloatArray) -> float:
        """Moment estimate of squared overdispersion, at a level and slope of each authority."""
        mean = self.mean(level, slope)
        # Variance beyond Poisson, in squared means.
        return float(np.sum((self.row_events - mean) ** 2 - mean) / np.sum(mean**2))

    def mean(self, level: FloatArray, slope: FloatArray) -> FloatArray:
        """Expected events of each row at points (..., j)."""
        result: FloatArray = self.rule.sums(slope[..., self.cell])
        result *= np.exp(level)[..., self.cell]
        return result

    def value(self, level: FloatArray, slope: FloatArray, overdispersion: FloatArray) -> FloatArray:
        """Log-likelihood at points (n, j), overdispersion (n, 1); without `shared`."""
        found = self._terms(level, slope, overdispersion, deep=False)[..., 0]
        return found + self.events * level + self.events_within * slope

    def derivatives(
        self, level: FloatArray, slope: FloatArray, overdispersion: FloatArray
    ) -> Derivatives:
        """Exact derivatives at points (n, j), overdispersion (n, 1)."""
        found = self._terms(level, slope, overdispersion, deep=True)
        by = np.moveaxis(found, -1, 0)
        return Derivatives(
            self.events + by[1], self.events_within + by[2], -by[3], -by[4], -by[5], -by[8]
        )

    def _terms(
        self, level: FloatArray, slope: FloatArray, overdispersion: FloatArray, *, deep: bool
    ) -> FloatArray:
        """What rows say beside sums of events, as `socgrad.blocks.segments` has it."""
        from socgrad.laplace.compiled_rows import row_terms  # noqa: PLC0415 numba

        given = level, slope, overdispersion**2
        shape = np.broadcast_shapes(*(each.shape for each in given))
        level, slope, r = (np.array(np.broadcast_to(each, shape)) for each in given)
        found = np.empty((*level.shape, 10))

        def fill(some: slice) -> None:
            found[some] = row_terms(self.rows, level[some], slope[some], r[some, 0], deep=deep)

        by_threads(fill, slices(len(level), len(self.cell)))
        return found

    def given(self, overdispersion: FloatArray) -> "RowsAtOverdispersion":
        """The same at each point's overdispersion (n, 1)."""
        return RowsAtOverdispersion(self, overdispersion)

    def shared(self, overdispersion: FloatArray) -> FloatArray:
        """Terms of overdispersion (n, 1) alone, shape (n,)."""
        result: FloatArray = rising(self.numbers, overdispersion**2, xp=np) @ self.many
        return result


@dataclass(frozen=True, eq=False)
class RowsAtOverdispersion:
    """Rows at each point's overdispersion (n, 1): a `Given`."""

    rows: RowSurface
    overdispersion: FloatArray

    def grid(self, level: FloatArray, step: FloatArray, slope: FloatArray) -> FloatArray:  # noqa: D102
        found = np.array(
            [
                [self.rows.value(one + up, along, self.overdispersion) for up in step]
                for one, along in zip(level, slope, strict=True)
            ]
        )
        beside = self.rows.beside
        return found if beside is None else found + beside.grid(level, step, slope)

    def derivatives(self, level: FloatArray, slope: FloatArray) -> Derivatives:  # noqa: D102
        found = self.rows.derivatives(level, slope, self.overdispersion)
        return _with(self.rows.beside, found, level, slope)


@dataclass(frozen=True, eq=False)
class TabulatedCounts:
    """Neighbourhood counts as polynomials: a `Surface`, inside its box.

    `coefficients` has shape (slope, level, overdispersion, j), of powers of the scaled variables.
    `beside` are the rows' counts that need no table.
    """

    rows: RowSurface
    box: Box
    coefficients: FloatArray
    beside: PoissonRows | None

    @property
    def authority(self) -> IntArray:
        """Positions of these authorities along dim authority."""
        return self.rows.authority

    @property
    def point_size(self) -> int:
        """Coefficients that are made for each point."""
        slopes, levels, degree, authorities = self.coefficients.shape
        return slopes * levels * authorities if degree > 1 else 0

    def shared(self, overdispersion: FloatArray) -> FloatArray:  # noqa: D102
        # Beyond the table nothing is known: its edge, falling, keeps a climb from running away.
        middle, half = self.box.overdispersion
        held = np.clip(overdispersion, middle - half, middle + half)
        beyond = (overdispersion - held)[:, 0] / half
        result: FloatArray = self.rows.shared(held) - 50.0 * beyond**2
        return result

    def given(self, overdispersion: FloatArray) -> "_AtOverdispersion":
        """The same at each point's overdispersion (n, 1)."""
        coefficients = self.coefficients
        if (degree := coefficients.shape[2]) > 1:
            t = np.clip(_scaled(overdispersion, self.box.overdispersion), -1.0, 1.0)
            coefficients = t ** np.arange(degree) @ coefficients
        return _AtOverdispersion(self.beside, self.box, coefficients)


@dataclass(frozen=True, eq=False)
class _AtOverdispersion:
    """Polynomials in slope and level for each point, `coefficients` (slope, level, n, j).

    Outside its box a polynomial goes on by its first and second derivatives at the edge. By the
    first alone it would rise without end where slopes and levels are both far out.
    """

    beside: PoissonRows | None
    box: Box
    coefficients: FloatArray

    def grid(self, level: FloatArray, step: FloatArray, slope: FloatArray) -> FloatArray:
        along = _scaled(slope, self.box.slope)
        middle, half = self.box.level
        up = (level - middle)[:, None] + step
        up /= half
        from socgrad.laplace.compiled_polynomials import values  # noqa: PLC0415 numba

        found = values(self.coefficients, along, up)
        return found if self.beside is None else found + self.beside.grid(level, step, slope)

    def derivatives(self, level: FloatArray, slope: FloatArray) -> Derivatives:
        half, half_slope = self.box.level[1], self.box.slope[1]
        along_scaled, up_scaled = _scaled(slope, self.box.slope), _scaled(level, self.box.level)
        s, u = np.clip(along_scaled, -1.0, 1.0), np.clip(up_scaled, -1.0, 1.0)
        from socgrad.laplace.compiled_polynomials import derivatives  # noqa: PLC0415 numba

        up, along, up_up, both, along_along, third = derivatives(self.coefficients, s, u)
        steep, far = along_scaled - s, up_scaled - u
        up = up + far * np.minimum(up_up, 0.0) + steep * both
        along = along + steep * np.minimum(along_along, 0.0) + far * both
        found = Derivatives(
            up / half,
            along / half_slope,
            -up_up / half**2,
            -both / (half * half_slope),
            -along_along / half_slope**2,
            -third / (half * half_slope**2),
        )
        return _with(self.beside, found, level, slope)


def _with(
    beside: PoissonRows | None, found: Derivatives, level: FloatArray, slope: FloatArray
) -> Derivatives:
    """Derivatives of counts and of what stands beside them."""
    if beside is None:
        return found
    theirs = beside.derivatives(level, slope)
    return Derivatives(*(one + other for one, other in zip(found, theirs, strict=True)))


def _scaled(
    value: FloatArray, interval: tuple[FloatArray, FloatArray] | tuple[float, float]
) -> FloatArray:
    """Position within an interval of a middle and a half width, -1 to 1."""
    return (value - interval[0]) / interval[1]


def tabulated(rows: RowSurface, box: Box, *, degrees: tuple[int, int, int]) -> TabulatedCounts:
    """Interpolate the rows' log-likelihood at Chebyshev points of a box.

    Parameters
    ----------
    rows : NegativeBinomialRows
        The counts.
    box : Box
        The region.
    degrees : tuple of int
        Number of points for overdispersion, slope and level.
    """
    points, transforms = zip(*(chebyshev(number) for number in degrees), strict=True)
    t, s, u = (part.ravel() for part in np.meshgrid(*points, indexing="ij"))
    middle, half = box.overdispersion
    values = rows.value(
        box.level[0] + box.level[1] * u[:, None],
        box.slope[0] + box.slope[1] * s[:, None],
        np.maximum(middle + half * t, 1e-8)[:, None],
    ).reshape(*degrees, -1)
    coefficients = np.einsum("rslj,ar,bs,cl->bcaj", values, *transforms, optimize=True)
    beside, (among, reach) = rows.beside, box.slope
    if beside is not None:
        beside = beside.tabulated(among - reach, among + reach)
    return TabulatedCounts(rows, box, np.ascontiguousarray(coefficients), beside)
