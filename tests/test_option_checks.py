"""Options that are wrong, or contradict each other, are refused before any data is read."""

import numpy as np
import pandas as pd
import pytest

from door import door, table
from socgrad.errors import TableError

MEANS = {"Ashby": 0.1, "Barton": 0.4, "Corby": 0.3}


@pytest.mark.parametrize("per", [0, -0.1, 10, np.nan])
def test_per_is_a_positive_proportion(per):
    """Ten percentage points are 0.10, not 10."""
    with pytest.raises(TableError, match=r"per=.* is not a step.*0\.10 is ten percentage points"):
        door(table(), per=per)


@pytest.mark.parametrize("option", ["missing_events", "zero_exposure"])
def test_unknown_options(option):
    """Only the two documented words are known."""
    with pytest.raises(TableError, match=f"{option}='drop' is unknown. Expected \"refuse\" or"):
        door(table(), **{option: "drop"})


def test_neither_events_nor_totals():
    """Without any count there is nothing to model."""
    with pytest.raises(TableError, match=r"Neither events nor totals is given.*events=.*totals="):
        door(table(), events=None)


def test_a_sample_needs_given_means():
    """To say that the table is a sample is to promise the means."""
    with pytest.raises(TableError, match=r"complete=False says .* Pass authority_means"):
        door(table(), complete=False)


@pytest.mark.parametrize("value", [20.0, -0.1, np.nan])
def test_the_national_mean_is_a_proportion(value):
    """A percentage, a negative number or NaN is refused."""
    with pytest.raises(TableError, match=r"national_mean=.* is not a deprivation.*0\.20, not 20"):
        door(table(), national_mean=value)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"complete": False, "authority_means": MEANS}, "with complete=False"),
        ({"authority_means": MEANS, "complete": None}, "with authority_means, unless complete=Tr"),
    ],
)
def test_totals_need_every_area(options, reason):
    """A total covers all areas of its authority, so its exposure must be summed over them all."""
    totals = {"Ashby": 3, "Barton": 7, "Corby": 5}
    with pytest.raises(
        TableError, match=rf"totals cannot be used {reason}.*exposure is summed over the table"
    ):
        door(table(), events=None, totals=totals, **options)
    areas = door(table(), events=None, totals=totals, authority_means=MEANS, complete=True)
    assert areas.total_events.tolist() == [3, 7, 5]


@pytest.mark.parametrize("per", ["0.1", True, None, [0.1], pd.Series([0.1])])
def test_per_is_a_number(per):
    """Text, flags and lists are met with their type and the number meant."""
    with pytest.raises(TableError, match=rf"per is a {type(per).__name__}.*Expected one number: 0"):
        door(table(), per=per)


def test_numbers_of_numpy_are_numbers():
    """A number taken from an array is as good as one typed."""
    areas = door(
        table(), per=np.float32(0.25), national_mean=np.float64(0.5), complete=np.bool_(True)
    )
    assert (areas.per, areas.national_mean) == (0.25, 0.5)
    with pytest.raises(TableError, match="complete=False says"):
        door(table(), complete=np.bool_(False))


@pytest.mark.parametrize("value", ["0.2", True, [0.2]])
def test_the_national_mean_is_a_number(value):
    """Text, flags and lists are met with their type and the number meant."""
    with pytest.raises(
        TableError, match=rf"national_mean is a {type(value).__name__}.*one number: 0\.20"
    ):
        door(table(), national_mean=value)


@pytest.mark.parametrize("value", ["yes", 1, 0])
def test_complete_is_a_flag(value):
    """Words and numbers could be meant either way."""
    with pytest.raises(TableError, match=rf"complete={value!r} is unknown. Expected True .*False"):
        door(table(), complete=value)


@pytest.mark.parametrize("value", [None, True, ["refuse"], np.array(["refuse", "leave out"])])
def test_options_of_other_types(value):
    """A flag or a list is no option, and does not break the check."""
    with pytest.raises(TableError, match=r'zero_exposure=.* is unknown. Expected "refuse" or "lea'):
        door(table(), zero_exposure=value)
