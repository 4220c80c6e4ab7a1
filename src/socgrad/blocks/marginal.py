"""The posterior of the shared parameters, authorities integrated out: values and gradients."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from socgrad.arrays import FloatArray, IntArray
from socgrad.blocks.arrows import Arrow
from socgrad.blocks.climbing import CLOSEST
from socgrad.blocks.compiled import evaluate, rising
from socgrad.blocks.complex_steps import by_each
from socgrad.blocks.coordinates import Coordinates, SharedValues
from socgrad.blocks.data import CountsOfStrata
from socgrad.blocks.scales import positive_derivative
from socgrad.processors import by_threads

__all__ = ["At", "Found", "Marginal", "State"]

# Complex where derivatives are taken.
type Array = Any

# Points whose means and precisions are computed together.
_BLOCK = 25


@dataclass(eq=False)
class State:
    """Modes of effects, from which the search for those of another point starts.

    `told` (authorities, strata, 5) is slope and curvature of the log-likelihood at the modes, from
    which they follow means and precision; None where that is not known: yet, of totals, in regions.
    """

    modes: FloatArray
    regions: FloatArray
    told: FloatArray | None = None

    def copy(self) -> "State":
        """The same, to be moved."""
        told = None if self.told is None else self.told.copy()
        return State(self.modes.copy(), self.regions.copy(), told)


@dataclass(frozen=True, eq=False)
class At:
    """What the compiled functions read at one point.

    `mean` (authorities, effects) and `precision` (of which `which` names each authority's) are of
    the effects' prior, an outcome taken into it; `population` are the means without it. `beside` is
    what of the log density neither effects enter nor the shared parameters' prior.
    """

    shared: SharedValues
    population: FloatArray
    mean: FloatArray
    precision: FloatArray
    which: IntArray
    r: FloatArray
    offset: FloatArray
    square_offset: FloatArray
    region_precision: FloatArray
    beside: float

    @property
    def arrow(self) -> Arrow | None:
        """The precision of effects that go from year to year, in place of `precision`."""
        return self.shared.arrow


@dataclass(frozen=True, eq=False)
class Marginal:
    """Log posterior density of points.

    Attributes
    ----------
    coordinates : Coordinates
    counts : CountsOfStrata
    member, first_member : ndarray of int
        Authorities by region, and where each region's begin; without regions empty.
    start : State
        Modes near those of the points asked for.
    close : float
        Gain of a step at which searches for modes end.
    """

    coordinates: Coordinates
    counts: CountsOfStrata
    member: IntArray
    first_member: IntArray
    start: State
    close: float = CLOSEST

    @cached_property
    def _columns(self) -> tuple[FloatArray, FloatArray]:
        """Columns of level and of slope coefficients, zeros where of the other.

        Shape (coefficients, strata, authorities).
        """
        every = self.coordinates.coefficients
        zero = np.zeros((self.coordinates.strata, len(self.start.modes)))
        level = np.array([zero if each.of_slope else each.column for each in every])
        slope = np.array([each.column if each.of_slope else zero for each in every])
        return level, slope

    def at(self, x: FloatArray) -> At:
        """Means, precisions and offsets at one point."""
        return self.at_points(self.coordinates.shared(x[None]))[0]

    def at_points(self, shared: SharedValues) -> list[At]:
        """The same at values of the shared parameters of several points (one leading dim)."""
        counts, points = self.counts, len(shared.coefficients)
        # In the order of C, always: for another one functions would be compiled anew.
        mean = np.ascontiguousarray(
            np.concatenate(
                [np.einsum("csa,ncs->nas", each, shared.coefficients) for each in self._columns],
                axis=-1,
            )
        )
        sign, log_determinant = np.linalg.slogdet(shared.covariance)
        sound = (sign > 0)[:, None, None]
        # Of none none, where it is an arrow; no numbers where there is no inverse.
        precision = np.linalg.inv(np.where(sound, shared.covariance, np.nan))
        every = np.ascontiguousarray(0.5 * (precision + np.swapaxes(precision, -1, -2)))[:, None]
        log_precision = np.where(sign > 0, -log_determinant, np.nan)
        which, population, beside = np.zeros(mean.shape[1], dtype=np.int64), mean, np.zeros(points)
        if shared.arrow is not None:
            log_precision = shared.arrow.log_determinant
        if (told := self.coordinates.told(shared)) is not None:
            row = self.with_outcome
            mean = mean.copy()
            mean[:, row] += told.shift
            every = np.concatenate([every, every + told.precision], axis=1)
            which[row] = 1 + np.arange(len(row))
            beside = told.beside
        own = shared.area_coefficients
        offset = _moved(counts.offset, counts.columns, own, counts.stratum)
        square_offset = _moved(
            counts.square_offset, 2.0 * counts.square_columns, own, counts.square_stratum
        )
        linear = np.einsum("sc,ncs->n", counts.linear_columns, own)
        at = []
        for k in range(points):
            one = shared.one(k)
            region_precision = np.zeros(len(one.spread))
            if len(one.region_sd):
                regions = len(self.first_member) - 1
                region_precision = 1.0 / one.region_sd**2
                beside[k] -= regions * np.log(one.region_sd).sum()
            at.append(
                At(
                    one,
                    population[k],
                    mean[k],
                    every[k],
                    which,
                    one.spread**2,
                    offset[k],
                    square_offset[k],
                    region_precision,
                    beside[k] + linear[k] + 0.5 * mean.shape[1] * log_precision[k],
                )
            )
        return at

    @property
    def with_outcome(self) -> IntArray:
        """Authorities whose outcome is known."""
        outcome = self.coordinates.outcome
        return np.zeros(0, dtype=np.int64) if outcome is None else outcome.row

    def value(self, x: FloatArray) -> float:
        """Log density at one point."""
        return float(self.values(x[None])[0])

    def values(self, points: FloatArray) -> FloatArray:
        """Log density at points (n, size)."""
        blocks = [points[first : first + _BLOCK] for first in range(0, len(points), _BLOCK)]
        return np.concatenate([np.zeros(0), *by_threads(self._values, blocks)])

    def _values(self, points: FloatArray) -> FloatArray:
        # Room for derivatives that stays empty.
        none = Found.of(self, 0)
        return np.array(
            [
                self._evaluated(*one, self.start.copy(), none, 0)
                for one in self._prior_and_at(points)
            ]
        )

    def _prior_and_at(self, points: FloatArray) -> Iterator[tuple[float, At]]:
        """Log prior density of points (n, size), and what compiled functions read there."""
        with np.errstate(all="ignore"):
            prior = self.coordinates.log_prior(points)
            every = self.at_points(self.coordinates.shared(points))
        return zip(prior.tolist(), every, strict=True)

    def gradient(self, x: FloatArray, state: State | None = None) -> tuple[float, FloatArray]:
        """Log density at one point, and its gradient."""
        ((prior, at),) = self._prior_and_at(x[None])
        want = 2 if self.counts.has_columns else 1
        found = Found.of(self, want)
        state = self.start.copy() if state is None else state
        value = self._evaluated(prior, at, state, found, want)
        if not np.isfinite(value):
            return -np.inf, np.zeros(len(x))
        coordinates, counts = self.coordinates, self.counts
        level, slope = self._columns
        strata = coordinates.strata
        by_level, by_slope = found.mean[:, :strata].T, found.mean[:, strata:].T
        parts = [(level * by_level + slope * by_slope).sum(axis=-1).ravel()]
        if counts.has_columns:
            by_area = counts.linear_columns.copy()
            for s in range(strata):
                rows, squares = counts.stratum == s, counts.square_stratum == s
                by_area[s] += found.score[rows] @ counts.columns[rows]
                by_area[s] += 2.0 * found.square_score[squares] @ counts.square_columns[squares]
            parts.append(by_area.T.ravel())
        _, _, effects, spreads, regions, outcome = coordinates.parts(x)
        by_effects = self._by_effects(effects, at, found)
        # Spreads enter by log r, regions by their precision; both of their own coordinate alone.
        of_spreads = of_regions = np.zeros(0)
        if len(own := coordinates.with_factor):
            by_log_r = found.spread.ravel() + self._rising(at.r)[1]
            of_spreads = by_log_r[own] * 2.0 / at.shared.spread.ravel()[own]
            of_spreads = of_spreads * positive_derivative(spreads, coordinates.spread_bend)
        if len(regions):
            sd = at.shared.region_sd
            of_regions = -2.0 * found.region / sd**3 - (len(self.first_member) - 1) / sd
            of_regions = of_regions * positive_derivative(regions, coordinates.region_bend)
        none = np.zeros(len(outcome))
        gradient = np.concatenate([*parts, by_effects, of_spreads, of_regions, none])
        if len(outcome):
            gradient += self._by_outcome(x, found)
        return value, gradient + coordinates.pull(x)

    def _by_outcome(self, x: FloatArray, found: "Found") -> FloatArray:
        """Derivatives of the log marginal by way of what an outcome tells of effects."""

        def marginal(moved: Array) -> Array:
            told = self.coordinates.told(self.coordinates.shared(moved))
            assert told is not None
            return told.along(found.mean[self.with_outcome], found.precision[1:])

        return by_each(marginal, x)

    def _by_effects(self, effects: FloatArray, at: At, found: "Found") -> FloatArray:
        """Derivatives of the log marginal by each number of the effects' covariance."""
        authorities = len(found.mean)
        if at.arrow is not None:

            def along(moved: Array) -> Array:
                arrow = self.coordinates.arrow(moved)
                assert arrow is not None
                made = 0.5 * authorities * arrow.log_determinant
                for part, by_part in zip(arrow.parts, found.arrow, strict=True):
                    made = made + (part * by_part).reshape(len(moved), -1).sum(axis=1)
                return made

            return by_each(along, effects)
        q, covariance = at.precision[0], at.shared.covariance
        by_precision = found.precision.sum(axis=0) + 0.5 * authorities * covariance
        return self.coordinates.by_covariance(effects, -q @ by_precision @ q)

    def _rising(self, r: FloatArray) -> tuple[float, FloatArray]:
        """Terms of gamma factors in r alone, and their derivatives by log r."""
        total, by_log_r = 0.0, np.zeros(r.size)
        for k in self.coordinates.with_factor:
            value, by_log_r[k] = rising(self.counts.numbers[k], self.counts.many[k], r.ravel()[k])
            total += value
        return total, by_log_r

    def _evaluated(self, prior: float, at: At, state: State, found: "Found", want: int) -> float:
        """Log density at one point, and derivatives; minus infinity where there is none."""
        if not np.isfinite(prior + at.beside) or not np.isfinite(at.mean).all():
            return -np.inf
        with np.errstate(all="ignore"):
            value = evaluate(self, at, state, found, want)
            value += prior + at.beside + self.counts.constant
            if len(self.coordinates.with_factor):
                value += self._rising(at.r)[0]
        return value if np.isfinite(value) else -np.inf


@dataclass(eq=False)
class Found:
    """Derivatives, as the compiled function leaves them."""

    mean: FloatArray
    precision: FloatArray
    spread: FloatArray
    region: FloatArray
    score: FloatArray
    square_score: FloatArray
    inverse: FloatArray
    region_inverse: FloatArray
    arrow: tuple[FloatArray, ...] = ()

    @classmethod
    def of(cls, marginal: Marginal, want: int) -> "Found":
        """Room for derivatives (`want` above 0), or for none."""
        authorities, effects = len(marginal.start.modes), 2 * marginal.coordinates.strata
        shared = marginal.start.modes.shape[1] - effects
        rows, squares = len(marginal.counts.offset), len(marginal.counts.square_offset)
        some = want > 0
        return cls(
            np.zeros((authorities * some, effects)),
            np.zeros((1 + len(marginal.with_outcome), effects, effects)),
            np.zeros((effects // 2, 2)),
            np.zeros(effects // 2),
            np.zeros(rows * some),
            np.zeros(squares * some),
            np.zeros((authorities * some * (shared == 0), effects, effects)),
            np.zeros((len(marginal.start.regions), effects // 2, effects // 2)),
            tuple(
                np.zeros((*shape, last))
                for shape, last in (
                    ((effects // 2, 2), 2),
                    ((effects // 2, 2), 2),
                    ((effects // 2, 2), shared),
                    ((shared,), shared),
                )
            ),
        )


def _moved(
    offset: FloatArray, columns: FloatArray, coefficients: FloatArray, stratum: IntArray
) -> list[FloatArray]:
    """Offsets of rows with what coefficients (points, columns, strata) add, at each point."""
    if not columns.shape[1]:
        return [offset] * len(coefficients)
    moved = np.repeat(offset[None], len(coefficients), axis=0)
    for s in range(coefficients.shape[-1]):
        rows = slice(None) if coefficients.shape[-1] == 1 else stratum == s
        # Not as a product of matrices: for these BLAS would wake threads of its own.
        for own, column in zip(
            np.moveaxis(coefficients[..., s], -1, 0), columns[rows].T, strict=True
        ):
            moved[:, rows] += own[:, None] * column
    return list(moved)
