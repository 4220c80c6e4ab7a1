"""Departures from the line in the PyMC graph: cells of areas give the likelihood of the rows."""

import numpy as np
import pytest
from scipy import stats

from covariate_tables import covariate_table
from fits import INFORMED
from interpreted import interpreted
from socgrad.errors import QuadratureWarning
from socgrad.model.compression import curve_error, likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, Priors
from socgrad.quadrature_record import _check_curve
from socgrad.simulation.prior_draws import draw_prior
from tables import areas_of, simulated, simulated_areas, small_areas

# One evaluation each: compiling would take far longer.

SHAPES = ("tenths", "spline")


def named_graph(model):
    """The graph with a name for each array."""
    from socgrad.nuts.pymc_models import pymc_model

    return pymc_model(model)


def values_at(graph):
    """A random point of the graph's values, and its effects."""
    rng = np.random.default_rng(1)
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
    areas, b, w = model.areas, model.between_part, model.within_part
    departure = model.departures.at(areas.deprivation) @ point["departure_coefficient"]
    if model.deprivation == "pooled":
        level = point["intercept"] + effects["level_effect"]
        slope = point["pooled"] + effects["slope_effect"]
    else:
        level = point["intercept"] + point["between"] * b + effects["level_effect"]
        slope = point["within"] + point["cross_level"] * b + effects["slope_effect"]
    j, turn = areas.authority_of_area, 0.0
    if "covariate_coefficient" in point:
        departure = departure + model.designs.covariates.matrix @ point["covariate_coefficient"]
        turn = model.designs.area_moderators.matrix @ point["area_moderator_coefficient"]
    return areas.exposure * np.exp(level[j] + (slope[j] + turn) * w + departure)


def both_densities(model, graph, point):
    """Log densities of the named graph and of the one that is sampled."""
    from socgrad.nuts.graph import compact_model, full_data

    compact = compact_model(model, full_data(model, [likelihood_data(model)]))
    return [one.compile_logp(mode=interpreted())(point) for one in (graph, compact)]


@pytest.mark.mcmc
@pytest.mark.parametrize(
    ("shape", "family", "deprivation"),
    [
        ("tenths", "poisson", "split"),
        ("tenths", "negative_binomial", "split"),
        ("spline", "poisson", "split"),
        ("spline", "poisson", "pooled"),
        ("spline", "negative_binomial", "split"),
    ],
)
def test_density_equals_scipy_row_by_row(shape, family, deprivation):
    """Counts of half of the authorities, totals of the others, with departures of each area."""
    areas = areas_of(simulated(), "mixture")
    priors = INFORMED if deprivation == "split" else Priors(within=INFORMED.within)
    model = GradientModel(areas, shape=shape, family=family, deprivation=deprivation, priors=priors)
    graph = named_graph(model)
    point, effects = values_at(graph)
    mean, j, some = expected_events(model, point, effects), areas.authority_of_area, areas.counted
    known = ~np.isnan(areas.total_events)
    summed, squares = (np.bincount(j, mean**power)[known] for power in (1, 2))
    if family == "poisson":
        rows = stats.poisson(mean[some]).logpmf(areas.events[some])
        totals = stats.poisson(summed).logpmf(areas.total_events[known])
    else:
        r = np.exp(point["overdispersion_interval__"]) ** 2
        rows = stats.nbinom(1 / r, 1 / (1 + r * mean[some])).logpmf(areas.events[some])
        r = r * squares / summed**2
        totals = stats.nbinom(1 / r, 1 / (1 + r * summed)).logpmf(areas.total_events[known])
    counted = [graph["events"], graph["total_events"]]
    reached = graph.compile_logp(vars=counted, mode=interpreted())(point)
    np.testing.assert_allclose(reached, rows.sum() + totals.sum(), rtol=1e-9)
    one, other = both_densities(model, graph, point)
    assert one == pytest.approx(other, rel=1e-12)


@pytest.mark.mcmc
@pytest.mark.parametrize("shape", SHAPES)
def test_covariates_and_a_shape_together(shape):
    """Cells are then authorities times settings times tenths, or intervals between knots."""
    model = GradientModel(
        covariate_table().validated(), shape=shape, covariates="setting", area_moderators="setting"
    )
    graph = named_graph(model)
    point, effects = values_at(graph)
    rows = stats.poisson(expected_events(model, point, effects)).logpmf(model.areas.events)
    reached = graph.compile_logp(vars=[graph["events"]], mode=interpreted())(point)
    np.testing.assert_allclose(reached, rows.sum(), rtol=1e-9)


def test_cells_are_authorities_times_tenths_or_intervals():
    """Both shapes keep the compressed likelihood; a negative binomial spline needs its areas."""
    areas = small_areas()
    model = GradientModel(areas, shape="tenths")
    tenth = model.departures.tenth_of(areas.deprivation)
    cells = len(set(zip(areas.authority_of_area, tenth, strict=True)))
    assert likelihood_data(model).sizes["counted_cell"] == cells < len(areas.area) / 2
    model = GradientModel(areas, shape="spline")
    interval = np.searchsorted(model.departures.places, areas.deprivation)
    cells = len(set(zip(areas.authority_of_area, interval, strict=True)))
    assert likelihood_data(model).sizes["counted_cell"] == cells < len(areas.area) / 4
    rows = likelihood_data(GradientModel(areas, shape="spline", family="negative_binomial"))
    assert rows.sizes["counted_cell"] == len(areas.area)


def test_sums_over_nodes_are_those_over_areas():
    """To 1e-8 of every cell for curves as the prior has them; wild ones are told apart."""
    areas = simulated_areas(simulated(areas=2400).frame)
    rng = np.random.default_rng(2)
    slope = 0.5 + 0.3 * rng.standard_normal((20, 12))
    for knots in (3, 5, 7):
        model = GradientModel(areas, shape="spline", knots=knots)
        data, z = likelihood_data(model), rng.standard_normal((20, knots - 2))
        assert data.sizes["count_node"] <= 14
        assert curve_error(model, data, slope, 0.2 * z) < 1e-8
        assert curve_error(model, data, slope, 20.0 * z) > 1e-6
    line = GradientModel(areas, shape="tenths")
    assert curve_error(line, likelihood_data(line), slope, rng.standard_normal((20, 9))) == 0.0


def test_curves_that_nodes_do_not_reproduce_are_said_to_be_so():
    """A fit with curves far wilder than any gradient warns, and records the error."""
    areas = simulated_areas(simulated(areas=2400).frame)
    model = GradientModel(areas, shape="spline", priors=Priors(departure=Normal(0.0, 20.0)))
    wild = draw_prior(model, draws=50, random_seed=1)
    mild = draw_prior(GradientModel(areas, shape="spline"), draws=50, random_seed=1)
    data = likelihood_data(model)
    slopes = mild["posterior"]["within"] + mild["posterior"]["slope_effect"]
    with pytest.warns(QuadratureWarning, match="Along the curves that were drawn"):
        _check_curve(model, _with_error(wild), data, slopes)
    tree = _with_error(mild)
    _check_curve(model, tree, data, slopes)
    assert tree.attrs["quadrature_error"] < 1e-8


def _with_error(tree):
    tree.attrs["quadrature_error"] = 0.0
    return tree
