"""R-hat and effective sizes: ArviZ's, of many quantities at once."""

import arviz_stats
import numpy as np
import pytest
import xarray as xr

from socgrad.tables.chain_statistics import ess_bulk, ess_tail, rhat


def wandering(chains, draws, memory, quantities=70):
    """Autoregressive chains: each draw remembers a share of the one before it."""
    rng = np.random.default_rng(5)
    made = rng.standard_normal((quantities, chains, draws))
    for at in range(1, draws):
        made[..., at] += memory * made[..., at - 1]
    return made


def by_arviz(statistic, draws, **options):
    """What ArviZ says of the same draws."""
    given = xr.DataArray(draws, dims=("quantity", "chain", "draw"))
    return statistic(given, **options).to_numpy()


@pytest.mark.parametrize(
    "draws",
    [
        wandering(4, 500, 0.0),
        wandering(4, 501, 0.9),
        wandering(1, 60, -0.6),
        wandering(2, 40, 1.0),  # pairs of lags come to their end before they vanish
        wandering(3, 4, 0.0),
        wandering(3, 5, 0.0),
        wandering(2, 9, 0.5),
        np.floor(3 * wandering(4, 200, 0.3)),  # many are equal
    ],
    ids=["independent", "odd", "antithetic", "wandering", "four", "five", "nine", "equal"],
)
def test_statistics_are_those_of_arviz(draws):
    """The same numbers, whatever the chains are like."""
    bulk, tail = (by_arviz(arviz_stats.ess, draws, method=which) for which in ("bulk", "tail"))
    np.testing.assert_allclose(ess_bulk(draws), bulk, rtol=1e-9)
    np.testing.assert_allclose(ess_tail(draws), tail, rtol=1e-9)
    np.testing.assert_allclose(rhat(draws), by_arviz(arviz_stats.rhat, draws), rtol=1e-9)


def test_chains_of_unlike_spread_disagree():
    """R-hat looks at distances from the median, too: ranks alone do not see another spread."""
    draws = wandering(4, 500, 0.0)
    draws[:, 0] *= 3
    assert rhat(draws).min() > 1.05
    np.testing.assert_allclose(rhat(draws), by_arviz(arviz_stats.rhat, draws), rtol=1e-9)


def test_a_chain_that_remembers_has_the_size_of_its_memory():
    """By hand: a memory of a half makes three draws worth one."""
    bulk = ess_bulk(wandering(4, 5000, 0.5, quantities=20))
    assert bulk.mean() == pytest.approx(20_000 / 3, rel=0.03)


def test_odd_draws():
    """Draws that never move count each and have no R-hat; NaN and three draws say nothing."""
    draws = wandering(4, 100, 0.0, quantities=3)
    draws[0] = 2.0
    draws[1, 2, 7] = np.nan
    bulk, tail, apart = (statistic(draws) for statistic in (ess_bulk, ess_tail, rhat))
    assert (bulk[0], tail[0]) == (400, 400)
    unknown = [[False, True, False], [False, True, False], [True, True, False]]
    np.testing.assert_array_equal(np.isnan([bulk, tail, apart]), unknown)
    np.testing.assert_allclose(bulk, by_arviz(arviz_stats.ess, draws, method="bulk"))
    for statistic in (ess_bulk, ess_tail, rhat):
        assert np.isnan(statistic(draws[..., :3])).all()
    assert np.isnan(rhat(draws[2:, :1])).all()
