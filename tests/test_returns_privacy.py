"""Identifiers of children stay inside: in nothing that is printed, warned of, refused or saved."""

import logging
import pickle
import warnings

import pandas as pd
import pytest

import socgrad as sg
from returns_tables import PLACES, case, child, homes, plan, write

SECRETS = [f"CONFIDENTIAL{k:02d}" for k in range(12)]
BIRTH = "2011-11-09"


@pytest.fixture
def records(tmp_path):
    """Twelve children with names that would be seen."""
    people = [
        child(name, case("2022-05-01", inside=plan("2022-06-01")), birth=BIRTH) for name in SECRETS
    ]
    return sg.returns.read_cin_census(write(tmp_path, *people))


@pytest.fixture
def residence():
    """Where eleven of them live, one outside."""
    rows = [(name, "ABC"[k % 3]) for k, name in enumerate(SECRETS[1:])]
    return homes(*rows, (SECRETS[0], "Z"))


def shown(text):
    """Whether a text has an identifier or a date of birth in it."""
    return any(secret in str(text) for secret in [*SECRETS, BIRTH, "CONFIDENTIAL"])


def test_nothing_that_is_printed_has_a_child(records, residence):
    """Not records, residence, counts or their parts."""
    counts = sg.returns.count(
        records, residence, PLACES, area="lsoa", year=2023, stages=["referral"]
    )
    for one in (records, residence, counts, records.identifiers, residence.identifiers):
        assert not shown(repr(one))
        assert not shown(one)
    for frame in (counts.frame, counts.ledger, records.notes):
        assert not shown(frame.to_csv())
    assert "Identifiers(12 children, not shown)" in repr(vars(counts))
    assert not shown(vars(counts))
    assert counts.children_with("outside the areas", stage="referral").tolist() == [SECRETS[0]]


def test_no_refusal_and_no_log_has_a_child(records, tmp_path, caplog):
    """Whatever is wrong with a table."""
    caplog.set_level(logging.DEBUG)
    numbers = pd.DataFrame({"child": SECRETS, "lsoa": SECRETS, "from": BIRTH, "to": "1/1/11"})
    roles = {"child": "child", "area": "lsoa"}
    attempts = [
        lambda: sg.returns.Residence.from_frame(numbers, **roles, start="from", end="to"),
        lambda: sg.returns.Residence.from_frame(numbers, **roles, start="child"),
        lambda: sg.returns.count(
            records,
            sg.returns.Residence.from_frame(numbers.assign(child="x" + numbers["child"]), **roles),
            PLACES,
            area="lsoa",
            year=2023,
            stages=["referral"],
        ),
        lambda: sg.returns.count(
            records,
            sg.returns.Residence.from_frame(
                numbers.assign(child=numbers["child"].str.lower()), **roles
            ),
            PLACES,
            area="lsoa",
            year=2023,
            stages=["referral"],
        ),
        lambda: sg.returns.read_cin_census(write(tmp_path, child(SECRETS[0], birth="9.11.2011"))),
        lambda: sg.returns.read_cin_census(
            write(tmp_path, child(SECRETS[0], case(SECRETS[1])), name="b.xml")
        ),
        lambda: sg.returns.read_ssda903(
            pd.DataFrame({"CHILD": SECRETS}), pd.DataFrame({"CHILD": SECRETS}), year=2023
        ),
        lambda: sg.returns.Residence.from_frame(
            pd.DataFrame([SECRETS[:2]], columns=SECRETS[2:4]), **roles
        ),
    ]
    for attempt in attempts:
        with pytest.raises(sg.errors.TableError) as told:
            attempt()
        error = told.value
        while error is not None:
            assert not shown(error)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert not shown(caplog.text)


def test_no_warning_has_a_child(records):
    """Of children outside the areas."""
    outside = homes(*[(name, "ABCZ"[k % 4]) for k, name in enumerate(SECRETS)])
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        sg.returns.count(records, outside, PLACES, area="lsoa", year=2023, stages=["referral"])
    assert len(told) == 1
    assert not shown(told[0].message)


def test_no_table_of_areas_has_a_child(records, residence):
    """What goes on to a model, and so into a file of a fit, has counts of areas alone."""
    counts = sg.returns.count(
        records, residence, PLACES, area="lsoa", year=2023, stages=["referral"]
    )
    other = counts.frame.assign(authority="Barton", deprivation=[0.2, 0.3, 0.5])
    places = pd.concat([counts.frame, other])
    places["lsoa"] = places["lsoa"] + places["authority"]
    areas = sg.Areas.from_frame(
        places, area="lsoa", authority="authority", deprivation="deprivation",
        children="children", events="referral", complete=True,
    )  # fmt: skip
    assert not any(secret.encode() in pickle.dumps(areas) for secret in SECRETS)
