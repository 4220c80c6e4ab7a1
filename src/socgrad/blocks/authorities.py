"""The effects of authorities integrated out by Laplace's method, with exact derivatives: compiled.

Authority j has K = 2 S effects, levels and then slopes of S strata, u ~ Normal(0, Q^-1) about means
m_j. In coordinates v (the log expected total in place of the level, where a total alone is known)
its log-likelihood is l(v), u = u(v) with Jacobian J. Newton steps find the mode of l - u'Qu / 2; A
is minus its second derivative there, P = A^-1, g the derivative of log det A by v. Then

    M = l - u'Qu / 2 - log det A / 2 + log det Q / 2

and, with h = P g, k_b = a_b'' P_ss (of totals), c = J h + k,

    dM/dm = Q (u - c / 2)
    dM/dQ = (Q^-1 - u u' - J P J' + sym(c u')) / 2

Authorities of one region share effects z on their levels, so u = ... - z. Their joint curvature is
an arrow: authorities first, then z by the Schur complement; P, h and J P J' are then parts of the
whole inverse.
"""

import numpy as np

from socgrad.blocks import segments
from socgrad.blocks.segments import CALLED, ROOM, authority_terms, scores
from socgrad.nuts.numba_on_disk import compiled, on_disk

__all__ = ["CLOSE", "climbed", "evaluated", "factored", "solved"]

# Newton steps of one authority, and of a region's effects.
_STEPS, _REGION_STEPS = 60, 30
CLOSE, _CLOSEST = 1e-6, 1e-13


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
        step = 1.0
        for b in range(strata):
            step = min(step, 3.0 / max(abs(d[b]), 1e-12), 1.0 / max(abs(d[strata + b]), 1e-12))
        moved = False
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


