"""Effects of authorities over years integrated out, at a cost in proportion to the years: compiled.

As in `authorities`, with a precision Q that ties each year to the next and to numbers b that all
share (`arrows`). v holds levels (log expected totals where totals alone are known), slopes and then
b; counts speak of one year each, so that A = J'QJ + (their curvature) is of the same form, and so
are the parts of P = A^-1 that derivatives need (`arrow_factors`).
"""

import numpy as np

from socgrad.blocks import arrow_factors, climbing, segments
from socgrad.blocks import integrals as integrals_module
from socgrad.blocks.arrow_factors import (
    arrow_copied,
    arrow_factored,
    arrow_inverted,
    arrow_solved,
    back,
    half_log_determinant,
    times,
)
from socgrad.blocks.climbing import copied, longest_step, rows_copied
from socgrad.blocks.integrals import weighed
from socgrad.blocks.segments import CALLED, ROOM, authority_terms, scores
from socgrad.nuts.numba_on_disk import compiled, on_disk

__all__ = ["chained"]

_STEPS = 60


@compiled
def at_place(rows, offset, square_offset, j, mean, q, r, v, deep, terms, along, u, qu, small):  # type: ignore[no-untyped-def]
    """Log-likelihood minus u'Qu / 2 at v; what it takes apart goes into terms, along, u and qu."""
    t = len(r)
    value = authority_terms(rows, offset, square_offset, j, v, r, deep, terms, along, small)
    for b in range(t):
        u[b] = v[b] - along[b, 0] - mean[b]
        u[t + b] = v[t + b] - mean[t + b]
    for i in range(2 * t, len(v)):
        u[i] = v[i]
    times(q[0], q[1], q[2], q[3], u, qu)
    for i in range(len(u)):
        value -= 0.5 * u[i] * qu[i]
    return value


@compiled
def bend(q, along, a):  # type: ignore[no-untyped-def]
    """J'QJ into `a`, J the derivative of u by v."""
    t, m = len(q[0]), len(q[3])
    arrow_copied(q, a)
    for b in range(t):
        turn = along[b, 1]
        if turn != 0.0:
            # Row of the slope less turn times that of the level; then columns.
            for k in range(2):
                a[0][b, 1, k] -= turn * a[0][b, 0, k]
                a[1][b, 1, k] -= turn * a[1][b, 0, k]
            for k in range(2):
                a[0][b, k, 1] -= turn * a[0][b, k, 0]
            for i in range(m):
                a[2][b, 1, i] -= turn * a[2][b, 0, i]
        if b + 1 < t and along[b + 1, 1] != 0.0:
            for k in range(2):
                a[1][b, k, 1] -= along[b + 1, 1] * a[1][b, k, 0]


@compiled
def climbed_years(rows, offset, square_offset, j, mean, q, r, v, close, room):  # type: ignore[no-untyped-def]
    """Mode of one authority, into v; the objective there, or minus infinity.

    `room` ends with what belongs to the mode: terms, along, u, Q u, and the factor of A.
    """
    terms, along, u, qu, a, other_terms, other_along, other_u, other_qu, g, d, vn, small = room
    t, n = len(r), len(v)
    value = at_place(
        rows, offset, square_offset, j, mean, q, r, v, True, terms, along, u, qu, small
    )
    if not np.isfinite(value):
        return -np.inf
    for _ in range(_STEPS):
        bend(q, along, a)
        for b in range(t):
            a[0][b, 0, 0] -= terms[b, 3]
            a[0][b, 0, 1] -= terms[b, 4]
            a[0][b, 1, 0] -= terms[b, 4]
            a[0][b, 1, 1] -= terms[b, 5] + qu[b] * along[b, 2]
            g[b] = terms[b, 1] - qu[b]
            g[t + b] = terms[b, 2] - qu[t + b] + along[b, 1] * qu[b]
        for i in range(2 * t, n):
            g[i] = -qu[i]
        sure = arrow_factored(a[0], a[1], a[2], a[3])
        if not sure:
            # Far from the mode: a curvature without what may be negative.
            arrow_copied(q, a)
            for b in range(t):
                a[0][b, 0, 0] += max(-terms[b, 3], 0.0)
                a[0][b, 1, 1] += max(-terms[b, 5], 0.0)
            if not arrow_factored(a[0], a[1], a[2], a[3]):
                return -np.inf
        copied(g, d)
        arrow_solved(a[0], a[1], a[2], a[3], d)
        gain = 0.0
        for i in range(n):
            gain += g[i] * d[i]
        if not np.isfinite(gain):
            return -np.inf
        if sure and gain < close:
            # What the last step would gain is known, and need not be seen.
            return value + 0.5 * gain
        step, moved = longest_step(d, t), False
        for _half in range(40):
            for i in range(n):
                vn[i] = v[i] + step * d[i]
            reached = at_place(
                rows, offset, square_offset, j, mean, q, r, vn, True,
                other_terms, other_along, other_u, other_qu, small,
            )  # fmt: skip
            if reached >= value - 1e-10 * (1.0 + abs(value)):
                moved = True
                break
            step *= 0.5
        if not moved:
            # Rounding allows no better: the mode, if the curvature there is sound.
            return value if sure and gain < 1e-6 else -np.inf
        value = reached
        copied(vn, v)
        copied(other_u, u)
        copied(other_qu, qu)
        rows_copied(other_terms, terms)
        rows_copied(other_along, along)
    return -np.inf


