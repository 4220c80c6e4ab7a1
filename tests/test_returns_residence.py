"""Where a child lived on a day: rows that follow, overlap, end, contradict, or are not there."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import socgrad as sg
from returns_tables import homes
from socgrad.errors import TableError
from socgrad.returns.identifiers import Identifiers
from socgrad.returns.stretches import AMBIGUOUS, NO_AREA, NO_CHILD

CHILDREN = Identifiers(pd.Index(["1", "2", "3"]))
AREAS = pd.Index(["A", "B", "C"])


def lived(residence, day, child=0):
    """The area of a child on a day: its letter, or why there is none."""
    where = residence.stretches(CHILDREN, AREAS)
    found = int(where.at(np.array([child]), np.array([day], dtype="datetime64[D]"))[0])
    return found if found < 0 else [*AREAS, "outside"][min(found, 3)]


def test_a_row_holds_from_its_first_to_its_last_day():
    """And neither before nor after."""
    one = homes(("1", "A", "2022-05-01", "2022-05-31"))
    days = ["2022-04-30", "2022-05-01", "2022-05-31", "2022-06-01"]
    assert [lived(one, day) for day in days] == [NO_AREA, "A", "A", NO_AREA]


def test_who_moves_lives_where_the_later_row_says():
    """On the day of the move; with or without an end of the earlier row."""
    for end in ("2022-05-31", "2022-05-30", None):
        two = homes(("1", "B", "2022-05-31"), ("1", "A", "2020-01-01", end))
        assert [lived(two, day) for day in ("2022-05-30", "2022-05-31")] == ["A", "B"]


def test_a_stay_elsewhere_is_followed_by_home():
    """Of rows that hold on a day the one that began last is taken, and home comes back."""
    rows = homes(("1", "A", "2020-01-01"), ("1", "B", "2022-05-01", "2022-05-31"))
    days = ["2022-04-30", "2022-05-15", "2022-06-01"]
    assert [lived(rows, day) for day in days] == ["A", "B", "A"]


def test_two_areas_from_one_day_are_not_guessed():
    """Unless they are the same area twice."""
    both = homes(("1", "A", "2022-05-01"), ("1", "B", "2022-05-01"))
    assert lived(both, "2022-06-01") == AMBIGUOUS
    assert lived(homes(("1", "A", "2022-05-01"), ("1", "A", "2022-05-01", "2022-09-01")),
                 "2022-06-01") == "A"  # fmt: skip


def test_missing_rows_and_blank_areas_differ():
    """A child without a row, one whose area is blank, and one outside the areas."""
    rows = homes(("1", None, "2020-01-01"), ("2", "Z", "2020-01-01"))
    assert [lived(rows, "2022-06-01", child) for child in range(3)] == [
        NO_AREA, "outside", NO_CHILD,
    ]  # fmt: skip


def test_without_dates_a_row_holds_always():
    """A table of child and area alone."""
    frame = pd.DataFrame({"child": [1, 2], "lsoa": ["A", "B"]})
    rows = sg.returns.Residence.from_frame(frame, child="child", area="lsoa")
    assert lived(rows, "1995-01-01") == "A"


def frame_of(**columns):
    """Two addresses, as a table with something wrong in it."""
    made = {"child": ["1", "2"], "lsoa": ["A", "B"], "from": ["2020-01-01"] * 2, "to": [None] * 2}
    return pd.DataFrame(made | columns)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"child": ["1", None]}, "'child' \\(child\\) is blank in 1 of 2 rows"),
        ({"child": [1.5, 2.0]}, "fractions in 1 of 2 rows"),
        ({"from": ["2020-01-01", None]}, "'from' \\(start\\) is blank in 1 of 2 rows"),
        ({"from": ["43831", "43832"]}, "'from' \\(start\\) has 2 dates of 2.*Excel's own numbers"),
        ({"to": ["2019-01-01", None]}, "1 of 2 rows end before they begin"),
        ({"lsoa": ["A", 2]}, "'lsoa' \\(area\\) holds mixed-integer values"),
    ],
)
def test_tables_that_are_none_are_refused(columns, words):
    """With how many rows, and what to do."""
    with pytest.raises(TableError, match=words):
        sg.returns.Residence.from_frame(
            frame_of(**columns), child="child", area="lsoa", start="from", end="to"
        )


def test_lost_zeros_and_case_are_recognised():
    """Identifiers that would be the same are not lost, but refused."""
    known = Identifiers(pd.Index(["0012", "0345", "AB1"]))
    numbers = pd.DataFrame({"child": [12, 345, 7], "lsoa": ["A", "B", "C"]})
    rows = sg.returns.Residence.from_frame(numbers, child="child", area="lsoa")
    with pytest.raises(TableError, match=r"differ .* by leading zeros alone: 2 of 3 children"):
        rows.stretches(known, AREAS)
    lower = numbers.assign(child=["0012", "0345", "ab1"])
    rows = sg.returns.Residence.from_frame(lower, child="child", area="lsoa")
    with pytest.raises(TableError, match="by case alone: 1 of 3 children would be lost"):
        rows.stretches(known, AREAS)
    spaced = numbers.assign(child=[" 0012", "0345 ", "AB1"])
    rows = sg.returns.Residence.from_frame(spaced, child="child", area="lsoa")
    assert rows.stretches(known, AREAS).known.tolist() == [1, 1, 1]
    floats = numbers.assign(child=[12.0, 345.0, np.nan]).dropna()
    rows = sg.returns.Residence.from_frame(floats, child="child", area="lsoa")
    assert rows.stretches(Identifiers(pd.Index(["12"])), AREAS).known.tolist() == [1]


def test_a_table_of_other_children_is_refused():
    """With how many there are."""
    rows = sg.returns.Residence.from_frame(
        pd.DataFrame({"child": ["x", "y"], "lsoa": ["A", "B"]}), child="child", area="lsoa"
    )
    with pytest.raises(TableError, match="None of the 3 children of the records is in column"):
        rows.stretches(CHILDREN, AREAS)


DAY = st.integers(0, 40)


@settings(max_examples=60)
@given(
    rows=st.lists(st.tuples(st.sampled_from("ABC"), DAY, st.none() | DAY), min_size=1, max_size=6)
)
def test_any_rows_are_read_as_the_rule_says(rows):
    """On each day, the row that began last among those that hold; a move on the last day is one."""
    origin = pd.Timestamp("2022-01-01")
    rows = [(area, a, None if b is None else max(a, b)) for area, a, b in rows]
    table = homes(
        *[
            (
                "1",
                area,
                str((origin + pd.Timedelta(days=a)).date()),
                None if b is None else str((origin + pd.Timedelta(days=b)).date()),
            )
            for area, a, b in rows
        ]
    )
    where = table.stretches(CHILDREN, AREAS)
    days = np.datetime64("2022-01-01") + np.arange(45)
    found = where.at(np.zeros(45, dtype=np.int64), days)
    for day in range(45):
        held = [(a, area) for area, a, b in rows if a <= day and (b is None or day <= b)]
        latest = {area for a, area in held if a == max(a for a, _ in held)} if held else set()
        expected = (
            NO_AREA
            if not latest
            else AMBIGUOUS
            if len(latest) > 1
            else AREAS.get_loc(next(iter(latest)))
        )
        assert found[day] == expected
