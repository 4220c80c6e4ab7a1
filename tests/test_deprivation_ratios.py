"""Ratios along deprivation, departures from the line, and gradients at a deprivation."""

import warnings

import numpy as np
import pytest

from conftest import changed
from socgrad.errors import EstimandError, SupportWarning
from socgrad.estimands.deprivation_ratios import departure_from_line, deprivation_ratio
from socgrad.estimands.gradients import between, gradient
from socgrad.estimands.rates import expected_rate
from socgrad.ranks import weighted_quantile
from socgrad.reading.departure_example import bent_example_fit
from socgrad.reading.geography import geography

SHAPES = ("tenths", "spline")


@pytest.fixture(params=SHAPES)
def bent_fit(request):
    """The example fit with departures, of either shape."""
    return bent_example_fit(request.param)


def test_ten_points_of_a_line_are_the_gradient(split_fit):
    """From 0.1 to 0.2 the ratio is the gradient, wherever one starts; to 0.3 its square."""
    ratio = deprivation_ratio(split_fit, deprivation=[0.2, 0.3], reference=0.1)
    slope = gradient(split_fit)
    np.testing.assert_allclose(ratio.sel(deprivation=0.2), slope, rtol=1e-12)
    np.testing.assert_allclose(ratio.sel(deprivation=0.3), slope**2, rtol=1e-12)


def test_ratios_of_a_curve_multiply(bent_fit):
    """From a to c is from a to b times from b to c; from a to a is 1."""
    first = deprivation_ratio(bent_fit, deprivation=[0.1, 0.25], reference=0.1)
    second = deprivation_ratio(bent_fit, deprivation=0.4, reference=0.25).squeeze("deprivation")
    whole = deprivation_ratio(bent_fit, deprivation=0.4, reference=0.1).squeeze("deprivation")
    np.testing.assert_allclose(first.sel(deprivation=0.1), 1.0, rtol=1e-14)
    np.testing.assert_allclose(first.sel(deprivation=0.25) * second, whole, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")
@pytest.mark.parametrize("target", ["average", "each", "new"])
def test_ratios_are_those_of_expected_rates(bent_fit, target):
    """Rates at two deprivations of the same authorities, one over the other."""
    rate = expected_rate(bent_fit, deprivation=[0.1, 0.3], target=target, random_seed=4)
    ratio = deprivation_ratio(
        bent_fit, deprivation=0.3, reference=0.1, target=target, random_seed=4
    ).squeeze("deprivation")
    wanted = rate.sel(deprivation=0.3) / rate.sel(deprivation=0.1)
    np.testing.assert_allclose(ratio, wanted.transpose(*ratio.dims), rtol=1e-12)


def test_default_ends_are_the_tenth_and_ninetieth_percentile(bent_fit):
    """Of the nation's children."""
    land = geography(bent_fit)
    low, high = weighted_quantile(land.deprivation, land.children, (0.1, 0.9))
    default, named = (
        deprivation_ratio(bent_fit, **given)
        for given in ({}, {"deprivation": high, "reference": low})
    )
    np.testing.assert_array_equal(default, named)
    assert default.attrs["null"] == 1.0
    assert f"a neighbourhood of deprivation {low:.3g} of" in default.attrs["reference"]


def test_one_reference_is_asked_for(bent_fit):
    """Two denominators are refused, as are percentages."""
    with pytest.raises(EstimandError, match="reference has 2 values; expected one deprivation"):
        deprivation_ratio(bent_fit, deprivation=0.3, reference=[0.1, 0.2])
    with pytest.raises(EstimandError, match="Divide percentages by 100"):
        deprivation_ratio(bent_fit, deprivation=30)


def test_a_null_model_has_no_ratio(null_fit):
    """Without deprivation there is nothing to compare along."""
    with pytest.raises(EstimandError, match="deprivation_ratio is not defined for a null model"):
        deprivation_ratio(null_fit)


def test_a_pooled_model_bends_as_well(bent_fit):
    """One coefficient of raw deprivation and a departure: the ratio of two of its rates."""

    def pooled(posterior):
        gone = ["within", "between", "cross_level"]
        return posterior.assign(pooled=posterior["within"]).drop_vars(gone)

    fit = changed(bent_fit, posterior=pooled)
    rate = expected_rate(fit, deprivation=[0.1, 0.3])
    ratio = deprivation_ratio(fit, deprivation=0.3, reference=0.1).squeeze("deprivation")
    wanted = rate.sel(deprivation=0.3) / rate.sel(deprivation=0.1)
    np.testing.assert_allclose(ratio, wanted, rtol=1e-12)
    with_departure = np.log(ratio) - 2 * fit["posterior"]["pooled"]
    assert abs(float(with_departure.mean())) > 0.05


def test_departures_are_ratios_to_the_line(bent_fit):
    """The rate over that of the same fit without departures, at any deprivation."""
    line = changed(
        bent_fit, posterior=lambda p: p.assign(departure_coefficient=0 * p["departure_coefficient"])
    )
    x = [0.05, 0.2, 0.35]
    wanted = expected_rate(bent_fit, deprivation=x) / expected_rate(line, deprivation=x)
    found = departure_from_line(bent_fit, deprivation=x)
    np.testing.assert_allclose(found, wanted.transpose(*found.dims), rtol=1e-12)


def test_departures_have_no_level_and_no_slope(bent_fit):
    """Over all children, their logs have mean 0 and go neither up nor down with deprivation."""
    land = geography(bent_fit)
    x, where = np.unique(land.deprivation, return_inverse=True)
    share = np.bincount(where, land.children) / land.children.sum()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SupportWarning)
        logs = np.log(departure_from_line(bent_fit, deprivation=x).to_numpy())
    np.testing.assert_allclose(logs @ share, 0.0, atol=1e-12)
    np.testing.assert_allclose(logs @ (share * x), 0.0, atol=1e-12)
    # Drawn around a first coefficient of -0.25 times the root of the number of columns, sd 0.04,
    # columns of mean square 1 / number: a root mean square of about 0.25.
    size = np.sqrt(((logs**2) @ share).mean())
    assert float(size) == pytest.approx(0.25, rel=0.1)


