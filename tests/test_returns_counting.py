"""Counts of generated returns against what is known of them, and the ledger that adds up."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import socgrad as sg
from returns_tables import PLACES, case, child, counted, homes, plan, reasons, totals, write
from socgrad.errors import SocgradWarning, TableError
from socgrad.returns.entries import entries_of
from socgrad.returns.ledger import COUNTED
from socgrad.returns.rules import RULES


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """Returns of an authority that is not there."""
    return sg.returns.example_returns(
        tmp_path_factory.mktemp("returns"), children=1500, areas=75, random_seed=7
    )


@pytest.fixture(scope="module")
def places(example):
    """Its areas."""
    return pd.read_csv(example.places)


@pytest.fixture(scope="module")
def residence(example):
    """Where its children lived."""
    return sg.returns.Residence.from_frame(
        pd.read_csv(example.residence, dtype=str),
        child="child",
        area="lsoa",
        start="from",
        end="to",
    )


@pytest.fixture(scope="module")
def records(example):
    """Both censuses."""
    return sg.returns.read_cin_census([example.census[2023], example.census[2022]])


def stages_of(records):
    """Every stage that the records can answer."""
    return [stage for stage, rule in RULES.items() if rule.kind in records.tables]


@pytest.fixture(scope="module")
def counts(records, residence, places):
    """All stages of the census."""
    stages = stages_of(records)
    return sg.returns.count(records, residence, places, area="lsoa", year=2023, stages=stages)


def test_every_count_of_every_area_is_the_known_one(counts, example):
    """Eighteen stages by area, told off by other means while the files were written."""
    found = counts.frame.set_index("lsoa")[list(counts.stages)]
    known = example.known_by_area.reindex(columns=counts.stages)
    assert len(counts.stages) == 18
    assert (known.sum() > 5).all()
    np.testing.assert_allclose(found, known, atol=1e-9)


def test_what_has_no_area_is_known_by_reason(counts, example):
    """Without a row, without one on the day, and outside: as many as were made so."""
    ledger = counts.ledger.pivot_table(index="stage", columns="reason", values="amount")
    for why, reason in (
        ("no_row", "child not in the residence table"),
        ("no_area", "no area on that day"),
        ("outside", "outside the areas"),
    ):
        known = example.known.loc[list(counts.stages), why]
        found = ledger[reason].reindex(counts.stages).fillna(0)
        np.testing.assert_allclose(found, known, atol=1e-9)
        assert known.sum() > 5


def test_safeguarding_tables_count_as_the_census_does(example, residence, places):
    """Other files of the same children give the same counts, but for plans before all records."""
    records = sg.returns.read_safeguarding(
        example.safeguarding, start="2020-04-01", end="2023-03-31"
    )
    stages = [stage for stage in stages_of(records) if stage != "repeat_plan"]
    counts = sg.returns.count(records, residence, places, area="lsoa", year=2023, stages=stages)
    found = counts.frame.set_index("lsoa")[stages]
    np.testing.assert_allclose(found, example.known_by_area[stages], atol=1e-9)


def test_ssda903_counts_are_the_known_ones(example, residence, places):
    """Starts, ends, open and months of being looked after."""
    records = sg.returns.read_ssda903(example.episodes, example.header, year=2023)
    counts = sg.returns.count(
        records, residence, places, area="lsoa", year=2023, stages=stages_of(records)
    )
    found = counts.frame.set_index("lsoa")[list(counts.stages)]
    known = example.known_by_area[list(counts.stages)]
    assert (known.sum() > 0).all()
    np.testing.assert_allclose(found, known, atol=1e-9)


def test_the_ledger_accounts_for_every_record_and_every_child(counts, records):
    """Stage by stage, amounts add up to all records of the kind, children to all children."""
    for stage, rows in counts.ledger.groupby("stage"):
        rule = RULES[stage]
        assert rows["children"].sum() == len(records.identifiers)
        if rule.dated != "months":
            assert rows["amount"].sum() == len(records.tables[rule.kind])
        held = rows.set_index("reason").loc["counted", "amount"]
        assert held == pytest.approx(counts.frame[stage].sum())


def test_areas_without_events_are_zeros(counts, places):
    """Every area has a row and whole numbers, in the order given."""
    assert counts.frame["lsoa"].tolist() == places["lsoa"].tolist()
    assert counts.frame[places.columns.tolist()].equals(places)
    assert (counts.frame["child_protection_plan"] == 0).sum() > 5
    assert counts.frame["child_protection_plan"].dtype == np.int64


@pytest.mark.parametrize("by", ["age", "ethnicity", "need", ("age", "ethnicity")])
def test_strata_add_up_to_the_whole(records, residence, places, counts, by):
    """Broken down, each area's referrals and months are what they were."""
    split = sg.returns.count(
        records, residence, places, area="lsoa", year=2023, by=by,
        stages=["referral", "months_open"],
    )  # fmt: skip
    sums = split.frame.groupby("lsoa")[["referral", "months_open"]].sum()
    whole = counts.frame.set_index("lsoa")[["referral", "months_open"]]
    np.testing.assert_allclose(sums, whole, atol=1e-9)
    dims = [by] if isinstance(by, str) else list(by)
    assert not split.frame.duplicated(["lsoa", *dims]).any()
    assert split.frame.groupby(dims, observed=True).ngroups > 4


