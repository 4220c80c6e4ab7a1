"""Departures from a line: columns without level and slope, at any deprivation."""

import numpy as np
import pytest

from socgrad.departures import KNOTS, departures_by_tenth, smooth_departures
from socgrad.errors import SpecificationError
from socgrad.ranks import quantile_groups


def places(areas=400, seed=1):
    """Deprivation and children of some neighbourhoods, skewed as England's."""
    rng = np.random.default_rng(seed)
    return rng.beta(1.5, 6.0, areas), rng.integers(50, 400, areas).astype(float)


def made(shape, x, children):
    """Columns of a shape."""
    if shape == "tenths":
        return departures_by_tenth(x, children)
    return smooth_departures(x, children, knots=int(shape))


SHAPES = ("tenths", *map(str, KNOTS))


def test_three_groups_by_hand():
    """One column, orthogonal to 1 and x under the children's weights.

    Deprivation 0, 0.1, 0.3 and children 1, 1, 2. What is orthogonal, times its weights, to (1, 1,
    1) and (0, 0.1, 0.3) is their cross product: (0.3 - 0.1, 0 - 0.3, 0.1 - 0) = (0.2, -0.3, 0.1).
    Over the weights that is (0.2, -0.3, 0.05). Its mean square is (0.04 + 0.09 + 2 * 0.0025) / 4 =
    0.03375, which is to be 1.
    """
    steps = departures_by_tenth(np.array([0.0, 0.1, 0.3]), np.array([1.0, 1.0, 2.0]), tenths=3)
    wanted = np.array([0.2, -0.3, 0.05]) / np.sqrt(0.03375)
    np.testing.assert_allclose(steps.at([0.0, 0.1, 0.3])[:, 0], wanted, rtol=1e-12)
    # Edges are where the next group begins; beyond the ends the outer steps go on.
    np.testing.assert_allclose(steps.at([0.0999, 0.2999, 1.0])[:, 0], wanted, rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_level_no_slope_and_equal_size(shape):
    """Over children, columns are orthogonal to 1, to x and to one another; sizes add up to 1."""
    x, children = places()
    columns = made(shape, x, children).at(x)
    share = children / children.sum()
    together = np.column_stack([np.ones_like(x), x, columns])
    products = (together * share[:, None]).T @ together
    k = columns.shape[1]
    np.testing.assert_allclose(products[:2, 2:], 0.0, atol=1e-12)
    np.testing.assert_allclose(products[2:, 2:], np.eye(k) / k, atol=1e-11)
    assert k == (9 if shape == "tenths" else int(shape) - 2)


def test_steps_are_of_the_tenths_of_children():
    """A line and the columns make any steps of child-weighted tenths, with none left over."""
    x, children = places()
    steps = departures_by_tenth(x, children)
    tenth = quantile_groups(x, children, 10)
    np.testing.assert_array_equal(steps.tenth_of(x), tenth)
    columns = np.column_stack([np.ones_like(x), x, steps.at(x)])
    wanted = (tenth[:, None] == np.arange(1, 11)).astype(float)
    made = columns @ np.linalg.lstsq(columns, wanted)[0]
    np.testing.assert_allclose(made, wanted, atol=1e-10)


def test_a_slope_inside_tenths_by_hand():
    """Two areas in each of three tenths: the last column is the tenths' means less their line.

    Deprivation 0, 0.1 | 0.3, 0.4 | 0.6, 0.7: means 0.05, 0.35, 0.65 about 0.35. Their variance is
    0.06, that of x 0.06 + 0.0025, so s = 0.96. At the first area the column is in proportion to
    0.05 - 0.35 - 0.96 (0 - 0.35) = 0.036, at the second, 0.1 further on, to 0.036 - 0.096 = -0.06.
    Inside tenths it falls, from one to the next it rises.
    """
    x = np.array([0.0, 0.1, 0.3, 0.4, 0.6, 0.7])
    steps = departures_by_tenth(x, np.ones(6), tenths=3)
    assert steps.weights.shape == (4, 2)
    last = steps.at(x)[:, 1]
    np.testing.assert_allclose(last / last[0] * 0.036, [0.036, -0.06, 0.048, -0.048, 0.06, -0.036])
    assert last[0] > 0
    # Where deprivation is one value in each tenth there is nothing inside.
    flat = departures_by_tenth(np.repeat([0.05, 0.35, 0.65], 2), np.ones(6), tenths=3)
    assert flat.weights.shape == (4, 1)


@pytest.mark.parametrize("knots", KNOTS)
def test_a_spline_is_smooth_and_straight_beyond_its_knots(knots):
    """Value, first and second derivative are continuous; beyond the outer knots nothing bends."""
    x, children = places()
    curve = smooth_departures(x, children, knots=knots)
    h, grid = 1e-6, np.linspace(0.0, 1.0, 2001)
    bends = np.abs(np.diff(curve.slope_at(grid), axis=0)).max(axis=0) * 2000
    for t in curve.places:
        before, after = np.diff(curve.slope_at(np.array([t - h, t, t + h])), axis=0) / h
        assert (np.abs(after - before) < 1e-3 * bends).all()
    for ends in ((-0.2, -0.1, curve.places[0]), (curve.places[-1], 0.8, 1.0)):
        slope = curve.slope_at(np.array(ends))
        np.testing.assert_allclose(slope, np.broadcast_to(slope[1], slope.shape), rtol=1e-9)
        line = curve.at(ends[0]) + (ends[2] - ends[0]) * slope[1]
        np.testing.assert_allclose(curve.at(ends[2]), line, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("knots", KNOTS)
def test_slopes_are_differences_of_values(knots):
    """The derivative, against a central difference."""
    x, children = places()
    curve = smooth_departures(x, children, knots=knots)
    at, h = np.linspace(0.01, 0.6, 30), 1e-6
    difference = (curve.at(at + h) - curve.at(at - h)) / (2 * h)
    np.testing.assert_allclose(curve.slope_at(at), difference, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_first_column_bends_upwards(shape):
    """Above the line at both ends, below it in the middle."""
    x, children = places()
    low, middle, high = made(shape, x, children).at([x.min(), np.median(x), x.max()])[:, 0]
    assert low > 0 > middle
    assert high > 0


@pytest.mark.parametrize("shape", ["tenths", "5"])
def test_order_and_units_of_children_are_irrelevant(shape):
    """The same columns from shuffled rows, and from children in thousands."""
    x, children = places()
    order = np.random.default_rng(2).permutation(len(x))
    one, other = made(shape, x, children), made(shape, x[order], children[order] / 1000)
    np.testing.assert_allclose(one.at(x), other.at(x), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("shape", ["tenths", "5"])
def test_areas_without_children_weigh_nothing(shape):
    """They get a departure, and do not change those of others."""
    x, children = places()
    more, weight = np.append(x, [0.0, 0.95]), np.append(children, [0.0, 0.0])
    one, other = made(shape, x, children), made(shape, more, weight)
    # The sign alone looks at the most deprived area, and does not change here.
    np.testing.assert_allclose(one.at(more), other.at(more), rtol=1e-7, atol=1e-9)


def test_too_few_values_are_refused():
    """Where tenths would be empty, and where knots would coincide; the message counts."""
    x = np.repeat([0.1, 0.2, 0.3], 20)
    with pytest.raises(SpecificationError, match=r"the 3 distinct values of deprivation over 60 n"):
        departures_by_tenth(x, np.ones(60))
    with pytest.raises(SpecificationError, match=r"5 distinct knots.*fall on 3 values \(0\.1, 0\."):
        smooth_departures(x, np.ones(60), knots=5)
    assert smooth_departures(x, np.ones(60), knots=3).weights.shape == (3, 1)
