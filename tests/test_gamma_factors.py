"""What gamma factors make of numbers of events: right, at any size, in time that does not grow."""

import tracemalloc

import numpy as np
import pytest
from scipy.special import polygamma

from socgrad.fitting import fit
from socgrad.laws.compiled_gamma import gamma_differences, log_gamma_ratio
from socgrad.laws.gamma_factors import distinct, rising
from socgrad.model.compression import likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.table.areas import Areas
from tables import simulated


@pytest.mark.parametrize("r", [1e-10, 1e-4, 0.09, 1.0, 30.0])
def test_the_sum_is_what_it_says(r):
    """Stirling's series gives the sum of log(1 + r k), term by term, for 0 to 500 events."""
    y = np.array([0.0, 1.0, 2.0, 7.0, 60.0, 500.0])
    expected = [np.log1p(r * np.arange(int(each))).sum() for each in y]
    np.testing.assert_allclose(rising(y, r, xp=np), expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("r", [1e-10, 1e-4, 0.09, 1.0, 30.0])
def test_the_compiled_form_is_the_same(r):
    """The compiled ratio of gamma functions agrees, and its derivative with differences."""
    apart = np.zeros(3)
    for y in (1.0, 7.0, 500.0, 1e6):
        # Some tens of terms, each of y rounded to 16 digits.
        rounding = 1e-13 + 1e-15 * y
        assert log_gamma_ratio(y, 1 / r) == pytest.approx(
            float(rising(y, r, xp=np)), rel=1e-12, abs=rounding
        )
        gamma_differences(y, 1 / r, apart)
        k = np.arange(int(y))
        slope = (r * k / (1.0 + r * k)).sum()
        assert y - apart[0] / r == pytest.approx(slope, rel=1e-10, abs=rounding)


def test_derivatives_of_the_gamma_function():
    """The differences of three derivatives agree with SciPy's, where these have the digits."""
    found = np.zeros(3)
    for x in (1e-3, 0.7, 3.0, 11.9, 12.1, 40.0):
        for y in (1.0, 2.5, 300.0):
            gamma_differences(y, x, found)
            expected = [polygamma(k, x + y) - polygamma(k, x) for k in range(3)]
            np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_distinct_numbers_leave_out_zeros():
    """Two areas of three events and one of five, beside areas of none."""
    numbers, many = distinct(np.array([3.0, 0.0, 5.0, 3.0, 0.0]))
    assert (numbers.tolist(), many.tolist()) == ([3.0, 5.0], [2.0, 1.0])


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_huge_counts_take_no_memory(family):
    """Counts of hundreds of millions are prepared and fitted in less than 100 MB."""
    frame = simulated(authorities=12, areas=160, seed=4, overdispersion=0.3).frame
    frame = frame.assign(children=frame["children"] * 2_000_000)
    rng = np.random.default_rng(1)
    frame["events"] = rng.poisson(frame["children"] * 0.02 * rng.gamma(10, 0.1, len(frame)))
    assert frame["events"].max() > 1e7
    areas = Areas.from_frame(
        frame,
        area="area",
        authority="authority",
        events="events",
        children="children",
        deprivation="deprivation",
        complete=True,
    )
    model = GradientModel(areas, family=family)
    tracemalloc.start()
    assert likelihood_data(model).sizes.get("number", 0) <= 160
    # NUTS reads the counts that the compile-free engine does, and is surer where they are huge.
    options = {"method": "nuts", "draws": 50, "tune": 100, "chains": 1, "progress": False}
    tree = fit(model, random_seed=1, **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isfinite(tree["posterior"]["within"]).all()
    assert peak < 100e6
