import numpy as np
import pandas as pd
import pytest

import socgrad as sg
from covariate_tables import covariate_table
from socgrad.errors import EstimandError, SocgradError, SupportWarning
from socgrad.estimands.covariate_ratios import covariate_ratio, moderated_gradient
from socgrad.estimands.gradients import gradient
from socgrad.model.gradient_model import GradientModel
from socgrad.reading.covariate_example import covariate_example_fit
from socgrad.simulation.prior_draws import draw_prior
from socgrad.table.areas import Areas


@pytest.fixture(scope="module")
def fit():
    """Gini changes level and gradient, region the gradient."""
    return covariate_example_fit()


def test_a_ratio_is_the_exponential_of_its_coefficient(fit):
    """Draw by draw; the gradient's per 20 points are the squares of those per 10."""
    draws = fit["posterior"]
    level = covariate_ratio(fit)
    np.testing.assert_allclose(level, np.exp(draws["authority_covariate_coefficient"]))
    assert level["covariate"].values.tolist() == ["scale(gini)"]
    turns = covariate_ratio(fit, effect="gradient")
    np.testing.assert_allclose(turns, np.exp(draws["moderator_coefficient"]))
    np.testing.assert_allclose(covariate_ratio(fit, effect="gradient", per=0.2), turns**2)
    assert (level.name, turns.name) == ("covariate_ratio", "moderator_ratio")
    assert sg.summarise(level, turns)["null"].tolist() == [1.0, 1.0, 1.0]


def test_the_moderated_gradient_is_the_average_one_at_national_means(fit):
    """Gini at its child-weighted mean, region not named: the plain gradient."""
    design = fit["constant_data"]
    children = np.bincount(design["authority_of_area"], weights=design["children"])
    gini = fit["covariate_data"]["gini"].to_numpy()
    at = moderated_gradient(fit, {"gini": float(np.average(gini, weights=children))})
    np.testing.assert_allclose(at.isel(setting=0), gradient(fit))


def test_a_step_of_a_moderator_is_its_ratio(fit):
    """One SD of Gini more multiplies the gradient by the ratio; so does the other region."""
    sd = fit["covariate_data"]["gini"].to_numpy().std()
    steps = moderated_gradient(fit, {"gini": [0.33, 0.33 + sd], "region": "South"})
    assert steps["setting"].values.tolist()[0] == "gini=0.33, region=South"
    ratio = covariate_ratio(fit, effect="gradient")
    np.testing.assert_allclose(
        steps[..., 1] / steps[..., 0], ratio.sel(covariate="scale(gini)"), rtol=1e-12
    )
    both = moderated_gradient(fit, {"region": ["North", "South"]})
    np.testing.assert_allclose(
        both[..., 1] / both[..., 0], ratio.sel(covariate="region[South]"), rtol=1e-12
    )


def test_authority_deprivation_and_step_count(fit):
    """As in `gradient`: the cross-level term at an authority mean, powers of the step."""
    values = {"gini": 0.35}
    here, there = (moderated_gradient(fit, values, authority_mean=m) for m in (0.16, 0.25))
    plain = [gradient(fit, authority_mean=m).isel(authority_mean=0) for m in (0.16, 0.25)]
    np.testing.assert_allclose(there / here, (plain[1] / plain[0]).expand_dims(setting=1, axis=-1))
    np.testing.assert_allclose(moderated_gradient(fit, values, per=0.2), moderated_gradient(
        fit, values) ** 2)  # fmt: skip


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"ginni": 0.3}, "No moderator is made of 'ginni'. This model's are made of 'gini', 'reg"),
        ({"gini": [0.3, 0.4], "region": ["North"] * 3}, "does not name settings: expected one val"),
        ({"gini": []}, "does not name settings"),
        ({}, "does not name settings"),
        ({"region": "West"}, "values: Column 'region' has 1 levels that the fitted rows have not"),
    ],
)
def test_settings_that_make_no_sense_are_refused(fit, values, words):
    """The message says what the model has."""
    with pytest.raises(EstimandError, match=words):
        moderated_gradient(fit, values)


