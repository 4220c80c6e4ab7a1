"""Suppressed and rounded counts of several strata: each has its own rule."""

import numpy as np
import pandas as pd
import pytest

import socgrad as sg
from door import NAMES, table
from socgrad.coarsening import Bounds, Kernel, Rounded, Suppressed
from socgrad.errors import StageOrderWarning, TableError

HIDDEN = Suppressed({"c": (1, 5)})
PLACES = {**NAMES, "complete": True}


def stages(frame, **options):
    """Contacts and plans, of which the test hides what it likes."""
    return sg.Strata.from_stages(frame, **({"stages": ["contacts", "plans"], **PLACES} | options))


def long(**columns):
    """Two ages in each of six areas."""
    one = table()[["lsoa", "la", "idaci", "children"]]
    frame = pd.concat([one.assign(age="0-4"), one.assign(age="5-17")], ignore_index=True)
    plans = ["c", 7, 0, "c", 8, "c", 9, "c", "c", 0, 7, 20]
    children = [20, 100, 80, 50, 40, 40, 80, 200, 120, 150, 100, 60]
    return frame.assign(**({"plans": plans, "children": children} | columns))


def ages(frame, **options):
    """Pass a long table through the door."""
    given = {"stratum": "age", "events": "plans", **PLACES} | options
    return sg.Strata.from_long(frame, **given)


def test_each_stage_has_its_rule():
    """By label; a stage that is not named is as it was counted, and one rule is for all."""
    frame = table().assign(plans=["c", "c", 7, "c", 0, 8])
    strata = stages(frame, coarsening={"plans": HIDDEN})
    assert strata["contacts"].coarsened is None
    assert strata["plans"].coarsened.kernels == (Kernel(1, 5),)
    assert strata["plans"].within_bounds.tolist() == [True, True, False, True, False, False]
    rounded = stages(table().assign(plans=[0, 0, 5, 5, 0, 5]), coarsening=Rounded(5))
    assert len(rounded["contacts"].coarsened.kernels) == 6
    assert rounded["plans"].coarsened.high.tolist() == [2, 2, 7, 7, 2, 7]
    lines = str(strata).splitlines()
    assert lines[-1].split()[:4] == ["plans", "18-30", "1,000", "6"]
    with pytest.raises(
        TableError, match=r"coarsening names 1 strata that there are not \(closed\)"
    ):
        stages(frame, coarsening={"closed": HIDDEN})
    with pytest.raises(TableError, match=r"coarsening\['plans'\] is a int"):
        stages(frame, coarsening={"plans": 5})
    with pytest.raises(TableError, match=r"Stratum 'plans': .*contradict Suppressed"):
        stages(frame.assign(plans=[1, "c", 7, "c", 0, 8]), coarsening={"plans": HIDDEN})


def test_totals_of_a_stage_may_be_coarsened():
    """One rule for totals is of the stages that have any."""
    frame = table().drop(columns="plans")
    strata = stages(
        frame,
        stages={"contacts": "contacts", "plans": None},
        totals={"plans": {"Ashby": "c", "Barton": 9, "Corby": 7}},
        totals_coarsening=HIDDEN,
    )
    assert strata["contacts"].coarsened_totals is None
    np.testing.assert_array_equal(strata["plans"].coarsened_totals.high, [5, 9, 7])
    np.testing.assert_array_equal(strata["plans"].total_events, [np.nan, 9, 7])


def test_a_coarsened_stage_is_no_exposure():
    """Exposures have to be known: a chain on a suppressed or rounded stage is refused."""
    frame = table().assign(contacts=["c", 20, 30, 40, 50, 60])
    with pytest.raises(
        TableError, match=r"1 of 2 stages have an exposure.*\(plans on contacts\).*exposure=None"
    ):
        stages(frame, exposure="previous stage", coarsening={"contacts": HIDDEN})
    with pytest.raises(TableError, match=r"have an exposure that is suppressed or rounded"):
        stages(table(), exposure={"plans": "contacts"}, coarsening={"contacts": Rounded(10)})
    last = table().assign(plans=["c", "c", 7, "c", 0, 8])
    chain = stages(last, exposure="previous stage", coarsening={"plans": HIDDEN})
    assert chain["plans"].exposure.tolist() == [10, 20, 30, 40, 50, 60]


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        (["c", "c", 7, "c", 0, 8], HIDDEN),
        ([None, None, 7, None, 0, 8], Suppressed({"": (1, 5)})),
        ([None] * 6, Bounds("least", "most")),
    ],
)
def test_hidden_events_without_exposure_may_be_left_out(cells, rule):
    """A hidden count of 1-5 is an event, too; what is left out is no mark of the rule."""
    frame = table().assign(contacts=[0, 20, 30, 40, 0, 60], plans=cells)
    frame = frame.assign(least=[1, 1, 7, 1, 0, 8], most=[5, 5, 7, 5, 0, 8])
    options = {"exposure": "previous stage", "coarsening": {"plans": rule}}
    with pytest.raises(TableError, match=r"Stratum 'plans': .*is 0 in areas with events: 1 of 6"):
        stages(frame, **options)
    with pytest.warns(StageOrderWarning, match=r"plans: 1 of 18 in 1 of 6 areas"):
        strata = stages(frame, **options, unmatched_events="leave out")
    assert strata["plans"].within_bounds.tolist() == [False, True, False, True, False, False]
    assert strata["plans"].counted.tolist() == [False, False, True, False, False, True]


