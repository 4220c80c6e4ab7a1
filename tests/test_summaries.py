import numpy as np
import pytest
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.contextual import inverse_intervention
from socgrad.estimands.crossings import crossing
from socgrad.estimands.gradients import between, gradient
from socgrad.estimands.rates import expected_rate
from socgrad.reading.example import example_fit_of_stages
from socgrad.reading.labels import label_draws
from socgrad.tables.summaries import intervals, summarise

NUMBERS = ["estimate", "lower", "upper", "pr_above", "null", "ess_bulk", "mcse"]
WORDS = ["units", "reference"]


def draws(values, null=None):
    """Make labelled draws of two chains from a flat list of numbers."""
    array = np.asarray(values, dtype=float).reshape(2, -1)
    made = xr.DataArray(array, dims=("chain", "draw"))
    return label_draws(made, estimand="thing", units="each", reference="none", null=null)


def test_median_interval_and_probability_by_hand():
    """101 draws 0 to 100, less one for even chains: quantiles read off."""
    made = draws(np.random.default_rng(1).permutation(np.arange(1, 101)), null=20.0)
    row = summarise(made, prob=0.8).loc[("thing", "")]
    # 1..100: median 50.5; quantiles 0.1 and 0.9 at positions 9.9 and 89.1: 10.9 and 90.1.
    assert row["estimate"] == pytest.approx(50.5)
    assert (row["lower"], row["upper"]) == pytest.approx((10.9, 90.1))
    assert row["pr_above"] == pytest.approx(0.8)  # 21..100
    assert row["null"] == 20
    assert (row["units"], row["reference"]) == ("each", "none")


def test_columns_and_attrs(split_fit):
    """Column names are fixed; the probability of the interval is in attrs and caption."""
    table = summarise(gradient(split_fit), prob=0.9)
    assert table.columns.tolist() == [*NUMBERS, *WORDS]
    assert table.index.names == ["estimand", "at"]
    assert table.attrs["prob"] == 0.9
    assert "90% equal-tailed" in table.attrs["caption"]


def test_prob_widens_the_interval(split_fit):
    """Two probabilities give two intervals around one estimate."""
    narrow, wide = (summarise(gradient(split_fit), prob=p).iloc[0] for p in (0.5, 0.95))
    assert wide["lower"] < narrow["lower"] < narrow["estimate"] == wide["estimate"]
    assert narrow["upper"] < wide["upper"]


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")  # small authorities
def test_one_row_for_each_combination(split_fit):
    """Named dims become rows, in words and as columns."""
    rates = expected_rate(split_fit, deprivation=[0.2, 0.25], target="each")
    table = summarise(gradient(split_fit), rates)
    assert len(table) == 1 + 6 * 2
    assert table.columns.tolist() == [*NUMBERS, "authority", "deprivation", *WORDS]
    row = table.loc[("expected_rate", "authority=Denwick, deprivation=0.25")]
    expected = rates.sel(authority="Denwick", deprivation=0.25)
    assert row["estimate"] == float(expected.median())
    assert (row["authority"], row["deprivation"]) == ("Denwick", 0.25)
    assert np.isnan([row["pr_above"], row["null"]]).all()
    assert table.loc[("gradient", "")][["pr_above", "null"]].tolist() == [1.0, 1.0]


def test_scalar_coordinates_are_named(split_fit):
    """A row picked out of an estimand still says which it is."""
    table = summarise(gradient(split_fit, target="each").sel(authority="Ashby"))
    assert table.index.tolist() == [("gradient", "authority=Ashby")]
    assert table["authority"].tolist() == ["Ashby"]


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")  # small authorities
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
    assert np.isnan([share["lower"], share["upper"], share["pr_above"]]).all()
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


@pytest.mark.parametrize("prob", [0, 1, 95, -0.5, np.nan, "0.95"])
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
    assert table.columns.tolist() == [*NUMBERS, *WORDS]


@pytest.mark.parametrize("given", ["tree", "table", 1.7])
def test_what_holds_no_draws_is_refused(split_fit, given):
    """A fit, a table and a number are told from draws, and the message says what draws are."""
    given = {"tree": split_fit, "table": summarise(gradient(split_fit))}.get(given, given)
    with pytest.raises(
        EstimandError, match=r"Estimand 2 is a \w+\. .* such as socgrad\.gradient\("
    ):
        summarise(gradient(split_fit), given)


def test_draws_without_a_label_are_refused(split_fit):
    """A term of the model is no estimand: nobody said what it is of."""
    with pytest.raises(
        EstimandError, match=r"Estimand 1 \(within\) .* socgrad\.tables\.label_draws"
    ):
        summarise(split_fit["posterior"]["within"])


def test_each_row_says_what_is_compared(split_fit):
    """Units and reference are those of the estimand; the default contrast is per 10 points."""
    made = inverse_intervention(split_fit)
    table = summarise(made)
    assert set(table["reference"]) == {made.attrs["reference"]}
    assert set(table["units"]) == {
        "rate ratio per 10 points of authority deprivation at equal neighbourhood deprivation"
    }
    named = inverse_intervention(split_fit, authority_means=(0.16, 0.25))
    assert named.attrs["units"] == "rate ratio at equal neighbourhood deprivation"


def test_contrasts_of_one_estimand_are_told_apart(split_fit):
    """Two contrasts in one table say at each row which it is; other rows keep their labels."""
    step = inverse_intervention(split_fit, deprivation=0.2)
    named = inverse_intervention(split_fit, deprivation=0.2, authorities=("Ashby", "Farleigh"))
    table = summarise(gradient(split_fit), step, named)
    assert table.index.tolist() == [
        ("gradient", ""),
        (
            "inverse_intervention",
            "deprivation=0.2, an authority of mean 0.266 over an authority of mean 0.166, equal "
            "effects",
        ),
        (
            "inverse_intervention",
            "deprivation=0.2, Farleigh (mean 0.262) over Ashby (mean 0.153), equal effects",
        ),
    ]


def test_steps_of_one_estimand_are_told_apart(split_fit):
    """The same comparison per 10 and per 20 points differs in units alone, so they are named."""
    table = summarise(gradient(split_fit), gradient(split_fit, per=0.2))
    assert table.index.get_level_values("at").tolist() == [
        "rate ratio per 10 points of neighbourhood deprivation",
        "rate ratio per 20 points of neighbourhood deprivation",
    ]


def test_numbers_come_first_in_print(split_fit):
    """The first four columns are what is read, and fit a terminal of 80 columns."""
    table = summarise(gradient(split_fit), inverse_intervention(split_fit)).iloc[:, :4].round(2)
    assert table.columns.tolist() == ["estimate", "lower", "upper", "pr_above"]
    assert max(map(len, table.to_string().splitlines())) <= 80


def test_a_list_of_estimands_is_unpacked():
    """Estimands come one by one."""
    with pytest.raises(EstimandError, match=r"1 is a list\. .* unpacked: summarise\(\*estimands"):
        summarise([draws([1, 2]), draws([3, 4])])


def test_intervals_are_those_of_the_summary():
    """Without precision, which takes most of the time, rows and numbers are the same."""
    draws = gradient(example_fit_of_stages(), target="each")
    whole = summarise(draws, prob=0.9)
    own = intervals(draws, prob=0.9)
    for name in ("estimate", "lower", "upper", "stratum", "authority"):
        assert own[name].tolist() == whole[name].tolist()
