import warnings

import numpy as np
import pytest
import xarray as xr

from socgrad.errors import EstimandError, SupportWarning
from socgrad.estimands.gradients import between, gradient
from socgrad.estimands.rates import expected_rate


def test_twice_the_step_is_the_square(split_fit):
    """A gradient per 20 points is the square of one per 10, whatever is asked."""
    for target in ("average", "each", "new"):
        once = gradient(split_fit, target=target)
        twice = gradient(split_fit, target=target, per=0.2)
        np.testing.assert_allclose(twice, once**2, rtol=1e-13)
        assert (once.attrs["per"], twice.attrs["per"]) == (0.1, 0.2)
        assert "per 20 points" in twice.attrs["units"]
    for scale in ("coefficient", "rates"):
        once, twice = between(split_fit, scale=scale), between(split_fit, scale=scale, per=0.2)
        np.testing.assert_allclose(twice, once**2, rtol=1e-13)


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")  # small authorities
@pytest.mark.parametrize("target", ["average", "each", "new"])
@pytest.mark.parametrize("name", ["split_fit", "curved_fit", "no_slopes_fit", "pooled_fit"])
def test_gradient_is_the_ratio_of_expected_rates(request, name, target):
    """Two neighbourhoods a step apart differ in rate by the gradient, for each target."""
    fit = request.getfixturevalue(name)
    rates = expected_rate(fit, deprivation=[0.2, 0.3], target=target, random_seed=4)
    ratio = rates.isel(deprivation=1) / rates.isel(deprivation=0)
    found = gradient(fit, target=target, random_seed=4)
    np.testing.assert_allclose(found, ratio.transpose(*found.dims), rtol=1e-12)


def test_gradient_by_hand(fixed_fit):
    """The average gradient, and that of an authority half a step more deprived."""
    fit = fixed_fit({"within": np.log(1.8), "cross_level": np.log(0.9)})
    c = float(fit["constant_data"]["national_mean"])
    np.testing.assert_allclose(gradient(fit), 1.8, rtol=1e-13)
    found = gradient(fit, authority_mean=[c - 0.05, c + 0.05])
    assert found.dims == ("chain", "draw", "authority_mean")
    # 1.8 * 0.9 ** -0.5 and 1.8 * 0.9 ** 0.5
    expected = [1.8 / 0.9**0.5, 1.8 * 0.9**0.5]
    np.testing.assert_allclose(found.isel(chain=1, draw=7), expected, rtol=1e-12)


def test_each_authority_by_hand(split_fit):
    """Own gradients hold the cross-level term at the authority's mean and its own effect."""
    p, b = split_fit["posterior"], split_fit["constant_data"]["between_part"]
    expected = np.exp(p["within"] + p["cross_level"] * b + p["slope_effect"])
    found = gradient(split_fit, target="each")
    xr.testing.assert_allclose(found.drop_attrs(), expected.transpose(*found.dims), rtol=1e-12)


def test_new_authority_is_wider_than_the_average_one(split_fit):
    """A new authority's gradient spreads by the slope sd on top, and depends on the seed."""
    average, new = gradient(split_fit), gradient(split_fit, target="new")
    assert float(np.log(new).std()) > 2 * float(np.log(average).std())
    assert float(abs(gradient(split_fit, target="new", random_seed=1) - new).max()) > 0.1


def test_without_random_slopes(no_slopes_fit):
    """A new authority is the average one, and each varies with its deprivation alone."""
    average, new = gradient(no_slopes_fit), gradient(no_slopes_fit, target="new")
    np.testing.assert_allclose(new, average, rtol=1e-14)
    assert "no random slopes" in new.attrs["reference"]
    each = gradient(no_slopes_fit, target="each")
    b = no_slopes_fit["constant_data"]["between_part"].to_numpy()
    ratio = np.log(each / average)
    np.testing.assert_allclose(ratio / b, ratio[..., [0]] / b[0] * np.ones(6), rtol=1e-9)


def test_without_a_cross_level_term_every_mean_has_its_row(parallel_fit):
    """The same gradient at every authority mean, one row for each mean asked for."""
    found = gradient(parallel_fit, authority_mean=[0.16, 0.25])
    assert found.dims == ("chain", "draw", "authority_mean")
    average = gradient(parallel_fit)
    np.testing.assert_allclose(found, average.to_numpy()[..., None] * np.ones(2), rtol=1e-14)


def test_each_always_has_an_authority_dim(parallel_fit, change_fit):
    """Even where nothing varies between authorities there is a row for each."""
    bare = change_fit(
        parallel_fit, posterior=lambda p: p.drop_vars(["slope_effect", "slope_sd", "correlation"])
    )
    assert gradient(bare, target="each").dims == ("chain", "draw", "authority")


