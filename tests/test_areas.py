"""The door: what Areas holds, however the table is ordered, labelled or scaled."""

import copy
import inspect
import pickle
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from door import changed, door, large, same, table
from socgrad.errors import SampleOfAreasWarning, TableError


def one_space(text):
    """Labels that differ only by how many spaces are in a row are refused, and are no two here."""
    return re.sub(" +", " ", text)


@settings(max_examples=20)
@given(st.permutations(range(6)))
def test_row_order_is_irrelevant(order):
    """Rows come out sorted by authority and area, however they came in."""
    areas = door(table().iloc[list(order)])
    assert list(areas.area) == ["A1", "A2", "B1", "B2", "C1", "C2"]
    assert same(areas, door(table()))


@settings(max_examples=20)
@given(st.lists(st.text("abcdéß漢 ", min_size=1), min_size=9, max_size=9, unique_by=one_space))
def test_labels_are_irrelevant(names):
    """Other labels in the same order, of any script, give the same numbers."""
    names = sorted(f"x{name}x" for name in names)
    la = dict(zip(["Ashby", "Barton", "Corby"], names[:3], strict=True))
    frame = table().assign(lsoa=names[3:], la=table()["la"].map(la)).sample(frac=1, random_state=1)
    areas = door(frame)
    assert list(areas.area) == names[3:]
    assert list(areas.authority) == names[:3]
    assert same(areas, door(table()))


@settings(max_examples=20)
@given(st.integers(1, 1000))
def test_means_do_not_depend_on_the_scale_of_children(factor):
    """Children times k leaves every mean as it was, and multiplies the exposure by k."""
    one = door(table())
    other = door(table().assign(children=factor * table()["children"]))
    np.testing.assert_allclose(other.authority_mean, one.authority_mean, rtol=1e-12)
    assert other.national_mean == pytest.approx(one.national_mean, rel=1e-12)
    np.testing.assert_array_equal(other.exposure, factor * one.exposure)


def test_means_do_not_depend_on_what_is_known_of_events():
    """Areas without a count or an exposure leave the likelihood and stay in the means."""
    frame = changed("plans", {1: None, 4: None, 5: None}).assign(contacts=[1, 1, 0, 1, 1, 1])
    frame.loc[2, "plans"] = 0
    areas = door(frame, exposure="contacts", missing_events="leave out", zero_exposure="leave out")
    np.testing.assert_array_equal(areas.authority_mean, door(table()).authority_mean)
    assert areas.national_mean == door(table()).national_mean
    assert areas.counted.tolist() == [True, False, False, True, False, False]


def test_means_by_hand():
    """Authority and national means are weighted by children."""
    areas = door(table())
    # (100 * 0.1 + 300 * 0.2) / 400;  (200 * 0.3 + 200 * 0.5) / 400;  (100 * 0.2 + 100 * 0.6) / 200
    np.testing.assert_allclose(areas.authority_mean, [0.175, 0.4, 0.4], rtol=1e-14)
    # (70 + 160 + 80) / 1000
    assert areas.national_mean == pytest.approx(0.31, rel=1e-14)


def test_values_are_read_only_and_the_table_is_untouched():
    """Nothing inside can be written to, and the caller's table stays as it was."""
    frame = table().assign(lsoa=range(6))
    areas = door(frame)
    for value in vars(areas).values():
        if isinstance(value, np.ndarray):
            assert not value.flags.writeable
    pd.testing.assert_frame_equal(frame, table().assign(lsoa=range(6)))
    frame.loc[0, ["lsoa", "idaci"]] = [9, 0.9]
    assert areas.area[0] == 0
    assert areas.deprivation[0] == 0.1


def test_areas_can_be_copied_and_sent_elsewhere():
    """A frozen value survives pickling, as when fits run on other machines."""
    areas = door(table())
    assert same(pickle.loads(pickle.dumps(areas)), areas)
    assert same(copy.deepcopy(areas), areas)


def test_names_are_the_callers():
    """Messages and plots can use the caller's own words."""
    assert door(table(), per=0.05).names == {
        "area": "lsoa",
        "authority": "la",
        "deprivation": "idaci",
        "children": "children",
        "exposure": "children",
        "events": "plans",
    }


def test_per_is_kept():
    """The step of deprivation is part of the value."""
    assert door(table()).per == 0.10
    assert door(table(), per=0.05).per == 0.05


def test_zero_children_weigh_nothing():
    """With an exposure of its own an area may have no children: its weight is zero."""
    areas = door(table().assign(children=[0, 300, 200, 200, 100, 100]), exposure="contacts")
    assert areas.authority_mean[0] == pytest.approx(0.2, rel=1e-14)


def test_an_authority_of_one_area_is_fine():
    """Its within part is zero; it still says something about the level."""
    areas = door(table().drop(index=1))
    assert areas.authority_mean[0] == 0.1


def test_given_means_are_used():
    """Means over all areas, of more authorities than the table holds, replace the table's own."""
    means = {"Corby": 0.3, "Ashby": 0.1, "Barton": 0.4, "Derby": 0.5}
    areas = door(table(), authority_means=means, complete=False)
    assert areas.authority_mean.tolist() == [0.1, 0.4, 0.3]
    # (400 * 0.1 + 400 * 0.4 + 200 * 0.3) / 1000
    assert areas.national_mean == pytest.approx(0.26, rel=1e-14)
    assert door(table(), authority_means=pd.Series(means), national_mean=0.2).national_mean == 0.2
    assert door(table(), national_mean=0.25).national_mean == 0.25


def test_a_sample_of_areas_is_noticed():
    """Few areas in each authority: a warning that says what happens and the ways out."""
    frame = large()
    sample = frame.groupby("la").head(4)
    with pytest.warns(
        SampleOfAreasWarning,
        match=r"median of 4 areas.*shrink towards zero: from -0.118 to -0.087.*authority_means=.*"
        r"complete=True",
    ) as caught:
        door(sample, complete=None)
    # The warning points at the line that called from_frame.
    assert caught[0].filename == inspect.getfile(door)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        door(frame, complete=None)
        door(sample, complete=True)
        means = dict.fromkeys(range(12), 0.2) | {0: 0.3}
        door(sample, complete=None, authority_means=means)


def test_authorities_without_children():
    """Their mean deprivation has no weights."""
    frame = table().assign(children=[0, 0, 200, 200, 100, 100])
    with pytest.raises(
        TableError, match=r"\(children\) is 0 in all areas of authorities: 1 of 3 \(Ash"
    ):
        door(frame, exposure="contacts")
