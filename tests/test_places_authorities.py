"""Authorities of different dates: totals meet areas, and what cannot be bridged is named."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from socgrad import places
from socgrad.errors import TableError

DATA = os.environ.get("SOCGRAD_DATA")
needs_data = pytest.mark.skipif(DATA is None, reason="SOCGRAD_DATA is unset")


def matched(areas, totals):
    """Match codes given as a list, and totals given as a mapping."""
    return places.match_authorities(pd.Series(areas), pd.Series(totals))


def test_a_recoded_authority_keeps_its_total():
    """Buckinghamshire, 2020: one code for another."""
    totals = pd.Series({"E10000002": 500})
    match = places.match_authorities(pd.Series(["E06000060"]), totals)
    assert match.of_areas.to_dict() == {"E06000060": "E10000002"}
    assert match.totals(totals).to_dict() == {"E10000002": 500}


def test_two_changes_of_code_are_followed():
    """Northumberland: a county until 2009, another code from 2013."""
    match = matched(["E06000057"], {"E10000022": 7})
    assert match.report["what"].tolist() == ["recoded", "recoded"]


def test_dorset_becomes_one_unit_of_five_codes():
    """Dorset gave Christchurch to the authority that Bournemouth and Poole became."""
    totals = pd.Series({"E06000028": 200, "E06000029": 200, "E10000009": 300, "E06000001": 9})
    areas = pd.DataFrame({"authority": ["E06000058", "E06000059", "E06000001"]})
    match = places.match_authorities(areas["authority"], totals)
    summed = match.totals(totals)
    assert summed.to_dict() == {"E06000001": 9, "E06000028+E06000029+E10000009": 700}
    renamed = match.areas(areas)
    assert set(renamed["authority"]) == set(summed.index)
    assert renamed["authority_given"].tolist() == areas["authority"].tolist()
    assert match.balance(totals).loc["all", "events known"] == 709


def test_new_totals_meet_old_areas():
    """Northamptonshire of 2019 has both totals of 2022."""
    match = matched(["E10000021"], {"E06000061": 400, "E06000062": 419})
    totals = match.totals(pd.Series({"E06000061": 400, "E06000062": 419}))
    assert totals.to_dict() == {"E10000021": 819}


@pytest.mark.parametrize(("mark", "expected"), [("c", "c"), (np.nan, np.nan)])
def test_a_hidden_part_hides_the_sum(mark, expected):
    """A sum of what is left would be too small."""
    totals = pd.Series({"E06000061": 400, "E06000062": mark}, dtype=object)
    match = places.match_authorities(pd.Series(["E10000021"]), totals)
    assert [str(value) for value in match.totals(totals)] == [str(expected)]


def test_totals_of_another_file_are_summed_whole_or_refused():
    """A part without a row hides the sum; a code that was not matched is named."""
    match = matched(["E10000021", "E06000057"], {"E06000061": 4, "E06000062": 5, "E06000057": 6})
    totals = match.totals(pd.Series({"E06000061": 40, "E06000057": 60}))
    assert [str(value) for value in totals.sort_index()] == ["60.0", "nan"]
    # The department's section 47 enquiries of 2019 have codes of Northumberland before 2013.
    with pytest.raises(TableError, match=r"1 authorities .* not matched \(E06000048\)"):
        match.totals(pd.Series({"E06000061": 4, "E06000062": 5, "E06000048": 6}))


def test_barnsley_and_sheffield_of_2025_meet_areas_of_before():
    """Codes of the department's totals of 2025 are not those of lookups until then."""
    match = matched(["E08000016", "E08000019"], {"E08000038": 300, "E08000039": 500})
    assert match.report["what"].tolist() == ["recoded"] * 4


def test_what_cannot_be_bridged_is_named():
    """Half of Northamptonshire, and an authority without areas, are left out by name."""
    totals = pd.Series({"E10000021": 900, "E06000001": 50, "E06000002": 60})
    areas = pd.DataFrame({"authority": ["E06000061", "E06000001"]})
    match = places.match_authorities(areas["authority"], totals)
    what = match.report.set_index("code")["what"]
    assert "E06000062" in what["E10000021"]
    assert what["E06000061"].startswith("not bridged")
    assert what["E06000002"] == "not bridged: no areas of it"
    assert match.totals(totals).to_dict() == {"E06000001": 50}
    assert len(match.areas(areas)) == 1
    balance = match.balance(totals)
    assert balance["events known"].drop("all").sum() == balance.loc["all", "events known"] == 1010


def test_a_total_without_its_sibling_is_not_the_county():
    """West Northamptonshire alone is no total of areas that span the county."""
    totals = {"E06000062": 419, "E06000001": 50}
    what = matched(["E10000021", "E06000001"], totals).report.set_index("code")["what"]
    assert what["E10000021"] == "not bridged: no totals of E06000061"
    assert what["E06000062"].startswith("not bridged")


def test_two_dates_in_one_table_are_refused():
    """A county and its successors would count children twice."""
    with pytest.raises(TableError, match="E10000021 and E06000061"):
        matched(["E06000061"], {"E10000021": 900, "E06000061": 400})


def test_names_and_old_codes_are_no_codes():
    """Names and the department's three digits are told from official codes."""
    with pytest.raises(TableError, match="look like names"):
        matched(["Hartlepool"], {"E06000001": 1})
    with pytest.raises(TableError, match="three digits"):
        matched(["E06000001"], {"805": 1})
    with pytest.raises(TableError, match="None of the 1 authorities"):
        matched(["E07000004"], {"E06000001": 1})


def test_every_change_is_of_codes_and_a_date():
    """Old and new differ, dates are first of April, and splits have two parts or more."""
    table = places.authority_changes()
    assert (table["old"] != table["new"]).all()
    assert (table["date"].dt.strftime("%m-%d") == "04-01").all()
    assert table["date"].dt.year.between(2009, 2025).all()
    parts = table.groupby("old")["new"].nunique()
    split = table.groupby("old")["change"].first() == "split"
    assert ((parts > 1) == split).all()


@needs_data
@pytest.mark.parametrize("authorities", [2019, 2021])
@pytest.mark.parametrize("year", [2013, 2020, 2022])
def test_every_total_of_england_meets_its_areas(authorities, year):
    """All years of the department's table, none of its authorities or areas left out."""
    folder = Path(DATA)
    lookup = places.read_lookup(folder / "england/england_lsoa.csv.gz", authorities=authorities)
    (file,) = (folder / "dfe_cin/raw_ees_2022").glob("d1_*")
    totals = places.authority_totals(places.read_education(file, year=year), "CPP_start")
    match = places.match_authorities(lookup["authority"], totals)
    assert match.report["unit"].notna().all()
    assert len(match.areas(lookup)) == len(lookup)
    known = pd.to_numeric(totals, errors="coerce").sum()
    assert pd.to_numeric(match.totals(totals), errors="coerce").sum() == known
