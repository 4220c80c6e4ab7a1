"""Covariates of a specification: what is refused, and the priors of their coefficients."""

import dataclasses

import numpy as np
import pytest

from covariate_tables import covariate_table
from socgrad.errors import SocgradWarning, SpecificationError
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, Priors


def model(**terms):
    """The small table, with columns that cannot serve among those that can."""
    areas = covariate_table().validated()
    n = len(areas.authority)
    mean = areas.authority_mean
    more = areas.authority_covariates.assign(
        flat=1.0, deprived=2 * mean + 1, gap=np.where(np.arange(n) < 2, np.nan, 1.0)
    )
    j = areas.authority_of_area
    own = areas.covariates.assign(
        deprivation=areas.deprivation,
        own=(more["gini"].to_numpy())[j],
        idaci=areas.deprivation,
        doubled=areas.covariates.density,
    )
    areas = dataclasses.replace(areas, authority_covariates=more, covariates=own)
    return GradientModel(areas, **terms)


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"authority_covariates": "flat"}, r"authority_covariates: 'flat' is the same in all 12"),
        ({"moderators": "gini + flat"}, "moderators: 'flat' is the same in all 12 rows"),
        ({"authority_covariates": "deprived"}, "collinear: it follows exactly from deprivation of"),
        ({"moderators": "gini + own"}, r"'own' is collinear: .* 'gini' \(12 rows\)"),
        ({"authority_covariates": "gap"}, r"'gap' is missing in 2 of 12 rows \(first: A001, A002"),
        ({"authority_covariates": "setting"}, r"'setting' varies inside 11 of 12 authorities \(f"),
        ({"moderators": "density"}, "use it in area_moderators="),
        ({"moderators": "regoin"}, r"names 'regoin', which no .* Did you mean 'region'\?"),
        ({"covariates": "gini"}, "'gini' is at the wrong level: it does not vary inside any auth"),
        ({"covariates": "density + doubled"}, "'doubled' is collinear: .* 'density'"),
        ({"covariates": "idaci"}, "'idaci' is collinear: it follows exactly from deprivation of a"),
        ({"covariates": "{deprivation**2}"}, "'deprivation', the column of deprivation: the slope"),
        ({"covariates": "setting", "within_between": "setting"}, "is one text. Expected a list"),
        ({"moderators": "gini", "deprivation": "none"}, "moderators change the gradient, but dep"),
        ({"priors": Priors(covariates={"x": Normal(0, 1)})}, r"names 'x', .* \(it has none\)"),
    ],
)
def test_what_nothing_could_be_learnt_of_is_refused(terms, words):
    """The message names the argument, the column and the rows."""
    with pytest.raises(SpecificationError, match=words):
        model(**terms)


def test_a_column_of_areas_that_repeats_its_authority_serves_for_authorities():
    """Each authority's own value, given as a column of the areas' table."""
    by_area, by_authority = (model(moderators=f"scale({name})").designs for name in ("own", "gini"))
    np.testing.assert_allclose(by_area.moderators.matrix, by_authority.moderators.matrix)


def test_moderators_of_areas_want_their_columns_in_the_level():
    """Without it a difference in rates would pass for one in gradients."""
    with pytest.warns(SocgradWarning, match="area_moderators names 'setting', which covariates d"):
        model(area_moderators="setting")
    assert model(covariates="setting", area_moderators="setting").designs.of_areas


def test_a_default_prior_that_would_decide_is_doubted():
    """Gini has an SD of 0.03: Normal(0, 0.5) per unit allows 1.5% per SD. scale() it."""
    with pytest.warns(SocgradWarning, match=r"'gini' \(SD 0.0\d+\) hardly varies by a unit"):
        model(moderators="gini")
    model(moderators="scale(gini)")
    model(moderators="gini", priors=Priors(moderators={"gini": Normal(0, 5)}))


def test_priors_are_by_column_by_term_or_the_default():
    """A column's own name comes before its term's; moderators are per step of deprivation."""
    priors = Priors(
        covariates={"scale(gini)": Normal(0.1, 0.3)}, moderators={"region": Normal(-0.1, 0.05)}
    )
    terms = {"authority_covariates": "scale(gini) + region", "moderators": "region + scale(gini)"}
    given = model(priors=priors, **terms).coefficient_priors
    assert given == {
        "authority_covariate_coefficient": (Normal(0.1, 0.3), Normal(0.0, 0.5)),
        "moderator_coefficient": (Normal(-0.1, 0.05), Normal(0.0, 0.2)),
    }
    half = GradientModel(covariate_table().validated(per=0.05), priors=priors, **terms)
    assert half.coefficient_priors["authority_covariate_coefficient"][0] == Normal(0.1, 0.3)
    assert half.coefficient_priors["moderator_coefficient"][0] == Normal(-0.05, 0.025)


def test_a_prior_must_be_a_normal():
    """By the name of its column."""
    with pytest.raises(SpecificationError, match=r"Priors.moderators must be a dict of names to N"):
        Priors(moderators={"gini": 0.5})


def test_a_split_covariate_gives_authorities_its_means():
    """The between part is a covariate of authorities, with the prior of its term."""
    made = model(
        covariates="scale(density)",
        within_between=["density"],
        priors=Priors(covariates={"scale(density)": Normal(0, 1)}),
    )
    assert made.designs.authority_covariates.names == ("scale(density) (between)",)
    assert set(made.coefficient_priors) == {
        "covariate_coefficient",
        "authority_covariate_coefficient",
    }
    assert made.coefficient_priors["authority_covariate_coefficient"] == (Normal(0, 1),)


def test_an_outcome_needs_gradients_of_deprivation_alone():
    """What covariates leave of a gradient must not stand for the whole."""
    from socgrad.model.outcome_model import OutcomeModel

    given = model(moderators="scale(gini)")
    outcome = dict.fromkeys(given.areas.authority, 1.0)
    with pytest.raises(SpecificationError, match="takes the authorities' gradients from a model o"):
        OutcomeModel(given, outcome=outcome, name="absence")
