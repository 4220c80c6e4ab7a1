"""Likelihoods of authorities, and their integrals over the authority's effects."""

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.stats import multivariate_normal, nbinom, norm, poisson

from socgrad.checks.authority_likelihoods import authority_likelihoods
from socgrad.checks.counts import Population, counts_by_position, population_at
from socgrad.checks.integrated import integrated_likelihoods
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, Priors
from socgrad.reading.geography import geography
from tables import small_areas

PRIORS = Priors(within=Normal(0.5, 0.2))
AT = np.array([3, 1500, 3999])


def fitted(family, **options):
    """Twelve authorities, every second known by its total only; a fit without a compiler."""
    areas = small_areas("mixture", overdispersion=0.3)
    model = GradientModel(areas, family=family, priors=PRIORS, **options)
    return fit(model, method="laplace", random_seed=1)


@pytest.fixture(scope="module", params=["poisson", "negative_binomial"])
def parts(request):
    """Counts, population in three draws, and geography of either family."""
    tree = fitted(request.param)
    return counts_by_position(tree), population_at(tree, AT), geography(tree)


def rows_of(counts, land, j):
    """Events, exposure and within part of an authority's counted areas."""
    own = land.authority_of_area[counts.area] == j
    at = counts.area[own]
    return counts.events[own], land.exposure[at], land.within_part[at]


def by_hand(parts, j, line, draw):
    """Log probability of an authority's counts from SciPy, row by row."""
    (counts, population, land), (level, slope) = parts, line
    r = population.overdispersion[draw] ** 2
    if j in counts.authority:
        own = land.authority_of_area == j
        mu = land.exposure[own] * np.exp(level + slope * land.within_part[own])
        y, mean = counts.total[counts.authority == j], mu.sum(keepdims=True)
        r *= (mu**2).sum() / mean**2
    else:
        y, exposure, w = rows_of(counts, land, j)
        mean = exposure * np.exp(level + slope * w)
    if np.all(r == 0):
        return poisson.logpmf(y, mean).sum()
    return nbinom.logpmf(y, 1 / r, 1 / (1 + r * mean)).sum()


def test_every_authority_is_there_once(parts):
    """Counts and totals alike give a likelihood, with the right numbers of events and areas."""
    counts, population, land = parts
    found = dict(authority_likelihoods(counts, population, land))
    assert sorted(found) == list(range(12))
    for j, one in found.items():
        if j in counts.authority:
            assert one.events == counts.total[counts.authority == j].item()
        else:
            assert one.events == rows_of(counts, land, j)[0].sum()
        assert one.areas == (land.authority_of_area == j).sum()


def test_likelihood_is_that_of_the_rows(parts):
    """Sums and rules give SciPy's log probability of every row, constants included."""
    counts, population, land = parts
    for j, one in authority_likelihoods(counts, population, land):
        level, slope = population.level[:, j] + 0.2, population.slope[:, j] - 0.15
        got = one.log_likelihood(level, slope, population.overdispersion)
        expected = [by_hand(parts, j, (level[d], slope[d]), d) for d in range(len(AT))]
        np.testing.assert_allclose(got, expected, rtol=1e-8)


def test_gradients_are_derivatives(parts):
    """Gradients agree with differences, of a negative binomial total whose variance moves, too."""
    counts, population, land = parts
    step = 1e-5
    for j, one in authority_likelihoods(counts, population, land):
        level, slope = population.level[:, j], population.slope[:, j] + 0.1
        spread = population.overdispersion

        numbers = [
            one.log_likelihood(level + a, slope + b, spread)
            - one.log_likelihood(level - a, slope - b, spread)
            for a, b in ((step, 0.0), (0.0, step))
        ]
        gradient, (i0, _, i2) = one.moments(level, slope, spread)
        for got, difference in zip(gradient, numbers, strict=True):
            np.testing.assert_allclose(got, difference / (2 * step), rtol=1e-4, atol=1e-5)
        assert (i0 > 0).all()
        assert (i2 >= 0).all()


@pytest.mark.parametrize("j", [0, 1, 5])
def test_integral_is_the_double_integral(parts, j):
    """Adaptive quadrature gives SciPy's double integral over level and slope effects."""
    counts, population, land = parts
    found = integrated_likelihoods(counts, population, land)
    assert found.error < 1e-3
    one = dict(authority_likelihoods(counts, population, land))[j]
    d = 1
    a, across, alone = (part[d] for part in population.factor)
    covariance = np.array([[a * a, a * across], [a * across, across**2 + alone**2]])
    people = multivariate_normal(np.zeros(2), covariance)
    top = found.log_likelihood[d, found.authority.tolist().index(j)]

    def integrand(v, u):
        value = one.log_likelihood(
            np.array([population.level[d, j] + u]),
            np.array([population.slope[d, j] + v]),
            population.overdispersion[d : d + 1],
        )
        return float(np.exp(value[0] - top) * people.pdf([u, v]))

    low, high = -6 * a, 6 * a
    wide = 6 * np.sqrt(covariance[1, 1])
    value, _ = dblquad(integrand, low, high, -wide, wide, epsabs=1e-5, epsrel=1e-5)
    assert np.log(value) == pytest.approx(0.0, abs=1e-3)


def test_without_slopes_one_integral(parts):
    """Where authorities share one slope the integral is over the level alone."""
    counts, population, land = parts
    zero = np.zeros_like(population.level_sd)
    flat = Population(
        population.level, population.slope, population.level_sd, zero, zero,
        population.overdispersion,
    )  # fmt: skip
    found = integrated_likelihoods(counts, flat, land)
    one = dict(authority_likelihoods(counts, flat, land))[3]
    top = found.log_likelihood[2, 3]

    def integrand(u):
        value = one.log_likelihood(
            np.array([flat.level[2, 3] + u]), flat.slope[2:, 3], flat.overdispersion[2:]
        )
        return float(np.exp(value[0] - top) * norm.pdf(u, 0, flat.level_sd[2]))

    wide = 8 * flat.level_sd[2]
    value, _ = quad(integrand, -wide, wide, limit=200, points=[0.0])
    assert np.log(value) == pytest.approx(0.0, abs=1e-3)


def test_vanishing_deviations_leave_the_likelihood(parts):
    """Without any authority effects the integral is the likelihood itself."""
    counts, population, land = parts
    zero = np.zeros_like(population.level_sd)
    none = Population(
        population.level, population.slope, zero, zero, zero, population.overdispersion
    )
    found = integrated_likelihoods(counts, none, land)
    for j, one in authority_likelihoods(counts, none, land):
        expected = one.log_likelihood(none.level[:, j], none.slope[:, j], none.overdispersion)
        np.testing.assert_allclose(found.log_likelihood[:, j], expected, atol=1e-8)
