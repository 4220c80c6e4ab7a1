import numpy as np
import pandas as pd
import pytest

from door import NAMES, door, large, same, table
from socgrad.errors import (
    SampleOfAreasWarning,
    StageOrderWarning,
    SuppressionWarning,
    TableError,
)
from socgrad.table.strata import Strata

STAGES = ["contacts", "plans"]


def stages(frame, **options):
    """Pass a table of stages through the door, complete unless the test says otherwise."""
    return Strata.from_stages(frame, **({**NAMES, "stages": STAGES, "complete": True} | options))


def long(**columns):
    """Two ages in each area of the small table, with their own children and events."""
    wide = table().drop(columns=["children", "contacts", "plans"])
    young = wide.assign(age="0-4", children=[20, 100, 80, 50, 0, 40], plans=[1, 0, 2, 3, 0, 4])
    old = wide.assign(age="5-17", children=[80, 200, 120, 150, 100, 60], plans=[0, 2, 1, 1, 0, 1])
    return pd.concat([young, old], ignore_index=True).assign(**columns)


def ages(frame, **options):
    """Pass a long table through the door."""
    given = {**NAMES, "stratum": "age", "events": "plans", "complete": True}
    return Strata.from_long(frame, **(given | options))


def rows_of(strata, label, step):
    """A line of the report."""
    report = strata.report
    return report[(report["stratum"] == label) & (report["step"] == step)].iloc[0]


def test_stages_are_what_areas_make_of_them():
    """Each stage is the Areas of its column; the places are held once."""
    strata = stages(table())
    assert strata.labels == ("contacts", "plans")
    assert strata.relation == "stages"
    for label in STAGES:
        assert same(strata[label], door(table(), events=label))
        assert strata[label].deprivation is strata.first.deprivation
    assert len(strata) == 2
    assert list(strata) == STAGES


def test_stages_take_labels():
    """A mapping names the stages in the user's order, whatever the columns are called."""
    strata = stages(table(), stages={"first": "contacts", "second": "plans"})
    assert strata.labels == ("first", "second")
    np.testing.assert_array_equal(strata["second"].events, door(table()).events)


def test_one_exposure_for_all_and_one_each():
    """An exposure column serves all stages, or those that name it; children the others."""
    frame = table().assign(open_cases=[5, 6, 7, 8, 9, 10])
    both = stages(frame, exposure="open_cases", nested=False)
    assert both["contacts"].exposure.tolist() == [5, 6, 7, 8, 9, 10]
    assert both["plans"].exposure.tolist() == [5, 6, 7, 8, 9, 10]
    one = stages(frame, exposure={"plans": "open_cases"})
    np.testing.assert_array_equal(one["contacts"].exposure, one.first.children)
    assert one["plans"].exposure.tolist() == [5, 6, 7, 8, 9, 10]
    np.testing.assert_array_equal(one["plans"].children, one.first.children)


def test_previous_stage_makes_a_chain():
    """Each exposure is the events of the stage before; children still weight the means."""
    chain = stages(table(), exposure="previous stage")
    assert chain.relation == "chain"
    np.testing.assert_array_equal(chain["contacts"].exposure, chain.first.children)
    np.testing.assert_array_equal(chain["plans"].exposure, chain["contacts"].events)
    np.testing.assert_array_equal(chain["plans"].authority_mean, door(table()).authority_mean)


def test_areas_without_the_stage_before_drop_out_with_a_report():
    """In a chain an area without exposure leaves the likelihood and stays in the means."""
    frame = table().assign(contacts=[10, 20, 30, 40, 0, 60])
    chain = stages(frame, exposure="previous stage")
    assert chain["plans"].counted.tolist() == [True, True, True, True, False, True]
    assert rows_of(chain, "plans", "left out: no exposure")["rows"] == 1
    assert rows_of(chain, "contacts", "left out: no exposure")["rows"] == 0
    np.testing.assert_array_equal(chain["plans"].authority_mean, door(table()).authority_mean)
    with pytest.raises(TableError, match=r"Stratum 'plans': Column 'contacts' \(exposure\) is 0"):
        stages(frame, exposure="previous stage", zero_exposure="refuse")


