"""Random draws of counts given what was published of them: compiled.

A count of mean mu and squared coefficient of variation r has, given its kernel, probabilities in
proportion to P(published | k) p(k; mu, r). It is found by adding them up from the most probable
one, upwards and then downwards, until a random share of their sum is passed. Poisson counts whose
sum is known, too, are drawn by exchanging events between two of them at a time, which leaves the
sum as it is (Gibbs' sampler); they start from draws without the sum, moved to it event by event.
Compiled code has NumPy's older generator, which is seeded from the caller's.
"""

import functools
from math import exp
from typing import Any

import numpy as np

from socgrad.arrays import FloatArray, IntArray
from socgrad.laws.kernels import OPEN, Kernels
from socgrad.nuts.numba_on_disk import compiled, on_disk

__all__ = ["draw_given_kernels", "draw_given_sums"]

_SMALL = 1e-18
#: How often each count of a known sum takes part in an exchange.
_EXCHANGES = 12


@compiled
def walk(  # type: ignore[no-untyped-def]
    low, high, weight, first, start, up, shift, share
):  # fmt: skip
    """Sum of the chances of counts, in units of that of `start`; or where `share` of it is passed.

    The chance of k + 1 is ``up * (1 + shift k) / (k + 1)`` that of k. With a negative `share` the
    sum is returned, else the count.
    """
    total, term, k = 0.0, 1.0, start
    while True:
        total += term * weight[first + k - low] if first >= 0 else term
        if 0.0 <= share <= total:
            return float(k)
        if k == high or term < _SMALL:
            break
        term *= up * (1.0 + shift * k) / (k + 1.0)
        k += 1
    term, k = 1.0, start
    while k > low and term > _SMALL:
        k -= 1
        term *= (k + 1.0) / (up * (1.0 + shift * k))
        total += term * weight[first + k - low] if first >= 0 else term
        if 0.0 <= share <= total:
            return float(k)
    return total if share < 0.0 else float(start)


@compiled
def draw_one(kernels, kernel, mean, r):  # type: ignore[no-untyped-def]
    """Draw one count given its kernel."""
    low, high = kernels.low[kernel], kernels.high[kernel]
    first, weight = kernels.first_weight[kernel], kernels.weight
    start = int(min(max(mean * (1.0 - r), 0.0), 9e15))
    start = max(low, start if high == OPEN else min(start, high))
    up = mean / (1.0 + r * mean)
    total = walk(low, high, weight, first, start, up, r, -1.0)
    return walk(low, high, weight, first, start, up, r, np.random.random() * total)


@compiled
def product_weight(kernels, kernel, count):  # type: ignore[no-untyped-def]
    """P(published | count) of a kernel; 0 outside its bounds."""
    low, high = kernels.low[kernel], kernels.high[kernel]
    if count < low or (high != OPEN and count > high):
        return 0.0
    first = kernels.first_weight[kernel]
    return kernels.weight[first + count - low] if first >= 0 else 1.0


@compiled
def exchange(kernels, pair, mine, theirs, odds):  # type: ignore[no-untyped-def]
    """Draw one of two Poisson counts again, given their sum; `odds` is the ratio of the means."""
    one, other = pair
    both = mine + theirs
    low = max(kernels.low[one], both - kernels.high[other] if kernels.high[other] != OPEN else 0)
    high = both - kernels.low[other]
    if kernels.high[one] != OPEN:
        high = min(high, kernels.high[one])
    total = 0.0
    share = -1.0
    for turn in range(2):
        # Once to add up the chances, in units of that of the counts as they are; once to choose.
        reached = 0.0
        for upwards in (True, False):
            k, term = mine, 1.0
            if not upwards:
                if k == low:
                    break
                term *= k / (odds * (both - k + 1.0))
                k -= 1
            while True:
                chance = product_weight(kernels, one, k)
                chance *= product_weight(kernels, other, both - k)
                reached += term * chance
                if turn == 1 and reached >= share:
                    return k
                if upwards:
                    if k == high or term < _SMALL:
                        break
                    term *= odds * (both - k) / (k + 1.0)
                    k += 1
                else:
                    if k == low or term < _SMALL:
                        break
                    term *= k / (odds * (both - k + 1.0))
                    k -= 1
        total = reached
        share = np.random.random() * total
    return mine


