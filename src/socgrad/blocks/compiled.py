"""The compiled functions of the block engine, kept on disk, as the rest of it calls them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.blocks.authorities import evaluated
from socgrad.blocks.chained import chained
from socgrad.blocks.integrals import integrals
from socgrad.laws import compiled_gamma as gamma_functions
from socgrad.laws.compiled_gamma import gamma_differences, log_gamma_ratio
from socgrad.nuts.numba_on_disk import on_disk

if TYPE_CHECKING:
    from socgrad.blocks.marginal import At, Found, Marginal, State

__all__ = ["Integrals", "evaluate", "integrate", "rising"]


@on_disk(gamma_functions)
def summed_rising(numbers, many, r, found):  # type: ignore[no-untyped-def]
    """Sum of `rising`, and its derivative."""
    value = by_log_r = 0.0
    x = 1.0 / r
    for k in range(len(numbers)):
        y = numbers[k]
        gamma_differences(y, x, found)
        value += many[k] * log_gamma_ratio(y, x)
        by_log_r += many[k] * (y - x * found[0])
    return value, by_log_r


def evaluate(marginal: "Marginal", at: "At", state: "State", found: "Found", want: int) -> float:
    """Log marginal of the authorities at one point; fills `found`, and moves `state`.

    What counts tell at the modes of a state says where the next are.
    """
    told = _told(state, len(at.r))
    tells = told
    is_told = not marginal.counts.rows.is_total.any() and len(marginal.first_member) < 2
    if state.told is None and is_told:
        tells = np.zeros((len(at.mean), len(at.r), 5))
    value: float
    if at.arrow is not None:
        none = np.zeros((0, 0))
        drawn = np.zeros((0, 0, 0, 0)), none, none[None], none, none
        value = _by_year(marginal, at, state, found, want, (told, tells), drawn)
    else:
        value = evaluated(
            marginal.counts.rows, at.offset, at.square_offset, at.mean, at.precision, at.which,
            at.r, at.region_precision, marginal.member, marginal.first_member, state.modes,
            state.regions, told, tells, marginal.close, want, found.mean, found.precision,
            found.spread, found.region, found.score, found.square_score, found.inverse,
            found.region_inverse,
        )  # fmt: skip
    if len(tells) and np.isfinite(value):
        state.told = tells
    return value


def _told(state: "State", strata: int) -> FloatArray:
    """What counts told at the modes of a state; nothing yet, or never: of totals, or in regions."""
    return np.zeros((0, strata, 5)) if state.told is None else state.told


def _by_year(
    marginal: "Marginal",
    at: "At",
    state: "State",
    found: "Found",
    want: int,
    says: tuple[FloatArray, FloatArray],
    drawn: tuple[FloatArray, ...],
) -> float:
    """`evaluate` of years: want, told and tells, and the last that `chained` takes."""
    assert at.arrow is not None
    told, tells = says
    value: float = chained(
        marginal.counts.rows, at.offset, at.square_offset, at.mean, *at.arrow.parts, at.r,
        state.modes, told, marginal.close, want, found.mean, *found.arrow, found.spread,
        found.score, found.square_score, tells, *drawn,
    )  # fmt: skip
    return value


def rising(numbers: FloatArray, many: FloatArray, r: float) -> tuple[float, float]:
    """Sum of many (log Gamma(y + 1/r) - log Gamma(1/r) + y log r), and its derivative by log r.

    By distinct numbers of events y: its cost does not depend on how large they are.
    """
    value, by_log_r = summed_rising(numbers, many, r, np.zeros(3))
    return float(value), float(by_log_r)


@dataclass(frozen=True, eq=False)
class Integrals:
    """Integrals over the effects of authorities at one point.

    Attributes
    ----------
    lines : ndarray, shape (draws, authorities, effects)
        Level and slope in every stratum, drawn.
    error, noise : ndarray, shape (draws, authorities)
        Log of each integral over Laplace's, and the relative variance of its estimate.
    laplace : float
        Sum of Laplace's values.
    """

    lines: FloatArray
    error: FloatArray
    noise: FloatArray
    laplace: float


def integrate(
    marginal: "Marginal",
    at: "At",
    *,
    state: "State",
    found: "Found",
    region_effect: FloatArray,
    normals: FloatArray,
    uniform: FloatArray,
) -> Integrals:
    """Estimate the integrals over effects at one point, and draw the effects.

    As often as there are `normals` (draws, authorities, pairs, effects of `state`) and `uniform`
    (draws, authorities).
    """
    modes = state.modes
    lines = np.zeros((len(uniform), *at.mean.shape))
    error, noise = np.zeros(uniform.shape), np.zeros(uniform.shape)
    laplace: float
    told = _told(state, len(at.r))
    drawn = normals, uniform, lines, error, noise
    if at.arrow is not None:
        laplace = _by_year(marginal, at, state, found, 0, (told, told[:0]), drawn)
        return Integrals(lines, error, noise, laplace)
    laplace = integrals(
        marginal.counts.rows, at.offset, at.square_offset, at.mean, at.precision, at.which, at.r,
        region_effect, modes, told, marginal.close, *drawn,
    )  # fmt: skip
    return Integrals(lines, error, noise, laplace)
