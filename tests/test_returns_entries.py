"""Counting rules on children whose dates are at an edge, worked out by hand."""

import os
from pathlib import Path

import pandas as pd
import pytest

import socgrad as sg
from returns_tables import case, child, counted, homes, plan, reasons, totals, write
from socgrad.errors import TableError

HOME = homes(("1", "A"))


def of(folder, *cases, **options):
    """Records of one child in one census."""
    return sg.returns.read_cin_census(write(folder, child("1", *cases), **options))


def of_two_years(folder, last, this):
    """Records of one child in two censuses."""
    files = [
        write(folder, child("1", *last), child("9"), year=2022),
        write(folder, child("1", *this), child("9"), year=2023),
    ]
    return sg.returns.read_cin_census(files)


@pytest.mark.parametrize(
    ("before", "again"),
    [("2021-10-06", 1), ("2021-10-05", 0), ("2022-10-05", 1), ("2022-10-06", 0)],
)
def test_a_rereferral_follows_within_twelve_months(tmp_path, before, again):
    """The same day a year before is within; the day before it is not; one day has one referral."""
    year = 2022 if before < "2022-04-01" else 2023
    early, late = case(before, before, stopped="true"), case("2022-10-06")
    records = of_two_years(
        tmp_path, [early] if year == 2022 else [], [late] if year == 2022 else [early, late]
    )
    assert totals(counted(records, HOME, "rereferral")) == {"rereferral": again}


def test_a_rereferral_after_a_leap_day_looks_back_to_28_february():
    """Twelve months before 29 February."""
    import numpy as np

    from socgrad.returns.dates import twelve_months_before

    days = np.array(["2024-02-29", "2024-03-01", "2023-03-01"], dtype="datetime64[D]")
    assert twelve_months_before(days).astype(str).tolist() == [
        "2023-02-28", "2023-03-01", "2022-03-01",
    ]  # fmt: skip


def test_rereferrals_need_the_year_before(tmp_path):
    """One year's return cannot know; counted all the same it knows what is in it."""
    records = of(tmp_path, case("2022-05-01", "2022-05-10"), case("2022-09-01"))
    with pytest.raises(TableError, match="needs the records of the year that ends in March 2022"):
        counted(records, HOME, "rereferral")
    with pytest.raises(TableError, match="closed_last_year needs the records of the year"):
        counted(records, HOME, "referral", "closed_last_year")
    counts = counted(records, HOME, "rereferral", left_censored="count")
    assert totals(counts) == {"rereferral": 1}


@pytest.mark.parametrize(
    ("begin", "end", "open_", "closed"),
    [
        ("2023-03-31", None, 1, 0),
        ("2023-04-01", None, 0, 0),
        ("2022-05-01", "2023-03-31", 0, 1),
        ("2022-05-01", "2023-04-01", 1, 0),
        ("2022-03-31", "2022-04-01", 0, 1),
    ],
)
def test_open_at_31_march_is_at_the_end_of_the_day(tmp_path, begin, end, open_, closed):
    """Closed on 31 March is closed, and not open."""
    counts = counted(of(tmp_path, case(begin, end)), HOME, "open_at_31_march", "closed")
    assert totals(counts) == {"open_at_31_march": open_, "closed": closed}


def test_no_further_action_is_a_referral_and_no_episode(tmp_path):
    """Referred, but neither in need, nor open, nor closed, nor open for months."""
    records = of(tmp_path, case("2022-05-01", "2022-05-02", stopped="1"))
    stages = ["referral", "no_further_action", "child_in_need", "closed", "months_open"]
    counts = counted(records, HOME, *stages, "open_at_31_march")
    assert [totals(counts)[stage] for stage in stages] == [1, 1, 0, 0, 0]
    assert reasons(counts, "child_in_need") == {"not what the rule counts": 1}


@pytest.mark.parametrize(("reason", "needed"), [("RC7", 1), ("RC8", 0), ("RC9", 0)])
def test_closed_after_assessment_is_a_referral_and_no_episode(tmp_path, reason, needed):
    """Assessed and not in need, as the department's episodes leave it out."""
    records = of(tmp_path, case("2022-05-01", "2022-06-01", reason=reason))
    stages = ["referral", "not_in_need", "child_in_need", "closed"]
    assert list(totals(counted(records, HOME, *stages)).values()) == [1, 1 - needed, needed, needed]
    months = totals(counted(records, HOME, "months_open"))["months_open"]
    assert months * 365 / 12 == pytest.approx(32 * needed)


@pytest.mark.skipif("SOCGRAD_DATA" not in os.environ, reason="SOCGRAD_DATA is unset")
def test_published_episodes_are_referrals_less_those_without_need():
    """The rule of `child_in_need` is that of the department's tables of England."""
    folder = Path(os.environ["SOCGRAD_DATA"]) / "dfe_cin" / "raw_ees_2022"

    def england(name, columns):
        table = pd.read_csv(folder / name, encoding="utf-8-sig", dtype=str)
        table = table[table["geographic_level"] == "National"].set_index("time_period")
        return table[columns].astype(float)

    episodes = england("b1_children_in_need_2013_to_2022.csv.gz", "Started_episodes")
    columns = ["Referrals", "No_Further_Action", "Not_in_Need"]
    parts = england("c1_children_in_need_referrals_and_rereferrals_2013_to_2022.csv.gz", columns)
    ratio = (parts["Referrals"] - parts["No_Further_Action"] - parts["Not_in_Need"]) / episodes
    assert ratio.sort_index().loc["2016":].sub(1).abs().max() < 0.002


