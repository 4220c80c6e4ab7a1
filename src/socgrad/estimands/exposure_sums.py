"""Sums of weight * rate over many areas for many draws, never an array of areas by draws.

An authority's areas enter through S(s) = sum_i weight_i exp(s w_i), an entire function of its slope
s. Over the range of an authority's drawn slopes the Chebyshev interpolant of S with n nodes leaves
a relative error of about 2 I_n(z) exp(z), where z is the largest |w_i| times half that range and
I_n a modified Bessel function (Trefethen 2019, Approximation Theory and Approximation Practice,
theorem 8.2, doi 10.1137/1.9781611975949). A dozen nodes reach rounding error, so S is computed a
dozen times and then read off a polynomial, however many draws there are.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
import numpy.typing as npt

__all__ = ["authority_sums", "group_sums"]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]

_TOLERANCE = 1e-14
# Rounding grows as exp(2 z): 1e-10 here. Slopes that only a prior holds can range wider.
_WIDEST = 7.0
_BLOCK = 128


@dataclass(frozen=True, eq=False)
class _Interpolant:
    """Chebyshev coefficients of S, (nodes, authorities, groups), and slopes within -1 to 1."""

    coefficients: Floats
    scaled_slope: Floats


def group_sums(
    level: Floats,
    slope: Floats,
    *,
    authority: Integers,
    within_part: Floats,
    weight: Floats,
    group: Integers,
    groups: int,
) -> Floats:
    """Sum weight_i exp(level_j + slope_j w_i) over the areas i of each group, any authority j.

    Groups may cut across authorities; for sums by authority see `authority_sums`.

    Parameters
    ----------
    level, slope
        Shape (draws, authorities).
    authority, within_part, weight
        Shape (areas,): the authority's position along dim authority, w_i, and weight_i.
    group
        Shape (areas,): group of each area, 0 to `groups` - 1.
    groups
        Number of groups.

    Returns
    -------
    numpy.ndarray
        Shape (draws, groups), equal to the sum over rows but for rounding error.

    Examples
    --------
    >>> import numpy as np
    >>> from socgrad.estimands.exposure_sums import group_sums
    >>> group_sums(np.zeros((1, 2)), np.ones((1, 2)), authority=np.array([0, 0, 1]),
    ...            within_part=np.zeros(3), weight=np.array([1.0, 2.0, 5.0]),
    ...            group=np.array([0, 1, 1]), groups=2).tolist()
    [[1.0, 7.0]]
    """
    cell = authority * groups + group
    widest = _widest(slope, authority, within_part)
    if widest > _WIDEST:
        sums = np.empty((len(level), groups))
        for row, one_level, one_slope in zip(sums, level, slope, strict=True):
            rate = np.exp(one_level[authority] + one_slope[authority] * within_part)
            row[:] = np.bincount(group, weights=weight * rate, minlength=groups)
        return sums

    def weighted(at: Floats) -> Floats:
        """S of every authority and group at one slope of each authority."""
        exponential = np.exp(at[authority] * within_part)
        cells = np.bincount(cell, weights=weight * exponential, minlength=at.size * groups)
        return cells.reshape(at.size, groups)

    fitted = _interpolant(weighted, slope, _nodes_needed(widest))
    sums = np.zeros((len(level), groups))
    terms = _terms(np.exp(level), fitted.scaled_slope)
    for coefficient, term in zip(fitted.coefficients, terms, strict=False):
        sums += term @ coefficient
    return sums


def authority_sums(
    level: Floats,
    slope: Floats,
    *,
    authority: Integers,
    within_part: Floats,
    weights: Sequence[Floats],
) -> list[Floats]:
    """Sum weight_i exp(level_j + slope_j w_i) over the areas i of each authority j.

    Parameters
    ----------
    level, slope
        Shape (draws, authorities).
    authority, within_part
        Shape (areas,): the authority's position along dim authority, and w_i.
    weights
        One or more sets of weight_i of any sign, shape (areas,) each. Sets asked for together share
        most of the work.

    Returns
    -------
    list of numpy.ndarray
        For each set of weights shape (draws, authorities), equal to the sum over rows but for
        rounding error.

    Examples
    --------
    >>> import numpy as np
    >>> from socgrad.estimands.exposure_sums import authority_sums
    >>> sums = authority_sums(np.zeros((1, 2)), np.ones((1, 2)), authority=np.array([0, 0, 1]),
    ...                       within_part=np.zeros(3), weights=[np.array([1.0, 2.0, 5.0])])
    >>> sums[0].tolist()
    [[3.0, 5.0]]
    """
    sums = [np.empty_like(slope) for _ in weights]
    widest = _widest(slope, authority, within_part)

    def weighted(at: Floats) -> Floats:
        """S of every authority and set of weights at one slope of each authority."""
        exponential = np.exp(at[authority] * within_part)
        return np.stack(
            [np.bincount(authority, weights=w * exponential, minlength=at.size) for w in weights],
            axis=1,
        )

    if widest > _WIDEST:
        for row, (one_level, one_slope) in enumerate(zip(level, slope, strict=True)):
            values = np.exp(one_level)[:, None] * weighted(one_slope)
            for k, held in enumerate(sums):
                held[row] = values[:, k]
        return sums

    fitted = _interpolant(weighted, slope, _nodes_needed(widest))
    # A block of draws at a time, small enough to stay in the processor's cache.
    for start in range(0, len(level), _BLOCK):
        block = slice(start, start + _BLOCK)
        terms = _terms(np.exp(level[block]), fitted.scaled_slope[block])
        totals = [np.zeros_like(level[block]) for _ in weights]
        for coefficient, term in zip(fitted.coefficients, terms, strict=False):
            for k, total in enumerate(totals):
                np.add(total, term * coefficient[:, k], out=total)
        for held, total in zip(sums, totals, strict=True):
            held[block] = total
    return sums


def _widest(slope: Floats, authority: Integers, within_part: Floats) -> float:
    """Largest |w_i| times half the range of its authority's drawn slopes."""
    half = np.ptp(slope, axis=0) / 2
    return float((half[authority] * np.abs(within_part)).max())


def _interpolant(function: Callable[[Floats], Floats], slope: Floats, nodes: int) -> _Interpolant:
    """Interpolate S of every authority and group at Chebyshev points of its drawn slopes."""
    low, high = slope.min(axis=0), slope.max(axis=0)
    centre, half = (low + high) / 2, (high - low) / 2
    angle = np.pi * (np.arange(nodes) + 0.5) / nodes
    values = np.stack([function(centre + half * point) for point in np.cos(angle)])
    transform = 2 / nodes * np.cos(np.outer(np.arange(nodes), angle))
    transform[0] /= 2
    # An authority whose drawn slopes are all equal sits at the centre.
    scaled = (slope - centre) / np.where(half > 0, half, 1.0)
    return _Interpolant(np.tensordot(transform, values, axes=1), scaled)


def _nodes_needed(widest: float) -> int:
    """Smallest number of nodes for which the bound on the relative error is small enough."""
    nodes, bound = 1, widest * exp(widest)
    while bound > _TOLERANCE:
        nodes += 1
        bound *= widest / (2 * nodes)  # I_n(z) is about (z / 2)^n / n!
    return nodes


def _terms(start: Floats, x: Floats) -> Iterator[Floats]:
    """Give start * T_n(x) for n = 0, 1, 2, ..."""
    before, now = start * x, start  # T_{-1} = T_1
    while True:
        yield now
        before, now = now, 2 * x * now - before
