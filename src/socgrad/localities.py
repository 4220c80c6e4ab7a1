"""Localities: groups of neighbouring areas inside one authority, such as England's MSOAs.

A locality has a rate of its own about its authority's line, a gamma factor of mean 1 that all of
its areas share. Sums of squares over localities are sums over pairs of areas, so whatever sums over
areas sums over pairs as well.
"""

from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray, IntArray

__all__ = ["Pairs", "area_pairs"]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of areas of one locality, each area also with itself.

    Attributes
    ----------
    first, second : ndarray of int
        Positions of the two areas, first <= second.
    times : ndarray
        1 for an area with itself, 2 for two areas, which stand for both orders.
    """

    first: IntArray
    second: IntArray
    times: FloatArray

    def weight(self, exposure: FloatArray) -> FloatArray:
        """Product of the two exposures, for both orders."""
        return self.times * exposure[self.first] * exposure[self.second]

    def mean(self, values: FloatArray) -> FloatArray:
        """Mean of the two areas' values; columns of a matrix each by itself."""
        result: FloatArray = (values[self.first] + values[self.second]) / 2
        return result


def area_pairs(locality: IntArray) -> Pairs:
    """Pair the areas of each locality.

    Parameters
    ----------
    locality : ndarray of int
        Locality of each area, in any order.

    Returns
    -------
    Pairs
        So that (sum over areas of N_i exp(s w_i))**2, summed over localities, is the sum over pairs
        of weight * exp(2 s mean), with `weight` of N and `mean` of w.

    Examples
    --------
    Two areas of one locality and one of another, (2 + 3)**2 + 4**2:

    >>> import numpy as np
    >>> pairs = area_pairs(np.array([7, 7, 9]))
    >>> float(pairs.weight(np.array([2.0, 3.0, 4.0])).sum())
    41.0
    """
    order = np.argsort(locality, kind="stable")
    _, size = np.unique(locality, return_counts=True)
    place = np.arange(len(locality))
    end = np.repeat(np.cumsum(size), size)
    # Each area with itself and with those of its locality that stand after it.
    number = end - place
    first = np.repeat(place, number)
    second = first + np.arange(len(first)) - np.repeat(np.cumsum(number) - number, number)
    times = np.where(first == second, 1.0, 2.0)
    return Pairs(order[first].astype(np.int64), order[second].astype(np.int64), times)
