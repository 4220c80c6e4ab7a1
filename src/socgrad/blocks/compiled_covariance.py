"""Covariances by standard deviations and partial correlations, and derivatives: compiled."""

import numpy as np

from socgrad.nuts.numba_on_disk import on_disk

__all__ = ["by_partials", "of_partials"]


@on_disk()
def of_partials(partial, sds, order, found):  # type: ignore[no-untyped-def]
    """Covariances S F F' S of points, into `found` (points, n, n); real or complex.

    `partial` (points, n (n - 1) / 2) are partial correlations below the diagonal, row by row, of
    effects in `order`; `sds` (points, n). A row of F has p_k left_k, left_k the root of what the
    partial correlations before have left of a variance.
    """
    points, n = sds.shape
    scaled = np.zeros_like(found[0])
    for m in range(points):
        at = 0
        for i in range(n):
            rest = sds[m, order[i]]
            for k in range(i):
                p = partial[m, at]
                scaled[i, k] = p * rest
                rest *= np.sqrt(1.0 - p * p)
                at += 1
            scaled[i, i] = rest
            for j in range(i + 1):
                total = scaled[i, 0] * scaled[j, 0]
                for k in range(1, j + 1):
                    total += scaled[i, k] * scaled[j, k]
                found[m, order[i], order[j]] = total
                found[m, order[j], order[i]] = total


@on_disk()
def by_partials(partial, sds, slope, order, found):  # type: ignore[no-untyped-def]
    """By standard deviations, and by the tanh^-1 of partial correlations, into `found`.

    `partial` and `order` as in `of_partials`, at one point; `slope` (n, n) is symmetric. With
    C = S F F' S of a slope G, dC = dS F F' S + S dF F' S and their transposes: those by the
    standard deviations are 2 diag(G C) / s, those by F are H = 2 S G S F, row by row. A partial
    correlation p_m scales its own entry, p_m left_m, and what is left for later ones, by
    -p_m / (1 - p_m^2); tanh has the slope 1 - p_m^2.
    """
    n = len(order)
    factor, left = np.zeros((n, n)), np.zeros((n, n))
    at = 0
    for i in range(n):
        rest = 1.0
        for k in range(i):
            left[i, k] = rest
            factor[i, k] = partial[at] * rest
            rest *= np.sqrt(1.0 - partial[at] * partial[at])
            at += 1
        factor[i, i] = rest
    turned = np.zeros(n)
    at = 0
    for i in range(n):
        effect = order[i]
        for k in range(n):
            turned[k] = 0.0
        # Row of G S F; F is lower triangular.
        for j in range(n):
            weight = 2.0 * slope[effect, order[j]] * sds[order[j]]
            for k in range(j + 1):
                turned[k] += weight * factor[j, k]
        by_sd = later = 0.0
        for k in range(i + 1):
            by_sd += turned[k] * factor[i, k]
        found[effect] = by_sd
        for k in range(i, -1, -1):
            by_factor = sds[effect] * turned[k]
            if k < i:
                p = partial[at + k]
                found[n + at + k] = by_factor * left[i, k] * (1.0 - p * p) - p * later
            later += by_factor * factor[i, k]
        at += i
