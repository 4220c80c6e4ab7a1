"""Authorities over years: units that are the same ground in all of them."""

import numpy as np
import pandas as pd
import pytest

from socgrad import places
from socgrad.errors import TableError

AREAS = pd.Series(["E06000061", "E06000061", "E06000062", "E06000047"])
BEFORE = pd.Series({"E10000021": 900, "E06000047": 666})
AFTER = pd.Series({"E06000061": 400, "E06000062": 510, "E06000047": 650})


def test_what_was_one_in_any_year_is_one_in_all():
    """Northamptonshire's total of 2020 cannot be taken apart, so that of 2022 is added up."""
    match = places.match_years(AREAS, {2020: BEFORE, 2022: AFTER})
    both = "E06000061+E06000062"
    assert match.totals[2020].to_dict() == {"E06000047": 666, both: 900}
    assert match.totals[2022].to_dict() == {"E06000047": 650, both: 910}
    made = match.areas(pd.DataFrame({"la": AREAS}), authority="la")
    assert made["la"].tolist() == [both, both, both, "E06000047"]
    assert made["la_given"].tolist() == AREAS.tolist()
    assert set(match.report["code"]) == {"E10000021", "E06000061", "E06000062"}


def test_no_event_is_lost_or_counted_twice():
    """Totals of each year add up to what they were."""
    match = places.match_years(AREAS, {2020: BEFORE, 2022: AFTER})
    for year, given in ((2020, BEFORE), (2022, AFTER)):
        assert match.totals[year].sum() == given.sum()


def test_a_part_without_a_total_leaves_the_unit_without_one():
    """That year alone, and with a reason."""
    lacking = AFTER.drop("E06000062")
    match = places.match_years(AREAS, {2020: BEFORE, 2022: lacking})
    assert np.isnan(match.totals[2022]["E06000061+E06000062"])
    assert match.totals[2020]["E06000061+E06000062"] == 900
    gone = match.report[(match.report["year"] == 2022) & (match.report["code"] == "E06000062")]
    assert gone["what"].str.startswith("not bridged").all()
    hidden = AFTER.astype(object)
    hidden["E06000062"] = "c"
    match = places.match_years(AREAS, {2020: BEFORE, 2022: hidden})
    assert match.totals[2022]["E06000061+E06000062"] == "c"


def test_the_year_of_a_damaged_table_is_named():
    """Of two dates in one table."""
    two = pd.concat([BEFORE, AFTER.drop("E06000047")])
    with pytest.raises(TableError, match="Year 2021: The totals hold authorities and their succ"):
        places.match_years(AREAS, {2020: BEFORE, 2021: two})
