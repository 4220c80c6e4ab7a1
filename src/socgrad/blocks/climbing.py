"""The mode of one authority's effects, and the curvature there: compiled.

What is sought is the highest l(v) - u'Qu / 2, as `authorities` has it.
"""

import numpy as np

from socgrad.blocks.segments import authority_terms
from socgrad.nuts.numba_on_disk import compiled

__all__ = [
    "CLOSE",
    "CLOSER",
    "CLOSEST",
    "climbed",
    "copied",
    "factored",
    "inverted",
    "longest_step",
    "objective",
    "rows_copied",
    "solved",
    "started",
]

# Newton steps of one authority.
_STEPS = 60
#: Gain of a step at which the search for a mode ends. Weights need no near one: draws are weighed
#: by values and by integrals about the same places, whose product is the same for any. Differences
#: of derivatives want the nearest there is, derivatives of a sampler something between.
CLOSE, CLOSER, CLOSEST = 1e-4, 1e-10, 1e-18


@compiled
def factored(a, n):  # type: ignore[no-untyped-def]
    """Cholesky factor in place; whether the matrix is positive definite."""
    for i in range(n):
        for j in range(i + 1):
            s = a[i, j]
            for k in range(j):
                s -= a[i, k] * a[j, k]
            if i == j:
                if not s > 0.0:
                    return False
                a[i, i] = np.sqrt(s)
            else:
                a[i, j] = s / a[j, j]
    return True


@compiled
def solved(a, b, n):  # type: ignore[no-untyped-def]
    """Solve in place, given the factor."""
    for i in range(n):
        s = b[i]
        for k in range(i):
            s -= a[i, k] * b[k]
        b[i] = s / a[i, i]
    for i in range(n - 1, -1, -1):
        s = b[i]
        for k in range(i + 1, n):
            s -= a[k, i] * b[k]
        b[i] = s / a[i, i]


@compiled
def inverted(factor, found, n):  # type: ignore[no-untyped-def]
    """Inverse of a matrix from its factor."""
    column = np.zeros(n)
    for i in range(n):
        column[:] = 0.0
        column[i] = 1.0
        solved(factor, column, n)
        for k in range(n):
            found[k, i] = column[k]


@compiled
def objective(rows, offset, square_offset, j, mean, z, q, r, v, deep, terms, along, u, qu, small):  # type: ignore[no-untyped-def]
    """Log-likelihood minus u'Qu / 2 at v; what it takes apart goes into terms, along, u and qu."""
    strata = len(r)
    value = authority_terms(rows, offset, square_offset, j, v, r, deep, terms, along, small)
    for b in range(strata):
        u[b] = v[b] - along[b, 0] - mean[b] - z[b]
        u[strata + b] = v[strata + b] - mean[strata + b]
    for i in range(2 * strata):
        s = 0.0
        for k in range(2 * strata):
            s += q[i, k] * u[k]
        qu[i] = s
        value -= 0.5 * s * u[i]
    return value


@compiled
def curvature(q, terms, along, qu, a, w):  # type: ignore[no-untyped-def]
    """Minus the second derivative of the objective, into `a`; Q J into `w`."""
    strata = len(terms)
    n = 2 * strata
    for b in range(strata):
        turn = along[b, 1]
        for i in range(n):
            w[i, b] = q[i, b]
            w[i, strata + b] = q[i, strata + b] - turn * q[i, b]
    for b in range(strata):
        turn = along[b, 1]
        for i in range(n):
            a[b, i] = w[b, i]
            a[strata + b, i] = w[strata + b, i] - turn * w[b, i]
    for b in range(strata):
        s = strata + b
        a[b, b] -= terms[b, 3]
        a[b, s] -= terms[b, 4]
        a[s, b] -= terms[b, 4]
        a[s, s] -= terms[b, 5] + qu[b] * along[b, 2]


@compiled
def copied(source, into):  # type: ignore[no-untyped-def]
    """Copy a vector. Assignments of slices compile for seconds: they can fail, with words."""
    for i in range(len(source)):
        into[i] = source[i]


@compiled
def rows_copied(source, into):  # type: ignore[no-untyped-def]
    """Copy a matrix."""
    for i in range(source.shape[0]):
        for k in range(source.shape[1]):
            into[i, k] = source[i, k]


