"""Gamma functions of `gamma_factors`, with derivatives: compiled."""

from math import log, log1p

from socgrad.arrays import FloatArray
from socgrad.nuts.numba_on_disk import compiled

__all__ = ["gamma_differences", "log_gamma_ratio"]


@compiled
def gamma_differences(y: float, x: float, found: FloatArray) -> None:
    """Derivatives 1, 2 and 3 of log Gamma at x + y less those at x > 0, into `found`.

    Where x is large each pair is all but equal: their difference is taken term by term.
    """
    d0 = d1 = d2 = 0.0
    while x < 12.0:
        i, k = 1.0 / x, 1.0 / (x + y)
        d0 += i - k
        d1 += k * k - i * i
        d2 += 2.0 * (i * i * i - k * k * k)
        x += 1.0
    # Asymptotic series, right to 1e-15 from 12 on.
    i, k = 1.0 / x, 1.0 / (x + y)
    s, t = i * i, k * k
    apart = -y * i * k
    squares = apart * (k + i)
    cubes = apart * (t + k * i + s)
    d0 += log1p(y * i) - 0.5 * apart - (_first(t) - _first(s))
    found[0] = d0
    found[1] = d1 + apart + 0.5 * squares + cubes / 6.0 - (_second(t) * k - _second(s) * i)
    found[2] = d2 - squares - cubes - (_third(t) - _third(s))


@compiled
def _first(s: float) -> float:
    return s * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s * (1 / 240 - s / 132))))


@compiled
def _second(s: float) -> float:
    return s * s * (1 / 30 - s * (1 / 42 - s * (1 / 30 - s * 5 / 66)))


@compiled
def _third(s: float) -> float:
    return s * s * (0.5 - s * (1 / 6 - s * (1 / 6 - s * (3 / 10 - s * 5 / 6))))


@compiled
def log_gamma_ratio(y: float, x: float) -> float:
    """Log Gamma(x + y) - log Gamma(x) - y log x, of which large parts do not cancel."""
    found = 0.0
    while x < 12.0:
        # Gamma(x + y) / Gamma(x) = Gamma(x + 1 + y) / Gamma(x + 1) x / (x + y)
        found += log(x / (x + y)) + y * log1p(1.0 / x)
        x += 1.0
    i, k = 1.0 / x, 1.0 / (x + y)
    s, t = i * i, k * k
    stirling = k * (1 / 12 - t * (1 / 360 - t * (1 / 1260 - t / 1680)))
    stirling -= i * (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s / 1680)))
    return found + (x + y - 0.5) * log1p(y * i) - y + stirling
