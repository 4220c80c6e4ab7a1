"""Poisson counts within bounds whose sum is known: compiled.

Of n areas with means mu_i = x_i e^t, published as kernels and known to sum to R, the probability is

    e^(R t) e^(-sum mu_i) C,            C = [z^R] prod_i S_i(z x_i),
    S_i(u) = sum_k P(published | k) u^k / k!

so that C depends on the slope alone. Counts tilted by z are independent, with S_i as normalising
constants; at the z at which their mean sum is R, C = prod_i S_i(z x_i) z^(-R) P(sum = R), and that
probability is convolved exactly, or, where sums are so large that it would take long, taken from
the saddlepoint with its next term (Daniels 1954, doi 10.1214/aoms/1177728652).
"""

import functools
from math import exp, inf, log, pi
from typing import Any

import numpy as np

from socgrad.arrays import FloatArray, IntArray
from socgrad.laws import coarsened
from socgrad.laws import compiled_gamma as gamma_functions
from socgrad.laws.coarsened import kernel_terms
from socgrad.laws.kernels import OPEN, Kernels
from socgrad.nuts.numba_on_disk import compiled, on_disk

__all__ = ["log_constants"]

# Products of a convolution beyond which the saddlepoint is taken, where the variance of the sum is
# at least `_WIDE`: near corners, where all counts are at one end, it is poor.
_LONG, _WIDE = 3e5, 20.0
_STEPS = 200
# Standard deviations of the sum by which its mean may miss the total.
_CLOSE = 0.05


@compiled
def cumulants(kernels, kernel, x, tilt, one, found):  # type: ignore[no-untyped-def]
    """Log normalising constants of tilted counts, summed, and cumulants 1 to 3 of their sum."""
    found[:4] = 0.0
    for i in range(len(kernel)):
        k, eta = kernel[i], x[i] + tilt
        mean = exp(eta)
        kernel_terms(
            kernels.low[k], kernels.high[k], kernels.weight, kernels.first_weight[k], eta, 0.0,
            True, one,
        )  # fmt: skip
        for part in range(4):
            found[part] += one[part] + mean


@compiled
def balanced(kernels, kernel, x, total, tilt, one, found):  # type: ignore[no-untyped-def]
    """The tilt at which the mean sum is the total; near corners one at which it nearly is."""
    low, high = -80.0, 80.0
    for _ in range(_STEPS):
        cumulants(kernels, kernel, x, tilt, one, found)
        away = found[1] - total
        if away * away < _CLOSE * _CLOSE * found[2] or high - low < 1e-6:
            break
        if away > 0:
            high = tilt
        else:
            low = tilt
        tilt = tilt - away / found[2] if found[2] > 0 else (low + high) / 2
        if not low < tilt < high:
            tilt = (low + high) / 2
        # Corners are approached, not reached.
        tilt = min(max(tilt, -40.0), 40.0)
    return tilt


