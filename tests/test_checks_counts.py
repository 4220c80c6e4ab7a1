"""Counts of a fit and their distribution."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import nbinom, poisson

from socgrad.checks import counts as module
from socgrad.checks.counts import (
    Lines,
    area_blocks,
    chosen_draws,
    counts_by_position,
    lines_at,
    population_at,
    total_moments,
)
from socgrad.errors import EstimandError, SchemaError
from socgrad.estimands.chance import counts_about
from socgrad.laws.negative_binomial import log_probability
from socgrad.reading.example import example_fit_of_stages
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients


def test_counts_are_found_by_label(fit_with_events):
    """Counts stand where their area's label stands, in whatever order they come."""
    counts = counts_by_position(fit_with_events)
    assert counts.area.tolist() == list(range(500))
    assert counts.authority.tolist() == [5]
    turned = fit_with_events.copy()
    observed = fit_with_events["observed_data"].to_dataset()
    turned["observed_data"] = xr.DataTree(observed.isel(counted_area=slice(None, None, -1)))
    again = counts_by_position(turned)
    assert again.area.tolist() == counts.area.tolist()
    assert again.events.tolist() == counts.events.tolist()


def test_a_fit_without_counts_is_refused(split_fit):
    """A fit saved without events cannot be checked against them."""
    with pytest.raises(EstimandError, match=r"A check needs the observed events.*=False"):
        counts_by_position(split_fit)


def test_counts_of_other_areas_are_refused(fit_with_events):
    """Counts of an unknown area are named."""
    tree = fit_with_events.copy()
    observed = tree["observed_data"].to_dataset()
    labels = observed["counted_area"].to_numpy().copy()
    labels[3] = "Z999"
    tree["observed_data"] = xr.DataTree(observed.assign_coords(counted_area=labels))
    with pytest.raises(SchemaError, match=r"events for 1 of 500 labels .*first: 'Z999'"):
        counts_by_position(tree)


def test_strata_are_checked_one_by_one():
    """A fit of several strata is refused with the way to take one out."""
    with pytest.raises(EstimandError, match=r"3 strata.*socgrad\.stratum\(fit, 'referral'\)"):
        counts_by_position(example_fit_of_stages())


def test_draws_are_spread_over_the_chains(split_fit):
    """A few draws come from both chains, all of them where enough are asked for."""
    terms = coefficients(split_fit)
    assert chosen_draws(terms, 3).tolist() == [0, 50, 99]
    assert chosen_draws(terms, 1000).tolist() == list(range(100))
    with pytest.raises(EstimandError, match="draws is 0; expected"):
        chosen_draws(terms, 0)


def test_blocks_are_the_rows(split_fit, monkeypatch):
    """Expected events by block are exposure times the rate, row by row."""
    land, lines = geography(split_fit), lines_at(split_fit, np.array([7, 60]))
    areas = np.array([0, 3, 599, 250])
    monkeypatch.setattr(module, "_BLOCK", 6)
    blocks = list(area_blocks(lines, land, areas))
    assert [rows for rows, _ in blocks] == [slice(0, 3), slice(3, 4)]
    got = np.concatenate([mean for _, mean in blocks], axis=1)
    terms = coefficients(split_fit)
    j = land.authority_of_area[250]  # draw 60 is draw 10 of the second chain
    b = float(land.between_part[j])
    at = {"chain": 1, "draw": 10}
    level = (terms.intercept + terms.between * b + terms.level_effect[..., j]).isel(at)
    slope = (terms.within + terms.cross_level * b + terms.slope_effect[..., j]).isel(at)
    expected = land.exposure[250] * np.exp(float(level) + float(slope) * land.within_part[250])
    assert got[1, 3] == pytest.approx(expected, rel=1e-12)


def test_population_has_no_effects(split_fit):
    """The population's covariance is level_sd**2, rho * level_sd * slope_sd, slope_sd**2."""
    people = population_at(split_fit, np.arange(100))
    level, across, alone = people.factor
    terms = coefficients(split_fit)
    flat = {n: getattr(terms, n).to_numpy().ravel() for n in ("level_sd", "slope_sd")}
    rho = terms.correlation.to_numpy().ravel()
    np.testing.assert_allclose(level * across, rho * flat["level_sd"] * flat["slope_sd"])
    np.testing.assert_allclose(across**2 + alone**2, flat["slope_sd"] ** 2)
    assert not people.overdispersion.any()


def test_log_probability_is_scipys():
    """Poisson where the gamma factor has no variance, negative binomial where it has."""
    y = np.array([0.0, 1.0, 7.0, 400.0])
    mean = np.array([0.3, 2.0, 5.5, 380.0])
    got = log_probability(y, mean, np.zeros(()))
    np.testing.assert_allclose(got, poisson.logpmf(y, mean), rtol=1e-12)
    for r in (0.16, 1e-4):
        expected = nbinom.logpmf(y, 1 / r, 1 / (1 + r * mean))
        np.testing.assert_allclose(log_probability(y, mean, np.array(r)), expected, rtol=1e-9)


def test_log_probability_has_the_poisson_limit():
    """A vanishing gamma factor leaves the Poisson probability, without loss of digits."""
    y, mean = np.array([0.0, 3.0, 900.0]), np.array([0.5, 2.0, 950.0])
    expected = log_probability(y, mean, np.zeros(()))
    got = log_probability(y, mean, np.array(1e-12))
    np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_total_moments_are_sums_of_rows(split_fit):
    """Mean is sum mu; the factor's variance times mean squared is r**2 times sum mu**2."""
    land, lines = geography(split_fit), lines_at(split_fit, np.array([0, 99]))
    lines = Lines(lines.level, lines.slope, np.array([0.3, 0.5]))
    among = np.arange(600) % 3 > 0
    mean, variance = total_moments(lines, land, among=among)
    (_, mu), *_ = area_blocks(lines, land, np.flatnonzero(among))
    own = land.authority_of_area[among] == 2
    np.testing.assert_allclose(mean[:, 2], mu[:, own].sum(axis=1), rtol=1e-12)
    expected = np.array([0.09, 0.25]) * (mu[:, own] ** 2).sum(axis=1)
    np.testing.assert_allclose(variance[:, 2] * mean[:, 2] ** 2, expected, rtol=1e-10)


def test_counts_about_a_mean_have_mean_and_variance():
    """Means of 4 with a factor of variance 0.25 have variance 4 + 0.25 * 16 = 8."""
    rng = np.random.default_rng(1)
    drawn = counts_about(np.full(200_000, 4.0), np.array(0.25), rng)
    assert drawn.mean() == pytest.approx(4.0, abs=0.03)  # four standard errors: 4 * sqrt(8 / 2e5)
    assert drawn.var() == pytest.approx(8.0, rel=0.03)
    plain = counts_about(np.full(200_000, 4.0), np.zeros(()), rng)
    assert plain.var() == pytest.approx(4.0, rel=0.03)
