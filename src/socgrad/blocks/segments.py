"""Segments of counts: what they say of an authority's level and slope, with three derivatives.

Rows stand in segments, each of one law and of one authority and stratum; the laws are in
`socgrad.laws`. Every law is a function f of a log mean eta, and eta of level and slope: of a row,
eta = offset + level + slope w; of rows that are counted together, the log of the sum of their
means,

    eta = level + a(slope),   a(s) = log sum_k exp(offset_k + s w_k).

Sums of events times level and slope are kept apart (`Rows.linear`).

Where a total alone is known, (lead, slope) are the coordinates, lead = level + a(slope) being the
log of the expected total: in them the posterior of an authority is nearly normal; in (level, slope)
it is not. Their determinant is 1.

Functions of other modules of socgrad that are called are named where these are kept on disk
(`socgrad.nuts.numba_on_disk`): numba would not notice that they have changed. `CALLED` are those
whose functions are called here. Laws are given the arrays that they read, not `Rows`: a function
that takes all of it is slower by far where it is called for each row.
"""

from typing import Final, NamedTuple

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.laws import (
    coarsened,
    compiled_constants,
    compiled_expected,
    compiled_gamma,
    compiled_localities,
    compiled_negative_binomial,
    compiled_poisson,
    shared_factors,
)
from socgrad.laws.coarsened import coarsened_scores, coarsened_terms, kernel_of
from socgrad.laws.compiled_constants import constants_terms
from socgrad.laws.compiled_expected import log_sum, log_sum_scores
from socgrad.laws.compiled_localities import locality_scores, locality_terms
from socgrad.laws.compiled_negative_binomial import (
    add_negative_binomial_total,
    negative_binomial_scores,
    negative_binomial_terms,
    negative_binomial_total_scores,
    squared_variation,
)
from socgrad.laws.compiled_poisson import poisson_scores, poisson_terms, poisson_total
from socgrad.laws.kernels import Kernels
from socgrad.laws.shared_factors import factor_scores, factor_terms
from socgrad.nuts.numba_on_disk import compiled

__all__ = [
    "CALLED",
    "COARSENED",
    "CONSTRAINT",
    "LOCALITY",
    "MASS",
    "OVERDISPERSED",
    "ROOM",
    "SHARED",
    "TOTAL",
    "Rows",
    "authority_terms",
    "scores",
]

#: Modules whose functions are called here.
CALLED: Final = (
    coarsened,
    compiled_constants,
    compiled_expected,
    compiled_gamma,
    compiled_localities,
    compiled_negative_binomial,
    compiled_poisson,
    shared_factors,
)

#: Laws of segments: Poisson rows compressed to nodes of exposure; negative binomial rows one by
#: one; rows of which something coarser than a count was published; rows of one locality that share
#: a gamma factor; all rows of an authority known by their total; what a total says of rows that are
#: not known; rows of one locality that share a gamma factor beside those of their own, or are not
#: all known.
MASS, OVERDISPERSED, COARSENED, LOCALITY, TOTAL, CONSTRAINT, SHARED = 0, 1, 2, 3, 4, 5, 6

#: Numbers that `authority_terms` and `scores` need room for.
ROOM: Final = 20


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
    kernels : Kernels
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
    kernels: Kernels
    slopes: FloatArray