@compiled
def log_constant(  # type: ignore[no-untyped-def]
    kernels, kernel, x, total, tilt, one, found, sums, room
):
    """Log of C; whether it is exact; and the tilt, which was sought from `tilt` on.

    `sums` and `room` have room for total + 1 numbers.
    """
    tilt = balanced(kernels, kernel, x, total, tilt, one, found)
    value = found[0] - total * tilt
    least, widest, work = 0, 0, 0.0
    for i in range(len(kernel)):
        least += kernels.low[kernel[i]]
    spare = total - least
    for i in range(len(kernel)):
        low, high = kernels.low[kernel[i]], kernels.high[kernel[i]]
        width = spare + 1 if high == OPEN else min(high - low, spare) + 1
        widest = max(widest, width)
        work += width * (spare + 1.0)
    if work > _LONG and found[2] > _WIDE:
        found0, v, k3 = found[1], found[2], found[3]
        h = 1e-3
        cumulants(kernels, kernel, x, tilt + h, one, found)
        up = found[3]
        cumulants(kernels, kernel, x, tilt - h, one, found)
        k4 = (up - found[3]) / (2.0 * h)
        next_term = k4 / (8.0 * v * v) - 5.0 * k3 * k3 / (24.0 * v * v * v)
        missed = (found0 - total) ** 2 / (2.0 * v)
        return value - 0.5 * log(2.0 * pi * v) - missed + next_term, False, tilt
    chance = np.zeros(widest)
    sums[: spare + 1] = 0.0
    sums[0] = 1.0
    top = 0
    for i in range(len(kernel)):
        k, eta = kernel[i], x[i] + tilt
        low, high = kernels.low[k], kernels.high[k]
        width = spare + 1 if high == OPEN else min(high - low, spare) + 1
        mean = exp(eta)
        kernel_terms(low, high, kernels.weight, kernels.first_weight[k], eta, 0.0, False, one)
        # P(count = low + a), tilted.
        log_first = low * eta - one[0] - mean
        for a in range(1, low + 1):
            log_first -= log(a)
        term = log_first
        for a in range(width):
            own = 1.0
            if kernels.first_weight[k] >= 0:
                own = kernels.weight[kernels.first_weight[k] + a]
            chance[a] = own * exp(term)
            term += eta - log(low + a + 1.0)
        new_top = min(top + width - 1, spare)
        for s in range(new_top + 1):
            summed = 0.0
            for a in range(max(0, s - top), min(width - 1, s) + 1):
                summed += chance[a] * sums[s - a]
            room[s] = summed
        top = new_top
        sums[: top + 1] = room[: top + 1]
    if top < spare or sums[spare] <= 0.0:
        return -inf, True, tilt
    return value + log(sums[spare]), True, tilt


@functools.cache
def _function() -> Any:
    @on_disk(coarsened, gamma_functions)
    def log_constants_on_disk(  # type: ignore[no-untyped-def]
        kernels, first, kernel, within, log_exposure, totals, slopes, found, exact
    ):
        one, sums4 = np.zeros(7), np.zeros(4)
        room = np.zeros((2, int(np.max(totals)) + 2))
        for j in range(len(totals)):
            lo, hi = first[j], first[j + 1]
            x, own = np.empty(hi - lo), np.empty(hi - lo, dtype=np.int64)
            tilt = 0.0
            for m in range(slopes.shape[1]):
                # Areas of which nothing is known are one.
                size, together, place = 0, -inf, -1
                for i in range(lo, hi):
                    k = kernel[i]
                    at = log_exposure[i] + slopes[j, m] * within[i]
                    open_all = kernels.low[k] == 0 and kernels.high[k] == OPEN
                    if open_all and kernels.first_weight[k] < 0:
                        high = max(together, at)
                        together = high + log(exp(together - high) + exp(at - high))
                        place = k
                    else:
                        x[size], own[size] = at, k
                        size += 1
                if place >= 0:
                    x[size], own[size] = together, place
                    size += 1
                value, is_exact, tilt = log_constant(
                    kernels, own[:size], x[:size], totals[j], tilt, one, sums4, room[0], room[1]
                )
                found[j, m] = value
                exact[j] = exact[j] and is_exact

    return log_constants_on_disk


def log_constants(
    kernels: Kernels,
    rows: tuple[IntArray, IntArray, FloatArray, FloatArray],
    totals: IntArray,
    slopes: FloatArray,
) -> tuple[FloatArray, Any]:
    """Log of C for some authorities at some slopes.

    Parameters
    ----------
    kernels : Kernels
    rows : tuple of ndarray
        Of hidden areas, as in `socgrad.laws.kernel_sums.kernel_sums`.
    totals : ndarray of int, shape (authorities,)
        What the hidden counts sum to.
    slopes : ndarray, shape (authorities, slopes)

    Returns
    -------
    value : ndarray, shape (authorities, slopes)
    exact : ndarray of bool, shape (authorities,)
        False where some are by the saddlepoint.
    """
    found, exact = np.zeros(slopes.shape), np.ones(len(totals), dtype=np.bool_)
    _function()(kernels, *rows, totals, slopes, found, exact)
    return found, exact
