"""What rows of counts say of an authority's level and slope, with three derivatives: compiled.

Rows stand in segments, each of one law and of one authority and stratum. Every law is a function f
of a log mean eta, and eta of level and slope: of a row, eta = offset + level + slope w; of rows
that are counted together, the log of the sum of their means,

    eta = level + a(slope),   a(s) = log sum_k exp(offset_k + s w_k),

whose derivatives by s are mean, variance and third cumulant of w over the expected events. So f',
f'' and f''' in eta are all that a law has to give. Sums of events times level and slope are kept
apart (`Rows.linear`).

Where a total alone is known, (lead, slope) are the coordinates, lead = level + a(slope) being the
log of the expected total: in them the posterior of an authority is nearly normal; in (level, slope)
it is not. Their determinant is 1.

Functions of other modules of socgrad that are called are named where these are kept on disk
(`socgrad.nuts.numba_on_disk`): numba would not notice that they have changed.
"""

from math import exp, log, log1p
from typing import NamedTuple

import numpy as np

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.likelihood.compiled import gamma_differences, log_gamma_ratio
from socgrad.likelihood.shared_factors import (
    factor_scores,
    factor_terms,
    published,
    row_terms,
)
from socgrad.nuts.numba_on_disk import compiled

__all__ = [
    "CONSTRAINT",
    "LOCALITY",
    "MASS",
    "ROWS",
    "SHARED",
    "TOTAL",
    "Rows",
    "block_terms",
    "scores",
    "sums",
]

#: Laws of segments: Poisson rows compressed to nodes of exposure; rows one by one, the negative
#: binomial and those of which something coarser than a count was published; rows of one locality
#: that share a gamma factor; all rows of an authority known by their total; what a total says of
#: rows that are not known; rows of one locality that share a gamma factor beside those of their
#: own, or are not all known.
MASS, ROWS, LOCALITY, TOTAL, CONSTRAINT, SHARED = 0, 1, 2, 3, 4, 5


class Rows(NamedTuple):
    """Counts of all authorities and strata.

    Attributes
    ----------
    first_segment : ndarray of int, shape (authorities * strata + 1,)
        Where the segments of each authority and stratum begin; strata vary fastest.
    kind : ndarray of int, shape (segments,)
        The law of each.
    first_row, first_square : ndarray of int, shape (segments + 1,)
        Where its rows begin, and those of squared means (of totals whose areas vary).
    events : ndarray, shape (segments,)
        Events of a locality, or the total.
    kernel : ndarray of int, shape (segments,)
        What was published of a total, among kernels; -1 where it is known.
    within, row_events : ndarray, shape (rows,)
        w of each row; its events where they are known, but of nodes. Rows of a constraint are the
        coefficients of Chebyshev polynomials of the slope, in place of events.
    row_kernel : ndarray of int, shape (rows,)
        What was published of it, among kernels; -1 where its events are known.
    square_within : ndarray, shape (squares,)
    linear : ndarray, shape (authorities, strata, 2)
        Sums of events, and of events times w.
    is_total : ndarray of bool, shape (authorities, strata)
    kernel_low, kernel_high : ndarray of int, shape (kernels,)
        Counts that each allows; `OPEN` where there is no largest.
    first_weight : ndarray of int, shape (kernels,)
        Where the weights of each begin in `kernel_weight`; -1 where all are 1.
    kernel_weight : ndarray
    slopes : ndarray, shape (strata, 2)
        Slopes between which constraints hold; beyond, they go on along their tangents.
    """

    first_segment: IntArray
    kind: IntArray
    first_row: IntArray
    first_square: IntArray
    events: FloatArray
    kernel: IntArray
    within: FloatArray
    row_events: FloatArray
    row_kernel: IntArray
    square_within: FloatArray
    linear: FloatArray
    is_total: BoolArray
    kernel_low: IntArray
    kernel_high: IntArray
    first_weight: IntArray
    kernel_weight: FloatArray
    slopes: FloatArray


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
def constrained(rows, lo, hi, stratum, slope, found):  # type: ignore[no-untyped-def]
    """A constraint and three derivatives by the slope, from Chebyshev polynomials."""
    low, high = rows.slopes[stratum]
    half = 0.5 * (high - low)
    t = (slope - 0.5 * (low + high)) / half
    held = min(max(t, -1.0), 1.0)
    found[:4] = 0.0
    # Polynomials of two degrees, each with its derivatives.
    a0, a1, a2, a3 = 1.0, 0.0, 0.0, 0.0
    b0, b1, b2, b3 = held, 1.0, 0.0, 0.0
    for i in range(lo, hi):
        c = rows.row_events[i]
        found[0] += c * a0
        found[1] += c * a1
        found[2] += c * a2
        found[3] += c * a3
        n0 = 2.0 * held * b0 - a0
        n1 = 2.0 * b0 + 2.0 * held * b1 - a1
        n2 = 4.0 * b1 + 2.0 * held * b2 - a2
        n3 = 6.0 * b2 + 2.0 * held * b3 - a3
        a0, a1, a2, a3 = b0, b1, b2, b3
        b0, b1, b2, b3 = n0, n1, n2, n3
    if held != t:
        found[0] += (t - held) * found[1]
        found[2] = found[3] = 0.0
    found[1] /= half
    found[2] /= half * half
    found[3] /= half * half * half


