"""Child-weighted ranks: quantiles, quantile groups and ridit ranks of neighbourhoods.

All three use one definition of rank, so that a decile and a slope index never disagree about who
is deprived. Neighbourhoods are ordered from least to most deprived and stand for their children.
"""

from collections.abc import Sequence
from numbers import Real

import numpy as np
import numpy.typing as npt

from socgrad.errors import EstimandError

__all__ = ["held_groups", "quantile_groups", "ridit_ranks", "weighted_quantile"]


def weighted_quantile(
    values: npt.ArrayLike, weights: npt.ArrayLike, probabilities: float | Sequence[float]
) -> npt.NDArray[np.float64]:
    """Smallest values at or below which given shares of the weight lie.

    Parameters
    ----------
    values
        One number per neighbourhood (or authority), in any order.
    weights
        Their children, not negative, at least one above zero.
    probabilities
        Shares of the weight, each within 0-1.

    Returns
    -------
    numpy.ndarray
        One of `values` per probability (always one-dimensional): no interpolation.

    Raises
    ------
    EstimandError
        If a probability lies outside 0-1.

    Examples
    --------
    Three areas with 10, 20 and 70 children: half the children live in the third.

    >>> from socgrad.ranks import weighted_quantile
    >>> weighted_quantile([0.1, 0.2, 0.3], [10, 20, 70], [0.1, 0.3, 0.5]).tolist()
    [0.1, 0.2, 0.3]
    """
    shares = np.atleast_1d(np.asarray(probabilities, dtype=float))
    outside = shares[~((shares >= 0) & (shares <= 1))]
    if outside.size:
        raise EstimandError(
            f"{outside.size} of {shares.size} quantile probabilities lie outside 0-1 (first: "
            f"{outside[0]:g}). Expected shares, such as 0.1 for the tenth percentile."
        )
    value = np.asarray(values, dtype=float)
    weight = np.asarray(weights, dtype=float)
    counted = weight > 0
    order = np.argsort(value[counted], kind="stable")
    ordered, cumulative = value[counted][order], np.cumsum(weight[counted][order])
    # 0.3 x 100 children is 30 children, whatever binary fractions make of it.
    target = shares * cumulative[-1] * (1 - 1e-12)
    quantiles: npt.NDArray[np.float64] = ordered[np.searchsorted(cumulative, target, side="left")]
    return quantiles


def ridit_ranks(values: npt.ArrayLike, weights: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Share of the weight that lies below each value, plus half of the weight at it.

    Parameters
    ----------
    values
        One number per neighbourhood, in any order.
    weights
        Their children, not negative, at least one above zero.

    Returns
    -------
    numpy.ndarray
        Ranks within 0-1 in the order of `values`; equal values share a rank; the weighted mean
        of the ranks is 0.5.

    Notes
    -----
    For values x and weights C::

        rank_i = (sum of C_k over x_k < x_i + 1/2 sum of C_k over x_k = x_i) / sum of C_k

    References
    ----------
    Bross 1958, Biometrics 14(1), https://doi.org/10.2307/2527727.

    Examples
    --------
    >>> from socgrad.ranks import ridit_ranks
    >>> ridit_ranks([0.3, 0.1, 0.2], [70, 10, 20]).tolist()
    [0.65, 0.05, 0.2]
    """
    distinct, position = np.unique(np.asarray(values, dtype=float), return_inverse=True)
    weight = np.bincount(
        position, weights=np.asarray(weights, dtype=float), minlength=distinct.size
    )
    middle = np.cumsum(weight) - weight / 2
    rank: npt.NDArray[np.float64] = (middle / weight.sum())[position]
    return rank


def quantile_groups(
    values: npt.ArrayLike, weights: npt.ArrayLike, groups: int
) -> npt.NDArray[np.int64]:
    """Equal parts of the weight, as far as whole neighbourhoods allow; 1 holds the lowest values.

    Parameters
    ----------
    values
        One number per neighbourhood, in any order.
    weights
        Their children, not negative, at least one above zero.
    groups
        How many groups, 2 or more; 10 for deciles.

    Returns
    -------
    numpy.ndarray
        Group 1 to `groups` in the order of `values`. A neighbourhood belongs to the group in which
        the middle of its children falls; equal values are never parted.

    Raises
    ------
    EstimandError
        If `groups` is no whole number from 2, or if a group would hold no neighbourhood.

    Examples
    --------
    >>> from socgrad.ranks import quantile_groups
    >>> quantile_groups([0.4, 0.1, 0.3, 0.2], [10, 10, 10, 10], 2).tolist()
    [2, 1, 2, 1]
    """
    if not (isinstance(groups, Real) and groups >= 2 and groups == int(groups)):
        raise EstimandError(f"groups is {groups!r}; expected 2 or more, such as 10 for deciles.")
    rank = ridit_ranks(values, weights)
    # A rank on a boundary belongs above it; the last group also holds rank 1.
    group = np.minimum((rank * groups).astype(np.int64), groups - 1) + 1
    empty = np.setdiff1d(np.arange(1, groups + 1), group)
    if empty.size:
        raise EstimandError(
            f"{empty.size} of {groups} groups hold no neighbourhood (first: group {empty[0]}), "
            f"because {np.unique(rank).size} distinct values cannot be cut into {groups} equal "
            f"parts. {_largest(rank, groups)}"
        )
    return group


def held_groups(
    values: npt.ArrayLike, weights: npt.ArrayLike, groups: int
) -> npt.NDArray[np.int64]:
    """Equal parts of the weight where values are few: groups that would hold nothing are left out.

    Parameters
    ----------
    values, weights
        As in `quantile_groups`.
    groups
        Most groups, 2 or more.

    Returns
    -------
    numpy.ndarray
        Group 1 to at most `groups` in the order of `values`, none of them empty.

    Examples
    --------
    Deprivation in three classes, of which the first holds most children:

    >>> from socgrad.ranks import held_groups
    >>> held_groups([0.1, 0.2, 0.3], [80, 10, 10], 10).tolist()
    [1, 2, 3]
    """
    part = np.minimum((ridit_ranks(values, weights) * groups).astype(np.int64), groups - 1)
    held: npt.NDArray[np.int64] = np.unique(part, return_inverse=True)[1] + 1
    return held


def _largest(rank: npt.NDArray[np.float64], groups: int) -> str:
    """Words for the largest number of groups, below the one asked for, that all hold something."""
    for fewer in range(groups - 1, 1, -1):
        part = np.minimum((rank * fewer).astype(np.int64), fewer - 1)
        if np.unique(part).size == fewer:
            return f"Ask for fewer groups: {fewer} can be had."
    return "No number of equal groups can be had: one value holds most of the children."
