import warnings

import numpy as np
import pytest
import xarray as xr

from socgrad.errors import EstimandError, SupportWarning
from socgrad.estimands.group_rates import authority_rate, rate_by_group
from socgrad.estimands.rates import expected_rate
from socgrad.ranks import quantile_groups
from socgrad.simulation.england import simulate

TRUTH = {"intercept": np.log(0.01), "within": np.log(1.8), "between": np.log(1.4)}


def test_expected_rate_by_hand(fixed_fit):
    """The average authority at its mean, one step above it, and in an authority one step up."""
    fit = fixed_fit({**TRUTH, "cross_level": np.log(0.9)})
    c = float(fit["constant_data"]["national_mean"])
    # 100 per 10,000 at the mean, times 1.8 one step above it.
    rate = expected_rate(fit, deprivation=[c, c + 0.1])
    np.testing.assert_allclose(rate.isel(chain=0, draw=0), [100, 180], rtol=1e-12)
    # At mean c + 0.05 (b = 1/2), x = c (w = -1/2): 100 * 1.4^.5 * (1.8 * 0.9^.5)^-.5
    rate = expected_rate(fit, deprivation=c, authority_mean=c + 0.05)
    expected = 100 * 1.4**0.5 / (1.8 * 0.9**0.5) ** 0.5
    np.testing.assert_allclose(rate, expected, rtol=1e-12)
    assert rate.dims == ("chain", "draw", "authority_mean", "deprivation")


def test_authority_mean_defaults_to_the_national_mean(split_fit):
    """Naming the national mean changes only the dims."""
    c = float(split_fit["constant_data"]["national_mean"])
    named = expected_rate(split_fit, deprivation=[0.2, 0.25], authority_mean=c)
    plain = expected_rate(split_fit, deprivation=[0.2, 0.25])
    np.testing.assert_allclose(named.squeeze("authority_mean"), plain, rtol=1e-14)
    assert plain.dims == ("chain", "draw", "deprivation")


def test_rate_per_scales_the_rate(split_fit):
    """Per 1,000 is a tenth of per 10,000, and the units say so."""
    for function in (expected_rate, rate_by_group, authority_rate):
        default, smaller = function(split_fit), function(split_fit, rate_per=1000)
        np.testing.assert_allclose(default, 10 * smaller, rtol=1e-13)
        assert default.attrs["units"] == "events per 10,000 of exposure"
        assert smaller.attrs["units"] == "events per 1,000 of exposure"


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")  # small authorities
def test_each_authority_at_its_mean(split_fit):
    """At its own mean an authority's rate is its level alone."""
    terms, data = split_fit["posterior"], split_fit["constant_data"]
    mean = float(data["authority_mean"][2])
    rate = expected_rate(split_fit, deprivation=mean, target="each")
    level = terms["intercept"] + terms["between"] * data["between_part"] + terms["level_effect"]
    found = rate.sel(authority="Corham").squeeze("deprivation", drop=True)
    expected = 10_000 * np.exp(level.sel(authority="Corham"))
    np.testing.assert_allclose(found, expected.transpose("chain", "draw"), rtol=1e-12)


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")  # small authorities
def test_targets_differ(split_fit):
    """The three targets give three numbers, and a new authority is the least certain."""
    average, new = (expected_rate(split_fit, target=t) for t in ("average", "new"))
    each = expected_rate(split_fit, target="each")
    assert each.sizes["authority"] == 6
    spread = np.log(new).std(("chain", "draw")) / np.log(average).std(("chain", "draw"))
    assert (spread > 1.5).all()
    other = expected_rate(split_fit, target="new", random_seed=1)
    assert float(abs(other / new - 1).max()) > 0.1


def test_new_authority_by_hand(split_fit, change_fit):
    """With a correlation of 1 the slope effect is the level effect times the ratio of the SDs."""
    fit = change_fit(split_fit, posterior=lambda p: p.assign(correlation=0 * p["within"] + 1))
    c = float(fit["constant_data"]["national_mean"])
    new = np.log(expected_rate(fit, deprivation=[c, c + 0.1], target="new"))
    average = np.log(expected_rate(fit, deprivation=[c, c + 0.1]))
    effect = (new - average).to_numpy()
    # At the mean the difference is u0; one step above it u0 + u1 with u1 = u0 slope_sd / level_sd.
    ratio = (fit["posterior"]["slope_sd"] / fit["posterior"]["level_sd"]).to_numpy()
    np.testing.assert_allclose(effect[..., 1], effect[..., 0] * (1 + ratio), rtol=1e-9)


