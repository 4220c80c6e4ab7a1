"""Where the mean of a posterior lies, from its mode."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import digamma

from socgrad.blocks.skewness import mean_about


@dataclass
class Cubic:
    """A log density -z'z / 2 + sum T_abc z_a z_b z_c / 6 of z, x = point + root z."""

    point: np.ndarray
    root: np.ndarray
    third: np.ndarray

    def gradient(self, x, state=None):  # noqa: ARG002 of the marginal's
        """Value (not looked at), and derivatives by x."""
        z = np.linalg.solve(self.root, x - self.point)
        by_z = -z + 0.5 * np.einsum("abc,b,c->a", self.third, z, z)
        return 0.0, np.linalg.solve(self.root.T, by_z)


def cubic(size):
    """One whose third derivatives are symmetric, on correlated scales."""
    rng = np.random.default_rng(1)
    root = np.tril(rng.normal(size=(3, 3))) + 2.0 * np.eye(3)
    drawn = size * rng.normal(size=(3, 3, 3))
    third = sum(np.transpose(drawn, order) for order in itertools.permutations(range(3))) / 6.0
    return Cubic(rng.normal(size=3), root, third)


def test_the_mean_is_half_the_traces_of_third_derivatives():
    """E z_k = sum_i T_iik / 2."""
    density = cubic(0.1)
    found = mean_about(density, density.point, density.root)
    shift = 0.5 * np.einsum("iik->k", density.third)
    np.testing.assert_allclose(found, density.point + density.root @ shift, rtol=1e-10)


def test_the_formula_is_that_of_a_skewed_distribution():
    """Of the log of a gamma variable: mean digamma(a), mode log a, sd about a**-0.5."""
    a, third = 40.0, np.full((1, 1, 1), -(40.0**-0.5))
    density = Cubic(np.array([np.log(a)]), np.array([[a**-0.5]]), third)
    found = mean_about(density, density.point, density.root)
    assert found[0] - np.log(a) == pytest.approx(digamma(a) - np.log(a), rel=0.02)


def test_a_mean_that_is_far_is_held():
    """One standard deviation, along each column of the root, is as far as this is trusted."""
    density = cubic(20.0)
    found = mean_about(density, density.point, density.root)
    z = np.linalg.solve(density.root, found - density.point)
    assert np.abs(z).max() == pytest.approx(1.0)