@compiled
def started(j, mean, q, told, v, room):  # type: ignore[no-untyped-def]
    """Move v to where its mode is about to be, by what counts told (`told`) at v.

    With slope and curvature of the log-likelihood at v, one step towards the mode under this mean
    and precision, without a look at the counts: of authorities without regions. `room` as of
    `climbed`.
    """
    u, qu, a, g = room[2], room[3], room[5], room[10]
    strata = told.shape[1]
    n = 2 * strata
    for b in range(strata):
        u[b] = v[b] - mean[b]
        u[strata + b] = v[strata + b] - mean[strata + b]
    for i in range(n):
        qu[i] = 0.0
        for k in range(n):
            qu[i] += q[i, k] * u[k]
            a[i, k] = q[i, k]
    for b in range(strata):
        s = strata + b
        a[b, b] -= told[j, b, 2]
        a[b, s] -= told[j, b, 3]
        a[s, b] -= told[j, b, 3]
        a[s, s] -= told[j, b, 4]
        g[b] = told[j, b, 0] - qu[b]
        g[s] = told[j, b, 1] - qu[s]
    if not factored(a, n):
        return
    solved(a, g, n)
    step = longest_step(g, strata)
    for i in range(n):
        v[i] += step * g[i]


@compiled
def longest_step(d, strata):  # type: ignore[no-untyped-def]
    """Share of a step that moves no level by more than 3 and no slope by more than 1."""
    step = 1.0
    for b in range(strata):
        step = min(step, 3.0 / max(abs(d[b]), 1e-12), 1.0 / max(abs(d[strata + b]), 1e-12))
    return step


@compiled
def climbed(rows, offset, square_offset, j, mean, z, q, r, v, close, room):  # type: ignore[no-untyped-def]
    """Mode of one authority, into v; the objective there, or minus infinity.

    The search ends where a step would gain less than `close`.

    `room` ends with what belongs to the mode: terms, along, u, Q u, Q J, and the factor of A.
    """
    terms, along, u, qu, w, a, other_terms, other_along, other_u, other_qu, g, d, vn, small = room
    strata = len(r)
    n = 2 * strata
    value = objective(
        rows, offset, square_offset, j, mean, z, q, r, v, True, terms, along, u, qu, small
    )  # fmt: skip
    if not np.isfinite(value):
        return -np.inf
    for _ in range(_STEPS):
        curvature(q, terms, along, qu, a, w)
        for b in range(strata):
            g[b] = terms[b, 1] - qu[b]
            g[strata + b] = terms[b, 2] - qu[strata + b] + along[b, 1] * qu[b]
        sure = factored(a, n)
        if not sure:
            # Far from the mode: a curvature without what may be negative.
            for i in range(n):
                for k in range(n):
                    a[i, k] = q[i, k]
            for b in range(strata):
                s = strata + b
                a[b, b] += max(-terms[b, 3], 0.0)
                a[s, s] += max(-terms[b, 5], 0.0)
            if not factored(a, n):
                return -np.inf
        copied(g, d)
        solved(a, d, n)
        gain = 0.0
        for i in range(n):
            gain += g[i] * d[i]
        if not np.isfinite(gain):
            return -np.inf
        if sure and gain < close:
            # What the last step would gain is known, and need not be seen.
            return value + 0.5 * gain
        step, moved = longest_step(d, strata), False
        for _half in range(40):
            for i in range(n):
                vn[i] = v[i] + step * d[i]
            reached = objective(
                rows, offset, square_offset, j, mean, z, q, r, vn, True,
                other_terms, other_along, other_u, other_qu, small,
            )  # fmt: skip
            if reached >= value - 1e-10 * (1.0 + abs(value)):
                moved = True
                break
            step *= 0.5
        if not moved:
            # Rounding allows no better: the mode, if the curvature there is sound.
            return value if sure and gain < 1e-6 else -np.inf
        copied(vn, v)
        value = reached
        rows_copied(other_terms, terms)
        rows_copied(other_along, along)
        copied(other_u, u)
        copied(other_qu, qu)
    return -np.inf
