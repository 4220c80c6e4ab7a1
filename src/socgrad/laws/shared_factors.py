"""Counts of areas that share a gamma factor where it has no closed form: compiled.

Areas of a locality share a factor g of mean 1 and squared coefficient of variation `shared`. Given
g their counts are independent, each Poisson or negative binomial of mean g mu_i (squared
coefficient of variation r of its own factor), known by number or as something coarser:

    log integral p(g) prod_i p_i(published_i; g mu_i) dg.

Where all counts are Poisson and known, the integral has a closed form (`compiled_localities`). Here
it is taken by Gauss-Hermite quadrature in the cube root of g, about the mode of the integrand: in
it gamma densities are nearly normal (Wilson & Hilferty 1931). With nodes k of posterior weight, A_k
the derivatives by (level, slope) given g_k, and l = log integral,

    l_a = E A_a,   l_ab = E A_ab + Cov(A_a, A_b),
    l_abc = E A_abc + Cov(A_ab, A_c) + Cov(A_ac, A_b) + Cov(A_bc, A_a) + E a_a a_b a_c,

a being A about its mean.
"""

from math import exp, expm1, lgamma, log, sqrt

import numpy as np

from socgrad.laws.coarsened import kernel_of
from socgrad.laws.compiled_expected import add_along_line
from socgrad.laws.compiled_negative_binomial import negative_binomial_count
from socgrad.nuts.numba_on_disk import compiled

__all__ = [
    "MOST_NODES",
    "NODE",
    "factor_scores",
    "factor_terms",
    "integrated",
    "row_terms",
]

# Numbers of nodes, and the least number of events that stand behind the factor's density for each:
# errors of a locality's log-likelihood are then below 1e-6, 1e-5 and, down to one event, 1e-4.
_NUMBERS, _LEAST = (9, 17, 33), (3.0, 2.0, 0.0)
MOST_NODES = _NUMBERS[-1]
_RULES = [np.polynomial.hermite.hermgauss(n) for n in _NUMBERS]
# Standard normal places, and the logs of weights that go with a density there.
_PLACES = np.concatenate([sqrt(2.0) * x for x, _ in _RULES])
_LOG_WEIGHTS = np.concatenate([np.log(w) + x * x + 0.5 * log(2.0) for x, w in _RULES])
_MOST_STEPS = 30
# Below it a factor is one; rounding would take over from its density.
_NONE = 1e-16
#: Numbers at a node: the log-likelihood, its derivatives by (level, slope), 1, 2; 11, 12, 22; 111,
#: 112, 122, 222; then the log factor and its weight.
NODE = 12


@compiled
def given_factor(rows, offset, lo, hi, lead, slope, r, t, deep, found, small):  # type: ignore[no-untyped-def]
    """Log-likelihood of rows whose log factor is t, with derivatives, into `found`.

    What known counts multiply, level and slope, stands elsewhere (`Rows.linear`).
    """
    for i in range(10):
        found[i] = 0.0
    # As `row_terms`, which is given all of `rows`: too slow where nodes ask it of each row.
    within, row_events, row_kernel, kernels = (
        rows.within, rows.row_events, rows.row_kernel, rows.kernels
    )  # fmt: skip
    events = 0.0
    for i in range(lo, hi):
        w = within[i]
        eta = offset[i] + lead + slope * w + t
        if row_kernel[i] >= 0:
            kernel_of(kernels, row_kernel[i], eta, r, deep, small)
        else:
            negative_binomial_count(row_events[i], eta, r, deep, small)
            events += row_events[i]
        found[0] += small[0]
        if deep:
            add_along_line(small, w, found)
    found[0] += events * t
    return events


@compiled
def row_terms(rows, i, eta, r, deep, small):  # type: ignore[no-untyped-def]
    """Of one row, as `kernel_terms` has them; of a known count without its events times eta."""
    if rows.row_kernel[i] >= 0:
        kernel_of(rows.kernels, rows.row_kernel[i], eta, r, deep, small)
    else:
        negative_binomial_count(rows.row_events[i], eta, r, deep, small)


@compiled
def gamma_constants(alpha):  # type: ignore[no-untyped-def]
    """Of a gamma density of mean 1: its constant, and alpha times that one's derivative."""
    moved, series, over = alpha, 0.0, 0.0
    # Upwards, to where the series of Stirling hold.
    while moved < 15.0:
        series -= log(moved)
        over += 1.0 / moved
        moved += 1.0
    u = 1.0 / (moved * moved)
    tail = (1.0 / 12.0 - u * (1.0 / 360.0 - u * (1.0 / 1260.0 - u / 1680.0))) / moved
    psi_below = over + 0.5 / moved + u * (1.0 / 12.0 - u * (1.0 / 120.0 - u / 252.0))
    if moved > alpha:
        return (
            alpha * log(alpha) - alpha - lgamma(alpha),
            alpha * (log(alpha / moved) + psi_below),
        )
    return 0.5 * log(alpha / 6.283185307179586) - tail, alpha * psi_below


