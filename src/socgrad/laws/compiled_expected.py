"""Expected events of rows, and the log of their sum, with derivatives: compiled.

A row has the mean exp(offset + level + slope w).
"""

from math import exp, log

import numpy as np

from socgrad.nuts.numba_on_disk import compiled

__all__ = ["add_along_line", "log_sum", "log_sum_scores", "sums"]


@compiled
def add_along_line(one, w, out):  # type: ignore[no-untyped-def]
    """Add derivatives by eta = level + slope w, 1 to 3 in `one`, to those by (level, slope).

    `out` has them as `socgrad.blocks.segments` does: 1, 2; 11, 12, 22; 111, 112, 122, 222.
    """
    w_w = w * w
    out[1] += one[1]
    out[2] += one[1] * w
    out[3] += one[2]
    out[4] += one[2] * w
    out[5] += one[2] * w_w
    out[6] += one[3]
    out[7] += one[3] * w
    out[8] += one[3] * w_w
    out[9] += one[3] * w_w * w


@compiled
def sums(offset, within, lo, hi, level, slope, found):  # type: ignore[no-untyped-def]
    """Sums of expected events times powers 0 to 3 of w, into `found`."""
    e0 = e1 = e2 = e3 = 0.0
    for i in range(lo, hi):
        w = within[i]
        mean = exp(offset[i] + level + slope * w)
        e0 += mean
        mean *= w
        e1 += mean
        mean *= w
        e2 += mean
        e3 += mean * w
    found[0], found[1], found[2], found[3] = e0, e1, e2, e3


@compiled
def log_sum(offset, within, lo, hi, power, slope, found):  # type: ignore[no-untyped-def]
    """Log of the sum of exp(offset + power slope w) and its three derivatives by the slope.

    They are cumulants of w over the expected events: mean, variance and third cumulant.
    """
    top = -np.inf
    for i in range(lo, hi):
        top = max(top, offset[i] + power * slope * within[i])
    e0 = e1 = 0.0
    for i in range(lo, hi):
        mass = exp(offset[i] + power * slope * within[i] - top)
        e0 += mass
        e1 += mass * within[i]
    mean = e1 / e0
    e2 = e3 = 0.0
    for i in range(lo, hi):
        away = within[i] - mean
        mass = exp(offset[i] + power * slope * within[i] - top) * away * away
        e2 += mass
        e3 += mass * away
    found[0] = top + log(e0)
    found[1] = power * mean
    found[2] = power * power * e2 / e0
    found[3] = power * power * power * e3 / e0


@compiled
def log_sum_scores(offset, within, lo, hi, power, slope, found, by, score):  # type: ignore[no-untyped-def]
    """Derivatives by each row's offset, into `score`, of what depends on `log_sum`'s `found`.

    `by` are its derivatives by the log of the sum, and by that one's first and second derivatives.
    """
    for i in range(lo, hi):
        away = power * within[i] - found[1]
        share = exp(offset[i] + power * slope * within[i] - found[0])
        score[i] = share * (by[0] + by[1] * away + by[2] * (away * away - found[2]))
