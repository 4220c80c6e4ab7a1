"""Neighbourhoods with covariates of their own, in every sum that is taken over them."""

import ast
from pathlib import Path

import numpy as np
import pytest

import socgrad
from conftest import changed
from socgrad.checks.counts import lines_at, population_at, total_moments
from socgrad.estimands.aggregates import (
    authority_log_sums,
    authority_rate_sums,
    authority_rates,
    group_rates,
    line_draws,
)
from socgrad.estimands.area_rates import area_rates
from socgrad.estimands.gradients import between, gradient
from socgrad.estimands.rates import expected_rate
from socgrad.reading.covariate_example import area_covariate_example_fit, covariate_example_fit
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients

#: Modules that read the within part of areas or sums over lines, and honour area covariates.
HONOUR = {
    "estimands/aggregates.py",
    "estimands/area_rates.py",
    "estimands/exposure_sums.py",
    "checks/counts.py",
    "checks/authority_likelihoods.py",
    "checks/bounded_forms.py",  # with what takes areas off their line in `log_exposure`
    "checks/locality_counts.py",  # through area_blocks
    "checks/log_likelihood.py",  # through total_moments
    "checks/shared_forms.py",  # with what takes areas off their line in `log_exposure`
    "estimands/area_factors.py",  # of rates that it is given
    "checks/bends.py",
    "checks/further_tests.py",
    "checks/heavy_tails.py",
    "estimands/locality_sums.py",
    "estimands/locality_ratios.py",  # through locality_sums
    "estimands/predictions.py",  # through locality_sums
    "estimands/what_if.py",  # moves w: sums over what it returns are taken elsewhere
    "reading/posterior.py",
    "reading/example.py",  # has none
}


@pytest.fixture(scope="module")
def fit():
    """Rural areas have another level and another slope than their authority's line."""
    return area_covariate_example_fit()


@pytest.fixture(scope="module")
def rates(fit):
    """The rate of every area in every draw, written out from the equation."""
    draws, c = fit["posterior"].to_dataset(), fit["constant_data"].to_dataset()
    b, w = c["between_part"], c["within_part"].to_numpy()
    level = draws["intercept"] + draws["between"] * b + draws["level_effect"]
    slope = draws["within"] + draws["cross_level"] * b + draws["slope_effect"]
    level = level + draws["authority_covariate_coefficient"].dot(c["authority_covariate_design"])
    slope = slope + draws["moderator_coefficient"].dot(c["moderator_design"], dim="moderator")
    dims = ("chain", "draw", "authority")
    level, slope = (each.transpose(*dims).to_numpy().reshape(-1, 6) for each in (level, slope))
    j = c["authority_of_area"].to_numpy()
    zeta, xi = (
        draws[f"{name}_coefficient"].to_numpy().reshape(-1, 1)
        for name in ("covariate", "area_moderator")
    )
    z, a = (c[f"{name}_design"].to_numpy().T for name in ("covariate", "area_moderator"))
    return np.exp(level[:, j] + zeta @ z + (slope[:, j] + xi @ a) * w)


def test_rates_of_areas_are_those_of_the_equation(fit, rates):
    """All areas, and a few by position."""
    terms, land = coefficients(fit), geography(fit)
    lines = line_draws(terms, land, own_effects=True)
    np.testing.assert_allclose(area_rates(terms, land, lines, slice(None)), rates, rtol=1e-12)
    some = np.array([5, 599])
    np.testing.assert_allclose(area_rates(terms, land, lines, some), rates[:, some], rtol=1e-12)


