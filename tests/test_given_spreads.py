"""A proposal of spreads and of coefficients given them, against normal distributions."""

from types import SimpleNamespace

import numpy as np
from scipy.stats import multivariate_normal

from socgrad.blocks.given_spreads import GivenSpreads

POINT = np.array([0.5, -0.2, 1.0, 3.0, 0.4])
ROOT = np.linalg.cholesky(
    np.array(
        [
            [0.40, 0.10, 0.05, 0.10, 0.02],
            [0.10, 0.30, 0.02, -0.05, 0.03],
            [0.05, 0.02, 0.20, 0.02, 0.01],
            [0.10, -0.05, 0.02, 0.25, 0.05],
            [0.02, 0.03, 0.01, 0.05, 0.10],
        ]
    )
)


def about():
    """Three coefficients and two spreads, the first of which is mirrored at zero."""
    coordinates = SimpleNamespace(
        sizes=(3, 0, 2, 0, 0), mirrored=np.array([False, False, False, True, False])
    )
    found = SimpleNamespace(
        marginal=SimpleNamespace(coordinates=coordinates), point=POINT, root=ROOT
    )
    return GivenSpreads.about(found)


def test_coefficients_are_normal_given_the_spreads():
    """With the mean and covariance of the normal distribution about the mode."""
    made, whole = about(), ROOT @ ROOT.T
    x = POINT + np.random.default_rng(1).standard_normal((20, 5))
    x[:, 3] = np.abs(x[:, 3])
    along = whole[:3, 3:] @ np.linalg.inv(whole[3:, 3:])
    left = whole[:3, :3] - along @ whole[3:, :3]
    expected = [
        multivariate_normal(POINT[:3] + along @ (row[3:] - POINT[3:]), left).logpdf(row[:3])
        for row in x
    ]
    found = made.log_density(x) - made.spreads.log_density(x[:, 3:])
    np.testing.assert_allclose(np.diff(found - expected), 0.0, atol=1e-10)


def test_draws_are_of_the_density():
    """Their mean, and how coefficients go with spreads."""
    x = about().draw(40_000, np.random.default_rng(2))
    assert (x[:, 3] >= 0).all()
    np.testing.assert_allclose(x.mean(axis=0), POINT, atol=0.02)
    found, whole = np.cov(x.T), ROOT @ ROOT.T
    slope = found[:3, 3:] @ np.linalg.inv(found[3:, 3:])
    np.testing.assert_allclose(slope, whole[:3, 3:] @ np.linalg.inv(whole[3:, 3:]), atol=0.03)


def test_it_bends_to_draws():
    """Fitted to draws of another place it is there, and its coefficients stay as they were."""
    made = about()
    x = made.draw(4000, np.random.default_rng(3))
    x[:, 4] += 0.5
    moved = made.fitted(x, np.ones(len(x)))
    again = moved.draw(20_000, np.random.default_rng(4))
    np.testing.assert_allclose(again[:, 4].mean(), POINT[4] + 0.5, atol=0.02)
    assert moved.root is made.root
