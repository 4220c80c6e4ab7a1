"""Who lies within whom, at the door."""

import numpy as np
import pandas as pd
import pytest

from door import NAMES, changed, door, table
from socgrad.errors import TableError
from socgrad.table.strata import Strata


def placed(labels):
    """The table of six areas with a column of localities."""
    return table().assign(msoa=labels)


LABELS = ["A-b", "A-a", "B-a", "B-a", "C-z", "C-a"]


def test_localities_are_numbered_by_authority_and_label():
    """Localities of one authority stand together, in the order of their labels."""
    areas = door(placed(LABELS).sample(frac=1, random_state=2), locality="msoa")
    assert areas.locality.tolist() == ["A-a", "A-b", "B-a", "C-a", "C-z"]
    assert areas.locality_of_area.tolist() == [1, 0, 2, 2, 4, 3]
    assert areas.authority_of_locality.tolist() == [0, 0, 1, 2, 2]
    assert areas.names["locality"] == "msoa"


def test_labels_that_sort_otherwise_than_their_authorities():
    """Whole-number labels of Corby's localities come before Ashby's, and still stand last."""
    areas = door(placed([30, 30, 20, 20, 10, 11]), locality="msoa")
    assert areas.locality.tolist() == [30, 20, 10, 11]
    assert areas.locality_of_area.tolist() == [0, 0, 1, 1, 2, 3]


def test_without_localities_there_are_none():
    """The arrays are empty where no column was named."""
    areas = door(table())
    assert len(areas.locality) == 0
    assert areas.locality_of_area.size == areas.authority_of_locality.size == 0


def test_a_locality_in_two_authorities():
    """It is named, with both, and how many there are."""
    with pytest.raises(
        TableError,
        match=r"'msoa' \(locality\) has 1 of 4 localities in more than one authority \('north' in "
        r"'Ashby' and 'Barton'\).*join the authority's label",
    ):
        door(placed(["north", "south", "north", "B-a", "C-a", "C-a"]), locality="msoa")


def test_a_missing_locality():
    """Every area lies in one."""
    frame = placed(["A-a", None, "B-a", "B-a", "C-a", "C-a"])
    with pytest.raises(TableError, match=r"'msoa' \(locality\) has missing or blank labels"):
        door(frame, locality="msoa")


def test_localities_that_are_the_areas_column():
    """One column cannot be both."""
    with pytest.raises(TableError, match=r"'lsoa' is named for area and locality"):
        door(table(), locality="lsoa")


def test_an_unknown_column():
    """The column is looked for as the others are."""
    with pytest.raises(TableError, match=r"'msoa' \(locality\) is not in the table"):
        door(changed("plans", {}), locality="msoa")


def test_strata_share_their_localities():
    """Both ways to make strata pass the column on, a long table checks it row by row."""
    frame = placed(LABELS)
    stages = Strata.from_stages(
        frame, **NAMES, stages=["contacts", "plans"], locality="msoa", complete=True
    )
    assert stages["plans"].locality.tolist() == ["A-a", "A-b", "B-a", "C-a", "C-z"]
    rows = [frame.assign(age=age, events=frame["plans"]) for age in ("0-4", "5-17")]
    long = pd.concat(rows)
    names = NAMES | {"stratum": "age", "events": "events"}
    made = Strata.from_long(long, **names, locality="msoa", complete=True, children_of="area")
    np.testing.assert_array_equal(made["5-17"].locality_of_area, [1, 0, 2, 2, 4, 3])
    long.iloc[0, long.columns.get_loc("msoa")] = "A-a"
    with pytest.raises(TableError, match=r"'msoa' \(locality\)"):
        Strata.from_long(long, **names, locality="msoa", complete=True, children_of="area")


def test_regions_are_of_authorities():
    """One region for all rows of an authority, sorted by label."""
    areas = door(table().assign(rgn=["N", "N", "S", "S", "N", "N"]), region="rgn")
    assert areas.region.tolist() == ["N", "S"]
    assert areas.region_of_authority.tolist() == [0, 1, 0]
    assert len(door(table()).region) == 0


def test_an_authority_in_two_regions():
    """It is named, with both."""
    with pytest.raises(
        TableError,
        match=r"'rgn' \(region\) has 1 of 3 authorities in more than one region \('Barton' in 'N' "
        r"and 'S'\).*lookup of authorities",
    ):
        door(table().assign(rgn=["N", "N", "S", "N", "N", "N"]), region="rgn")
