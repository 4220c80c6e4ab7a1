"""What counts of localities say, their factors integrated out: sums, single counts and factors."""

import functools
from math import exp, log
from typing import Any

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laws import (
    coarsened,
    compiled_expected,
    compiled_gamma,
    compiled_negative_binomial,
    shared_factors,
)
from socgrad.laws.factor_rows import FactorRows
from socgrad.laws.shared_factors import (
    MOST_NODES,
    NODE,
    factor_terms,
    integrated,
    row_terms,
)
from socgrad.nuts.numba_on_disk import on_disk

__all__ = ["factor_sums", "given_others"]

# Of the rules of `shared_factors`: enough nodes for a single count, and for the factor itself.
_FINE = 1
# Modules whose functions are called.
_CALLED = (
    shared_factors,
    coarsened,
    compiled_negative_binomial,
    compiled_expected,
    compiled_gamma,
)


@functools.cache
def _functions() -> tuple[Any, Any]:
    @on_disk(*_CALLED)
    def factor_sums_on_disk(rows, offset, level, slope, r, shared, deep, found):  # type: ignore[no-untyped-def]
        points, draws = level.shape
        out, small = np.zeros(10), np.zeros(20)
        for n in range(points):
            for d in range(draws):
                own = offset[min(d, len(offset) - 1)]
                out[:] = 0.0
                for m in range(len(rows.first) - 1):
                    factor_terms(
                        rows, own, rows.first[m], rows.first[m + 1], level[n, d], slope[n, d],
                        r[d], shared[d], deep, out, small,
                    )  # fmt: skip
                for k in range(6):
                    found[k, n, d] = out[k]

    @on_disk(*_CALLED)
    def given_others_on_disk(rows, log_mean, r, shared, uniform, alone, factor):  # type: ignore[no-untyped-def]
        node, small = np.empty((MOST_NODES, NODE)), np.zeros(20)
        for d in range(len(log_mean)):
            for m in range(len(rows.first) - 1):
                lo, hi = rows.first[m], rows.first[m + 1]
                number, _ = integrated(
                    rows, log_mean[d], lo, hi, 0.0, 0.0, r[d], shared[d], _FINE, False, node, small
                )
                passed, drawn = 0.0, False
                for k in range(number):
                    passed += node[k, 11]
                    if not drawn and passed >= uniform[d, m]:
                        factor[d, m], drawn = exp(node[k, 10]), True
                for i in range(lo, hi):
                    least = np.inf
                    for k in range(number):
                        if node[k, 11] > 0.0:
                            eta = log_mean[d, i] + node[k, 10]
                            row_terms(rows, i, eta, r[d], False, small)
                            node[k, 0] = small[0] + rows.row_events[i] * eta
                            least = min(least, node[k, 0])
                    total = 0.0
                    for k in range(number):
                        if node[k, 11] > 0.0:
                            total += node[k, 11] * exp(least - node[k, 0])
                    alone[d, i] = least - log(total)

    return factor_sums_on_disk, given_others_on_disk


def factor_sums(
    rows: FactorRows,
    log_exposure: FloatArray,
    level: FloatArray,
    slope: FloatArray,
    r: FloatArray,
    shared: FloatArray,
    *,
    deep: bool,
) -> FloatArray:
    """Log-likelihood of all rows, in each draw at several levels and slopes, and derivatives.

    Parameters
    ----------
    rows : FactorRows
    log_exposure : ndarray, shape (rows,) or (draws, rows)
        With what takes areas off their line.
    level, slope : ndarray, shape (points, draws)
    r, shared : ndarray, shape (draws,)
        Squared coefficients of variation of factors of areas (0 without), and of localities.
    deep : bool
        Derivatives too.

    Returns
    -------
    ndarray, shape (6, points, draws)
        The value; derivatives by level, slope, level twice, both, slope twice.
    """
    offset = np.ascontiguousarray(np.atleast_2d(log_exposure))
    found = np.zeros((6, *level.shape))
    _functions()[0](rows, offset, level, slope, r, shared, deep, found)
    y, w = rows.row_events, rows.within
    found[0] += y.sum() * level + (y @ w) * slope + offset @ y + rows.constants(r).sum(axis=1)
    if deep:
        found[1] += y.sum()
        found[2] += y @ w
    return found


def given_others(
    rows: FactorRows,
    log_mean: FloatArray,
    r: FloatArray,
    shared: FloatArray,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Log probability of each count given the others of its locality, and factors given all.

    ::

        p(y_i | others) = 1 / E[1 / p(y_i | g) | all]

    over the factor g given all counts of the locality, whose values are nodes of its quadrature.

    Parameters
    ----------
    rows : FactorRows
    log_mean : ndarray, shape (draws, rows)
        Logs of expected events.
    r, shared : ndarray, shape (draws,)
        As in `factor_sums`.
    rng : numpy.random.Generator

    Returns
    -------
    alone : ndarray, shape (draws, rows)
    factor : ndarray, shape (draws, localities)
    """
    localities = len(rows.first) - 1
    alone, factor = np.empty(log_mean.shape), np.ones((len(log_mean), localities))
    uniform = rng.random(factor.shape)
    _functions()[1](rows, np.ascontiguousarray(log_mean), r, shared, uniform, alone, factor)
    return alone + rows.constants(r), factor
