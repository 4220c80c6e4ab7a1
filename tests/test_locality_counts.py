"""Counts of areas whose localities share a factor: checks, scores and counts drawn again."""

import warnings

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from locality_tables import (
    INFORMED,
    locality_fit,
    simulated_with_localities,
    small_localities,
    with_localities,
)
from socgrad.checks import counts as blocks
from socgrad.checks.authority_likelihoods import authority_likelihoods
from socgrad.checks.counts import (
    Lines,
    area_blocks,
    counts_by_position,
    lines_at,
    population_at,
    total_moments,
)
from socgrad.checks.fit_check import check_fit
from socgrad.checks.left_out import compare_left_out, leave_out
from socgrad.checks.locality_counts import count_blocks, log_probabilities
from socgrad.checks.log_likelihood import add_log_likelihood
from socgrad.checks.replicates import area_replicates
from socgrad.errors import MisfitWarning
from socgrad.fitting import fit
from socgrad.laws.localities import counts as locality_counts
from socgrad.model.compression import likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.reading.geography import geography
from socgrad.tables.diagnostics import check_sampling

AT = np.array([3, 150, 399])


@pytest.fixture(scope="module")
def parts():
    """Counts, geography and lines of three draws of a mixture of counts and totals."""
    tree = locality_fit("mixture")
    return counts_by_position(tree), geography(tree), lines_at(tree, AT)


def means_of(counts, land, lines):
    """Expected events (draws, counted areas) in the order of the counts."""
    (_, mean), *_ = area_blocks(lines, land, counts.area)
    return mean


def joint(events, mean, land, areas, sd):
    """Log probability of all counts together: negative binomial times multinomial, by locality."""
    total = 0.0
    for m in np.unique(land.locality_of_area[areas]):
        own = land.locality_of_area[areas] == m
        y, mu, size = events[own], mean[own], sd**-2
        whole = nbinom.logpmf(y.sum(), size, size / (size + mu.sum()))
        # Poisson probabilities given their sum are a multinomial.
        inside = poisson.logpmf(y, mu).sum() - poisson.logpmf(y.sum(), mu.sum())
        total += whole + inside
    return total


def test_blocks_hold_whole_localities(parts, monkeypatch):
    """Whatever their size, and in whatever order the counts come."""
    counts, land, lines = parts
    expected = means_of(counts, land, lines)
    monkeypatch.setattr(blocks, "_BLOCK", 3 * 7)
    seen = []
    for block in count_blocks(counts, lines, land):
        own = land.locality_of_area[counts.area[block.rows]]
        assert len(np.unique(own)) == len(block.first)
        np.testing.assert_array_equal(own[block.first][block.locality], own)
        np.testing.assert_allclose(block.mean, expected[:, block.rows], rtol=1e-12)
        seen.append(np.unique(own))
    assert len(seen) > 5
    assert len(np.unique(np.concatenate(seen))) == len(np.concatenate(seen))


def test_an_area_given_the_others_by_bayes(parts):
    """p(all) / p(all but this one): the ratio of joint probabilities, area by area."""
    counts, land, lines = parts
    mean = means_of(counts, land, lines)
    got = np.empty_like(mean)
    for rows, values in log_probabilities(counts, lines, land):
        got[:, rows] = values
    for draw, sd in enumerate(lines.locality_sd):
        every = joint(counts.events, mean[draw], land, counts.area, sd)
        for i in (0, 17, 60):
            rest = np.arange(len(counts.area)) != i
            others = joint(counts.events[rest], mean[draw, rest], land, counts.area[rest], sd)
            assert got[draw, i] == pytest.approx(every - others, rel=1e-8)


