"""Coverage of the joint model and its negative control (slow: tests/joint_study.py)."""

import numpy as np
import pytest

from joint_study import CORRELATIONS, coverage, lkj, study


def test_drawn_correlations_are_those_of_the_prior():
    """Every correlation of an LKJ(2) draw of six effects is 2 Beta(4, 4) - 1."""
    drawn = np.stack([lkj(6, 2.0, np.random.default_rng(seed)) for seed in range(4000)])
    np.testing.assert_allclose(np.diagonal(drawn, axis1=1, axis2=2), 1.0)
    assert (np.linalg.eigvalsh(drawn) > 0).all()
    each = drawn[:, *np.tril_indices(6, -1)]
    # Variance 1 / (2 * 4 + 1): standard error of a mean 0.0053, of an SD (kurtosis 2.45) 0.0032.
    assert np.abs(each.mean(axis=0)).max() < 4 * 0.0053
    assert np.abs(each.std(axis=0) - 1 / 3).max() < 4 * 0.0032


@pytest.mark.mcmc
@pytest.mark.slow
def test_intervals_cover_nominally_over_the_prior():
    """Where correlations are drawn from the prior, 95% intervals of every term cover 90 to 99%."""
    table = coverage(study("drawn", 100))
    assert (table["most_divergences"] == 0).all(), table
    assert table["coverage"].between(0.90, 0.99).all(), table


@pytest.mark.mcmc
@pytest.mark.slow
def test_independent_strata_are_found_independent():
    """The negative control: 90 to 99% of the intervals of correlations hold zero."""
    table = coverage(study("independent", 100))
    correlations = table[table["term"].isin(CORRELATIONS)]
    assert len(correlations) == 4
    assert correlations["coverage"].between(0.90, 0.99).all(), table


@pytest.mark.mcmc
@pytest.mark.slow
def test_alike_strata_keep_the_coverage_of_everything_else():
    """Where strata are alike, gradients and SDs cover; their correlations are drawn to zero.

    The prior of full correlations is doing that, and docs/validation.md says how much.
    """
    table = coverage(study("alike", 100))
    others = table[~table["term"].isin(CORRELATIONS)]
    assert others["coverage"].between(0.90, 0.99).all(), table
