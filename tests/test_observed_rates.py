import numpy as np
import pandas as pd
import pytest
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.group_rates import authority_rate, rate_by_group
from socgrad.estimands.observed_rates import observed_authority_rate, observed_rate_by_group
from socgrad.estimands.poisson_intervals import poisson_interval
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.reading.example import example_fit, example_fit_of_stages
from tables import simulated, simulated_areas
from uncounted_areas import without_counts, without_last


@pytest.fixture
def counted():
    """Make a fit with a count for every area."""
    return example_fit(events=True)


def frame_of(tree):
    """One row for each area, for sums by pandas."""
    data = tree["constant_data"].to_dataset()
    return pd.DataFrame(
        {name: data[name].to_numpy() for name in ("authority_of_area", "deprivation", "exposure")}
        | {"events": tree["observed_data"]["events"].to_numpy()}
    )


def test_groups_by_hand(counted):
    """Halves at the median child: events over exposure of either, per 10,000."""
    table = observed_rate_by_group(counted, groups=2)
    frame = frame_of(counted).sort_values("deprivation")
    # Children are the exposure here: the lower half is where less than half of them lie below.
    reached = frame["exposure"].cumsum() - frame["exposure"] / 2 < frame["exposure"].sum() / 2
    for row, among in zip(table.itertuples(), (reached, ~reached), strict=True):
        half = frame[among]
        assert (row.areas, row.areas_not_counted) == (len(half), 0)
        assert row.events == half["events"].sum()
        assert row.rate == pytest.approx(1e4 * half["events"].sum() / half["exposure"].sum())
        assert row.deprivation == pytest.approx(
            np.average(half["deprivation"], weights=half["exposure"])
        )
        limits = np.array(poisson_interval(half["events"].sum())) / half["exposure"].sum()
        assert (row.lower, row.upper) == pytest.approx(tuple(1e4 * limits))


def test_groups_of_authorities_add_up(counted):
    """Cut by authority deprivation, the groups have the same events and exposure in all."""
    plain = observed_rate_by_group(counted, groups=5)
    cut = observed_rate_by_group(counted, groups=5, authority_groups=3)
    assert cut.columns[:2].tolist() == ["authority_group", "group"]
    assert len(cut) == 15
    sums = cut.groupby("group")[["areas", "events", "exposure"]].sum()
    np.testing.assert_allclose(sums, plain[["areas", "events", "exposure"]])
    # The least deprived third of authorities are Ashby and Barlow: areas crowd low there.
    few = cut.groupby("authority_group")["areas"].sum()
    assert few.tolist() == [200, 200, 200]
    first = cut[cut["authority_group"] == 1]
    assert first["areas"].iloc[0] > first["areas"].iloc[-1]


def test_one_authority_has_its_part_of_the_groups(counted):
    """All authorities' own groups add up to the groups; a group it has none of has no rate."""
    plain = observed_rate_by_group(counted, groups=4)
    labels = counted["constant_data"]["authority"].to_numpy()
    parts = [observed_rate_by_group(counted, groups=4, authority=label) for label in labels]
    for name in ("areas", "events", "exposure"):
        np.testing.assert_allclose(sum(part[name] for part in parts), plain[name])
    ashby = parts[0]
    own = frame_of(counted).query("authority_of_area == 0")
    assert ashby["events"].sum() == own["events"].sum()
    fine = observed_rate_by_group(counted, groups=100, authority="Farleigh")
    idle = fine["areas"] == 0
    assert idle.any()
    assert (fine["rate"].isna() == idle).all()
    with pytest.raises(EstimandError, match="authority and authority_groups were both given"):
        observed_rate_by_group(counted, authority="Ashby", authority_groups=2)
    with pytest.raises(EstimandError, match="No authority 'Asby' in this fit"):
        observed_rate_by_group(counted, authority="Asby")


def test_prob_and_rate_per_are_those_asked_for(counted):
    """A wider interval about the same rate; per 1,000 a tenth; attrs say so."""
    wide = observed_rate_by_group(counted, prob=0.998)
    plain = observed_rate_by_group(counted)
    assert (wide["lower"] < plain["lower"]).all()
    assert (wide["rate"] == plain["rate"]).all()
    small = observed_rate_by_group(counted, rate_per=1000)
    np.testing.assert_allclose(10 * small[["rate", "upper"]], plain[["rate", "upper"]])
    assert small.attrs["units"] == "events per 1,000 of exposure"
    assert "99.8% intervals" in wide.attrs["caption"]


def test_areas_without_counts_are_left_out_and_counted(counted):
    """They add neither events nor exposure, and a column says how many there are."""
    part = observed_rate_by_group(without_last(counted, 70), groups=4)
    whole = observed_rate_by_group(counted, groups=4)
    assert part["areas_not_counted"].sum() == 70
    assert ((part["areas"] + part["areas_not_counted"]) == whole["areas"]).all()
    frame = frame_of(counted).iloc[:-70]
    assert part["events"].sum() == frame["events"].sum()
    assert part["exposure"].sum() == frame["exposure"].sum()