def test_sums_over_areas_are_those_of_their_rates(fit, rates):
    """By authority, by group, of logs, and with weights of any sign."""
    terms, land = coefficients(fit), geography(fit)
    j, n = land.authority_of_area, land.exposure
    home = (j[:, None] == np.arange(6)).astype(float)
    weight = np.cos(np.arange(600))
    reached = authority_rate_sums(terms, land, n, weight)
    for sums, w in zip(reached, (n, weight), strict=True):
        np.testing.assert_allclose(sums, (rates * w) @ home, rtol=1e-10)
    (logs,) = authority_log_sums(terms, land, weight)
    np.testing.assert_allclose(logs, (np.log(rates) * weight) @ home, rtol=1e-9, atol=1e-9)
    group = 1 + np.arange(600) % 3
    wanted = [(rates * n)[:, group == g].sum(1) / n[group == g].sum() for g in (1, 2, 3)]
    by_group = group_rates(terms, land, group=group, groups=3).to_numpy().reshape(-1, 3)
    np.testing.assert_allclose(by_group, np.stack(wanted, axis=1), rtol=1e-10)
    own = authority_rates(terms, land, own_effects=True).to_numpy().reshape(-1, 6)
    np.testing.assert_allclose(own, (rates * n) @ home / (n @ home), rtol=1e-10)


def test_blocks_of_areas_do_not_matter(fit, rates, monkeypatch):
    """One area at a time gives the same sums."""
    import socgrad.estimands.area_rates as module

    monkeypatch.setattr(module, "_BLOCK", 1)
    terms, land = coefficients(fit), geography(fit)
    home = (land.authority_of_area[:, None] == np.arange(6)).astype(float)
    (sums,) = authority_rate_sums(terms, land, land.exposure)
    np.testing.assert_allclose(sums, (rates * land.exposure) @ home, rtol=1e-10)


def test_lines_are_those_of_areas_at_national_means(fit):
    """Gradient, rate along the line and the between ratio stay as without area covariates."""
    plain = covariate_example_fit()
    keep = {
        name: fit["posterior"][name]
        for name in ("authority_covariate_coefficient", "moderator_coefficient")
    }
    plain = changed(plain, posterior=lambda p: p.assign(keep))
    for target in ("average", "each"):
        np.testing.assert_array_equal(gradient(fit, target=target), gradient(plain, target=target))
        np.testing.assert_array_equal(
            expected_rate(fit, target=target, deprivation=0.2),
            expected_rate(plain, target=target, deprivation=0.2),
        )
    np.testing.assert_array_equal(between(fit, scale="rates"), between(plain, scale="rates"))


def test_checks_expect_what_the_equation_says(fit, rates):
    """Moments of totals run over the areas' own rates, and so do likelihoods of authorities."""
    from socgrad.checks.authority_likelihoods import authority_likelihoods
    from socgrad.checks.counts import FittedCounts

    land, at = geography(fit), np.arange(100)
    home = (land.authority_of_area[:, None] == np.arange(6)).astype(float)
    mean, _ = total_moments(lines_at(fit, at), land, among=np.ones(600, dtype=bool))
    np.testing.assert_allclose(mean, (rates * land.exposure) @ home, rtol=1e-10)
    at_all = np.arange(600)
    events = np.full(600, 2.0)
    counts = FittedCounts(at_all, events, at_all[:0], events[:0])
    likelihoods = dict(authority_likelihoods(counts, population_at(fit, at), land))
    own = lines_at(fit, at)
    for j, one in likelihoods.items():
        got = one.log_likelihood(own.level[:, j], own.slope[:, j], np.zeros(100))
        mu = (rates * land.exposure)[:, land.authority_of_area == j]
        wanted = (2 * np.log(mu) - mu - np.log(2)).sum(axis=1)
        np.testing.assert_allclose(got, wanted, rtol=1e-9)


def test_nothing_else_sums_over_lines():
    """A module that reads w of areas by itself would miss their covariates: list it when it does.

    `land.within_part` and `exposure_sums` are what such a sum starts from.
    """
    source = Path(socgrad.__file__).parent
    found = set()
    for package in ("estimands", "checks", "reading", "tables", "plots"):
        for path in (source / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                reads = isinstance(node, ast.Attribute) and (
                    node.attr == "within_part" and ast.unparse(node.value).endswith("land")
                )
                sums = isinstance(node, ast.ImportFrom) and str(node.module).endswith("sums")
                if reads or sums:
                    found.add(path.relative_to(source).as_posix())
    assert found <= HONOUR, f"Do these honour area covariates? {sorted(found - HONOUR)}"