def test_ratios_of_what_is_not_there_are_refused(fit, split_fit):
    """A model without covariates, a step for the level, a mean that is no proportion."""
    with pytest.raises(EstimandError, match=r"no covariate. Fit one with .*covariates=\.\.\."):
        covariate_ratio(split_fit)
    with pytest.raises(EstimandError, match=r"no moderator. Fit one with .*moderators=\.\.\."):
        covariate_ratio(split_fit, effect="gradient")
    with pytest.raises(EstimandError, match="per was given for effect='level'"):
        covariate_ratio(fit, per=0.1)
    with pytest.raises(EstimandError, match="effect is 'slope'; expected 'level' or 'gradient'"):
        covariate_ratio(fit, effect="slope")
    with pytest.raises(EstimandError, match="authority_mean must be a proportion"):
        moderated_gradient(fit, {"gini": 0.3}, authority_mean=20)
    with pytest.raises(EstimandError, match="no group 'covariate_data'"):
        moderated_gradient(split_fit, {"gini": 0.3})


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_transform_that_is_not_finite_is_refused(value):
    """The log of 0 or of less is no gradient at the national mean, nor 0, nor infinite."""
    fit = logged_fit()
    with pytest.raises(EstimandError, match=r"'log\(gini\)' is not finite in 1 of 2 new rows"):
        moderated_gradient(fit, {"gini": [0.3, value]})


def test_values_of_another_kind_are_refused_or_read():
    """Numbers as text are numbers; flags, lists and gaps are none."""
    fit = logged_fit()
    plain, text = (moderated_gradient(fit, {"gini": value}) for value in (0.3, "0.3"))
    np.testing.assert_array_equal(plain, text)
    for value in ([[0.3]], [True, 0.3], [None], ["c"]):
        with pytest.raises(SocgradError, match=r"'gini'.*(another kind|is missing)"):
            moderated_gradient(fit, {"gini": value})
    with pytest.raises(EstimandError, match=r"values is a list\. Expected a mapping from column"):
        moderated_gradient(fit, [("gini", 0.3)])


def test_a_moderator_far_outside_its_range_warns():
    """Inside, or a little beyond, nothing is said; far beyond, what was fitted."""
    fit = logged_fit()
    gini = covariate_table().authorities["gini"]
    low, high, sd = gini.min(), gini.max(), gini.std()
    moderated_gradient(fit, {"gini": [low - 0.2 * sd, high + 0.2 * sd]})
    words = rf"gini in 1 of 2 settings, up to {high + sd:.4g} where {low:.4g} to {high:.4g} was f"
    with pytest.warns(SupportWarning, match=words) as caught:
        moderated_gradient(fit, {"gini": [low, high + sd]})
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("make", "reference"),
    [
        (lambda values: values, "London"),
        (lambda values: pd.Categorical(values, ["North", "London"]), "North"),
        (lambda values: pd.Categorical(values, ["North", "London"], ordered=True), "North"),
    ],
)
def test_the_first_category_is_the_reference_and_is_named(make, reference):
    """Also of a categorical that says no order: it has one all the same."""
    table = covariate_table()
    region = np.where(np.arange(len(table.authorities)) % 2, "London", "North")
    areas = Areas.from_frame(
        table.areas, area="area", authority="authority", events="events", children="children",
        deprivation="deprivation", complete=True,
        authority_covariates=pd.DataFrame({"home": make(region)}, index=table.authorities.index),
    )  # fmt: skip
    model = GradientModel(areas, authority_covariates="~ home")
    ratio = covariate_ratio(draw_prior(model, draws=20, random_seed=1))
    (other,) = {"North", "London"} - {reference}
    assert ratio["covariate"].values.tolist() == [f"home[{other}]"]
    row = sg.summarise(ratio).iloc[0]
    assert row["units"] == f"rate ratio of home {other} against {reference}"
    assert row["reference"] == f"the same place with home {reference}, all else equal"


def test_parts_of_a_split_covariate_name_their_reference():
    """Within and between parts compare as the column that both are made of."""
    model = GradientModel(
        covariate_table().validated(),
        covariates="setting + scale(density)",
        within_between=["density"],
    )
    ratio = covariate_ratio(draw_prior(model, draws=20, random_seed=1))
    words = dict(zip(ratio["covariate"].values, ratio["reference"].values, strict=True))
    less = "the same place, one standard deviation of density less, all else equal"
    assert words["scale(density) (within)"] == words["scale(density) (between)"] == less
    assert words["setting[urban]"] == "the same place with setting rural, all else equal"


def logged_fit():
    """Prior draws of a model whose gradient is moderated by the log of Gini."""
    model = GradientModel(covariate_table().validated(), moderators="~ log(gini)")
    return draw_prior(model, draws=20, random_seed=1)