@on_disk(segments, *CALLED)
def evaluated(  # type: ignore[no-untyped-def]
    rows,
    offset,
    square_offset,
    mean,
    precision,
    which,
    r,
    region_precision,
    member,
    first_member,
    modes,
    z_modes,
    want,
    by_mean,
    by_precision,
    by_spread,
    by_region,
    score,
    square_score,
    inverse,
    region_inverse,
):
    """Log marginal of all authorities, without the log determinants of their prior precisions.

    `which` names each authority's precision. `member` lists authorities by region, those of region
    g from `first_member[g]`; both are empty where authorities stand by themselves. `modes` (and
    `z_modes`) are where to start, and take the modes. With `want` 1 or 2 derivatives go into
    `by_mean` (authorities, K), `by_precision` (like `precision`, without log determinants),
    `by_spread` (strata, 2, by logs of r), `by_region` (strata, by precision, without log
    determinants); with 2 those by offsets, too. `inverse` takes P, `region_inverse` the part of z.
    """
    authorities, n = mean.shape
    strata = n // 2
    terms, along = np.zeros((strata, 10)), np.zeros((strata, 4))
    u, qu, w, a = np.zeros(n), np.zeros(n), np.zeros((n, n)), np.zeros((n, n))
    small = np.zeros(ROOM)
    room = (
        terms, along, u, qu, w, a, np.zeros((strata, 10)), np.zeros((strata, 4)), np.zeros(n),
        np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), small,
    )  # fmt: skip
    # Derivatives are those at the mode; values hardly depend on how near it is.
    close = _CLOSEST if want > 0 else CLOSE
    regions = len(first_member) - 1
    none = np.zeros(strata)
    p, g, h, c = np.zeros((n, n)), np.zeros(n), np.zeros(n), np.zeros(n)
    jp, far = np.zeros((n, n)), np.zeros((n, strata))
    total = 0.0
    if regions < 1:
        p_zz, no_h = np.zeros((strata, strata)), np.zeros(strata)
        for j in range(authorities):
            q = precision[which[j]]
            value = climbed(
                rows, offset, square_offset, j, mean[j], none, q, r, modes[j], close, room
            )
            if not np.isfinite(value):
                return -np.inf
            for i in range(n):
                value -= np.log(a[i, i])
            total += value
            if want > 0:
                inverted(a, p, n)
                rows_copied(p, inverse[j])
                curvature_slope(terms, along, qu, w, p, q, far, g)
                for i in range(n):
                    s = 0.0
                    for k in range(n):
                        s += p[i, k] * g[k]
                    h[i] = s
                derivatives(
                    rows, offset, square_offset, j, q, r, modes[j], room, p, far, p_zz, h, no_h,
                    c, jp, want, by_mean[j], by_precision[which[j]], by_spread, score,
                    square_score,
                )  # fmt: skip
        return total

    schur, ways = np.zeros((strata, strata)), np.zeros((authorities, n, strata))
    gz, dz, hz, gs = (
        np.zeros(strata),
        np.zeros(strata),
        np.zeros(strata),
        np.zeros((authorities, n)),
    )
    for region in range(regions):
        mine = member[first_member[region] : first_member[region + 1]]
        z = z_modes[region]
        settled = False
        for _ in range(_REGION_STEPS):
            value = 0.0
            for b in range(strata):
                gz[b] = -region_precision[b] * z[b]
                value -= 0.5 * region_precision[b] * z[b] * z[b]
                for d in range(strata):
                    schur[b, d] = region_precision[b] if b == d else 0.0
            for j in mine:
                q = precision[which[j]]
                reached = climbed(
                    rows, offset, square_offset, j, mean[j], z, q, r, modes[j], close, room
                )
                if not np.isfinite(reached):
                    return -np.inf
                value += reached
                for i in range(n):
                    value -= np.log(a[i, i])
                for b in range(strata):
                    gz[b] += qu[b]
                    for i in range(n):
                        h[i] = w[b, i]
                    solved(a, h, n)
                    for i in range(n):
                        ways[j, i, b] = h[i]
                for b in range(strata):
                    for d in range(strata):
                        s = q[b, d]
                        for i in range(n):
                            s -= w[b, i] * ways[j, i, d]
                        schur[b, d] += s
            if not factored(schur, strata):
                return -np.inf
            if settled:
                break
            copied(gz, dz)
            solved(schur, dz, strata)
            gain = 0.0
            for b in range(strata):
                gain += gz[b] * dz[b]
            if not np.isfinite(gain):
                return -np.inf
            longest = 0.0
            for b in range(strata):
                longest = max(longest, abs(dz[b]))
            for b in range(strata):
                z[b] += dz[b] * min(1.0, 1.0 / max(longest, 1e-12))
            # Once more at the new place, for what belongs to it.
            settled = gain < max(close, 1e-10)
        if not settled:
            return -np.inf
        for b in range(strata):
            value -= np.log(schur[b, b])
        total += value
        if want < 1:
            continue
        p_zz = np.zeros((strata, strata))
        inverted(schur, p_zz, strata)
        rows_copied(p_zz, region_inverse[region])
        gz[:] = 0.0
        for j in mine:
            q = precision[which[j]]
            climbed(rows, offset, square_offset, j, mean[j], z, q, r, modes[j], close, room)
            whole_inverse(a, ways[j], p_zz, p, far)
            rows_copied(p, inverse[j])
            curvature_slope(terms, along, qu, w, p, q, far, g)
            copied(g, gs[j])
            for b in range(strata):
                for i in range(n):
                    gz[b] += ways[j, i, b] * g[i]
                for d in range(strata):
                    gz[b] += q[b, d] * along[d, 2] * p[strata + d, strata + d]
        for b in range(strata):
            s = 0.0
            for d in range(strata):
                s += p_zz[b, d] * gz[d]
            hz[b] = s
        for j in mine:
            q = precision[which[j]]
            climbed(rows, offset, square_offset, j, mean[j], z, q, r, modes[j], close, room)
            whole_inverse(a, ways[j], p_zz, p, far)
            copied(gs[j], h)
            solved(a, h, n)
            for i in range(n):
                for b in range(strata):
                    h[i] += ways[j, i, b] * hz[b]
            derivatives(
                rows, offset, square_offset, j, q, r, modes[j], room, p, far, p_zz, h, hz, c, jp,
                want, by_mean[j], by_precision[which[j]], by_spread, score, square_score,
            )  # fmt: skip
        for b in range(strata):
            by_region[b] += 0.5 * (hz[b] * z[b] - z[b] * z[b] - p_zz[b, b])
    return total


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
def whole_inverse(factor, ways, p_zz, p, far):  # type: ignore[no-untyped-def]
    """One authority's part of the inverse of a region's arrow, and its part beside z (`far`)."""
    n, strata = ways.shape
    inverted(factor, p, n)
    for i in range(n):
        for b in range(strata):
            s = 0.0
            for d in range(strata):
                s += ways[i, d] * p_zz[d, b]
            far[i, b] = s
    for i in range(n):
        for k in range(n):
            for b in range(strata):
                p[i, k] += far[i, b] * ways[k, b]


