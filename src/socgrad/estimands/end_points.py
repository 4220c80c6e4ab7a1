"""End points: the rates that a line over ridit ranks gives the least and the most deprived child.

The slope index is their difference and the relative index their ratio. Three lines are in use: the
log-linear line whose events and whose events' mean rank are those of the rates ("poisson", what a
Poisson regression of the events on rank gives), least squares through rates ("linear"), and least
squares through log rates ("log-linear").
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicHermiteSpline

__all__ = ["METHODS", "Method", "least_squares_ends", "poisson_ends"]

type Floats = npt.NDArray[np.float64]
type Method = Literal["poisson", "linear", "log-linear"]

METHODS: tuple[Method, ...] = ("poisson", "linear", "log-linear")

#: Points of a grid of tilts; the error of its cubics falls as the fourth power of its step.
_GRID = 257
#: No line that ends within floating point is steeper: rates would differ by exp(512).
_STEEPEST = 512.0
#: Variance of ranks below which all weight is at one end, and one over it no number.
_NO_SPREAD = 1e-200


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
        tilt, log_sum = _tilt_and_sum(rank_of_events[:, k], position[k, held], share)
        least[:, k] = mean[:, k] * np.exp(-log_sum)
        most[:, k] = mean[:, k] * np.exp(tilt - log_sum)
    return least, most


def _tilt_and_sum(target: Floats, position: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Find b at which the mean of positions under share * exp(b position) is the target.

    Also the log of the sum of share * exp(b position). Both are smooth in the target, with known
    derivatives, so they are found on a grid and read off cubics: all draws for the price of a few.
    """
    low, high = _bracket(float(target.min()), float(target.max()), position, share)
    for _ in range(2):  # the second grid is as narrow as the first allows
        grid = np.linspace(low, high, _GRID)
        mean, variance, log_sum = _moments(grid, position, share)
        first = int(np.searchsorted(mean, target.min(), side="right")) - 1
        last = int(np.searchsorted(mean, target.max(), side="left"))
        low, high = grid[max(first, 0)], grid[min(last, _GRID - 1)]
    rising = np.append(np.diff(mean) > 0, True) & (variance > _NO_SPREAD)
    if rising.sum() < 2:  # so steep that all weight is at one end
        return np.full_like(target, high), np.full_like(target, log_sum[-1])
    at, slope = mean[rising], 1 / variance[rising]
    values = np.column_stack([grid[rising], log_sum[rising]])
    # The derivative of the log sum in b is the mean itself.
    cubics = CubicHermiteSpline(at, values, np.column_stack([slope, at * slope]))
    tilt, log_of_sum = cubics(np.clip(target, at[0], at[-1])).T
    return tilt, log_of_sum


def _bracket(least: float, most: float, position: Floats, share: Floats) -> tuple[float, float]:
    """Tilts beyond which no target lies."""
    low, high = -1.0, 1.0
    while low > -_STEEPEST and _moments(np.array([low]), position, share)[0][0] > least:
        low *= 2
    while high < _STEEPEST and _moments(np.array([high]), position, share)[0][0] < most:
        high *= 2
    return low, high


def _moments(tilt: Floats, position: Floats, share: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean and variance of positions under share * exp(tilt * position), and log of its sum."""
    exponent = tilt[:, None] * position
    largest = exponent.max(axis=1)
    tilted = share * np.exp(exponent - largest[:, None])
    total = tilted.sum(axis=1)
    mean = tilted @ position / total
    variance = (tilted * (position - mean[:, None]) ** 2).sum(axis=1) / total
    return mean, variance, largest + np.log(total)
