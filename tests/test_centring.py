"""What each authority's own events say of it, roughly."""

import numpy as np
import pytest

from locality_tables import small_localities
from socgrad.model.compression import constants, likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Priors, rate_ratio
from socgrad.nuts.centring import centring
from tables import simulated, simulated_areas, small_areas

PRIORS = Priors(within=rate_ratio(1.65, interval=(1.5, 1.82)))


def centred(model):
    """The rough estimates of a model."""
    return centring(model, likelihood_data(model), constants(model)["within_part"].to_numpy())


def test_information_follows_events():
    """Events are the information on a level; a total, and an unknown count, say less."""
    areas = small_areas()
    data = centred(GradientModel(areas))
    events = np.bincount(areas.authority_of_area, areas.events)
    np.testing.assert_allclose(data["level_information"], events)
    np.testing.assert_allclose(
        data["events_per_factor"], events / np.bincount(areas.authority_of_area)
    )
    assert (data["slope_information"] > 0).all()
    totals = centred(GradientModel(small_areas("totals"), priors=PRIORS))
    assert not totals["slope_information"].any()
    np.testing.assert_allclose(totals["level_information"], events)
    assert totals["centring_slope"].to_numpy() == pytest.approx(np.log(1.65))


def test_estimates_meet_the_events():
    """At an authority's own level and slope its events are expected, at their mean position."""
    model = GradientModel(small_areas())
    data, areas = centred(model), model.areas
    j, within = areas.authority_of_area, constants(model)["within_part"].to_numpy()
    level, slope = data["centring_level"].to_numpy(), data["centring_slope"].to_numpy()
    expected = areas.exposure * np.exp(level[j] + slope[j] * within)
    events = np.bincount(j, areas.events)
    np.testing.assert_allclose(np.bincount(j, expected), events)
    mean = np.bincount(j, expected * within) / events
    np.testing.assert_allclose(data["centring_at"], mean, atol=1e-12)
    variance = np.bincount(j, expected * (within - mean[j]) ** 2) / events
    np.testing.assert_allclose(data["centring_spread"], variance)
    np.testing.assert_allclose(data["slope_information"], events * variance)


def test_own_slopes_approach_the_truth_with_events():
    """With many events the rough slopes are the authorities' own; with few, nearly one slope."""
    truth = simulated(intercept=-1.0).effects["slope"].to_numpy()
    many, few = (centred(GradientModel(small_areas(intercept=value))) for value in (-1.0, -9.0))
    own, rare = (data["centring_slope"].to_numpy() for data in (many, few))
    z = (own - truth) * np.sqrt(many["slope_information"].to_numpy())
    assert np.abs(z).max() < 4
    assert np.ptp(rare) < np.ptp(truth) < 1.2 * np.ptp(own)


def test_an_authority_without_data_informs_nothing():
    """Where neither counts nor total are known, the information is zero, not half an event."""
    frame = simulated().frame.astype({"events": "float64"})
    first = frame["authority"] == frame["authority"].iloc[0]
    frame.loc[first, "events"] = np.nan
    areas = simulated_areas(frame, missing_events="leave out")
    data = centred(GradientModel(areas))
    assert data["level_information"][0] == 0
    assert (data["level_information"][1:] > 0).all()
    assert all(np.isfinite(values).all() for values in data.values())


def test_the_step_is_a_choice_of_units():
    """In steps of 20 points slopes double, and the information on them is a quarter."""
    one, two = (
        centred(GradientModel(simulated_areas(simulated().frame, per=p))) for p in (0.1, 0.2)
    )
    np.testing.assert_allclose(two["centring_slope"], 2 * one["centring_slope"], rtol=1e-9)
    np.testing.assert_allclose(two["slope_information"], one["slope_information"] / 4, rtol=1e-9)
    np.testing.assert_allclose(two["centring_at"], one["centring_at"] / 2, rtol=1e-9)


def test_localities_share_what_they_say_of_slopes():
    """Information inside localities is kept apart; events are counted by locality."""
    areas = small_localities()
    plain, own = (centred(GradientModel(areas, localities=value)) for value in (False, True))
    total = own["slope_information"] + own["shared_slope_information"]
    np.testing.assert_allclose(total, plain["slope_information"])
    assert (own["shared_slope_information"] > 0).all()
    # Nothing is left of an authority with one locality.
    alone = np.bincount(areas.authority_of_locality) == 1
    np.testing.assert_array_equal(own["slope_information"] > 1e-9, ~alone)
    assert not plain["shared_slope_information"].any()
    events = np.bincount(areas.authority_of_area, areas.events)
    number = np.bincount(areas.authority_of_locality)
    np.testing.assert_allclose(own["events_per_factor"], events / number)
