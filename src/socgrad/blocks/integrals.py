"""What Laplace's method misses of each authority's integral, and draws of its effects: compiled."""

import numpy as np

from socgrad.blocks import climbing, segments
from socgrad.blocks.climbing import climbed, copied, objective, started
from socgrad.blocks.segments import CALLED, ROOM
from socgrad.nuts.numba_on_disk import compiled, on_disk

__all__ = ["integrals", "weighed"]


@compiled
def weighed(weight, uniform, error, noise, j):  # type: ignore[no-untyped-def]
    """Position of the candidate drawn by log weight, or -1 where there is none.

    Candidates come in pairs. What their weights say of authority j's integral goes into `error` and
    `noise`, as in `integrals`.
    """
    number = len(weight)
    pairs = number // 2
    highest = weight.max()
    if not np.isfinite(highest):
        error[j] = -np.inf
        return -1
    mass = 0.0
    for at in range(number):
        weight[at] = np.exp(weight[at] - highest)
        mass += weight[at]
    error[j] = highest + np.log(mass / number)
    spread = 0.0
    for pair in range(pairs):
        away = (weight[2 * pair] + weight[2 * pair + 1]) * pairs / mass - 1.0
        spread += away * away
    noise[j] = spread / (pairs * max(pairs - 1, 1))
    left, at = uniform * mass, 0
    while at < number - 1 and left > weight[at]:
        left -= weight[at]
        at += 1
    return at


@on_disk(climbing, segments, *CALLED)
def integrals(  # type: ignore[no-untyped-def]
    rows,
    offset,
    square_offset,
    mean,
    precision,
    which,
    r,
    region_effect,
    modes,
    told,
    close,
    normals,
    uniform,
    lines,
    error,
    noise,
):
    """Estimate the integral over each authority's effects, and draw them.

    For each draw candidates come in pairs about the mode, normal with the curvature there. The mean
    of their weights is an unbiased estimate of the integral over Laplace's; its logarithm goes into
    `error`, its relative variance into `noise`, (draws, authorities) each. One candidate, drawn by
    weight (`uniform`, of the same shape), goes into `lines` (draws, authorities, effects): level
    and slope in every stratum. `region_effect` (authorities, strata) is given, `told` and `close`
    as in `authorities.evaluated`; `normals` has shape (draws, authorities, pairs, effects).
    Returned is the sum of Laplace's values.
    """
    authorities, n = mean.shape
    strata, draws, pairs = n // 2, normals.shape[0], normals.shape[2]
    terms, along = np.zeros((strata, 10)), np.zeros((strata, 4))
    u, qu, w, a = np.zeros(n), np.zeros(n), np.zeros((n, n)), np.zeros((n, n))
    small = np.zeros(ROOM)
    other = np.zeros((strata, 10)), np.zeros((strata, 4)), np.zeros(n), np.zeros(n)
    room = (
        terms, along, u, qu, w, a, other[0], other[1], other[2], other[3], np.zeros(n),
        np.zeros(n), np.zeros(n), small,
    )  # fmt: skip
    step, v = np.zeros(n), np.zeros(n)
    weight, candidate = np.zeros(2 * pairs), np.zeros((2 * pairs, n))
    total = 0.0
    for j in range(authorities):
        q = precision[which[j]]
        if len(told) > 0:
            started(j, mean[j], q, told, modes[j], room)
        top = climbed(
            rows, offset, square_offset, j, mean[j], region_effect[j], q, r, modes[j], close, room
        )
        if not np.isfinite(top):
            return -np.inf
        total += top
        for i in range(n):
            total -= np.log(a[i, i])
        for draw in range(draws):
            for pair in range(pairs):
                square = 0.0
                for i in range(n - 1, -1, -1):
                    s = normals[draw, j, pair, i]
                    square += s * s
                    for k in range(i + 1, n):
                        s -= a[k, i] * step[k]
                    step[i] = s / a[i, i]
                for side in range(2):
                    at = 2 * pair + side
                    for i in range(n):
                        v[i] = modes[j, i] + (step[i] if side == 0 else -step[i])
                    value = objective(
                        rows, offset, square_offset, j, mean[j], region_effect[j], q, r, v, False,
                        other[0], other[1], other[2], other[3], small,
                    )  # fmt: skip
                    weight[at] = value - top + 0.5 * square
                    copied(other[2], candidate[at])
            chosen = weighed(weight, uniform[draw, j], error[draw], noise[draw], j)
            if chosen < 0:
                continue
            for i in range(n):
                lines[draw, j, i] = candidate[chosen, i] + mean[j, i]
    return total
