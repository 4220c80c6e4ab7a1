"""Scales of the coefficients of all strata: a regression of rough estimates, and its limits."""

import numpy as np
import pytest

from socgrad.nuts.coefficient_scales import coefficient_scales, rough_effects

FLAT = {"prior_mean": np.zeros(8), "prior_sd": np.full(8, 5.0)}


def estimates(authorities=400, seed=0):
    """Two levels that are near copies, two slopes on their own, about known lines."""
    rng = np.random.default_rng(seed)
    b = rng.normal(size=authorities)
    common = rng.normal(size=authorities)
    noise = rng.normal(size=(4, authorities))
    away = np.stack([common, common + 0.1 * noise[1], noise[2], noise[3]])
    centre, line = np.array([-4.0, -5.0, 0.4, 0.6]), np.array([0.2, 0.3, -0.1, 0.0])
    return centre[:, None] + line[:, None] * b + 0.3 * away, b, centre, line


def scales(values, information, b, prior):
    """Centre and scale from rough estimates."""
    terms = [(np.ones_like(b), np.arange(4)), (b, np.arange(4))]
    rough = rough_effects(values, information, terms=terms)
    return coefficient_scales(rough, terms=terms, **prior)


def test_centre_is_the_regression_on_authority_deprivation():
    """Where much is known, centres are the intercepts and slopes of the lines."""
    values, b, centre, line = estimates()
    found, _ = scales(values, np.full(values.shape, 1e4), b, FLAT)
    assert found == pytest.approx(np.concatenate([centre, line]), abs=0.05)


def test_scales_hold_the_errors_of_near_copies_together():
    """Errors of two intercepts correlate as the authorities do; their size falls with the root."""
    values, b, _, _ = estimates()
    _, scale = scales(values, np.full(values.shape, 1e4), b, FLAT)
    assert np.array_equal(scale, np.tril(scale))
    covariance = scale @ scale.T
    root = np.sqrt(np.diag(covariance))
    # SD 0.3 over 400 authorities; corr(common, common + 0.1 e) = 1 / sqrt(1.01).
    assert root[:4] == pytest.approx(0.3 / 20, rel=0.1)
    assert covariance[0, 1] / (root[0] * root[1]) == pytest.approx(1.01**-0.5, abs=0.005)
    assert abs(covariance[0, 2] / (root[0] * root[2])) < 0.15
    assert np.abs(covariance[:4, 4:]).max() == 0.0


def test_nothing_known_leaves_the_prior():
    """Slopes of strata known by totals only keep the scale of their prior."""
    values, b, _, _ = estimates()
    values[2:] = 0.5
    information = np.full(values.shape, 1e4)
    information[2:] = 0.0
    prior = {"prior_mean": np.full(8, 0.5), "prior_sd": np.full(8, 0.05)}
    centre, scale = scales(values, information, b, prior)
    assert np.sqrt(np.diag(scale @ scale.T))[[2, 3, 6, 7]] == pytest.approx(0.05)
    assert centre[[2, 3, 6, 7]] == pytest.approx(0.5, abs=0.16)
