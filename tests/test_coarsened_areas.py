"""Suppressed and rounded counts at the door: what is kept, what is refused, what is reported."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from door import changed, door, large, same, table
from socgrad.coarsening import Bounds, Exact, Kernel, MidpointRounded, Rounded, Suppressed
from socgrad.errors import TableError
from socgrad.manifest import data_hash

MARKED = {0: "c", 1: " C", 2: "z", 3: 9, 4: 0, 5: 12}
RULE = Suppressed({"c": (1, 5), "z": None})


def test_marks_become_intervals():
    """Each row knows its bounds; what is shown stays a count."""
    areas = door(changed("plans", MARKED), coarsening=RULE)
    np.testing.assert_array_equal(areas.coarsened.low, [1, 1, 0, 9, 0, 12])
    np.testing.assert_array_equal(areas.coarsened.high, [5, 5, np.inf, 9, 0, 12])
    assert areas.coarsened.kernels == (Kernel(1, 5), Kernel(0, None))
    np.testing.assert_array_equal(areas.events, [np.nan, np.nan, np.nan, 9, 0, 12])
    assert areas.counted.tolist() == [False, False, False, True, True, True]
    assert areas.within_bounds.tolist() == [True, True, True, False, False, False]
    assert "23 or more events; areas counted: 3, areas within bounds: 3," in repr(areas)
    report = areas.report.set_index("step")
    assert report.loc["counts within bounds", ["rows", "authorities"]].tolist() == [3, 2]
    assert report.loc["marked 'c': 1-5", ["rows", "authorities"]].tolist() == [2, 1]
    assert report.loc["marked 'z': anything", "rows"] == 1
    assert report.loc["left out: no count", "rows"] == 0
    assert report.loc["authorities without data", "rows"] == 0


def test_rows_in_any_order_are_the_same_table():
    """Rows are sorted with all that is known of them, and so is the hash."""
    frame = changed("plans", MARKED)
    one, other = (door(f, coarsening=RULE) for f in (frame, frame[::-1].reset_index(drop=True)))
    assert same(one, other)
    assert one.coarsened.kernels == other.coarsened.kernels
    np.testing.assert_array_equal(one.coarsened.kernel, other.coarsened.kernel)
    assert data_hash(one) == data_hash(other)


def test_the_hash_knows_what_is_known():
    """Other bounds, weights or totals are other data; the order of kernels is not."""
    frame = changed("plans", {**MARKED, 2: "c"})
    made = [
        door(frame, coarsening=Suppressed({"c": (1, 5)})),
        door(frame, coarsening=Suppressed({"c": (1, 6)})),
        door(frame, coarsening=Suppressed({"c": None})),
        door(changed("plans", {k: 3 * k for k in range(6)}), coarsening=Rounded(3)),
        door(changed("plans", {k: 3 * k for k in range(6)}), coarsening=Rounded(3, how="random")),
        door(frame, coarsening=Suppressed({"c": (1, 5)}), totals={"Ashby": 6}),
        door(
            frame, coarsening=Suppressed({"c": (1, 5)}), totals={"Ashby": 6},
            totals_coarsening=Rounded(2, how="down"),
        ),
    ]  # fmt: skip
    assert len({data_hash(areas) for areas in made}) == len(made)
    areas = door(changed("plans", MARKED), coarsening=RULE)
    known = areas.coarsened
    turned = replace(
        known,
        kernels=known.kernels[::-1],
        kernel=np.where(known.kernel < 0, -1, 1 - known.kernel),
    )
    assert data_hash(replace(areas, coarsened=turned)) == data_hash(areas)


def test_exact_counts_are_as_without_a_declaration():
    """Exact(), a rule that hides nothing in this column, and no rule give the same areas."""
    plain = door(table())
    for rule in (Exact(), Suppressed({"c": (6, 9)})):
        areas = door(table(), coarsening=rule)
        assert same(areas, plain)
        assert areas.coarsened is None
        assert data_hash(areas) == data_hash(plain)


def test_rounded_columns():
    """Every number stands for several counts, but a midpoint zero."""
    areas = door(changed("plans", dict(enumerate([0, 5, 10, 0, 5, 5]))), coarsening=Rounded(5))
    assert not areas.counted.any()
    assert areas.coarsened.low.tolist() == [0, 3, 8, 0, 3, 3]
    assert areas.coarsened.high.tolist() == [2, 7, 12, 2, 7, 7]
    assert len(areas.coarsened.kernels) == 3
    assert "17-37 events" in repr(areas)
    assert "numbers rounded to 5" in set(areas.report["step"])
    middle = changed("plans", dict(enumerate([0, 3, 9, 0, 3, 15])))
    areas = door(middle, coarsening=MidpointRounded(6))
    assert areas.counted.tolist() == [True, False, False, True, False, False]
    small = changed("plans", dict(enumerate([0, "*", 10, 0, "*", 15])))
    areas = door(small, coarsening=Suppressed({"*": (1, 7)}, others=Rounded(5)))
    assert areas.coarsened.low.tolist() == [0, 1, 8, 0, 1, 13]


def test_numbers_and_empty_cells_may_be_marks():
    """Where 1-5 were all written as 3, or small counts lost their mark on the way."""
    written = changed("plans", dict(enumerate([3, 3, 0, 7, 3, 9])))
    areas = door(written, coarsening=Suppressed({3: (1, 5)}))
    assert areas.coarsened.low.tolist() == [1, 1, 0, 7, 1, 9]
    for gone in (None, np.nan, "", " "):
        lost = changed("plans", dict(enumerate([gone, gone, 0, 7, gone, 9])))
        areas = door(lost, coarsening=Suppressed({"": (1, 5)}))
        assert areas.coarsened.low.tolist() == [1, 1, 0, 7, 1, 9]
    text = changed("plans", dict(enumerate(["<5", "<5", "0", "7", "<5", "9"])))
    areas = door(text, coarsening=Suppressed({"<5": (1, 4)}))
    assert areas.coarsened.high.tolist() == [4, 4, 0, 7, 4, 9]
    categories = text.assign(plans=text["plans"].astype("category"))
    areas = door(categories, coarsening=Suppressed({"<5": (1, 4)}))
    assert areas.coarsened.high.tolist() == [4, 4, 0, 7, 4, 9]


def test_one_mark_for_both_reaches_to_the_smallest_shown():
    """Of the area's own authority, from the lowest hidden count on; without one it is open."""
    frame = changed("plans", {0: "c", 1: 8, 2: "c", 3: 0, 4: "c", 5: 40})
    areas = door(frame, coarsening=Suppressed({"c": (1, "smallest shown")}))
    np.testing.assert_array_equal(areas.coarsened.high, [8, 8, np.inf, 0, 40, 40])
    assert areas.coarsened.kernels == (Kernel(1, 8), Kernel(1, None), Kernel(1, 40))


