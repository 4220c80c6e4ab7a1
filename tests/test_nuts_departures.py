"""Departures from the line in the PyMC graph: cells of areas give the likelihood of the rows."""

import numpy as np
import pytest
from scipy import stats

from fits import INFORMED
from socgrad.model.compression import likelihood_data
from socgrad.model.gradient_model import GradientModel
from tables import areas_of, simulated, small_areas

# One evaluation each: compiling would take far longer.
MODE = "FAST_COMPILE"

SHAPES = ("tenths", "spline")


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
        mode=MODE,
    )(point)
    return point, dict(zip(names, effects, strict=True))


def expected_events(model, point, effects):
    """Events of every area by the equation, written out row by row."""
    areas, b, w = model.areas, model.between_part, model.within_part
    level = point["intercept"] + point["between"] * b + effects["level_effect"]
    slope = point["within"] + point["cross_level"] * b + effects["slope_effect"]
    departure = model.departures.at(areas.deprivation) @ point["departure_coefficient"]
    j = areas.authority_of_area
    return areas.exposure * np.exp(level[j] + slope[j] * w + departure)


@pytest.mark.mcmc
@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
@pytest.mark.parametrize("shape", SHAPES)
def test_density_equals_scipy_row_by_row(shape, family):
    """Counts of half of the authorities, totals of the others, with departures of each area."""
    from socgrad.nuts.graph import compact_model, pymc_model

    areas = areas_of(simulated(), "mixture")
    model = GradientModel(areas, shape=shape, family=family, priors=INFORMED)
    graph = pymc_model(model)
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
    reached = graph.compile_logp(vars=counted, mode=MODE)(point)
    np.testing.assert_allclose(reached, rows.sum() + totals.sum(), rtol=1e-9)
    compact = compact_model(model, likelihood_data(model))
    both = [one.compile_logp(mode=MODE)(point) for one in (graph, compact)]
    assert both[0] == pytest.approx(both[1], rel=1e-12)


def test_cells_are_authorities_times_tenths():
    """Steps keep the compressed likelihood; a spline makes a cell of every area."""
    areas = small_areas()
    model = GradientModel(areas, shape="tenths")
    tenth = model.departures.tenth_of(areas.deprivation)
    cells = len(set(zip(areas.authority_of_area, tenth, strict=True)))
    assert likelihood_data(model).sizes["counted_cell"] == cells < len(areas.area) / 2
    smooth = likelihood_data(GradientModel(areas, shape="spline"))
    assert smooth.sizes["counted_cell"] == len(areas.area)
    assert smooth["count_departure"].shape == (len(areas.area), 3)
