"""An outcome in the block engine: what it tells of effects, against integrals; its gradient."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import socgrad as sg
from combination_engines import engines, evaluated
from socgrad.blocks.effects import draw_effects
from socgrad.blocks.outcome import outcome_of
from socgrad.estimands.outcome_association import outcome_association
from tables import TRUTH, areas_of, simulated

ALL = {"level": True, "controls": True, "errors": True}


@pytest.fixture(scope="module")
def simulation():
    """Twenty authorities with 200 areas."""
    return simulated(authorities=20, areas=200)


def model_of(simulation, *, deprivation=True, level=False, controls=False, errors=False, **options):
    """A model with an outcome that goes with gradients and with deprivation."""
    effects = simulation.effects.set_index("authority")
    rng = np.random.default_rng(1)
    outcome = 20 + 2.0 * effects["slope_effect"] / TRUTH.slope_sd - 4 * effects["between_part"]
    outcome += rng.normal(0, 1, len(effects))
    gini = pd.DataFrame({"gini": rng.uniform(20, 40, len(effects))}, index=outcome.index)
    return sg.OutcomeModel(
        sg.GradientModel(areas_of(simulation, "counts")),
        outcome=outcome,
        name="absence, %",
        controls=gini if controls else None,
        standard_errors=pd.Series(rng.uniform(0.1, 1, len(effects)), outcome.index)
        if errors
        else None,
        adjust_for_deprivation=deprivation,
        adjust_for_level=level,
        **options,
    )


@pytest.mark.parametrize("deprivation", [True, False])
def test_what_an_outcome_tells_is_its_density_times_the_prior(simulation, deprivation):
    """At any effects: a normal prior with the shift and the precision, times what is beside."""
    model = model_of(simulation, deprivation=deprivation, **ALL)
    outcome = outcome_of(model)
    rng = np.random.default_rng(2)
    x, cross_level = 0.5 * rng.standard_normal(outcome.size), -0.3
    covariance = np.array([[0.25, 0.03], [0.03, 0.04]])
    told = outcome.told(x, covariance, np.asarray(cross_level))

    sds = np.sqrt(np.diag(covariance))
    b = model.gradient_model.between_part
    sd = 1e-5 + 0.2 * np.sinh(abs(x[-1]))
    u = rng.standard_normal((7, 20, 2)) * sds
    steep = u[..., 1] + (0.0 if deprivation else cross_level) * b
    mean = x[0] + x[1] * steep / sds[1] + x[2] * u[..., 0] / sds[0] + outcome.given @ x[3:-1]
    noise = np.sqrt(sd**2 + outcome.variance)
    density = stats.norm.logpdf(outcome.value, mean, noise)
    density = density + stats.multivariate_normal.logpdf(u, cov=covariance)
    wanted = density.sum(axis=1)

    precision = np.linalg.inv(covariance) + told.precision
    away = u - told.shift
    found = -0.5 * np.einsum("nki,kij,nkj->n", away, precision, away)
    found += 20 * (-0.5 * np.linalg.slogdet(covariance)[1]) + told.beside
    # Up to what neither a parameter nor an effect enters: of 20 outcomes and 40 effects.
    np.testing.assert_allclose(found - 30 * np.log(2 * np.pi), wanted, rtol=1e-9)


@pytest.mark.parametrize(
    "options",
    [{}, {"deprivation": False}, {"deprivation": False} | ALL],
    ids=["plain", "bare", "all"],
)
def test_the_density_has_its_gradient(simulation, options):
    """By a difference; nothing has to be compiled for an outcome."""
    starts = engines(model_of(simulation, **options))
    assert next(iter(starts)) == "nested Laplace"
    assert evaluated(starts["nested Laplace"]()).good


def test_authorities_without_an_outcome_are_told_nothing(simulation):
    """Their priors are as they were."""
    whole = model_of(simulation)
    outcome = dict(whole.outcome)
    for name in list(outcome)[3:6]:
        outcome[name] = np.nan
    model = sg.OutcomeModel(
        whole.gradient_model, outcome=outcome, name="absence, %", missing_outcomes="leave out"
    )
    start = engines(model)["nested Laplace"]()
    at = start.density.__self__.at(start.point)
    without = [j for j, name in enumerate(outcome) if np.isnan(outcome[name])]
    np.testing.assert_array_equal(np.flatnonzero(at.which == 0), without)
    np.testing.assert_array_equal(at.mean[without], at.population[without])
    assert evaluated(start).good


@pytest.mark.mcmc
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_known_association_is_recovered(shuffled):
    """With theta = 2 per SD of slopes, and 0 for shuffled outcomes, the 95% intervals hold it."""
    simulation = simulated(authorities=60, areas=2400, seed=11)
    model = model_of(simulation)
    if shuffled:
        outcome = np.random.default_rng(5).permutation(model.outcome)
        model = sg.OutcomeModel(
            model.gradient_model, outcome=dict(zip(model.outcome.index, outcome, strict=True)),
            name="absence, %",
        )  # fmt: skip
    tree = sg.fit(model, draws=500, random_seed=4)
    assert "nested Laplace" in tree.attrs["sampler"]
    theta = outcome_association(tree, steeper=np.expm1(TRUTH.slope_sd))
    lower, upper = np.quantile(theta, [0.025, 0.975])
    assert lower < (0.0 if shuffled else 2.0) < upper
    assert shuffled or lower > 0.5


def test_drawn_effects_are_those_that_the_outcome_is_of(simulation):
    """Where hardly anything else varies, the regression gives the outcome back from them."""
    start = engines(model_of(simulation, level=True))["nested Laplace"]()
    marginal = start.density.__self__
    outcome = marginal.coordinates.outcome
    point = start.point.copy()
    point[-outcome.size :] = [0.1, 0.6, -0.4, 0.3, 0.0]
    point[-1] = np.arcsinh(0.02 / 0.2)
    drawn = draw_effects(marginal, point[None], np.array([20]), np.random.default_rng(1)).effects
    sds = np.sqrt(np.diag(marginal.coordinates.shared(point[None]).covariance[0]))
    level, slope = np.moveaxis(drawn, -1, 0) / sds[:, None, None]
    expected = 0.1 + 0.6 * slope - 0.4 * level + 0.3 * outcome.given[:, 0]
    assert np.abs(expected - outcome.value).max() < 0.1
    assert np.abs(slope).mean() > 0.3
