"""Gauss rules of an authority's exposure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socgrad.quadrature import chosen_rules, gauss_rules


def measure(seed: int, rows: int = 400, cells: int = 7):
    """Random cells, positions and weights."""
    rng = np.random.default_rng(seed)
    return rng.integers(cells, size=rows), rng.gamma(2.0, 0.8, rows) - 1.6, rng.gamma(3, 90, rows)


def test_three_point_rule_by_hand():
    """Masses 1, 4, 1 at -1, 0, 1 are their own three-node rule; two nodes sit at ±sqrt(1/3)."""
    cell, position, weight = np.zeros(3, int), np.array([0.0, 1.0, -1.0]), np.array([4.0, 1.0, 1.0])
    at, mass = gauss_rules(cell, position, weight, cells=1, nodes=3)
    np.testing.assert_allclose(at[0], [-1, 0, 1], atol=1e-14)
    np.testing.assert_allclose(mass[0], [1, 4, 1], atol=1e-13)
    # Two nodes at ±a of mass 3 match the second moment: 6 a² = 2.
    at, mass = gauss_rules(cell, position, weight, cells=1, nodes=2)
    np.testing.assert_allclose(at[0], [-np.sqrt(1 / 3), np.sqrt(1 / 3)], atol=1e-14)
    np.testing.assert_allclose(mass[0], [3, 3], atol=1e-14)


def test_polynomials_up_to_degree_2k_minus_1_are_exact():
    """Five nodes integrate w**9 exactly, and w**10 no longer."""
    cell, position, weight = measure(1)
    at, mass = gauss_rules(cell, position, weight, cells=7, nodes=5)

    def error(degree):
        exact = np.bincount(cell, weight * position**degree, minlength=7)
        return np.max(np.abs((mass * at**degree).sum(axis=1) / exact - 1))

    assert max(error(degree) for degree in range(10)) < 1e-12
    assert error(10) > 1e-7


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), slope=st.floats(-2.5, 2.5))
def test_exponential_sums_are_reproduced(seed, slope):
    """Any slope in the range finds its sum to 1e-9, whatever the areas."""
    cell, position, weight = measure(seed)
    rule = chosen_rules(cell, position, weight, cells=7, slopes=(-2.5, 2.5))
    exact = np.bincount(cell, weight * np.exp(slope * position), minlength=7)
    np.testing.assert_allclose(
        (rule.weight * np.exp(slope * rule.position)).sum(axis=1), exact, rtol=1e-9
    )


def test_more_nodes_where_the_range_is_wider():
    """The number of nodes follows the range of slopes, and the error stays within tolerance."""
    cell, position, weight = measure(2, rows=2000)
    narrow = chosen_rules(cell, position, weight, cells=7, slopes=(0.0, 0.5))
    wide = chosen_rules(cell, position, weight, cells=7, slopes=(-4.0, 4.0))
    assert narrow.weight.shape[1] < wide.weight.shape[1]
    assert max(narrow.error, wide.error) <= 1e-11


def test_cells_of_one_area_and_of_none():
    """A single area is its own node; an empty cell has weight 0 and no NaN."""
    cell, position, weight = np.array([0, 2, 2]), np.array([0.7, -1, 2.0]), np.array([5.0, 1, 1])
    at, mass = gauss_rules(cell, position, weight, cells=3, nodes=4)
    assert np.isfinite(at).all()
    assert mass.sum(axis=1) == pytest.approx([5, 0, 2])
    sums = (mass * np.exp(1.5 * at)).sum(axis=1)
    assert sums == pytest.approx([5 * np.exp(1.05), 0, np.exp(-1.5) + np.exp(3)], rel=1e-13)


def test_equal_positions_leave_one_node_with_weight():
    """Areas that share a position collapse into one node."""
    at, mass = gauss_rules(np.zeros(3, int), np.full(3, 0.3), np.ones(3), cells=1, nodes=2)
    assert mass[0][np.argmax(mass[0])] == pytest.approx(3.0)
    assert at[0][np.argmax(mass[0])] == pytest.approx(0.3)
    assert np.sort(mass[0])[0] == pytest.approx(0.0, abs=1e-12)


def test_a_cell_has_its_rule_whatever_the_others_are():
    """Cells of 0 to 3,000 rows, shuffled, each get the sums of their own rows, in their place."""
    rng = np.random.default_rng(8)
    size = np.array([1, 300, 0, 5, 3000, 2, 40, 1, 299])
    cell = rng.permutation(np.repeat(np.arange(9), size))
    position, weight = rng.normal(size=len(cell)), rng.gamma(3, 90, len(cell))
    rule = chosen_rules(cell, position, weight, cells=9, slopes=(-2.5, 2.5))
    assert rule.error <= 1e-11
    for slope in (-2.0, 0.3, 1.7):
        exact = np.bincount(cell, weight * np.exp(slope * position), minlength=9)
        reached = (rule.weight * np.exp(slope * rule.position)).sum(axis=1)
        np.testing.assert_allclose(reached, exact, rtol=1e-10)
    # One area needs one node, at its own place.
    alone = np.flatnonzero(rule.weight[0])
    assert rule.position[0][alone] == pytest.approx(position[cell == 0], abs=1e-14)


def test_rows_said_twice_weigh_twice():
    """Splitting every area in two equal halves leaves the rules as they were."""
    cell, position, weight = measure(3)
    one = chosen_rules(cell, position, weight, cells=7, slopes=(-2.5, 2.5))
    two = chosen_rules(
        np.tile(cell, 2), np.tile(position, 2), np.tile(weight / 2, 2), cells=7, slopes=(-2.5, 2.5)
    )
    np.testing.assert_allclose(two.position, one.position, atol=1e-7)
    np.testing.assert_allclose(two.weight, one.weight, rtol=1e-6, atol=1e-6)


def test_weights_are_not_negative_and_sum_to_the_cell():
    """A rule is a measure itself, of its cell's mass."""
    cell, position, weight = measure(4)
    rule = chosen_rules(cell, position, weight, cells=7, slopes=(-2.5, 2.5))
    assert (rule.weight >= 0).all()
    np.testing.assert_allclose(rule.weight.sum(axis=1), np.bincount(cell, weight, minlength=7))
