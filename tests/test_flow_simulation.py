import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from socgrad.errors import SpecificationError
from socgrad.ranks import quantile_groups
from socgrad.simulation.england import simulate
from socgrad.simulation.flow import OUTCOMES
from socgrad.simulation.flow_simulation import simulate_flow
from socgrad.simulation.groups import SLOPES
from socgrad.simulation.pathway import PATHWAY, RETURNS

#: England, 2018-19, as the Department for Education publishes it; re-referrals are of closed
#: cases of need here (32 of 100), but of all referrals there (147,150).
NATIONAL = {
    "referral": 650_930,
    "assessment": 644_710,
    "child_in_need": 408_880,
    "section_47": 201_170,
    "conference": 77_440,
    "child_protection_plan": 66_680,
    "open_after": 399_510,
    "repeat_plan": 13_870,
    "rereferral": 0.32 * 408_880,
}
#: Pathway without differences between authorities.
ALIKE = {name: replace(step, level_sd=0.0, slope_sd=0.0) for name, step in PATHWAY.items()}
SMALL = {"authorities": 12, "areas": 600, "random_seed": 5}


@pytest.fixture(scope="module")
def flow():
    """England as it is by default."""
    return simulate_flow(random_seed=2019)


@pytest.fixture(scope="module")
def plain():
    """A small England in which groups do not differ."""
    return simulate_flow(groups=False, **SMALL)


def test_england_takes_a_few_seconds():
    """A million cases in 32,844 areas are simulated in less than ten seconds."""
    start = time.perf_counter()
    assert len(simulate_flow(random_seed=1).frame) == 32_844
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize("name", NATIONAL)
def test_national_numbers_are_near_the_published_ones(flow, name):
    """Every number comes within 3% of the published one."""
    assert flow.frame[name].sum() == pytest.approx(NATIONAL[name], rel=0.03)


def test_areas_are_those_of_the_simple_simulation(flow):
    """One seed is one geography, whichever simulation makes the counts."""
    columns = ["area", "authority", "region", "children", "deprivation"]
    simple = simulate(random_seed=2019).frame[columns]
    pd.testing.assert_frame_equal(flow.frame[columns], simple)


