"""Parity with lme4 and glmmTMB on stored tables (tests/parity.py does the comparison)."""

import pytest

from parity import REFERENCE, comparison

pytestmark = pytest.mark.mcmc

#: By NUTS the density that is written out; models without slopes, each a graph to compile, by the
#: default engine here, and by NUTS in the script.
CASES = [
    (key, "laplace" if key.startswith(("poisson_random_intercept", "poisson_null")) else "nuts")
    for key in REFERENCE
]


@pytest.mark.parametrize(("key", "method"), CASES)
def test_fixed_effects_within_a_quarter_posterior_sd(key, method):
    """Posterior means lie within 0.25 posterior SD of the maximum likelihood estimates."""
    differences = comparison(key, method).set_index("term")["difference_in_sd"].dropna()
    assert "intercept" in differences
    assert (differences.abs() < 0.25).all(), differences


@pytest.mark.parametrize(("key", "method"), CASES)
def test_standard_deviations_within_a_tenth(key, method):
    """Posterior medians of the SDs and of the overdispersion lie within 10%."""
    ratios = comparison(key, method).set_index("term")["ratio"].dropna()
    assert "level_sd" in ratios
    assert ((ratios - 1).abs() < 0.10).all(), ratios
