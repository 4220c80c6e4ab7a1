"""Tables of the standard safeguarding dataset."""

import pandas as pd
import pytest

import socgrad as sg
from returns_tables import counted, homes, totals
from socgrad.errors import TableError

TABLES = {
    "ssd_person": pd.DataFrame({"pers_person_id": ["1"], "pers_dob": ["2015-01-01"]}),
    "ssd_cin_episodes": pd.DataFrame(
        {
            "cine_referral_id": ["r1", "r2"],
            "cine_person_id": ["1", "2"],
            "cine_referral_date": ["2022-05-01 00:00:00", "2022-06-01 00:00:00"],
            "cine_close_date": [None, None],
            "cine_cin_primary_need_code": ["N2", "N5"],
            "cine_referral_nfa": ["N", "Y"],
            "cine_close_reason": [None, None],
        }
    ),
    "ssd_cp_plans": pd.DataFrame(
        {
            "cppl_referral_id": ["r1", "r9"],
            "cppl_person_id": ["1", "2"],
            "cppl_cp_plan_start_date": ["2022-06-01", "2022-07-01"],
            "cppl_cp_plan_end_date": [None, None],
            "cppl_cp_plan_initial_category": ["NEG", "EMO"],
            "cppl_cp_plan_latest_category": ["NEG", "EMO"],
        }
    ),
}
HOMES = homes(("1", "A"), ("2", "B"))


def read(tables, **options):
    """Records of two years."""
    return sg.returns.read_safeguarding(
        tables, **({"start": "2021-04-01", "end": "2023-03-31"} | options)
    )


def test_needs_of_plans_are_those_of_their_referral():
    """By the referral's identifier; a plan without one has no known need."""
    records = read(TABLES)
    assert totals(counted(records, HOMES, "referral", "child_in_need")) == {
        "referral": 2, "child_in_need": 1,
    }  # fmt: skip
    frame = counted(records, HOMES, "child_protection_plan", by="need").frame
    plans = frame.groupby("need", observed=True)["child_protection_plan"].sum()
    assert plans.to_dict() == {"N2 child's disability or illness": 1, "Not known": 1}


def test_a_person_without_a_row_counts_and_is_noted():
    """Age and ethnicity are not known."""
    records = read(TABLES)
    assert len(records.identifiers) == 2
    assert "no row of their own" in str(records)


def test_an_extract_has_the_years_that_are_said():
    """And refuses others; a year counts if its last day is in it."""
    assert read(TABLES).covers(2022)
    early = read(TABLES, end="2023-03-30")
    with pytest.raises(TableError, match="complete from 2021-04-01 to 2023-03-30"):
        counted(early, HOMES, "referral")
    for start, end in (("2021", "2023-03-31"), ("2023-04-01", "2023-03-31"), ("", "2023-03-31")):
        with pytest.raises(TableError, match=r"are no period. Expected two dates"):
            read(TABLES, start=start, end=end)


def test_tables_that_are_missing_or_strange_are_refused(tmp_path):
    """By name."""
    with pytest.raises(TableError, match="ssd_cin_episodes is not among the tables"):
        read({"ssd_person": TABLES["ssd_person"]})
    with pytest.raises(TableError, match="ssd_person and ssd_cin_episodes are not among"):
        read(tmp_path)
    with pytest.raises(TableError, match="names ssd_contacts, of which nothing is counted"):
        read(TABLES | {"ssd_contacts": TABLES["ssd_person"]})
    with pytest.raises(TableError, match="ssd_cin_episodes has no column cine_person_id"):
        read(TABLES | {"ssd_cin_episodes": TABLES["ssd_person"]})
    few = TABLES["ssd_cin_episodes"][["cine_referral_id", "cine_person_id", "cine_referral_date"]]
    with pytest.raises(TableError, match="Alike are") as caught:
        read(TABLES | {"ssd_cin_episodes": few})
    assert str(caught.value).count("'cine_referral_date'") == 1  # of several that are not there