def test_bounds():
    """Two columns in the place of counts, or beside them; an open or unknown end is one."""
    frame = table().assign(least=[1, 1, 0, 6, np.nan, 5], most=[5, 5, 0, np.nan, np.nan, np.inf])
    with pytest.raises(TableError, match=r"missing counts: 1 of 6|missing_events"):
        door(frame, events=None, coarsening=Bounds("least", "most"))
    options = {"coarsening": Bounds("least", "most"), "missing_events": "leave out"}
    areas = door(frame, events=None, **options)
    np.testing.assert_array_equal(areas.coarsened.low, [1, 1, 0, 6, np.nan, 5])
    np.testing.assert_array_equal(areas.coarsened.high, [5, 5, 0, np.inf, np.nan, np.inf])
    assert areas.counted.tolist() == [False, False, True, False, False, False]
    assert "between 'least' and 'most'" in set(areas.report["step"])
    beside = frame.assign(plans=[3, None, None, 7, None, None])
    areas = door(beside, **options)
    np.testing.assert_array_equal(areas.coarsened.low, [3, 1, 0, 7, np.nan, 5])
    assert areas.counted.tolist() == [True, False, True, True, False, False]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"least": [6, 1, 0, 6, 0, 5]}, r"'most' \(coarsening\) is below column 'least': 1 of 6"),
        ({"least": [np.nan, 1, 0, 6, 0, 5]}, r"'least' \(coarsening\) is missing where column"),
        ({"least": [0.5, 1, 0, 6, 0, 5]}, r"'least' \(coarsening\) has fractional counts"),
        ({"plans": [6, *[None] * 5]}, r"'plans' \(events\) lies outside the bounds in columns 'le"),
    ],
)
def test_bounds_that_are_none(change, words):
    """Each end has its place, and a stated count lies between them."""
    frame = table().assign(plans=None, least=[1, 1, 0, 6, 0, 5], most=[5, 5, 0, 9, 0, 8])
    with pytest.raises(TableError, match=words):
        door(frame.assign(**change), coarsening=Bounds("least", "most"))


@pytest.mark.parametrize(
    ("cells", "rule", "words"),
    [
        ([0, 5, 7, 0, 5, 5], Rounded(5), r"contradict Rounded\(5\) in 1 of 6 rows \(7 at B1\)"),
        ([0, 3, 9, 0, 6, 4], MidpointRounded(6), r"in 2 of 6 rows \(6 at C1, 4 at C2\)"),
        (["c", 4, 0, 5, 9, 9], RULE, r"2 of 6 rows \(4 at A2, 5 at B2\).*hides every.*smallest sh"),
        ([0, 5, 10, 0, 0, 0], Rounded(5, below=8), r"contradict .* \(5 at A2\)"),
        (["*", 1, 0, 5, 9, 9], RULE, r"contradict|missing counts"),
    ],
)
def test_numbers_that_contradict_the_rule(cells, rule, words):
    """A count that no rounding gives, and a stated count inside a hidden interval."""
    with pytest.raises(TableError, match=words):
        door(changed("plans", dict(enumerate(cells))), coarsening=rule)


