import warnings

import numpy as np
import pytest

from socgrad.errors import EstimandError, SupportWarning
from socgrad.estimands.contextual import inverse_intervention
from socgrad.estimands.crossings import crossing

MEANS = (0.16, 0.25)


@pytest.mark.parametrize("name", ["split_fit", "curved_fit", "no_slopes_fit"])
def test_crossing_closed_form(request, name):
    """X* of the design, for two authority means."""
    fit = request.getfixturevalue(name)
    p, c = fit["posterior"].to_dataset(), float(fit["constant_data"]["national_mean"])
    gamma = p["cross_level"]
    delta = p.get("curvature", 0.0)
    both = (MEANS[0] - c) / 0.1 + (MEANS[1] - c) / 0.1
    expected = both * (gamma - delta) / gamma - (p["between"] - p["within"]) / gamma
    found = crossing(fit, authority_means=MEANS)["crossing"]
    np.testing.assert_allclose(found, c + 0.1 * expected, rtol=1e-9)


def test_rates_are_equal_at_the_crossing(split_fit):
    """At the crossing of a draw, its inverse intervention ratio is 1, own effects included."""
    for named in (
        {"authority_means": MEANS},
        {"authority_quantiles": (0.1, 0.9)},
        {"authorities": ("Ashby", "Farleigh"), "effects": "own"},
    ):
        at = crossing(split_fit, **named)["crossing"]
        c, d = np.argwhere((at > 0).to_numpy() & (at < 1).to_numpy())[0]
        x = float(at[c, d])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SupportWarning)  # some crossings lie far out
            ratio = inverse_intervention(split_fit, deprivation=x, **named)
        assert float(ratio[c, d, 0]) == pytest.approx(1, rel=1e-10)


def test_crossing_within_support_by_hand(fixed_fit):
    """A crossing between the extremes that both sides have counts as one, beyond them as none."""
    c = float(fixed_fit({})["constant_data"]["national_mean"])
    data = fixed_fit({})["constant_data"].to_dataset()
    near = [np.abs(data["authority_mean"].to_numpy() - m) <= 0.025 for m in (c - 0.05, c + 0.05)]
    sides = [data["deprivation"].to_numpy()[n[data["authority_of_area"].to_numpy()]] for n in near]
    low, high = max(s.min() for s in sides), min(s.max() for s in sides)
    for aim, expected in ((low - 1e-6, 0), (low + 1e-6, 1), (high - 1e-6, 1), (high + 1e-6, 0)):
        # With b1 + b0 = 0 and cross_level = -0.1: X* = (between - within) / 0.1.
        fit = fixed_fit({"within": 0.5, "between": 0.5 + (aim - c), "cross_level": -0.1})
        made = crossing(fit)
        np.testing.assert_allclose(made["crossing"], aim, rtol=1e-9)
        np.testing.assert_array_equal(made["within_support"], expected)
    assert made["within_support"].attrs["indicator"] == 1
    assert "null" not in made["crossing"].attrs
    assert f"({low:.3g} to {high:.3g})" in made["within_support"].attrs["units"]


def test_parallel_curves_do_not_cross(parallel_fit):
    """Without the cross-level term only own slopes can make two curves cross."""
    with pytest.raises(EstimandError, match="the two curves are parallel by construction"):
        crossing(parallel_fit)
    own = crossing(parallel_fit, authorities=("Ashby", "Corham"), effects="own")
    assert np.isfinite(own["crossing"]).all()


def test_common_support_of_few_areas_warns(split_fit, change_fit):
    """A common range that few neighbourhoods make is still one, and the warning says so."""

    def few(data):
        gone = (data["authority_of_area"] == 0) & (np.arange(600) % 12 > 0)
        return data.assign(has_data=("area", 1 - gone.astype(int).to_numpy()))

    fit = change_fit(split_fit, constants=few)
    with pytest.warns(SupportWarning, match=r"1 of 2 points .*common range of deprivation in Ash"):
        crossing(fit, authorities=("Ashby", "Corham"))


@pytest.mark.parametrize("means", [(0.16, 0.5), (0.5, 0.6)])
def test_without_common_support_there_is_no_crossing(split_fit, means):
    """Where nothing occurs on both sides it cannot be said that the curves do not cross there."""
    with pytest.raises(EstimandError, match=r"no neighbourhood deprivation occurs on both sides"):
        crossing(split_fit, authority_means=means)


def test_the_sides_without_overlap_are_named(split_fit, change_fit):
    """The ranges of both sides are in the message, those of neighbourhoods with data."""

    def apart(data):
        low = (data["authority_of_area"] == 0) & (data["deprivation"] < 0.1)
        high = (data["authority_of_area"] == 2) & (data["deprivation"] > 0.2)
        return data.assign(has_data=(low | high).astype(int))

    fit = change_fit(split_fit, constants=apart)
    words = r"Ashby \(mean 0\.153\) \(0\.02 to 0\.\d+\) and Corham \(mean 0\.22\) \(0\.2\d* to"
    with pytest.raises(EstimandError, match=words):
        crossing(fit, authorities=("Ashby", "Corham"))


def test_pooled_and_null_models_are_refused(pooled_fit, null_fit):
    """Equal rates at equal deprivation are what a pooled model assumes."""
    with pytest.raises(EstimandError, match="assumed by construction, not estimated"):
        crossing(pooled_fit)
    with pytest.raises(EstimandError, match="not defined for a null model"):
        crossing(null_fit)


def test_defaults_are_quiet(split_fit):
    """The default contrast does not warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        crossing(split_fit)
