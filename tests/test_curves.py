import numpy as np
import pytest
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.curves import (
    authority_mean_grid,
    curve_at,
    curve_of,
    curves_of_all,
    deprivation_grid,
    log_rate_at,
    step,
)
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients

TRUTH = {"intercept": -4.0, "within": 0.5, "between": 0.3, "cross_level": -0.1, "curvature": 0.02}


def test_curve_by_hand(fixed_fit):
    """An authority one step above the national mean, two steps up its own curve."""
    fit = fixed_fit(TRUTH)
    terms, land = coefficients(fit), geography(fit)
    mean = land.national_mean + 0.1
    # b = 1: level -4 + 0.3 + 0.02 = -3.68, slope 0.5 - 0.1 = 0.4; w = 2: -3.68 + 0.8 = -2.88
    rate = log_rate_at(curve_at(terms, land, mean), mean + 0.2)
    np.testing.assert_allclose(rate, -2.88, rtol=1e-12)
    # With effects 0.1 and 0.05: -2.88 + 0.1 + 2 * 0.05 = -2.68
    curve = curve_at(terms, land, mean, level_effect=0.1, slope_effect=0.05)
    np.testing.assert_allclose(log_rate_at(curve, mean + 0.2), -2.68, rtol=1e-12)


def test_pooled_curve_is_measured_from_the_national_mean(pooled_fit):
    """In a pooled model the rate depends on deprivation, not on whose neighbourhood it is."""
    terms, land = coefficients(pooled_fit), geography(pooled_fit)
    xr.testing.assert_identical(
        log_rate_at(curve_at(terms, land, 0.1), 0.3), log_rate_at(curve_at(terms, land, 0.3), 0.3)
    )
    expected = terms.intercept + terms.within * (0.3 - land.national_mean) / 0.1
    xr.testing.assert_allclose(log_rate_at(curve_at(terms, land, 0.1), 0.3), expected)


@pytest.mark.parametrize("fit_name", ["split_fit", "curved_fit", "no_slopes_fit", "pooled_fit"])
@pytest.mark.parametrize("own", [True, False])
def test_named_curve_is_one_of_all(request, fit_name, own):
    """Asking for one authority gives its row of all authorities."""
    fit = request.getfixturevalue(fit_name)
    terms, land = coefficients(fit), geography(fit)
    row = log_rate_at(curves_of_all(terms, land, own_effects=own), 0.25)
    one = log_rate_at(curve_of(terms, land, "Denwick", own_effects=own), 0.25)
    if "authority" in row.dims:
        row = row.sel(authority="Denwick", drop=True)
    xr.testing.assert_allclose(one, row.transpose(*one.dims), rtol=1e-12)


def test_own_effects_move_the_curve(split_fit):
    """With its own effects an authority differs from the average one of its mean."""
    terms, land = coefficients(split_fit), geography(split_fit)
    own = curve_of(terms, land, "Barlow", own_effects=True)
    none = curve_of(terms, land, "Barlow", own_effects=False)
    effect = terms.level_effect.sel(authority="Barlow", drop=True)
    xr.testing.assert_allclose(own.level - none.level, effect)


def test_default_deprivations_are_child_weighted_percentiles(split_fit):
    """By default the grid holds the deprivation of the 10th, 50th and 90th child in a hundred."""
    data = split_fit["constant_data"].to_dataset()
    by_child = np.repeat(data["deprivation"].to_numpy(), data["children"].to_numpy().astype(int))
    expected = np.quantile(by_child, [0.1, 0.5, 0.9], method="inverted_cdf")
    grid = deprivation_grid(geography(split_fit), None)
    np.testing.assert_array_equal(grid, expected)
    np.testing.assert_array_equal(grid["deprivation"], expected)


def test_a_single_value_keeps_its_dim(split_fit):
    """A number is a grid of one: the form of a result never depends on the argument."""
    assert deprivation_grid(geography(split_fit), 0.2).dims == ("deprivation",)
    assert authority_mean_grid(0.2).dims == ("authority_mean",)


def test_percentages_are_refused(split_fit):
    """Values outside 0-1 are refused with how many and the first."""
    with pytest.raises(EstimandError, match=r"deprivation must be .* 1 outside it \(first: 20\)"):
        deprivation_grid(geography(split_fit), [0.1, 20])
    with pytest.raises(EstimandError, match=r"authority_mean must be .* \(first: nan\)"):
        authority_mean_grid(np.nan)
    with pytest.raises(EstimandError, match=r"authority_mean must be .* found none among 0"):
        authority_mean_grid([])


def test_step_is_the_fits_unless_given(split_fit):
    """`per` defaults to the fit's step and must be a proportion above zero."""
    land = geography(split_fit)
    assert step(land, None) == 0.10
    assert step(land, 0.2) == 0.2
    for wrong in (0.0, -0.1, 10, np.nan):
        with pytest.raises(EstimandError, match="expected a step of deprivation as a proportion"):
            step(land, wrong)


def test_a_percentage_as_text(split_fit):
    """Text is refused in our words, not NumPy's."""
    with pytest.raises(EstimandError, match=r"authority_mean is '25%'; expected .* such as 0\.25"):
        authority_mean_grid("25%")
    with pytest.raises(EstimandError, match="per is '10%'; expected a step of deprivation"):
        step(geography(split_fit), "10%")