def test_events_without_the_stage_before():
    """Refused by default; left out on request, with a count, and still the next one's exposure."""
    frame = table().assign(contacts=[10, 20, 30, 0, 5, 60], ends=[0, 0, 1, 2, 0, 3])
    given = {"exposure": "previous stage", "stages": ["contacts", "plans", "ends"]}
    with pytest.raises(TableError, match=r"'plans': Column 'contacts' .* is 0 in areas with ev"):
        stages(frame, **given)
    # Area B2 has 4 of the 15 plans and no contact.
    with pytest.warns(StageOrderWarning, match=r"\(plans: 4 of 15 in 1 of 6 areas\)"):
        chain = stages(frame, **given, unmatched_events="leave out")
    assert chain["plans"].counted.tolist() == [True, True, True, False, True, True]
    assert chain["ends"].exposure.tolist() == [1, 2, 3, 4, 0, 5]
    with pytest.raises(TableError, match="unmatched_events='drop' is unknown"):
        stages(frame, **given, unmatched_events="drop")


def test_exceeding_stages_are_counted():
    """More plans than contacts in an area is a warning that says where and by how many."""
    frame = table().assign(plans=[11, 2, 33, 4, 0, 5])
    words = r"plans exceeds contacts in 2 of 6 areas \(A1, B1\), by 4 events in all\."
    with pytest.warns(StageOrderWarning, match=words) as caught:
        stages(frame)
    assert caught[0].filename == __file__
    assert stages(frame, nested=False).relation == "groups"


def test_totals_of_a_stage():
    """A stage may be known by its authorities' totals alone, and exceed in them."""
    totals = {"Ashby": 5, "Barton": 6, "Corby": 150}
    with pytest.warns(StageOrderWarning, match=r"authority totals \(Corby\), by 40 events"):
        strata = stages(
            table(),
            stages={"contacts": None, "plans": None},
            totals={"plans": totals, "contacts": {"Ashby": 30, "Barton": 70, "Corby": 110}},
        )
    assert strata["plans"].total_events.tolist() == [5, 6, 150]
    assert not strata["plans"].counted.any()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"stages": "plans"}, r"Expected the columns of events in order"),
        ({"stages": ["plans", "plans"]}, r"names a column twice"),
        ({"stages": {"a": "plans", "b": "plans"}}, r"'plans' is named for two stages"),
        ({"stages": ["plans"]}, r"1 stratum was given"),
        ({"stages": {"a": "plans", "b": None}}, r"1 of 2 stages have neither a column nor totals"),
        ({"totals": {"plan": {}}}, r"totals names 1 strata that there are not \(plan\)"),
        ({"exposure": {"plan": "children"}}, r"exposure names 1 strata that there are not"),
        ({"exposure": "previous stage", "nested": False}, r"Leave one of them out"),
        ({"stages": ["contacts", "plan"]}, r"Stratum 'plan': Column 'plan' .* Did you mean 'plans"),
        (
            {"exposure": "previous stage", "totals": {"plans": {"Ashby": 3}}},
            r"1 of 2 stages are given as totals \(plans\)",
        ),
    ],
)
def test_stages_that_cannot_be(options, words):
    """What does not name stages is refused with what was expected."""
    with pytest.raises(TableError, match=words):
        stages(table(), **options)


def test_warnings_of_the_places_come_once():
    """A table that looks like a sample is reported once, not once per stage."""
    frame = large(size=4).assign(contacts=9)
    given = {**NAMES, "stages": STAGES, "nested": False}
    with pytest.warns(SampleOfAreasWarning) as caught:
        Strata.from_stages(frame, **given)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_suppressed_counts_of_a_stage():
    """Suppressed counts warn at the caller's line, and are missing in that stage alone."""
    frame = table().astype({"plans": object})
    frame.loc[2, "plans"] = "c"
    with pytest.warns(SuppressionWarning, match="'plans'") as caught:
        strata = stages(frame, missing_events="leave out")
    assert caught[0].filename == __file__
    assert strata["contacts"].counted.all()
    assert strata["plans"].counted.sum() == 5


def test_long_table_by_hand():
    """Children of the stratum are its exposure; all children weight the means."""
    frame = long().drop(index=4)  # no child of 0-4 lives in C1
    strata = ages(frame, missing_rows="leave out")
    assert strata.labels == ("0-4", "5-17")
    assert strata.relation == "groups"
    assert strata["0-4"].exposure.tolist() == [20, 100, 80, 50, 0, 40]
    assert strata["0-4"].children.tolist() == [100, 300, 200, 200, 100, 100]
    assert strata["0-4"].counted.tolist() == [True, True, True, True, False, True]
    # Ashby: (0.1 * 100 + 0.2 * 300) / 400 = 0.175, over both ages.
    assert strata["5-17"].authority_mean[0] == pytest.approx(0.175)
    assert rows_of(strata, "0-4", "not in the table")["rows"] == 1
    assert rows_of(strata, "0-4", "not in the table")["authorities"] == 1
    assert rows_of(strata, "5-17", "not in the table")["rows"] == 0


