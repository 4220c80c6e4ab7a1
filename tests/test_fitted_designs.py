import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from conftest import changed
from covariate_tables import covariate_table
from socgrad.errors import SchemaError
from socgrad.estimands.covariate_ratios import moderated_gradient
from socgrad.estimands.gradients import gradient
from socgrad.estimands.rates import expected_rate
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.reading.covariate_example import covariate_example_fit
from socgrad.reading.fitted_designs import fitted_designs
from socgrad.reading.posterior import coefficients
from socgrad.reading.storage import load, save


@pytest.fixture(scope="module")
def tree():
    """A fit of a model with covariates of authorities."""
    model = GradientModel(
        covariate_table(authorities=30, areas=900).validated(),
        authority_covariates="scale(gini) + region",
        moderators="region + scale(gini)",
    )
    return fit(model, method="laplace", random_seed=4)


def test_a_saved_fit_transforms_new_rows_as_the_fitted_ones_were(tree, tmp_path):
    """The file alone suffices: its designs are the model's, for new authorities too."""
    again = load(save(tree, tmp_path / "fit.nc"))
    made = fitted_designs(again)
    for name, columns in made.named.items():
        if columns.names:
            np.testing.assert_allclose(columns.matrix, tree["constant_data"][f"{name}_design"])
    gini = covariate_table(authorities=30, areas=900).authorities["gini"]
    new = pd.DataFrame({"gini": [gini.mean()], "region": ["London"]})
    np.testing.assert_allclose(made.moderators.design.of(new), [[1.0, 0.0]], atol=1e-12)


def test_a_file_without_events_holds_covariates_that_may_go_along(tree, tmp_path):
    """Unless someone says that they are public, they stay; with them, all numbers are the same."""
    with pytest.raises(SchemaError, match=r"keeps the covariates \(authority_covariate_design, m"):
        save(tree, tmp_path / "fit.nc", include_events=False)
    path = save(tree, tmp_path / "fit.nc", include_events=False, covariates_are_public=True)
    again = load(path)
    np.testing.assert_array_equal(gradient(again, target="each"), gradient(tree, target="each"))
    assert fitted_designs(again).moderators.names == ("region[London]", "scale(gini)")


def test_columns_that_no_longer_give_the_design_are_refused(tree):
    """As after a change of the library that reads formulas."""
    broken = changed(tree, constants=lambda c: c.assign(moderator_design=2 * c["moderator_design"]))
    with pytest.raises(SchemaError, match="no longer give its moderator_design"):
        fitted_designs(broken)


def test_coefficients_need_their_columns():
    """A tree put together from two fits is refused."""
    fitted = covariate_example_fit()
    broken = changed(fitted, constants=lambda c: c.drop_vars("moderator_design"))
    with pytest.raises(SchemaError, match="has moderator_coefficient, but group 'constant_data'"):
        coefficients(broken)


def test_an_authority_has_its_covariates_in_its_own_curve(split_fit):
    """Level and slope of each authority move by coefficient times column, the average's do not."""
    fitted = covariate_example_fit()
    draws, constants = fitted["posterior"], fitted["constant_data"]
    turns = draws["moderator_coefficient"].dot(constants["moderator_design"], dim="moderator")
    ratio = gradient(fitted, target="each") / gradient(split_fit, target="each")
    np.testing.assert_allclose(ratio, np.exp(turns), rtol=1e-12)
    np.testing.assert_array_equal(gradient(fitted), gradient(split_fit))
    np.testing.assert_array_equal(
        expected_rate(fitted, deprivation=0.2), expected_rate(split_fit, deprivation=0.2)
    )
    alone = coefficients(fitted).without_random_effects
    np.testing.assert_allclose(alone.slope_effect, turns)
    assert coefficients(split_fit).without_random_effects.slope_effect.item() == 0


def test_the_engine_finds_the_coefficients(tree):
    """Each true value lies within three posterior SDs: Gini 0.2 and 0.12, London 0.3 and -0.15."""
    draws = tree["posterior"].to_dataset()
    for name, truth in (
        ("authority_covariate_coefficient", {"scale(gini)": 0.2, "region[London]": 0.3}),
        ("moderator_coefficient", {"scale(gini)": 0.12, "region[London]": -0.15}),
    ):
        label = name.removesuffix("_coefficient")
        for column, value in truth.items():
            one = draws[name].sel({label: column})
            assert abs(float(one.mean()) - value) < 3 * float(one.std())
            assert float(one.std()) < 0.3


def test_prior_draws_hold_the_coefficients():
    """Drawn from their own priors, per step: SD 0.5 of the level's, 0.2 of the gradient's."""
    from socgrad.simulation.prior_draws import draw_prior

    model = GradientModel(
        covariate_table().validated(), covariates="setting", moderators="scale(gini)"
    )
    drawn = draw_prior(model, draws=4000, random_seed=2)["posterior"]
    assert float(drawn["covariate_coefficient"].std()) == pytest.approx(0.5, rel=0.05)
    assert float(drawn["moderator_coefficient"].std()) == pytest.approx(0.2, rel=0.05)
    assert gradient(draw_prior(model, draws=10), target="each").sizes["authority"] == 12


@pytest.mark.parametrize(
    ("formulas", "words"),
    [
        (lambda f: f | {"moderators": "T.__globals__.inspect.os.mkdir('{}')"}, "unknown function"),
        (lambda f: f | {"moderators": "scale(gini), region"}, r"', region' follows"),
        (lambda f: f | {"moderators": "wealth"}, "moderators names 'wealth', which it has no"),
        (lambda f: f | {"moderators": 5}, "must be a formula such as"),
        (lambda f: f | {"within_between": "gini"}, "within_between is no list of texts"),
        (lambda f: {"moderators": f["moderators"]}, "expected a mapping with area_moderators"),
        (lambda _: "T.__globals__", "expected a mapping"),
    ],
)
def test_formulas_of_a_file_are_checked_before_anything_is_made_of_them(
    tree, tmp_path, formulas, words
):
    """At load, and again where a tree in memory is asked for its columns."""
    marker = tmp_path / "marker"
    given = formulas(json.loads(tree["covariate_data"].attrs["formulas"]))
    written = json.dumps(given).replace("{}", str(marker))
    crafted = tree.copy()
    crafted["covariate_data"] = xr.DataTree(
        tree["covariate_data"].to_dataset().assign_attrs(formulas=written)
    )
    with pytest.raises(SchemaError, match=words):
        moderated_gradient(crafted, {"gini": [0.3], "region": ["London"]})
    with pytest.raises(SchemaError, match=f"fit.nc: Group 'covariate_data': .*{words}"):
        load(save(crafted, tmp_path / "fit.nc"))
    assert not marker.exists()
