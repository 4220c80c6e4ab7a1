"""Labels of every kind are read, or refused with their column and first rows."""

import re

import numpy as np
import pandas as pd
import pytest

from door import changed, door, large, same, table
from socgrad.errors import TableError


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


@pytest.mark.parametrize("column", ["lsoa", "la"])
@pytest.mark.parametrize("kind", ["int64", "Int64"])
def test_categorical_codes_with_a_gap(column, kind):
    """A category of whole numbers has no room for a missing one; ours is the message."""
    codes = pd.Series([1, 2, 3, 4, 5, 6]).astype(kind).astype("category")
    codes[3] = np.nan
    with pytest.raises(TableError, match=rf"'{column}' .*missing or blank labels.*: 1 of 6 \(3\)"):
        door(table().assign(**{column: codes}))


@pytest.mark.parametrize("dtype", [object, "string", "category"])
@pytest.mark.parametrize(
    ("column", "old", "new"),
    [
        ("la", "Ashby", "Ashby "),
        ("la", "Ashby", "ASHBY"),
        ("lsoa", "B1", "\ta2"),
        ("lsoa", "B1", "A2 "),
        ("lsoa", "B1", "a2"),
    ],
)
def test_labels_that_differ_by_space_or_case(column, old, new, dtype):
    """A join leaves such pairs behind; as two labels they would split what is one."""
    frame = table().replace({column: {old: new}}) if column == "lsoa" else changed(column, {0: new})
    one, other = re.escape(repr(new)), "'Ashby'" if column == "la" else "'A2'"
    pair = rf"\(({one} and {other}|{other} and {one})\)"
    with pytest.raises(
        TableError,
        match=rf"'{column}' .*only by case or by white space.*: 1 pair .*{pair}.*\.str\.strip",
    ):
        door(frame.astype({column: dtype}))


def test_many_labels_that_collide():
    """The first five pairs are named, the others counted."""
    frame = large(authorities=8, size=2)
    frame["la"] = [f"la {k}" if i % 2 else f"LA {k} " for i, k in enumerate(frame["la"])]
    with pytest.raises(
        TableError, match=r"8 pairs of 16 labels \('LA 0 ' and 'la 0', .*and 3 more"
    ):
        door(frame)


def test_spaces_that_all_labels_have():
    """What is the same for all labels splits nothing."""
    frame = table().assign(la=table()["la"].map(" {} ".format))
    assert same(door(frame), door(table()))
