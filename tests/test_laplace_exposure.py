"""Sums of exposure over an authority's areas: by rule, by polynomial, and on several threads."""

import numpy as np
import pytest

from socgrad import processors
from socgrad.laplace import sample_laplace
from socgrad.laplace.exposure import GaussExposure, tabulated_exposure
from socgrad.model.compression import likelihood_data
from socgrad.model.gradient_model import GradientModel
from tables import small_areas

# Three authorities with two places each: N exp(s w) summed by hand below.
RULE = GaussExposure(
    np.array([[-1.0, 1.0], [-2.0, 0.5], [0.0, 1.0]]),
    np.array([[100.0, 200.0], [10.0, 30.0], [5.0, 5.0]]),
)
LOW, HIGH = np.array([0.2, 0.3, 0.1]), np.array([0.8, 0.7, 0.9])
EVENTS = np.array([1000.0, 50.0, 0.0])


def test_rule_sums_exposures():
    """At slope 0 the sums are the exposures; at log 2 each place counts 2**w times."""
    np.testing.assert_allclose(np.exp(RULE.log_sums(np.zeros((1, 3)))), [[300.0, 40.0, 10.0]])
    # 100/2 + 200*2; 10/4 + 30*sqrt(2); 5 + 5*2
    doubled = np.exp(RULE.log_sums(np.full((1, 3), np.log(2.0))))
    np.testing.assert_allclose(doubled, [[450.0, 2.5 + 30.0 * np.sqrt(2.0), 15.0]])


@pytest.mark.parametrize(("wider", "pieces"), [(0.0, 1), (2.0, 48)])
def test_polynomial_equals_rule_inside_and_outside(wider, pieces):
    """The table gives the rule's sums and moments, inside its intervals and beyond them."""
    low, high = LOW - wider, HIGH + wider
    table = tabulated_exposure(RULE, low, high, EVENTS)
    assert table.coefficients.shape[1] == pieces
    slope = np.random.default_rng(1).uniform(-0.5 - wider, 1.5 + wider, size=(2, 40, 3))
    assert np.any(slope < low)
    assert np.any((slope > low) & (slope < high))
    np.testing.assert_allclose(table.log_sums(slope), RULE.log_sums(slope), rtol=0, atol=1e-9)
    for reached, wanted in zip(table.moments(slope), RULE.moments(slope), strict=True):
        # Derivatives of an interpolant lose a factor (degree / half width)**2.
        np.testing.assert_allclose(reached, wanted, rtol=0, atol=1e-4)


def test_moments_are_derivatives():
    """Mean and variance of w are the first and second derivative of the log sum."""
    step, slope = 1e-4, np.array([[0.4, 0.5, 0.6]])
    below, at, above = (RULE.log_sums(slope + d) for d in (-step, 0.0, step))
    _, mean, variance = RULE.moments(slope)
    np.testing.assert_allclose(mean, (above - below) / (2 * step), atol=1e-6)
    np.testing.assert_allclose(variance, (above - 2 * at + below) / step**2, atol=1e-5)


def test_intervals_too_wide_for_a_polynomial_keep_the_rule():
    """Where no polynomials are exact enough, nothing is tabulated."""
    assert tabulated_exposure(RULE, LOW - 300.0, HIGH + 300.0, EVENTS) is RULE


@pytest.mark.parametrize("kind", ["counts", "mixture"])
def test_threads_change_no_draw(kind, monkeypatch):
    """One thread and four give the same draws, to the last bit."""
    model = GradientModel(small_areas(kind))
    data = likelihood_data(model)
    fits = []
    for number in (1, 4):
        monkeypatch.setattr(processors, "_THREADS", number)
        monkeypatch.setattr(processors, "processors", lambda: 4)
        fits.append(sample_laplace(model, data, draws=300, chains=2, random_seed=3).posterior)
    assert fits[0].identical(fits[1])


@pytest.mark.parametrize("wider", [0.0, 2.0])
def test_a_slope_that_is_no_number_stays_so(wider):
    """A centre that arithmetic lost has no density, and is no error; its neighbours have theirs."""
    table = tabulated_exposure(RULE, LOW - wider, HIGH + wider, EVENTS)
    slope = np.array([[0.4, np.nan, 0.5], [np.inf, 0.5, 0.3]])
    with np.errstate(all="ignore"):
        found = table.log_sums(slope)
        moments = table.moments(slope)
    assert np.isnan(found[0, 1])
    assert np.isnan(moments[1][0, 1])
    np.testing.assert_allclose(found[0, [0, 2]], RULE.log_sums(slope)[0, [0, 2]], atol=1e-9)