@functools.cache
def _functions() -> tuple[Any, Any]:
    @on_disk()
    def draws_on_disk(kernels, kernel, mean, r, seed, found):  # type: ignore[no-untyped-def]
        np.random.seed(seed)
        for n in range(mean.shape[0]):
            for i in range(mean.shape[1]):
                found[n, i] = draw_one(kernels, kernel[i], mean[n, i], r[n, i])

    @on_disk()
    def sums_on_disk(  # type: ignore[no-untyped-def]
        kernels, first, kernel, log_mean, totals, seed, found
    ):
        np.random.seed(seed)
        for n in range(log_mean.shape[0]):
            for j in range(len(totals)):
                lo, hi = first[j], first[j + 1]
                missing = float(totals[j])
                for i in range(lo, hi):
                    missing -= found[n, i]
                while missing != 0.0:
                    i = np.random.randint(lo, hi)
                    step = 1.0 if missing > 0.0 else -1.0
                    moved, high = found[n, i] + step, kernels.high[kernel[i]]
                    if moved >= kernels.low[kernel[i]] and (high == OPEN or moved <= high):
                        found[n, i] = moved
                        missing -= step
                for _ in range(_EXCHANGES // 2 * (hi - lo) if hi - lo > 1 else 0):
                    a = np.random.randint(lo, hi)
                    b = np.random.randint(lo, hi - 1)
                    b += b >= a
                    both = found[n, a] + found[n, b]
                    odds = exp(log_mean[n, a] - log_mean[n, b])
                    found[n, a] = exchange(
                        kernels, (kernel[a], kernel[b]), int(found[n, a]), int(found[n, b]),
                        odds,
                    )  # fmt: skip
                    found[n, b] = both - found[n, a]

    return draws_on_disk, sums_on_disk


def draw_given_kernels(
    kernels: Kernels, kernel: IntArray, mean: FloatArray, r: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Draw counts given what was published of each.

    Parameters
    ----------
    kernels : Kernels
    kernel : ndarray of int, shape (counts,)
    mean : ndarray, shape (draws, counts)
    r : ndarray
        Squared coefficients of variation of their gamma factors; 0 of Poisson counts.
    rng
        Source of randomness.

    Returns
    -------
    ndarray, shape (draws, counts)
    """
    found = np.zeros(mean.shape)
    spread = np.ascontiguousarray(np.broadcast_to(r, mean.shape))
    seed = int(rng.integers(2**31))
    _functions()[0](kernels, kernel, np.ascontiguousarray(mean), spread, seed, found)
    return found


def draw_given_sums(
    kernels: Kernels,
    rows: tuple[IntArray, IntArray],
    log_mean: FloatArray,
    totals: IntArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw Poisson counts given what was published of each, and their sums.

    Parameters
    ----------
    kernels : Kernels
    rows : tuple of ndarray
        Where the counts of each sum begin, (sums + 1,), and the kernel of each count.
    log_mean : ndarray, shape (draws, counts)
    totals : ndarray of int, shape (sums,)
        Possible ones: between the sums of the bounds.
    rng
        Source of randomness.

    Returns
    -------
    ndarray, shape (draws, counts)
    """
    mean = np.exp(log_mean)
    found = draw_given_kernels(kernels, rows[1], mean, np.zeros(()), rng)
    seed = int(rng.integers(2**31))
    _functions()[1](kernels, *rows, np.ascontiguousarray(log_mean), totals, seed, found)
    return found