@compiled
def turned(q, w, p, far, b, at):  # type: ignore[no-untyped-def]
    """Element (b, at) of Q (J P - E P_z): how log det A depends on the turn of a total."""
    found = 0.0
    for i in range(len(p)):
        found += w[b, i] * p[i, at]
    for d in range(far.shape[1]):
        found -= q[b, d] * far[at, d]
    return found


@compiled
def curvature_slope(terms, along, qu, w, p, q, far, g):  # type: ignore[no-untyped-def]
    """Derivative of log det A by each coordinate."""
    strata = len(terms)
    for b in range(strata):
        s = strata + b
        p11, p12, p22 = p[b, b], p[b, s], p[s, s]
        g[b] = -(terms[b, 6] * p11 + 2.0 * terms[b, 7] * p12 + terms[b, 8] * p22)
        g[s] = -(terms[b, 7] * p11 + 2.0 * terms[b, 8] * p12 + terms[b, 9] * p22)
    for b in range(strata):
        if along[b, 2] == 0.0:
            continue
        s = strata + b
        g[s] -= 2.0 * along[b, 2] * turned(q, w, p, far, b, s) + qu[b] * along[b, 3] * p[s, s]
        for i in range(2 * strata):
            g[i] -= w[b, i] * along[b, 2] * p[s, s]


@compiled
def derivatives(  # type: ignore[no-untyped-def]
    rows,
    offset,
    square_offset,
    j,
    q,
    r,
    v,
    room,
    p,
    far,
    p_zz,
    h,
    h_z,
    c,
    jp,
    want,
    by_mean,
    by_precision,
    by_spread,
    score,
    square_score,
):
    """Add one authority's derivatives of the marginal, given its inverse curvature and h."""
    along, u, qu, w, small = room[1], room[2], room[3], room[4], room[-1]
    strata = len(r)
    n = 2 * strata
    own = np.zeros(along.shape[1])
    for b in range(strata):
        s = strata + b
        c[b] = h[b] - along[b, 1] * h[s] - h_z[b] + along[b, 2] * p[s, s]
        c[s] = h[s]
    for i in range(n):
        s = qu[i]
        for k in range(n):
            s -= 0.5 * q[i, k] * c[k]
        by_mean[i] = s
    # J P J', with z: rows, then columns.
    for b in range(strata):
        for i in range(n):
            jp[b, i] = p[b, i] - along[b, 1] * p[strata + b, i] - far[i, b]
            jp[strata + b, i] = p[strata + b, i]
    for i in range(n):
        for b in range(strata):
            with_z = far[i, b]
            if i < strata:
                with_z = far[i, b] - along[i, 1] * far[strata + i, b] - p_zz[i, b]
            whole = jp[i, b] - along[b, 1] * jp[i, strata + b] - with_z
            by_precision[i, b] += 0.5 * (0.5 * (c[i] * u[b] + c[b] * u[i]) - u[i] * u[b] - whole)
            k = strata + b
            by_precision[i, k] += 0.5 * (0.5 * (c[i] * u[k] + c[k] * u[i]) - u[i] * u[k] - jp[i, k])
    for b in range(strata):
        if r[b, 0] + r[b, 1] <= 0.0 and want < 2:
            continue
        s = strata + b
        of_a = (
            by_mean[b],
            turned(q, w, p, far, b, s) - 0.5 * h[s] * qu[b],
            0.5 * qu[b] * p[s, s],
        )
        of_areas, of_localities = scores(
            rows, offset, square_offset, j * strata + b, v[b], v[s], (r[b, 0], r[b, 1]),
            (p[b, b], p[b, s], p[s, s]), (h[b], h[s]), of_a, score, square_score, small, own,
        )  # fmt: skip
        by_spread[b, 0] += of_areas
        by_spread[b, 1] += of_localities
