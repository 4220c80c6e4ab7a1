"""Correlations of authority effects between strata, read from a fit."""

import numpy as np
import pytest

from combinations import Cell, model_of
from socgrad.errors import EstimandError
from socgrad.estimands.stratum_correlations import stratum_correlations
from socgrad.fitting import fit
from socgrad.reading.by_stratum import stratum
from socgrad.reading.example import example_fit, example_fit_of_stages
from socgrad.reading.joint_effects import JOINT_GROUP
from socgrad.tables.summaries import summarise


def test_every_pair_stands_once_with_its_own_draws():
    """Pairs come in the order of the fit, each with the draws of its entry of the matrix."""
    fit = example_fit_of_stages()
    alike = stratum_correlations(fit)
    assert list(alike.data_vars) == ["level_correlation", "slope_correlation"]
    assert alike["pair"].values.tolist() == [
        "referral, assessment",
        "referral, plan",
        "assessment, plan",
    ]
    for name, draws in alike.data_vars.items():
        assert draws.dims == ("chain", "draw", "pair")
        matrix = fit["posterior"][name]
        for k in range(3):
            one = draws.isel(pair=k)
            own = matrix.sel(stratum=str(one["stratum"].item()))
            own = own.sel(stratum_bis=str(one["stratum_bis"].item()))
            np.testing.assert_array_equal(one.to_numpy(), own.to_numpy())


def test_summary_says_what_is_correlated():
    """`summarise` gives a row for each pair and kind, held against no correlation."""
    table = summarise(stratum_correlations(example_fit_of_stages()))
    assert len(table) == 6
    assert (table["null"] == 0.0).all()
    assert table.loc["slope_correlation", "reference"].str.contains("slopes in two strata").all()
    assert table["estimate"].between(0.4, 0.95).all()


def test_fit_without_strata_is_refused():
    """One stratum has nothing to correlate with."""
    with pytest.raises(EstimandError, match=r"no strata.*authority_effects='joint'"):
        stratum_correlations(example_fit())


def test_independent_strata_are_refused():
    """Strata fitted one by one say nothing of correlations, and the message says what does."""
    with pytest.raises(EstimandError, match=r"3 strata .* fitted independently.*'joint'"):
        stratum_correlations(example_fit_of_stages(chained=True))


@pytest.mark.filterwarnings("ignore::socgrad.errors.ConvergenceWarning")  # of few authorities
def test_levels_alone_have_correlations_too():
    """Of joint strata without slopes of authorities; they were lost, and strata independent."""
    tree = fit(
        model_of(Cell("no slopes", strata="joint")), method="laplace", draws=50, random_seed=1
    )
    made = stratum_correlations(tree)
    assert list(made) == ["level_correlation"]
    # Levels of both stages are simulated apart.
    assert float(abs(made["level_correlation"].mean())) < 0.5
    held = tree["posterior"]["level_correlation"]
    assert float(abs(held.isel(stratum=0, stratum_bis=0) - 1.0).max()) < 1e-12
    assert "level_correlation" in stratum(tree, "first")[JOINT_GROUP].data_vars