def test_categories_of_plans_add_up(records, residence, places, counts):
    """By category of abuse, which only plans have."""
    split = sg.returns.count(
        records, residence, places, area="lsoa", year=2023, by="category",
        stages=["child_protection_plan"],
    )  # fmt: skip
    sums = split.frame.groupby("category", observed=True)["child_protection_plan"].sum()
    assert sums.sum() == counts.frame["child_protection_plan"].sum()
    assert sums.index[0] == "Neglect"
    with pytest.raises(TableError, match="only child protection plans have a category of abuse"):
        sg.returns.count(
            records, residence, places, area="lsoa", year=2023, by="category", stages=["referral"]
        )


def test_frames_are_what_the_door_takes(counts, records, residence, places):
    """Counts and stages as they are, and groups as a long table."""
    roles = {
        "area": "lsoa", "authority": "region", "deprivation": "deprivation",
        "children": "children", "complete": True,
    }  # fmt: skip
    halves = np.where(counts.frame["lsoa"] < "E01000040", "north", "south")
    frame = counts.frame.assign(region=halves)
    areas = sg.Areas.from_frame(frame, events="referral", **roles)
    assert areas.events.sum() == counts.frame["referral"].sum()
    closures = sg.Areas.from_frame(
        frame, events="closed", exposure="months_open", zero_exposure="leave out", **roles
    )
    assert closures.exposure.sum() == pytest.approx(counts.frame["months_open"].sum())
    stages = ["referral", "child_in_need", "child_protection_plan"]
    assert sg.Strata.from_stages(frame, stages=stages, **roles).labels == tuple(stages)
    split = sg.returns.count(
        records, residence, frame[[*places.columns, "region"]], area="lsoa", year=2023,
        stages=["referral"], by="age", age_bands=(5, 10, 16),
    )  # fmt: skip
    groups = sg.Strata.from_long(
        split.frame, stratum="age", events="referral", children_of="area", **roles
    )
    assert groups.labels[:3] == ("Unborn", "0 to 4", "5 to 9")


def test_stages_of_two_returns_stand_side_by_side(counts, example, residence):
    """The frame of one count is the places of the next."""
    care = sg.returns.read_ssda903(example.episodes, example.header, year=2023)
    both = sg.returns.count(
        care, residence, counts.frame, area="lsoa", year=2023, stages=["looked_after"]
    )
    assert both.frame["referral"].equals(counts.frame["referral"])
    with pytest.raises(TableError, match="already has columns looked_after"):
        sg.returns.count(
            care, residence, both.frame, area="lsoa", year=2023, stages=["looked_after"]
        )


def test_order_of_files_addresses_and_areas_is_of_no_account(example, counts, places):
    """Shuffled, everything gives the same counts."""
    rng = np.random.default_rng(3)
    shuffled = pd.read_csv(example.residence, dtype=str).sample(frac=1, random_state=5)
    residence = sg.returns.Residence.from_frame(
        shuffled, child="child", area="lsoa", start="from", end="to"
    )
    records = sg.returns.read_cin_census([example.census[2022], example.census[2023]])
    order = rng.permutation(len(places))
    again = sg.returns.count(
        records, residence, places.iloc[order], area="lsoa", year=2023, stages=list(counts.stages)
    )
    found = again.frame.set_index("lsoa").loc[places["lsoa"], list(counts.stages)]
    np.testing.assert_allclose(found, counts.frame[list(counts.stages)], atol=1e-9)


