"""What a gamma factor, integrated out, makes of the number of events of those who share it.

Counts whose means are multiplied by one gamma variable of mean 1 and variance r have, together, a
log probability in which Y, their number of events, enters by

    sum_{k < Y} log(1 + r k) = log Gamma(Y + 1/r) - log Gamma(1/r) + Y log r.

The sum costs as much as Y is large; the gamma functions lose all digits as r vanishes. Here twelve
terms are taken, and the rest by Stirling's series, in which nothing large cancels.
"""

from typing import Any, Final

import numpy as np

from socgrad.arrays import FloatArray

__all__ = ["distinct", "rising"]

# Arrays or PyTensor variables, as `xp` has them.
type Array = Any

#: From here on Stirling's series is right to 1e-15.
_FIRST: Final = 12


def rising(events: Array, r: Array, *, xp: Any) -> Array:
    """Sum of log(1 + r k) over k below the number of events, which need not be small.

    Parameters
    ----------
    events : array
        Numbers of events, at least 0.
    r : array
        Variance of the gamma factor, above 0; it broadcasts with `events`.
    xp
        The array namespace to compute with: `numpy`, or `pytensor.tensor`.

    Returns
    -------
    array
        Exact to rounding for any r, also as it approaches 0, where the sum does.

    Examples
    --------
    >>> import numpy as np
    >>> from socgrad.laws.gamma_factors import rising
    >>> bool(np.isclose(rising(3.0, 0.5, xp=np), np.log(1.5) + np.log(2.0), rtol=1e-14))
    True
    """
    if xp is np:
        # Numbers, unlike variables of a graph, say where Stirling's series will do by itself.
        large = np.real(r) * _FIRST > 1.0
        if not np.any(large):
            return _by_stirling(events, r, xp=xp)
        if np.ndim(r) > 1:
            found = _by_stirling(events, r, xp=xp)
            large = np.broadcast_to(large, found.shape)
            some = (np.broadcast_to(each, found.shape)[large] for each in (events, r))
            found[large] = rising(*some, xp=xp)
            return found
    nothing = xp.zeros_like(events) + 0.0 * r
    each, spread = (nothing + events)[..., None], (nothing + r)[..., None]
    # Gamma(x + y) / Gamma(x) = Gamma(x + 1 + y) / Gamma(x + 1) x / (x + y), x = 1/r + k.
    inverse = spread / (1.0 + spread * np.arange(float(_FIRST)))
    total = xp.sum(each * xp.log1p(inverse) - xp.log1p(each * inverse), axis=-1)
    return total + _by_stirling(events, r / (1.0 + r * _FIRST), xp=xp)


def _by_stirling(events: Array, low: Array, *, xp: Any) -> Array:
    """The sum for a small variance `low`."""
    high = low / (1.0 + events * low)
    linear = (1.0 / low + events - 0.5) * xp.log1p(events * low) - events
    return linear + _stirling(high) - _stirling(low)


def _stirling(inverse: Array) -> Array:
    """The rest of the log of the gamma function at 1 / inverse, beyond its leading terms."""
    s = inverse * inverse
    return inverse * (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s / 1680)))


def distinct(events: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Distinct numbers of events, and how many rows have each.

    Zeros are left out: nothing rises from them.
    """
    numbers, many = np.unique(events[events > 0], return_counts=True)
    return numbers, many.astype(np.float64)
