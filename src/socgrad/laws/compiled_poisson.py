"""Poisson counts: what rows, or nodes of exposure, say of a level and a slope: compiled.

Sums of events times level and slope are kept apart: here is -sum(mu), and a total alone.
"""

from math import exp

from socgrad.laws.compiled_expected import sums
from socgrad.nuts.numba_on_disk import compiled

__all__ = ["poisson_scores", "poisson_terms", "poisson_total"]


@compiled
def poisson_terms(within, offset, lo, hi, level, slope, deep, out, small):  # type: ignore[no-untyped-def]
    """Add -sum(mu), and its derivatives, to `out`, as `segments` has it.

    Without `deep` the value alone.
    """
    if not deep:
        value = 0.0
        for i in range(lo, hi):
            value += exp(offset[i] + level + slope * within[i])
        out[0] -= value
        return
    sums(offset, within, lo, hi, level, slope, small)
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


@compiled
def poisson_scores(within, offset, lo, hi, level, slope, p, h, score):  # type: ignore[no-untyped-def]
    """Derivatives of the marginal by each row's offset, `p` and `h` as in `segments.scores`."""
    p11, p12, p22 = p
    h1, h2 = h
    for i in range(lo, hi):
        w = within[i]
        around = p11 + 2.0 * p12 * w + p22 * w * w
        mean = exp(offset[i] + level + slope * w)
        score[i] = -mean * (1.0 + 0.5 * around - 0.5 * (h1 + h2 * w))


@compiled
def poisson_total(events, lead, out):  # type: ignore[no-untyped-def]
    """Add what a total says of the log of its mean, but -log y!, and derivatives."""
    expected = exp(lead)
    out[0] += events * lead - expected
    out[1] += events - expected
    out[3] -= expected
    out[6] -= expected