def test_both_wings_have_one_likelihood():
    """The joint probability by hand is the compressed density of the left wing."""
    tree = locality_fit()
    counts, land, lines = counts_by_position(tree), geography(tree), lines_at(tree, AT)
    model = GradientModel(small_localities(), localities=True, priors=INFORMED)
    data = {name: value.to_numpy() for name, value in likelihood_data(model).data_vars.items()}
    j, g = data["count_authority"], data["locality_authority"]
    mean = means_of(counts, land, lines)
    for draw, (level, slope) in enumerate(zip(lines.level, lines.slope, strict=True)):
        expected = locality_counts(
            level[j],
            slope[j],
            lines.locality_sd[draw],
            locality_level=level[g],
            locality_slope=slope[g],
            **{n: data[f"count_{n}"] for n in ("events", "events_within", "constant")},
            locality_events=data["locality_events"],
            locality_within=data["locality_node_within"],
            locality_exposure=data["locality_node_exposure"],
            distinct_events=data["distinct_events"],
            distinct_rows=data["distinct_rows"],
            xp=np,
        )
        got = joint(counts.events, mean[draw], land, counts.area, lines.locality_sd[draw])
        assert got == pytest.approx(float(expected), rel=1e-9)


def test_likelihoods_of_authorities(parts):
    """Sums over localities give an authority's joint probability; gradients are derivatives."""
    counts, land, _ = parts
    population = population_at(locality_fit("mixture"), AT)
    spread = population.spread
    np.testing.assert_array_equal(spread, population.locality_sd)
    step = 1e-5
    for j, one in authority_likelihoods(counts, population, land):
        level, slope = population.level[:, j] + 0.2, population.slope[:, j] - 0.1
        got = one.log_likelihood(level, slope, spread)
        if j in counts.authority:
            own = land.authority_of_area == j
            mu = land.exposure[own] * np.exp(
                level[:, None] + slope[:, None] * land.within_part[own]
            )
            within = np.unique(land.locality_of_area[own], return_inverse=True)[1]
            squares = np.array([(np.bincount(within, row) ** 2).sum() for row in mu])
            m = mu.sum(axis=1)
            size = m**2 / (spread**2 * squares)
            y = counts.total[counts.authority == j]
            np.testing.assert_allclose(got, nbinom.logpmf(y, size, size / (size + m)), rtol=1e-8)
            continue
        own = land.authority_of_area[counts.area] == j
        at = counts.area[own]
        for d in range(len(AT)):
            mu = land.exposure[at] * np.exp(level[d] + slope[d] * land.within_part[at])
            expected = joint(counts.events[own], mu, land, at, spread[d])
            assert got[d] == pytest.approx(expected, rel=1e-9)
        gradient, (i0, i1, i2) = one.moments(level, slope, spread)
        for found, (a, b) in zip(gradient, ((step, 0.0), (0.0, step)), strict=True):
            higher, lower = (
                one.log_likelihood(level + side * a, slope + side * b, spread) for side in (1, -1)
            )
            np.testing.assert_allclose(found, (higher - lower) / (2 * step), rtol=1e-4, atol=1e-3)
        assert (i0 * i2 > i1**2).all()


@pytest.mark.parametrize("by_rows", [False, True])
def test_total_moments_have_the_squares_of_localities(parts, by_rows):
    """From pairs of areas, or from rows where areas have covariates (here of no effect)."""
    _, land, lines = parts
    if by_rows:
        zero = np.zeros((3, 1))
        lines = Lines(
            lines.level, lines.slope, lines.overdispersion, zero, locality_sd=lines.locality_sd
        )
        land = type(land)(**{**vars(land), "covariate_design": np.ones((len(land.exposure), 1))})
    among = np.arange(len(land.exposure)) % 7 > 0
    mean, variance = total_moments(lines, land, among=among)
    mu = means_of(type("C", (), {"area": np.flatnonzero(among)}), land, lines)
    for j in (0, 7):
        own = land.authority_of_area[among] == j
        within = land.locality_of_area[among][own]
        squares = [(np.bincount(within, row[own]) ** 2).sum() for row in mu]
        np.testing.assert_allclose(mean[:, j], mu[:, own].sum(axis=1), rtol=1e-10)
        np.testing.assert_allclose(
            variance[:, j] * mean[:, j] ** 2, lines.locality_sd**2 * squares, rtol=1e-9
        )


