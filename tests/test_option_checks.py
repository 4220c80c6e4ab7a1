"""Options that are wrong, or contradict each other, are refused before any data is read."""

import numpy as np
import pytest

from door import door, table
from socgrad.errors import TableError


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