def test_an_open_child_counts_once_and_months_do_not_overlap(tmp_path):
    """Two episodes at once: one child, and each day once."""
    records = of(tmp_path, case("2023-01-01"), case("2023-01-21"), case("2022-12-30", "2023-01-10"))
    counts = counted(records, HOME, "open_at_31_march", "months_open")
    assert totals(counts)["open_at_31_march"] == 1
    assert reasons(counts, "open_at_31_march")["the child counts once"] == 1
    assert totals(counts)["months_open"] * 365 / 12 == pytest.approx(92)


def test_a_whole_year_is_twelve_months(tmp_path):
    """Open before and after the year."""
    counts = counted(of(tmp_path, case("2020-01-01")), HOME, "months_open")
    assert totals(counts) == {"months_open": pytest.approx(12)}


def test_a_case_that_the_later_return_lacks_is_not_open_for_ever(tmp_path):
    """Open in last year's return, absent from this year's: it ended, nobody knows when."""
    counts = counted(
        of_two_years(tmp_path, [case("2021-06-01")], []), HOME, "open_at_31_march", "months_open"
    )
    assert totals(counts) == {"open_at_31_march": 0, "months_open": 0}
    assert reasons(counts, "open_at_31_march") == {"absent from the later return": 1}


def test_a_case_in_two_returns_is_one_and_its_end_is_known(tmp_path):
    """Open in last year's return and closed in this year's."""
    records = of_two_years(tmp_path, [case("2021-06-01")], [case("2021-06-01", "2022-04-30")])
    counts = counted(records, HOME, "closed", "open_at_31_march", "months_open", "referral")
    assert totals(counts)["closed"] == 1
    assert totals(counts)["open_at_31_march"] == 0
    assert totals(counts)["months_open"] * 365 / 12 == pytest.approx(30)
    assert reasons(counts, "referral") == {"before the year": 1, "the same record again": 1}


def test_plans_that_start_are_not_plans_that_are_open(tmp_path):
    """One began before the year and is open, one began in it and ended; the second is a repeat."""
    inside = plan("2021-05-01") + plan("2022-05-01", "2022-08-01", previous=1)
    records = of(tmp_path, case("2021-04-20", inside=inside))
    stages = ["child_protection_plan", "repeat_plan", "plan_ended", "plan_at_31_march"]
    assert list(totals(counted(records, HOME, *stages)).values()) == [1, 1, 1, 1]


def test_repeat_plans_without_a_number_follow_an_earlier_one(tmp_path):
    """The standard dataset has no number of previous plans: an earlier one among the records."""
    inside = plan("2021-05-01", "2021-08-01") + plan("2022-05-01")
    text = write(tmp_path, child("1", case("2021-04-20", inside=inside)))
    bare = text.read_text().replace("<NumberOfPreviousCPP>0</NumberOfPreviousCPP>", "")
    text.write_text(bare)
    records = sg.returns.read_cin_census(text)
    assert totals(counted(records, HOME, "repeat_plan")) == {"repeat_plan": 1}


def test_conferences_are_dated_in_two_places_and_count_once(tmp_path):
    """In the enquiry and in the case: the same day is one, another day is another."""
    enquiry = (
        "<Section47><S47ActualStartDate>2022-06-01</S47ActualStartDate>"
        "<DateOfInitialCPC>2022-06-15</DateOfInitialCPC></Section47>"
    )
    for day, number in (("2022-06-15", 1), ("2022-09-15", 2)):
        inside = f"{enquiry}<DateOfInitialCPC>{day}</DateOfInitialCPC>"
        counts = counted(of(tmp_path, case("2022-05-01", inside=inside)), HOME, "conference")
        assert totals(counts) == {"conference": number}


def test_assessments_count_when_they_are_authorised(tmp_path):
    """Begun the year before, authorised in it; one that is not authorised has no date."""
    inside = (
        "<Assessments><AssessmentActualStartDate>2022-03-20</AssessmentActualStartDate>"
        "<AssessmentAuthorisationDate>2022-04-20</AssessmentAuthorisationDate></Assessments>"
        "<Assessments><AssessmentActualStartDate>2023-03-20</AssessmentActualStartDate>"
        "</Assessments>"
    )
    counts = counted(of(tmp_path, case("2022-03-10", inside=inside)), HOME, "assessment")
    assert reasons(counts, "assessment") == {"counted": 1, "without a date": 1}


def test_an_end_before_the_beginning_is_no_episode(tmp_path):
    """It is a referral; it is neither closed nor months."""
    records = of(tmp_path, case("2022-06-01", "2022-05-01"))
    counts = counted(records, HOME, "referral", "closed", "months_open")
    assert totals(counts) == {"referral": 1, "closed": 0, "months_open": 0}
    assert reasons(counts, "closed") == {"ends before it begins": 1}


def test_the_area_is_that_of_the_day(tmp_path):
    """A child who moves within the year is referred from one area and closed in another."""
    moved = homes(("1", "A", "2020-01-01", "2022-07-01"), ("1", "B", "2022-07-01"))
    frame = counted(
        of(tmp_path, case("2022-06-30", "2022-09-01")), moved, "referral", "closed"
    ).frame.set_index("lsoa")
    assert frame.loc[["A", "B"], ["referral", "closed"]].to_numpy().tolist() == [[1, 0], [0, 1]]


def test_the_expected_birth_counts_until_there_is_another(tmp_path):
    """Unborn at the referral by the expected date; born, by the date of birth."""
    path = write(tmp_path, child("1", case("2022-05-01"), birth="2022-07-01"))
    path.write_text(path.read_text().replace("PersonBirthDate", "ExpectedPersonBirthDate"))
    frame = counted(sg.returns.read_cin_census(path), HOME, "referral", by="age").frame
    assert frame["age"].unique().tolist() == ["Unborn"]
