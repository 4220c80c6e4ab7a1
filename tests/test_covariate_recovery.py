"""Covariates of areas, sampled: the truth is found, and both engines agree on authorities'."""

import warnings

import numpy as np
import pytest

from covariate_tables import (
    DENSITY,
    GINI_TURNS,
    LONDON_TURNS,
    RURAL,
    RURAL_TURNS,
    covariate_table,
)
from socgrad.estimands.covariate_ratios import moderated_gradient
from socgrad.estimands.group_rates import authority_rate
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.tables.diagnostics import check_sampling
from webb_surface import LEVEL_SD, SPREAD, SURFACE, webb_areas


@pytest.mark.mcmc
@pytest.mark.parametrize("method", ["auto", pytest.param("nuts", marks=pytest.mark.slow)])
def test_area_covariates_are_recovered(method):
    """Each coefficient within 3.5 SDs of the truth, without a divergence."""
    table = covariate_table(authorities=30, areas=1500)
    model = GradientModel(
        table.validated(),
        covariates="setting + scale(log(density))",
        area_moderators="setting",
        authority_covariates="scale(gini) + region",
        moderators="scale(gini) + region",
    )
    tree = fit(model, method=method, draws=600, tune=500, chains=2, random_seed=1, progress=False)
    check = check_sampling(tree)
    assert check.converged
    draws = tree["posterior"].to_dataset()
    truth = {
        # Against rural, the first category; density was less where rural.
        "covariate_coefficient": (-RURAL, DENSITY),
        "area_moderator_coefficient": (-RURAL_TURNS,),
        "moderator_coefficient": (GINI_TURNS, -LONDON_TURNS),
    }
    turned = {"moderator_coefficient": (1.0, -1.0)}
    for name, values in truth.items():
        found = draws[name].mean(("chain", "draw")) * np.array(turned.get(name, 1.0))
        spread = draws[name].std(("chain", "draw"))
        assert (np.abs(found - np.array(values)) < 3.5 * spread).all(), (name, found.values)
    # With fitted effects the expected totals are the observed ones, within their own chance.
    areas = model.areas
    observed = np.bincount(areas.authority_of_area, areas.events)
    exposure = np.bincount(areas.authority_of_area, areas.exposure)
    expected = authority_rate(tree, rate_per=1).mean(("chain", "draw")).to_numpy() * exposure
    assert (np.abs(expected - observed) < 3 * np.sqrt(observed)).all()


@pytest.mark.mcmc
def test_both_engines_agree_on_covariates_of_authorities():
    """Means within a quarter of an SD, SDs within a fifth."""
    model = GradientModel(
        covariate_table(authorities=30, areas=900).validated(),
        authority_covariates="scale(gini)",
        moderators="scale(gini)",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = fit(model, method="laplace", random_seed=1)
    two = fit(model, method="nuts", draws=1000, tune=700, chains=2, random_seed=2, progress=False)
    for name in ("authority_covariate_coefficient", "moderator_coefficient", "within", "level_sd"):
        means = [tree["posterior"][name].mean().item() for tree in (one, two)]
        spreads = [tree["posterior"][name].std().item() for tree in (one, two)]
        assert abs(means[0] - means[1]) < 0.25 * spreads[1]
        assert spreads[0] == pytest.approx(spreads[1], rel=0.2)


@pytest.fixture(scope="module")
def webb_model():
    """The moderated model of the published surface, with the terms of the test above."""
    return GradientModel(webb_areas(), authority_covariates="scale(gini)", moderators="scale(gini)")


def check_surface(tree):
    """All seven published gradients lie within three posterior SDs, which are small."""
    centre = float(tree["constant_data"]["national_mean"])
    for (deprived, gini), published in SURFACE.items():
        found = np.log(
            moderated_gradient(
                tree, {"gini": float(gini)}, authority_mean=centre + SPREAD * deprived
            )
        )
        spread = float(found.std())
        assert abs(float(found.mean()) - np.log(published)) < 3 * spread, (deprived, gini)
        assert spread < 0.05


def test_the_published_surface_is_recovered(webb_model):
    """Seven gradients from three coefficients, steep where affluent and unequal."""
    tree = fit(webb_model, method="laplace", random_seed=3)
    check_surface(tree)
    level_sd = tree["posterior"]["level_sd"]
    assert float(level_sd.quantile(0.005)) < LEVEL_SD < float(level_sd.quantile(0.995))


@pytest.mark.mcmc
def test_a_variance_near_zero_is_sampled_without_divergences(webb_model):
    """0.0039 between authorities: the standardised effects keep NUTS off the funnel."""
    tree = fit(
        webb_model, method="nuts", draws=1000, tune=700, chains=2, random_seed=3, progress=False
    )
    check = check_sampling(tree)
    assert check.divergences == 0
    assert check.table["rhat"].max() < 1.03
    check_surface(tree)
    level_sd = tree["posterior"]["level_sd"]
    assert float(level_sd.quantile(0.005)) < LEVEL_SD < float(level_sd.quantile(0.995))