def test_pooled_gradient_is_its_coefficient(pooled_fit):
    """The pooled coefficient serves as gradient, but not at an authority mean."""
    np.testing.assert_allclose(gradient(pooled_fit), np.exp(pooled_fit["posterior"]["pooled"]))
    with pytest.raises(EstimandError, match="the same at every authority mean by construction"):
        gradient(pooled_fit, authority_mean=0.2)


def test_gradients_of_a_null_model_are_refused(null_fit):
    """Nothing can be said about deprivation where it is left out."""
    for function in (gradient, between):
        with pytest.raises(EstimandError, match="not defined for a null model"):
            function(null_fit)


def test_authority_mean_with_each_is_refused(split_fit):
    """Every authority has a mean of its own already."""
    with pytest.raises(EstimandError, match="target='each', which has every authority at its own"):
        gradient(split_fit, target="each", authority_mean=0.2)


def test_authority_means_without_authorities_warn(split_fit):
    """A mean that no authority has is named; those of the data are quiet."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gradient(split_fit, authority_mean=[0.16, 0.25])
    with pytest.warns(SupportWarning, match=r"1 of 2 points .*\(authority mean 0.5: 0\)"):
        gradient(split_fit, authority_mean=[0.16, 0.5])


def test_attrs_can_be_stored(split_fit):
    """Attrs are strings and floats, with 1 as the null value of a ratio."""
    for made in (gradient(split_fit), between(split_fit), between(split_fit, scale="rates")):
        assert made.attrs["null"] == 1.0
        assert {type(value) for value in made.attrs.values()} == {str, float}


def test_between_coefficient_by_hand(fixed_fit, curved_fit):
    """The exponential of the coefficient, at the national mean where there is curvature."""
    np.testing.assert_allclose(between(fixed_fit({"between": np.log(1.4)})), 1.4, rtol=1e-13)
    made = between(curved_fit)
    np.testing.assert_allclose(made, np.exp(curved_fit["posterior"]["between"]))
    assert "slope at the national mean" in made.attrs["reference"]


def test_rates_without_spread_have_the_slope_of_the_coefficient(split_fit, change_fit):
    """Where all of an authority's neighbourhoods are alike, both scales agree."""

    def alike(data):
        mean = data["authority_mean"].to_numpy()[data["authority_of_area"].to_numpy()]
        return data.assign(deprivation=("area", mean), within_part=0 * data["within_part"])

    fit = change_fit(split_fit, constants=alike)
    np.testing.assert_allclose(between(fit, scale="rates"), between(fit), rtol=1e-11)


def test_rates_slope_is_weighted_least_squares(split_fit):
    """The slope over rates is that of NumPy's weighted fit, computed from every area."""
    data, draw = split_fit["constant_data"].to_dataset(), {"chain": 1, "draw": 3}
    p = {
        name: float(value[draw])
        for name, value in split_fit["posterior"].data_vars.items()
        if value.ndim == 2
    }
    j, b = data["authority_of_area"].to_numpy(), data["between_part"].to_numpy()
    slope = p["within"] + p["cross_level"] * b[j]
    rate = np.exp(p["intercept"] + p["between"] * b[j] + slope * data["within_part"].to_numpy())
    exposure, children = data["exposure"].to_numpy(), data["children"].to_numpy()
    log_rate = np.log(np.bincount(j, exposure * rate) / np.bincount(j, exposure))
    # numpy.polyfit multiplies residuals by w, so it takes the root of the weight.
    expected = np.polyfit(b, log_rate, 1, w=np.sqrt(np.bincount(j, children)))[0]
    found = between(split_fit, scale="rates")[draw]
    assert float(np.log(found)) == pytest.approx(expected, rel=1e-10)
    assert float(found) != pytest.approx(np.exp(p["between"]), rel=1e-4)


def test_between_needs_the_split(pooled_fit):
    """A pooled model assumes what the question asks."""
    with pytest.raises(EstimandError, match="between is not defined for a pooled model"):
        between(pooled_fit)


def test_an_authority_without_exposure_has_no_part_in_the_slope_of_rates(fixed_fit, change_fit):
    """Neither a rate nor a weight: the slope is that of the authorities that have exposure."""
    fit = fixed_fit({"within": 0.0, "between": np.log(1.3), "cross_level": 0.0})

    def idle(data):
        return data.assign(exposure=data["exposure"].where(data["authority_of_area"] != 0, 0.0))

    found = between(change_fit(fit, constants=idle), scale="rates")
    # Log rates lie on a line of slope log 1.3 per step, whichever five of them are taken.
    np.testing.assert_allclose(found, 1.3, rtol=1e-12)


def test_a_slope_needs_two_authorities_with_exposure(split_fit, change_fit):
    """One authority has no slope of rates."""

    def idle(data):
        return data.assign(exposure=data["exposure"].where(data["authority_of_area"] == 3, 0.0))

    with pytest.raises(EstimandError, match="rates of authorities, and 1 of 6 has exposure"):
        between(change_fit(split_fit, constants=idle), scale="rates")