def test_same_seed_same_cases():
    """Simulation is a function of its seed."""
    one, two, three = (simulate_flow(**SMALL | {"random_seed": seed}) for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(one.frame, two.frame)
    pd.testing.assert_frame_equal(one.referrals, two.referrals)
    assert (one.frame["referral"] != three.frame["referral"]).any()


def test_each_stage_is_part_of_the_one_before(flow):
    """In every area no stage has more cases than the stage that they come from."""
    for name, step in PATHWAY.items():
        if step.of is not None:
            assert (flow.frame[name] <= flow.frame[step.of]).all()
    assert (flow.frame["repeat_plan"] <= flow.frame["child_protection_plan"]).all()


def test_cases_add_up(flow):
    """Open before, plus started, less closed, is open after; no month counts beyond the year."""
    table = flow.frame
    after = table["open_before"] + table["child_in_need"] - table["closed"]
    np.testing.assert_array_equal(after, table["open_after"])
    assert (table["months_open"] <= 12 * (table["open_before"] + table["child_in_need"])).all()
    assert (table["months_open"] >= 12 * (after - table["child_in_need"]).clip(lower=0)).all()


def test_those_who_come_back_are_among_the_referrals(flow):
    """A re-referral is a closed case of the year before, and one of this year's referrals."""
    table = flow.frame
    assert (table["rereferral"] <= table["closed_last_year"]).all()
    assert (table["rereferral"] <= table["referral"]).all()
    assert table["rereferral"].sum() > 0


@pytest.mark.parametrize("name", PATHWAY)
def test_the_truth_of_a_stage_is_what_was_asked_for(flow, name):
    """Over all children, gradient, contextual and cross-level effect are the pathway's."""
    truth, step = flow.truth.loc[name], PATHWAY[name]
    assert truth["exposure"] == "children"
    assert np.exp(truth["within"]) == pytest.approx(step.gradient)
    assert np.exp(truth["contextual"]) == pytest.approx(step.contextual)
    assert truth["cross_level"] == pytest.approx(step.cross_level)


@pytest.mark.parametrize("name", RETURNS)
def test_the_truth_of_a_return_is_what_was_asked_for(flow, name):
    """Returns over their cases are log-linear, and keep what they were given."""
    truth, back = flow.truth.loc[name], RETURNS[name]
    assert truth["exposure"] == back.of
    assert np.exp(truth["within"]) == pytest.approx(back.gradient)
    assert np.exp(truth["contextual"]) == pytest.approx(back.contextual)
    assert flow.frame[name].sum() / flow.frame[back.of].sum() == pytest.approx(back.rate, rel=0.02)


@pytest.mark.parametrize("name", OUTCOMES)
def test_counts_follow_their_expectation(flow, name):
    """Cases over England are what is expected of them, to four standard errors."""
    mean = flow.expected.column(name).sum()
    # A probability above 1 cannot be drawn; it costs less than 2 in a thousand.
    assert flow.frame[name].sum() == pytest.approx(mean, abs=4 * np.sqrt(mean) + 0.002 * mean)


@pytest.mark.parametrize("name", ["referral", "section_47", "open_before"])
def test_counts_vary_as_poisson(flow, name):
    """Re-referrals and new referrals make a Poisson number together, and so do later stages."""
    mean = flow.expected.column(name)
    # Standard error about sqrt(2 / 32,844) = 0.008, a little more for small expected counts.
    assert ((flow.frame[name] - mean) ** 2 / mean).mean() == pytest.approx(1, abs=0.05)


def test_months_open_follow_their_expectation(flow):
    """Case-months are near the steady state's, and closures are months times the closing rate."""
    months = flow.expected.column("months_open").sum()
    assert flow.frame["months_open"].sum() == pytest.approx(months, rel=0.005)


def test_little_is_lost_to_probabilities_above_one(flow):
    """A case cannot go on with certainty and more; that costs 2 in a thousand at most."""
    assert set(flow.capped) == set(PATHWAY) - {"referral"}
    assert max(flow.capped.values()) < 0.002


@pytest.mark.parametrize("by", ["age", "ethnicity", "need"])
def test_groups_follow_their_expectation(flow, by):
    """Plans by group are what is expected of them, to four standard errors."""
    counts = flow.referrals[flow.referrals["child_protection_plan"]][by].value_counts(sort=False)
    mean = flow.expected.column("child_protection_plan", (by,)).sum(axis=0)
    np.testing.assert_array_less(np.abs(counts - mean), 4 * np.sqrt(mean) + 0.004 * mean)


@pytest.mark.parametrize(
    ("events", "by", "steepest"),
    [
        ("referral", "age", "0-4"),
        ("referral", "ethnicity", "White"),
        ("child_in_need", "need", "Neglect"),
        ("child_protection_plan", "category", "Neglect"),
    ],
)
def test_gradients_are_steepest_where_the_study_found_them(flow, events, by, steepest):
    """F6: for younger and White children, for neglect, and on plans for neglect."""
    assert flow.truth_of(events, by=[by])["within"].idxmax() == steepest


def test_all_children_are_log_linear_at_every_stage(flow):
    """Groups with gradients of their own add up to rates on the authorities' lines."""
    parts = flow.expected.parts
    for name in ("referral", "conference"):
        own = flow.effects[flow.effects["stage"] == name]
        level, slope = (
            own[part].to_numpy()[parts.authority_of_area] for part in ("level", "slope")
        )
        rate = np.exp(level + slope * parts.within_part)
        np.testing.assert_allclose(flow.expected.column(name), parts.children * rate)
        parts_of_all = flow.expected.column(name, ("age", "need")).sum(axis=(1, 2))
        np.testing.assert_allclose(parts_of_all, parts.children * rate)


def test_gradients_of_two_groups_differ_by_their_slopes(flow):
    """For one need and ethnicity, two ages differ by the difference of their slopes exactly."""
    numbers = flow.expected.column("conference", ("age", "ethnicity", "need"))
    children = flow.expected.column("children", ("age", "ethnicity", "need"))
    young, old = (slice(None), 0, 0, 0), (slice(None), 2, 0, 0)
    both = (children[young] > 0) & (children[old] > 0)
    young_rate, old_rate = (numbers[one][both] / children[one][both] for one in (young, old))
    slope = np.polyfit(flow.expected.parts.steps[both], np.log(young_rate / old_rate), 1)[0]
    assert slope == pytest.approx(SLOPES["age"][0] - SLOPES["age"][2])


def test_gradients_multiply_along_the_way(flow):
    """Over all children, each stage's gradient is the product of the ratios before it."""
    way = ["referral", "assessment", "child_in_need", "section_47", "conference"]
    product = flow.truth_of("referral").loc["referral", "within"]
    for before, name in pairwise(way):
        product += flow.truth_of(name, exposure=before).loc[name, "within"]
        assert np.exp(product) == pytest.approx(PATHWAY[name].gradient)


def test_groups_that_do_not_differ_share_one_line(plain):
    """Without groups every age has the gradient of all children."""
    truth = plain.truth_of("section_47", by=["age"])
    np.testing.assert_allclose(np.exp(truth["within"]), 1.69)


def test_authorities_alike_have_no_effects():
    """With standard deviations of 0 and no groups every authority lies on the average line."""
    flow = simulate_flow(pathway=ALIKE, groups=False, **SMALL)
    own = flow.effects[flow.effects["stage"] == "conference"]
    np.testing.assert_allclose(own["level_effect"], 0, atol=1e-8)
    np.testing.assert_allclose(own["slope_effect"], 0, atol=1e-8)


def test_centred_effects_have_no_luck():
    """Their mean is 0, and they do not go with deprivation; random ones have and do."""
    for effects, most in (("centred", 1e-9), ("random", np.inf)):
        flow = simulate_flow(effects=effects, **SMALL)
        for name in ("conference", "rereferral"):
            own = flow.effects[flow.effects["stage"] == name]
            design = np.column_stack([np.ones(len(own)), own["between_part"]])
            luck = np.linalg.lstsq(design, own["slope_effect"], rcond=None)[0]
            assert np.abs(luck).max() < most
            assert own["slope_effect"].std() > 0.01
    assert np.abs(luck).max() > 1e-4


def test_effects_of_stages_are_correlated_as_said():
    """Over 1,500 authorities the correlations of both effects are those of the table."""
    flow = simulate_flow(authorities=1500, areas=6000, groups=False, random_seed=1)
    # 0.95 from need to section 47, 0.9 from there to the conference.
    assert flow.correlations.loc["child_in_need", "conference"] == pytest.approx(0.95 * 0.9)
    for effect in ("level_effect", "slope_effect"):
        wide = flow.effects.pivot_table(index="authority", columns="stage", values=effect)
        names = list(PATHWAY)
        np.testing.assert_allclose(wide[names].corr(), flow.correlations, atol=0.06)


def test_a_bend_reaches_both_ends_of_the_published_range():
    """F1: at a bend of 1 the tenths run from about 100 to 1,370 per 10,000, the gradient kept."""
    ends = {}
    for bend in (0.0, 1.0):
        flow = simulate_flow(bend=bend, random_seed=2019)
        assert np.exp(flow.truth.loc["referral", "within"]) == pytest.approx(1.62)
        children = flow.frame["children"]
        tenth = quantile_groups(flow.frame["deprivation"], children, 10)
        sums = pd.Series(flow.expected.column("referral")).groupby(tenth).sum()
        ends[bend] = 10_000 * (sums / children.groupby(tenth).sum()).iloc[[0, -1]].to_numpy()
    assert ends[0.0][0] > 200
    assert ends[1.0] == pytest.approx([100, 1370], rel=0.08)


@pytest.mark.parametrize("bend", [-0.1, np.nan])
def test_an_impossible_bend_is_refused(bend):
    """Log rates bend downwards or not at all."""
    with pytest.raises(SpecificationError, match="Expected a number of 0 or more"):
        simulate_flow(bend=bend, **SMALL)


def test_unknown_effects_are_refused():
    """How authorities are drawn is one of two ways."""
    with pytest.raises(SpecificationError, match="Expected 'random' or 'centred'"):
        simulate_flow(effects="none", **SMALL)


def test_other_stages_are_refused():
    """The simulation knows what follows what, and says which stages it knows."""
    some = {name: step for name, step in PATHWAY.items() if name != "conference"}
    with pytest.raises(SpecificationError, match="Expected those of PATHWAY, in its order"):
        simulate_flow(pathway=some, **SMALL)
    moved = {**PATHWAY, "conference": replace(PATHWAY["conference"], of="referral")}
    with pytest.raises(SpecificationError, match="each with its own `of`"):
        simulate_flow(pathway=moved, **SMALL)


def test_other_returns_are_refused():
    """Nothing may be left out of what follows a case."""
    with pytest.raises(SpecificationError, match="Expected rereferral, repeat_plan, closed"):
        simulate_flow(returns={"rereferral": RETURNS["rereferral"]}, **SMALL)