def test_null_model_has_flat_rates(null_fit):
    """Without deprivation every neighbourhood has the same rate."""
    rate = expected_rate(null_fit)
    np.testing.assert_allclose(rate, rate.isel(deprivation=[0] * 3), rtol=1e-14)


def test_authority_mean_with_each_is_refused(split_fit):
    """Every authority has a mean of its own already."""
    with pytest.raises(EstimandError, match="target='each', which has every authority at its own"):
        expected_rate(split_fit, target="each", authority_mean=0.2)


def test_integrated_rates_are_means_over_authorities(fixed_fit):
    """The mean over effects by quadrature, at a mean of its own and a deprivation off it."""
    sds = {"level_sd": 0.4, "slope_sd": 0.2, "correlation": -0.5}
    fit = fixed_fit({**TRUTH, "cross_level": np.log(0.9), **sds})
    x, mean = [0.15, 0.25], 0.2
    rate = expected_rate(fit, deprivation=x, authority_mean=mean, target="integrated")
    plain = expected_rate(fit, deprivation=x, authority_mean=mean)
    # 40 x 40 nodes for z0 and z1; slope effect = sd1 (rho z0 + sqrt(1 - rho^2) z1).
    node, weight = np.polynomial.hermite_e.hermegauss(40)
    weight = np.outer(weight, weight) / (2 * np.pi)
    level, slope = 0.4 * node[:, None], 0.2 * (-0.5 * node[:, None] + 0.75**0.5 * node[None, :])
    for k, w in enumerate((-0.5, 0.5)):
        factor = (weight * np.exp(level + slope * w)).sum()
        np.testing.assert_allclose((rate / plain)[0, 0, 0, k], factor, rtol=1e-10)
    assert rate.attrs["estimand"] == "expected_rate_integrated"
    assert rate.attrs["reference"].startswith("the mean of all authorities")


def test_without_variation_the_mean_authority_is_the_average_one(fixed_fit, null_fit):
    """Where authorities do not differ, integrating changes nothing; in a null model the level."""
    fit = fixed_fit({**TRUTH, "level_sd": 0.0, "slope_sd": 0.0})
    xr.testing.assert_allclose(expected_rate(fit, target="integrated"), expected_rate(fit))
    ratio = expected_rate(null_fit, target="integrated") / expected_rate(null_fit)
    variance = (null_fit["posterior"]["level_sd"] ** 2).transpose("chain", "draw")
    np.testing.assert_allclose(ratio[..., 1], np.exp(variance / 2))


def test_quantiles_of_authorities_stand_for_their_means(split_fit):
    """The median authority of each third, in order of deprivation."""
    # Sorted, authorities 2, 4 and 6 are those in which a sixth, half and five sixths are reached.
    means = np.sort(split_fit["constant_data"]["authority_mean"].to_numpy())
    rate = expected_rate(split_fit, deprivation=0.2, authority_quantiles=[0.1, 0.9])
    named = expected_rate(split_fit, deprivation=0.2, authority_mean=means[[0, 5]])
    xr.testing.assert_identical(rate, named)
    with pytest.raises(EstimandError, match="authority_mean and authority_quantiles were both giv"):
        expected_rate(split_fit, authority_mean=0.2, authority_quantiles=0.5)
    with pytest.raises(EstimandError, match="quantile probabilities lie outside 0-1"):
        expected_rate(split_fit, authority_quantiles=[10, 90])


def test_an_unknown_target_is_refused(split_fit):
    """A misspelling must not answer for another target."""
    with pytest.raises(EstimandError, match="expected 'average', 'each', 'new' or 'integrated'"):
        expected_rate(split_fit, target="mean")


@pytest.mark.parametrize("wrong", [0, -10, np.inf, np.nan])
def test_rate_per_must_be_above_zero(split_fit, wrong):
    """A rate per nothing is refused."""
    with pytest.raises(EstimandError, match=r"rate_per is .*; expected the units of exposure"):
        expected_rate(split_fit, rate_per=wrong)


