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
    """Log marginal of the authorities at one point; fills `found`, and moves `state`."""
    if at.arrow is not None:
        none = np.zeros(0)
        drawn = np.zeros((0, 0, 0)), none, none[None], none, none
        return _by_year(marginal, at, state, found, want, *drawn)
    value: float = evaluated(
        marginal.counts.rows, at.offset, at.square_offset, at.mean, at.precision, at.which, at.r,
        at.region_precision, marginal.member, marginal.first_member, state.modes, state.regions,
        want, found.mean, found.precision, found.spread, found.region, found.score,
        found.square_score, found.inverse, found.region_inverse,
    )  # fmt: skip
    return value


def _by_year(
    marginal: "Marginal",
    at: "At",
    state: "State",
    found: "Found",
    want: int,
    *drawn: FloatArray,
) -> float:
    """`evaluate` of years; with `drawn` (normals, uniform, lines, error, noise) effects are, too.

    What counts tell at the modes of a state says where the next are: nothing yet, or never, where
    totals are known, whose levels are none.
    """
    assert at.arrow is not None
    strata = len(at.r)
    told = np.zeros((0, strata, 5)) if state.told is None else state.told
    tells = told
    if state.told is None and not marginal.counts.rows.is_total.any():
        tells = np.zeros((len(at.mean), strata, 5))
    value: float = chained(
        marginal.counts.rows, at.offset, at.square_offset, at.mean, *at.arrow.parts, at.r,
        state.modes, told, want, found.mean, *found.arrow, found.spread, found.score,
        found.square_score, tells, *drawn,
    )  # fmt: skip
    if len(tells) and np.isfinite(value):
        state.told = tells
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
    lines : ndarray, shape (authorities, effects)
        Level and slope in every stratum, drawn.
    error, noise : ndarray, shape (authorities,)
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
    """Estimate the integrals over effects at one point, and draw the effects."""
    authorities = len(at.mean)
    modes = state.modes
    lines, error, noise = np.zeros_like(at.mean), np.zeros(authorities), np.zeros(authorities)
    laplace: float
    if at.arrow is not None:
        drawn = normals, uniform, lines, error, noise
        laplace = _by_year(marginal, at, state, found, 0, *drawn)
        return Integrals(lines, error, noise, laplace)
    laplace = integrals(
        marginal.counts.rows, at.offset, at.square_offset, at.mean, at.precision, at.which, at.r,
        region_effect, modes, normals, uniform, lines, error, noise,
    )  # fmt: skip
    return Integrals(lines, error, noise, laplace)
