"""Polynomials that stand for log-likelihoods: evaluation, derivatives, Chebyshev interpolation."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from socgrad.arrays import FloatArray

__all__ = ["NUMPY", "Evaluation", "chebyshev", "horner", "taylor"]


class Evaluation(NamedTuple):
    """How polynomials in slope and level are evaluated, coefficients (slope, level, points, j).

    `grid(coefficients, along, up)` at scaled slopes (a, points, j) and levels (a, b, points, j) is
    as these levels, and beyond -1 to 1 as the second-order expansion at the edge. Curvature
    upwards is left out there: no log-likelihood has it. `derivatives(coefficients, s, u)` at scaled
    slopes and levels (points, j), -1 to 1, is (6, points, j): by level, slope, level twice, both,
    slope twice, and by level and slope twice. Dim points of coefficients, and of `s` and `u`, may
    be 1.
    """

    grid: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
    derivatives: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]


def _grid(coefficients: FloatArray, along: FloatArray, up: FloatArray) -> FloatArray:
    held = np.clip(along, -1.0, 1.0)
    steep = (along - held)[:, None]
    if not steep.any():
        return _upwards(horner(coefficients[:, :, None], held), up, bends=True)
    none, one, two = taylor(coefficients[:, :, None], held)
    curved = horner(two[:, :, None], np.clip(up, -1.0, 1.0))
    found: FloatArray = _upwards(none, up, bends=True)
    found += steep * _upwards(one, up, bends=False)
    found += 0.5 * steep**2 * np.minimum(curved, 0.0)
    return found


def _upwards(by_level: FloatArray, up: FloatArray, *, bends: bool) -> FloatArray:
    """Polynomials in the level (level, a, points, j) at levels (a, b, points, j), and beyond."""
    held = np.clip(up, -1.0, 1.0)
    beyond = up - held
    if not beyond.any():
        return horner(by_level[:, :, None], held)
    value, first, second = taylor(by_level[:, :, None], held)
    if bends:
        first = first + 0.5 * beyond * np.minimum(second, 0.0)
    return value + beyond * first


def _derivatives(coefficients: FloatArray, s: FloatArray, u: FloatArray) -> FloatArray:
    none, one, two = (taylor(each, u) for each in taylor(coefficients, s))
    return np.stack([none[1], one[0], none[2], one[1], two[0], two[1]])


def horner(coefficients: FloatArray, t: FloatArray) -> FloatArray:
    """Polynomial in `t`, coefficients along the first axis."""
    values = np.zeros(np.broadcast_shapes(coefficients.shape[1:], t.shape))
    for coefficient in coefficients[::-1]:
        values *= t
        values += coefficient
    return values


def taylor(coefficients: FloatArray, t: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Value, first and second derivative of a polynomial in `t`, by Horner's rule."""
    value, first, half_second = (
        np.zeros(np.broadcast_shapes(coefficients.shape[1:], t.shape)) for _ in range(3)
    )
    for coefficient in coefficients[::-1]:
        half_second *= t
        half_second += first
        first *= t
        first += value
        value *= t
        value += coefficient
    return value, first, 2.0 * half_second


def chebyshev(number: int) -> tuple[FloatArray, FloatArray]:
    """Chebyshev points, and the matrix from values there to coefficients of powers."""
    angle = np.pi * (np.arange(number) + 0.5) / number
    transform = 2.0 / number * np.cos(np.outer(np.arange(number), angle))
    transform[0] /= 2.0
    powers = np.zeros((number, number))
    for k in range(number):
        powers[: k + 1, k] = np.polynomial.chebyshev.cheb2poly(np.eye(number)[k])[: k + 1]
    return np.cos(angle), powers @ transform


#: Without a compiler.
NUMPY: Final = Evaluation(_grid, _derivatives)
