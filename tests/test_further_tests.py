"""Tests of a fit whose distribution under the model is known."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import socgrad.sensitivity
from misfit_tables import AREAS, KINDS, misfit_table
from socgrad.checks.area_residuals import AreaResiduals, overdispersion_test
from socgrad.checks.bends import bend_of
from socgrad.checks.fit_check import check_fit
from socgrad.checks.neighbours import counted_pairs, likeness_of_pairs
from socgrad.checks.tails import tails_of
from socgrad.errors import EstimandError, MisfitWarning, SpecificationError
from socgrad.estimands.variation import authority_sd
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients
from socgrad.table.areas import Areas


def areas_of(frame):
    """A table of the study through the door."""
    return Areas.from_frame(
        frame,
        area="area",
        authority="authority",
        events="events",
        children="children",
        deprivation="deprivation",
        complete=True,
    )


def fitted(frame, family="poisson", draws=250, seed=1):
    """Fit without a compiler."""
    model = GradientModel(areas_of(frame), family=family)
    return fit(model, method="laplace", draws=draws, random_seed=seed)


@pytest.fixture(scope="module")
def convex():
    """A convex gradient, cross-level -0.05, fitted by lines."""
    table = misfit_table(np.random.default_rng(3), **KINDS["convex gradient"])
    return fitted(table.frame)


@pytest.fixture(scope="module")
def alike():
    """Areas whose neighbours are alike, and its table, fitted by the negative binomial."""
    table = misfit_table(np.random.default_rng(3), **KINDS["alike areas"])
    return fitted(table.frame, "negative_binomial"), table


def test_a_bend_is_named_first_with_what_hangs_on_it(convex):
    """The line's steepening is wrong in sign; the statement says so before any overdispersion."""
    line = float(np.exp(convex["posterior"]["cross_level"].mean()))
    assert line > 1.1
    with pytest.warns(MisfitWarning, match=r"steepening is 1\.\d\d by the line and about 0\.\d\d"):
        check = check_fit(convex)
    assert check.statistics.loc["bend", "pr_above"] < 1e-10
    assert "negative_binomial" not in check.statement
    said = float(check.statement.split("by the line and about ")[2].split(" ")[0])
    assert said == pytest.approx(np.exp(-0.05), abs=0.08)
    assert "cannot be seen: the table names no localities" in check.statement


def test_neighbours_alike_are_found(alike):
    """Moran's statistic fires where neighbours are given; without a map nothing is seen."""
    tree, table = alike
    blind = check_fit(tree)
    assert blind.adequate, blind.statement
    assert "cannot be seen" in blind.statement
    with pytest.warns(MisfitWarning, match=r"Areas that adjoin are alike.*Moran's I 0\.\d"):
        check = check_fit(tree, neighbours=table.neighbours)
    assert "cannot be seen" not in check.statement
    # Pairs at random are not alike.
    shuffled = table.neighbours.assign(
        neighbour=np.random.default_rng(1).permutation(table.neighbours["neighbour"])
    )
    assert check_fit(tree, neighbours=shuffled).statistics.loc["neighbours", "as_expected"]
    assert check.statistics.loc["neighbours", "pr_above"] < 1e-4


def test_pairs_by_hand():
    """Each pair counts once, in either order; areas that are not counted are left out."""
    table = pd.DataFrame({"a": ["x", "y", "x", "z"], "b": ["y", "x", "w", "y"]})
    assert counted_pairs(table, ["x", "y", "z"]).tolist() == [[0, 1], [1, 2]]
    with pytest.raises(EstimandError, match="neighbours is a table of 1 columns"):
        counted_pairs(table[["a"]], ["x"])
    with pytest.raises(EstimandError, match="has 4 pairs, and in none are both areas counted"):
        counted_pairs(table, ["p", "q"])
    with pytest.raises(EstimandError, match="neighbours is list"):
        counted_pairs([("x", "y")], ["x", "y"])