@compiled
def room_for(t, m):  # type: ignore[no-untyped-def]
    """What `climbed_years` works in."""
    n = 2 * t + m
    return (
        np.zeros((t, 10)), np.zeros((t, 4)), np.zeros(n), np.zeros(n),
        (np.zeros((t, 2, 2)), np.zeros((t, 2, 2)), np.zeros((t, 2, m)), np.zeros((m, m))),
        np.zeros((t, 10)), np.zeros((t, 4)), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n),
        np.zeros(n), np.zeros(ROOM),
    )  # fmt: skip


@compiled
def started(j, mean, q, told, v, room):  # type: ignore[no-untyped-def]
    """Move v to where its mode is about to be, by what counts told (`told`) at v.

    With slope and curvature of the log-likelihood at v, one step towards the mode under this mean
    and precision, without a look at the counts.
    """
    u, qu, a, g = room[2], room[3], room[4], room[9]
    t = told.shape[1]
    for i in range(len(v)):
        u[i] = v[i] - mean[i] if i < 2 * t else v[i]
    times(q[0], q[1], q[2], q[3], u, qu)
    arrow_copied(q, a)
    for b in range(t):
        a[0][b, 0, 0] -= told[j, b, 2]
        a[0][b, 0, 1] -= told[j, b, 3]
        a[0][b, 1, 0] -= told[j, b, 3]
        a[0][b, 1, 1] -= told[j, b, 4]
        g[b] = told[j, b, 0] - qu[b]
        g[t + b] = told[j, b, 1] - qu[t + b]
    for i in range(2 * t, len(v)):
        g[i] = -qu[i]
    if arrow_factored(a[0], a[1], a[2], a[3]):
        arrow_solved(a[0], a[1], a[2], a[3], g)
        for i in range(len(v)):
            v[i] += g[i]


@compiled
def turned_by(q, along, p, b):  # type: ignore[no-untyped-def]
    """Element (level, slope) of year b of Q J P: how log det A depends on the turn of a total."""
    own, following, side, _ = q
    t = len(own)
    turn = along[b, 1]
    found = own[b, 0, 0] * p[0][b, 0, 1] + (own[b, 0, 1] - turn * own[b, 0, 0]) * p[0][b, 1, 1]
    if b + 1 < t:
        turn = along[b + 1, 1]
        found += following[b, 0, 0] * p[1][b, 1, 0]
        found += (following[b, 0, 1] - turn * following[b, 0, 0]) * p[1][b, 1, 1]
    if b > 0:
        turn = along[b - 1, 1]
        before, p_before = following[b - 1], p[1][b - 1]
        found += before[0, 0] * p_before[0, 1]
        found += (before[1, 0] - turn * before[0, 0]) * p_before[1, 1]
    for i in range(side.shape[2]):
        found += side[b, 0, i] * p[2][b, 1, i]
    return found


