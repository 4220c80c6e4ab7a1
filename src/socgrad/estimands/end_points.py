"""End points: the rates that a line over ridit ranks gives the least and the most deprived child.

The slope index is their difference and the relative index their ratio. Three lines are in use:
least squares through rates ("linear"), least squares through log rates ("log-linear"), and the
log-linear line whose events and whose events' mean rank are those of the rates ("poisson", what a
Poisson regression of the events on rank gives).
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["METHODS", "Method", "least_squares_ends", "poisson_ends"]

type Floats = npt.NDArray[np.float64]
type Method = Literal["log-linear", "poisson", "linear"]

METHODS: tuple[Method, ...] = ("log-linear", "poisson", "linear")

#: Tilts from which Newton's method starts lie this close; two or three steps then suffice.
_GRID = 257
_CLOSE = 1e-13
#: No line that ends within floating point is steeper: rates would differ by exp(512).
_STEEPEST = 512.0


def least_squares_ends(
    mean: Floats, covariance: Floats, *, mean_rank: Floats, variance: Floats
) -> tuple[Floats, Floats]:
    """Heights at ranks 0 and 1 of the least-squares line through values over ranks.

    Parameters
    ----------
    mean, covariance
        Weighted mean of the values, and their weighted covariance with the ranks: (draws, units).
    mean_rank, variance
        Weighted mean and variance of the ranks, (units,), the variance above 0.

    Returns
    -------
    tuple of numpy.ndarray
        At rank 0 and at rank 1, (draws, units).

    Examples
    --------
    Rates of 1 and 3 in two equal halves, ranks 1/4 and 3/4: the line runs from 0 to 4.

    >>> import numpy as np
    >>> from socgrad.estimands.end_points import least_squares_ends
    >>> one = np.ones((1, 1))
    >>> ends = least_squares_ends(2 * one, one / 4, mean_rank=one[0] / 2, variance=one[0] / 16)
    >>> [end.item() for end in ends]
    [0.0, 4.0]
    """
    slope = covariance / variance
    least = mean - slope * mean_rank
    return least, least + slope


def poisson_ends(
    mean: Floats, rank_of_events: Floats, *, position: Floats, weight: Floats
) -> tuple[Floats, Floats]:
    """Heights at ranks 0 and 1 of the Poisson regression line through rates over ranks.

    Parameters
    ----------
    mean
        Events over weight, (draws, units).
    rank_of_events
        Mean rank of the events, (draws, units), strictly within the range of the positions.
    position, weight
        Ranks and their weights, (units, nodes): all of them, or a Gauss rule.

    Returns
    -------
    tuple of numpy.ndarray
        At rank 0 and at rank 1, (draws, units).

    Notes
    -----
    The line a exp(b r) solves the score equations of a Poisson regression::

        sum_i w_i a exp(b r_i) = sum_i w_i rate_i
        sum_i w_i r_i a exp(b r_i) / sum_i w_i a exp(b r_i) = mean rank of the events

    The second has b alone, and its left side rises in b.

    Examples
    --------
    >>> import numpy as np
    >>> from socgrad.estimands.end_points import poisson_ends
    >>> ends = poisson_ends(np.array([[2.0]]), np.array([[0.625]]),
    ...                     position=np.array([[0.25, 0.75]]), weight=np.ones((1, 2)))
    >>> [round(end.item(), 9) for end in ends]  # through 1 and 3, that is times 9 over one rank
    [0.577350269, 5.196152423]
    """
    least, most = np.empty_like(mean), np.empty_like(mean)
    for k in range(mean.shape[1]):
        held = weight[k] > 0
        share = weight[k, held] / weight[k, held].sum()
        tilt = _tilt(rank_of_events[:, k], position[k, held], share)
        # Ranks are measured from the middle, so that neither end overflows first.
        exponential = np.exp(tilt[:, None] * (position[k, held] - 0.5)) @ share
        least[:, k] = mean[:, k] * np.exp(-tilt / 2) / exponential
        most[:, k] = mean[:, k] * np.exp(tilt / 2) / exponential
    return least, most


def _tilt(target: Floats, position: Floats, share: Floats) -> Floats:
    """Find b for which the mean of positions under share * exp(b position) is the target."""
    low, high = _bracket(float(target.min()), float(target.max()), position, share)
    grid = np.linspace(low, high, _GRID)
    tilt = np.interp(target, _moments(grid, position, share)[0], grid)
    for _ in range(50):
        mean, variance = _moments(tilt, position, share)
        step = (target - mean) / np.where(variance > 0, variance, np.inf)
        tilt = np.clip(tilt + step, low, high)
        if np.abs(step).max() <= _CLOSE * max(1.0, high - low):
            break
    return tilt


def _bracket(least: float, most: float, position: Floats, share: Floats) -> tuple[float, float]:
    """Tilts beyond which no target lies."""
    low, high = -1.0, 1.0
    while low > -_STEEPEST and _moments(np.array([low]), position, share)[0][0] > least:
        low *= 2
    while high < _STEEPEST and _moments(np.array([high]), position, share)[0][0] < most:
        high *= 2
    return low, high


def _moments(tilt: Floats, position: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of positions under share * exp(tilt * position)."""
    exponent = tilt[:, None] * position
    tilted = share * np.exp(exponent - exponent.max(axis=1, keepdims=True))
    total = tilted.sum(axis=1)
    mean = tilted @ position / total
    return mean, tilted @ position**2 / total - mean**2
