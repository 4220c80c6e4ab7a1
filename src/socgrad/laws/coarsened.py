"""Counts of which something coarser was published: compiled.

A kernel says what was published of a count k: P(published | k) for k = low, ..., high, 1 everywhere
unless weights are given. With mean mu = exp(eta) and squared coefficient of variation r of the
gamma factor of the count (0 of a Poisson count), the log-likelihood is

    log sum_k P(published | k) p(k; mu, r).

Its derivatives are cumulants of k given what was published. Sums start at the most probable count
(or, of few counts, at the lowest) and end where terms no longer change them, so that intervals may
be wide, or open above.
"""

from math import exp, inf, lgamma, log, log1p

from socgrad.arrays import FloatArray
from socgrad.laws.compiled_expected import add_along_line
from socgrad.laws.compiled_gamma import gamma_differences, log_gamma_ratio
from socgrad.laws.kernels import OPEN
from socgrad.nuts.numba_on_disk import compiled

__all__ = ["coarsened_scores", "coarsened_terms", "kernel_of", "kernel_terms"]

# Terms below this share of the largest are left out.
_SMALL = 1e-18
# Sums over so few counts, of means below `_LARGE`, may start at the lowest.
_NARROW, _LARGE = 16, 1e12


@compiled
def kernel_terms(  # type: ignore[no-untyped-def]
    low: int, high: int, weight: FloatArray, first, eta: float, r: float, deep, found: FloatArray
) -> None:
    """Log probability of what was published, and its derivatives, into `found`.

    0 is the value; 1, 2, 3 its derivatives by eta; 4 that by log r, 5 and 6 those by eta and log r,
    and by eta twice and log r (zeros where r is 0). Without `deep` the value alone is right.
    P(published | low) is `weight[first]`, and so on; all are 1 where `first` is negative.
    """
    mean = exp(eta)
    found[:7] = 0.0
    if not mean < inf:
        found[0] = -inf
        return
    scaled = r * mean
    start = low
    if high == OPEN or high - low > _NARROW or mean > _LARGE:
        start = int(min(max(mean * (1.0 - r), 0.0), 9e15))
        start = max(low, start if high == OPEN else min(start, high))

    s0 = s1 = s2 = s3 = b0 = b1 = b2 = 0.0
    # Upwards from the start, then downwards.
    term, rise, k = 1.0, 0.0, start
    while True:
        each = term * weight[first + k - low] if first >= 0 else term
        d = float(k - start)
        s0 += each
        if deep:
            s1 += each * d
            s2 += each * d * d
            s3 += each * d * d * d
            b0 += each * rise
            b1 += each * rise * d
            b2 += each * rise * d * d
        if k == high or term < _SMALL:
            break
        rise += r * k / (1.0 + r * k)
        term *= (1.0 + r * k) * mean / ((k + 1.0) * (1.0 + scaled))
        k += 1
    term, rise, k = 1.0, 0.0, start
    while k > low and term > _SMALL:
        k -= 1
        rise -= r * k / (1.0 + r * k)
        term *= (k + 1.0) * (1.0 + scaled) / ((1.0 + r * k) * mean)
        each = term * weight[first + k - low] if first >= 0 else term
        d = float(k - start)
        s0 += each
        if deep:
            s1 += each * d
            s2 += each * d * d
            s3 += each * d * d * d
            b0 += each * rise
            b1 += each * rise * d
            b2 += each * rise * d * d

    found[0] = log(s0) + start * eta
    if start > 1:
        found[0] -= lgamma(start + 1.0)
    if r > 0.0:
        found[0] -= (start + 1.0 / r) * log1p(scaled)
        if start > 1:
            found[0] += log_gamma_ratio(start, 1.0 / r)
    else:
        found[0] -= mean
    if not deep:
        return
    m = s1 / s0
    v = s2 / s0 - m * m
    k3 = s3 / s0 - 3.0 * m * s2 / s0 + 2.0 * m * m * m
    expected = start + m
    if r <= 0.0:
        found[1] = expected - mean
        found[2] = v - mean
        found[3] = k3 - mean
        return
    c = 1.0 / (1.0 + scaled)
    p = scaled * c
    size = expected + 1.0 / r
    found[1] = c * (expected - mean)
    found[2] = c * c * v - p * c * size
    found[3] = c * c * c * k3 - 3.0 * p * c * c * v - p * c * (1.0 - 2.0 * p) * size
    # D_k = sum_{i < k} r i / (1 + r i) is the derivative of log Gamma(k + 1/r) ... by log r.
    b = b0 / s0
    with_d = b1 / s0 - m * b
    with_squares = (b2 - 2.0 * m * b1 + m * m * b0) / s0 - b * v
    rising = 0.0
    if start > 1:
        gamma_differences(start, 1.0 / r, found[4:7])
        rising = start - found[4] / r
    found[4] = rising + b + log1p(scaled) / r - size * p
    found[5] = -p * c * (expected - mean) + c * (with_d - p * v)
    found[6] = (
        -p * c * (1.0 - 2.0 * p) * size
        + p * c / r
        - 2.0 * p * c * c * v
        - p * c * (with_d - p * v)
        + c * c * (with_squares - p * k3)
    )


@compiled
def kernel_of(kernels, which, eta, r, deep, found):  # type: ignore[no-untyped-def]
    """`kernel_terms` of one of several `Kernels`."""
    kernel_terms(
        kernels.low[which], kernels.high[which], kernels.weight, kernels.first_weight[which],
        eta, r, deep, found,
    )  # fmt: skip


@compiled
def coarsened_terms(kernels, kernel, within, offset, lo, hi, level, slope, r, deep, out, small):  # type: ignore[no-untyped-def]
    """Add what was published of rows, and derivatives, to `out`, as `segments` has it.

    Returned is the derivative by log r. Without `deep` the value alone.
    """
    by_r = 0.0
    for i in range(lo, hi):
        w = within[i]
        kernel_of(kernels, kernel[i], offset[i] + level + slope * w, r, deep, small)
        out[0] += small[0]
        if deep:
            add_along_line(small, w, out)
            by_r += small[4]
    return by_r


@compiled
def coarsened_scores(  # type: ignore[no-untyped-def]
    kernels, kernel, within, offset, lo, hi, level, slope, r, p, h, score, small
):
    """Derivatives of the marginal by each row's offset, into `score`; that by log r.

    `p` and `h` are as in `segments.scores`.
    """
    p11, p12, p22 = p
    h1, h2 = h
    by_r = 0.0
    for i in range(lo, hi):
        w = within[i]
        kernel_of(kernels, kernel[i], offset[i] + level + slope * w, r, True, small)
        around = 0.5 * (p11 + 2.0 * p12 * w + p22 * w * w)
        along = 0.5 * (h1 + h2 * w)
        score[i] = small[1] + around * small[3] - along * small[2]
        by_r += small[4] + around * small[6] - along * small[5]
    return by_r