def test_one_value_for_each_tenth_by_default():
    """Means of tenths, of steps; medians of tenths, of a spline."""
    steps, curve = (departure_from_line(bent_example_fit(shape)) for shape in SHAPES)
    land = geography(bent_example_fit())
    assert steps.sizes["deprivation"] == curve.sizes["deprivation"] == 10
    tenth = geography(bent_example_fit("tenths")).departures.tenth_of(land.deprivation)
    first = np.average(land.deprivation[tenth == 1], weights=land.children[tenth == 1])
    assert float(steps["deprivation"][0]) == pytest.approx(first, rel=1e-12)
    middle = weighted_quantile(land.deprivation, land.children, 0.95)[0]
    assert float(curve["deprivation"][9]) == middle


def test_a_line_has_no_departure(split_fit):
    """A 1 by construction is no finding."""
    with pytest.raises(EstimandError, match="departure_from_line is 1 by construction"):
        departure_from_line(split_fit)


def test_beyond_the_neighbourhoods_is_said_to_be_so(bent_fit):
    """The curve goes on straight, or the outer step goes on, and a warning says so."""
    with pytest.warns(SupportWarning, match="deprivation 0.9: 0"):
        off = np.log(departure_from_line(bent_fit, deprivation=[0.5, 0.7, 0.9]))
    first, second = off.diff("deprivation").transpose("deprivation", ...)
    np.testing.assert_allclose(first, second, atol=1e-9)


def test_gradients_along_a_spline_are_derivatives():
    """Per 10 points at x: ten times the log ratio over one point about x, in the limit."""
    fit = bent_example_fit()
    found = gradient(fit, deprivation=[0.05, 0.2, 0.35], target="each")
    h = 1e-5
    for x in (0.05, 0.2, 0.35):
        step = deprivation_ratio(fit, deprivation=x + h, reference=x - h, target="each")
        wanted = np.log(step.squeeze("deprivation")) * 0.10 / (2 * h)
        got = np.log(found.sel(deprivation=x))
        np.testing.assert_allclose(got, wanted.transpose(*got.dims), atol=1e-7)
    # Rates flatten: steep where deprivation is low. Per 20 points is the square of per 10.
    median = gradient(fit, deprivation=[0.05, 0.35]).median(("chain", "draw"))
    assert float(median[0]) > 1.5 * float(median[1])
    twice = gradient(fit, deprivation=0.2, per=0.2)
    np.testing.assert_allclose(twice, gradient(fit, deprivation=0.2) ** 2, rtol=1e-12)


def test_gradients_of_a_line_are_the_same_everywhere(split_fit):
    """Asked for at a deprivation, the gradient of a line has that dim and one value."""
    along = gradient(split_fit, deprivation=[0.1, 0.3])
    assert along.dims == ("chain", "draw", "deprivation")
    for k in range(2):
        np.testing.assert_array_equal(along.isel(deprivation=k), gradient(split_fit))


def test_the_trend_is_called_so(bent_fit, split_fit):
    """What `within` is of a curve stands in the reference; of a line it is the gradient."""
    assert "the trend: the straight line nearest" in gradient(bent_fit).attrs["reference"]
    assert "trend" not in gradient(split_fit).attrs["reference"]
    assert "on the straight line nearest" in between(bent_fit).attrs["reference"]
    assert "nearest" not in between(split_fit).attrs["reference"]


def test_steps_have_no_gradient_at_a_point():
    """Refused, with what to ask instead."""
    with pytest.raises(
        EstimandError, match=r"steps have no gradient at a point.*deprivation_ratio"
    ):
        gradient(bent_example_fit("tenths"), deprivation=0.2)
