import numpy as np
import pytest
import xarray as xr

from area_by_area import area_rates
from socgrad.estimands.aggregates import (
    authority_log_sums,
    authority_rate_sums,
    authority_rates,
    group_rates,
)
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients

FITS = ["split_fit", "curved_fit", "parallel_fit", "no_slopes_fit", "pooled_fit", "null_fit"]


@pytest.fixture
def fit(request, change_fit):
    """Give one of the models, its exposure other than its children."""

    def exposed(data):
        return data.assign(exposure=data["children"] * (0.5 + data["deprivation"]))

    return change_fit(request.getfixturevalue(request.param), constants=exposed)


@pytest.mark.parametrize("fit", FITS, indirect=True)
@pytest.mark.parametrize("own", [True, False])
def test_authority_rates_equal_area_by_area(fit, own):
    """Every model's authority rates are those of its areas, written out."""
    land = geography(fit)
    rates = area_rates(fit, own_effects=own) * land.exposure
    expected = [
        rates[..., land.authority_of_area == k].sum(axis=-1)
        / land.exposure[land.authority_of_area == k].sum()
        for k in range(6)
    ]
    found = authority_rates(coefficients(fit), land, own_effects=own)
    assert found.dims == ("chain", "draw", "authority")
    assert found["authority"].to_numpy().tolist()[0] == "Ashby"
    np.testing.assert_allclose(found, np.stack(expected, axis=-1), rtol=1e-12)


@pytest.mark.parametrize("fit", FITS, indirect=True)
def test_group_rates_equal_area_by_area(fit):
    """Every model's group rates are those of its areas, written out."""
    land = geography(fit)
    group = np.random.default_rng(1).integers(1, 5, size=land.exposure.size)
    rates = area_rates(fit, own_effects=True) * land.exposure
    expected = [
        rates[..., group == g].sum(axis=-1) / land.exposure[group == g].sum() for g in range(1, 5)
    ]
    found = group_rates(coefficients(fit), land, group=group, groups=4)
    assert found.dims == ("chain", "draw", "group")
    assert found["group"].to_numpy().tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(found, np.stack(expected, axis=-1), rtol=1e-12)


def test_exposure_not_children_weighs_rates(split_fit, change_fit):
    """A rate is over exposure: doubling the children changes nothing, tilting exposure does."""
    land = geography(split_fit)
    terms = coefficients(split_fit)
    plain = authority_rates(terms, land, own_effects=True)
    doubled = change_fit(split_fit, constants=lambda c: c.assign(children=2 * c["children"]))
    xr.testing.assert_identical(authority_rates(terms, geography(doubled), own_effects=True), plain)
    tilted = change_fit(
        split_fit, constants=lambda c: c.assign(exposure=c["exposure"] * c["deprivation"])
    )
    assert (authority_rates(terms, geography(tilted), own_effects=True) > 1.1 * plain).all()


@pytest.mark.parametrize("fit", FITS, indirect=True)
def test_sums_by_authority_equal_area_by_area(fit):
    """Sums of rates and of log rates, with weights of any sign, are those of the areas."""
    land, terms = geography(fit), coefficients(fit)
    weight = np.random.default_rng(2).normal(size=land.exposure.size)
    rates = area_rates(fit, own_effects=True).reshape(100, -1)
    for function, values in ((authority_rate_sums, rates), (authority_log_sums, np.log(rates))):
        expected = [(weight * values)[:, land.authority_of_area == k].sum(axis=1) for k in range(6)]
        found = function(terms, land, weight, 2 * weight)
        for times, one in enumerate(found, start=1):
            np.testing.assert_allclose(one, times * np.stack(expected, axis=1), atol=1e-11)
