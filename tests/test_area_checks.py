"""Refusals of the table as a whole: options, keys, and what cannot be estimated."""

import pandas as pd
import pytest

from door import changed, door, same, table
from socgrad.errors import SocgradWarning, TableError


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
    """Has a level and a gradient; the model leaves the rest out, and the door lets it pass."""
    areas = door(table().assign(la="Ashby"))
    assert areas.authority.tolist() == ["Ashby"]
    assert areas.national_mean == areas.authority_mean[0]


def test_all_equal_deprivation():
    """No gradient from a constant."""
    with pytest.raises(
        TableError, match=r"'idaci' .* is 0.2 in all 6 areas, so no gradient can be.*null"
    ):
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


def with_total(**values):
    """The table, with a row for all of it under the others."""
    total = {"lsoa": "E92", "la": "England", "idaci": 0.31, "children": 1000, "plans": 15}
    return pd.concat([table(), pd.DataFrame([total | {"contacts": 210} | values])])


@pytest.mark.parametrize("children", [1000, 995, 1009])
def test_a_total_row(children):
    """A row as large as all others together counts every child twice."""
    with pytest.raises(
        TableError,
        match=rf"Area 'E92' of authority 'England' looks like a total row: it has {children:,} in "
        r"column 'children' \(children\), and the other 6 rows have 1,000 together.*frame\['lsoa'\]"
        r" != 'E92'",
    ):
        door(with_total(children=children).sample(frac=1, random_state=1))


def test_a_total_row_of_events():
    """Its children may be blanked to zero; its events tell."""
    frame = with_total(children=0, plans=150).assign(contacts=100)
    frame["plans"] = [10, 20, 30, 40, 0, 50, 150]
    with pytest.raises(TableError, match=r"'England' looks .* 150 in column 'plans' \(events\)"):
        door(frame, exposure="contacts")


@pytest.mark.parametrize("name", ["England", "TOTAL ", "E92000001", "England and Wales"])
def test_a_total_of_more_than_the_table(name):
    """The nation's row over a part of the nation is larger than the rest; its name tells."""
    with pytest.raises(TableError, match=r"looks like a total row: it has 90,000"):
        door(with_total(lsoa=name, children=90_000))
    with pytest.raises(TableError, match=r"looks like a total row: it has 90,000"):
        door(with_total(la=name, children=90_000))


def test_a_total_row_of_whole_number_codes():
    """Codes are shown as they are written."""
    frame = with_total().assign(lsoa=range(7), la=[0, 0, 1, 1, 2, 2, 9])
    with pytest.raises(TableError, match=r"Area 6 of authority 9 looks .* != 6\]"):
        door(frame)


def test_large_areas_are_no_totals():
    """A huge area, few areas, or few events that happen to agree raise no alarm."""
    huge = changed("children", {2: 50_000})
    assert door(huge).children.max() == 50_000
    # 300 = 100 + 200, but with three rows that says nothing.
    assert door(table().iloc[[0, 1, 2]]).children.tolist() == [100, 300, 200]
    assert door(with_total(la="Derby", children=90_000)).children.max() == 90_000
    # 10 = 1 + 2 + 3 + 4 + 0 + 0
    assert door(table().assign(plans=[1, 2, 3, 4, 0, 10])).events.max() == 10


@pytest.mark.parametrize("name", [None, 3, ["lsoa"], pd.Series(["A1"])])
def test_roles_are_named_by_text(name):
    """A column itself, or nothing, is no name of a column."""
    with pytest.raises(
        TableError, match=rf"area is a {type(name).__name__}. Expected the name of a column, as te"
    ):
        door(table(), area=name)


def many_areas():
    """Two authorities of eight areas, with a few events each."""
    return pd.DataFrame(
        {
            "lsoa": [f"E{k:02d}" for k in range(16)],
            "la": ["Ashby"] * 8 + ["Corham"] * 8,
            "idaci": [0.05 + 0.03 * k for k in range(16)],
            "children": [150 + 10 * k for k in range(16)],
            "plans": [k % 4 for k in range(16)],
        }
    )


def test_total_rows_of_authorities():
    """A row under each authority with all its children counts every child twice."""
    # Ashby: 150 + 160 + ... + 220 = 1480; Corham: 230 + ... + 300 = 2120.
    totals = {"lsoa": ["S1", "S2"], "la": ["Ashby", "Corham"], "idaci": 0.2}
    totals |= {"children": [1480, 2120], "plans": 12}
    frame = pd.concat([many_areas(), pd.DataFrame(totals)])
    with pytest.raises(
        TableError,
        match=r"rows that look like totals of their authority: 2 of 18 \(S1, S2\)\. S1 has 1,480 in"
        r" column 'children' \(children\), and the other areas of Ashby have 1,480 together\. .*"
        r"drop these",
    ):
        door(frame)


def test_half_of_a_small_group_in_one_area():
    """Children of a small group may live in one estate: seven of fourteen here."""
    few = [7, 1, 1, 1, 1, 1, 1, 1, 9, 2, 4, 3, 8, 2, 1, 1]
    assert len(door(many_areas().assign(children=few)).area) == 16


def test_more_events_than_children():
    """Events far above the children point to a wrong column; a handful of children may do so."""
    frame = many_areas()
    frame.loc[3, "plans"] = 950
    with pytest.warns(
        SocgradWarning,
        match=r"Column 'plans' \(events\) is more than 5 times column 'children' \(children\) "
        r"in 1 of 16 areas \(E03\); most at E03, 950 events among 180 children\..*"
        r"name its column in exposure=",
    ):
        door(frame)
    # Ten children with 50 events are odd, not impossible; nor are 180 with 400.
    frame.loc[[0, 3], "plans"] = 50, 400
    door(frame.assign(children=[10, *frame["children"][1:]]))


def test_children_in_thousands():
    """Counted in thousands, children are fewer than their events everywhere."""
    # More than 5 × 0.15 to 0.30: all areas of 2 or 3 events (4 and 4), of those of 1 only E01.
    frame = many_areas().eval("children = children / 1000")
    with pytest.warns(SocgradWarning, match=r"in 9 of 16 areas .* not in thousands"):
        door(frame)


def test_a_long_table_is_shown_the_way():
    """One row per area and stage is a table of strata."""
    frame = pd.concat([many_areas().assign(stage=stage) for stage in ("referral", "plan")])
    with pytest.raises(TableError, match=r"is for Strata\.from_long\(frame, stratum="):
        door(frame)