def test_children_can_be_looked_up_by_reason(tmp_path):
    """To put records right, and only when asked."""
    records = sg.returns.read_cin_census(
        write(tmp_path, child("01", case("2022-05-01")), child("02", case("2022-06-01")))
    )
    counts = counted(records, homes(("01", "A")), "referral")
    missing = counts.children_with("child not in the residence table", stage="referral")
    assert missing.tolist() == ["02"]
    assert counts.children_with("counted", stage="referral").tolist() == ["01"]
    with pytest.raises(TableError, match="The ledger has no 'lost' of 'referral'"):
        counts.children_with("lost", stage="referral")


def test_each_child_or_each_record(tmp_path):
    """Two referrals of one child are two, or one child, the first that can be placed."""
    twice = child("1", case("2022-05-01", "2022-05-20"), case("2022-09-01"))
    records = sg.returns.read_cin_census(write(tmp_path, twice))
    moved = homes(("1", "A", "2022-08-01"))
    half = counted(records, moved, "referral")
    assert totals(half) == {"referral": 1}
    assert half.ledger.set_index("reason")["children"].to_dict() == {
        "counted": 1, "no area on that day": 0,
    }  # fmt: skip
    home = homes(("1", "A"))
    assert totals(counted(records, home, "referral")) == {"referral": 2}
    once = counted(records, home, "referral", each="child")
    assert totals(once) == {"referral": 1}
    assert reasons(once, "referral") == {"counted": 1, "the child counts once": 1}
    assert totals(counted(records, moved, "referral", each="child")) == {"referral": 1}


def test_age_is_that_of_the_day_or_of_the_end_of_the_year(tmp_path):
    """A child who turns five in between is in one band or in the other; unborn is a band."""
    people = [
        child("1", case("2022-05-01"), birth="2017-08-01"),
        child("2", case("2022-05-01"), birth="2022-09-01"),
        child("3", case("2022-05-01"), birth=""),
    ]
    records = sg.returns.read_cin_census(write(tmp_path, *people))
    where = homes(("1", "A"), ("2", "A"), ("3", "A"))

    def bands(**options):
        frame = counted(records, where, "referral", by="age", **options).frame
        return frame[frame["referral"] > 0].set_index("age")["referral"].to_dict()

    assert bands() == {"1 to 4": 1, "Unborn": 1, "Not known": 1}
    assert bands(age_at="31 March") == {"5 to 9": 1, "Under 1": 1, "Not known": 1}
    assert bands(age_bands=(8, 18)) == {"0 to 7": 1, "Unborn": 1, "Not known": 1}


def test_months_follow_the_child_and_its_birthday(tmp_path):
    """Open for 100 days: 40 in A, 60 in B; divided again where the child turns five."""
    records = sg.returns.read_cin_census(
        write(tmp_path, child("1", case("2022-05-01", "2022-08-08"), birth="2017-07-01"))
    )
    where = homes(("1", "A", "2020-01-01", "2022-06-10"), ("1", "B", "2022-06-10"))
    months = counted(records, where, "months_open").frame.set_index("lsoa")["months_open"]
    assert (months * 365 / 12).round(6).to_dict() == {"A": 40, "B": 60, "C": 0}
    split = counted(records, where, "months_open", by="age").frame
    days = (split.set_index(["lsoa", "age"])["months_open"] * 365 / 12).round(6)
    assert days["B"].to_dict() == {"1 to 4": 21, "5 to 9": 39}


def test_latest_category_differs_from_the_first(tmp_path):
    """A plan that began for neglect and is now for emotional abuse."""
    inside = plan("2022-06-01", category="NEG", latest="EMO")
    path = write(tmp_path, child("1", case("2022-05-01", inside=inside)))
    records = sg.returns.read_cin_census(path)
    for which, expected in (("initial", "Neglect"), ("latest", "Emotional abuse")):
        frame = counted(
            records, homes(("1", "A")), "child_protection_plan", by="category", category=which
        ).frame
        assert frame["category"].unique().tolist() == [expected]


def test_unknown_codes_are_not_known_but_counted(tmp_path):
    """A code that is none, and one that is refused, are in one group."""
    path = write(
        tmp_path,
        child("1", case("2022-05-01", need="N12"), ethnicity="REFU"),
        child("2", case("2022-05-01", need="N3"), ethnicity="XXXX"),
    )
    records = sg.returns.read_cin_census(path)
    where = homes(("1", "A"), ("2", "B"))
    frame = counted(records, where, "referral", by="ethnicity").frame
    assert frame.groupby("ethnicity", observed=True)["referral"].sum().to_dict() == {"Not known": 2}
    needs = counted(records, where, "referral", by="need").frame
    assert needs.groupby("need", observed=True)["referral"].sum().to_dict() == {
        "N3 parent's disability or illness": 1,
        "Not known": 1,
    }


