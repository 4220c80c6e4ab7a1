"""Columns of every kind are read, or refused with their name, the first rows and a way out."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from door import changed, door, large, same, table
from socgrad.errors import TableError


@pytest.mark.parametrize(
    "convert",
    [
        lambda f: f.assign(la=f["la"].astype("category")),
        lambda f: f.assign(
            la=pd.Categorical(
                f["la"], ["Unused", "Corby", "Barton", "Ashby", "Never"], ordered=True
            ),
            lsoa=f["lsoa"].astype("category"),
        ),
        lambda f: f.assign(plans=pd.Categorical(f["plans"].astype(str), ordered=False)),
        lambda f: f.convert_dtypes(),
        lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
        lambda f: f.astype({"lsoa": "string", "la": "string", "plans": "Int64"}),
        lambda f: f.astype({"lsoa": object, "la": object, "idaci": object, "plans": object}),
        lambda f: f.astype({"idaci": "Float64", "children": "uint16", "plans": "int8"}),
        lambda f: f.astype({"idaci": str, "children": str, "plans": str}),
        lambda f: f.assign(plans=f["plans"].map("  {} ".format)),
        lambda f: f.set_index(["la", "idaci"], drop=False),
        lambda f: f.set_index(np.zeros(6)),
        lambda f: f.iloc[::-1],
        lambda f: f[f.columns[::-1]].assign(extra=pd.NaT),
    ],
    ids=[
        "categorical",
        "ordered, unused categories",
        "categorical numbers",
        "nullable",
        "pyarrow",
        "string and Int64",
        "objects",
        "small numbers",
        "numeric text",
        "numeric text with spaces",
        "MultiIndex",
        "duplicate index",
        "reversed",
        "columns reversed, extra column",
    ],
)
def test_kinds_of_table(convert):
    """Whatever holds the table, the numbers are the same and the labels are plain text."""
    areas = door(convert(table()))
    assert same(areas, door(table()))
    assert areas.area.dtype == areas.authority.dtype == pd.Index(["text"]).dtype
    assert list(areas.authority) == ["Ashby", "Barton", "Corby"]


@pytest.mark.parametrize(
    "dtype", ["int64", "Int32", "int64[pyarrow]", "float64", object, "category"]
)
def test_whole_number_codes(dtype):
    """Whole-number codes stay numbers and sort as numbers, not as text."""
    frame = table().assign(lsoa=[9, 10, 11, 100, 2, 3], la=[9, 9, 10, 10, 100, 100])
    areas = door(frame.astype({"lsoa": dtype, "la": dtype}).iloc[::-1])
    assert areas.area.dtype == areas.authority.dtype == np.int64
    assert list(areas.authority) == [9, 10, 100]
    assert list(areas.area) == [9, 10, 11, 100, 2, 3]
    assert same(areas, door(table()))


def test_polars():
    """A polars frame, with categories and nulls, works as a pandas one does."""
    frame = pl.from_pandas(changed("plans", {2: None, 3: None}))
    areas = door(frame.with_columns(pl.col("la").cast(pl.Categorical)), totals={"Barton": 7})
    assert same(areas, door(changed("plans", {2: None, 3: None}), totals={"Barton": 7}))
    assert same(door(pl.from_pandas(table()).to_arrow()), door(table()))


@pytest.mark.parametrize("frame", [[1, 2], {"lsoa": ["A1"]}, None, pl.LazyFrame({"lsoa": ["A"]})])
def test_other_things_are_not_tables(frame):
    """A list, a mapping, nothing, or a lazy frame is refused by its type."""
    with pytest.raises(TableError, match=f"not {type(frame).__name__}.*pandas or polars DataFrame"):
        door(frame)


def test_totals_with_categorical_or_nullable_labels():
    """Totals come from another file, with dtypes of its own; they match by label."""
    index = pd.CategoricalIndex(["Corby", "Barton", "Ashby"])
    one = door(table(), events=None, totals=pd.Series([7, 9, 1], index=index, dtype="Int64"))
    assert one.total_events.tolist() == [1, 9, 7]
    two = door(
        table(), events=None, totals=pd.Series(["7", "9", "1"], index=index.astype("string"))
    )
    assert same(one, two)


def test_a_column_not_there_suggests_close_names():
    """A slip in a name is met with the likely one."""
    with pytest.raises(TableError, match=r"'IDACIS' \(deprivation\) is not in .* mean 'idaci'\?"):
        door(table(), deprivation="IDACIS")
    with pytest.raises(TableError, match=r"'zzz' \(events\) is not in .*columns are lsoa, la, ida"):
        door(table(), events="zzz")


def test_a_column_in_the_index():
    """Labels left in the index are found, and the way out is named."""
    with pytest.raises(TableError, match=r"index has that name: pass frame.reset_index\(level='ls"):
        door(table().set_index("lsoa"))


def test_a_column_that_appears_twice():
    """Which of two columns of one name is meant cannot be known."""
    frame = pd.concat([table(), table()[["plans"]]], axis=1)
    with pytest.raises(TableError, match=r"'plans' \(events\) appears 2 times"):
        door(frame)


def test_an_empty_table():
    """A filter that matched nothing is the likely cause."""
    with pytest.raises(TableError, match=r"The table is empty \(0 rows, 6 columns\)"):
        door(table().head(0))


@pytest.mark.parametrize("column", ["lsoa", "la"])
@pytest.mark.parametrize("gap", [None, np.nan, pd.NA, "", "  "])
def test_missing_labels(column, gap):
    """A row without its label, blank or missing, is named by its position."""
    with pytest.raises(TableError, match=rf"'{column}' .*missing or blank labels.*: 1 of 6 \(2\)"):
        door(changed(column, {2: gap}))


def test_labels_of_mixed_kinds():
    """Text and numbers in one column would never match each other."""
    with pytest.raises(TableError, match=r"'la' \(authority\) holds mixed-integer values.*astype"):
        door(changed("la", {0: 1, 1: 1}))


def test_labels_with_fractions():
    """A measure named as a label is a slip."""
    with pytest.raises(TableError, match=r"'code' \(area\) has labels with fractions: 2 of 6"):
        door(table().assign(code=[0.5, 1.5, 2, 3, 4, 5]), area="code")


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


def test_messages_stay_short():
    """A thousand bad rows are counted, and the first five named."""
    frame = large(size=100).assign(idaci=np.nan)
    with pytest.raises(TableError, match=r"1,200 of 1,200 \(0, 1, 2, 3, 4 and 1,195 more\)"):
        door(frame)
