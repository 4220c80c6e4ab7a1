"""A ledger of counts goes with the areas and the fit, and is held against the sums of columns."""

import json

import numpy as np
import pandas as pd
import pytest

import socgrad as sg
from socgrad.errors import TableError

ROLES = {
    "area": "lsoa", "authority": "la", "deprivation": "idaci", "children": "children",
    "complete": True,
}  # fmt: skip
FRAME = pd.DataFrame(
    {
        "lsoa": ["E01", "E02", "E03", "E04"],
        "la": ["Ashby", "Ashby", "Barton", "Barton"],
        "idaci": [0.05, 0.15, 0.25, 0.45],
        "children": [400, 400, 300, 300],
        "referral": [10, 20, 30, 40],
        "closed": [5, 6, 7, 8],
        "months_open": [40.5, 50.25, 60.0, 70.0],
    }
)


def ledger(**counted):
    """A ledger in which one record of each stage was lost."""
    rows = [
        (stage, reason, amount, "records", children)
        for stage, number in counted.items()
        for reason, amount, children in (("counted", number, 9), ("outside the areas", 1.0, 1))
    ]
    return pd.DataFrame(rows, columns=["stage", "reason", "amount", "unit", "children"])


WHOLE = ledger(referral=100.0, closed=26.0, months_open=220.75)


def test_areas_keep_the_rows_of_their_columns():
    """Of events and of exposure, and print them below the report."""
    areas = sg.Areas.from_frame(FRAME, **ROLES, events="referral", ledger=WHOLE)
    assert areas.ledger["stage"].unique().tolist() == ["referral"]
    assert "referral                         1           1  outside the areas (records)" in str(
        areas
    )
    both = sg.Areas.from_frame(
        FRAME, **ROLES, events="closed", exposure="months_open", ledger=WHOLE
    )
    assert both.ledger["stage"].unique().tolist() == ["closed", "months_open"]
    without = sg.Areas.from_frame(FRAME, **ROLES, events="referral")
    assert without.ledger.empty
    assert "counted from records" not in str(without)


def test_ledgers_of_several_authorities_are_added_up():
    """One below the other."""
    two = pd.concat([ledger(referral=30.0), ledger(referral=70.0)])
    areas = sg.Areas.from_frame(FRAME, **ROLES, events="referral", ledger=two)
    assert areas.ledger["amount"].tolist() == [100, 2]
    assert areas.ledger["children"].tolist() == [18, 2]


def test_rows_lost_after_counting_are_noticed():
    """A join that dropped an area, or doubled one."""
    with pytest.raises(
        TableError, match="says that 100 of 'referral' were counted, and the column"
    ):
        sg.Areas.from_frame(
            FRAME.assign(referral=[10, 20, 30, 39]), **ROLES, events="referral", ledger=WHOLE
        )
    long = pd.concat([FRAME.assign(age=age) for age in ("0-4", "5-17")])
    with pytest.raises(TableError, match="holds 200"):
        sg.Strata.from_long(
            long, **ROLES, stratum="age", events="referral", children_of="area", ledger=WHOLE
        )


def test_what_is_no_ledger_is_refused():
    """Another table, or the ledger of other counts."""
    with pytest.raises(TableError, match=r"ledger has no column stage, reason, amount, unit"):
        sg.Areas.from_frame(FRAME, **ROLES, events="referral", ledger=FRAME)
    with pytest.raises(
        TableError, match=r"says nothing of 'referral' or 'children': its stages are"
    ):
        sg.Areas.from_frame(FRAME, **ROLES, events="referral", ledger=ledger(plan=3.0))


def test_each_stage_and_each_group_has_its_ledger():
    """Stages their own rows; groups those of all groups together."""
    strata = sg.Strata.from_stages(FRAME, **ROLES, stages=["referral", "closed"], ledger=WHOLE)
    assert [one.ledger["stage"].unique().tolist() for one in strata.values()] == [
        ["referral"], ["closed"],
    ]  # fmt: skip
    long = pd.concat([FRAME.assign(age=age) for age in ("0-4", "5-17")])
    long["referral"] = np.where(long["age"] == "0-4", 0.3, 0.7) * long["referral"]
    groups = sg.Strata.from_long(
        long, **ROLES, stratum="age", events="referral", children_of="area", ledger=WHOLE
    )
    assert all(one.ledger["amount"].tolist() == [100, 1] for one in groups.values())


def test_a_fit_keeps_the_ledger_and_a_public_file_does_not(tmp_path):
    """It counts records, so that it goes where the events go and nowhere else."""
    frame = sg.simulate(authorities=8, areas=160, random_seed=1).frame
    count = float(frame["referral"].sum())
    areas = sg.Areas.from_frame(
        frame, area="area", authority="authority", deprivation="deprivation", children="children",
        events="referral", complete=True, ledger=ledger(referral=count),
    )  # fmt: skip
    fit = sg.fit(sg.GradientModel(areas), method="laplace", draws=50, chains=2, random_seed=1)
    kept = json.loads(fit.attrs["ledger"])
    assert [row["reason"] for row in kept] == ["counted", "outside the areas"]
    sg.save(fit, tmp_path / "fit.nc")
    assert json.loads(sg.load(tmp_path / "fit.nc").attrs["ledger"]) == kept
    sg.save(fit, tmp_path / "public.nc", include_events=False)
    assert "ledger" not in sg.load(tmp_path / "public.nc").attrs
    plain = sg.Areas.from_frame(
        frame, area="area", authority="authority", deprivation="deprivation", children="children",
        events="referral", complete=True,
    )  # fmt: skip
    bare = sg.fit(sg.GradientModel(plain), method="laplace", draws=50, chains=2, random_seed=1)
    assert "ledger" not in bare.attrs
    assert bare.attrs["data_sha256"] == fit.attrs["data_sha256"]
