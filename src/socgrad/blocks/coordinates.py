"""The parameters that authorities share, as one point without bounds, and their prior there."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.blocks.arrows import Arrow
from socgrad.blocks.complex_steps import by_each
from socgrad.blocks.covariance import Structure
from socgrad.blocks.outcome import Outcome, Told
from socgrad.blocks.scales import positive, positive_prior, positive_prior_derivative
from socgrad.model.coefficients import Coefficient, coefficients_of
from socgrad.model.gradient_model import GradientModel
from socgrad.model.terms import Term

__all__ = [
    "FACTORS",
    "Coordinates",
    "SharedValues",
    "coordinates_of",
]

# Complex where derivatives are taken.
type Array = Any

#: Spreads of gamma factors: of areas, of localities.
FACTORS: Final = ("overdispersion", "locality_sd")

#: Of slopes that do not vary: so small that it changes no count. Of the level of one authority
#: alone, which goes into its intercept (`posterior`): small beside any prior of that.
_FIXED_SLOPE, _FIXED_LEVEL = 1e-5, 1e-3


@dataclass(frozen=True, eq=False)
class SharedValues:
    """Values of the shared parameters at points: leading dims are those of the points.

    Attributes
    ----------
    coefficients, area_coefficients : ndarray, shape (..., number, strata)
    covariance : ndarray, shape (..., effects, effects)
        Of all levels and then all slopes.
    spread : ndarray, shape (..., strata, 2)
        Coefficients of variation of gamma factors, of areas and of localities; 0 where without.
    region_sd : ndarray, shape (..., strata)
        Empty where there are no regions.
    arrow : Arrow or None
        The precision of effects that go from year to year, in place of their covariance.
    outcome : ndarray, shape (..., numbers of its regression)
    """

    coefficients: Array
    area_coefficients: Array
    covariance: Array
    spread: Array
    region_sd: Array
    arrow: Arrow | None = None
    outcome: Array | None = None

    def one(self, k: int) -> "SharedValues":
        """Those of one point."""
        return SharedValues(
            self.coefficients[k],
            self.area_coefficients[k],
            self.covariance[k],
            self.spread[k],
            self.region_sd[k],
            None if self.arrow is None else self.arrow.one(k),
            None if self.outcome is None else self.outcome[k],
        )


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Where each parameter stands in a point.

    Attributes
    ----------
    strata : int
    coefficients, area_coefficients : tuple of Coefficient
    structure : Structure
        Of the effects that vary.
    has_levels, has_slopes : bool
        Whether levels and slopes are among them: of one authority alone neither.
    with_factor : ndarray of int
        Which spreads there are, of strata and then of areas and localities.
    spread_prior : ndarray, shape (spreads, 2)
    region_prior : ndarray, shape (strata or 0, 2)
    spread_bend, region_bend : ndarray
        Of the standard deviations, as in `socgrad.blocks.covariance.positive`.
    tied : ndarray or None, shape (coefficients, strata, strata)
        Prior precisions of coefficients, those of areas last, where strata are tied; None where
        each has its own prior.
    outcome : Outcome or None
        Of authorities, beside the effects of one stratum.
    """

    strata: int
    coefficients: tuple[Coefficient, ...]
    area_coefficients: tuple[Coefficient, ...]
    structure: Structure
    has_levels: bool
    has_slopes: bool
    with_factor: IntArray
    spread_prior: FloatArray
    region_prior: FloatArray
    spread_bend: FloatArray
    region_bend: FloatArray
    tied: FloatArray | None = None
    outcome: Outcome | None = None

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Numbers of coefficients, those of areas, covariances, spreads, regions, an outcome."""
        s = self.strata
        return (
            len(self.coefficients) * s,
            len(self.area_coefficients) * s,
            self.structure.size,
            len(self.spread_prior),
            len(self.region_prior),
            0 if self.outcome is None else self.outcome.size,
        )

    @property
    def size(self) -> int:
        """Numbers in a point."""
        return sum(self.sizes)

    @property
    def mirrored(self) -> BoolArray:
        """Which numbers of a point may change their sign and mean the same."""
        first, second, _, spreads, regions, outcome = self.sizes
        return np.concatenate(
            [
                np.zeros(first + second, dtype=bool),
                self.structure.mirrored,
                np.ones(spreads + regions, dtype=bool),
                np.arange(outcome) == outcome - 1,
            ]
        )

    def parts(self, x: Array) -> tuple[Array, ...]:
        """A point (..., size) taken apart, in the order of `sizes`."""
        found, at = [], 0
        for size in self.sizes:
            found.append(x[..., at : at + size])
            at += size
        return tuple(found)

    def shared(self, x: Array) -> SharedValues:
        """Values at points (..., size)."""
        of_authorities, of_areas, effects, spreads, regions, outcome = self.parts(x)
        s, lead = self.strata, x.shape[:-1]
        spread = np.zeros((*lead, 2 * s), dtype=x.dtype)
        spread[..., self.with_factor] = positive(spreads, self.spread_bend)
        arrow = self.arrow(effects)
        none = np.zeros((*lead, 0, 0))
        return SharedValues(
            of_authorities.reshape(*lead, len(self.coefficients), s),
            of_areas.reshape(*lead, len(self.area_coefficients), s),
            self.covariance(effects) if arrow is None else none,
            spread.reshape(*lead, s, 2),
            positive(regions, self.region_bend),
            arrow,
            None if self.outcome is None else outcome,
        )

    def told(self, shared: SharedValues) -> Told | None:
        """What an outcome tells of effects at some values; None where there is none."""
        if self.outcome is None:
            return None
        at = [k for k, each in enumerate(self.coefficients) if each.name == "cross_level"]
        cross_level = shared.coefficients[..., at, 0].sum(axis=-1)
        return self.outcome.told(shared.outcome, shared.covariance, cross_level)

    def arrow(self, effects: Array) -> Arrow | None:
        """Precision of effects that go from year to year; None where it is any.

        Regions tie authorities together: their effects are taken with any covariance.
        """
        return None if len(self.region_prior) else self.structure.arrow(effects)

    def covariance(self, effects: Array) -> Array:
        """Covariance of levels and slopes, those that do not vary included."""
        varying = self.structure.covariance(effects)
        size, n = varying.shape[-1], 2 * self.strata
        if size == n:
            return varying
        made = np.zeros((*effects.shape[:-1], n, n), dtype=effects.dtype)
        made[..., :size, :size] = varying
        fixed = np.arange(size, n)
        sds = np.where(fixed < self.strata, _FIXED_LEVEL, _FIXED_SLOPE)
        made[..., fixed, fixed] = sds**2
        return made

    @cached_property
    def coefficient_prior(self) -> tuple[FloatArray, FloatArray]:
        """Mean and sd of all coefficients, in the order of a point."""
        every = [*self.coefficients, *self.area_coefficients]
        pairs = np.concatenate([each.prior for each in every])
        if self.tied is not None:
            # Tied years start from the first one's prior.
            pairs = np.repeat(pairs[:: self.strata], self.strata, axis=0)
        return pairs[:, 0], pairs[:, 1]

    def coefficient_precision(self) -> FloatArray:
        """Prior precision of all coefficients, in the order of a point."""
        _, sd = self.coefficient_prior
        made = np.diag(sd**-2.0)
        if self.tied is not None:
            for k, own in enumerate(self.tied):
                at = slice(k * self.strata, (k + 1) * self.strata)
                made[at, at] = own
        return made

    def pull(self, x: FloatArray) -> FloatArray:
        """Derivatives of the log prior density by a point."""
        first = sum(self.sizes[:2])
        *_, effects, spreads, regions, outcome = self.parts(x)
        own = [self._pull(x[:first]), self.structure.pull(effects)]
        for values, bend, prior in self._sds(spreads, regions):
            own.append(positive_prior_derivative(values, bend, *prior.T))
        if self.outcome is not None:
            own.append(by_each(self.outcome.log_prior, outcome))
        return np.concatenate(own)

    def _sds(
        self, spreads: Array, regions: Array
    ) -> tuple[tuple[Array, FloatArray, FloatArray], ...]:
        """Numbers behind standard deviations, their bends, and means and sds of their priors."""
        every = (
            (spreads, self.spread_bend, self.spread_prior),
            (regions, self.region_bend, self.region_prior),
        )
        return tuple(each for each in every if len(each[1]))

    def _pull(self, coefficients: Array) -> Array:
        """Derivative of the log prior density by all coefficients, in the order of a point."""
        mean, sd = self.coefficient_prior
        away = coefficients - mean
        if self.tied is None:
            return -away / sd**2
        by_stratum = away.reshape(*away.shape[:-1], -1, self.strata)
        return -np.einsum("kst,...kt->...ks", self.tied, by_stratum).reshape(away.shape)

    def by_covariance(self, effects: FloatArray, slope: FloatArray) -> FloatArray:
        """Derivatives by the effects' part of a point of what has these by `covariance`."""
        varying = self.strata * (self.has_levels + self.has_slopes)
        return self.structure.by_covariance(effects, slope[:varying, :varying])

    def log_prior(self, x: Array) -> Array:
        """Log prior density of points up to a constant, the change of scale included."""
        of_authorities, of_areas, effects, spreads, regions, outcome = self.parts(x)
        coefficients = np.concatenate([of_authorities, of_areas], axis=-1)
        away = coefficients - self.coefficient_prior[0]
        total = 0.5 * (away * self._pull(coefficients)).sum(axis=-1)
        total = total + self.structure.log_prior(effects)
        for values, bend, prior in self._sds(spreads, regions):
            total = total + positive_prior(values, bend, *prior.T).sum(axis=-1)
        return total if self.outcome is None else total + self.outcome.log_prior(outcome)


def _with_factors(terms: Sequence[dict[str, Term]]) -> IntArray:
    """Which spreads of gamma factors there are, by stratum and then of areas and of localities."""
    there = [name in each for each in terms for name in FACTORS]
    return np.flatnonzero(there).astype(np.int64)


def coordinates_of(
    models: Sequence[GradientModel],
    terms: Sequence[dict[str, Term]],
    structure: Structure,
    *,
    spread_bend: FloatArray,
    region_bend: FloatArray,
    tied: FloatArray | None = None,
    outcome: Outcome | None = None,
) -> Coordinates:
    """Coordinates of several strata's models, given the structure of their effects."""
    of_authorities, of_areas = coefficients_of(terms)
    spread_prior = [each[name].prior for each in terms for name in FACTORS if name in each]
    region_prior = [each["region_sd"].prior for each in terms if "region_sd" in each]
    return Coordinates(
        len(models),
        of_authorities,
        of_areas,
        structure,
        models[0].random_levels,
        bool(models[0].random_slopes),
        _with_factors(terms),
        np.reshape(spread_prior, (-1, 2)),
        np.reshape(region_prior, (-1, 2)),
        spread_bend[_with_factors(terms)],
        region_bend[: len(region_prior)],
        tied,
        outcome,
    )
