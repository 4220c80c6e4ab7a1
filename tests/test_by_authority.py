"""Totals and means of authorities match by label, or are refused."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from door import door, same, table
from socgrad.errors import TableError


def test_totals_with_categorical_or_nullable_labels():
    """Totals come from another file, with dtypes of its own; they match by label."""
    index = pd.CategoricalIndex(["Corby", "Barton", "Ashby"])
    one = door(table(), events=None, totals=pd.Series([7, 9, 1], index=index, dtype="Int64"))
    assert one.total_events.tolist() == [1, 9, 7]
    two = door(
        table(), events=None, totals=pd.Series(["7", "9", "1"], index=index.astype("string"))
    )
    assert same(one, two)


def test_totals_of_unknown_authorities():
    """Codes that match no authority are named: reorganisations change them."""
    totals = {"Ashby": 1, "Barton": 2, "Corby": 3, "Derby": 4, "Exeter": 5}
    with pytest.raises(
        TableError, match=r"no authority of the table: 2 of 5 \(Derby, Exeter\).*reorganised"
    ):
        door(table(), events=None, totals=totals)
    with pytest.raises(TableError, match=r"no authority of the .*holds text and the other whole"):
        door(table(), events=None, totals={1: 5})


def test_totals_named_twice():
    """A total for each authority, once."""
    totals = pd.Series([1, 2, 3], index=["Ashby", "Ashby", "Corby"])
    with pytest.raises(TableError, match=r"totals names an authority more than once: 1 of 3 \(Ash"):
        door(table(), events=None, totals=totals)


def test_totals_by_position():
    """A bare list would be joined by position, so it is refused."""
    with pytest.raises(TableError, match=r"totals is a list.*by label, never by position"):
        door(table(), events=None, totals=[1, 2, 3])


def test_totals_as_a_table():
    """A table of totals, or a column of it without labels, is shown the way to a Series."""
    totals = pd.DataFrame({"code": ["Ashby", "Barton", "Corby"], "total": [1, 2, 3]})
    way = r"dict\(zip\(frame\['code'\], frame\['totals'\]\)\)"
    for given in (totals, pl.from_pandas(totals), pl.from_pandas(totals)["total"]):
        with pytest.raises(
            TableError, match=rf"totals is a {type(given).__name__}\. .*{way} is such a mapping"
        ):
            door(table(), events=None, totals=given)
    way = r"frame\.set_index\('code'\)\['total'\]"
    with pytest.raises(TableError, match=rf"if the labels are row numbers, .*{way}"):
        door(table(), events=None, totals=totals["total"])


def test_given_means_cover_every_authority():
    """A mean that is absent, or missing, is named."""
    with pytest.raises(
        TableError, match=r"authority_means lacks authorities of the table: 2 of 3 \(Barton, Corby"
    ):
        door(table(), authority_means={"Ashby": 0.1, "Barton": np.nan})


def test_given_means_are_proportions():
    """Percentages are refused here too."""
    means = {"Ashby": 10, "Barton": 40, "Corby": 30}
    with pytest.raises(TableError, match=r"authority_means has values above 1, up to 40.*by 100"):
        door(table(), authority_means=means)


def test_totals_spelt_otherwise():
    """Only case or white space keeps the labels apart: a slip, not a reorganisation."""
    totals = {"ASHBY ": 1, "Barton": 2, "Corby": 3}
    with pytest.raises(
        TableError,
        match=r"no authority of the table: 1 of 3 \(ASHBY \).*differ by case, by white sp",
    ):
        door(table(), events=None, totals=totals)
