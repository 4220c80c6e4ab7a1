"""Counts of areas, totals of authorities, and counts that are not known."""

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest

from door import changed, door, large, table
from socgrad.errors import SuppressionWarning, TableError

GSS = ["[c]", "[x]", "[z]", "[low]", "[u]", "[..]", "~", "[C]", " [c] "]


def test_neighbourhood_counts():
    """Every area with a count is counted; exposure is children unless named."""
    areas = door(table())
    assert areas.events.tolist() == [1, 2, 3, 4, 0, 5]
    assert areas.counted.all()
    assert np.isnan(areas.total_events).all()
    assert areas.exposure.tolist() == areas.children.tolist() == [100, 300, 200, 200, 100, 100]
    assert areas.authority_of_area.tolist() == [0, 0, 1, 1, 2, 2]
    assert areas.authority_of_area.dtype == np.int64
    assert door(table(), exposure="contacts").exposure.tolist() == [10, 20, 30, 40, 50, 60]


def test_authority_totals():
    """Totals alone: no area is counted, each authority has its total, matched by label."""
    totals = pd.Series({"Corby": 7, "Ashby": 0, "Barton": 9}, name="section 47")
    areas = door(table(), events=None, totals=totals)
    assert areas.total_events.tolist() == [0, 9, 7]
    assert not areas.counted.any()
    assert np.isnan(areas.events).all()
    assert areas.names["events"] == "section 47"


def test_a_mixture_of_counts_and_totals():
    """Some authorities with area counts, others with a total only; a missing total is none."""
    frame = changed("plans", {2: None, 3: None})
    areas = door(frame, totals={"Barton": 9, "Ashby": None})
    assert areas.counted.tolist() == [True, True, False, False, True, True]
    np.testing.assert_array_equal(areas.total_events, [np.nan, 9, np.nan])
    assert "areas counted: 4, authority totals: 1, authorities without data: 0" in repr(areas)
    assert "17 events" in repr(areas)  # 1 + 2 + 0 + 5 in areas, 9 as a total


def test_an_authority_without_data_stays():
    """An authority with neither counts nor total keeps its place, and the report names it."""
    frame = changed("plans", {2: None, 3: None})
    areas = door(frame, missing_events="leave out")
    assert list(areas.authority) == ["Ashby", "Barton", "Corby"]
    report = areas.report.set_index("step")
    assert report.loc["authorities without data", ["rows", "authorities"]].tolist() == [2, 1]
    assert "Barton" in report.loc["authorities without data", "reason"]
    assert "their effects follow the prior: Barton" in str(areas)
    assert "authorities without data: 1" in repr(areas)


def test_totals_may_leave_authorities_out():
    """An authority in no totals is left out when the caller declares it."""
    areas = door(table(), events=None, totals={"Ashby": 3, "Corby": 4}, missing_events="leave out")
    np.testing.assert_array_equal(areas.total_events, [3, np.nan, 4])


def test_report_accounts_for_every_row():
    """Counted, totalled and the two ways of being left out add up to the rows in."""
    frame = changed("plans", {1: "c", 2: None, 3: None, 4: 0})
    frame["contacts"] = [1, 1, 0, 1, 0, 1]
    with pytest.warns(SuppressionWarning):
        areas = door(
            frame,
            exposure="contacts",
            totals={"Barton": 3},
            missing_events="leave out",
            zero_exposure="leave out",
        )
    rows = areas.report.set_index("step")["rows"]
    assert rows.to_dict() == {
        "rows in": 6,
        "kept for the means": 6,
        "marked as suppressed": 1,
        "neighbourhood counts": 2,
        "in authority totals": 1,
        "left out: no count": 1,
        "of these, suppressed": 1,
        "left out: no exposure": 2,
        "authorities without data": 0,
    }
    assert areas.report.set_index("step").loc["left out: no exposure", "authorities"] == 2


@pytest.mark.parametrize(
    "mark", [None, np.nan, pd.NA, "c", "x", "z", ":", "", " ", "C", "..", "*", *GSS]
)
def test_missing_counts_are_never_zero(mark):
    """Suppressed, absent and blank counts are refused, or left out when the caller says so."""
    frame = changed("plans", {1: mark, 4: mark})
    with pytest.raises(
        TableError,
        match=r"'plans' \(events\) has missing counts: 2 of 6 \(A2, C1\).*not zero.*missing_ev",
    ):
        door(frame)
    with warnings.catch_warnings():
        # Which marks are warned of is another test's.
        warnings.simplefilter("ignore", SuppressionWarning)
        areas = door(frame, missing_events="leave out")
    assert areas.counted.tolist() == [True, False, True, True, False, True]
    np.testing.assert_array_equal(areas.events, [1, np.nan, 3, 4, np.nan, 5])
    assert areas.report.set_index("step").loc["left out: no count", "rows"] == 2


def test_authorities_without_a_total():
    """With totals alone, the authorities that have none are named."""
    with pytest.raises(
        TableError, match=r"without a total in totals: 2 of 3 \(Barton, Corby\).*reorg"
    ):
        door(table(), events=None, totals={"Ashby": 3, "Corby": "c"})


def test_double_counting():
    """An authority is known by its areas or by its total, never both."""
    with pytest.raises(
        TableError, match=r"also have counts in column 'plans' \(events\): 1 of 3 \(Barton\).*tw"
    ):
        door(changed("plans", {2: None}), totals={"Barton": 7})