def test_a_mark_without_a_meaning_stays_refused():
    """The message shows how to declare the marks that are there."""
    frame = changed("plans", {0: "c", 2: "low"})
    with pytest.raises(
        TableError, match=r"missing counts: 2 of 6.*Suppressed\(\{'c': \(1, 5\), 'low': \(1, 5\)\}"
    ):
        door(frame)
    hidden = changed("plans", {0: "c", 1: 9, 2: "low", 3: 9, 5: 9})
    with pytest.raises(TableError, match=r"missing counts: 1 of 6 \(B1\).*\{'low': \(1, 5\)\}"):
        door(hidden, coarsening=Suppressed({"c": (1, 5)}))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.1, 0.2, 0, 1, 0.5, 0.25], r"fractional.*these are shares, counts are share \* denom"),
        (
            [25.5, 33.1, 0, 1, 2, 7.5],
            r"fractional.*these are rates, counts are rate \* denominator",
        ),
    ],
)
def test_shares_and_rates_are_led_back_to_counts(values, words):
    """With the way back, and bounds where the digits are too few."""
    with pytest.raises(TableError, match=words + r".*Bounds\(\"low\", \"high\"\)"):
        door(changed("plans", dict(enumerate(values))))


def test_totals_may_be_coarsened():
    """A suppressed or rounded total is an interval of its authority, not a hole."""
    totals = {"Ashby": "c", "Barton": 10, "Corby": 15}
    rule = Suppressed({"c": (1, 7)}, others=Rounded(5))
    areas = door(table(), events=None, totals=totals, totals_coarsening=rule)
    assert np.isnan(areas.total_events).all()
    assert areas.coarsened_totals.low.tolist() == [1, 8, 13]
    assert areas.totals_within_bounds.all()
    assert areas.coarsened is None
    report = areas.report.set_index("step")["rows"]
    assert report["totals marked 'c': 1-7"] == 2
    assert report["in authority totals"] == 6
    assert "22-36 events; areas counted: 0, authority totals: 3" in repr(areas)


def test_totals_beside_coarsened_areas():
    """A total of all its areas adds to what bounds say of them, and has to agree with them."""
    frame = changed("plans", MARKED)
    areas = door(frame, coarsening=RULE, totals={"Ashby": 7, "Barton": 30})
    np.testing.assert_array_equal(areas.total_events, [7, 30, np.nan])
    assert areas.within_bounds.tolist() == [True, True, True, False, False, False]
    with pytest.raises(TableError, match=r"totals contradict column 'plans'.*: 1 of 3 \(Ashby\)"):
        door(frame, coarsening=RULE, totals={"Ashby": 11, "Barton": 30})
    with pytest.raises(TableError, match=r"totals contradict column 'plans'.*\(Barton\)"):
        door(frame, coarsening=RULE, totals={"Barton": 8})
    # Where all counts are known a total says nothing new, and a missing one leaves it open.
    with pytest.raises(TableError, match=r"in totals also have counts.*: 1 of 3 \(Corby\)"):
        door(frame, coarsening=RULE, totals={"Corby": 12})
    with pytest.raises(TableError, match=r"in totals also have counts.*\(Ashby\).*\"\": None"):
        door(changed("plans", {**MARKED, 1: None}), coarsening=RULE, totals={"Ashby": 7})


def test_exposure_of_coarsened_counts():
    """Hidden events need an exposure; an area without one leaves, if it may have none."""
    frame = changed("plans", MARKED).assign(contacts=[0, 20, 0, 40, 50, 60])
    options = {"exposure": "contacts", "zero_exposure": "leave out"}
    with pytest.raises(TableError, match=r"'contacts' \(exposure\) is 0 in areas with events.*A1"):
        door(frame, coarsening=RULE, **options)
    areas = door(frame.assign(contacts=[10, 20, 0, 40, 50, 60]), coarsening=RULE, **options)
    assert areas.within_bounds.tolist() == [True, True, False, False, False, False]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"coarsening": 5}, r"coarsening is a int. Expected one of socgrad.coarsening"),
        ({"coarsening": {"c": (1, 5)}}, r"coarsening is a dict"),
        ({"totals_coarsening": RULE}, r"totals_coarsening .* there are none"),
        ({"coarsening": RULE, "events": None}, r"says how a column of events.*totals_coarsening="),
        (
            {"events": None, "totals": {"Ashby": 1}, "totals_coarsening": Bounds("a", "b")},
            r"totals_coarsening is Bounds.*no columns of bounds",
        ),
        ({"coarsening": Bounds("plans", "contacts")}, r"'plans' is named for events and lower bou"),
    ],
)
def test_options(options, words):
    """What is no declaration, or has no column to declare."""
    with pytest.raises(TableError, match=words):
        door(table(), **options)


def test_a_rounded_total_row_is_still_seen():
    """The row of a nation is known by its rounded events."""
    frame = large()
    frame["plans"] = 5 * (frame["plans"] // 5)
    row = {
        "lsoa": 10_000, "la": 99, "idaci": 0.25, "children": frame["children"].sum(),
        "plans": frame["plans"].sum(),
    }  # fmt: skip
    with pytest.raises(TableError, match=r"looks like a total row"):
        door(
            pd.concat([frame, pd.DataFrame([row])], ignore_index=True),
            coarsening=Rounded(5, how="down"),
        )
