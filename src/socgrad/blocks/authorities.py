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

from socgrad.blocks import climbing, segments
from socgrad.blocks.climbing import (
    climbed,
    copied,
    factored,
    inverted,
    rows_copied,
    solved,
    started,
)
from socgrad.blocks.segments import CALLED, ROOM, scores
from socgrad.nuts.numba_on_disk import compiled, on_disk

__all__ = ["evaluated"]

# Newton steps of a region's effects.
_REGION_STEPS = 30


@on_disk(climbing, segments, *CALLED)
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
    told,
    tells,
    close,
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
    `z_modes`) are where to start, and take the modes; `told` (authorities, strata, 5) are slope and
    curvature of the log-likelihood at `modes`, or is empty, and `tells` takes them at the modes
    found, where it is not empty. Searches end where a step would gain less than `close`. With
    `want` 1 or 2 derivatives go into `by_mean` (authorities, K), `by_precision` (like `precision`,
    without log determinants), `by_spread` (strata, 2, by logs of r), `by_region` (strata, by
    precision, without log determinants); with 2 those by offsets, too. `inverse` takes P,
    `region_inverse` the part of z.
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
    regions = len(first_member) - 1
    none = np.zeros(strata)
    p, g, h, c = np.zeros((n, n)), np.zeros(n), np.zeros(n), np.zeros(n)
    jp, far = np.zeros((n, n)), np.zeros((n, strata))
    total = 0.0
    if regions < 1:
        p_zz, no_h = np.zeros((strata, strata)), np.zeros(strata)
        for j in range(authorities):
            q = precision[which[j]]
            if len(told) > 0:
                started(j, mean[j], q, told, modes[j], room)
            value = climbed(
                rows, offset, square_offset, j, mean[j], none, q, r, modes[j], close, room
            )
            if not np.isfinite(value):
                return -np.inf
            if len(tells) > 0:
                rows_copied(terms[:, 1:6], tells[j])
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
