"""Years in the block engine: gradient, prior, and draws that find the truth."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from socgrad.blocks.data import counts_of
from socgrad.blocks.drift import drifting as structure_of
from socgrad.blocks.pilot import pilot
from socgrad.fitting import fit
from socgrad.model.compression import likelihood_data
from socgrad.model.drift import Drift, National
from socgrad.model.stratified_model import StratifiedModel
from socgrad.model.terms import model_terms
from years_tables import drifting, small, walking

FORMS = ("autoregressive", "random walk", "trend", "none")


def marginal_of(model):
    """The marginal posterior of a model of years, and a point near its mode."""
    models = list(model.models.values())
    terms = [model_terms(one) for one in models]
    counts = counts_of(models, terms, [likelihood_data(one) for one in models])
    made = pilot(
        models, terms, counts, correlations="full", normal=False, over_years=model.over_years
    )
    return made.marginal, made.point


@pytest.mark.filterwarnings("ignore:4 years say little")
@pytest.mark.parametrize(
    ("drift", "national"),
    [
        (Drift(breaks=(2020,)), National(form="trend", breaks=(2020,))),
        (Drift(levels="random walk", slopes="trend"), National()),
        (Drift(levels="none", slopes="none"), None),
    ],
)
def test_the_gradient_is_that_of_the_density(drift, national):
    """By differences in every number of a point, with deprivation that changes by year."""
    model = StratifiedModel(small()[1], authority_effects=drift, national=national)
    marginal, point = marginal_of(model)
    point = point + 0.05 * np.random.default_rng(1).standard_normal(len(point))
    _, exact = marginal.gradient(point)
    step = 1e-5
    near = [
        (marginal.value(point + away) - marginal.value(point - away)) / (2 * step)
        for away in step * np.eye(len(point))
    ]
    np.testing.assert_allclose(exact, near, rtol=2e-4, atol=2e-4)


def test_the_prior_of_national_coefficients_is_normal_along_the_years():
    """Against the density of a multivariate normal, coefficient by coefficient."""
    national = National(level=0.2, gradient=0.07)
    model = StratifiedModel(small()[1], authority_effects=Drift(levels="none", slopes="none"),
                            national=national)  # fmt: skip
    marginal, point = marginal_of(model)
    other = point.copy()
    size = sum(marginal.coordinates.sizes[:2])
    other[:size] += 0.1 * np.random.default_rng(2).standard_normal(size)
    found = marginal.coordinates.log_prior(other) - marginal.coordinates.log_prior(point)
    years = np.arange(4.0)
    steps = {"intercept": 0.2, "within": 0.07, "between": 0.07, "cross_level": 0.02}
    expected = 0.0
    for k, each in enumerate(marginal.coordinates.coefficients):
        mean, sd = each.prior[0]
        covariance = sd**2 + steps[each.name] ** 2 * np.minimum.outer(years, years)
        density = multivariate_normal(np.full(4, mean), covariance)
        at = slice(4 * k, 4 * k + 4)
        expected += density.logpdf(other[at]) - density.logpdf(point[at])
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("levels", FORMS)
@pytest.mark.parametrize("breaks", [(), (2020,)])
def test_a_structure_finds_its_own_point(levels, breaks):
    """Far from a covariance of its own form it starts near it."""
    priors = {
        name: (4.0, 2.0) if "correlation" in name else (0.0, 0.5)
        for name in (
            "level_constant_sd", "slope_constant_sd", "constant_correlation", "level_drift_sd",
            "slope_drift_sd", "level_autocorrelation", "slope_autocorrelation", "level_break_sd",
            "slope_break_sd",
        )
    }  # fmt: skip
    made = structure_of(np.arange(2015.0, 2023.0), breaks, (levels, "random walk"), priors)
    true = np.where(made.mirrored, 2.0, -0.3)
    covariance = made.covariance(true)
    found = made.covariance(made.point(covariance))
    np.testing.assert_allclose(found, covariance, rtol=0.25, atol=0.02)


def test_draws_find_the_truth():
    """Six years: national coefficients, drift, and how far the gradient changed."""
    simulation, panel = drifting()
    tree = fit(walking(panel), method="laplace", draws=250, random_seed=3, progress=False)
    draws = tree["posterior"].to_dataset()
    assert draws.sizes["stratum"] == 6
    truth = simulation.truth
    for name in ("within", "between", "cross_level"):
        middle, sd = draws[name].mean(("chain", "draw")), draws[name].std(("chain", "draw"))
        assert (np.abs((middle - truth[name].to_numpy()) / sd) < 3.3).all()
    for name, value in (
        ("level_constant_sd", 0.25),
        ("slope_constant_sd", 0.10),
        ("level_drift_sd", 0.08),
        ("slope_drift_sd", 0.03),
    ):
        own = draws[name]
        assert abs(float(own.mean()) - value) < 3.3 * float(own.std())
    # What years share goes out of a change: it is known better than either year.
    change = draws["within"].isel(stratum=-1) - draws["within"].isel(stratum=0)
    apart = np.hypot(*(float(draws["within"].isel(stratum=k).std()) for k in (0, -1)))
    assert float(change.std()) < 0.85 * apart
    assert abs(float(change.mean()) + 0.10) < 3.3 * float(change.std())
    effects = simulation.effects.pivot(index="year", columns="authority", values="level_effect")
    own = draws["level_effect"].mean(("chain", "draw"))
    own = own.sel(authority=effects.columns.to_numpy()).to_numpy()
    assert np.corrcoef(own.ravel(), effects.to_numpy().ravel())[0, 1] > 0.9


@pytest.mark.slow
def test_nuts_on_the_marginal_finds_the_same():
    """Draws of NUTS on the marginal posterior against weighted ones, in posterior SDs."""
    from socgrad.blocks.marginal_nuts import sample_marginal
    from socgrad.blocks.sampling import sample_blocks
    from socgrad.nuts.options import NutsOptions

    model = walking(drifting()[1])
    models = list(model.models.values())
    data = [likelihood_data(one) for one in models]
    options = NutsOptions(500, 500, 2, 2, 0.9, 1, progress=False)
    shared = {"correlations": "full", "over_years": model.over_years}
    walked = sample_marginal(models, data, options=options, **shared)
    weighed = sample_blocks(models, data, draws=500, chains=4, random_seed=2, **shared)
    assert walked.doubt == weighed.doubt == ""
    for name in ("within", "between", "cross_level", "level_drift_sd", "slope_drift_sd",
                 "level_constant_sd", "slope_constant_sd"):  # fmt: skip
        one, other = walked.posterior[name], weighed.posterior[name]
        sd = other.std(("chain", "draw"))
        away = (one.mean(("chain", "draw")) - other.mean(("chain", "draw"))) / sd
        assert float(np.abs(away).max()) < 0.25, name
        ratio = one.std(("chain", "draw")) / sd
        assert (np.abs(np.log(ratio)) < np.log(1.25)).all(), name
