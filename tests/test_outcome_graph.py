"""The regression in the PyMC graph: its density against SciPy; recovery of a known association."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from interpreted import interpreted
from socgrad.estimands.outcome_association import outcome_association
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.model.outcome_model import OutcomeModel
from tables import TRUTH, areas_of, simulated

pytestmark = pytest.mark.mcmc


def outcome_of(simulation, *, theta, noise, seed=1):
    """Outcome = 20 + theta * (slope effect / SD of slopes) - 4 * mean deprivation steps + noise."""
    effects = simulation.effects.set_index("authority")
    rng = np.random.default_rng(seed)
    return (
        20
        + theta * effects["slope_effect"] / TRUTH.slope_sd
        - 4 * effects["between_part"]
        + rng.normal(0, noise, len(effects))
    )


@pytest.mark.parametrize("adjusted", [True, False])
def test_the_regression_has_the_density_of_its_docstring(adjusted):
    """The outcome's log density at a point is SciPy's, predictor by predictor."""
    from socgrad.nuts.outcome_graph import outcome_graph

    simulation = simulated(authorities=20, areas=200)
    outcome = outcome_of(simulation, theta=1.0, noise=1.0)
    gini = pd.DataFrame({"gini": np.arange(20.0) ** 1.5}, index=outcome.index)
    model = OutcomeModel(
        GradientModel(areas_of(simulation, "counts")),
        outcome=outcome,
        name="absence, %",
        controls=gini,
        standard_errors=0 * outcome + 0.3,
        adjust_for_deprivation=adjusted,
        adjust_for_level=True,
    )
    graph = outcome_graph(model)
    rng = np.random.default_rng(3)
    point = {
        name: np.asarray(value) + 0.1 * rng.normal(size=np.shape(value))
        for name, value in graph.initial_point(random_seed=1).items()
    }
    outputs = [graph["outcome_scaled"], *(graph[n] for n in ("level_effect", "slope_effect"))]
    outputs += [graph[n] for n in ("level_sd", "slope_sd", "cross_level", "outcome_sd_scaled")]
    evaluate = graph.compile_fn(
        graph.replace_rvs_by_values(outputs),
        inputs=graph.value_vars,
        mode=interpreted(),
        on_unused_input="ignore",
    )
    beta, u0, u1, level_sd, slope_sd, cross_level, sd = evaluate(point)

    areas = model.gradient_model.areas
    b = (areas.authority_mean - areas.national_mean) / areas.per
    z = ((outcome - outcome.mean()) / outcome.std()).to_numpy()
    predictors = [(u1 if adjusted else u1 + cross_level * b) / slope_sd, u0 / level_sd]
    if adjusted:
        predictors.append((b - b.mean()) / b.std(ddof=1))
    predictors.append(((gini - gini.mean()) / gini.std()).to_numpy()[:, 0])
    mean = point["outcome_intercept_scaled"] + np.column_stack(predictors) @ beta
    error = np.hypot(sd, 0.3 / outcome.std())
    given = graph.compile_logp(vars=[graph["outcome"]], mode=interpreted())(point)
    np.testing.assert_allclose(given, stats.norm.logpdf(z, mean, error).sum(), rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("shuffled", [False, True], ids=["own", "shuffled"])
def test_a_known_association_is_recovered(shuffled):
    """With theta = 2 per SD of slopes, and 0 for shuffled outcomes, the 95% intervals hold it."""
    simulation = simulated(authorities=60, areas=2400, seed=11)
    outcome = outcome_of(simulation, theta=2.0, noise=1.0)
    if shuffled:
        outcome = pd.Series(np.random.default_rng(5).permutation(outcome), index=outcome.index)
    model = GradientModel(areas_of(simulation, "counts"))
    tree = fit(
        OutcomeModel(model, outcome=outcome, name="absence, %"),
        method="nuts",
        draws=500,
        tune=500,
        chains=2,
        random_seed=4,
        progress=False,
    )
    theta = outcome_association(tree, steeper=np.expm1(TRUTH.slope_sd))
    lower, upper = np.quantile(theta, [0.025, 0.975])
    assert lower < (0.0 if shuffled else 2.0) < upper
    assert shuffled or lower > 0.5