def residuals_of(events, mean, spread=0.0):
    """Areas of one authority, known expectations."""
    zero = np.zeros(len(mean))
    at = np.arange(len(mean))
    return AreaResiduals(at, np.zeros(len(mean), int), events, mean, zero, spread)


def test_likeness_by_hand():
    """Two pairs of residuals 1, 1 and -1, -1 are as alike as can be: 1."""
    alike = residuals_of(np.array([5.0, 5, 3, 3]), np.full(4, 4.0))
    pairs = np.array([[0, 1], [2, 3]])
    value, shuffled = likeness_of_pairs(alike, pairs, np.random.default_rng(1))
    assert value == pytest.approx(1.0)
    # Of the three ways to pair four areas one pairs like with like.
    assert shuffled.mean() == pytest.approx((1 - 1 - 1) / 3, abs=0.15)


def test_score_test_by_hand_and_in_size():
    """One area: ((7 - 4)**2 - 7) / sqrt(2 * 16); and one in twenty of right tables lies above."""
    statistic, _ = overdispersion_test(residuals_of(np.array([7.0]), np.array([4.0])))
    assert statistic == pytest.approx(2 / np.sqrt(32))
    rng = np.random.default_rng(2)
    mean = rng.gamma(1.0, 3.0, 400)
    found = [overdispersion_test(residuals_of(rng.poisson(mean), mean))[1] for _ in range(2000)]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.015)
    varied = rng.poisson(mean * rng.gamma(4.0, 0.25, 400))
    assert overdispersion_test(residuals_of(varied, mean))[1] < 1e-6


def test_bend_test_has_its_size(convex):
    """Counts of the lines themselves: U' I^-1 U is chi-squared on two degrees of freedom."""
    land = geography(convex)
    rng = np.random.default_rng(4)
    mean = land.exposure * np.exp(-5.0 + 0.5 * land.within_part)
    at = np.arange(len(mean))
    right = AreaResiduals(at, land.authority_of_area, mean, mean, np.zeros(len(mean)), 0.0)
    found = []
    for _ in range(400):
        bend = bend_of(
            dataclasses.replace(right, events=rng.poisson(mean) * 1.0), land, slope_sd=0.1
        )
        found.append([bend.statistic, bend.apart, bend.probability])
    common, apart, probability = np.mean(found, axis=0)
    # An authority's own line is not fitted here, and taken off all the same.
    assert common == pytest.approx(2.0, abs=0.35)
    assert apart == pytest.approx(2.0, abs=0.35)
    assert probability == pytest.approx(0.5, abs=0.07)


def test_tails_by_hand(convex):
    """Effects known without error: the kurtosis of their own values, against normal ones."""
    terms = coefficients(convex)
    rng = np.random.default_rng(1)

    def with_effects(values):
        drawn = xr.zeros_like(terms.level_effect) + values
        sd = xr.ones_like(terms.level_sd)
        return dataclasses.replace(terms, level_effect=drawn, slope_effect=drawn, level_sd=sd,
                                   slope_sd=sd)  # fmt: skip

    two = np.tile([-1.0, 1.0], 20)
    assert tails_of(with_effects(two), rng).kurtosis == pytest.approx(1.0)
    far = np.r_[6.0, rng.standard_normal(39)]
    tails = tails_of(with_effects(far), rng)
    assert np.mean(tails.again >= tails.kurtosis) < 0.01
    assert np.median(tails.again) == pytest.approx(2.8, abs=0.15)


