import warnings

import numpy as np
import pytest

from socgrad.errors import SupportWarning
from socgrad.reading.geography import geography
from socgrad.reading.support import (
    areas_near_mean,
    areas_of,
    common_range,
    count_near,
    warn_if_thin,
)


@pytest.fixture
def small_land(split_fit, change_fit):
    """Make four areas: two at 0.1 and 0.2 in a 0.15 authority, two at 0.3 and 0.5 in a 0.4 one."""

    def four(data):
        data = data.isel(area=slice(4), authority=slice(2))
        return data.assign(
            authority_of_area=("area", [0, 1, 0, 1]),
            deprivation=("area", [0.1, 0.3, 0.2, 0.5]),
            authority_mean=("authority", [0.15, 0.4]),
        )

    return geography(change_fit(split_fit, constants=four))


def test_areas_near_a_mean_by_hand(small_land):
    """A quarter step (0.025) on either side counts as near, both ends included."""
    assert areas_near_mean(small_land, 0.175).tolist() == [True, False, True, False]
    assert areas_near_mean(small_land, 0.125).tolist() == [True, False, True, False]
    assert areas_near_mean(small_land, 0.1249).tolist() == [False] * 4
    # 0.4 - 0.375 exceeds 0.025 in binary.
    assert areas_near_mean(small_land, 0.375).tolist() == [False, True, False, True]
    assert areas_near_mean(small_land, 0.41).tolist() == [False, True, False, True]


def test_areas_of_an_authority(small_land):
    """A position marks its own areas."""
    assert areas_of(small_land, 1).tolist() == [False, True, False, True]


def test_counts_by_hand(small_land):
    """Only marked areas within the window are counted, both ends included."""
    everyone = np.ones(4, dtype=bool)
    x = np.array([0.1, 0.125, 0.15, 0.325, 0.9])
    assert count_near(small_land, everyone, x).tolist() == [1, 1, 0, 1, 0]
    assert count_near(small_land, areas_of(small_land, 1), x).tolist() == [0, 0, 0, 1, 0]


def test_common_range_by_hand(split_fit, small_land):
    """The overlap of both ranges; nothing where they are apart or one is empty."""
    first, second = areas_of(small_land, 0), areas_of(small_land, 1)
    assert np.isnan(common_range(small_land, first, second)).all()  # 0.1-0.2 and 0.3-0.5
    assert np.isnan(common_range(small_land, first, ~(first | second))).all()
    mixed = np.array([False, True, True, False])
    assert common_range(small_land, second, mixed) == (0.3, 0.3)  # 0.3-0.5 and 0.2-0.3
    land = geography(split_fit)
    low, high = common_range(land, areas_of(land, 0), areas_of(land, 5))
    deprivation = [land.deprivation[areas_of(land, k)] for k in (0, 5)]
    assert low == max(side.min() for side in deprivation) > 0.02
    assert high == min(side.max() for side in deprivation) < 0.42


def test_ten_neighbourhoods_are_quiet(small_land):
    """Ten are enough."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_thin(small_land, [("deprivation 0.1", 10), ("deprivation 0.2", 99)])


def test_one_warning_names_all_thin_points(small_land):
    """One warning for a call: how many of how many, each with its count, the rest counted."""
    points = [(f"deprivation {k}", k) for k in range(12)]
    with pytest.warns(SupportWarning) as caught:
        warn_if_thin(small_land, points)
    assert len(caught) == 1
    text = str(caught[0].message)
    assert text.startswith("10 of 12 points rest on fewer than 10 neighbourhoods (deprivation 0: 0")
    assert "deprivation 4: 4; and 5 more)" in text
    assert "within 0.025" in text


def test_warning_points_at_the_caller(small_land):
    """The warning carries the line of the caller, not one of the package."""
    with pytest.warns(SupportWarning) as caught:
        warn_if_thin(small_land, [("deprivation 0.1", 0)])
    assert caught[0].filename == __file__


def test_areas_without_data_back_nothing(split_fit, change_fit):
    """Neighbourhoods whose events were left out are marked nowhere, and counted nowhere."""

    def unknown(data):
        return data.assign(has_data=("area", np.tile([1, 1, 0, 0], 150)))

    land = geography(change_fit(split_fit, constants=unknown))
    assert not areas_of(land, 0)[2:4].any()
    assert areas_of(land, 0).sum() == 50
    assert (
        areas_near_mean(land, 0.153).sum() == areas_near_mean(geography(split_fit), 0.153).sum() / 2
    )
    low, high = common_range(land, areas_of(land, 0), areas_of(land, 1))
    assert low == max(land.deprivation[areas_of(land, k)].min() for k in (0, 1))
    assert high < min(land.deprivation[100 * k : 100 * k + 100].max() for k in (0, 1))
