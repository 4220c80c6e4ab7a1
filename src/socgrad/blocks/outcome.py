"""An outcome of authorities beside their effects: a normal row, taken into the effects' prior.

Authority j has effects u ~ Normal(0, S) about means m and an outcome z = a + g'k + c'u + noise of
variance t, with c linear in its level and its slope effect. A normal row and a normal prior are
together a normal prior again, and a factor that does not depend on u:

    u | z  ~ Normal(S c e / v, (S^-1 + c c' / t)^-1),   e = z - a - g'k,   v = t + c' S c
    p(z)   = Normal(z; a + g'k, sqrt v)

So nothing that integrates effects out needs to know that there is an outcome.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from socgrad.arrays import FloatArray, IntArray
from socgrad.blocks.scales import positive, positive_prior
from socgrad.model.outcome_data import COEFFICIENT_SD, CONSTANT_SD, NOISE_SD, outcome_data
from socgrad.model.outcome_model import OutcomeModel

__all__ = ["Outcome", "Told", "outcome_of"]

# Complex where derivatives are taken.
type Array = Any

#: Where the scale of the standard deviation turns from linear to logarithmic, and where it starts.
_BEND, _START = 0.2, 0.9


@dataclass(frozen=True, eq=False)
class Told:
    """What an outcome tells of effects at points: leading dims are those of the points.

    Attributes
    ----------
    shift : ndarray, shape (..., known, effects)
        Of the prior means of effects.
    precision : ndarray, shape (..., known, effects, effects)
        Added to their prior precision.
    beside : ndarray, shape (...)
        Log density of the outcome, and half the log determinants that precisions gain.
    """

    shift: Array
    precision: Array
    beside: Array

    def along(self, by_mean: FloatArray, by_precision: FloatArray) -> Array:
        """The part of a log marginal with these derivatives by means and by precisions."""
        found: Array = (self.shift * by_mean).sum(axis=(-2, -1)) + self.beside
        return found + (self.precision * by_precision).sum(axis=(-3, -2, -1))


@dataclass(frozen=True, eq=False)
class Outcome:
    """A regression of an outcome on effects of authorities, of one stratum, standardised.

    Attributes
    ----------
    row : ndarray of int, shape (known,)
        Authorities whose outcome is known.
    value, variance : ndarray, shape (known,)
        The outcome, and the variance of its own error.
    given : ndarray, shape (known, columns)
        Predictors that are known.
    turn : ndarray, shape (known,)
        What `cross_level` adds to a slope effect: the between part, where the outcome is not
        adjusted for deprivation; else 0.
    has_level : bool
        Whether the level effect is a predictor.
    unit, scale : ndarray
        Mean and SD of the outcome, and SDs of the known predictors, in their own units.
    """

    row: IntArray
    value: FloatArray
    variance: FloatArray
    given: FloatArray
    turn: FloatArray
    has_level: bool
    unit: FloatArray
    scale: FloatArray

    @property
    def size(self) -> int:
        """Numbers in a point: a constant, coefficients, and the standard deviation's."""
        return 3 + int(self.has_level) + int(self.given.shape[1])

    @property
    def start(self) -> FloatArray:
        """Where a search begins: no association."""
        found = np.zeros(self.size)
        found[-1] = np.arcsinh(_START / _BEND)
        return found

    def log_prior(self, x: Array) -> Array:
        """Log prior density of numbers of points (..., size), up to a constant."""
        constant, coefficients, noise = x[..., 0], x[..., 1:-1], x[..., -1]
        total = -0.5 * (constant / CONSTANT_SD) ** 2
        total = total - 0.5 * ((coefficients / COEFFICIENT_SD) ** 2).sum(axis=-1)
        return total + positive_prior(
            noise, np.asarray(_BEND), np.asarray(0.0), np.asarray(NOISE_SD)
        )

    def told(self, x: Array, covariance: Array, cross_level: Array) -> Told:
        """What the outcome tells of effects.

        Parameters
        ----------
        x : ndarray, shape (..., size)
        covariance : ndarray, shape (..., effects, effects)
            Of level and slope.
        cross_level : ndarray, shape (...)
            Its coefficient; 0 where slopes have none.
        """
        sds = np.sqrt(np.einsum("...kk->...k", covariance))
        weight = np.stack([x[..., 2] if self.has_level else 0.0 * x[..., 1], x[..., 1]], axis=-1)
        weight = weight / sds
        moved = np.einsum("...ik,...k->...i", covariance, weight)
        explained = (weight * moved).sum(axis=-1)[..., None]
        own = x[..., 2 + self.has_level : -1]
        expected = x[..., :1] + np.einsum("kg,...g->...k", self.given, own)
        expected = expected + weight[..., 1:] * cross_level[..., None] * self.turn
        away = self.value - expected
        noise = self.variance + positive(x[..., -1:], np.asarray(_BEND)) ** 2
        whole = noise + explained
        square = weight[..., :, None] * weight[..., None, :]
        # Half the log of whole / noise is what determinants gain; the rest is the density's.
        beside = -0.5 * (np.log(noise) + away**2 / whole).sum(axis=-1)
        return Told(
            moved[..., None, :] * (away / whole)[..., None],
            square[..., None, :, :] / noise[..., None, None],
            beside,
        )

    def named(self, x: FloatArray, sds: FloatArray) -> dict[str, tuple[tuple[str, ...], Any]]:
        """Draws (draws, size) in the outcome's own unit, given SDs of levels and slopes."""
        centre, unit = self.unit
        estimated = sds[:, [1, 0]] if self.has_level else sds[:, [1]]
        units = np.hstack([estimated, np.broadcast_to(self.scale, (len(x), len(self.scale)))])
        return {
            "outcome_coefficient": (("sample", "outcome_term"), unit * x[:, 1:-1] / units),
            "outcome_intercept": (("sample",), centre + unit * x[:, 0]),
            "outcome_sd": (("sample",), unit * positive(x[:, -1], np.asarray(_BEND))),
        }


def outcome_of(model: OutcomeModel) -> Outcome:
    """The regression of a model."""
    data = {str(name): one.to_numpy() for name, one in outcome_data(model).data_vars.items()}
    row = data["outcome_row"].astype(np.int64)
    gradients = model.gradient_model
    turned = not model.adjust_for_deprivation and bool(gradients.cross_level)
    return Outcome(
        row,
        data["outcome_value"],
        data["outcome_error"] ** 2,
        data["outcome_predictors"],
        gradients.between_part[row] * turned,
        model.adjust_for_level,
        data["outcome_unit"],
        data["outcome_predictor_scale"],
    )
