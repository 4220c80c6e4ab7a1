"""The posterior of the shared parameters, authorities integrated out: values and gradients."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from socgrad.arrays import FloatArray, IntArray
from socgrad.blocks.arrows import Arrow
from socgrad.blocks.compiled import evaluate, rising
from socgrad.blocks.complex_steps import by_each
from socgrad.blocks.coordinates import Coordinates, SharedValues
from socgrad.blocks.data import CountsOfStrata
from socgrad.blocks.scales import positive_derivative
from socgrad.processors import by_threads

__all__ = ["At", "Found", "Marginal", "State"]

# Complex where derivatives are taken.
type Array = Any


@dataclass(eq=False)
class State:
    """Modes of effects, from which the search for those of another point starts.

    `pull` (authorities, effects, effects) says how they follow the means of the population, which
    were `mean`; None where that is not known. Of years, `told` (authorities, years, 5) is slope and
    curvature of the log-likelihood at the modes, from which they follow means and precision; empty
    where that is not known.
    """

    modes: FloatArray
    regions: FloatArray
    pull: FloatArray | None = None
    mean: FloatArray | None = None
    told: FloatArray | None = None

    def copy(self) -> "State":
        """The same, to be moved."""
        told = None if self.told is None else self.told.copy()
        return State(self.modes.copy(), self.regions.copy(), self.pull, self.mean, told)

    def near(self, mean: FloatArray) -> "State":
        """Where modes are about to be when these are the means."""
        moved = self.copy()
        if self.pull is not None and self.mean is not None:
            moved.modes += np.einsum("jik,jk->ji", self.pull, mean - self.mean)
        return moved


@dataclass(frozen=True, eq=False)
class At:
    """What the compiled functions read at one point.

    `mean` (authorities, effects) and `precision` (of which `which` names each authority's) are of
    the effects' prior, an outcome taken into it; `population` are the means without it, and
    `beside` is what of its density no effect enters.
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
    arrow: Arrow | None = None
    beside: float = 0.0


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
    """

    coordinates: Coordinates
    counts: CountsOfStrata
    member: IntArray
    first_member: IntArray
    start: State

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
        return self.at_values(self.coordinates.shared(x))

    def at_values(self, shared: SharedValues) -> At:
        """The same at values of the shared parameters."""
        counts = self.counts
        level, slope = self._columns
        weight = shared.coefficients[..., None]
        mean = np.ascontiguousarray(
            np.concatenate([(each * weight).sum(axis=0) for each in (level, slope)]).T
        )
        precision = np.linalg.inv(shared.covariance)  # of none none, where it is an arrow
        every = np.ascontiguousarray(0.5 * (precision + precision.T))[None]
        which, population, beside = np.zeros(len(mean), dtype=np.int64), mean, 0.0
        if (told := self.coordinates.told(shared)) is not None:
            row = self.with_outcome
            mean = mean.copy()
            mean[row] += told.shift
            every = np.concatenate([every, every + told.precision])
            which[row] = 1 + np.arange(len(row))
            beside = float(told.beside)
        offset, square_offset = counts.offset, counts.square_offset
        if counts.has_columns:
            own = shared.area_coefficients.T
            offset = offset + _weighed(counts.columns, own[counts.stratum])
            square_offset = square_offset + 2.0 * _weighed(
                counts.square_columns, own[counts.square_stratum]
            )
        return At(
            shared,
            population,
            mean,
            every,
            which,
            shared.spread**2,
            offset,
            square_offset,
            1.0 / shared.region_sd**2 if len(shared.region_sd) else np.zeros(len(shared.spread)),
            shared.arrow,
            beside,
        )

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
        with np.errstate(all="ignore"):
            prior = self.coordinates.log_prior(points)
            shared = self.coordinates.shared(points)
        work = [(shared.one(k), float(prior[k])) for k in range(len(points))]
        return np.array(by_threads(lambda one: self._evaluated(*one, None, 0)[0], work))

    def gradient(self, x: FloatArray, state: State | None = None) -> tuple[float, FloatArray]:
        """Log density at one point, and its gradient."""
        with np.errstate(all="ignore"):
            prior, shared = float(self.coordinates.log_prior(x)), self.coordinates.shared(x)
        want = 2 if self.counts.has_columns else 1
        value, at, found = self._evaluated(shared, prior, state, want)
        if at is None or found is None:
            return -np.inf, np.zeros(len(x))
        coordinates, counts = self.coordinates, self.counts
        level, slope = self._columns
        strata = coordinates.strata
        by_level, by_slope = found.mean[:, :strata].T, found.mean[:, strata:].T
        parts = [(level * by_level + slope * by_slope).sum(axis=-1).ravel()]
        if counts.has_columns:
            by_row = found.score[:, None] * counts.columns
            by_square = 2.0 * found.square_score[:, None] * counts.square_columns
            summed = counts.linear_columns.copy()
            np.add.at(summed, counts.stratum, by_row)
            np.add.at(summed, counts.square_stratum, by_square)
            parts.append(summed.T.ravel())
        _, _, effects, spreads, regions, outcome = coordinates.parts(x)
        by_effects = self._by_effects(effects, at, found)
        # Spreads enter by log r, regions by their precision; both of their own coordinate alone.
        own = coordinates.with_factor
        by_log_r = found.spread.ravel() + self._rising(at.r)[1]
        of_spreads = by_log_r[own] * 2.0 / at.shared.spread.ravel()[own]
        of_spreads = of_spreads * positive_derivative(spreads, coordinates.spread_bend)
        of_regions = np.zeros(0)
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

    def _evaluated(
        self, shared: SharedValues, prior: float, state: State | None, want: int
    ) -> "tuple[float, At | None, Found | None]":
        """Log density at values of the shared parameters; minus infinity where there is none."""
        nothing = -np.inf, None, None
        with np.errstate(all="ignore"):
            try:
                at = self.at_values(shared)
            except np.linalg.LinAlgError:
                return nothing
            if at.arrow is None:
                sign, log_determinant = np.linalg.slogdet(at.precision[0])
            else:
                log_determinant = float(at.arrow.log_determinant)
                sign = float(np.isfinite(log_determinant))
            if not (np.isfinite(prior) and sign > 0 and np.isfinite(at.mean).all()):
                return nothing
            found = Found.of(self, want)
            state = self.start.near(at.mean) if state is None else state
            value = evaluate(self, at, state, found, want)
            value += prior + 0.5 * len(at.mean) * log_determinant + self._rising(at.r)[0]
            value += at.beside
            own = shared.area_coefficients.T
            value += float((self.counts.linear_columns * own).sum()) + self.counts.constant
            if len(shared.region_sd):
                regions = len(self.first_member) - 1
                value -= regions * float(np.log(shared.region_sd).sum())
        return (value, at, found) if np.isfinite(value) else nothing


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


def _weighed(columns: FloatArray, coefficients: FloatArray) -> FloatArray:
    found: FloatArray = np.einsum("rc,rc->r", columns, coefficients)
    return found
