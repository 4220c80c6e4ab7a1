import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from socgrad.errors import SpecificationError
from socgrad.simulation.england import calibrated, simulate
from socgrad.simulation.truth import PUBLISHED_STAGES, Truth

#: National numbers that the default intercepts stand for: see PUBLISHED_STAGES.
NATIONAL = {
    "referral": 650_900,
    "child_in_need_plan": 269_100,
    "section_47": 201_000,
    "child_protection_plan": 66_700,
}
PLAIN = Truth(intercept=-4.0, within=0.5, between=0.3)


@pytest.fixture(scope="module")
def england():
    """England as it is by default."""
    return simulate(random_seed=2019)


def test_england_takes_less_than_two_seconds():
    """Simulating four stages in 32,844 areas is quick."""
    start = time.perf_counter()
    simulation = simulate(random_seed=1)
    assert time.perf_counter() - start < 2
    assert len(simulation.frame) == 32_844


def test_table_has_one_column_of_counts_per_stage(england):
    """The table holds the areas and whole, non-negative counts of each stage."""
    assert england.frame.columns.tolist() == [
        "area",
        "authority",
        "region",
        "children",
        "deprivation",
        *NATIONAL,
    ]
    counts = england.frame[list(NATIONAL)]
    assert all(pd.api.types.is_integer_dtype(kind) for kind in counts.dtypes)
    assert counts.to_numpy().min() >= 0
    assert england.frame["authority"].nunique() == 150


@pytest.mark.parametrize("stage", NATIONAL)
def test_national_numbers_are_near_the_published_ones(england, stage):
    """Counts over England come within 10% of the published number, authority luck included."""
    assert england.frame[stage].sum() == pytest.approx(NATIONAL[stage], rel=0.10)


@pytest.mark.parametrize("stage", NATIONAL)
def test_default_intercepts_are_the_calibrated_ones(england, stage):
    """Calibrating to the national rate returns the default intercept, to a few percent."""
    rate = NATIONAL[stage] / england.frame["children"].sum() * 10_000
    truth = calibrated(PUBLISHED_STAGES[stage], england.frame, rate=rate)
    assert truth.intercept == pytest.approx(PUBLISHED_STAGES[stage].intercept, abs=0.06)


