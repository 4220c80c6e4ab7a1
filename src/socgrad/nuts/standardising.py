"""Effects of many authorities from standardised ones, with a gradient: one operation of the graph.

An authority's effects (levels in all strata, then slopes) are loadings B times independent
x ~ Normal(0, I). Its own events say about total_s = level_s + at_s slope_s ~ Normal(t_s, 1 / K_s)
and slope_s ~ Normal(u_s, 1 / H_s), independently. Then x has about the conditional posterior
Normal(m, inverse of G), where ::

    G = I + sum_s (K_s q_s q_s' + H_s r_s r_s'),   r_s = row of B for slope s,
    G m = c = sum_s (K_s t_s q_s + H_s u_s r_s),   q_s = row for level s + at_s r_s.

With the Cholesky factor G = C C', ::

    x = m + inverse(C') z,     log density of z = log phi(x) - log det C

so z is about standard normal whatever B is: the multivariate form of `socgrad.nuts.effects`. G is
the identity plus what the data know, so it is never singular, however near copies of one another
the strata are.

PyTensor has these steps for one matrix at a time; here they run along the authorities in one
operation, and compile once.
"""

from typing import Any

import numpy as np
from numba import njit

from socgrad.arrays import FloatArray
from socgrad.nuts.pymc_quietly import Apply, DisconnectedType, Op, pt, register_numba

__all__ = ["standardise"]

type Variable = Any  # PyTensor's variables carry no useful static types.

# PyTensor keeps compiled graphs on disk: raise this whenever what is compiled below changes.
_VERSION = 2


def standardise(loadings: Variable, said: Variable, raw: Variable) -> tuple[Variable, Variable]:
    """Independent variables x whose standardised values are given.

    Parameters
    ----------
    loadings
        B, shape (2 strata, k): rows of levels, then rows of slopes.
    said
        What the events say, shape (5, strata, authorities): at, K, H, t and u. The first three are
        taken to be data: they get no derivative.
    raw
        z, shape (k, authorities).

    Returns
    -------
    independent : Variable
        x, shape (k, authorities).
    log_determinant : Variable
        Sum over authorities of log det C.
    """
    made: Variable = _Standardise()(loadings, said, raw)
    return made[0], made[1]


class _Standardise(Op):
    """Forward: to x, the sum of log det C, and C."""

    __props__ = ()

    def make_node(self, *inputs: Variable) -> Any:
        inputs = tuple(pt.as_tensor_variable(each) for each in inputs)
        return Apply(self, inputs, (pt.dmatrix(), pt.dscalar(), pt.dtensor3()))

    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:  # noqa: ARG002
        for storage, value in zip(outputs, _forward(*inputs), strict=True):
            storage[0] = value

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Variable]:
        loadings, said, _ = inputs
        independent, _, factor = outputs
        d_independent, d_log, _ = cotangents  # the factor is not handed out
        if isinstance(d_log.type, DisconnectedType):  # of a call whose determinant nobody wants
            d_log = pt.constant(0.0)
        made: Variable = _Pullback()(loadings, said, factor, independent, d_independent, d_log)
        return list(made)


class _Pullback(Op):
    """Backward: derivatives with respect to loadings, what the events say, and z."""

    __props__ = ()

    def make_node(self, *inputs: Variable) -> Any:
        inputs = tuple(pt.as_tensor_variable(each) for each in inputs)
        return Apply(self, inputs, (pt.dmatrix(), pt.dtensor3(), pt.dmatrix()))

    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:  # noqa: ARG002
        for storage, value in zip(outputs, _backward(*inputs), strict=True):
            storage[0] = value


@register_numba(_Standardise)  # type: ignore[untyped-decorator]
def _standardise_in_numba(op: Op, **_: object) -> Any:  # noqa: ARG001
    return _forward, _VERSION


@register_numba(_Pullback)  # type: ignore[untyped-decorator]
def _pullback_in_numba(op: Op, **_: object) -> Any:  # noqa: ARG001
    return _backward, _VERSION


# Authorities are the last and innermost index: each step is one loop over contiguous numbers.
_compiled = njit(fastmath={"contract", "arcp", "reassoc", "nsz"}, nogil=True)


@_compiled
def _weighted(loadings: FloatArray, said: FloatArray) -> FloatArray:
    """What the events say, as c."""
    at, known_total, known_slope, total, slope = said[0], said[1], said[2], said[3], said[4]
    strata, authorities = at.shape
    c = np.zeros((loadings.shape[1], authorities))
    for s in range(strata):
        for k in range(loadings.shape[1]):
            q, r = loadings[s, k], loadings[strata + s, k]
            for a in range(authorities):
                c[k, a] += known_total[s, a] * total[s, a] * (q + at[s, a] * r)
                c[k, a] += known_slope[s, a] * slope[s, a] * r
    return c


@_compiled
def _add_information(
    here: FloatArray, loadings: FloatArray, said: FloatArray, i: int, j: int
) -> None:
    """Add entry (i, j) of G - I, of every authority."""
    at, known_total, known_slope = said[0], said[1], said[2]
    strata, authorities = at.shape
    for s in range(strata):
        q, r = loadings[s, i], loadings[strata + s, i]
        p, t = loadings[s, j], loadings[strata + s, j]
        if (q == 0.0 and r == 0.0) or (p == 0.0 and t == 0.0):
            continue
        for a in range(authorities):
            here[a] += known_total[s, a] * (q + at[s, a] * r) * (p + at[s, a] * t)
            here[a] += known_slope[s, a] * r * t