@compiled
def integrated(rows, offset, lo, hi, lead, slope, r, shared, rule, deep, node, small):  # type: ignore[no-untyped-def]
    """Fill the nodes of a locality's factor; their number and the log of the integral.

    `rule` says which number of nodes is the least to be taken.
    """
    alpha = 1.0 / max(shared, _NONE)
    constant, _ = gamma_constants(alpha)
    here = node[0]
    # Where the density of the cube root is highest; a factor without a mode gets a place near it.
    aim = min(1.0 / 3.0, 0.5 * alpha)
    t, curvature = 0.0, alpha
    for _ in range(_MOST_STEPS):
        events = given_factor(rows, offset, lo, hi, lead, slope, r, t, True, here, small)
        rise = events + here[1] - alpha * expm1(t) - aim
        curvature = alpha * exp(t) - here[3]
        step = min(max(rise / curvature, -2.0), 2.0)
        t += step
        # As the next step would be far smaller, and places need not be exact.
        if step * step * curvature < 1e-3:
            break
    scale = 1.0 / (3.0 * sqrt(curvature))
    while alpha < _LEAST[rule]:
        rule += 1
    first, number = 0, _NUMBERS[rule]
    for i in range(rule):
        first += _NUMBERS[i]
    top = -np.inf
    for k in range(number):
        here = node[k]
        away = 1.0 + scale * _PLACES[first + k]
        if away <= 0.0:
            for i in range(NODE):
                here[i] = 0.0
            here[11] = -np.inf
            continue
        at = t + 3.0 * log(away)
        given_factor(rows, offset, lo, hi, lead, slope, r, at, deep, here, small)
        here[10] = at
        density = constant - alpha * (expm1(at) - at)
        here[11] = here[0] + density + _LOG_WEIGHTS[first + k] + log(3.0 * scale / away)
        top = max(top, here[11])
    total = 0.0
    for k in range(number):
        node[k, 11] = exp(node[k, 11] - top)
        total += node[k, 11]
    for k in range(number):
        node[k, 11] /= total
    return number, top + log(total)


@compiled
def centred(node, number, mean):  # type: ignore[no-untyped-def]
    """Expected derivatives into `mean`, and nodes' own about them, but third derivatives."""
    for i in range(1, 10):
        mean[i] = 0.0
        for k in range(number):
            mean[i] += node[k, 11] * node[k, i]
    for k in range(number):
        for i in range(1, 6):
            node[k, i] -= mean[i]


@compiled
def factor_terms(rows, offset, lo, hi, lead, slope, r, shared, deep, out, small):  # type: ignore[no-untyped-def]
    """Add a locality's log-likelihood, and its derivatives, to `out` (as `segments` has it)."""
    node = np.empty((MOST_NODES, NODE))
    number, value = integrated(rows, offset, lo, hi, lead, slope, r, shared, 0, deep, node, small)
    out[0] += value
    if not deep:
        return
    centred(node, number, small)
    for i in range(1, 10):
        out[i] += small[i]
    for k in range(number):
        weight = node[k, 11]
        a1, a2 = node[k, 1], node[k, 2]
        a11, a12, a22 = node[k, 3], node[k, 4], node[k, 5]
        out[3] += weight * a1 * a1
        out[4] += weight * a1 * a2
        out[5] += weight * a2 * a2
        out[6] += weight * (3.0 * a11 + a1 * a1) * a1
        out[7] += weight * (a11 * a2 + 2.0 * a12 * a1 + a1 * a1 * a2)
        out[8] += weight * (a22 * a1 + 2.0 * a12 * a2 + a1 * a2 * a2)
        out[9] += weight * (3.0 * a22 + a2 * a2) * a2


@compiled
def factor_scores(rows, offset, lo, hi, lead, slope, r, shared, p, h, score, small):  # type: ignore[no-untyped-def]
    """Derivatives of the marginal by each row's offset into `score`; those by log r and log shared.

    p and h are as in `segments.scores`. A row of a locality moves the marginal by its derivatives
    given the factor, and by how they go with those of the whole locality.
    """
    p11, p12, p22 = p
    h1, h2 = h
    node, mean = np.empty((MOST_NODES, NODE)), np.empty(10)
    number, _ = integrated(rows, offset, lo, hi, lead, slope, r, shared, 0, True, node, small)
    centred(node, number, mean)
    alpha = 1.0 / max(shared, _NONE)
    _, of_density = gamma_constants(alpha)
    square = 0.0
    for k in range(number):
        a1, a2 = node[k, 1], node[k, 2]
        node[k, 0] = p11 * a1 * a1 + 2.0 * p12 * a1 * a2 + p22 * a2 * a2
        square += node[k, 11] * node[k, 0]
    by_r = by_shared = 0.0
    for k in range(number):
        a1, a2 = node[k, 1], node[k, 2]
        curved = p11 * node[k, 3] + 2.0 * p12 * node[k, 4] + p22 * node[k, 5]
        whole = 1.0 + 0.5 * (curved + node[k, 0] - square - h1 * a1 - h2 * a2)
        t = node[k, 10]
        by_shared += node[k, 11] * whole * (alpha * (expm1(t) - t) - of_density)
        node[k, 0] = whole
    for i in range(lo, hi):
        w = rows.within[i]
        around = 0.5 * (p11 + 2.0 * p12 * w + p22 * w * w)
        by_row = 0.0
        for k in range(number):
            t, weight, whole = node[k, 10], node[k, 11], node[k, 0]
            if weight <= 0.0:
                continue
            a1, a2 = node[k, 1], node[k, 2]
            tilt = (p11 + p12 * w) * a1 + (p12 + p22 * w) * a2 - 0.5 * (h1 + h2 * w)
            row_terms(rows, i, offset[i] + lead + slope * w + t, r, True, small)
            by_row += weight * (small[1] * whole + small[2] * tilt + small[3] * around)
            by_r += weight * (small[4] * whole + small[5] * tilt + small[6] * around)
        score[i] = by_row
    return by_r, by_shared
