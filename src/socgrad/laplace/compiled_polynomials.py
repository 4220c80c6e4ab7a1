"""Polynomials in slope and level that stand for log-likelihoods, compiled.

In half of NumPy's time; fits that need none are done before numba is imported.
"""

import functools
from typing import Any

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.nuts.numba_on_disk import compiled, on_disk

__all__ = ["derivatives", "values"]


@compiled
def held_within(at, held, beyond):  # type: ignore[no-untyped-def]
    """Places held within -1 to 1, and how far beyond they are; whether any is."""
    any_beyond = False
    for j in range(len(at)):
        held[j] = min(max(at[j], -1.0), 1.0)
        beyond[j] = at[j] - held[j]
        any_beyond |= beyond[j] != 0.0
    return any_beyond


@compiled
def evaluated(coefficients, held, deep, value, first, half_second):  # type: ignore[no-untyped-def]
    """Polynomials by Horner's rule, coefficients (degree, j); if `deep` with two derivatives."""
    value[:] = 0.0
    first[:] = 0.0
    half_second[:] = 0.0
    for i in range(len(coefficients) - 1, -1, -1):
        own = coefficients[i]
        if deep:
            for j in range(len(held)):
                half_second[j] = half_second[j] * held[j] + first[j]
                first[j] = first[j] * held[j] + value[j]
        for j in range(len(held)):
            value[j] = value[j] * held[j] + own[j]


@functools.cache
def _functions() -> tuple[Any, Any]:
    @on_disk()
    def grid_on_disk(coefficients, along, up, found):  # type: ignore[no-untyped-def]
        levels, layers, authorities = coefficients.shape[1:]
        # Value, first derivative and half the second one by slope, as polynomials of the level.
        by_level = np.empty((3, levels, authorities))
        room = np.empty((7, authorities))
        slope_held, slope_beyond, held, beyond = room[0], room[1], room[2], room[3]
        value, first, half_second = room[4], room[5], room[6]
        for n in range(along.shape[1]):
            layer = n if layers > 1 else 0
            for a in range(along.shape[0]):
                steep = held_within(along[a, n], slope_held, slope_beyond)
                for k in range(levels):
                    evaluated(
                        coefficients[:, k, layer], slope_held, steep,
                        by_level[0, k], by_level[1, k], by_level[2, k],
                    )  # fmt: skip
                for b in range(up.shape[1]):
                    own = found[a, b, n]
                    far = held_within(up[a, b, n], held, beyond)
                    evaluated(by_level[0], held, far, own, first, half_second)
                    if far:
                        for j in range(authorities):
                            own[j] += beyond[j] * (first[j] + beyond[j] * min(half_second[j], 0.0))
                    if steep:
                        evaluated(by_level[1], held, far, value, first, half_second)
                        for j in range(authorities):
                            own[j] += slope_beyond[j] * (value[j] + beyond[j] * first[j])
                        evaluated(by_level[2], held, False, value, first, half_second)
                        for j in range(authorities):
                            own[j] += slope_beyond[j] ** 2 * min(value[j], 0.0)

    @on_disk()
    def derivatives_on_disk(coefficients, s, u, found):  # type: ignore[no-untyped-def]
        slopes, levels, layers, authorities = coefficients.shape
        scratch = np.empty((3, authorities))
        none, one, two = scratch[0], scratch[1], scratch[2]
        for n in range(len(s)):
            layer = n if layers > 1 else 0
            found[:, n] = 0.0
            to_level, to_slope, twice_level = found[0, n], found[1, n], found[2, n]
            both, twice_slope, third = found[3, n], found[4, n], found[5, n]
            value = np.zeros(authorities)
            for k in range(levels - 1, -1, -1):
                none[:] = 0.0
                one[:] = 0.0
                two[:] = 0.0
                for i in range(slopes - 1, -1, -1):
                    own = coefficients[i, k, layer]
                    for j in range(authorities):
                        t = s[n, j]
                        two[j] = two[j] * t + one[j]
                        one[j] = one[j] * t + none[j]
                        none[j] = none[j] * t + own[j]
                for j in range(authorities):
                    t = u[n, j]
                    twice_level[j] = twice_level[j] * t + to_level[j]
                    to_level[j] = to_level[j] * t + value[j]
                    value[j] = value[j] * t + none[j]
                    both[j] = both[j] * t + to_slope[j]
                    to_slope[j] = to_slope[j] * t + one[j]
                    third[j] = third[j] * t + twice_slope[j]
                    twice_slope[j] = twice_slope[j] * t + two[j]
            for j in range(authorities):
                twice_level[j] *= 2.0
                twice_slope[j] *= 2.0
                third[j] *= 2.0

    return grid_on_disk, derivatives_on_disk


def values(coefficients: FloatArray, along: FloatArray, up: FloatArray) -> FloatArray:
    """Polynomials, coefficients (slope, level, points, j), at scaled slopes and levels.

    `along` (a, points, j) and `up` (a, b, points, j). Beyond -1 to 1 as the second-order expansion
    at the edge; curvature upwards is left out there: no log-likelihood has it. Dim points of
    coefficients may be 1.
    """
    found = np.empty(up.shape)
    _functions()[0](coefficients, along, up, found)
    return found


def derivatives(coefficients: FloatArray, s: FloatArray, u: FloatArray) -> FloatArray:
    """Derivatives (6, points, j) at scaled slopes and levels (points, j), -1 to 1.

    By level, slope, level twice, both, slope twice, and by level and slope twice. Dim points of
    coefficients, `s` and `u` may be 1.
    """
    shape = np.broadcast_shapes(s.shape, u.shape, coefficients.shape[2:])
    at, found = np.empty((2, *shape)), np.empty((6, *shape))
    at[0], at[1] = s, u
    _functions()[1](coefficients, at[0], at[1], found)
    return found
