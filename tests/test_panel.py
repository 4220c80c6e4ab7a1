"""The door of years: what a table of areas and years must be, and what it becomes."""

import numpy as np
import pandas as pd
import pytest

from socgrad import years
from socgrad.errors import SocgradWarning, SpecificationError, TableError
from socgrad.table.panel import Panel
from socgrad.table.strata import Strata
from years_tables import panel_of, small

COLUMNS = {
    "year": "year",
    "area": "lsoa",
    "authority": "la",
    "deprivation": "idaci",
    "children": "children",
    "events": "plans",
    "complete": True,
}


def frame():
    """Four areas of two authorities in two years; Ashby becomes more deprived by five points."""
    return pd.DataFrame(
        {
            "lsoa": ["E01", "E02", "E03", "E04"] * 2,
            "la": ["Ashby", "Ashby", "Barton", "Barton"] * 2,
            "year": [2019] * 4 + [2021] * 4,
            "idaci": [0.05, 0.15, 0.25, 0.45, 0.10, 0.20, 0.25, 0.45],
            "children": [400, 400, 300, 300, 400, 400, 300, 300],
            "plans": [1, 2, 2, 4, 2, 2, 3, 4],
        }
    )


def made(table=None, **options):
    """The panel of a table."""
    return Panel.from_frame(frame() if table is None else table, **(COLUMNS | options))


def test_within_parts_are_measured_from_the_mean_of_the_period():
    """So that an authority whose mean moves does not seem to drift."""
    panel = made()
    assert panel.labels == (2019, 2021)
    for year in panel:
        np.testing.assert_allclose(panel[year].authority_mean, [0.125, 0.35])
    national = (800 * 0.125 + 600 * 0.35) / 1400
    assert panel[2019].national_mean == pytest.approx(national)
    assert panel[2021].deprivation.tolist() == [0.10, 0.20, 0.25, 0.45]


def test_within_parts_can_be_measured_from_the_mean_of_each_year():
    """With means="year" an authority's own change is a part of its level."""
    panel = made(means="year")
    np.testing.assert_allclose(panel[2019].authority_mean, [0.10, 0.35])
    np.testing.assert_allclose(panel[2021].authority_mean, [0.15, 0.35])
    assert panel[2021].national_mean > panel[2019].national_mean


def test_the_centre_can_be_one_year():
    """Between parts of all years are then from its national mean."""
    panel = made(centre=2019)
    assert panel[2021].national_mean == pytest.approx((800 * 0.10 + 600 * 0.35) / 1400)


def test_a_new_index_is_a_break_with_means_of_its_own():
    """Its years are not on one scale with those before."""
    panel = made(index={2019: "IDACI 2015", 2021: "IDACI 2019"}, breaks=[])
    assert panel.breaks == (2021,)
    np.testing.assert_allclose(panel[2021].authority_mean, [0.15, 0.35])
    assert "breaks before 2021" in str(panel)
    with pytest.raises(TableError, match="means of two indices are not on one scale"):
        made(index={2019: "IDACI 2015", 2021: "IDACI 2019"}, centre=2019)


def test_a_new_index_that_nobody_named_is_asked_for():
    """Most areas change in one year and in no other."""
    later = frame()
    later = pd.concat([later, later[4:].assign(year=2022)])
    later.loc[later["year"] > 2019, "idaci"] += 0.01
    with pytest.warns(SocgradWarning, match="changes in 2021 and in no other year"):
        made(later)
    made(later, index=dict.fromkeys((2019, 2021, 2022), "one"))


def test_years_without_an_area_leave_it_out():
    """With the deprivation and children of the nearest year, and a report."""
    table = frame().drop(index=5)
    with pytest.raises(TableError, match=r"1 of 8 rows are missing .*E02 in 2021"):
        made(table)
    panel = made(table, missing_rows="leave out")
    gone = panel[2021].report.set_index("step").loc["not in the table"]
    assert (gone["rows"], gone["authorities"]) == (1, 1)
    assert panel[2021].exposure.tolist() == [400, 0, 300, 300]
    assert panel[2021].counted.tolist() == [True, False, True, True]
    assert panel[2021].deprivation[1] == 0.15
    assert panel[2019].counted.all()


def test_leaving_rows_out_excuses_no_missing_count():
    """A row that is there needs its count."""
    table = frame().drop(index=5).astype({"plans": float})
    table.loc[6, "plans"] = np.nan
    with pytest.raises(TableError, match="Year 2021: "):
        made(table, missing_rows="leave out")


def test_areas_that_change_their_authority():
    """One authority of each area; after a reorganisation that of a named year."""
    table = frame()
    table.loc[5, "la"] = "Barton"
    with pytest.raises(TableError, match=r"1 of 4 areas change .*Ashby in 2019 and Barton in"):
        made(table)
    panel = made(table, authorities=2021)
    assert panel.first.authority_of_area.tolist() == [0, 1, 1, 1]
    assert panel[2019].events.tolist() == [1, 2, 2, 4]
    with pytest.raises(TableError, match="authorities=2020 is no year of this table"):
        made(table, authorities=2020)


