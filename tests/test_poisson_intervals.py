import numpy as np
import pytest
from scipy.stats import chi2, poisson

from socgrad.errors import EstimandError
from socgrad.estimands.poisson_intervals import poisson_interval


def test_byar_by_hand():
    """100 events: 100 (1 - 1/900 - 1.96/30)^3, and the same of 101 upwards."""
    lower, upper = poisson_interval(100)
    z = 1.959963984540054
    assert float(lower) == pytest.approx(100 * (1 - 1 / 900 - z / 30) ** 3, rel=1e-12)
    assert float(upper) == pytest.approx(101 * (1 - 1 / 909 + z / (3 * 101**0.5)) ** 3, rel=1e-12)


def test_byar_agrees_with_the_public_health_package():
    """The lower limit of 100 that the authors of PHEindicatormethods test their package with."""
    assert float(poisson_interval(100)[0]) == pytest.approx(81.36210549052788, rel=1e-14)


def test_limits_below_ten_are_exact():
    """They leave exactly half of the rest on either side, as Poisson probabilities say."""
    few = np.arange(1, 10)
    lower, upper = poisson_interval(few, prob=0.9)
    np.testing.assert_allclose(poisson.sf(few - 1, lower), 0.05, rtol=1e-9)
    np.testing.assert_allclose(poisson.cdf(few, upper), 0.05, rtol=1e-9)
    lower, upper = poisson_interval(0)
    assert (float(lower), float(upper)) == pytest.approx((0, -np.log(0.025)))


@pytest.mark.parametrize("prob", [0.5, 0.95, 0.998])
def test_byar_is_near_the_exact_limits(prob):
    """From 10 events on, within 1% of exact limits (2% of the extreme ones), ever nearer."""
    many = np.array([10, 30, 100, 1000, 100_000])
    lower, upper = poisson_interval(many, prob=prob)
    exact_lower = chi2.ppf((1 - prob) / 2, 2 * many) / 2
    exact_upper = chi2.ppf((1 + prob) / 2, 2 * many + 2) / 2
    off = np.maximum(abs(lower / exact_lower - 1), abs(upper / exact_upper - 1))
    assert off[0] < (0.02 if prob > 0.95 else 0.01)
    assert (np.diff(off) < 0).all()
    assert off[-1] < 1e-6


def test_unknown_counts_stay_unknown():
    """NaN gives NaN, beside limits of what is known."""
    lower, upper = poisson_interval([np.nan, 4])
    assert np.isnan([lower[0], upper[0]]).all()
    assert np.isfinite([lower[1], upper[1]]).all()


def test_what_is_no_count_is_refused():
    """Percentages for probabilities, and counts below zero."""
    with pytest.raises(EstimandError, match="prob is 95; expected a probability between 0 and 1"):
        poisson_interval(4, prob=95)
    with pytest.raises(EstimandError, match=r"2 of 3 counts lie below 0 \(first: -1\)"):
        poisson_interval([4, -1, -2])
