import numpy as np
import pytest

from socgrad.errors import EstimandError
from socgrad.ranks import held_groups, quantile_groups, ridit_ranks, weighted_quantile

VALUES = [0.30, 0.10, 0.20, 0.10]
WEIGHTS = [40.0, 10.0, 20.0, 30.0]


def test_ridit_ranks_by_hand():
    """Ties share the middle of their joint weight."""
    # Ordered: 0.1 (10 + 30 = 40 children), 0.2 (20), 0.3 (40); middles 20, 50, 80 of 100.
    np.testing.assert_allclose(ridit_ranks(VALUES, WEIGHTS), [0.80, 0.20, 0.50, 0.20], rtol=1e-15)


def test_ridit_ranks_average_one_half():
    """The weighted mean of ridit ranks is one half whatever the values and weights."""
    rng = np.random.default_rng(1)
    values, weights = rng.normal(size=50).round(1), rng.integers(1, 99, size=50)
    assert np.average(ridit_ranks(values, weights), weights=weights) == pytest.approx(0.5)


def test_ranks_of_reversed_values_are_reversed():
    """Ranking from the other end gives one minus the rank."""
    rank = ridit_ranks(VALUES, WEIGHTS)
    np.testing.assert_allclose(ridit_ranks(-np.array(VALUES), WEIGHTS), 1 - rank)


def test_weighted_quantile_by_hand():
    """A quantile is the smallest value that has the share at or below it."""
    # Cumulative weight: 40 at 0.1, 60 at 0.2, 100 at 0.3.
    quantiles = weighted_quantile(VALUES, WEIGHTS, [0, 0.4, 0.41, 0.6, 0.61, 1])
    np.testing.assert_array_equal(quantiles, [0.1, 0.1, 0.2, 0.2, 0.3, 0.3])


def test_weighted_quantile_is_not_moved_by_binary_fractions():
    """0.07 x 100 children is the seventh child, though 0.07 * 100 exceeds 7 in binary."""
    assert weighted_quantile(np.arange(1, 101), np.ones(100), 0.07).tolist() == [7]


def test_weighted_quantile_of_repeated_rows():
    """A weight of three counts as three rows, and a weight of zero as none."""
    once = weighted_quantile([5.0, 1.0, 3.0, -9.0], [3, 1, 2, 0], [0.1, 0.5, 0.9])
    rows = np.quantile([5, 5, 5, 1, 3, 3], [0.1, 0.5, 0.9], method="inverted_cdf")
    np.testing.assert_array_equal(once, rows)


def test_quantile_of_one_probability_is_one_dimensional():
    """A single probability still gives an array, so that the return type never varies."""
    assert weighted_quantile(VALUES, WEIGHTS, 0.5).shape == (1,)


def test_quantile_probabilities_are_shares():
    """Percentages are refused with the first offender."""
    with pytest.raises(EstimandError, match=r"1 of 2 .* outside 0-1 \(first: 10\)"):
        weighted_quantile(VALUES, WEIGHTS, [0.5, 10])


def test_quantile_groups_by_hand():
    """An area goes where the middle of its children falls."""
    # Ranks 0.8, 0.2, 0.5, 0.2; four groups are cut at 0.25, 0.5 and 0.75: 0.5 belongs above.
    with pytest.raises(EstimandError, match=r"1 of 4 groups .* group 2"):
        quantile_groups(VALUES, WEIGHTS, 4)
    np.testing.assert_array_equal(quantile_groups(VALUES, WEIGHTS, 3), [3, 1, 2, 1])
    np.testing.assert_array_equal(quantile_groups(VALUES, WEIGHTS, 2), [2, 1, 2, 1])


@pytest.mark.parametrize("groups", [5, 10])
def test_quantile_groups_hold_equal_weight(groups):
    """Many small areas give groups of nearly equal children."""
    rng = np.random.default_rng(2)
    values, weights = rng.random(5000), rng.integers(200, 500, size=5000)
    group = quantile_groups(values, weights, groups)
    share = np.bincount(group, weights=weights)[1:] / weights.sum()
    np.testing.assert_allclose(share, 1 / groups, atol=500 / weights.sum())
    assert all(values[group == g].max() < values[group == g + 1].min() for g in range(1, groups))


def test_equal_areas_fall_into_equal_groups():
    """Twenty equal areas make ten pairs: no binary fraction pushes one over a boundary."""
    group = quantile_groups(np.arange(20), np.full(20, 7), 10)
    np.testing.assert_array_equal(group, np.repeat(np.arange(1, 11), 2))


def test_fewer_than_two_groups_are_refused():
    """One group is no comparison."""
    with pytest.raises(EstimandError, match="groups is 1; expected 2 or more"):
        quantile_groups(VALUES, WEIGHTS, 1)


def test_groups_are_a_number():
    """A word for them is not understood."""
    with pytest.raises(EstimandError, match="groups is 'tenths'; expected 2 or more"):
        quantile_groups([0.1, 0.2], [1, 1], "tenths")


def test_what_can_be_had_is_said():
    """Where groups would be empty, the message names the largest number that works."""
    with pytest.raises(EstimandError, match=r"Ask for fewer groups: 2 can be had\."):
        quantile_groups([0.1, 0.2, 0.3], [80, 10, 10], 10)
    with pytest.raises(EstimandError, match="No number of equal groups can be had"):
        quantile_groups([0.1, 0.1], [80, 10], 5)


def test_held_groups_leave_out_empty_ones():
    """They are those of `quantile_groups` where that has them all, else what is left of them."""
    values = np.random.default_rng(3).uniform(size=200)
    weights = np.random.default_rng(4).uniform(1, 2, 200)
    np.testing.assert_array_equal(
        held_groups(values, weights, 10), quantile_groups(values, weights, 10)
    )
    assert held_groups([0.3, 0.1, 0.2], [5, 90, 5], 10).tolist() == [2, 1, 2]
    assert held_groups([0.1, 0.1], [1, 2], 10).tolist() == [1, 1]