def test_totals_by_year():
    """Those of a year are its own; an authority without one leaves that year."""
    totals = {2019: {"Ashby": 3, "Barton": 6}, 2021: {"Barton": 9}}
    options = {"events": None, "totals": totals}
    with pytest.raises(TableError, match="Year 2021: Authorities without a total"):
        made(**options)
    panel = made(missing_events="leave out", **options)
    assert panel[2019].total_events.tolist() == [3, 6]
    assert np.isnan(panel[2021].total_events[0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"year": [2019.5] * 8}, "is no whole number in 8 of 8 rows"),
        ({"year": [2019] * 8}, "has 1 year"),
        ({"lsoa": ["E01"] * 8}, "6 of 8 rows repeat an area and year"),
    ],
)
def test_tables_that_are_no_panel(change, words):
    """What years need beside what the door checks by year."""
    with pytest.raises(TableError, match=words):
        made(frame().assign(**change))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"means": "decade"}, "means='decade' is unknown"),
        ({"missing_rows": "no events"}, "missing_rows='no events' is unknown"),
        ({"centre": 2020}, "centre=2020 is no year of this table"),
        ({"breaks": [2019]}, "breaks name 2019. Expected years after 2019"),
        ({"index": {2019: "IDACI"}}, "index names no index of deprivation for 2021"),
        ({"totals": {2020: {"Ashby": 3}}}, "2020"),
    ],
)
def test_options_that_are_none(options, words):
    """Refused in words."""
    with pytest.raises(TableError, match=words):
        made(**options)


def test_years_are_a_panel_alone():
    """Stages are no years, and years no stages."""
    tables = dict(small()[1])
    with pytest.raises(TableError, match="differ in deprivation"):
        Strata(tables=tables)
    with pytest.raises(TableError, match="The years of a panel are"):
        Panel(tables=dict(reversed(tables.items())))
    with pytest.raises(TableError, match="A panel has relation='years'"):
        Panel(tables=tables, relation="groups")


def test_the_order_of_rows_says_nothing():
    """Nor do labels of the index."""
    simulation, panel = small()
    shuffled = simulation.frame.sample(frac=1.0, random_state=3)
    other = panel_of(type(simulation)(shuffled, simulation.truth, simulation.effects,
                                      simulation.drift))  # fmt: skip
    for year in panel:
        np.testing.assert_array_equal(panel[year].events, other[year].events)
        np.testing.assert_allclose(panel[year].authority_mean, other[year].authority_mean)


def test_a_change_of_an_authoritys_own_mean_is_a_covariate():
    """In steps from the mean of the period: Ashby is 0.25 steps below, then above; Barton stays."""
    panel = made(mean_change="own change")
    for year, expected in ((2019, -0.25), (2021, 0.25)):
        own = panel[year].authority_covariates["own change"]
        np.testing.assert_allclose(own[["Ashby", "Barton"]], [expected, 0.0], atol=1e-12)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"means": "year"}, "Choose means='period'"),
        ({"table": "still"}, "nothing can be said of its change"),
        ({"mean_change": "idaci"}, "a column that the table has already"),
    ],
)
def test_a_change_that_is_none(given, words):
    """Refused in words."""
    table = frame()
    if "table" in given:
        table["idaci"] = [0.05, 0.15, 0.25, 0.45] * 2
    options = {"mean_change": "own change"} | {k: v for k, v in given.items() if k != "table"}
    with pytest.raises(TableError, match=words):
        made(table, **options)


def test_years_may_be_written_as_text():
    """2019 and "2019" are the same year; 2018-19 is none, and is said to be the one it ends in."""
    text = frame()
    assert made(text.assign(year=text["year"].astype(str))).labels == (2019, 2021)
    with pytest.raises(TableError, match="is no whole number in 8 of 8 rows"):
        made(text.assign(year="2018-19"))


def test_a_year_without_an_event_in_an_authority_is_one_of_zeros():
    """Zero is a count; a blank is none, and is refused until it is said what it is."""
    table = frame()
    own = (table["la"] == "Ashby") & (table["year"] == 2021)
    zero = made(table.assign(plans=table["plans"].mask(own, 0)))
    assert zero[2021].events[:2].tolist() == [0.0, 0.0]
    blank = table.assign(plans=table["plans"].astype(float).mask(own))
    with pytest.raises(TableError, match="Year 2021"):
        made(blank)
    assert not made(blank, missing_events="leave out")[2021].counted[:2].any()


def test_deprivation_that_is_equal_in_one_year_is_refused_by_year():
    """Nothing can be said of gradients where all areas are alike."""
    table = frame()
    table["idaci"] = table["idaci"].mask(table["year"] == 2021, 0.2)
    with pytest.raises(TableError, match="Year 2021"):
        made(table)


@pytest.mark.parametrize("given", [4, [2018.5, 2020], [2020, 2019], "2020", [[2018, 2019]], [2018]])
def test_years_of_a_simulation_are_whole_and_in_order(given):
    """One number, say of how many years, is refused in words."""
    with pytest.raises(SpecificationError, match="Expected two or more whole years in order"):
        years.simulate(years=given, authorities=6, areas=60, random_seed=1)
