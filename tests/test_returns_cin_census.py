"""Censuses of several years and authorities, repeated children, and dates that cannot be read."""

import os
from pathlib import Path

import pandas as pd
import pytest

import socgrad as sg
from returns_tables import case, child, counted, homes, reasons, totals, write
from socgrad.errors import TableError

DATA = os.environ.get("SOCGRAD_DATA")
real = pytest.mark.skipif(DATA is None, reason="SOCGRAD_DATA, the folder of real data, is unset")


def test_years_follow_one_another(tmp_path):
    """In any order of the files; not twice, and not with a gap."""
    files = {
        y: write(tmp_path, child("1", case(f"{y - 1}-06-01")), year=y) for y in range(2020, 2024)
    }
    records = sg.returns.read_cin_census([files[2023], files[2021], files[2022]])
    assert str(records.start), str(records.end) == ("2020-04-01", "2023-03-31")
    assert records.covers(2021)
    assert not records.covers(2020)
    with pytest.raises(TableError, match="leave out 1 of the years between March 2021 and March"):
        sg.returns.read_cin_census([files[2021], files[2023]])
    with pytest.raises(TableError, match="are both of the year that ends in March 2022"):
        sg.returns.read_cin_census([files[2022], files[2022]])
    with pytest.raises(TableError, match="No file was given"):
        sg.returns.read_cin_census([])


def test_a_wrong_header_is_put_right_by_hand(tmp_path):
    """With a year for each file."""
    path = write(tmp_path, child("1", case("2022-05-01")), year=2022)
    with pytest.raises(TableError, match="complete from 2021-04-01 to 2022-03-31"):
        counted(sg.returns.read_cin_census(path), homes(("1", "A")), "referral")
    records = sg.returns.read_cin_census(path, years=2023)
    assert totals(counted(records, homes(("1", "A")), "referral")) == {"referral": 1}
    with pytest.raises(TableError, match="years names 2 years for 1 files"):
        sg.returns.read_cin_census(path, years=[2022, 2023])


def test_two_authorities_are_two_readings(tmp_path):
    """Identifiers of one are not those of the other."""
    one = write(tmp_path, child("1", case("2022-05-01")), lea="301")
    other = write(tmp_path, child("1", case("2021-05-01")), lea="302", year=2022)
    with pytest.raises(TableError, match=r"of 2 authorities \(LEA 301, 302\)"):
        sg.returns.read_cin_census([one, other])


def test_a_child_written_twice_is_one_child(tmp_path):
    """Its records are joined, the same record counts once; two dates of birth are no age."""
    same = child("1", case("2022-05-01"))
    records = sg.returns.read_cin_census(
        write(tmp_path, same, same, child("1", case("2022-07-01"), birth="2015-02-01"))
    )
    assert len(records.identifiers) == 1
    assert records.children["birth"].isna().tolist() == [True]
    notes = records.notes.set_index("note")["records"].to_dict()
    assert notes["two dates of birth in one return: age not known"] == 1
    counts = counted(records, homes(("1", "A")), "referral")
    assert reasons(counts, "referral") == {"counted": 2, "the same record again": 1}


def test_a_corrected_date_of_birth_is_the_later_returns(tmp_path):
    """What the last return says of a child holds."""
    files = [
        write(tmp_path, child("1", case("2021-05-01"), birth="2015-01-01"), year=2022),
        write(tmp_path, child("1", case("2022-05-01"), birth="2016-01-01", ethnicity="BAFR")),
    ]
    one = sg.returns.read_cin_census(files).children.iloc[0]
    assert str(one["birth"].date()) == "2016-01-01"
    assert one["ethnicity"] == "BAFR"


def test_dates_that_cannot_be_read_are_refused_or_in_the_ledger(tmp_path):
    """A closing date of 30 February makes the record useless, not open for ever."""
    path = write(
        tmp_path, child("1", case("2022-05-01", "2022-02-30")), child("2", case("2022-05-01"))
    )
    with pytest.raises(TableError, match=r"CINclosureDate \(referral\) has 1 dates of 2"):
        sg.returns.read_cin_census(path)
    records = sg.returns.read_cin_census(path, unreadable="leave out")
    counts = counted(records, homes(("1", "A"), ("2", "A")), "referral", "open_at_31_march")
    assert totals(counts) == {"referral": 1, "open_at_31_march": 1}
    assert reasons(counts, "referral")["a date that cannot be read"] == 1
    with pytest.raises(TableError, match="unreadable='drop' is unknown"):
        sg.returns.read_cin_census(path, unreadable="drop")


def test_a_missing_date_is_in_the_ledger(tmp_path):
    """A referral without its date is counted nowhere and lost nowhere."""
    records = sg.returns.read_cin_census(
        write(tmp_path, child("1", case("")), child("2", case("")))
    )
    counts = counted(records, homes(("1", "A")), "referral", "months_open")
    assert reasons(counts, "referral") == {"without a date": 2}
    assert counts.ledger.query("stage == 'months_open'")["children"].tolist() == [0, 2]


def test_a_silent_flag_is_noted(tmp_path):
    """Where nothing is said of further action there is some, and a note says how many."""
    records = sg.returns.read_cin_census(
        write(tmp_path, child("1", case("2022-05-01", stopped="")))
    )
    assert totals(counted(records, homes(("1", "A")), "child_in_need")) == {"child_in_need": 1}
    assert "1  referral: not said whether there was no further action" in str(records)


@real
def test_the_fake_return_is_read():
    """332 children and 402 referrals of Data to Insight's fake return, all ending there."""
    path = Path(DATA) / "cin_returns" / "fake_CIN_data.xml.gz"
    records = sg.returns.read_cin_census(path)
    assert len(records.identifiers) == 332
    assert len(records.tables["referral"]) == 402
    assert records.tables["referral"]["no_further_action"].all()
    everyone = pd.DataFrame({"child": records.identifiers.text, "lsoa": "A"})
    home = sg.returns.Residence.from_frame(everyone, child="child", area="lsoa")
    areas = pd.DataFrame({"lsoa": ["A", "B"]})
    counts = sg.returns.count(
        records, home, areas, area="lsoa", year=2022, stages=["referral", "child_in_need"]
    )
    begun = records.tables["referral"]["begin"]
    in_year = begun.between("2021-04-01", "2022-03-31") & ~records.tables["referral"]["repeated"]
    assert counts.frame["referral"].tolist() == [in_year.sum(), 0]
    assert counts.frame["child_in_need"].tolist() == [0, 0]


@real
def test_the_example_of_every_block_is_read_once_its_year_is_said():
    """Its header says 2023 and 31 March 2024."""
    path = Path(DATA) / "cin_returns" / "CIN_Census_2026_example.xml"
    with pytest.raises(TableError, match="says Year 2023 and ReferenceDate 2024-03-31"):
        sg.returns.read_cin_census(path)
    records = sg.returns.read_cin_census(path, years=2023)
    sizes = {kind: len(table) for kind, table in records.tables.items()}
    assert sizes == {
        "referral": 2, "assessment": 2, "child_in_need_plan": 1, "section_47": 1,
        "conference": 2, "child_protection_plan": 1,
    }  # fmt: skip
