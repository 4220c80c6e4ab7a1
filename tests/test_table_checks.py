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


def test_messages_stay_short():
    """A thousand bad rows are counted, and the first five named."""
    frame = large(size=100).assign(idaci=np.nan)
    with pytest.raises(TableError, match=r"1,200 of 1,200 \(0, 1, 2, 3, 4 and 1,195 more\)"):
        door(frame)
