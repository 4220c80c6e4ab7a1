"""Covariances over years, worked by hand."""

import numpy as np
import pytest

from socgrad.yearly_covariances import drift_covariance, national_covariance

YEARS = np.array([2018.0, 2019.0, 2021.0])
NUMBERS = {
    "level_constant_sd": np.array(0.3),
    "slope_constant_sd": np.array(0.1),
    "constant_correlation": np.array(-0.5),
    "level_drift_sd": np.array(0.2),
    "slope_drift_sd": np.array(0.05),
    "level_autocorrelation": np.array(0.6),
    "slope_autocorrelation": np.array(-0.5),
    "level_break_sd": np.array(0.4),
    "slope_break_sd": np.array(0.2),
}
PLACE = np.arange(1.0, 4.0)
LAG = np.array([[0, 1, 3], [1, 0, 2], [3, 2, 0]])


def own(form, rho=0.6):
    """What years have beside their drift, 0.003 a year, which goes on as the drift does."""
    goes_on = {
        "autoregressive": rho**LAG / (1 - rho**2),
        "random walk": np.minimum.outer(PLACE, PLACE),
    }
    return 0.003**2 * goes_on.get(form, np.eye(3))


def levels(form, breaks=()):
    """Covariance of levels alone, without that."""
    return drift_covariance(YEARS, (form,), breaks, NUMBERS) - own(form)


def test_an_autoregressive_drift_keeps_the_clock_of_missing_years():
    """Years two apart correlate by rho squared, and the variance is that of a stationary drift."""
    stationary = 0.04 / (1 - 0.36)
    expected = 0.09 + stationary * np.array([[1, 0.6, 0.216], [0.6, 1, 0.36], [0.216, 0.36, 1]])
    np.testing.assert_allclose(levels("autoregressive"), expected, rtol=1e-12)


def test_a_random_walk_starts_at_nothing():
    """Its variance is that of the years that have passed."""
    expected = 0.09 + 0.04 * np.array([[0, 0, 0], [0, 1, 1], [0, 1, 3]])
    np.testing.assert_allclose(levels("random walk"), expected, rtol=1e-12)


def test_a_trend_is_nothing_in_the_middle():
    """An authority's line turns about the middle of the period."""
    since = np.array([-1.5, -0.5, 1.5])
    expected = 0.09 + 0.04 * np.outer(since, since)
    np.testing.assert_allclose(levels("trend"), expected, atol=1e-15)


def test_a_break_moves_all_years_after_it():
    """The years from a break on share a further move."""
    after = np.array([0.0, 1.0, 1.0])
    moved = levels("none", (2019,)) - levels("none")
    np.testing.assert_allclose(moved, 0.16 * np.outer(after, after), atol=1e-15)


def test_levels_and_slopes_share_their_constant_part_alone():
    """Slopes have their own drift; only constant parts correlate."""
    whole = drift_covariance(YEARS, ("random walk", "autoregressive"), (), NUMBERS)
    np.testing.assert_allclose(whole[:3, 3:], -0.5 * 0.3 * 0.1, rtol=1e-12)
    expected = 0.01 + 0.0025 / 0.75 * (-0.5) ** LAG + own("autoregressive", -0.5)
    np.testing.assert_allclose(whole[3:, 3:], expected, rtol=1e-12)


def test_derivatives_come_from_complex_steps_of_a_negative_autocorrelation():
    """The step survives the powers."""

    def at(rho):
        numbers = NUMBERS | {"level_autocorrelation": np.asarray(rho)}
        numbers = {name: np.asarray(value, dtype=complex) for name, value in numbers.items()}
        return drift_covariance(YEARS, ("autoregressive",), (), numbers)

    exact = at(-0.4 + 1e-30j).imag / 1e-30
    near = (at(-0.4 + 1e-6) - at(-0.4 - 1e-6)).real / 2e-6
    np.testing.assert_allclose(exact, near, rtol=1e-7)


def test_a_period_stays_the_one_that_was_fitted():
    """A year more does not move the middle of the lines."""
    longer = np.append(YEARS, 2022.0)
    ahead = drift_covariance(longer, ("trend",), (), NUMBERS, period=(2018.0, 2021.0))
    np.testing.assert_allclose(ahead[:3, :3] - own("trend"), levels("trend"), atol=1e-15)


@pytest.mark.parametrize("form", ["autoregressive", "random walk", "trend", "none"])
def test_a_further_year_leaves_the_others_as_they_are(form):
    """So that a forecast goes on from what was fitted."""
    longer = np.append(YEARS, 2022.0)
    ahead = drift_covariance(longer, (form,), (2019,), NUMBERS, period=(2018.0, 2021.0))
    np.testing.assert_allclose(ahead[:3, :3] - own(form), levels(form, (2019,)), atol=1e-15)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("independent", np.diag([4.0, 4.0, 4.0])),
        ("random walk", 4.0 + 0.25 * np.array([[0, 0, 0], [0, 1, 1], [0, 1, 3]])),
        ("trend", 4.0 + 0.25 * (np.outer([0, 1, 3], [0, 1, 3]) + np.eye(3))),
    ],
)
def test_national_coefficients(form, expected):
    """Years by themselves, along a walk, and along a line."""
    found = national_covariance(form, YEARS, (), sd=2.0, step=0.5)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_break_of_a_national_coefficient_is_as_wide_as_its_prior():
    """The years before say nothing of where it is after."""
    found = national_covariance("random walk", YEARS, (2021,), sd=2.0, step=0.5)
    before = national_covariance("random walk", YEARS, (), sd=2.0, step=0.5)
    np.testing.assert_allclose(found - before, 4.0 * np.outer([0, 0, 1], [0, 0, 1]), rtol=1e-12)