@compiled
def authority_terms(  # type: ignore[no-untyped-def]
    rows, offset, square_offset, j, v, r, deep, terms, along, small
):
    """Log-likelihood of authority j in all strata, and its derivatives, at one point.

    `v` begins with the leads of all strata, then their slopes. Of each stratum `terms` takes the
    value, then derivatives by (lead, slope): 1, 2; 11, 12, 22; 111, 112, 122, 222; and `along`
    a(slope) and its derivatives, zeros where lead is the level. `r` has the squared coefficients of
    variation of each stratum's gamma factors, of areas and of localities, 0 where there are none;
    `small` is room for `ROOM` numbers. Without `deep` values alone are right; returned is their
    sum.
    """
    within, events = rows.within, rows.row_events
    strata, total = len(r), 0.0
    for b in range(strata):
        lead, slope, own, shared = v[b], v[strata + b], r[b, 0], r[b, 1]
        out, turn = terms[b], along[b]
        y, y_within = rows.linear[j, b, 0], rows.linear[j, b, 1]
        for i in range(3, 10):
            out[i] = 0.0
        for i in range(4):
            turn[i] = 0.0
        out[0], out[1], out[2] = y * lead + y_within * slope, y, y_within
        block = j * strata + b
        for segment in range(rows.first_segment[block], rows.first_segment[block + 1]):
            kind = rows.kind[segment]
            lo, hi = rows.first_row[segment], rows.first_row[segment + 1]
            if kind == MASS:
                poisson_terms(within, offset, lo, hi, lead, slope, deep, out, small)
            elif kind == OVERDISPERSED:
                negative_binomial_terms(events, within, offset, lo, hi, lead, slope, own, deep, out)
            elif kind == COARSENED:
                coarsened_terms(
                    rows.kernels, rows.row_kernel, within, offset, lo, hi, lead, slope, own, deep,
                    out, small,
                )  # fmt: skip
            elif kind == CONSTRAINT:
                low, high = rows.slopes[b, 0], rows.slopes[b, 1]
                constants_terms(events, lo, hi, low, high, slope, out)
            elif kind == SHARED:
                factor_terms(rows, offset, lo, hi, lead, slope, own, shared, deep, out, small)
            elif kind == LOCALITY:
                y = rows.events[segment]
                locality_terms(y, within, offset, lo, hi, lead, slope, shared, out, small)
            else:
                log_sum(offset, within, lo, hi, 1.0, slope, turn)
                y = rows.events[segment]
                if rows.kernel[segment] >= 0:
                    # Poisson totals alone: others depend on the slope, too.
                    kernel_of(rows.kernels, rows.kernel[segment], lead, 0.0, deep, small)
                    out[0] += small[0]
                    out[1] += small[1]
                    out[3] += small[2]
                    out[6] += small[3]
                elif own + shared <= 0.0:
                    poisson_total(y, lead, out)
                else:
                    first, last = rows.first_square[segment], rows.first_square[segment + 1]
                    q = small[10:14]
                    log_sum(square_offset, rows.square_within, first, last, 2.0, slope, q)
                    squared_variation(q, turn, own + shared)
                    add_negative_binomial_total(y, lead, q, out, small)
        total += out[0]
    return total


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
    within, events = rows.within, rows.row_events
    for segment in range(rows.first_segment[block], rows.first_segment[block + 1]):
        kind = rows.kind[segment]
        lo, hi = rows.first_row[segment], rows.first_row[segment + 1]
        if kind == MASS:
            poisson_scores(within, offset, lo, hi, lead, slope, p, h, score)
        elif kind == OVERDISPERSED:
            by_spread += negative_binomial_scores(
                events, within, offset, lo, hi, lead, slope, r, p, h, score
            )
        elif kind == COARSENED:
            by_spread += coarsened_scores(
                rows.kernels, rows.row_kernel, within, offset, lo, hi, lead, slope, r, p, h, score,
                small,
            )  # fmt: skip
        elif kind == CONSTRAINT:
            score[lo:hi] = 0.0
        elif kind == SHARED:
            of_areas, of_localities = factor_scores(
                rows, offset, lo, hi, lead, slope, r, shared, p, h, score, small
            )
            by_spread += of_areas
            by_shared += of_localities
        elif kind == LOCALITY:
            by_shared += locality_scores(
                rows.events[segment], within, offset, lo, hi, lead, slope, shared, p, h, score,
                small,
            )  # fmt: skip
        else:
            log_sum(offset, within, lo, hi, 1.0, slope, along)
            by_a, by_m, by_v = of_a
            if r + shared > 0.0:
                first, last = rows.first_square[segment], rows.first_square[segment + 1]
                squares, q = small[10:14], small[14:18]
                log_sum(square_offset, rows.square_within, first, last, 2.0, slope, squares)
                q[:] = squares
                squared_variation(q, along, r + shared)
                y = rows.events[segment]
                by = negative_binomial_total_scores(y, lead, q, p, h, small)
                # A total has one of the two.
                by_spread += by[0] if r > 0.0 else 0.0
                by_shared += by[0] if shared > 0.0 else 0.0
                by_a -= 2.0 * by[0]
                by_m -= 2.0 * by[1]
                by_v -= 2.0 * by[2]
                log_sum_scores(
                    square_offset, rows.square_within, first, last, 2.0, slope, squares, by,
                    square_score,
                )  # fmt: skip
            log_sum_scores(offset, within, lo, hi, 1.0, slope, along, (by_a, by_m, by_v), score)
    return by_spread, by_shared
