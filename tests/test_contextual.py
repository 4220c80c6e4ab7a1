import warnings

import numpy as np
import pytest
import xarray as xr

from socgrad.errors import EstimandError, SupportWarning
from socgrad.estimands.contextual import inverse_intervention, steepening
from socgrad.estimands.gradients import between, gradient
from socgrad.estimands.rates import expected_rate

MEANS = (0.16, 0.25)


def closed_form(fit, x, low, high):
    """Write the log ratio of the design out: the same number by another way."""
    p, c = fit["posterior"].to_dataset(), float(fit["constant_data"]["national_mean"])
    b0, b1, X = (low - c) / 0.1, (high - c) / 0.1, (x - c) / 0.1
    gamma = p.get("cross_level", 0.0)
    delta = p.get("curvature", 0.0)
    bracket = p["between"] - p["within"] + gamma * X + (delta - gamma) * (b1 + b0)
    return (b1 - b0) * bracket


@pytest.mark.parametrize("name", ["split_fit", "curved_fit", "parallel_fit", "no_slopes_fit"])
def test_closed_form(request, name):
    """The difference of two curves is the design's formula, with and without each term."""
    fit = request.getfixturevalue(name)
    for x in (0.15, 0.3):
        found = inverse_intervention(fit, deprivation=x, authority_means=MEANS)
        expected = np.exp(closed_form(fit, x, *MEANS))
        np.testing.assert_allclose(found.squeeze("deprivation"), expected, rtol=1e-12)


def test_inverse_intervention_by_hand(fixed_fit):
    """Per 10 points around the national mean, at the mean and one step above it."""
    fit = fixed_fit({"within": np.log(1.8), "between": np.log(1.4), "cross_level": np.log(0.9)})
    c = float(fit["constant_data"]["national_mean"])
    found = inverse_intervention(fit, deprivation=[c, c + 0.1])
    # b1 - b0 = 1 and b1 + b0 = 0: 1.4 / 1.8 at X = 0, times 0.9 at X = 1.
    np.testing.assert_allclose(found.isel(chain=0, draw=0), [1.4 / 1.8, 1.26 / 1.8], rtol=1e-12)
    assert found.dims == ("chain", "draw", "deprivation")
    assert found.attrs["null"] == 1.0
    assert found.attrs["reference"] == (
        "an authority of mean 0.266 over an authority of mean 0.166, equal effects"
    )


def test_contrasts_chain(split_fit):
    """From a to c is from a to b times from b to c."""
    a, b, c = 0.16, 0.22, 0.26
    x = [0.15, 0.3]
    whole, first, second = (
        inverse_intervention(split_fit, deprivation=x, authority_means=pair)
        for pair in ((a, c), (a, b), (b, c))
    )
    xr.testing.assert_allclose(whole.drop_attrs(), (first * second).drop_attrs(), rtol=1e-12)


def test_swapping_inverts(split_fit):
    """First over second is one over second over first."""
    there = inverse_intervention(split_fit, authority_means=MEANS)
    back = inverse_intervention(split_fit, authority_means=MEANS[::-1])
    np.testing.assert_allclose(there * back, 1, rtol=1e-12)


def test_within_times_contextual_is_between(parallel_fit):
    """Without cross-level and curvature, gradient x inverse intervention = between, at every x."""
    product = gradient(parallel_fit) * inverse_intervention(parallel_fit)
    expected = between(parallel_fit).to_numpy()[..., None] * np.ones(3)
    np.testing.assert_allclose(product.transpose("chain", "draw", ...), expected, rtol=1e-12)