def test_rows_with_zero_children_say_the_same_as_no_rows():
    """A row of no children, left out, is a row that is not there."""
    there = ages(long(), zero_exposure="leave out")
    gone = ages(long().drop(index=4), missing_rows="leave out")
    for label in there:
        assert same(*(door_like(one[label]) for one in (there, gone)))
    with pytest.raises(TableError, match=r"'0-4': Column 'children of the stratum' .* \(C1\)"):
        ages(long())


def door_like(areas):
    """Areas with unknown counts where there is no exposure."""
    from dataclasses import replace

    return replace(areas, events=np.where(areas.exposure == 0, np.nan, areas.events))


def test_missing_rows_excuse_no_zero():
    """Leaving out absent rows does not let a zero exposure pass that is in the table."""
    with pytest.raises(TableError, match=r"'0-4': .* is 0 in areas: 1 of 6 \(C1\)"):
        ages(long().drop(index=0), missing_rows="leave out")


def test_missing_rows_are_refused_by_name():
    """By default every area needs a row for every stratum."""
    with pytest.raises(TableError, match=r"2 of 12 rows are missing .* \(A1 in '0-4', B2 in '5-17"):
        ages(long().drop(index=[0, 9]))


def test_order_of_the_rows_is_irrelevant():
    """A shuffled long table gives the same strata."""
    frame = long().drop(index=4)
    mixed = frame.sample(frac=1, random_state=2)
    one, other = (ages(given, missing_rows="leave out") for given in (frame, mixed))
    assert all(same(one[label], other[label]) for label in one)


def test_children_of_the_area():
    """The area's children, repeated in its rows, count once; an absent row may mean no events."""
    frame = long(children=[100, 300, 200, 200, 100, 100] * 2)
    strata = ages(frame, children_of="area")
    np.testing.assert_array_equal(strata["0-4"].exposure, strata.first.children)
    fewer = ages(frame.drop(index=[1, 4]), children_of="area", missing_rows="no events")
    assert all(same(strata[label], fewer[label]) for label in strata)
    assert rows_of(fewer, "0-4", "not in the table")["rows"] == 2
    with pytest.raises(TableError, match=r"'children' \(children\) differs .*: 6 of 6"):
        ages(long(), children_of="area")


def test_repeated_children_are_noticed():
    """Children that are the same in every row of an area are not likely those of the stratum."""
    frame = long(children=[100, 300, 200, 200, 100, 100] * 2)
    with pytest.warns(UserWarning, match=r"the same in all rows of each of 6 areas"):
        ages(frame)


def test_own_exposure_of_a_long_table():
    """A column of exposure is each stratum's own; the children only weight."""
    strata = ages(long(cases=range(1, 13)), exposure="cases")
    assert strata["5-17"].exposure.tolist() == [7, 8, 9, 10, 11, 12]
    assert strata["5-17"].children.tolist() == [100, 300, 200, 200, 100, 100]


def test_several_columns_make_a_stratum():
    """Two columns of labels are crossed."""
    frame = pd.concat([long(sex="girls"), long(sex="boys").assign(plans=1)], ignore_index=True)
    strata = ages(
        frame,
        stratum=["age", "sex"],
        zero_exposure="leave out",
        events=None,
        totals={
            label: {"Ashby": 1 + k, "Barton": 2, "Corby": 3}
            for k, label in enumerate(["0-4, boys", "0-4, girls", "5-17, boys", "5-17, girls"])
        },
    )
    assert strata.labels == ("0-4, boys", "0-4, girls", "5-17, boys", "5-17, girls")
    assert strata["5-17, girls"].total_events.tolist() == [4, 2, 3]


def test_order_of_the_strata():
    """The user's order, else that of the categories, else sorted."""
    frame = long(age=["b"] * 6 + ["a"] * 6)
    given = {"zero_exposure": "leave out"}
    assert ages(frame, **given).labels == ("a", "b")
    assert ages(frame, **given, order=["b", "a"]).labels == ("b", "a")
    ordered = frame.assign(age=pd.Categorical(frame["age"], ["z", "b", "a"]))
    strata = ages(ordered, **given)
    assert strata.labels == ("b", "a")
    assert strata["b"].exposure.tolist() == [20, 100, 80, 50, 0, 40]
    with pytest.raises(TableError, match=r"it lacks \['b'\] and names \['c'\]"):
        ages(frame, order=["a", "c"])