def test_what_cannot_be_counted_is_refused(tmp_path):
    """Years, stages and options that are not there, with what to do."""
    records = sg.returns.read_cin_census(write(tmp_path, child("1", case("2022-05-01"))))
    home = homes(("1", "A"))
    for year in (2022, 2024):
        with pytest.raises(TableError, match="A year is named by the 31 March on which it ends"):
            sg.returns.count(records, home, PLACES, area="lsoa", year=year, stages=["referral"])
    with pytest.raises(TableError, match="year='2023' is no year"):
        sg.returns.count(records, home, PLACES, area="lsoa", year="2023", stages=["referral"])
    with pytest.raises(TableError, match=r"stages names 'referrals' to count"):
        counted(records, home, "referrals")
    with pytest.raises(TableError, match=r"the records \(CIN census\) have no periods of being"):
        counted(records, home, "looked_after")
    with pytest.raises(TableError, match="by='sex' is unknown"):
        counted(records, home, "referral", by="sex")
    with pytest.raises(TableError, match=r"each='children' is unknown. Expected 'record' or 'ch"):
        counted(records, home, "referral", each="children")
    with pytest.raises(TableError, match=r"age_bands=\(5, 3\) is unknown"):
        counted(records, home, "referral", by="age", age_bands=(5, 3))
    twice = pd.concat([PLACES, PLACES[:1]])
    with pytest.raises(TableError, match=r"has 1 areas in several rows \(A\)"):
        sg.returns.count(records, home, twice, area="lsoa", year=2023, stages=["referral"])
    with pytest.raises(TableError, match="already has columns referral"):
        sg.returns.count(
            records, home, PLACES.assign(referral=0), area="lsoa", year=2023, stages=["referral"]
        )
    with pytest.raises(TableError, match="Nothing was counted, so that there are no strata by age"):
        counted(records, home, "section_47", by="age")


def test_areas_of_another_census_are_recognised(tmp_path):
    """None in the areas is refused; a fifth outside them is warned of."""
    people = [child(str(k), case("2022-05-01")) for k in range(10)]
    records = sg.returns.read_cin_census(write(tmp_path, *people))
    elsewhere = homes(*[(str(k), "E01033333") for k in range(10)])
    with pytest.raises(TableError, match=r"the two tables name areas differently. Expected codes"):
        counted(records, elsewhere, "referral")
    some = homes(*[(str(k), "A" if k > 1 else "E01033333") for k in range(10)])
    with pytest.warns(SocgradWarning, match="2 of 10 records with an area lie outside"):
        counts = counted(records, some, "referral")
    assert reasons(counts, "referral") == {"counted": 8, "outside the areas": 2}


DAYS = st.dates(
    min_value=pd.Timestamp("2021-04-01").date(), max_value=pd.Timestamp("2023-06-30").date()
)


@settings(max_examples=8)
@given(
    spans=st.lists(
        st.tuples(st.integers(0, 3), DAYS, st.none() | DAYS, st.booleans()), min_size=1, max_size=12
    ),
    moves=st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ABCZ"), DAYS), max_size=6),
)
def test_any_records_add_up(tmp_path_factory, spans, moves):
    """Whatever dates and moves: nothing is lost, no day of a child counts twice."""
    people = [
        child(
            f"c{who}",
            *[
                case(begin, end, stopped=str(stopped).lower())
                for of, begin, end, stopped in spans
                if of == who
            ],
        )
        for who in range(4)
    ]
    path = write(tmp_path_factory.mktemp("any"), *people)
    records = sg.returns.read_cin_census(path)
    where = homes(("c0", "A"), *[(f"c{who}", area, str(day)) for who, area, day in moves])
    stages = ["referral", "closed", "open_at_31_march", "months_open"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("socgrad.returns.counting.warn_of_outside", lambda _: None)
        counts = counted(records, where, *stages)
    for stage, rows in counts.ledger.groupby("stage"):
        assert rows["children"].sum() == 4
        total = rows["amount"].sum()
        if stage == "months_open":
            entries = entries_of(records, RULES[stage], 2023)
            days = {
                (row.child, day)
                for row in entries[entries["reason"] == COUNTED].itertuples()
                for day in pd.date_range(row.first, row.after, inclusive="left")
            }
            assert total * 365 / 12 == pytest.approx(len(days))
        else:
            assert total == len(spans)