def test_fitted_rates_can_be_of_the_counted_areas(counted):
    """`areas="counted"` takes the exposure that the observed rates take: the sums agree."""
    part = without_last(counted, 70)
    fitted = rate_by_group(part, groups=4, areas="counted")
    table = observed_rate_by_group(part, groups=4)
    weight = xr.DataArray(table["exposure"].to_numpy(), dims="group")
    # Over all groups, the fitted rate is that of these areas alone, row by row.
    data, draws = part["constant_data"].to_dataset(), part["posterior"].to_dataset()
    j = data["authority_of_area"].to_numpy()
    b = data["between_part"].to_numpy()
    one = draws.isel(chain=0, draw=0)
    level = float(one["intercept"]) + float(one["between"]) * b + one["level_effect"].to_numpy()
    slope = float(one["within"]) + float(one["cross_level"]) * b + one["slope_effect"].to_numpy()
    rate = np.exp(level[j] + slope[j] * data["within_part"].to_numpy())[:-70]
    expected = 1e4 * np.average(rate, weights=data["exposure"].to_numpy()[:-70])
    found = (fitted.isel(chain=0, draw=0) * weight).sum() / weight.sum()
    assert float(found) == pytest.approx(expected)
    assert fitted.attrs["reference"].endswith("530 neighbourhoods with counts of their own")
    assert abs(float((fitted / rate_by_group(part, groups=4) - 1)[0, 0, -1])) > 1e-4


def test_observed_rates_are_near_fitted_ones(counted):
    """Counts drawn at the fit's own values lie within their intervals of the fitted rates."""
    table = observed_rate_by_group(counted, prob=0.999)
    fitted = rate_by_group(counted).median(("chain", "draw")).to_numpy()
    assert (table["lower"] < fitted).all()
    assert (fitted < table["upper"]).all()
    own = observed_authority_rate(counted, prob=0.999)
    fitted = authority_rate(counted).median(("chain", "draw")).to_numpy()
    assert ((own["lower"] < fitted) & (fitted < own["upper"])).all()


@pytest.fixture(scope="module")
def mixture():
    """Fit totals for half of the authorities, counts for the others, one area not counted."""
    frame = simulated().frame.copy()
    sums = frame.groupby("authority")["events"].sum()
    totals = sums[sums.index[::2]].astype(float).to_dict()
    frame["events"] = frame["events"].astype(float)
    hole = frame.index[frame["authority"] == sums.index[1]][0]
    frame.loc[hole, "events"] = np.nan
    areas = simulated_areas(frame, totals=totals, missing_events="leave out")
    from fits import INFORMED

    model = GradientModel(areas, priors=INFORMED)
    return frame, sums, fit(model, method="laplace", draws=50, chains=2, random_seed=1)


def test_authorities_known_as_totals_have_their_totals(mixture):
    """A total counts over all its authority's exposure; a missing area leaves its exposure too."""
    frame, sums, tree = mixture
    table = observed_authority_rate(tree).set_index("authority").loc[sums.index]
    assert table["known"].tolist() == ["total", "areas"] * (len(sums) // 2)
    exposure = frame.groupby("authority")["children"].sum()
    totals = table.index[::2]
    np.testing.assert_array_equal(table.loc[totals, "events"], sums[totals])
    np.testing.assert_allclose(table.loc[totals, "exposure"], exposure[totals])
    partly = table.loc[sums.index[1]]
    assert partly["areas_not_counted"] == 1
    assert partly["exposure"] < exposure[sums.index[1]]
    assert partly["events"] <= sums.iloc[1]
    np.testing.assert_allclose(table["rate"], 1e4 * table["events"] / table["exposure"])


def test_groups_of_totals_alone_are_refused(mixture):
    """Totals have no groups of neighbourhoods: the message says what to use."""
    _, _, tree = mixture
    data = tree["constant_data"].to_dataset()
    counted = np.isin(data["area"], tree["observed_data"]["counted_area"])
    only = without_counts(tree, counted)
    with pytest.raises(EstimandError, match=r"of 6 authorities as totals only\. Use observed"):
        observed_rate_by_group(only)
    table = observed_authority_rate(only)
    assert table["known"].value_counts().to_dict() == {"total": 6, "nothing": 6}
    idle = table[table["known"] == "nothing"]
    assert idle[["rate", "lower", "upper"]].isna().all().all()


def test_strata_stand_below_one_another(counted):
    """A fit of several strata gives each stratum's own table, named in the first column."""
    stages = example_fit_of_stages()
    groups = {name: node.to_dataset() for name, node in stages.children.items()}
    one = counted["observed_data"].to_dataset()
    # Later stages count half, and a quarter, of the children again.
    parts = [one // divisor for divisor in (1, 2, 4)]
    labels = stages["posterior"]["stratum"].to_numpy()
    groups["observed_data"] = xr.concat(parts, xr.DataArray(labels, dims="stratum", name="stratum"))
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = dict(stages.attrs)
    for function, rows in ((observed_rate_by_group, 10), (observed_authority_rate, 6)):
        table = function(tree)
        assert table["stratum"].tolist() == [label for label in labels for _ in range(rows)]
        first = table[table["stratum"] == labels[0]].drop(columns="stratum")
        alone = function(counted)
        np.testing.assert_array_equal(first["events"], alone["events"])
        np.testing.assert_allclose(first["upper"], alone["upper"])
        shares = table.attrs.pop("largest_share")
        assert shares[:rows] == alone.attrs.pop("largest_share")
        assert len(shares) == len(table)
        assert table.attrs == alone.attrs


def test_a_fit_without_events_is_refused(split_fit):
    """Nothing observed, nothing to compute."""
    for function in (observed_rate_by_group, observed_authority_rate):
        with pytest.raises(EstimandError, match=f"{function.__name__} needs the observed events"):
            function(split_fit)
    with pytest.raises(EstimandError, match="areas='counted' needs the observed events"):
        rate_by_group(split_fit, areas="counted")
