"""Arithmetic with matrices that tie each year to the next and to what all share: compiled.

Such a matrix (`arrows`) comes as (own, following, side, corner), and so does its Cholesky factor,
years first, in the same room; what is done with either costs as much a year whatever their number.
"""

import numpy as np

from socgrad.blocks.climbing import factored, inverted
from socgrad.nuts.numba_on_disk import compiled

__all__ = [
    "arrow_copied",
    "arrow_factored",
    "arrow_inverted",
    "arrow_solved",
    "back",
    "half_log_determinant",
    "times",
]


@compiled
def arrow_factored(own, following, side, corner):  # type: ignore[no-untyped-def]
    """Cholesky factor in place, years first; whether the matrix is positive definite."""
    t, m = len(own), len(corner)
    for b in range(t):
        if not own[b, 0, 0] > 0.0:
            return False
        l00 = np.sqrt(own[b, 0, 0])
        l10 = own[b, 1, 0] / l00
        rest = own[b, 1, 1] - l10 * l10
        if not rest > 0.0:
            return False
        l11 = np.sqrt(rest)
        own[b, 0, 0], own[b, 1, 0], own[b, 1, 1] = l00, l10, l11
        for i in range(m):
            side[b, 0, i] /= l00
            side[b, 1, i] = (side[b, 1, i] - l10 * side[b, 0, i]) / l11
        for i in range(m):
            for k in range(i + 1):
                corner[i, k] -= side[b, 0, i] * side[b, 0, k] + side[b, 1, i] * side[b, 1, k]
        if b + 1 < t:
            for k in range(2):
                following[b, 0, k] /= l00
                following[b, 1, k] = (following[b, 1, k] - l10 * following[b, 0, k]) / l11
            n00, n01 = following[b, 0, 0], following[b, 0, 1]
            n10, n11 = following[b, 1, 0], following[b, 1, 1]
            own[b + 1, 0, 0] -= n00 * n00 + n10 * n10
            own[b + 1, 1, 0] -= n01 * n00 + n11 * n10
            own[b + 1, 1, 1] -= n01 * n01 + n11 * n11
            for i in range(m):
                side[b + 1, 0, i] -= n00 * side[b, 0, i] + n10 * side[b, 1, i]
                side[b + 1, 1, i] -= n01 * side[b, 0, i] + n11 * side[b, 1, i]
    return factored(corner, m)


@compiled
def half_log_determinant(own, corner):  # type: ignore[no-untyped-def]
    """Half the log determinant of a matrix, from its factor."""
    found = 0.0
    for b in range(len(own)):
        found += np.log(own[b, 0, 0] * own[b, 1, 1])
    for i in range(len(corner)):
        found += np.log(corner[i, i])
    return found


@compiled
def back(own, following, side, corner, x):  # type: ignore[no-untyped-def]
    """Solve L'x = x in place, L the factor."""
    t, m = len(own), len(corner)
    for i in range(m - 1, -1, -1):
        s = x[2 * t + i]
        for k in range(i + 1, m):
            s -= corner[k, i] * x[2 * t + k]
        x[2 * t + i] = s / corner[i, i]
    for b in range(t - 1, -1, -1):
        s0, s1 = x[b], x[t + b]
        if b + 1 < t:
            s0 -= following[b, 0, 0] * x[b + 1] + following[b, 0, 1] * x[t + b + 1]
            s1 -= following[b, 1, 0] * x[b + 1] + following[b, 1, 1] * x[t + b + 1]
        for i in range(m):
            s0 -= side[b, 0, i] * x[2 * t + i]
            s1 -= side[b, 1, i] * x[2 * t + i]
        x[t + b] = s1 / own[b, 1, 1]
        x[b] = (s0 - own[b, 1, 0] * x[t + b]) / own[b, 0, 0]


@compiled
def arrow_solved(own, following, side, corner, x):  # type: ignore[no-untyped-def]
    """Solve in place, given the factor."""
    t, m = len(own), len(corner)
    for b in range(t):
        x[b] /= own[b, 0, 0]
        x[t + b] = (x[t + b] - own[b, 1, 0] * x[b]) / own[b, 1, 1]
        if b + 1 < t:
            x[b + 1] -= following[b, 0, 0] * x[b] + following[b, 1, 0] * x[t + b]
            x[t + b + 1] -= following[b, 0, 1] * x[b] + following[b, 1, 1] * x[t + b]
        for i in range(m):
            x[2 * t + i] -= side[b, 0, i] * x[b] + side[b, 1, i] * x[t + b]
    for i in range(m):
        s = x[2 * t + i]
        for k in range(i):
            s -= corner[i, k] * x[2 * t + k]
        x[2 * t + i] = s / corner[i, i]
    back(own, following, side, corner, x)


