"""Covariates in the PyMC graph: cells of areas give the likelihood of the rows."""

import numpy as np
import pytest
from scipy import stats

from covariate_tables import covariate_table
from interpreted import interpreted
from socgrad.model.compression import likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Priors, rate_ratio

pytestmark = pytest.mark.mcmc

# One evaluation each: compiling would take far longer.

TERMS = {
    "categories": {
        "covariates": "setting",
        "area_moderators": "setting",
        "authority_covariates": "scale(gini)",
        "moderators": "region",
    },
    "numbers": {"covariates": "setting + scale(log(density))", "within_between": ["density"]},
    "moderators alone of areas": {
        "covariates": "scale(log(density))",
        "area_moderators": "scale(log(density))",
    },
}


def values_at(graph, rng):
    """A random point of the graph's values, and its effects."""
    point = {
        name: np.asarray(value) + 0.1 * rng.standard_normal(np.shape(value))
        for name, value in graph.initial_point().items()
    }
    names = ["level_effect", "slope_effect"]
    effects = graph.compile_fn(
        graph.replace_rvs_by_values([graph[name] for name in names]),
        inputs=graph.value_vars,
        on_unused_input="ignore",
        mode=interpreted(),
    )(point)
    return point, dict(zip(names, effects, strict=True))


def expected_events(model, point, effects):
    """Events of every area by the equation, written out row by row."""
    areas, made = model.areas, model.designs
    b, w, j = model.between_part, model.within_part, areas.authority_of_area
    level = point["intercept"] + point["between"] * b + effects["level_effect"]
    slope = point["within"] + point["cross_level"] * b + effects["slope_effect"]
    shift, turn = np.zeros(len(w)), np.zeros(len(w))
    for name, columns in made.named.items():
        if not columns.names:
            continue
        added = columns.matrix @ point[f"{name}_coefficient"]
        if name == "authority_covariate":
            level = level + added
        elif name == "moderator":
            slope = slope + added
        elif name == "covariate":
            shift = added
        else:
            turn = added
    return areas.exposure * np.exp(level[j] + shift + (slope[j] + turn) * w)


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
def test_density_of_counts_equals_scipy_row_by_row(family, terms):
    """Whatever the cells, the counts have the probability that the equation gives each row."""
    from socgrad.nuts.pymc_models import pymc_model

    model = GradientModel(covariate_table().validated(), family=family, **terms)
    graph = pymc_model(model)
    point, effects = values_at(graph, np.random.default_rng(1))
    reached = graph.compile_logp(vars=[graph["events"]], mode=interpreted())(point)
    mean = expected_events(model, point, effects)
    counts = model.areas.events
    if family == "poisson":
        wanted = stats.poisson(mean).logpmf(counts).sum()
    else:
        phi = np.exp(point["overdispersion_interval__"]) ** -2.0
        wanted = stats.nbinom(phi, phi / (phi + mean)).logpmf(counts).sum()
    np.testing.assert_allclose(reached, wanted, rtol=1e-9)


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
def test_density_of_totals_equals_scipy(family, terms):
    """An authority's total is that of the sum of its rows, with their own covariates."""
    from socgrad.nuts.pymc_models import pymc_model

    priors = Priors(within=rate_ratio(1.65, interval=(1.5, 1.82)))
    areas = covariate_table().validated(totals=True)
    model = GradientModel(areas, family=family, priors=priors, **terms)
    graph = pymc_model(model)
    point, effects = values_at(graph, np.random.default_rng(2))
    reached = graph.compile_logp(vars=[graph["total_events"]], mode=interpreted())(point)
    mean = expected_events(model, point, effects)
    j, total = areas.authority_of_area, areas.total_events
    summed, squares = np.bincount(j, mean), np.bincount(j, mean**2)
    if family == "poisson":
        wanted = stats.poisson(summed).logpmf(total).sum()
    else:
        r = np.exp(point["overdispersion_interval__"]) ** 2 * squares / summed**2
        wanted = stats.nbinom(1 / r, 1 / (1 + r * summed)).logpmf(total).sum()
    np.testing.assert_allclose(reached, wanted, rtol=1e-9)


def test_cells_are_authorities_times_patterns():
    """Two settings make two cells of an authority; a number makes a cell of every area."""
    areas = covariate_table().validated()
    rural = areas.covariates["setting"].to_numpy()
    cells = len(set(zip(areas.authority_of_area, rural, strict=True)))
    assert likelihood_data(GradientModel(areas)).sizes["counted_cell"] == 12
    by_setting = likelihood_data(GradientModel(areas, covariates="setting"))
    assert by_setting.sizes["counted_cell"] == cells == 23
    by_density = likelihood_data(GradientModel(areas, covariates="scale(density)"))
    assert by_density.sizes["counted_cell"] == len(areas.area)
    assert by_density.sizes["count_node"] == 1


@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
def test_the_sampled_graph_has_the_same_density(terms):
    """The graph that is sampled, its data in two vectors, has the density of the named one."""
    from socgrad.nuts.graph import compact_model, full_data
    from socgrad.nuts.pymc_models import pymc_model

    model = GradientModel(covariate_table().validated(), **terms)
    data = full_data(model, [likelihood_data(model)])
    graphs = pymc_model(model), compact_model(model, data)
    point, _ = values_at(graphs[0], np.random.default_rng(6))
    one, other = (graph.compile_logp(mode=interpreted())(point) for graph in graphs)
    assert one == pytest.approx(other, rel=1e-12)
