"""Pairs of areas of one locality."""

import numpy as np

from socgrad.localities import area_pairs


def test_pairs_by_hand():
    """Areas 0 and 2 share a locality: three pairs there, the mixed one for both orders."""
    pairs = area_pairs(np.array([4, 9, 4]))
    found = sorted(zip(pairs.first, pairs.second, pairs.times, strict=True))
    assert found == [(0, 0, 1.0), (0, 2, 2.0), (1, 1, 1.0), (2, 2, 1.0)]


def test_sums_over_pairs_are_squared_sums():
    """Sum over localities of (sum of N exp(s w)) squared, by pairs at twice the slope."""
    rng = np.random.default_rng(1)
    locality, w, n = rng.integers(0, 7, 40), rng.normal(size=40), rng.uniform(1, 9, 40)
    pairs = area_pairs(locality)
    slope = 0.7
    reached = (pairs.weight(n) * np.exp(2 * slope * pairs.mean(w))).sum()
    expected = (np.bincount(locality, n * np.exp(slope * w)) ** 2).sum()
    np.testing.assert_allclose(reached, expected, rtol=1e-13)


def test_means_of_columns():
    """A matrix of columns is averaged row by row of the pairs."""
    pairs = area_pairs(np.array([0, 0]))
    columns = np.array([[1.0, 10.0], [3.0, 20.0]])
    at = int(np.flatnonzero(pairs.first != pairs.second)[0])
    assert pairs.mean(columns)[at].tolist() == [2.0, 15.0]
