"""Scenarios: one authority altered."""

import numpy as np
import pytest

from socgrad.checks.counts import counts_by_position
from socgrad.errors import EstimandError
from socgrad.estimands.gradients import gradient
from socgrad.estimands.group_rates import authority_rate
from socgrad.estimands.rates import expected_rate
from socgrad.estimands.what_if import scenario, what_if
from socgrad.reading.example import example_fit_of_stages
from socgrad.tables.summaries import summarise


def by_hand(fit, name, moved, mean):
    """Rate of an authority over its neighbourhoods, were they at `moved` with mean `mean`."""
    data = fit["constant_data"].to_dataset()
    posterior = fit["posterior"].to_dataset()
    j = data["authority"].to_numpy().tolist().index(name)
    own = data["authority_of_area"].to_numpy() == j
    c, per = float(data["national_mean"]), float(data["per"])
    b = (mean - c) / per
    p = posterior.isel(authority=j)
    level = p["intercept"] + p["between"] * b + p["level_effect"]
    slope = p["within"] + p["cross_level"] * b + p["slope_effect"]
    exposure = data["exposure"].to_numpy()[own]
    w = (moved[own] - mean) / per
    rate = np.exp(level.to_numpy()[..., None] + slope.to_numpy()[..., None] * w)
    return rate @ exposure / exposure.sum()


@pytest.mark.parametrize(("shift", "times"), [(0.05, 1.0), (0.0, 0.8), (0.02, 0.9)])
def test_moving_is_the_equation(split_fit, shift, times):
    """Moved neighbourhoods, their new mean and the authority's own effects give the rate."""
    data = split_fit["constant_data"].to_dataset()
    moved = times * data["deprivation"].to_numpy() + shift
    mean = times * float(data["authority_mean"].sel(authority="Elmstone")) + shift
    got = what_if(split_fit, "Elmstone", shift=shift, times=times)
    expected = 10_000 * by_hand(split_fit, "Elmstone", moved, mean)
    np.testing.assert_allclose(got["as_if"], expected, rtol=1e-9)
    as_is = authority_rate(split_fit).sel(authority="Elmstone")
    np.testing.assert_allclose(got["as_is"], as_is, rtol=1e-12)
    np.testing.assert_allclose(got["difference"], got["as_if"] - got["as_is"], rtol=1e-9)
    np.testing.assert_allclose(got["ratio"], got["as_if"] / got["as_is"], rtol=1e-12)


def test_only_one_authority_is_altered(split_fit):
    """The others, the national mean and the fit itself stay as they were."""
    before = authority_rate(split_fit)
    altered = scenario(split_fit, "Corham", times=0.5, slope_of="Ashby")
    after = authority_rate(altered)
    others = [name for name in before["authority"].values if name != "Corham"]
    np.testing.assert_allclose(
        after.sel(authority=others), before.sel(authority=others), rtol=1e-12
    )
    assert not np.allclose(after.sel(authority="Corham"), before.sel(authority="Corham"))
    np.testing.assert_array_equal(authority_rate(split_fit), before)
    assert altered.attrs["scenario"].startswith("Corham, every neighbourhood's deprivation times")
    with pytest.raises(EstimandError, match="this fit holds none"):
        counts_by_position(altered)


def test_back_and_forth(split_fit):
    """A shift and its opposite leave the rate as it was."""
    there = scenario(split_fit, "Denwick", shift=0.1)
    back = scenario(there, "Denwick", shift=-0.1)
    np.testing.assert_allclose(authority_rate(back), authority_rate(split_fit), rtol=1e-12)


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")  # of the reference
@pytest.mark.parametrize("kind", ["split_fit", "pooled_fit", "curved_fit"])
def test_a_gradient_is_turned_about_the_mean(kind, request):
    """The authority has the other's gradient, and at its own mean its own rate."""
    fit = request.getfixturevalue(kind)
    mean = float(fit["constant_data"]["authority_mean"].sel(authority="Corham"))
    turned = scenario(fit, "Corham", slope_of="Ashby")
    steep = gradient(turned, target="each")
    np.testing.assert_allclose(
        steep.sel(authority="Corham"), steep.sel(authority="Ashby"), rtol=1e-12
    )
    before, after = (
        expected_rate(one, deprivation=mean, target="each").sel(authority="Corham")
        for one in (fit, turned)
    )
    np.testing.assert_allclose(after, before, rtol=1e-12)


def test_the_average_gradient(split_fit, parallel_fit):
    """The average gradient is that of the average authority; moving the mean changes nothing."""
    for fit in (split_fit, parallel_fit):
        turned = scenario(fit, "Barlow", average_slope=True, times=1.2)
        got = gradient(turned, target="each").sel(authority="Barlow")
        np.testing.assert_allclose(got, gradient(fit), rtol=1e-12)


def test_events_at_a_stated_exposure(split_fit):
    """Events are the rate times what is stated, and the units say so."""
    rate = what_if(split_fit, "Ashby", times=0.9, rate_per=1)
    events = what_if(split_fit, "Ashby", times=0.9, exposure=50_000)
    np.testing.assert_allclose(events["difference"], 50_000 * rate["difference"], rtol=1e-12)
    table = summarise(events)
    assert table["units"].tolist() == ["events of 50,000 of exposure"] * 3 + ["ratio of rates"]
    assert table.loc["ratio", "null"].item() == 1.0
    # Less deprivation, a lower rate: every draw of this fit says so.
    assert table.loc["difference", "pr_above"].item() == 0.0


def test_strata_are_answered_one_by_one():
    """Of stages each has its own answer."""
    got = what_if(example_fit_of_stages(), "Ashby", times=0.9)
    assert got["ratio"].dims == ("chain", "draw", "stratum")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Nothing is altered"),
        ({"slope_of": "Ashby", "average_slope": True}, "both say which gradient"),
        ({"shift": -0.5}, r"100 of 100 neighbourhoods would leave 0-1.*times=0\.8"),
        ({"times": 0.0}, "a factor above 0"),
        ({"shift": float("nan")}, "shift is nan"),
        ({"slope_of": "Nowhere"}, "No authority 'Nowhere'"),
        ({"times": 0.9, "exposure": 0.0}, "exposure is 0"),
        ({"times": 0.9, "rate_per": -1}, "rate_per"),
    ],
)
def test_options_are_checked(split_fit, options, words):
    """What cannot be altered is refused with what to do."""
    with pytest.raises(EstimandError, match=words):
        what_if(split_fit, "Corham", **options)


def test_fits_that_cannot_say(null_fit, no_slopes_fit, change_fit, split_fit):
    """Without deprivation, or with one gradient for all, there is nothing to ask."""
    with pytest.raises(EstimandError, match="No authority 'corham'"):
        what_if(split_fit, "corham", times=0.9)
    with pytest.raises(EstimandError, match="null model"):
        what_if(null_fit, "Corham", times=0.9)
    one = change_fit(no_slopes_fit, posterior=lambda p: p.drop_vars("cross_level"))
    with pytest.raises(EstimandError, match="one gradient for all authorities"):
        what_if(one, "Corham", slope_of="Ashby")
    idle = change_fit(
        split_fit,
        constants=lambda c: c.assign(
            exposure=c["exposure"].where(c["authority_of_area"] != 2, 0.0)
        ),
    )
    with pytest.raises(EstimandError, match="'Corham' has no exposure"):
        what_if(idle, "Corham", times=0.9)
