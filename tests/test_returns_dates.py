"""Dates as returns and spreadsheets write them, and ages on the day."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from socgrad.errors import TableError
from socgrad.returns.dates import (
    ages,
    birthdays,
    check_year,
    financial_year,
    read_dates,
    unreadable_dates,
)

SOME = st.dates(min_value=date(1990, 1, 1), max_value=date(2060, 12, 31))


def days(*texts):
    """Days of texts."""
    return np.array(texts, dtype="datetime64[D]")


@pytest.mark.parametrize(
    "text",
    ["2023-03-31", "31/03/2023", " 31/3/2023 ", "2023-03-31T00:00:00", "31/03/2023 00:00:00"],
)
def test_both_ways_of_writing_a_day_are_read(text):
    """With or without a time of day, as text or as pandas' own dates."""
    found, wrong = read_dates(pd.Series([text, None, "", pd.NaT], dtype=object))
    assert found.astype(str).tolist() == ["2023-03-31", "NaT", "NaT", "NaT"]
    assert not wrong.any()
    stamps, _ = read_dates(pd.Series(pd.to_datetime(["2023-03-31 23:59", None])))
    assert stamps.astype(str).tolist() == ["2023-03-31", "NaT"]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("45016", "Five digits are Excel's own numbers of days"),
        ("31/03/23", "Two digits leave the century open"),
        ("03/31/2023", "month before the day"),
        ("2023-02-30", "Expected 2023-03-31 or 31/03/2023"),
        ("01/01/1900", "of the years 1980 to 2099"),
        ("31 March 2023", "looks? like '99 AAAAA 9999' 1 times"),
    ],
)
def test_other_dates_are_refused_by_their_shape(text, advice):
    """With what they look like and what to do, never with the date, which may be of a birth."""
    values = pd.Series([text, "2023-03-31"])
    found, wrong = read_dates(values)
    assert wrong.tolist() == [True, False]
    assert np.isnat(found[0])
    error = unreadable_dates(values, wrong, where="DOB of Header")
    with pytest.raises(TableError, match=advice) as told:
        raise error
    assert "DOB of Header has 1 dates of 2" in str(told.value)
    assert text not in str(told.value)


@given(birth=SOME, on=SOME)
def test_ages_are_those_of_birthdays(birth, on):
    """As a person would count: one more on each birthday, 1 March for 29 February."""
    expected = on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))
    found = int(ages(days(str(birth)), days(str(on)))[0])
    assert found == (expected if on >= birth else -1)
    if on >= birth:
        assert birthdays(days(str(birth)), found)[0] <= days(str(on))[0]
        assert birthdays(days(str(birth)), found + 1)[0] > days(str(on))[0]


def test_unknown_births_have_no_age():
    """Neither a birth nor a day that is missing makes one."""
    assert ages(days("NaT", "2020-01-01"), days("2023-01-01", "NaT")).tolist() == [-2, -2]


def test_a_year_ends_on_31_march():
    """And is named by it."""
    assert [str(day) for day in financial_year(2023)] == ["2022-04-01", "2023-03-31"]
    assert check_year(np.int64(2023)) == 2023
    for wrong in (True, 23, "2023", 2023.0, None):
        with pytest.raises(TableError, match="is no year"):
            check_year(wrong)