def test_stages_exceed_where_even_bounds_do():
    """A hidden count of 1-5 does not exceed 3, and a count of 7 exceeds a hidden one."""
    frame = table().assign(contacts=[3, "c", 30, 40, 50, 60], plans=["c", 7, 8, "c", 0, 8])
    with pytest.warns(
        StageOrderWarning, match=r"plans exceeds contacts in 1 of 6 areas \(A2\), by 5"
    ):
        stages(frame, coarsening={"contacts": Suppressed({"c": (1, 2)}), "plans": HIDDEN})


def test_a_stratum_that_is_the_total_is_seen_among_shown_counts():
    """Where all groups are shown they add up; hidden cells do not tell."""
    frame = pd.DataFrame(
        {
            "lsoa": [f"A{k}" for k in range(20)], "la": ["Ashby"] * 10 + ["Barton"] * 10,
            "idaci": np.linspace(0.1, 0.5, 20), "children": 100.0,
        }
    )  # fmt: skip
    one, other = np.arange(20) + 6, np.arange(20)[::-1] + 8
    both = (one + other).astype(object)
    groups = {"a": "a", "b": "b", "all": "both"}
    frame = frame.assign(a=one, b=other, both=both).astype({"a": object})
    frame.loc[[0, 3], "a"] = "c"
    with pytest.raises(TableError, match=r"Stratum 'all' looks like a total: in each of 18 areas"):
        stages(frame, stages=groups, nested=False, coarsening={"a": Suppressed({"c": (1, 5)})})


def test_long_tables():
    """Each stratum keeps its marks, and the order of rows is irrelevant."""
    strata = ages(long(), coarsening=HIDDEN)
    assert strata["0-4"].within_bounds.tolist() == [True, False, False, True, False, True]
    assert strata["5-17"].within_bounds.tolist() == [False, True, True, False, False, False]
    mixed = ages(long().sample(frac=1, random_state=3), coarsening=HIDDEN)
    for label in strata:
        np.testing.assert_array_equal(strata[label].coarsened.low, mixed[label].coarsened.low)
        np.testing.assert_array_equal(strata[label].coarsened.high, mixed[label].coarsened.high)
    own = ages(long(), coarsening={"0-4": HIDDEN, "5-17": Suppressed({"c": (1, 4)})})
    assert [own[label].coarsened.kernels[0].high for label in own] == [5, 4]
    with pytest.raises(TableError, match=r"coarsening names 1 strata that there are not \(6-9\)"):
        ages(long(), coarsening={"6-9": HIDDEN})
    with pytest.raises(TableError, match=r"Stratum '5-17': .*missing counts"):
        ages(long(), coarsening={"0-4": HIDDEN})


@pytest.mark.parametrize("lost", ["c", ""])
def test_a_row_that_is_not_there_is_no_mark(lost):
    """Also where empty cells hide small counts: an absent row is left out, or has no events."""
    plans = [lost, 7, 0, lost, 8, lost, 9, lost, lost, 0, 7, 20]
    frame = long(plans=plans, children=[100, 300, 200, 200, 100, 100] * 2).drop(index=[1, 6])
    rule = Suppressed({lost: (1, 5)})
    options = {"coarsening": rule, "children_of": "area", "complete": True}
    strata = ages(frame, **options, missing_rows="leave out", missing_events="leave out")
    assert strata["0-4"].within_bounds.tolist() == [True, False, False, True, False, True]
    assert strata["0-4"].counted.tolist() == [False, False, True, False, True, False]
    strata = ages(frame, **options, missing_rows="no events")
    assert strata["5-17"].counted.tolist() == [True, False, False, True, True, True]
    assert strata["5-17"].events[0] == 0


def test_bounds_of_a_long_table():
    """Two columns of bounds go to their strata with the rows."""
    frame = long().drop(columns="plans").assign(least=range(1, 13), most=range(3, 15))
    strata = ages(frame, events=None, coarsening=Bounds("least", "most"))
    np.testing.assert_array_equal(strata["5-17"].coarsened.low, [7, 8, 9, 10, 11, 12])
    np.testing.assert_array_equal(strata["0-4"].coarsened.high, [3, 4, 5, 6, 7, 8])


def test_a_ledger_is_held_against_bounds():
    """What was counted lies within the sum of bounds, in one table and in a long one."""

    def ledger(number):
        row = ("plans", "counted", number, "records", 5)
        return pd.DataFrame([row], columns=["stage", "reason", "amount", "unit", "children"])

    assert len(ages(long(), coarsening=HIDDEN, ledger=ledger(60.0))["0-4"].ledger) == 1
    for number in (55.0, 77.0):
        with pytest.raises(TableError, match=r"column holds 56 to 76"):
            ages(long(), coarsening=HIDDEN, ledger=ledger(number))
    frame = table().assign(plans=["c", "c", 7, "c", 0, 8])
    options = {**PLACES, "events": "plans", "coarsening": HIDDEN}
    assert len(sg.Areas.from_frame(frame, **options, ledger=ledger(18.0)).ledger) == 1
    with pytest.raises(TableError, match=r"column holds 18 to 30"):
        sg.Areas.from_frame(frame, **options, ledger=ledger(31.0))
