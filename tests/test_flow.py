import numpy as np
import pandas as pd
import pytest

from socgrad.errors import SpecificationError
from socgrad.simulation.flow_simulation import simulate_flow
from socgrad.simulation.groups import GROUPS

COUNTS = ["referral", "section_47", "child_protection_plan", "repeat_plan", "months_open", "closed"]


@pytest.fixture(scope="module")
def flow():
    """Twelve authorities of fifty areas."""
    return simulate_flow(authorities=12, areas=600, random_seed=5)


@pytest.mark.parametrize("by", [("age",), ("need",), ("ethnicity", "age", "need")])
def test_groups_sum_to_the_areas(flow, by):
    """Each case is in one group; the rows of an area add up to its row in the wide table."""
    table = flow.long(*by)
    cells = np.prod([len(GROUPS[name]) for name in by])
    assert len(table) == 600 * cells
    assert not table.duplicated(["area", *by]).any()
    sums = table.groupby("area")[COUNTS].sum()
    pd.testing.assert_frame_equal(sums, flow.frame.set_index("area")[COUNTS])


def test_children_of_groups_sum_to_the_area(flow):
    """Age and ethnicity divide the children of an area; the area's own number stands beside."""
    table = flow.long("age", "ethnicity")
    own = table.groupby("area")
    np.testing.assert_array_equal(own["group_children"].sum(), flow.frame["children"])
    np.testing.assert_array_equal(own["children"].min(), flow.frame["children"])
    np.testing.assert_array_equal(own["children"].max(), flow.frame["children"])


def test_need_does_not_divide_the_children(flow):
    """Every child could have been referred for any need, so all count for each."""
    table = flow.long("need")
    assert (table["group_children"] == table["children"]).all()
    both = flow.long("age", "need")
    first = both[both["need"] == "Neglect"].groupby("area")["group_children"].sum()
    np.testing.assert_array_equal(first, flow.frame["children"])


def test_a_cell_is_the_cases_with_its_labels(flow):
    """One cell counted straight from the cases."""
    cases = flow.referrals
    busy = cases["area"].mode()[0]
    mine = (cases["area"] == busy) & (cases["age"] == "5-9") & (cases["need"] == "Other abuse")
    table = flow.long("age", "need").set_index(["area", "age", "need"])
    assert table.loc[(busy, "5-9", "Other abuse"), "referral"] == mine.sum() > 0
    plans = (mine & cases["child_in_need"]).sum()
    assert table.loc[(busy, "5-9", "Other abuse"), "child_in_need"] == plans


def test_categories_are_of_plans_alone(flow):
    """Every plan has a category, and no other stage is counted by it."""
    table = flow.long("category")
    assert table.columns[-3:].tolist() == ["group_children", "child_protection_plan", "repeat_plan"]
    assert table["child_protection_plan"].sum() == flow.frame["child_protection_plan"].sum()
    plans = flow.referrals["child_protection_plan"]
    assert flow.referrals.loc[plans, "category"].notna().all()
    assert flow.referrals.loc[~plans, "category"].isna().all()


def test_some_groups_have_no_children_somewhere(flow):
    """Small groups are missing in some areas, as in a real table."""
    assert (flow.long("age", "ethnicity")["group_children"] == 0).any()


def test_truth_by_group_has_a_row_for_each(flow):
    """Groups in their order, the last named varying fastest."""
    truth = flow.truth_of("referral", by=["need", "age"])
    assert truth.index.names == ["age", "need"]
    assert truth.index[1] == ("0-4", "Other abuse")
    np.testing.assert_allclose(truth["contextual"], truth["between"] - truth["within"])


def test_own_lines_of_groups_are_labelled(flow):
    """Each group and authority has its own gradient, and its line is effect plus average."""
    own = flow.effects_of("referral", by=["age"])
    assert own.columns[0] == "age"
    assert len(own) == 4 * 12
    young = own[own["age"] == "0-4"]
    truth = flow.truth_of("referral", by=["age"]).loc["0-4"]
    slope = truth["within"] + truth["cross_level"] * young["between_part"] + young["slope_effect"]
    np.testing.assert_allclose(young["slope"], slope)
    np.testing.assert_allclose(young["gradient"], np.exp(slope))


def test_own_lines_without_groups_are_those_of_the_flow(flow):
    """The table of effects holds each outcome over its usual exposure."""
    own = flow.effects[flow.effects["stage"] == "rereferral"]
    again = flow.effects_of("rereferral", exposure="closed_last_year")
    np.testing.assert_allclose(own["slope"], again["slope"])
    # Returns are log-linear with their authorities' own effects.
    drawn = flow.expected.returns["rereferral"].slope_effect
    np.testing.assert_allclose(own["slope_effect"], drawn, atol=1e-12)


@pytest.mark.parametrize("by", [("stage",), ("age", "age")])
def test_unknown_groups_are_refused(flow, by):
    """What a table can be divided by is named."""
    with pytest.raises(SpecificationError, match="Expected some of age, ethnicity, need, category"):
        flow.long(*by)


def test_unknown_columns_are_refused(flow):
    """A misspelt stage has no truth."""
    with pytest.raises(SpecificationError, match="There is no column 'plans'"):
        flow.truth_of("plans")