def test_years_are_labels():
    """Whole numbers label strata as they are."""
    strata = ages(long(age=[2019] * 6 + [2020] * 6), zero_exposure="leave out")
    assert strata.labels == (2019, 2020)
    assert type(strata.labels[0]) is int


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (
            {"idaci": [0.1, 0.2, 0.3, 0.5, 0.2, 0.6, 0.9, 0.2, 0.3, 0.5, 0.2, 0.6]},
            {},
            r"'idaci' \(deprivation\) differs between the rows of one area, in areas: 1 of 6",
        ),
        (
            {"la": ["Ashby"] * 7 + ["Barton"] * 5},
            {},
            r"'la' \(authority\) differs .* areas: 5 of 6",
        ),
        ({"age": ["0-4"] * 12}, {}, r"6 of 12 rows repeat an area and stratum \(A1 in '0-4'"),
        ({"age": [None] + ["0-4"] * 11}, {}, r"'age' \(stratum\) has missing or blank labels"),
        ({"children": [None, *range(11)]}, {}, r"'children' \(children\) has missing values"),
        ({}, {"children_of": "both"}, r"children_of='both' is unknown"),
        ({}, {"missing_rows": "drop"}, r"missing_rows='drop' is unknown"),
        ({}, {"missing_rows": "no events"}, r"needs an exposure that is known without the row"),
        ({}, {"stratum": []}, r"stratum names no column"),
        ({}, {"stratum": "ages"}, r"'ages' \(stratum\) is not in the table. Did you mean 'age'"),
        ({}, {"totals": {"6-9": {}}}, r"totals names 1 strata that there are not \(6-9\)"),
        (
            {},
            {"missing_rows": "no events", "children_of": "area", "events": None},
            r"needs a column of events",
        ),
    ],
)
def test_long_tables_that_cannot_be(change, options, words):
    """What does not say who is where is refused with the column and the first keys."""
    with pytest.raises(TableError, match=words):
        ages(long(**change), **options)


def test_a_total_is_no_stratum():
    """A group that has the events of all others in every area counts them twice."""
    frame = table().assign(plans=[10, 20, 30, 40, 0, 50], a=[4, 5, 6, 7, 0, 8])
    frame["b"] = frame["plans"] - frame["a"]
    with pytest.raises(TableError, match=r"Stratum 'plans' looks like a total: in each of 5 "):
        stages(frame, stages=["plans", "a", "b"], nested=False)


def test_covariates_belong_to_the_places():
    """Stages and long tables hand on covariates once; those that differ in an area are refused."""
    wide = stages(table().assign(rural=[0, 1, 0, 1, 1, 0]), covariates=["rural"])
    assert wide["plans"].covariates["rural"].tolist() == [0, 1, 0, 1, 1, 0]
    assert wide["plans"].covariates is wide["contacts"].covariates
    frame, given = long(rural=[0, 1, 0, 1, 1, 0] * 2), {"zero_exposure": "leave out"}
    strata = ages(frame, covariates=["rural"], **given)
    assert strata["0-4"].covariates["rural"].tolist() == [0, 1, 0, 1, 1, 0]
    with pytest.raises(TableError, match=r"'rural' \(covariate\) differs .* areas: 1 of 6 \(A1\)"):
        ages(frame.assign(rural=[1, 1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0]), covariates=["rural"])
    with pytest.raises(TableError, match=r"is one text\. Expected a list"):
        ages(frame, covariates="rural", **given)


def test_strata_of_other_places_are_refused():
    """Areas that differ in what the strata share cannot be joined."""
    one, other = door(table()), door(table().assign(idaci=table()["idaci"] / 2))
    words = r"'a' and 'b' differ in deprivation, authority_mean, national_mean"
    with pytest.raises(TableError, match=words):
        Strata(tables={"a": one, "b": other})
    with pytest.raises(TableError, match="labels that are all text or all whole numbers"):
        Strata(tables={"a": one, 1: one})
    with pytest.raises(TableError, match="relation='steps' is unknown"):
        Strata(tables={"a": one, "b": one}, relation="steps")


def test_what_strata_print():
    """One line says what they are; one line for each says what is known."""
    strata = stages(table(), exposure="previous stage")
    assert repr(strata) == (
        "Strata(2 stages, each on the one before: contacts, plans; 6 areas, 3 authorities)"
    )
    lines = str(strata).splitlines()
    assert lines[1].split()[:3] == ["stratum", "events", "exposure"]
    assert lines[3].split() == ["plans", "15", "210", "6", "0", "0", "0"]


def test_many_strata_hold_the_places_once():
    """Twenty strata share one copy of what belongs to the areas."""
    rng = np.random.default_rng(1)
    frame = large(authorities=30, size=70)
    frame = frame.assign(**{f"s{k}": rng.poisson(2, len(frame)) for k in range(20)})
    strata = stages(frame, stages=[f"s{k}" for k in range(20)], nested=False)
    assert len({id(areas.children) for areas in strata.values()}) == 1