@_compiled
def _solve_lower(c: FloatArray, right: FloatArray) -> None:
    """Solve C y = right in place, for every authority."""
    n, _, authorities = c.shape
    for i in range(n):
        for k in range(i):
            for a in range(authorities):
                right[i, a] -= c[i, k, a] * right[k, a]
        for a in range(authorities):
            right[i, a] /= c[i, i, a]


@_compiled
def _solve_upper(c: FloatArray, right: FloatArray) -> None:
    """Solve C' y = right in place, for every authority."""
    n, _, authorities = c.shape
    for i in range(n - 1, -1, -1):
        for a in range(authorities):
            right[i, a] /= c[i, i, a]
        for k in range(i):
            for a in range(authorities):
                right[k, a] -= c[i, k, a] * right[i, a]


@_compiled
def _forward(
    loadings: FloatArray, said: FloatArray, raw: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    n, authorities = raw.shape
    c = np.zeros((n, n, authorities))
    log_determinant = 0.0
    for j in range(n):
        for i in range(j, n):
            _add_information(c[i, j], loadings, said, i, j)
            for k in range(j):
                for a in range(authorities):
                    c[i, j, a] -= c[i, k, a] * c[j, k, a]
            for a in range(authorities):
                if i == j:
                    c[j, j, a] = np.sqrt(1.0 + c[j, j, a])
                    log_determinant += np.log(c[j, j, a])
                else:
                    c[i, j, a] /= c[j, j, a]
    x = _weighted(loadings, said)
    _solve_lower(c, x)
    for i in range(n):
        for a in range(authorities):
            x[i, a] += raw[i, a]
    _solve_upper(c, x)
    return x, np.array(log_determinant), c


@_compiled
def _factor_to_matrix(c: FloatArray, d: FloatArray) -> None:
    """Turn derivatives with respect to C into those with respect to G, in place.

    Smith 1995, doi 10.1080/10618600.1995.10474671. Of two equal entries of G only the lower counts.
    """
    n, _, authorities = c.shape
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            for i in range(j, n):
                for a in range(authorities):
                    d[i, k, a] -= d[i, j, a] * c[j, k, a]
                    d[j, k, a] -= d[i, j, a] * c[i, k, a]
        for j in range(k + 1, n):
            for a in range(authorities):
                d[j, k, a] /= c[k, k, a]
                d[k, k, a] -= c[j, k, a] * d[j, k, a]
        for a in range(authorities):
            d[k, k, a] /= 2.0 * c[k, k, a]


@_compiled
def _matrix_to_parts(
    loadings: FloatArray, said: FloatArray, d: FloatArray, d_weighted: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Derivatives with respect to B and to t and u, from those with respect to G and c."""
    at, known_total, known_slope, total, slope = said[0], said[1], said[2], said[3], said[4]
    strata, authorities = at.shape
    n = loadings.shape[1]
    d_loadings, d_said = np.zeros(loadings.shape), np.zeros(said.shape)
    d_q, d_r = np.zeros(authorities), np.zeros(authorities)
    for s in range(strata):
        for i in range(n):
            for a in range(authorities):
                d_q[a] = total[s, a] * d_weighted[i, a]
                d_r[a] = slope[s, a] * d_weighted[i, a]
            for k in range(n):
                q, r = loadings[s, k], loadings[strata + s, k]
                row, column = max(i, k), min(i, k)
                twice = 2.0 if i == k else 1.0
                for a in range(authorities):
                    d_q[a] += twice * d[row, column, a] * (q + at[s, a] * r)
                    d_r[a] += twice * d[row, column, a] * r
            level_sum, slope_sum = 0.0, 0.0
            q, r = loadings[s, i], loadings[strata + s, i]
            for a in range(authorities):
                level_sum += known_total[s, a] * d_q[a]
                slope_sum += at[s, a] * known_total[s, a] * d_q[a] + known_slope[s, a] * d_r[a]
                d_said[3, s, a] += known_total[s, a] * (q + at[s, a] * r) * d_weighted[i, a]
                d_said[4, s, a] += known_slope[s, a] * r * d_weighted[i, a]
            d_loadings[s, i] = level_sum
            d_loadings[strata + s, i] = slope_sum
    return d_loadings, d_said


@_compiled
def _backward(  # noqa: PLR0917 PyTensor passes by position
    loadings: FloatArray,
    said: FloatArray,
    c: FloatArray,
    x: FloatArray,
    d_x: FloatArray,
    d_log: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    n, _, authorities = c.shape
    d_raw = d_x.copy()
    _solve_lower(c, d_raw)
    d_weighted = d_raw.copy()
    _solve_upper(c, d_weighted)
    mean = _weighted(loadings, said)
    _solve_lower(c, mean)
    d = np.zeros((n, n, authorities))
    d_each = d_log.item()
    for i in range(n):
        for k in range(i + 1):
            for a in range(authorities):
                d[i, k, a] = -x[i, a] * d_raw[k, a] - d_weighted[i, a] * mean[k, a]
        for a in range(authorities):
            d[i, i, a] += d_each / c[i, i, a]
    _factor_to_matrix(c, d)
    d_loadings, d_said = _matrix_to_parts(loadings, said, d, d_weighted)
    return d_loadings, d_said, d_raw
