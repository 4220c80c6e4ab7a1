"""Likelihoods of authorities whose areas lie off their line, by a curve or by covariates."""

import dataclasses

import numpy as np
import pytest
import xarray as xr
from scipy.special import gammaln
from scipy.stats import nbinom, poisson

from covariate_tables import covariate_table
from fits import INFORMED
from locality_tables import small_localities
from socgrad.checks.authority_likelihoods import authority_likelihoods
from socgrad.checks.counts import counts_by_position, off_line, population_at
from socgrad.checks.integrated import integrated_likelihoods
from socgrad.manifest import _observed
from socgrad.model.gradient_model import GradientModel
from socgrad.reading.geography import geography
from socgrad.simulation.prior_draws import draw_prior
from tables import small_areas

AT = np.array([3, 40, 77])
CASES = ("spline", "tenths, overdispersed", "spline, localities", "covariates")


def model_of(case):
    """Twelve authorities, of curves every second known by its total only."""
    if case == "covariates":
        return GradientModel(
            covariate_table().validated(), covariates="setting", area_moderators="setting"
        )
    if "localities" in case:
        areas = small_localities("mixture")
        return GradientModel(areas, shape="spline", localities=True, priors=INFORMED)
    family = "negative_binomial" if "overdispersed" in case else "poisson"
    areas = small_areas("mixture", overdispersion=0.3)
    return GradientModel(areas, shape=case.split(",")[0], family=family, priors=INFORMED)


def parts_of(case):
    """Counts, population in three draws of the prior, geography, and what takes areas off."""
    model = model_of(case)
    tree = draw_prior(model, draws=100, random_seed=2)
    tree["observed_data"] = xr.DataTree(_observed(model.areas))
    population = population_at(tree, AT)
    draws = tree["posterior"].to_dataset().isel(chain=0, draw=AT)
    designs = model.designs
    if case == "covariates":
        off = draws["covariate_coefficient"].to_numpy() @ designs.covariates.matrix.T
        turn = draws["area_moderator_coefficient"].to_numpy() @ designs.area_moderators.matrix.T
        off = off + turn * model.within_part
    else:
        off = draws["departure_coefficient"].to_numpy() @ designs.departures.matrix.T
    return counts_by_position(tree), population, geography(tree), off


@pytest.fixture(scope="module", params=CASES)
def parts(request):
    """Those of each case."""
    return parts_of(request.param)


def by_hand(parts, j, line, draw):
    """Log probability of an authority's counts from SciPy, row by row."""
    (counts, population, land, off), (level, slope) = parts, line
    r = population.spread[draw] ** 2
    shared = population.locality_sd.any()
    own = np.flatnonzero(land.authority_of_area == j)
    mu = land.exposure[own] * np.exp(level + slope * land.within_part[own] + off[draw, own])
    locality = land.locality_of_area[own] if shared else own
    summed = np.array([mu[locality == m].sum() for m in np.unique(locality)])
    if j in counts.authority:
        y = counts.total[counts.authority == j]
        r = r * (summed**2).sum() / mu.sum() ** 2
        return (poisson(mu.sum()) if r == 0 else nbinom(1 / r, 1 / (1 + r * mu.sum()))).logpmf(y)[0]
    y = np.zeros(land.authority_of_area.size)
    y[counts.area] = counts.events
    y = y[own]
    if r == 0:
        return poisson(mu).logpmf(y).sum()
    if not shared:
        return nbinom(1 / r, 1 / (1 + r * mu)).logpmf(y).sum()
    total = np.array([y[locality == m].sum() for m in np.unique(locality)])
    rising = sum(np.log1p(r * np.arange(n)).sum() for n in total)
    lost = ((total + 1 / r) * np.log1p(r * summed)).sum()
    return (y * np.log(mu) - gammaln(y + 1)).sum() - lost + rising


def test_what_takes_areas_off_is_the_equation(parts):
    """Coefficients times columns, those of moderators times w."""
    counts, population, land, off = parts
    assert population.of_areas
    np.testing.assert_allclose(off_line(population, land, counts.area), off[:, counts.area])


def test_likelihood_is_that_of_the_rows(parts):
    """Constants included; at several levels and slopes of each draw, and in some draws alone."""
    counts, population, land, _ = parts
    found = dict(authority_likelihoods(counts, population, land))
    assert sorted(found) == list(range(12))
    grid = np.array([-0.2, 0.1])[:, None]
    for j, one in found.items():
        level, slope = population.level[:, j] + grid, population.slope[:, j] - grid
        got = one.log_likelihood(level, slope, population.spread)
        wanted = [
            [by_hand(parts, j, (level[k, d], slope[k, d]), d) for d in range(len(AT))]
            for k in range(2)
        ]
        np.testing.assert_allclose(got, wanted, rtol=1e-8)
        some = np.array([2, 0])
        fewer = one.at(some).log_likelihood(level[:, some], slope[:, some], population.spread[some])
        np.testing.assert_allclose(fewer, got[:, some], rtol=1e-12)
        own = land.authority_of_area == j
        assert one.areas == own.sum()


def test_gradients_are_derivatives(parts):
    """Gradients agree with differences; of a total with a gamma factor roughly."""
    counts, population, land, _ = parts
    step = 1e-5
    for j, one in authority_likelihoods(counts, population, land):
        level, slope, spread = population.level[:, j], population.slope[:, j], population.spread
        gradient, (i0, _, i2) = one.moments(level, slope, spread)
        # A total's variance moves with the mean, which its gradient leaves out.
        loose = j in counts.authority and spread.any()
        for got, (a, b) in zip(gradient, ((step, 0.0), (0.0, step)), strict=True):
            upper = one.log_likelihood(level + a, slope + b, spread)
            difference = upper - one.log_likelihood(level - a, slope - b, spread)
            if not loose:
                scale = np.abs(difference / (2 * step)).max()
                np.testing.assert_allclose(
                    got, difference / (2 * step), rtol=1e-4, atol=1e-5 * scale
                )
        assert (i0 > 0).all()
        assert (i2 >= 0).all()


@pytest.mark.parametrize("case", CASES[:3])
def test_no_departure_is_the_line(case):
    """With coefficients of 0 the integrals are those of the compressed form, of Poisson or rows."""
    counts, population, land, _ = parts_of(case)
    none = np.zeros((1, 0))
    flat = dataclasses.replace(population, departure=0 * population.departure)
    line = dataclasses.replace(population, departure=none)
    one, other = (integrated_likelihoods(counts, each, land) for each in (flat, line))
    np.testing.assert_allclose(one.log_likelihood, other.log_likelihood, rtol=1e-7)


def test_blocks_of_draws_keep_their_own_curves(monkeypatch):
    """The integral of a draw does not depend on which others stand beside it."""
    import socgrad.checks.integrated as module

    counts, population, land, _ = parts_of("spline")
    whole = integrated_likelihoods(counts, population, land)
    monkeypatch.setattr(module, "_BLOCK", 1)
    single = integrated_likelihoods(counts, population, land)
    np.testing.assert_allclose(single.log_likelihood, whole.log_likelihood, rtol=1e-6)
