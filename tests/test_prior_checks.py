"""Prior against posterior, and sensitivity to the prior."""

import json

import numpy as np
import pytest
import xarray as xr
from scipy.stats import beta, halfnorm, norm

from covariate_tables import covariate_table
from socgrad.checks.prior_density import log_prior, recorded_priors
from socgrad.checks.priors import compare_prior, prior_sensitivity
from socgrad.errors import EstimandError
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, PositiveNormal, Priors
from socgrad.simulation.prior_draws import draw_prior
from tables import areas_of, simulated, simulated_areas


def fitted(kind="counts", per=0.10, **options):
    """Thirty authorities of twenty areas or so; a fit without a compiler."""
    simulation = simulated(authorities=30, areas=600, seed=8)
    areas = areas_of(simulation, kind)
    if per != 0.10:
        areas = simulated_areas(simulation.frame, per=per)
    priors = options.pop("priors", Priors(within=Normal(0.5, 0.3)))
    return fit(GradientModel(areas, priors=priors, **options), method="laplace", random_seed=1)


@pytest.fixture(scope="module")
def tree():
    """The fit of counts."""
    return fitted()


@pytest.fixture(scope="module")
def totals():
    """The fit of totals with a narrow prior of the gradient."""
    return fitted("totals", priors=Priors(within=Normal(0.5, 0.05)))


def test_priors_are_recorded(tree):
    """The manifest holds the priors of the terms present, and no others."""
    priors = recorded_priors(tree)
    assert priors["within"].tolist() == [0.5, 0.3]
    assert priors["level_sd"].tolist() == [0.0, 0.5]
    assert priors["correlation"].tolist() == [2.0, 2.0]
    assert not {"curvature", "overdispersion"} & set(priors)
    # Without a prior of its own the intercept's is centred at the crude rate.
    events = tree["observed_data"]["events"].sum()
    crude = np.log(float(events) / float(tree["constant_data"]["exposure"].sum()))
    assert priors["intercept"] == pytest.approx((crude, 1.5))


def test_priors_of_the_graph_are_read_too(tree):
    """A tree of pymc.sample keeps the priors among its constants."""
    other = tree.copy()
    del other.attrs["priors"]
    with pytest.raises(EstimandError, match="does not record its priors"):
        recorded_priors(other)
    data = tree["constant_data"].to_dataset()
    other["constant_data"] = xr.DataTree(
        data.assign(prior_within=("moment", [0.5, 0.3]), prior_correlation=2.0)
    )
    found = {name: pair.tolist() for name, pair in recorded_priors(other).items()}
    assert found == {"within": [0.5, 0.3], "correlation": [2.0, 2.0]}


def test_log_prior_is_scipys(tree):
    """Normal, half-normal and beta densities, of the parameters in their own units."""
    density, draws = log_prior(tree), tree["posterior"].to_dataset()
    np.testing.assert_allclose(density["within"], norm.logpdf(draws["within"], 0.5, 0.3))
    expected = halfnorm.logpdf(draws["slope_sd"], scale=0.25)
    np.testing.assert_allclose(density["slope_sd"], expected)
    # A beta on (-1, 1): half the density of that on (0, 1).
    expected = beta.pdf((draws["correlation"] + 1) / 2, 2, 2) / 2
    np.testing.assert_allclose(np.exp(density["correlation"]), expected)
    assert "level_effect" not in density


def test_table_holds_prior_and_posterior(tree):
    """Priors as stated, posteriors as drawn, in words a reader knows."""
    table = compare_prior(tree)
    # exp(0.5), exp(0.5 - 1.96 * 0.3), exp(0.5 + 1.96 * 0.3)
    assert table.loc["within", ["prior", "prior_lower", "prior_upper"]].tolist() == pytest.approx(
        [1.6487, 0.9158, 2.9683], rel=1e-4
    )
    drawn = np.exp(np.quantile(tree["posterior"]["within"], [0.5, 0.025, 0.975]))
    assert table.loc[
        "within", ["posterior", "posterior_lower", "posterior_upper"]
    ].tolist() == pytest.approx(drawn.tolist())
    variance = float(tree["posterior"]["within"].var())
    assert table.loc["within", "learned"] == pytest.approx(1 - variance / 0.09, rel=1e-4)
    assert table["scale"].to_dict() == {
        "intercept": "events per 10,000",
        "within": "ratio per 10 points",
        "between": "ratio per 10 points",
        "cross_level": "ratio per 10 points squared",
        "level_sd": "log rate",
        "slope_sd": "log ratio per 10 points",
        "correlation": "correlation",
    }
    narrow = compare_prior(tree, prob=0.5)
    assert narrow.loc["within", "prior_lower"] > table.loc["within", "prior_lower"]


def test_the_step_is_a_choice_of_units(tree):
    """A fit per 5 points is tabulated per 10 points as the fit per 10 points is."""
    first, second = compare_prior(tree), compare_prior(fitted(per=0.05))
    columns = ["prior", "prior_lower", "prior_upper"]
    np.testing.assert_allclose(
        first[columns].astype(float), second[columns].astype(float), rtol=1e-9
    )
    columns = ["posterior", "posterior_lower", "posterior_upper"]
    np.testing.assert_allclose(
        first[columns].astype(float), second[columns].astype(float), rtol=0.1, atol=0.05
    )