def test_no_count_at_all():
    """All counts missing and left out leaves nothing."""
    with pytest.raises(TableError, match="No count is known"):
        door(table().assign(plans=np.nan), missing_events="leave out")
    with pytest.raises(TableError, match="No count is known"):
        door(table(), events=None, totals={}, missing_events="leave out")


def test_all_zero_counts():
    """Without a single event there is no rate to compare."""
    with pytest.raises(TableError, match=r"All counts are zero, in 6 areas and 0 authority totals"):
        door(table().assign(plans=0))


def test_zero_exposure():
    """Refused with the way to declare it; then it leaves the likelihood and is reported."""
    frame = table().assign(contacts=[10, 20, 30, 40, 0, 60])
    with pytest.raises(
        TableError, match=r"'contacts' \(exposure\) is 0 in areas: 1 of 6 \(C1\).*leav"
    ):
        door(frame, exposure="contacts")
    areas = door(frame, exposure="contacts", zero_exposure="leave out")
    assert areas.counted.tolist() == [True, True, True, True, False, True]


def test_events_without_exposure():
    """An impossible count is refused whatever the options."""
    frame = table().assign(contacts=[0, 20, 30, 40, 0, 60])
    for zero in ("refuse", "leave out"):
        with pytest.raises(
            TableError, match=r"\(exposure\) is 0 in areas with events: 1 of 6 \(A1\)"
        ):
            door(frame, exposure="contacts", zero_exposure=zero)


def test_totals_without_exposure():
    """A total of zero over no exposure says nothing; any other is impossible."""
    frame = table().assign(contacts=[0, 0, 30, 40, 50, 60])
    options = {"events": None, "exposure": "contacts", "zero_exposure": "leave out"}
    with pytest.raises(TableError, match=r"is 0 in authorities with a total: 1 of 3 \(Ashby\)"):
        door(frame, totals={"Ashby": 1, "Barton": 2, "Corby": 3}, **options)
    areas = door(frame, totals={"Ashby": 0, "Barton": 2, "Corby": 3}, **options)
    np.testing.assert_array_equal(areas.total_events, [np.nan, 2, 3])


@pytest.mark.parametrize("mark", ["c", "*", "low", "[c]", "[low]", "~", "k", "u", "x"])
def test_suppressed_counts_left_out_are_warned_of(mark):
    """Small counts hidden are not missing at random: how many, what follows, and the way out."""
    frame = changed("plans", {0: mark, 4: mark, 5: np.nan})
    with pytest.warns(
        SuppressionWarning,
        match=r"Column 'plans' \(events\) has 2 suppressed counts of 6 \(A1, C1\) that are left out"
        r".*0\.725 to 0\.942.*which counts each mark hides.*coarsening.Suppressed",
    ) as caught:
        areas = door(frame, missing_events="leave out")
    # The warning points at the line that called from_frame.
    assert caught[0].filename == inspect.getfile(door)
    report = areas.report.set_index("step")
    assert report.loc["marked as suppressed", ["rows", "authorities"]].tolist() == [2, 2]
    assert report.loc["of these, suppressed", ["rows", "authorities"]].tolist() == [2, 2]
    assert "small counts, not missing at random" in report.loc["of these, suppressed", "reason"]


@pytest.mark.parametrize("mark", [None, "", ":", "z", "[z]", "[x]", ".."])
def test_counts_missing_for_other_reasons_do_not_warn(mark):
    """A blank or a mark of absence says nothing about the count."""
    areas = door(changed("plans", {0: mark, 4: mark}), missing_events="leave out")
    assert areas.report.set_index("step").loc["marked as suppressed", "rows"] == 0


def test_suppressed_counts_under_a_total():
    """The total holds the hidden counts, so nothing is lost; the report still counts the marks."""
    areas = door(changed("plans", {2: "c", 3: "c"}), totals={"Barton": 7})
    rows = areas.report.set_index("step")["rows"]
    assert rows[["marked as suppressed", "of these, suppressed"]].tolist() == [2, 0]


def test_suppressed_totals_left_out():
    """Totals are suppressed too; their authorities are named."""
    with pytest.warns(
        SuppressionWarning, match=r"totals has 1 suppressed count of 3 \(Corby\) that"
    ):
        areas = door(
            table(),
            events=None,
            totals={"Ashby": 3, "Barton": 5, "Corby": "c"},
            missing_events="leave out",
        )
    assert areas.report.set_index("step").loc["of these, suppressed", "rows"] == 2


def test_the_refusal_says_what_leaving_out_assumes():
    """Who is told of an option is told of its assumption."""
    with pytest.raises(
        TableError,
        match=r"\(events\) has missing counts: 1 of 6 \(A2\).*totals=.*assumes that being unknown "
        r"has nothing to do with the count.*Suppressed \(1-5\)",
    ):
        door(changed("plans", {1: "c"}))


def test_the_printed_report_is_one_screen():
    """A hundred authorities without data are named in the report, and a few of them in print."""
    frame = large(authorities=120, size=2).astype({"plans": float})
    frame.loc[frame["la"] >= 10, "plans"] = np.nan
    areas = door(frame, missing_events="leave out")
    assert "119" in areas.report.set_index("step").loc["authorities without data", "reason"]
    lines = str(areas).splitlines()
    assert len(lines) <= 14
    assert max(map(len, lines[1:])) <= 100
    assert "follow the prior: 10, 11" in lines[-1]