def test_same_seed_same_tables():
    """Simulation is a function of its seed."""
    one, two = (simulate(authorities=10, areas=200, random_seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(one.frame, two.frame)
    pd.testing.assert_frame_equal(one.effects, two.effects)


def test_another_seed_another_table():
    """Deprivation and counts change with the seed."""
    one, two = (simulate(authorities=10, areas=200, random_seed=seed).frame for seed in (5, 6))
    assert (one["deprivation"] != two["deprivation"]).any()
    assert (one["referral"] != two["referral"]).any()


def test_a_stage_does_not_depend_on_the_others():
    """Leaving stages out, or reordering them, changes neither the areas nor the stages kept."""
    whole = simulate(authorities=10, areas=200, random_seed=5)
    names = ["child_protection_plan", "referral"]
    some = simulate(
        authorities=10,
        areas=200,
        stages={name: PUBLISHED_STAGES[name] for name in names},
        random_seed=5,
    )
    pd.testing.assert_frame_equal(some.frame, whole.frame[some.frame.columns])
    for name in names:
        np.testing.assert_array_equal(
            some.effects.loc[some.effects["stage"] == name, "slope_effect"],
            whole.effects.loc[whole.effects["stage"] == name, "slope_effect"],
        )


def test_stages_of_one_truth_differ():
    """Two stages with the same truth are two draws, not one twice."""
    frame = simulate(
        authorities=10, areas=200, stages={"a": PLAIN, "b": PLAIN}, random_seed=5
    ).frame
    assert (frame["a"] != frame["b"]).any()


def test_truth_table_is_what_was_asked_for():
    """The truth comes back by stage, with the contextual effect added."""
    truth = Truth(intercept=-4.0, within=0.5, between=0.3, curvature=0.02, overdispersion=0.4)
    table = simulate(authorities=5, areas=50, stages={"plans": truth}, random_seed=1).truth
    assert table.index.tolist() == ["plans"]
    row = table.loc["plans"]
    assert row[["within", "between", "curvature", "overdispersion"]].tolist() == [
        0.5,
        0.3,
        0.02,
        0.4,
    ]
    assert row["contextual"] == pytest.approx(-0.2)


def test_effects_make_levels_and_slopes():
    """Level and slope follow from truth, between part and effect, written out here by hand."""
    truth = Truth(
        intercept=-4.0,
        within=0.5,
        between=0.3,
        curvature=0.02,
        cross_level=-0.05,
        level_sd=0.3,
        slope_sd=0.1,
    )
    simulation = simulate(authorities=12, areas=300, stages={"plans": truth}, random_seed=1)
    effects = simulation.effects
    b = (effects["authority_mean"] - simulation.national_mean) / 0.10
    level = -4.0 + 0.3 * b + 0.02 * b**2 + effects["level_effect"]
    slope = 0.5 - 0.05 * b + effects["slope_effect"]
    np.testing.assert_allclose(effects["between_part"], b)
    np.testing.assert_allclose(effects["level"], level)
    np.testing.assert_allclose(effects["slope"], slope)
    np.testing.assert_allclose(effects["gradient"], np.exp(slope))


def test_means_are_weighted_by_children():
    """National and authority means are those of the average child."""
    simulation = simulate(authorities=12, areas=300, random_seed=1)
    frame = simulation.frame
    assert simulation.national_mean == pytest.approx(
        (frame["children"] * frame["deprivation"]).sum() / frame["children"].sum()
    )
    first = frame[frame["authority"] == "A001"]
    assert simulation.effects.loc[0, "authority_mean"] == pytest.approx(
        (first["children"] * first["deprivation"]).sum() / first["children"].sum()
    )


def test_effects_have_the_spread_asked_for():
    """Over 2,000 authorities the effects have their SDs and correlation, to sampling error."""
    truth = replace(PLAIN, level_sd=0.3, slope_sd=0.1, correlation=-0.5)
    effects = simulate(authorities=2000, areas=4000, stages={"plans": truth}, random_seed=1).effects
    # Standard errors: 0.3 / sqrt(4000) = 0.005, a third of it, 0.75 / sqrt(2000) = 0.017.
    assert effects["level_effect"].std() == pytest.approx(0.3, abs=0.015)
    assert effects["slope_effect"].std() == pytest.approx(0.1, abs=0.005)
    assert effects["level_effect"].corr(effects["slope_effect"]) == pytest.approx(-0.5, abs=0.05)


@pytest.mark.parametrize("asked", [0.0, 0.8, 1.0])
def test_effects_of_stages_are_correlated_as_asked(asked):
    """The same authorities drive all stages, as closely as `stage_correlation` says."""
    truth = replace(PLAIN, level_sd=0.3, slope_sd=0.1, correlation=-0.2)
    effects = simulate(
        authorities=2000,
        areas=4000,
        stages={"a": truth, "b": truth},
        stage_correlation=asked,
        random_seed=1,
    ).effects
    for effect in ("level_effect", "slope_effect"):
        wide = effects.pivot_table(index="authority", columns="stage", values=effect)
        assert wide["a"].corr(wide["b"]) == pytest.approx(asked, abs=0.07)


def expected_counts(simulation, stage):
    """Return the expected events of each area, from the effects, written out by hand."""
    frame = simulation.frame
    rows = simulation.effects[simulation.effects["stage"] == stage].set_index("authority")
    own = rows.loc[frame["authority"]].reset_index(drop=True)
    within = (frame["deprivation"] - own["authority_mean"]) / 0.10
    return frame["children"] * np.exp(own["level"] + own["slope"] * within)


def test_poisson_counts_vary_as_poisson():
    """Squared residuals over expected counts average 1, and counts their expectation."""
    simulation = simulate(authorities=50, areas=10_000, stages={"plans": PLAIN}, random_seed=1)
    counts, mean = simulation.frame["plans"], expected_counts(simulation, "plans")
    assert counts.sum() == pytest.approx(mean.sum(), abs=4 * np.sqrt(mean.sum()))
    # Standard error about sqrt(2 / 10,000) = 0.014, a little more for small expected counts.
    assert ((counts - mean) ** 2 / mean).mean() == pytest.approx(1, abs=0.08)


def test_overdispersion_is_a_coefficient_of_variation():
    """The variance is the negative binomial's: mean + (overdispersion mean)^2."""
    truth = replace(PLAIN, overdispersion=0.4)
    simulation = simulate(authorities=50, areas=10_000, stages={"plans": truth}, random_seed=1)
    counts, mean = simulation.frame["plans"], expected_counts(simulation, "plans")
    assert ((counts - mean) ** 2 / (mean + 0.16 * mean**2)).mean() == pytest.approx(1, abs=0.08)
    assert ((counts - mean) ** 2 / mean).mean() > 1.5


def test_per_is_the_step_of_the_truth():
    """A truth stated per 20 points gives the counts of the same truth stated per 10 points."""
    per_10 = Truth(intercept=-4.0, within=0.5, between=0.3, cross_level=-0.05, level_sd=0.2)
    # Twice the step: twice the slopes; the cross-level term, per step in both, four times.
    per_20 = Truth(intercept=-4.0, within=1.0, between=0.6, cross_level=-0.2, level_sd=0.2)
    one = simulate(authorities=10, areas=200, stages={"a": per_10}, random_seed=1)
    two = simulate(authorities=10, areas=200, stages={"a": per_20}, per=0.20, random_seed=1)
    pd.testing.assert_frame_equal(one.frame, two.frame)


def test_equal_sizes_are_passed_on():
    """60 authorities of 60 areas, the size of a coverage study."""
    frame = simulate(authorities=60, areas=3600, sizes="equal", random_seed=1).frame
    assert (frame["authority"].value_counts() == 60).all()


def test_calibrated_rate_is_the_expected_one_without_effects():
    """Without authority effects the calibrated truth expects the rate asked for, exactly."""
    table = simulate(authorities=12, areas=300, random_seed=1).frame
    truth = calibrated(replace(PLAIN, cross_level=-0.05), table, rate=50.0)
    simulation = simulate(authorities=12, areas=300, stages={"plans": truth}, random_seed=1)
    expected = expected_counts(simulation, "plans").sum()
    assert expected / table["children"].sum() * 10_000 == pytest.approx(50.0)


def test_calibration_allows_for_authority_effects():
    """Averaged over many draws of the effects, the expected rate is the one asked for."""
    table = simulate(authorities=2000, areas=20_000, sizes="equal", random_seed=1).frame
    truth = replace(PLAIN, level_sd=0.4, slope_sd=0.2, correlation=-0.3)
    truth = calibrated(truth, table, rate=50.0)
    simulation = simulate(
        authorities=2000, areas=20_000, sizes="equal", stages={"plans": truth}, random_seed=1
    )
    rate = expected_counts(simulation, "plans").sum() / table["children"].sum() * 10_000
    # A log rate of SD about 0.45 over 2,000 authorities: a standard error of about 1.3%.
    assert rate == pytest.approx(50.0, rel=0.04)
    # Leaving them out would be 8% too high, and more: exp(0.16 / 2) = 1.083.
    plain = calibrated(replace(truth, level_sd=0.0, slope_sd=0.0), table, rate=50.0)
    assert truth.intercept < plain.intercept - 0.08


def test_calibration_by_hand():
    """Two authorities alike, areas one step below and above the mean, no gradient but effects."""
    table = pd.DataFrame(
        {
            "authority": ["A", "A", "B", "B"],
            "children": [100, 100, 300, 300],
            "deprivation": [0.1, 0.3, 0.1, 0.3],
        }
    )
    truth = Truth(
        intercept=0.0, within=0.0, between=0.0, level_sd=0.4, slope_sd=0.3, correlation=-0.5
    )
    # Variances 0.16 + 0.09 -/+ 2 * 0.5 * 0.4 * 0.3: 0.13 above the mean and 0.37 below it.
    by_hand = np.log(0.005) - np.log((np.exp(0.065) + np.exp(0.185)) / 2)
    assert calibrated(truth, table, rate=50.0).intercept == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.parametrize("rate", [0.0, -1.0, 10_000.0])
def test_a_rate_outside_its_range_is_refused(rate):
    """A rate is per 10,000 children, and neither nothing nor everybody."""
    table = simulate(authorities=5, areas=50, random_seed=1).frame
    with pytest.raises(SpecificationError, match="Expected events per 10,000 children"):
        calibrated(PLAIN, table, rate=rate)


def test_a_stage_named_like_a_column_is_refused():
    """Counts must not overwrite children."""
    with pytest.raises(SpecificationError, match="stages names children"):
        simulate(authorities=5, areas=50, stages={"children": PLAIN}, random_seed=1)


def test_no_stage_is_refused():
    """A simulation without counts is a mistake."""
    with pytest.raises(SpecificationError, match="stages names no stage"):
        simulate(authorities=5, areas=50, stages={}, random_seed=1)


@pytest.mark.parametrize("correlation", [-0.1, 1.1])
def test_a_stage_correlation_outside_its_range_is_refused(correlation):
    """A common part of the effects cannot make them negatively correlated."""
    with pytest.raises(SpecificationError, match="Expected a number from 0 to 1"):
        simulate(authorities=5, areas=50, stage_correlation=correlation, random_seed=1)


SHARED = Truth(intercept=-2.0, within=0.5, between=0.3, locality_sd=0.5)


def test_localities_lie_in_one_authority_and_hold_like_areas():
    """About five areas each, of like deprivation, whose counts have the variance of the factor."""
    made = simulate(
        authorities=30, areas=3000, stages={"a": SHARED}, areas_per_locality=5, random_seed=2
    )
    frame = made.frame
    by = frame.groupby("locality")
    assert by["authority"].nunique().max() == 1
    assert by.size().mean() == pytest.approx(5.0, abs=0.2)
    assert by.size().min() >= 3
    inside = frame["deprivation"] - by["deprivation"].transform("mean")
    apart = frame["deprivation"] - frame.groupby("authority")["deprivation"].transform("mean")
    assert 0.2 < inside.var() / apart.var() < 0.8
    effects = made.effects.set_index("authority").loc[frame["authority"]]
    w = (frame["deprivation"].to_numpy() - effects["authority_mean"].to_numpy()) / 0.1
    log_rate = effects["level"].to_numpy() + effects["slope"].to_numpy() * w
    expected = frame["children"] * np.exp(log_rate)
    seen, mean = (x.groupby(frame["locality"]).sum() for x in (frame["a"], expected))
    # (Y / E - 1)**2 has the mean 0.25 + 1 / E; 600 localities know it to some 8%.
    assert ((seen / mean - 1) ** 2 - 1 / mean).mean() == pytest.approx(0.25, rel=0.25)


def test_localities_change_nothing_else():
    """The rest of the table is the same with and without them."""
    plain = {"stages": {"a": PLAIN}, "authorities": 10, "areas": 200, "random_seed": 5}
    with_them = simulate(**plain, areas_per_locality=4).frame
    pd.testing.assert_frame_equal(with_them.drop(columns="locality"), simulate(**plain).frame)


def test_a_spread_of_localities_needs_them():
    """The message names the option; less than one area in each is refused."""
    with pytest.raises(SpecificationError, match=r"a: locality_sd is above 0.*areas_per_locality"):
        simulate(authorities=5, areas=50, stages={"a": SHARED}, random_seed=1)
    with pytest.raises(SpecificationError, match=r"areas_per_locality is 0\.5"):
        simulate(
            authorities=5, areas=50, stages={"a": SHARED}, areas_per_locality=0.5, random_seed=1
        )


def test_regions_move_the_levels_of_their_authorities():
    """One effect for all authorities of a region, in their levels and in a column."""
    truth = Truth(intercept=-4.0, within=0.5, between=0.3, level_sd=0.2, region_sd=0.3)
    made = simulate(authorities=40, areas=400, stages={"a": truth}, random_seed=3)
    region = made.frame.groupby("authority")["region"].first()
    effects = made.effects.set_index("authority")
    own = effects["region_effect"].groupby(region).nunique()
    assert (own == 1).all()
    assert effects["region_effect"].groupby(region).first().nunique() == region.nunique()
    rest = effects["level"] - effects["region_effect"] - effects["level_effect"]
    np.testing.assert_allclose(rest, -4.0 + 0.3 * effects["between_part"], rtol=1e-12)
    plain = simulate(authorities=40, areas=400, stages={"a": PLAIN}, random_seed=3)
    assert "region_effect" not in plain.effects