@compiled
def along_log_determinant(q, terms, along, qu, p, g):  # type: ignore[no-untyped-def]
    """Derivative of log det A by each coordinate, into g."""
    t = len(terms)
    g[:] = 0.0
    for b in range(t):
        s = t + b
        p11, p12, p22 = p[0][b, 0, 0], p[0][b, 0, 1], p[0][b, 1, 1]
        g[b] -= terms[b, 6] * p11 + 2.0 * terms[b, 7] * p12 + terms[b, 8] * p22
        g[s] -= terms[b, 7] * p11 + 2.0 * terms[b, 8] * p12 + terms[b, 9] * p22
        twice = along[b, 2]
        if twice == 0.0:
            continue
        g[s] -= 2.0 * twice * turned_by(q, along, p, b) + qu[b] * along[b, 3] * p22
        # Less row (level of b) of Q J times a'' P_ss.
        much = twice * p22
        g[b] -= much * q[0][b, 0, 0]
        g[s] -= much * (q[0][b, 0, 1] - along[b, 1] * q[0][b, 0, 0])
        if b + 1 < t:
            g[b + 1] -= much * q[1][b, 0, 0]
            g[s + 1] -= much * (q[1][b, 0, 1] - along[b + 1, 1] * q[1][b, 0, 0])
        if b > 0:
            g[b - 1] -= much * q[1][b - 1, 0, 0]
            g[s - 1] -= much * (q[1][b - 1, 1, 0] - along[b - 1, 1] * q[1][b - 1, 0, 0])
        for i in range(q[2].shape[2]):
            g[2 * t + i] -= much * q[2][b, 0, i]


@compiled
def drawn(  # type: ignore[no-untyped-def]
    rows,
    offset,
    square_offset,
    j,
    mean,
    q,
    r,
    mode,
    top,
    normals,
    uniform,
    room,
    weight,
    candidate,
    lines,
    error,
    noise,
):
    """Draw an authority's effects once, and estimate its integral.

    `room` holds what belongs to the mode, as `climbed_years` leaves it.
    """
    a, terms, along, u, qu, step, v, small = (
        room[4], room[5], room[6], room[7], room[8], room[10], room[11], room[12],
    )  # fmt: skip
    t, n, pairs = len(r), len(mode), len(normals)
    for pair in range(pairs):
        square = 0.0
        for i in range(n):
            step[i] = normals[pair, i]
            square += step[i] * step[i]
        back(a[0], a[1], a[2], a[3], step)
        for at in range(2 * pair, 2 * pair + 2):
            way = 1.0 if at == 2 * pair else -1.0
            for i in range(n):
                v[i] = mode[i] + way * step[i]
            value = at_place(
                rows, offset, square_offset, j, mean, q, r, v, False, terms, along, u, qu, small
            )
            weight[at] = value - top + 0.5 * square
            for i in range(2 * t):
                candidate[at, i] = u[i]
    chosen = weighed(weight, uniform, error, noise, j)
    if chosen < 0:
        return
    for i in range(2 * t):
        lines[j, i] = candidate[chosen, i] + mean[i]