def test_student_effects_widen_what_outliers_make():
    """One authority far out: the SD's interval is wider with Student effects; others stay near."""
    table = misfit_table(np.random.default_rng(3))
    frame = table.frame.copy()
    far = frame["authority"] == "A07"
    frame.loc[far, "events"] *= 6
    widths, freedom = np.zeros(2), []
    for seed in range(1, 5):
        tree = fitted(frame, draws=3000, seed=seed)
        student = socgrad.sensitivity.heavy_tails(tree)
        ends = [authority_sd(each).quantile([0.025, 0.975]) for each in (tree, student)]
        widths += np.diff(ends, axis=1).ravel()
        within = [float(each["posterior"]["within"].mean()) for each in (tree, student)]
        assert within[0] == pytest.approx(within[1], abs=0.03)
        freedom.append(float(student["posterior"]["student_freedom"].median()))
    # Wider by 13%; by one seed 5% to 22%.
    assert widths[1] > 1.08 * widths[0]
    # The degrees of freedom are fewer than the prior's, whose median is 16.8.
    assert np.mean(freedom) < 15


def test_error_in_deprivation_is_undone():
    """With an sd of 0.04 the within gradient is 0.52 for 0.58; calibrated areas give it back."""
    table = misfit_table(np.random.default_rng(8), **KINDS["error in deprivation"], events=20_000)
    areas = areas_of(table.frame)
    truer = socgrad.sensitivity.deprivation_error(areas, sd=0.04)
    assert truer.authority_mean.tolist() == areas.authority_mean.tolist()
    slopes = [
        float(fit(GradientModel(each, family="negative_binomial"), method="laplace", draws=250,
                  random_seed=1)["posterior"]["within"].mean())
        for each in (areas, truer)
    ]  # fmt: skip
    assert slopes[1] > slopes[0] + 0.03
    assert slopes[1] == pytest.approx(0.58, abs=0.03)


def test_what_is_expected_is_neither_steeper_nor_flatter_than_the_truth():
    """Where events weigh, measured deprivation is too wide by 6%; a linear shrinkage too narrow."""
    slopes = []
    for seed in range(6):
        frame = misfit_table(np.random.default_rng([7, seed])).frame
        rng = np.random.default_rng([8, seed])
        true = frame["deprivation"].to_numpy()
        areas = areas_of(frame.assign(deprivation=np.clip(true + rng.normal(0, 0.04, AREAS), 0, 1)))
        code, weight = areas.authority_of_area, areas.children
        true = frame.set_index("area")["deprivation"].loc[areas.area].to_numpy()
        away = areas.deprivation - areas.authority_mean[code]
        spread = np.bincount(code, weight * away**2) / np.bincount(code, weight)
        shrunk = np.clip(1 - 0.04**2 / spread, 0.2, 1.0)[code] * away
        truer = socgrad.sensitivity.deprivation_error(areas, sd=0.04)
        expected = truer.deprivation - truer.authority_mean[code]
        means = np.bincount(code, weight * true) / np.bincount(code, weight)
        # Rates are some 1.8 times as high 10 points further.
        events = weight * np.exp(0.58 * (true - means[code]) / 0.1)
        own = [
            x - (np.bincount(code, events * x) / np.bincount(code, events))[code]
            for x in (away, shrunk, expected)
        ]
        slopes.append([events @ (true * x) / (events @ x**2) for x in own])
    measured, linear, found = np.mean(slopes, axis=0)
    assert measured < 0.96
    assert linear > 1.03
    assert found == pytest.approx(1.0, abs=0.02)


def test_a_small_error_leaves_deprivation_about_as_it_was():
    """No area moves by more than a few times the error, however small that is."""
    areas = areas_of(misfit_table(np.random.default_rng(8)).frame)
    for sd in (0.0005, 0.002, 0.01):
        truer = socgrad.sensitivity.deprivation_error(areas, sd=sd)
        assert np.abs(truer.deprivation - areas.deprivation).max() < 3 * sd


@pytest.mark.parametrize(("sd", "words"), [(0.0, "a proportion above 0"), (4.0, "would be true")])
def test_impossible_errors_are_refused(sd, words):
    """No error is no analysis, and four whole units are no proportion."""
    areas = areas_of(misfit_table(np.random.default_rng(8)).frame)
    with pytest.raises(SpecificationError, match=words):
        socgrad.sensitivity.deprivation_error(areas, sd=sd)