@compiled
def arrow_inverted(own, following, side, corner, p_own, p_following, p_side, p_corner):  # type: ignore[no-untyped-def]
    """The inverse where the matrix itself has entries, from its factor."""
    t, m = len(own), len(corner)
    inverted(corner, p_corner, m)
    for b in range(t - 1, -1, -1):
        l00, l10, l11 = own[b, 0, 0], own[b, 1, 0], own[b, 1, 1]
        last = b + 1 == t
        for i in range(m):
            s0 = s1 = 0.0
            for k in range(m):
                s0 -= side[b, 0, k] * p_corner[k, i]
                s1 -= side[b, 1, k] * p_corner[k, i]
            if not last:
                s0 -= following[b, 0, 0] * p_side[b + 1, 0, i]
                s0 -= following[b, 0, 1] * p_side[b + 1, 1, i]
                s1 -= following[b, 1, 0] * p_side[b + 1, 0, i]
                s1 -= following[b, 1, 1] * p_side[b + 1, 1, i]
            p_side[b, 1, i] = s1 / l11
            p_side[b, 0, i] = (s0 - l10 * p_side[b, 1, i]) / l00
        for k in range(2):
            if last:
                break
            s0 = s1 = 0.0
            for i in range(m):
                s0 -= side[b, 0, i] * p_side[b + 1, k, i]
                s1 -= side[b, 1, i] * p_side[b + 1, k, i]
            for i in range(2):
                s0 -= following[b, 0, i] * p_own[b + 1, i, k]
                s1 -= following[b, 1, i] * p_own[b + 1, i, k]
            p_following[b, 1, k] = s1 / l11
            p_following[b, 0, k] = (s0 - l10 * p_following[b, 1, k]) / l00
        for k in range(1, -1, -1):
            # Column k of the inverse of the factor's own block.
            s0 = 1.0 / l00 if k == 0 else 0.0
            s1 = -l10 / (l00 * l11) if k == 0 else 1.0 / l11
            for i in range(m):
                s0 -= side[b, 0, i] * p_side[b, k, i]
                s1 -= side[b, 1, i] * p_side[b, k, i]
            if not last:
                for i in range(2):
                    s0 -= following[b, 0, i] * p_following[b, k, i]
                    s1 -= following[b, 1, i] * p_following[b, k, i]
            p_own[b, 1, k] = s1 / l11
            p_own[b, 0, k] = (s0 - l10 * p_own[b, 1, k]) / l00
        p_own[b, 1, 0] = p_own[b, 0, 1]


@compiled
def times(own, following, side, corner, u, found):  # type: ignore[no-untyped-def]
    """The matrix times u, into found."""
    t, m = len(own), len(corner)
    for i in range(m):
        s = 0.0
        for k in range(m):
            s += corner[i, k] * u[2 * t + k]
        found[2 * t + i] = s
    for b in range(t):
        for i in range(2):
            s = own[b, i, 0] * u[b] + own[b, i, 1] * u[t + b]
            if b + 1 < t:
                s += following[b, i, 0] * u[b + 1] + following[b, i, 1] * u[t + b + 1]
            if b > 0:
                s += following[b - 1, 0, i] * u[b - 1] + following[b - 1, 1, i] * u[t + b - 1]
            for k in range(m):
                s += side[b, i, k] * u[2 * t + k]
                found[2 * t + k] += side[b, i, k] * u[i * t + b]
            found[i * t + b] = s


@compiled
def arrow_copied(q, a):  # type: ignore[no-untyped-def]
    """Copy a matrix into the room of another."""
    t, m = len(q[0]), len(q[3])
    for b in range(t):
        for i in range(2):
            for k in range(2):
                a[0][b, i, k] = q[0][b, i, k]
                a[1][b, i, k] = q[1][b, i, k]
            for k in range(m):
                a[2][b, i, k] = q[2][b, i, k]
    for i in range(m):
        for k in range(m):
            a[3][i, k] = q[3][i, k]
