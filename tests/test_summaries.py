import numpy as np
import pytest
import xarray as xr

from socgrad.contextual import crossing, inverse_intervention
from socgrad.errors import EstimandError
from socgrad.gradients import between, gradient
from socgrad.rates import expected_rate
from socgrad.summaries import summarise

COLUMNS = ["estimate", "lower", "upper", "probability", "ess_bulk", "mcse", "units"]


def draws(values, **attrs):
    """Make draws of two chains from a flat list of numbers."""
    array = np.asarray(values, dtype=float).reshape(2, -1)
    named = {"estimand": "thing", "units": "each", **attrs}
    return xr.DataArray(array, dims=("chain", "draw"), attrs=named, name="thing")


def test_median_interval_and_probability_by_hand():
    """101 draws 0 to 100, less one for even chains: quantiles read off."""
    made = draws(np.random.default_rng(1).permutation(np.arange(1, 101)), null=20.0)
    row = summarise(made, prob=0.8).loc[("thing", "")]
    # 1..100: median 50.5; quantiles 0.1 and 0.9 at positions 9.9 and 89.1: 10.9 and 90.1.
    assert row["estimate"] == pytest.approx(50.5)
    assert (row["lower"], row["upper"]) == pytest.approx((10.9, 90.1))
    assert row["probability"] == pytest.approx(0.8)  # 21..100
    assert row["units"] == "each"


def test_columns_and_attrs(split_fit):
    """Column names are fixed; the probability of the interval is in attrs and caption."""
    table = summarise(gradient(split_fit), prob=0.9)
    assert table.columns.tolist() == COLUMNS
    assert table.index.names == ["estimand", "at"]
    assert table.attrs["prob"] == 0.9
    assert "90% equal-tailed" in table.attrs["caption"]


def test_prob_widens_the_interval(split_fit):
    """Two probabilities give two intervals around one estimate."""
    narrow, wide = (summarise(gradient(split_fit), prob=p).iloc[0] for p in (0.5, 0.95))
    assert wide["lower"] < narrow["lower"] < narrow["estimate"] == wide["estimate"]
    assert narrow["upper"] < wide["upper"]


def test_one_row_for_each_combination(split_fit):
    """Named dims become rows, in words and as columns."""
    rates = expected_rate(split_fit, deprivation=[0.2, 0.25], target="each")
    table = summarise(gradient(split_fit), rates)
    assert len(table) == 1 + 6 * 2
    assert table.columns.tolist() == [*COLUMNS, "authority", "deprivation"]
    row = table.loc[("expected_rate", "authority=Denwick, deprivation=0.25")]
    expected = rates.sel(authority="Denwick", deprivation=0.25)
    assert row["estimate"] == float(expected.median())
    assert (row["authority"], row["deprivation"]) == ("Denwick", 0.25)
    assert np.isnan(row["probability"])
    assert table.loc[("gradient", "")]["probability"] == 1.0


def test_scalar_coordinates_are_named(split_fit):
    """A row picked out of an estimand still says which it is."""
    table = summarise(gradient(split_fit, target="each").sel(authority="Ashby"))
    assert table.index.tolist() == [("gradient", "authority=Ashby")]
    assert table["authority"].tolist() == ["Ashby"]


def test_dims_in_any_order(split_fit):
    """The order of dims does not matter to the rows' values."""
    rates = expected_rate(split_fit, target="each")
    turned = summarise(rates.transpose("deprivation", "draw", "authority", "chain"))
    plain = summarise(rates)
    for column in ("estimate", "upper", "mcse"):
        by = ["authority", "deprivation"]
        np.testing.assert_array_equal(turned.sort_values(by)[column], plain.sort_values(by)[column])


def test_dataset_gives_its_variables(split_fit):
    """A crossing gives quantiles; its support gives a share, without an interval."""
    made = crossing(split_fit)
    table = summarise(made)
    assert table.index.get_level_values("estimand").tolist() == ["crossing", "within_support"]
    share = table.loc[("within_support", "")]
    assert share["estimate"] == float(made["within_support"].mean())
    assert 0 < share["estimate"] < 0.5
    assert np.isnan([share["lower"], share["upper"], share["probability"]]).all()
    assert share["mcse"] > 0


def test_effective_size_and_error_are_those_of_the_median():
    """Independent draws: ESS near their number, MCSE near sqrt(pi / 2) sd / sqrt(n)."""
    made = draws(np.random.default_rng(6).standard_normal(8000))
    row = summarise(made).iloc[0]
    assert row["ess_bulk"] == pytest.approx(8000, rel=0.1)
    assert row["mcse"] == pytest.approx(np.sqrt(np.pi / 2 / 8000), rel=0.2)


def test_importance_size_limits_the_effective_size(split_fit):
    """Resampled draws count as many as the fit recorded, and the error grows with it."""
    weighted = split_fit.copy()
    weighted.attrs["importance_ess"] = 20.0
    plain, limited = (summarise(gradient(fit)).iloc[0] for fit in (split_fit, weighted))
    assert plain["ess_bulk"] > 50
    assert limited["ess_bulk"] == 20
    grown = plain["mcse"] * np.sqrt(plain["ess_bulk"] / 20)
    assert limited["mcse"] == pytest.approx(grown)
    weighted.attrs["importance_ess"] = 1e6
    assert summarise(gradient(weighted)).iloc[0]["mcse"] == plain["mcse"]


def test_targets_share_a_table(split_fit):
    """The average and a new authority, and both scales of between, have names of their own."""
    table = summarise(
        gradient(split_fit),
        gradient(split_fit, target="new"),
        between(split_fit),
        between(split_fit, scale="rates"),
        expected_rate(split_fit),
        expected_rate(split_fit, target="new"),
    )
    assert table.index.get_level_values("estimand").unique().tolist() == [
        "gradient",
        "gradient_new",
        "between",
        "between_rates",
        "expected_rate",
        "expected_rate_new",
    ]


def test_names_tell_two_fits_apart(split_fit, curved_fit):
    """The same estimand of two fits needs names, and gets them."""
    pair = [inverse_intervention(fit, deprivation=0.2) for fit in (split_fit, curved_fit)]
    with pytest.raises(EstimandError, match=r"1 rows have the name .*inverse_intervention depriv"):
        summarise(*pair)
    table = summarise(*pair, names=["plain", "curved"])
    assert table.index.tolist() == [("plain", "deprivation=0.2"), ("curved", "deprivation=0.2")]
    with pytest.raises(EstimandError, match="1 names were given for 2 estimands"):
        summarise(*pair, names=["one"])


@pytest.mark.parametrize("prob", [0, 1, 95, -0.5, np.nan])
def test_prob_is_a_probability(split_fit, prob):
    """Percentages and the ends are refused."""
    with pytest.raises(EstimandError, match=r"prob is .*; expected the probability"):
        summarise(gradient(split_fit), prob=prob)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_draws_that_are_not_finite_are_refused(bad):
    """NaN and infinity are counted and named, never averaged over."""
    with pytest.raises(EstimandError, match="2 of 10 draws of thing are not finite"):
        summarise(draws([1, 2, bad, 4, 5, 6, 7, bad, 9, 10]))


def test_collapsed_draws_are_refused(split_fit):
    """A mean is no estimand: it has no draws left."""
    with pytest.raises(EstimandError, match=r"Estimand 2 .* has no dim chain or draw"):
        summarise(gradient(split_fit), gradient(split_fit).mean())


def test_nothing_gives_an_empty_table():
    """No estimands, no rows, the same columns."""
    table = summarise()
    assert table.empty
    assert table.columns.tolist() == COLUMNS
