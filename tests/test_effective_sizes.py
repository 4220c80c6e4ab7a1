"""Effective sizes of many quantities at once are those that ArviZ gives one by one."""

import arviz_stats
import numpy as np
import pytest
import xarray as xr

from socgrad.tables.effective_sizes import bulk_and_tail


def chains(rho, draws, *, number=4, seed=1, quantities=30):
    """Autoregressive chains, some of which lie apart."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((number, draws, quantities))
    for at in range(1, draws):
        values[:, at] += rho * values[:, at - 1]
    values[0, :, ::5] += 1.0
    return xr.DataArray(values, dims=("chain", "draw", "row"))


@pytest.mark.parametrize("rho", [-0.9, -0.5, 0.0, 0.5, 0.99])
@pytest.mark.parametrize(("number", "draws"), [(4, 500), (2, 101), (1, 64), (3, 9), (2, 4)])
def test_sizes_are_those_of_arviz(rho, number, draws):
    """For positive and negative correlation, odd numbers of draws, few draws, chains apart."""
    values = chains(rho, draws, number=number)
    for own, method in zip(bulk_and_tail(values), ("bulk", "tail"), strict=True):
        expected = arviz_stats.ess(values, method=method).to_numpy()
        np.testing.assert_allclose(own, expected, rtol=1e-9)


def test_ties_and_constants():
    """Counts have ties; a term that is held fixed has as many draws as there are."""
    values = chains(0.5, 300).round(0)
    values[:, :, 0] = 2.0
    for own, method in zip(bulk_and_tail(values), ("bulk", "tail"), strict=True):
        np.testing.assert_allclose(own, arviz_stats.ess(values, method=method), rtol=1e-9)


def test_what_is_not_finite_has_no_size(monkeypatch):
    """One NaN makes its own quantity unknown, and no other; nor do blocks of rows matter."""
    values = chains(0.0, 100)
    values[0, 3, 4] = np.nan
    whole = bulk_and_tail(values)
    monkeypatch.setattr("socgrad.tables.effective_sizes._MOST", 1_000)
    for own, again in zip(whole, bulk_and_tail(values), strict=True):
        assert np.flatnonzero(np.isnan(own)).tolist() == [4]
        np.testing.assert_array_equal(own, again)
    assert np.isnan(bulk_and_tail(values.isel(draw=slice(3)))[0]).all()