def test_steps_compound_without_curvature(parallel_fit):
    """Per 20 points is the square of per 10 when the contextual effect is the same everywhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SupportWarning)  # ends beyond the six authorities
        twice = inverse_intervention(parallel_fit, per=0.2)
    once = inverse_intervention(parallel_fit)
    np.testing.assert_allclose(twice, once**2, rtol=1e-12)
    assert twice.attrs["per"] == 0.2


def test_inverse_intervention_is_the_ratio_of_expected_rates(curved_fit):
    """The same number as two expected rates, divided."""
    rates = expected_rate(curved_fit, deprivation=[0.15, 0.3], authority_mean=MEANS)
    ratio = rates.isel(authority_mean=1) / rates.isel(authority_mean=0)
    found = inverse_intervention(curved_fit, deprivation=[0.15, 0.3], authority_means=MEANS)
    np.testing.assert_allclose(found, ratio, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")  # small authorities
def test_own_effects_are_the_ratio_of_each_authoritys_rate(split_fit):
    """With own effects two named authorities are compared as they are."""
    x = [0.1, 0.18]
    rates = expected_rate(split_fit, deprivation=x, target="each")
    ratio = rates.sel(authority="Denwick") / rates.sel(authority="Ashby")
    pair = ("Ashby", "Denwick")
    own = inverse_intervention(split_fit, deprivation=x, authorities=pair, effects="own")
    np.testing.assert_allclose(own, ratio, rtol=1e-12)
    equal = inverse_intervention(split_fit, deprivation=x, authorities=pair)
    assert float(abs(np.log(own / equal)).mean()) > 0.03
    assert own.attrs["reference"].endswith("own effects")


def test_pooled_and_null_models_are_refused(pooled_fit, null_fit):
    """Equal rates at equal deprivation are what a pooled model assumes."""
    for function in (inverse_intervention, steepening):
        with pytest.raises(EstimandError, match="assumed by construction, not estimated"):
            function(pooled_fit)
        with pytest.raises(EstimandError, match="not defined for a null model"):
            function(null_fit)


def test_defaults_are_quiet(split_fit):
    """The default contrast at the default deprivations does not warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inverse_intervention(split_fit)


def test_thin_support_warns_once(split_fit):
    """Each side and deprivation without neighbourhoods is named in one warning."""
    with pytest.warns(SupportWarning) as caught:
        inverse_intervention(split_fit, deprivation=[0.2, 0.7], authority_means=(0.16, 0.4))
    assert len(caught) == 1
    text = str(caught[0].message)
    assert "3 of 4 points" in text
    assert "deprivation 0.7 in an authority of mean 0.16: 0" in text
    assert "deprivation 0.2 in an authority of mean 0.4: 0" in text


def test_named_authorities_are_backed_by_their_own_areas(split_fit):
    """A named authority is counted alone, however many others have its mean."""
    with pytest.warns(SupportWarning, match=r"1 of 2 points .*deprivation 0.4 in Ashby"):
        inverse_intervention(split_fit, deprivation=0.4, authorities=("Ashby", "Corham"))


def test_steepening_by_hand(fixed_fit):
    """A ratio of gradients, to the fourth power when both steps double."""
    fit = fixed_fit({"cross_level": np.log(0.9)})
    np.testing.assert_allclose(steepening(fit), 0.9, rtol=1e-13)
    np.testing.assert_allclose(steepening(fit, per=0.2), 0.9**4, rtol=1e-13)
    assert "per 20 points" in steepening(fit, per=0.2).attrs["units"]


@pytest.mark.parametrize("per", [0.1, 0.05])
def test_steepening_is_the_ratio_of_gradients(split_fit, per):
    """Gradients of two authorities a step apart, both per this step."""
    grads = gradient(split_fit, authority_mean=[0.16, 0.16 + per], per=per)
    ratio = grads.isel(authority_mean=1) / grads.isel(authority_mean=0)
    np.testing.assert_allclose(steepening(split_fit, per=per), ratio, rtol=1e-12)


def test_steepening_needs_the_cross_level_term(parallel_fit):
    """Without the term the answer was assumed."""
    with pytest.raises(EstimandError, match="steepening is 1 by construction"):
        steepening(parallel_fit)
