import numpy as np
import pytest
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.authority_ranks import authority_ranks
from socgrad.estimands.gradient_pairs import pairwise_steeper, steeper_than
from socgrad.estimands.gradients import gradient
from socgrad.tables.summaries import summarise


def test_gradients_are_those_of_each_authority(split_fit):
    """The dataset carries `gradient` of every authority, in the step asked for."""
    for per in (None, 0.2):
        made = authority_ranks(split_fit, per=per, top=2)["gradient"]
        xr.testing.assert_identical(made, gradient(split_fit, target="each", per=per))


def test_ranks_order_the_gradients(split_fit):
    """In every draw ranks are 1 to 6, and a steeper authority has the smaller one."""
    made = authority_ranks(split_fit, top=2)
    rank = made["gradient_rank"].to_numpy()
    np.testing.assert_array_equal(np.sort(rank, axis=-1), np.broadcast_to(range(1, 7), rank.shape))
    order = np.argsort(rank, axis=-1)
    steep = np.take_along_axis(made["gradient"].to_numpy(), order, axis=-1)
    assert (np.diff(steep, axis=-1) < 0).all()
    np.testing.assert_array_equal(made["in_top"], rank <= 2)
    assert authority_ranks(split_fit, top=3)["in_top"].sum() == 300


def test_by_hand(fixed_fit, change_fit):
    """Slopes set by hand: ranks, the top and the average follow."""
    # Without the cross-level term slopes are 0.5 + effect: 0.6, 0.5 - 0.1, 0.8, 0.45, 0.55, 0.3.
    effects = xr.DataArray([0.1, -0.1, 0.3, -0.05, 0.05, -0.2], dims="authority")
    fit = change_fit(
        fixed_fit({"within": 0.5, "cross_level": 0.0}),
        posterior=lambda p: p.assign(slope_effect=p["slope_effect"] + effects),
    )
    made = authority_ranks(fit, top=2).isel(chain=0, draw=0)
    assert made["gradient_rank"].to_numpy().tolist() == [2, 5, 1, 4, 3, 6]
    assert made["in_top"].to_numpy().tolist() == [1, 0, 1, 0, 0, 0]
    assert made["steeper_than_average"].to_numpy().tolist() == [1, 0, 1, 0, 1, 0]
    pairs = pairwise_steeper(fit)
    assert pairs.loc["Ashby", "Corham"] == 0
    assert pairs.loc["Corham", "Ashby"] == 1
    others = steeper_than(fit, authority="Ashby").isel(chain=0, draw=0)
    assert others["authority"].to_numpy().tolist()[:2] == ["Barlow", "Corham"]
    assert others.to_numpy().tolist() == [0, 1, 0, 0, 0]


def test_whose_average_matters(fixed_fit):
    """With the cross-level term alone affluent authorities are steeper than the nation's average.

    Against the average authority of their own mean, authorities without effects are not steeper.
    """
    fit = fixed_fit({"within": 0.5, "cross_level": -0.1})
    nation = authority_ranks(fit, top=1)["steeper_than_average"]
    b = fit["constant_data"]["between_part"].to_numpy()
    np.testing.assert_array_equal(nation.isel(chain=0, draw=0), b < 0)
    own = authority_ranks(fit, top=1, average="own_mean")["steeper_than_average"]
    assert float(own.sum()) == 0
    assert nation.attrs["reference"] != own.attrs["reference"]


def test_a_table_has_ranks_with_intervals(split_fit):
    """Every rank comes with its interval, and probabilities without one."""
    table = summarise(authority_ranks(split_fit, top=2))
    assert len(table) == 4 * 6
    ranks = table.loc["gradient_rank"]
    assert (ranks["lower"] <= ranks["estimate"]).all()
    assert (ranks["upper"] > ranks["lower"]).any()
    assert table.loc["in_top", "estimate"].sum() == pytest.approx(2)
    assert table.loc["in_top", "lower"].isna().all()


def test_what_does_not_differ_is_not_ranked(split_fit, no_slopes_fit, null_fit, change_fit):
    """One gradient for all, unknown options and authorities, and impossible tops are refused."""
    flat = change_fit(no_slopes_fit, posterior=lambda p: p.drop_vars("cross_level"))
    for function in (authority_ranks, pairwise_steeper):
        with pytest.raises(EstimandError, match="all authorities have one gradient by construct"):
            function(flat)
        with pytest.raises(EstimandError, match="not defined for a null model"):
            function(null_fit)
    with pytest.raises(EstimandError, match="No authority 'Ashbee' in this fit"):
        steeper_than(split_fit, authority="Ashbee")
    for wrong in (0, 6, 1.5):
        with pytest.raises(EstimandError, match="expected a whole number from 1 to 5"):
            authority_ranks(split_fit, top=wrong)
    with pytest.raises(EstimandError, match="average is 'mean'; expected 'nation' or 'own_mean'"):
        authority_ranks(split_fit, top=1, average="mean")
    with pytest.raises(EstimandError, match="average='own_mean' compares an authority with the"):
        authority_ranks(no_slopes_fit, top=1, average="own_mean")
    # The cross-level term alone still ranks, by deprivation.
    assert authority_ranks(no_slopes_fit, top=1)["in_top"].sel(authority="Ashby").mean() > 0.9