def test_counts_drawn_again_share_their_factor():
    """Drawn counts of groups have the variance that shared factors give them, and so do tenths."""
    tree = locality_fit()
    counts, land = counts_by_position(tree), geography(tree)
    draws = 4000
    lines = lines_at(tree, np.full(draws, 5))
    group = np.arange(land.exposure.size) % 2
    found = area_replicates(
        counts, lines, land, group=group, groups=2, rng=np.random.default_rng(1)
    )
    mean = means_of(counts, land, Lines(lines.level[:1], lines.slope[:1], np.zeros(1)))[0]
    r = lines.locality_sd[0] ** 2
    for g in range(2):
        own = group == g
        shared = (np.bincount(land.locality_of_area[own], mean[own]) ** 2).sum()
        variance = mean[own].sum() + r * shared
        np.testing.assert_allclose(found.groups_variance[:, g], variance, rtol=1e-9)
        drawn = found.groups_again[:, g]
        assert drawn.var() == pytest.approx(variance, rel=0.12)
        assert drawn.mean() == pytest.approx(mean[own].sum(), abs=5 * np.sqrt(variance / draws))
    # Mean squared distances over variances are 1 on average, for areas and for localities.
    assert found.dispersion_again.mean() == pytest.approx(1.0, abs=0.03)
    assert found.localities_again.mean() == pytest.approx(1.0, abs=0.03)


@pytest.fixture(scope="module")
def fits():
    """Forty authorities whose localities differ, by each of three models."""
    areas = with_localities(simulated_with_localities(authorities=30, areas=900, seed=5).frame)
    models = {
        "poisson": GradientModel(areas),
        "areas": GradientModel(areas, family="negative_binomial"),
        "localities": GradientModel(areas, localities=True),
    }
    return {n: fit(model, method="laplace", random_seed=1) for n, model in models.items()}


def test_the_model_that_made_the_counts_fits(fits):
    """Localities are as expected with their factors, and too far apart without."""
    check = check_fit(fits["localities"])
    assert check.adequate, check.statement
    assert check.statistics.index.tolist()[:2] == ["dispersion", "localities"]
    with pytest.warns(MisfitWarning, match=r"neighbouring areas are alike.*localities=True"):
        without = check_fit(fits["areas"])
    assert bool(without.statistics.loc["dispersion", "as_expected"])
    assert not without.statistics.loc["localities", "as_expected"]
    assert check_sampling(fits["localities"]).converged


@pytest.mark.filterwarnings("ignore::socgrad.errors.ConvergenceWarning")
def test_the_model_that_made_the_counts_predicts_best(fits):
    """Areas left out one at a time, and authorities: all three models compare."""
    by_area = {name: leave_out(tree, unit="area") for name, tree in fits.items()}
    table = compare_left_out(by_area)
    assert table.index.tolist() == ["localities", "areas", "poisson"]
    assert table.loc["areas", "difference"] < -3 * table.loc["areas", "se"]
    by_authority = {name: leave_out(fits[name]) for name in ("areas", "localities")}
    assert compare_left_out(by_authority).index[0] == "localities"
    assert by_authority["localities"].quadrature_error < 1e-3
    events = counts_by_position(fits["poisson"]).events
    np.testing.assert_array_equal(by_area["localities"].table["events"], events)


def test_log_likelihoods_are_those_of_leave_out(fits):
    """ArviZ's leave-one-out of the group gives the scores of `leave_out`."""
    loo = pytest.importorskip("arviz_stats").loo
    tree = fits["localities"].isel(draw=slice(0, 250))
    tree.attrs = fits["localities"].attrs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = loo(add_log_likelihood(tree), pointwise=True, reff=1.0)
        found = leave_out(tree, unit="area", draws=1000)
    np.testing.assert_allclose(found.table["elpd"], expected.elpd_i, rtol=1e-6)


def test_advice_when_areas_vary_inside_localities():
    """Factors of areas, fitted with localities: the message names what to compare."""
    from tables import simulated

    frame = simulated(authorities=20, areas=800, seed=4, overdispersion=0.6).frame
    place = (frame.groupby("authority").cumcount() // 5).astype(str)
    areas = with_localities(frame.assign(locality=frame["authority"] + "-" + place))
    tree = fit(GradientModel(areas, localities=True), method="laplace", random_seed=1)
    with pytest.warns(MisfitWarning, match=r"smaller than a locality.*negative_binomial"):
        check_fit(tree)
