import warnings

import numpy as np
import pytest
import xarray as xr

from socgrad.errors import ConvergenceWarning, SchemaError
from socgrad.tables.diagnostics import check_sampling


def sampled(split_fit, draws=500, chains=4):
    """Make a fit with many independent draws of every term and no divergences."""
    rng = np.random.default_rng(8)
    posterior = split_fit["posterior"].to_dataset().isel(chain=[0] * chains, draw=[0] * draws)
    posterior = posterior.assign_coords(chain=range(chains), draw=range(draws))
    for name, values in posterior.data_vars.items():
        posterior[name] = values + 0.1 * rng.standard_normal(values.shape)
    statistics = xr.Dataset({"diverging": (("chain", "draw"), np.zeros((chains, draws), bool))})
    tree = xr.DataTree.from_dict(
        {
            "posterior": posterior,
            "sample_stats": statistics,
            "constant_data": split_fit["constant_data"].to_dataset(),
        }
    )
    tree.attrs = dict(split_fit.attrs)
    return tree


def test_independent_draws_converge(split_fit):
    """Good draws are said to be good, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check = check_sampling(sampled(split_fit))
    assert check.converged is True
    assert check.statement.startswith("The sampler converged: largest R-hat 1.00")
    assert check.statement.endswith("0 divergences.")
    assert check.table.columns.tolist() == ["rhat", "ess_bulk", "ess_tail"]
    assert {"within", "cross_level", "level_effect", "slope_effect"} <= set(check.table.index)


def test_chains_apart_are_found(split_fit):
    """One chain elsewhere raises R-hat, and the term is named with what to do."""
    fit = sampled(split_fit)
    fit["posterior"]["between"][0] += 1
    with pytest.warns(ConvergenceWarning, match=r"R-hat is not below 1\.01 for between: the cha"):
        check = check_sampling(fit)
    assert check.converged is False
    assert check.table.loc["between", "rhat"] > 1.05
    assert check.table["rhat"].drop("between").max() < 1.01


def test_one_authority_is_enough(split_fit):
    """The worst authority counts, not the average one."""
    fit = sampled(split_fit)
    fit["posterior"]["slope_effect"][0, :, 3] += 1
    with pytest.warns(ConvergenceWarning, match="for slope_effect: the chains disagree"):
        check = check_sampling(fit)
    # With one of four chains ten sd away R-hat is above 1.5; the mean of six would be below.
    assert not check.converged
    assert check.table.loc["slope_effect", "rhat"] > 1.5


def test_few_draws_are_found(split_fit):
    """Sixty draws are too few, however independent."""
    with pytest.warns(ConvergenceWarning, match="effective size is below 400 for intercept, wi"):
        check = check_sampling(sampled(split_fit, draws=60, chains=2))
    assert check.table["ess_bulk"].max() < 400


def test_divergences_are_found(split_fit):
    """Three divergences are named as such."""
    fit = sampled(split_fit)
    fit["sample_stats"]["diverging"][1, 5:8] = True
    with pytest.warns(ConvergenceWarning, match=r"3 draws diverged.*raise target_accept"):
        check = check_sampling(fit)
    assert (check.converged, check.divergences) == (False, 3)


def test_slow_energy_is_found(split_fit):
    """One chain whose energy creeps is enough; energies that jump freely pass."""
    fit = sampled(split_fit)
    rng = np.random.default_rng(2)
    energy = xr.DataArray(rng.standard_normal((4, 500)), dims=("chain", "draw"))
    fit["sample_stats"]["energy"] = energy
    # Independent energies: mean squared step over variance is 2.
    check = check_sampling(fit)
    assert check.converged
    assert check.bfmi == pytest.approx(2.0, abs=0.3)
    assert check.statement.endswith(f"smallest BFMI {check.bfmi:.2f}.")
    # A walk of 500 steps: its variance is far above that of a step.
    fit["sample_stats"]["energy"][2] = rng.standard_normal(500).cumsum()
    with pytest.warns(ConvergenceWarning, match=r"energy of a chain moves too slowly \(BFMI 0\.0"):
        assert not check_sampling(fit).converged


def test_divergences_not_recorded(split_fit):
    """A fit without statistics is judged by its draws, and says that divergences are unknown."""
    fit = sampled(split_fit)
    del fit["sample_stats"]
    check = check_sampling(fit)
    assert (check.converged, check.divergences) == (True, -1)
    assert np.isnan(check.bfmi)
    assert "divergences not recorded" in check.statement


def test_one_chain_cannot_be_compared(split_fit):
    """R-hat needs two chains."""
    with pytest.warns(ConvergenceWarning, match="R-hat needs two chains at least: sample four"):
        assert not check_sampling(sampled(split_fit, draws=2000, chains=1)).converged


def test_nan_draws_do_not_pass(split_fit):
    """A draw that is not a number fails the check instead of being skipped."""
    fit = sampled(split_fit)
    fit["posterior"]["within"][2, 100] = np.nan
    with pytest.warns(ConvergenceWarning, match=r"R-hat .* for within: .* for within:"):
        assert not check_sampling(fit).converged


def test_fixed_terms_are_ignored(split_fit):
    """A term held at one value has nothing to converge."""
    fit = sampled(split_fit)
    fit["posterior"]["slope_sd"][:] = 0.12
    check = check_sampling(fit)
    assert check.converged
    assert check.table.loc["slope_sd", "rhat"] == 1.0


def test_importance_draws_are_judged_by_their_size(split_fit):
    """One chain of resampled draws passes with a large recorded size and fails with a small one."""
    fit = sampled(split_fit, draws=2000, chains=1)
    fit.attrs["importance_ess"] = 1545.0
    check = check_sampling(fit)
    assert check.converged
    assert "resampled by importance" in check.statement
    assert check.table["ess_bulk"].max() == 1545
    fit.attrs["importance_ess"] = 9.0
    with pytest.warns(ConvergenceWarning, match="fit with method='nuts'"):
        assert not check_sampling(fit).converged


def test_another_tree_is_refused():
    """Only a fit can be checked."""
    with pytest.raises(SchemaError, match="no group 'posterior'"):
        check_sampling(xr.DataTree())