@on_disk(arrow_factors, climbing, integrals_module, segments, *CALLED)
def chained(  # type: ignore[no-untyped-def]
    rows,
    offset,
    square_offset,
    mean,
    own,
    following,
    side,
    corner,
    r,
    modes,
    told,
    close,
    want,
    by_mean,
    by_own,
    by_following,
    by_side,
    by_corner,
    by_spread,
    score,
    square_score,
    tells,
    normals,
    uniform,
    lines,
    error,
    noise,
):
    """Log marginal of all authorities, without the log determinants of their prior precisions.

    As `authorities.evaluated`, of authorities that stand by themselves and share one precision.
    `told` (authorities, years, 5) are slope and curvature of the log-likelihood at `modes`, or is
    empty; `tells` takes them at the modes found, where it is not empty. Where `normals`
    (draws, authorities, pairs, 2 years + m) are given, effects are drawn and what Laplace's method
    misses is estimated, as `integrals.integrals` does.
    """
    authorities, t = len(mean), len(r)
    m = len(corner)
    n = 2 * t + m
    q = (own, following, side, corner)
    room = room_for(t, m)
    terms, along, u, qu, a, small = room[0], room[1], room[2], room[3], room[4], room[-1]
    p = (np.zeros((t, 2, 2)), np.zeros((t, 2, 2)), np.zeros((t, 2, m)), np.zeros((m, m)))
    h, c, whole = np.zeros(n), np.zeros(n), np.zeros(n)
    each = np.zeros(along.shape[1])
    candidates = 2 * normals.shape[2]
    weight, candidate = np.zeros(candidates), np.zeros((candidates, 2 * t))
    total = 0.0
    for j in range(authorities):
        if len(told) > 0:
            started(j, mean[j], q, told, modes[j], room)
        value = climbed_years(rows, offset, square_offset, j, mean[j], q, r, modes[j], close, room)
        if not np.isfinite(value):
            return -np.inf
        total += value - half_log_determinant(a[0], a[3])
        if len(tells) > 0:
            rows_copied(terms[:, 1:6], tells[j])
        for draw in range(len(normals)):
            drawn(
                rows, offset, square_offset, j, mean[j], q, r, modes[j], value, normals[draw, j],
                uniform[draw, j], room, weight, candidate, lines[draw], error[draw], noise[draw],
            )  # fmt: skip
        if want < 1:
            continue
        arrow_inverted(a[0], a[1], a[2], a[3], p[0], p[1], p[2], p[3])
        along_log_determinant(q, terms, along, qu, p, h)
        arrow_solved(a[0], a[1], a[2], a[3], h)
        copied(h, c)
        for b in range(t):
            c[b] += along[b, 2] * p[0][b, 1, 1] - along[b, 1] * h[t + b]
        times(own, following, side, corner, c, whole)
        for i in range(2 * t):
            by_mean[j, i] = qu[i] - 0.5 * whole[i]
        # J P J' in place of P.
        for b in range(t):
            turn = along[b, 1]
            if turn != 0.0:
                for k in range(2):
                    p[0][b, 0, k] -= turn * p[0][b, 1, k]
                    p[1][b, 0, k] -= turn * p[1][b, 1, k]
                for k in range(2):
                    p[0][b, k, 0] -= turn * p[0][b, k, 1]
                for i in range(m):
                    p[2][b, 0, i] -= turn * p[2][b, 1, i]
            if b + 1 < t and along[b + 1, 1] != 0.0:
                for k in range(2):
                    p[1][b, k, 0] -= along[b + 1, 1] * p[1][b, k, 1]
        for b in range(t):
            for i in range(2):
                x = i * t + b
                for k in range(2):
                    y = k * t + b
                    by_own[b, i, k] += 0.5 * (
                        0.5 * (c[x] * u[y] + c[y] * u[x]) - u[x] * u[y] - p[0][b, i, k]
                    )
                    if b + 1 < t:
                        y += 1
                        by_following[b, i, k] += (
                            0.5 * (c[x] * u[y] + c[y] * u[x]) - u[x] * u[y] - p[1][b, i, k]
                        )
                for k in range(m):
                    y = 2 * t + k
                    by_side[b, i, k] += (
                        0.5 * (c[x] * u[y] + c[y] * u[x]) - u[x] * u[y] - p[2][b, i, k]
                    )
        for i in range(m):
            for k in range(m):
                x, y = 2 * t + i, 2 * t + k
                by_corner[i, k] += 0.5 * (
                    0.5 * (c[x] * u[y] + c[y] * u[x]) - u[x] * u[y] - p[3][i, k]
                )
        if want < 2 and not r.any():
            continue
        arrow_inverted(a[0], a[1], a[2], a[3], p[0], p[1], p[2], p[3])
        for b in range(t):
            if r[b, 0] + r[b, 1] <= 0.0 and want < 2:
                continue
            s = t + b
            p11, p12, p22 = p[0][b, 0, 0], p[0][b, 0, 1], p[0][b, 1, 1]
            of_a = (
                by_mean[j, b],
                turned_by(q, along, p, b) - 0.5 * h[s] * qu[b],
                0.5 * qu[b] * p22,
            )
            of_areas, of_localities = scores(
                rows, offset, square_offset, j * t + b, modes[j, b], modes[j, s],
                (r[b, 0], r[b, 1]), (p11, p12, p22), (h[b], h[s]), of_a, score, square_score,
                small, each,
            )  # fmt: skip
            by_spread[b, 0] += of_areas
            by_spread[b, 1] += of_localities
    return total
