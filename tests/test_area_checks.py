"""Refusals of the table as a whole: options, keys, and what cannot be estimated."""

import pandas as pd
import pytest

from door import changed, door, same, table
from socgrad.errors import TableError


@pytest.mark.parametrize(
    "options", [{"deprivation": "children"}, {"authority": "lsoa"}, {"exposure": "plans"}]
)
def test_one_column_for_two_roles(options):
    """Only children and exposure may share a column."""
    with pytest.raises(
        TableError, match=r"is named for .* and .*only children and exposure may be"
    ):
        door(table(), **options)
    assert same(door(table(), exposure="children"), door(table()))


def test_duplicate_areas():
    """One row per area: strata and periods come in tables of their own."""
    frame = pd.concat([table(), table().iloc[[1, 3]]])
    with pytest.raises(
        TableError, match=r"'lsoa' \(area\) has areas that appear more than once: 2 of 8 \(A2, B2\)"
    ):
        door(frame)


def test_an_area_in_two_authorities():
    """Both authorities are named."""
    with pytest.raises(
        TableError, match=r"areas in two authorities: 1 of 6 \(A1\). A1 is in (Ashby|Barton) and"
    ):
        door(changed("lsoa", {2: "A1"}))


def test_a_single_authority():
    """Between and contextual effects need authorities to differ."""
    with pytest.raises(
        TableError, match=r"'la' .* single authority. Between, cross-level and conte"
    ):
        door(table().assign(la="Ashby"))


def test_all_equal_deprivation():
    """No gradient from a constant."""
    with pytest.raises(TableError, match=r"'idaci' .* is 0.2 in all 6 areas, so no gradient can"):
        door(table().assign(idaci=0.2))


def test_equal_authority_means():
    """No contextual effect from equally deprived authorities."""
    frame = table().assign(children=100, idaci=[0.1, 0.3, 0.05, 0.35, 0.2, 0.2])
    with pytest.raises(TableError, match=r"same mean, 0.2, in all 3 authorities. Between, cross-l"):
        door(frame)


def test_no_deprivation_within_authorities():
    """No gradient within authorities from their means alone."""
    frame = table().assign(idaci=[0.1, 0.1, 0.3, 0.3, 0.2, 0.2])
    with pytest.raises(TableError, match="does not vary within any of the 3 authorities"):
        door(frame)