def test_totals_learn_little_of_gradients(tree, totals):
    """Totals leave the prior of the gradient about as it was; counts do not."""
    assert compare_prior(tree).loc["within", "learned"] > 0.9
    learned = compare_prior(totals)["learned"]
    assert learned["within"] < 0.2
    assert learned["intercept"] > 0.9


def test_sensitivity_says_who_decides(tree):
    """Counts decide the gradient; a narrow prior elsewhere pulls against them."""
    table = prior_sensitivity(tree)
    assert table.index.tolist() == list(compare_prior(tree).index)
    assert table.loc["within", "diagnosis"] == "the counts decide"
    pulled = prior_sensitivity(fitted(priors=Priors(within=Normal(0.0, 0.05))))
    assert pulled.loc["within", "diagnosis"] == "prior and counts both move it"
    assert pulled.loc["within", "prior"] > 4 * table.loc["within", "prior"]
    held = prior_sensitivity(fitted("totals", priors=Priors(within=Normal(0.5, 0.01))))
    assert held.loc["within", "prior"] > held.loc["within", "likelihood"]
    assert held.loc["within", "diagnosis"] == "the prior decides, totals say little"


def test_draws_that_never_moved_are_refused(tree):
    """In our words, not ArviZ's."""
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    still = groups["posterior"].isel(draw=[0] * 200)
    stuck = xr.DataTree.from_dict({**groups, "posterior": still})
    stuck.attrs = dict(tree.attrs)
    with pytest.raises(EstimandError, match=r"too few of them differ\. Look at socgrad"):
        prior_sensitivity(stuck)


def test_totals_never_decide_on_gradients(totals):
    """What totals tell of gradients they tell by the form of the model, and the table says so."""
    wide = prior_sensitivity(totals)
    of_gradients = wide.loc[["within", "cross_level", "slope_sd", "correlation"]]
    moved = of_gradients["likelihood"] >= 0.05
    # By 0.09 and 0.16; `within` by 0.04 to 0.06, which is at the edge.
    assert moved[["cross_level", "slope_sd"]].all()
    assert not moved["correlation"]
    assert of_gradients["diagnosis"].str.contains("the form of the model alone").eq(moved).all()
    assert not of_gradients["diagnosis"].str.contains("counts").any()
    assert wide.loc["intercept", "diagnosis"] == "the counts decide"


def test_arguments_are_checked(tree):
    """Probabilities and numbers of draws out of range are refused."""
    with pytest.raises(EstimandError, match="prob is 1; expected"):
        compare_prior(tree, prob=1.0)
    with pytest.raises(EstimandError, match="draws is 0"):
        prior_sensitivity(tree, draws=0)


def test_pooled_and_fixed_priors():
    """A pooled coefficient has the prior of `within`; a standard deviation may be all but fixed."""
    priors = Priors(within=Normal(0.4, 0.2), level_sd=PositiveNormal(0.3, 0.01))
    tree = fitted(deprivation="pooled", family="negative_binomial", priors=priors)
    table = compare_prior(tree)
    assert table.loc["pooled", "prior"] == pytest.approx(np.exp(0.4), rel=1e-6)
    assert table.loc["level_sd", "prior"] == pytest.approx(0.3, rel=1e-6)
    assert table.loc["overdispersion", "scale"] == "coefficient of variation"
    assert set(log_prior(tree).data_vars) == set(table.index)
    assert "priors" in tree.attrs
    assert set(json.loads(tree.attrs["priors"])) >= {"within", "overdispersion"}


def test_covariates_have_priors_too():
    """Coefficients of covariates are drawn, tabulated and weighed like any other."""
    model = GradientModel(
        covariate_table(authorities=30, areas=300).validated(),
        authority_covariates="~ gini",
        moderators="~ scale(gini)",
        priors=Priors(covariates={"gini": Normal(1.0, 2.0)}),
    )
    prior = draw_prior(model, draws=20_000)
    drawn = prior["posterior"]["authority_covariate_coefficient"]
    assert drawn.dims == ("chain", "draw", "authority_covariate")
    assert float(drawn.mean()) == pytest.approx(1.0, abs=0.06)  # four standard errors
    assert float(drawn.std()) == pytest.approx(2.0, rel=0.03)
    tree = fit(model, method="laplace", random_seed=1)
    table = compare_prior(tree)
    assert table.loc["authority_covariate[gini]", "scale"] == "rate ratio per unit"
    assert table.loc["authority_covariate[gini]", "prior"] == pytest.approx(np.e, rel=1e-6)
    assert table.loc["moderator[scale(gini)]", "scale"] == "ratio of gradients per 10 points"
    values = tree["posterior"]["authority_covariate_coefficient"]
    expected = norm.logpdf(values, 1.0, 2.0)[..., 0]
    np.testing.assert_allclose(log_prior(tree)["authority_covariate_coefficient"], expected)
    moved = prior_sensitivity(tree, draws=400)
    assert moved.index.tolist() == table.index.tolist()
    # A unit of Gini is thirty times what authorities differ by: no count can tell much of it.
    assert moved["prior"].idxmax() == "authority_covariate[gini]"