@compiled
def cumulants(offset, within, lo, hi, power, slope, found):  # type: ignore[no-untyped-def]
    """Log of the sum of exp(offset + power slope w) and its three derivatives by the slope."""
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
def block_terms(  # type: ignore[no-untyped-def]
    rows, offset, square_offset, block, lead, slope, spread, deep, out, along, small
):
    """Log-likelihood of one authority and stratum, and its derivatives, at one point.

    `out` takes the value, then derivatives by (lead, slope): 1, 2; 11, 12, 22; 111, 112, 122, 222.
    `along` takes a(slope) and its derivatives; zeros where lead is the level. `spread` has the
    squared coefficients of variation of the stratum's gamma factors, of areas and of localities, 0
    where there are none; `small` is room for 12 numbers. Without `deep` derivatives are left out.
    """
    r, shared = spread
    strata = rows.linear.shape[1]
    own = rows.linear[block // strata, block % strata]
    out[:] = 0.0
    along[:] = 0.0
    out[0] = own[0] * lead + own[1] * slope
    out[1] = own[0]
    out[2] = own[1]
    for segment in range(rows.first_segment[block], rows.first_segment[block + 1]):
        kind = rows.kind[segment]
        lo, hi = rows.first_row[segment], rows.first_row[segment + 1]
        if kind == MASS and not deep:
            for i in range(lo, hi):
                out[0] -= exp(offset[i] + lead + slope * rows.within[i])
        elif kind == MASS:
            sums(offset, rows.within, lo, hi, lead, slope, small)
            out[0] -= small[0]
            out[1] -= small[0]
            out[2] -= small[1]
            out[3] -= small[0]
            out[4] -= small[1]
            out[5] -= small[2]
            out[6] -= small[0]
            out[7] -= small[1]
            out[8] -= small[2]
            out[9] -= small[3]
        elif kind == ROWS:
            for i in range(lo, hi):
                w = rows.within[i]
                row_terms(rows, i, offset[i] + lead + slope * w, r, deep, small)
                out[0] += small[0]
                if deep:
                    w_w = w * w
                    out[1] += small[1]
                    out[2] += small[1] * w
                    out[3] += small[2]
                    out[4] += small[2] * w
                    out[5] += small[2] * w_w
                    out[6] += small[3]
                    out[7] += small[3] * w
                    out[8] += small[3] * w_w
                    out[9] += small[3] * w_w * w
        elif kind == CONSTRAINT:
            constrained(rows, lo, hi, block % strata, slope, small)
            out[0] += small[0]
            out[2] += small[1]
            out[5] += small[2]
            out[9] += small[3]
        elif kind == SHARED:
            factor_terms(rows, offset, lo, hi, lead, slope, r, shared, deep, out, small)
        elif kind == LOCALITY:
            cumulants(offset, rows.within, lo, hi, 1.0, slope, small)
            m, v, k = small[1], small[2], small[3]
            y = rows.events[segment]
            scaled = shared * exp(lead + small[0])
            below = 1.0 / (1.0 + scaled)
            f1 = -(y + 1.0 / shared) * scaled * below
            f2 = f1 * below
            f3 = f2 * (1.0 - scaled) * below
            out[0] -= (y + 1.0 / shared) * log1p(scaled)
            out[1] += f1
            out[2] += f1 * m
            out[3] += f2
            out[4] += f2 * m
            out[5] += f2 * m * m + f1 * v
            out[6] += f3
            out[7] += f3 * m
            out[8] += f3 * m * m + f2 * v
            out[9] += f3 * m * m * m + 3.0 * f2 * m * v + f1 * k
        else:
            cumulants(offset, rows.within, lo, hi, 1.0, slope, along)
            y = rows.events[segment]
            if rows.kernel[segment] >= 0:
                # Poisson totals alone: others depend on the slope, too.
                published(rows, rows.kernel[segment], lead, 0.0, deep, small)
                out[0] += small[0]
                out[1] += small[1]
                out[3] += small[2]
                out[6] += small[3]
            elif r + shared <= 0.0:
                expected = exp(lead)
                out[0] += y * lead - expected
                out[1] += y - expected
                out[3] -= expected
                out[6] -= expected
            else:
                at = rows.first_square[segment], rows.first_square[segment + 1]
                varying(square_offset, rows.square_within, at, slope, r + shared, along, small)
                q1, q2, q3 = small[1], small[2], small[3]
                total_terms(y, lead, small[0], small)
                out[0] += small[0]
                out[1] += small[1]
                out[3] += small[2]
                out[6] += small[3]
                f_q, f_qq, f_qqq = small[4], small[5], small[6]
                f_tq, f_tqq, f_ttq = small[7], small[8], small[9]
                out[2] += f_q * q1
                out[4] += f_tq * q1
                out[5] += f_qq * q1 * q1 + f_q * q2
                out[7] += f_ttq * q1
                out[8] += f_tqq * q1 * q1 + f_tq * q2
                out[9] += f_qqq * q1 * q1 * q1 + 3.0 * f_qq * q1 * q2 + f_q * q3


@compiled
def varying(square_offset, square_within, at, slope, r, along, found):  # type: ignore[no-untyped-def]
    """Log of a total's own squared variation, q = log r + b(s) - 2 a(s), with its derivatives."""
    cumulants(square_offset, square_within, at[0], at[1], 2.0, slope, found)
    for k in range(4):
        found[k] -= 2.0 * along[k]
    found[0] += log(r)


@compiled
def total_terms(y, lead, q, found):  # type: ignore[no-untyped-def]
    """Negative binomial of mean exp(lead) and squared variation exp(q), without its log y!.

    `found` takes the value; derivatives by lead 1, 2, 3; by q 1, 2, 3; then by lead and q: tq, tqq,
    ttq.
    """
    phi = exp(-q)
    scaled = exp(lead + q)
    lost = log1p(scaled)
    x = scaled / (1.0 + scaled)
    one = x / (1.0 + scaled)
    two = one * (1.0 - 2.0 * x)
    size = y + phi
    gamma_differences(y, phi, found)
    d0, d1, d2 = found[0], found[1], found[2]
    g1 = y - phi * d0
    g2 = phi * d0 + phi * phi * d1
    g3 = -phi * d0 - 3.0 * phi * phi * d1 - phi * phi * phi * d2
    found[0] = y * lead - size * lost + log_gamma_ratio(y, phi)
    found[1] = y - size * x
    found[2] = -size * one
    found[3] = -size * two
    found[4] = phi * lost - size * x + g1
    found[5] = -phi * lost + 2.0 * phi * x - size * one + g2
    found[6] = phi * lost - 3.0 * phi * x + 3.0 * phi * one - size * two + g3
    found[7] = phi * x - size * one
    found[8] = -phi * x + 2.0 * phi * one - size * two
    found[9] = phi * one - size * two


@compiled
def scores(  # type: ignore[no-untyped-def]
    rows,
    offset,
    square_offset,
    block,
    lead,
    slope,
    spread,
    p,
    h,
    of_a,
    score,
    square_score,
    small,
    along,
):
    """Derivatives of the marginal by each row's offset, into `score`; those by logs of `spread`.

    With P the inverse of an authority's curvature, h = P g (g the derivative of its log
    determinant) and l the log-likelihood, the marginal changes as

        l + (P11 l11 + 2 P12 l12 + P22 l22) / 2 - (h1 l1 + h2 l2) / 2

    does at the mode. `p` is P11, P12, P22; `h` is h1, h2; `of_a` the derivatives of the marginal by
    a, a' and a'' (of totals).
    """
    by_spread = by_shared = 0.0
    r, shared = spread
    p11, p12, p22 = p
    h1, h2 = h
    for segment in range(rows.first_segment[block], rows.first_segment[block + 1]):
        kind = rows.kind[segment]
        lo, hi = rows.first_row[segment], rows.first_row[segment + 1]
        if kind == MASS:
            for i in range(lo, hi):
                w = rows.within[i]
                around = p11 + 2.0 * p12 * w + p22 * w * w
                mean = exp(offset[i] + lead + slope * w)
                score[i] = -mean * (1.0 + 0.5 * around - 0.5 * (h1 + h2 * w))
        elif kind == ROWS:
            for i in range(lo, hi):
                w = rows.within[i]
                row_terms(rows, i, offset[i] + lead + slope * w, r, True, small)
                around = p11 + 2.0 * p12 * w + p22 * w * w
                along_h = h1 + h2 * w
                score[i] = small[1] + 0.5 * around * small[3] - 0.5 * along_h * small[2]
                by_spread += small[4] + 0.5 * around * small[6] - 0.5 * along_h * small[5]
        elif kind == CONSTRAINT:
            score[lo:hi] = 0.0
        elif kind == SHARED:
            of_areas, of_localities = factor_scores(
                rows, offset, lo, hi, lead, slope, r, shared, p, h, score, small
            )
            by_spread += of_areas
            by_shared += of_localities
        elif kind == LOCALITY:
            cumulants(offset, rows.within, lo, hi, 1.0, slope, small)
            a, m, v = small[0], small[1], small[2]
            y = rows.events[segment]
            scaled = shared * exp(lead + a)
            below = 1.0 / (1.0 + scaled)
            x = scaled * below
            one = x * below
            two = one * (1.0 - scaled) * below
            size = y + 1.0 / shared
            f1, f2, f3 = -size * x, -size * one, -size * two
            around = p11 + 2.0 * p12 * m + p22 * m * m
            along_h = h1 + h2 * m
            by_shared += log1p(scaled) / shared - size * x
            by_shared += 0.5 * around * (one / shared - size * two)
            by_shared += (0.5 * p22 * v - 0.5 * along_h) * (x / shared - size * one)
            by_a = f1 + 0.5 * (around * f3 + p22 * v * f2) - 0.5 * along_h * f2
            by_m = (p12 + p22 * m) * f2 - 0.5 * h2 * f1
            by_v = 0.5 * p22 * f1
            for i in range(lo, hi):
                away = rows.within[i] - m
                share = exp(offset[i] + slope * rows.within[i] - a)
                score[i] = share * (by_a + by_m * away + by_v * (away * away - v))
        else:
            cumulants(offset, rows.within, lo, hi, 1.0, slope, along)
            by_a, by_m, by_v = of_a
            if r + shared > 0.0:
                at = rows.first_square[segment], rows.first_square[segment + 1]
                varying(square_offset, rows.square_within, at, slope, r + shared, along, small)
                q0, q1, q2 = small[0], small[1], small[2]
                total_terms(rows.events[segment], lead, q0, small)
                f_q, f_qq, f_qqq = small[4], small[5], small[6]
                f_tq, f_tqq, f_ttq = small[7], small[8], small[9]
                by_0 = f_q - 0.5 * (h1 * f_tq + h2 * f_qq * q1)
                by_0 += 0.5 * (p11 * f_ttq + p22 * (f_qqq * q1 * q1 + f_qq * q2))
                by_0 += p12 * f_tqq * q1
                by_1 = p12 * f_tq + p22 * f_qq * q1 - 0.5 * h2 * f_q
                by_2 = 0.5 * p22 * f_q
                # A total has one of the two.
                by_spread += by_0 if r > 0.0 else 0.0
                by_shared += by_0 if shared > 0.0 else 0.0
                by_a -= 2.0 * by_0
                by_m -= 2.0 * by_1
                by_v -= 2.0 * by_2
                b0 = q0 + 2.0 * along[0] - log(r + shared)
                b1 = q1 + 2.0 * along[1]
                b2 = q2 + 2.0 * along[2]
                for i in range(at[0], at[1]):
                    away = 2.0 * rows.square_within[i] - b1
                    share = exp(square_offset[i] + 2.0 * slope * rows.square_within[i] - b0)
                    square_score[i] = share * (by_0 + by_1 * away + by_2 * (away * away - b2))
            for i in range(lo, hi):
                away = rows.within[i] - along[1]
                share = exp(offset[i] + slope * rows.within[i] - along[0])
                score[i] = share * (by_a + by_m * away + by_v * (away * away - along[2]))
    return by_spread, by_shared