def test_defaults_are_quiet(split_fit):
    """The defaults do not warn, at the national mean or half a step from it."""
    c = float(split_fit["constant_data"]["national_mean"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected_rate(split_fit)
        expected_rate(split_fit, authority_mean=[c - 0.05, c + 0.05])


def test_unsupported_points_warn_once(split_fit):
    """Deprivations and means beyond the data are named with how many areas back them."""
    with pytest.warns(
        SupportWarning, match=r"1 of 2 points .*\(deprivation 0.8 at authority mean 0.216: 0\)"
    ):
        expected_rate(split_fit, deprivation=[0.2, 0.8])
    with pytest.warns(SupportWarning, match=r"deprivation 0.2 at authority mean 0.4: 0"):
        expected_rate(split_fit, deprivation=0.2, authority_mean=[0.25, 0.4])


def test_groups_of_one_rate_are_flat(fixed_fit):
    """Without any gradient every group and every authority has the intercept's rate."""
    flat = fixed_fit({"intercept": np.log(0.02), "within": 0, "between": 0, "cross_level": 0})
    np.testing.assert_allclose(rate_by_group(flat), 200, rtol=1e-12)
    np.testing.assert_allclose(authority_rate(flat), 200, rtol=1e-12)


def test_rates_by_group_rise_with_deprivation(split_fit):
    """Deciles are numbered from the least deprived, so that rates rise along them here."""
    rate = rate_by_group(split_fit)
    assert rate["group"].to_numpy().tolist() == list(range(1, 11))
    assert (np.diff(rate.median(("chain", "draw"))) > 0).all()


def test_groups_average_to_the_authorities(split_fit):
    """Exposure-weighted, groups and authorities give the same national rate."""
    data = split_fit["constant_data"].to_dataset()
    exposure = data["exposure"].groupby(data["authority_of_area"]).sum().to_numpy()
    national = (authority_rate(split_fit) * exposure).sum("authority") / exposure.sum()
    halves = rate_by_group(split_fit, groups=2)
    low, high = halves.sel(group=1), halves.sel(group=2)
    # The share of the upper half follows from the national rate, the same for every draw.
    share = (national - low) / (high - low)
    np.testing.assert_allclose(share, float(share[0, 0]), rtol=1e-9)
    assert float(share[0, 0]) == pytest.approx(0.5, abs=0.01)


def test_too_many_groups_are_refused(split_fit):
    """A group without areas is refused."""
    with pytest.raises(EstimandError, match="of 2000 groups hold no neighbourhood"):
        rate_by_group(split_fit, groups=2000)


def test_permuting_authorities_permutes_rows(split_fit, change_fit):
    """Authorities in another order give the same rates under the same labels."""
    order = np.array([3, 0, 5, 1, 4, 2])

    def constants(data):
        turned = data.isel(authority=order)
        place = np.argsort(order)[data["authority_of_area"].to_numpy()]
        return turned.assign(authority_of_area=("area", place))

    turned = change_fit(split_fit, posterior=lambda p: p.isel(authority=order), constants=constants)
    found = authority_rate(turned)
    assert found["authority"].to_numpy().tolist()[0] == "Denwick"
    again = found.sel(authority=split_fit["posterior"]["authority"].to_numpy())
    xr.testing.assert_allclose(again, authority_rate(split_fit), rtol=1e-13)
    xr.testing.assert_allclose(rate_by_group(turned), rate_by_group(split_fit), rtol=1e-13)


def without_exposure(data):
    """Take the exposure of Ashby and of the most deprived third of neighbourhoods away."""
    idle = (data["authority_of_area"] == 0) | (data["deprivation"] > 0.27)
    return data.assign(exposure=data["exposure"].where(~idle, 0.0))


def test_an_authority_without_exposure_has_no_rate(split_fit, change_fit):
    """It has no row, the others have theirs, and the label says that one was left out."""
    rate = authority_rate(change_fit(split_fit, constants=without_exposure))
    assert rate["authority"].to_numpy().tolist() == authority_names(split_fit)[1:]
    assert np.isfinite(rate).all()
    assert rate.attrs["reference"].endswith("; 1 without exposure left out (first: Ashby)")
    assert "without exposure" not in authority_rate(split_fit).attrs["reference"]


def authority_names(fit):
    """Labels in the order of the fit."""
    return fit["constant_data"]["authority"].to_numpy().tolist()


def test_a_group_without_exposure_is_refused(split_fit, change_fit):
    """A rate per nothing is refused by the group's number; a wider group has a rate."""
    fit = change_fit(split_fit, constants=without_exposure)
    with pytest.raises(EstimandError, match=r"3 of 10 groups have no exposure \(first: group 8\)"):
        rate_by_group(fit)
    assert np.isfinite(rate_by_group(fit, groups=2)).all()


def test_each_authority_is_backed_by_its_own_areas(split_fit):
    """One warning names the authorities that have few such neighbourhoods, each at its worst."""
    with pytest.warns(SupportWarning) as caught:
        expected_rate(split_fit, deprivation=[0.2, 0.38], target="each")
    assert len(caught) == 1
    text = str(caught[0].message)
    assert text.startswith("2 of 6 points rest on fewer than 10 neighbourhoods (deprivation 0.38 i")
    assert "in Ashby" in text
    assert "in Barlow" in text


@pytest.mark.parametrize("target", ["average", "new"])
def test_an_average_authority_is_backed_by_those_of_its_mean(split_fit, change_fit, target):
    """Neighbourhoods of other authorities do not back it, also without authority_mean."""
    c = float(split_fit["constant_data"]["national_mean"])

    def elsewhere(data):
        mean = data["authority_mean"].to_numpy()[data["authority_of_area"].to_numpy()]
        moved = np.where(np.abs(mean - c) < 0.03, 0.1, data["deprivation"].to_numpy())
        return data.assign(deprivation=("area", moved))

    fit = change_fit(split_fit, constants=elsewhere)
    with pytest.warns(SupportWarning, match=r"1 of 2 .*deprivation 0.3 at authority mean 0.216: 0"):
        expected_rate(fit, deprivation=[0.1, 0.3], target=target)


def test_without_a_split_all_neighbourhoods_back_a_rate(pooled_fit, null_fit):
    """Where authority means make no difference, neighbourhoods of all of them count."""
    for fit in (pooled_fit, null_fit):
        with pytest.warns(SupportWarning, match=r"1 of 2 points .*\(deprivation 0.8: 0\)"):
            expected_rate(fit, deprivation=[0.2, 0.8])


def test_the_default_is_quiet_for_england(split_fit):
    """With 150 authorities of a simulated England the defaults warn of nothing."""
    frame = simulate(random_seed=1).frame
    authority, labels = frame["authority"].factorize()
    children, deprivation = (frame[n].to_numpy(float) for n in ("children", "deprivation"))
    weight = np.bincount(authority, children)
    mean = np.bincount(authority, children * deprivation) / weight
    national = float(np.average(deprivation, weights=children))
    area = {
        "authority_of_area": authority,
        "deprivation": deprivation,
        "children": children,
        "exposure": children,
        "within_part": (deprivation - mean[authority]) / 0.1,
        "has_data": np.ones(len(frame), dtype=int),
    }
    constants = xr.Dataset(
        {name: ("area", values) for name, values in area.items()}
        | {"authority_mean": ("authority", mean)}
        | {"between_part": ("authority", (mean - national) / 0.1)}
        | {"national_mean": national, "per": 0.1},
        coords={"authority": np.asarray(labels, dtype=object)},
    )
    posterior = split_fit["posterior"].to_dataset()
    draws = posterior.drop_dims("authority").drop_vars("authority", errors="ignore")
    fit = xr.DataTree.from_dict({"posterior": draws, "constant_data": constants})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected_rate(fit)
        expected_rate(fit, target="new")


def test_groups_of_authorities_average_to_the_groups(split_fit):
    """Weighted by exposure, rates of groups within groups of authorities are those of groups."""
    data = split_fit["constant_data"].to_dataset()
    plain = rate_by_group(split_fit, groups=4)
    cut = rate_by_group(split_fit, groups=4, authority_groups=2)
    assert cut.dims == ("chain", "draw", "authority_group", "group")
    order = np.argsort(np.argsort(data["authority_mean"].to_numpy()))
    own = (order // 3)[data["authority_of_area"].to_numpy()]
    group = quantile_groups(data["deprivation"], data["children"], 4) - 1
    exposure = np.zeros((2, 4))
    np.add.at(exposure, (own, group), data["exposure"].to_numpy())
    weight = xr.DataArray(exposure, dims=("authority_group", "group"))
    again = (cut * weight).sum("authority_group") / weight.sum("authority_group")
    np.testing.assert_allclose(again, plain, rtol=1e-12)
    assert "2 groups of authorities by mean deprivation" in cut.attrs["reference"]


def test_an_empty_cell_is_named(split_fit, change_fit):
    """A group that affluent authorities do not have is named by both of its numbers."""

    def poorest_elsewhere(data):
        affluent = data["authority_of_area"].isin([0, 1]) & (data["deprivation"] > 0.35)
        return data.assign(exposure=data["exposure"].where(~affluent, 0.0))

    fit = change_fit(split_fit, constants=poorest_elsewhere)
    with pytest.raises(EstimandError, match=r"\(first: group 10 of authority group 1\)"):
        rate_by_group(fit, authority_groups=3)
