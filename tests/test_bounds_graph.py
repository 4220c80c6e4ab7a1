"""Counts within bounds in the PyMC graph: its density, and NUTS against the default engine."""

import numpy as np
import pandas as pd
import pytest

import socgrad as sg
from coarsened_tables import COLUMNS, MARKS
from interpreted import interpreted
from socgrad.checks.authority_likelihoods import authority_likelihoods
from socgrad.checks.counts import counts_by_position, population_at
from socgrad.coarsening import Rounded, Suppressed
from socgrad.reading.geography import geography

pytestmark = pytest.mark.mcmc

SECONDARY = Suppressed({"c": (1, 5), "s": (6, None)})


@pytest.fixture(scope="module")
def table():
    """Plans as counted, with 1-5 hidden, some larger ones hidden too, and rounded at random."""
    frame = sg.simulate(authorities=12, areas=360, random_seed=3).frame
    plans = frame["child_protection_plan"].to_numpy()
    rng = np.random.default_rng(1)
    hidden = pd.Series(MARKS.publish(plans, rng), dtype=object)
    protected = hidden.copy()
    protected.iloc[np.flatnonzero(plans >= 8)[:10]] = "s"
    rounded = Rounded(3, how="random").publish(plans, rng)
    shown = {"plans": plans, "hidden": hidden, "protected": protected, "rounded": rounded}
    return frame.assign(**shown)


CASES = {
    "open above": ({"events": "protected", "coarsening": SECONDARY}, "poisson"),
    "open above, overdispersed": (
        {"events": "protected", "coarsening": SECONDARY},
        "negative_binomial",
    ),
    "rounded at random": (
        {"events": "rounded", "coarsening": Rounded(3, how="random")},
        "negative_binomial",
    ),
    "beside totals": ({"events": "hidden", "coarsening": MARKS, "totals": "plans"}, "poisson"),
}
_PARAMETERS = ("intercept", "within", "between", "cross_level", "level_effect", "slope_effect")


@pytest.mark.filterwarnings("ignore::socgrad.errors.ConvergenceWarning")  # few draws
@pytest.mark.parametrize("name", CASES)
def test_the_graph_has_the_likelihood_of_the_checks(table, name):
    """At one point, hidden and counted areas together; written for PyTensor and for numba."""
    import pymc as pm

    door, family = CASES[name]
    if "totals" in door:
        door = {**door, "totals": table.groupby("authority")["plans"].sum()}
    areas = sg.Areas.from_frame(table, **COLUMNS, **door)
    model = sg.GradientModel(areas, family=family)
    tree = sg.fit(model, method="laplace", random_seed=1, draws=100)
    graph = sg.pymc_model(model)
    names = (*_PARAMETERS, *(("overdispersion",) if family != "poisson" else ()))
    with graph:
        rng = np.random.default_rng(1)
        start = graph.initial_point()
        point = {k: v + 0.1 * rng.standard_normal(np.shape(v)) for k, v in start.items()}
        hidden, *values = graph.replace_rvs_by_values(
            [graph.potentials[0], *(graph[one] for one in names)]
        )
        whole = hidden + (graph.logp(vars=graph.observed_RVs) if graph.observed_RVs else 0.0)
        evaluate = pm.compile(
            graph.value_vars, [whole, *values], mode=interpreted(), on_unused_input="ignore"
        )
        found, *own = evaluate(*[point[one.name] for one in graph.value_vars])
        slope_of = graph.compile_dlogp(mode=interpreted())(point)
    assert np.isfinite(slope_of).all()
    at = dict(zip(names, own, strict=True))
    land = geography(tree)
    between = (land.authority_mean.to_numpy() - land.national_mean) / land.per
    level = at["intercept"] + at["between"] * between + at["level_effect"]
    slope = at["within"] + at["cross_level"] * between + at["slope_effect"]
    first = np.zeros(1, dtype=np.int64)
    spread = np.array([at.get("overdispersion", 0.0)])
    by_authority = authority_likelihoods(counts_by_position(tree), population_at(tree, first), land)
    expected = sum(
        one.at(first).log_likelihood(level[j : j + 1], slope[j : j + 1], spread).item()
        for j, one in by_authority
    )
    # Beside totals both read tables whose stated error is 2e-3 in each authority.
    error = 2e-3 * 12 if name == "beside totals" else 1e-8
    assert found == pytest.approx(expected, abs=error)


@pytest.mark.slow
def test_nuts_agrees_with_the_default_engine():
    """1 to 5 hidden, in 30 authorities: means within a fifth of a posterior sd, sds within 15%."""
    frame = sg.simulate(authorities=30, areas=900, random_seed=3).frame
    plans = frame["child_protection_plan"].to_numpy()
    hidden = MARKS.publish(plans, np.random.default_rng(1))
    areas = sg.Areas.from_frame(
        frame.assign(hidden=hidden), **COLUMNS, events="hidden", coarsening=MARKS
    )
    model = sg.GradientModel(areas)
    plain = sg.fit(model, method="laplace", random_seed=1)["posterior"]
    sampled = sg.fit(model, method="nuts", random_seed=1, progress=False)
    assert sg.check_sampling(sampled).converged
    for name in ("intercept", "within", "between", "cross_level", "level_sd", "slope_sd"):
        ours, theirs = plain[name], sampled["posterior"][name]
        sd = float(theirs.std())
        assert float(ours.mean()) == pytest.approx(float(theirs.mean()), abs=0.2 * sd), name
        assert float(ours.std()) == pytest.approx(sd, rel=0.15), name
