"""Poisson counts of areas that share their locality's gamma factor, with derivatives: compiled.

Y events of a locality, of expected events E = exp(level + a(slope)), enter as a negative binomial
count does (`compiled_negative_binomial`), with log E in place of eta.
"""

from math import log1p

from socgrad.laws.compiled_expected import log_sum, log_sum_scores
from socgrad.laws.compiled_negative_binomial import shares
from socgrad.nuts.numba_on_disk import compiled

__all__ = ["locality_scores", "locality_terms"]


@compiled
def locality_terms(events, within, offset, lo, hi, level, slope, shared, out, small):  # type: ignore[no-untyped-def]
    """Add -(Y + 1/shared) log(1 + shared E), and its derivatives, to `out`."""
    log_sum(offset, within, lo, hi, 1.0, slope, small)
    m, v, k = small[1], small[2], small[3]
    scaled, x, one, two = shares(level + small[0], shared)
    size = events + 1.0 / shared
    f1, f2, f3 = -size * x, -size * one, -size * two
    out[0] -= size * log1p(scaled)
    out[1] += f1
    out[2] += f1 * m
    out[3] += f2
    out[4] += f2 * m
    out[5] += f2 * m * m + f1 * v
    out[6] += f3
    out[7] += f3 * m
    out[8] += f3 * m * m + f2 * v
    out[9] += f3 * m * m * m + 3.0 * f2 * m * v + f1 * k


@compiled
def locality_scores(events, within, offset, lo, hi, level, slope, shared, p, h, score, small):  # type: ignore[no-untyped-def]
    """Derivatives of the marginal by each row's offset, into `score`; that by log shared."""
    p11, p12, p22 = p
    h1, h2 = h
    log_sum(offset, within, lo, hi, 1.0, slope, small)
    m, v = small[1], small[2]
    scaled, x, one, two = shares(level + small[0], shared)
    size = events + 1.0 / shared
    f1, f2, f3 = -size * x, -size * one, -size * two
    around = 0.5 * (p11 + 2.0 * p12 * m + p22 * m * m)
    along = 0.5 * (h1 + h2 * m)
    by_shared = log1p(scaled) / shared - size * x
    by_shared += around * (one / shared - size * two)
    by_shared += (0.5 * p22 * v - along) * (x / shared - size * one)
    by = (
        f1 + around * f3 + 0.5 * p22 * v * f2 - along * f2,
        (p12 + p22 * m) * f2 - 0.5 * h2 * f1,
        0.5 * p22 * f1,
    )
    log_sum_scores(offset, within, lo, hi, 1.0, slope, small, by, score)
    return by_shared
