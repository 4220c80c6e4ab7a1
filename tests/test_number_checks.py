"""Numbers of every kind are read; what is no number is refused with its place."""

import numpy as np
import pandas as pd
import pytest

from door import changed, door, table
from socgrad.errors import TableError


@pytest.mark.parametrize("column", ["idaci", "children", "contacts"])
@pytest.mark.parametrize("gap", [None, np.nan, pd.NA, ":", ""])
def test_missing_numbers(column, gap):
    """Deprivation, children and exposure are needed of every area."""
    with pytest.raises(TableError, match=rf"'{column}' .* has missing values: 2 of 6 \(A2, B2\)"):
        door(changed(column, {1: gap, 3: gap}), exposure="contacts")


@pytest.mark.parametrize("column", ["idaci", "children", "contacts", "plans"])
def test_text_that_is_not_a_number(column):
    """Thousands separators and ranges are named with their place."""
    with pytest.raises(TableError, match=rf"'{column}' .*not a number in 1 of 6 .*'1,234' at B1"):
        door(changed(column, {2: "1,234"}), exposure="contacts")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.date_range("2019-01-01", periods=6), "datetime64"),
        ([True, False] * 3, "boolean"),
        (np.arange(6) * 1j, "complex"),
    ],
)
def test_columns_of_other_kinds(values, kind):
    """Dates, flags and complex numbers are no counts."""
    with pytest.raises(TableError, match=rf"'plans' \(events\) holds {kind} values. Expected num"):
        door(table().assign(plans=values))


@pytest.mark.parametrize("column", ["idaci", "children", "contacts", "plans"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, "inf"])
def test_infinite_values(column, value):
    """A division by zero upstream is caught here."""
    with pytest.raises(TableError, match=rf"'{column}' .* has infinite values: 1 of 6 \(C1\)"):
        door(changed(column, {4: value}), exposure="contacts")


def test_percentages():
    """Deprivation is a proportion; percentages, ranks and scores are told apart by size."""
    with pytest.raises(TableError, match=r"values above 1, up to 60: 6 of 6 \(.*divide by 100"):
        door(table().assign(idaci=100 * table()["idaci"]))
    with pytest.raises(TableError, match=r"'idaci' .* negative values: 1 of 6 \(A2\)"):
        door(changed("idaci", {1: -0.1}))


@pytest.mark.parametrize("column", ["children", "contacts"])
def test_negative_children_and_exposure(column):
    """Neither weights nor denominators can be below zero."""
    with pytest.raises(TableError, match=rf"'{column}' .* has negative values: 1 of 6 \(A1\)"):
        door(changed(column, {0: -1}), exposure="contacts")


@pytest.mark.parametrize(("value", "word"), [(-1, "negative"), (2.5, "fractional")])
def test_events_are_whole_numbers(value, word):
    """Of areas and of totals: rates and differences are no counts."""
    with pytest.raises(TableError, match=rf"'plans' \(events\) has {word} counts: 1 of 6 \(B2\)"):
        door(changed("plans", {3: value}))
    totals = {"Ashby": 1, "Barton": value, "Corby": 3}
    with pytest.raises(TableError, match=rf"totals has {word} counts: 1 of 3 \(Barton\)"):
        door(table(), events=None, totals=totals)


@pytest.mark.parametrize("kind", ["int64", "Int64", "float64", "bool", "datetime64[ns]"])
def test_categorical_numbers_with_a_gap(kind):
    """A category of whole numbers has no room for a missing one; ours is the message."""
    plans = pd.Series([1, 2, 3, 1, 0, 3]).astype(kind).astype("category")
    plans[4] = np.nan
    words = "missing counts: 1 of 6 .C1" if kind in {"int64", "Int64", "float64"} else "Expected nu"
    with pytest.raises(TableError, match=rf"'plans' .*{words}"):
        door(table().assign(plans=plans))


@pytest.mark.parametrize("column", ["idaci", "plans"])
@pytest.mark.parametrize("value", ["12.07%", " 5 %"])
def test_percent_signs(column, value):
    """A percentage is met with the arithmetic."""
    with pytest.raises(
        TableError, match=rf"'{column}' .*'{value}' at A2.*divide percentages by 10"
    ):
        door(changed(column, {1: value}))


@pytest.mark.parametrize("column", ["idaci", "plans"])
@pytest.mark.parametrize("dash", ["-", " - ", "–", "—"])
def test_dashes_are_ambiguous(column, dash):
    """A dash is nil in some tables and not available in others, so it is neither here."""
    with pytest.raises(
        TableError,
        match=rf"'{column}' .* dash in 2 of 6 rows \(A2, C1\).*nil.*not available.*0 or by a bl",
    ):
        door(changed(column, {1: dash, 4: dash}), missing_events="leave out")


@pytest.mark.parametrize("text", ["<5", "1-5", "1 to 5"])
def test_ranges(text):
    """A range hides a small count: it is to be marked as such, not left blank."""
    with pytest.raises(
        TableError, match=r"'plans' .*not a number .* hidden small count.*Suppressed\(\{'<5'"
    ):
        door(changed("plans", {1: text}))


def test_a_decile_is_told_from_the_score_to_take():
    """The message names a share that will do: the IDACI score is one, whatever its name."""
    with pytest.raises(TableError, match=r"up to 10: .*decile will not do.*the IDACI score"):
        door(changed("idaci", {0: 1.0, 1: 5.0, 2: 10.0}))
