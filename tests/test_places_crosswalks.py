"""Crosswalks between censuses: conservation, round trips, order, and counts that stay whole."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socgrad import places
from socgrad.errors import SpecificationError, TableError
from socgrad.places.crosswalks import example_crosswalk, make_crosswalk

DATA = os.environ.get("SOCGRAD_DATA")
needs_data = pytest.mark.skipif(DATA is None, reason="SOCGRAD_DATA is unset")


@st.composite
def linked(draw):
    """Links between up to eight areas on either side, all of them linked, and their children."""
    n, m = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    pairs = draw(st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, m - 1)), min_size=1))
    pairs |= {(i, min(i, m - 1)) for i in range(n)} | {(min(t, n - 1), t) for t in range(m)}
    order = draw(st.permutations(sorted(pairs)))
    whole = st.integers(0, 900)
    old = draw(st.lists(whole, min_size=n, max_size=n))
    new = draw(st.lists(whole, min_size=m, max_size=m))
    one = pd.Series(old, [f"E01{i:06d}" for i in range(n)], dtype=float)
    other = pd.Series(new, [f"E01{i:06d}" for i in range(500, 500 + m)], dtype=float)
    links = pd.DataFrame([(one.index[i], other.index[t]) for i, t in order], columns=["old", "new"])
    return links, one, other


@given(linked())
@settings(max_examples=25)
def test_children_are_conserved(case):
    """Columns sum to 1; children in are children out, all in all and unit by unit."""
    links, one, other = case
    crosswalk = make_crosswalk(links["old"], links["new"], other, 2021)
    assert np.allclose(np.asarray(crosswalk.weights.sum(axis=0)), 1)
    out = crosswalk.children(one, year=2021)
    assert out.sum() == pytest.approx(one.sum())
    before = crosswalk.join_units(one, of="origin")
    after = crosswalk.join_units(out, of="target")
    assert np.allclose(before, after)
    assert np.allclose(crosswalk.balance(one, out)["difference"], 0)


@given(linked())
@settings(max_examples=25)
def test_deprivation_keeps_its_mean_over_children(case):
    """The national mean is the same before and after, and no area leaves the range."""
    links, one, other = case
    crosswalk = make_crosswalk(links["old"], links["new"], other, 2021)
    x = pd.Series(np.linspace(0.1, 0.5, len(one)), one.index)
    moved = crosswalk.deprivation(x, one)
    out = crosswalk.children(one, year=2021)
    assert (moved * out).sum() == pytest.approx((x * one).sum())
    assert moved.between(x.min() - 1e-12, x.max() + 1e-12).all()


@given(linked())
@settings(max_examples=25)
def test_counts_stay_whole_and_whole_units_agree_both_ways(case):
    """No count is a fraction; units are the same from either side."""
    links, one, other = case
    crosswalk = make_crosswalk(links["old"], links["new"], other, 2021)
    back = make_crosswalk(links["new"], links["old"], one, 2011)
    counts = crosswalk.counts(one)
    assert counts.sum() == one.sum()
    assert (counts == counts.round()).all()
    assert len(counts) == len(back.unit)
    joined = back.join_units(one, of="target")
    assert sorted(counts) == sorted(joined)


@given(linked(), st.randoms(use_true_random=False))
@settings(max_examples=15)
def test_order_does_not_matter(case, random):
    """Shuffled links and shuffled areas give the same numbers."""
    links, one, other = case
    rows = list(range(len(links)))
    random.shuffle(rows)
    first = make_crosswalk(links["old"], links["new"], other, 2021).children(one, year=2021)
    mixed = links.iloc[rows]
    second = make_crosswalk(mixed["old"], mixed["new"], other[::-1], 2021)
    pd.testing.assert_series_equal(first, second.children(one[::-1], year=2021))


def test_shares_follow_children_of_the_year():
    """An area of 400 split in 100 and 300: a quarter and three quarters."""
    crosswalk = example_crosswalk()
    moved = crosswalk.children(pd.Series({"E01000001": 0, "E01000002": 8}), year=2021)
    assert moved.tolist() == [0, 2, 6]


def test_another_year_is_refused_until_allowed():
    """Shares by children of another year moved rates by half: never silently."""
    children = pd.Series({"E01000001": 300, "E01000002": 400})
    with pytest.raises(
        SpecificationError, match="Children of 2019, and shares by children of 2021"
    ):
        example_crosswalk().children(children, year=2019)
    assert example_crosswalk().children(children, year=2019, other_year="allow").sum() == 700


def test_split_counts_can_be_refused_and_fractions_are():
    """Counts are joined or refused, and a fraction is no count."""
    counts = pd.Series({"E01000001": 3, "E01000002": 7})
    with pytest.raises(TableError, match=r"are split in the other census: 1 of 2 \(E01000002\)"):
        example_crosswalk().counts(counts, split="refuse")
    with pytest.raises(TableError, match="fractional counts"):
        example_crosswalk().counts(counts / 2)


def test_a_missing_count_is_missing_in_its_unit():
    """Nothing is filled with zero."""
    counts = example_crosswalk().counts(pd.Series({"E01000001": np.nan, "E01000002": 7}))
    assert np.isnan(counts["E01000001"])
    assert counts["E01000002"] == 7


def test_areas_that_are_absent_are_counted():
    """A table without one of the areas, or with a strange one, is refused by name."""
    with pytest.raises(TableError, match=r"1 of 2 codes of the crosswalk are not in children"):
        example_crosswalk().children(pd.Series({"E01000001": 300}), year=2021)
    stranger = pd.Series({"E01000001": 300, "E01000002": 1, "E01999999": 2})
    with pytest.raises(TableError, match=r"1 of 3 codes of children are not in the crosswalk"):
        example_crosswalk().children(stranger, year=2021)


@needs_data
def test_england_from_2011_to_2021_and_back():
    """Every child of England arrives; 1,034 codes of 2011 are not in the table of 2021."""
    folder = Path(DATA) / "england"
    new = pd.read_csv(folder / "england_lsoa21.csv.gz", index_col="lsoa21_code")
    old = pd.read_csv(folder / "england_lsoa.csv.gz", index_col="lsoa11cd")
    file = folder / "lsoa11_lsoa21_lookup.csv.gz"
    there = places.read_crosswalk(file, children=new["census21_pop_0_15"], year=2021)
    children = old["pop_0_15_mid2020"]
    moved = there.children(children, year=2020, other_year="allow")
    assert moved.sum() == pytest.approx(children.sum(), abs=1e-4)
    assert len(moved) == 33755
    assert there.counts(children).sum() == children.sum()
    back = places.read_crosswalk(file, children=children, year=2020, to="2011")
    assert len(back.unit) == len(there.unit)
    unchanged = there.origin[there.origin.isin(there.target)]
    again = back.children(moved, year=2020)
    assert again.sum() == pytest.approx(children.sum(), abs=1e-4)
    assert np.allclose(again[unchanged], children[unchanged])
    with pytest.raises(TableError, match=r"1,034 of 32,844 codes .*LSOA 2011 and LSOA 2021"):
        places.join(
            old.rename_axis("area").reset_index()[["area"]],
            new.rename_axis("area").reset_index()[["area"]],
        )
