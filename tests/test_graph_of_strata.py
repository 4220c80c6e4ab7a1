"""The PyMC graph of joint strata has the terms and laws of that of one, with the same densities."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import combinations
import socgrad as sg
from coarsened_tables import MARKS
from combinations import Cell, model_of
from interpreted import interpreted
from socgrad.errors import SpecificationError
from socgrad.model.compression import constants, likelihood_data
from socgrad.nuts.rows import stacked
from years_tables import panel_of, small

pytestmark = pytest.mark.mcmc

LAWS = {
    "localities, mixed": Cell("localities", counts="mixed", strata="joint"),
    "tenths, mixed": Cell("tenths", counts="mixed", strata="joint"),
    "spline": Cell("spline", strata="joint"),
    "spline, overdispersed": Cell("spline", family="negative_binomial", strata="joint"),
    "area moderators": Cell("area moderators", strata="joint"),
    "mixed, overdispersed": Cell(
        "plain", counts="mixed", family="negative_binomial", strata="joint"
    ),
}


def hidden(family):
    """Two strata with 1-5 events hidden, more of them in the second."""
    frame = combinations._table("plain", family)
    rng = np.random.default_rng(1)
    shown = {name: MARKS.publish(frame[name].to_numpy(), rng) for name in ("first", "second")}
    strata = sg.Strata.from_stages(
        frame.assign(**shown),
        stages=list(shown),
        nested=False,
        coarsening=MARKS,
        **combinations._ROLES,
    )
    return sg.StratifiedModel(strata, authority_effects="joint", family=family)


def likelihood(models, coefficient, level, slope, spread):
    """Log-likelihood of counts at given lines, as the graph of these models has it."""
    import pymc as pm

    from socgrad.nuts.counts import observe_counts, observe_totals
    from socgrad.nuts.graph_data import graph_data
    from socgrad.nuts.hidden_counts import observe_hidden
    from socgrad.nuts.lines import AuthorityLines, Shifts
    from socgrad.nuts.pymc_quietly import pt

    data = graph_data(models, [likelihood_data(each) for each in models])
    given = {str(name): pt.constant(values.to_numpy()) for name, values in data.items()}
    areas = [each.areas for each in models]
    dims = ("counted_area", "total_authority")
    coords = {dim: np.arange(data.sizes[dim]) for dim in dims if dim in data.sizes}
    with pm.Model(coords=coords) as graph:
        shifts = Shifts(**{name: pt.constant(each) for name, each in coefficient.items()})
        lines = AuthorityLines(
            pt.constant(level), pt.constant(slope), spread, shifts, strata=len(models)
        )
        if "count_events" in given:
            observe_counts(given, lines, np.concatenate([a.events[a.counted] for a in areas]))
        observe_hidden(given, lines)
        if "sum_events" in given:
            totals = np.concatenate([a.total_events for a in areas])
            observe_totals(given, lines, totals[~np.isnan(totals)])
    value = graph.logp(vars=graph.observed_RVs + graph.potentials)
    return float(value.eval(mode=interpreted()))


@pytest.mark.parametrize("name", [*LAWS, "hidden", "hidden, overdispersed"])
def test_the_likelihood_of_strata_is_the_sum_of_their_own(name):
    """At lines, spreads and coefficients that differ between strata; none is taken for another."""
    from socgrad.nuts.pymc_quietly import pt

    if name in LAWS:
        model = model_of(LAWS[name])
    else:
        model = hidden("negative_binomial" if "over" in name else "poisson")
    models = list(model.models.values())
    rng = np.random.default_rng(2)
    strata, authorities = len(models), len(models[0].areas.authority)
    level = np.array([[-3.5], [-4.2]]) + 0.3 * rng.standard_normal((strata, authorities))
    slope = 0.5 + 0.1 * rng.standard_normal((strata, authorities))
    coefficient = {
        dim: 0.1 * rng.standard_normal((strata, len(columns.names)))
        for dim, columns in models[0].designs.named.items()
        if columns.names and dim in ("covariate", "area_moderator", "departure")
    }
    has_factor = model.family != "poisson" or model.localities
    spread = np.array([0.3, 0.6])
    whole = likelihood(
        models,
        coefficient,
        level.ravel(),
        slope.ravel(),
        pt.constant(spread) if has_factor else None,
    )
    parts = [
        likelihood(
            [one],
            {dim: values[s] for dim, values in coefficient.items()},
            level[s],
            slope[s],
            pt.constant(spread[s]) if has_factor else None,
        )
        for s, one in enumerate(models)
    ]
    assert np.isfinite(parts).all()
    assert whole == pytest.approx(sum(parts), rel=1e-11)


def test_rows_of_strata_stand_one_after_the_other():
    """Places become those in arrays of all strata; what is short is filled up with nothing."""
    first = xr.Dataset(
        {
            "count_authority": ("counted_cell", [0, 2]),
            "count_constant": ((), -1.5),
            "row_locality": ("locality_area", [0, 1, 1]),
            "locality_events": ("counted_locality", [3.0, 4.0]),
            "distinct_events": ("number", [0.0, 2.0]),
            "interval_log_weight": (("interval_area", "interval_step"), [[0.0, 0.0]]),
            "constraint_slopes": ("end", [-1.0, 1.0]),
        }
    )
    second = xr.Dataset(
        {
            "count_authority": ("counted_cell", [1]),
            "count_constant": ((), -2.0),
            "row_locality": ("locality_area", [0]),
            "locality_events": ("counted_locality", [5.0]),
            "distinct_events": ("number", [5.0]),
            "interval_log_weight": (("interval_area", "interval_step"), [[0.0]]),
        }
    )
    made = stacked([first, second], authorities=3)
    assert made["count_authority"].values.tolist() == [0, 2, 4]
    assert float(made["count_constant"]) == -3.5
    assert made["row_locality"].values.tolist() == [0, 1, 1, 2]
    assert made["locality_events"].values.tolist() == [3.0, 4.0, 5.0]
    assert made["number_stratum"].values.tolist() == [0, 0, 1]
    weights = made["interval_log_weight"].to_numpy()
    assert np.exp(weights).tolist() == [[1.0, 1.0], [1.0, 0.0]]
    assert made["constraint_slopes"].values.tolist() == [[-1.0, 1.0], [0.0, 0.0]]
    assert stacked([second], authorities=3) is second


def functions_of(graph, free, made):
    """The density of a free variable, and what is made of it, as functions of a point."""
    (variable,) = (each for each in graph.free_RVs if each.name == free)
    density = graph.compile_logp(vars=[variable], mode=interpreted())
    values = graph.compile_fn(
        graph.replace_rvs_by_values([graph[name] for name in made]),
        inputs=graph.value_vars,
        mode=interpreted(),
        on_unused_input="ignore",
    )
    return density, values


def volume(values, point, free):
    """Log determinant of the derivative of what is made of a free variable, by differences."""
    start, columns = point[free], []
    for k in range(start.size):
        step = np.zeros(start.size)
        step[k] = 1e-5
        ends = [
            np.ravel(values(point | {free: start + sign * step.reshape(start.shape)})[0])
            for sign in (1, -1)
        ]
        columns.append((ends[0] - ends[1]) / 2e-5)
    sign, log_determinant = np.linalg.slogdet(np.array(columns))
    assert sign != 0
    return log_determinant


def point_of(graph):
    """A point of free variables a little off where the graph starts."""
    rng = np.random.default_rng(3)
    return {
        name: value + 0.1 * rng.standard_normal(np.shape(value))
        for name, value in graph.initial_point().items()
    }


def test_levels_alone_are_one_normal_vector_of_all_strata():
    """Without slopes of authorities, whatever standardises them, beside totals too."""
    graph = sg.pymc_model(model_of(Cell("no slopes", counts="mixed", strata="joint")))
    names = ["level_effect", "level_sd", "level_correlation"]
    density, values = functions_of(graph, "effects_raw", names)
    point = point_of(graph)
    effects, sds, correlation = values(point)
    assert effects.shape == (2, 18)
    assert not {"slope_effect", "slope_correlation"} & set(graph.named_vars)
    # LKJ(2) of two effects: the one partial correlation is the correlation.
    raw = graph["partial_mixing"].get_value()[0, 0] * point["covariance_raw"][2]
    assert correlation[0, 1] == pytest.approx(np.tanh(raw / 2))
    across = correlation[0, 1] * np.prod(sds)
    covariance = np.array([[sds[0] ** 2, across], [across, sds[1] ** 2]])
    expected = stats.multivariate_normal(cov=covariance).logpdf(effects.T).sum()
    assert float(density(point)) == pytest.approx(
        expected + volume(values, point, "effects_raw"), rel=1e-6
    )


def test_effects_of_regions_are_normal_in_each_stratum():
    """With the standard deviation of the stratum, and added to the levels of its authorities."""
    model = model_of(Cell("regions", strata="joint"))
    graph = sg.pymc_model(model)
    names = ["region_effect", "region_sd", "level_effect", "slope_effect"]
    names += ["intercept", "within", "between", "cross_level"]
    density, values = functions_of(graph, "region_raw", names)
    point = point_of(graph)
    effects, sds, level, slope, intercept, within, between, cross = values(point)
    expected = stats.norm(0, sds[:, None]).logpdf(effects).sum()
    assert float(density(point)) == pytest.approx(
        expected + volume(values, point, "region_raw"), rel=1e-6
    )
    total = 0.0
    for s, one in enumerate(model.models.values()):
        areas, b = one.areas, one.between_part
        lines = intercept[s] + between[s] * b + level[s] + effects[s][areas.region_of_authority]
        turned = within[s] + cross[s] * b + slope[s]
        j = areas.authority_of_area
        mean = areas.exposure * np.exp(lines[j] + turned[j] * one.within_part)
        total += stats.poisson.logpmf(areas.events, mean).sum()
    counts = graph.compile_logp(vars=graph.observed_RVs, mode=interpreted())
    assert float(counts(point)) == pytest.approx(total, rel=1e-10)


def test_draws_of_levels_have_the_standard_deviations_of_the_prior():
    """Without slopes: what a generator makes standard, and standardises, comes back."""
    import pymc as pm

    graph = sg.pymc_model(model_of(Cell("no slopes", strata="joint")))
    level, sd = pm.draw(
        [graph["level_effect"], graph["level_sd"]],
        draws=300,
        random_seed=np.random.default_rng(4),
        mode=interpreted(),
    )
    standard = level / sd[..., None]
    # 300 draws of 18 authorities and two strata: 1% and less.
    assert standard.std() == pytest.approx(1.0, abs=0.03)
    assert np.abs(standard.mean()) < 0.04


def test_each_year_has_the_places_of_its_year():
    """Means of authorities differ between indices; all are not taken for those of the first."""
    panel = panel_of(small()[0], index={2018: "a", 2019: "a", 2020: "b", 2021: "b"})
    model = sg.StratifiedModel(panel, authority_effects="joint")
    graph = sg.pymc_model(model)
    names = ["intercept", "within", "between", "cross_level", "level_effect", "slope_effect"]
    density = graph.compile_logp(vars=graph.observed_RVs, mode=interpreted())
    values = graph.compile_fn(
        graph.replace_rvs_by_values([graph[name] for name in names]),
        inputs=graph.value_vars,
        mode=interpreted(),
        on_unused_input="ignore",
    )
    point = point_of(graph)
    intercept, within, between, cross, level, slope = values(point)
    total = 0.0
    for s, one in enumerate(model.models.values()):
        areas, b, j = one.areas, one.between_part, one.areas.authority_of_area
        lines = intercept[s] + between[s] * b + level[s]
        turned = within[s] + cross[s] * b + slope[s]
        mean = areas.exposure * np.exp(lines[j] + turned[j] * one.within_part)
        total += stats.poisson.logpmf(areas.events, mean).sum()
    first, last = (model.models[year].between_part for year in (2018, 2021))
    assert np.abs(first - last).max() > 0.05
    assert float(density(point)) == pytest.approx(total, rel=1e-10)


def test_what_the_graph_has_no_term_for_is_named():
    """Areas of a locality beside hidden counts were left out of graphs in silence."""
    with pytest.raises(SpecificationError, match="negative_binomial in localities counts"):
        sg.pymc_model(model_of(Cell("both spreads", family="negative_binomial")))
    frame = combinations._table("localities", "poisson")
    events = MARKS.publish(frame["first"].to_numpy(), np.random.default_rng(1))
    areas = sg.Areas.from_frame(
        frame.assign(first=events),
        events="first",
        coarsening=MARKS,
        locality="locality",
        **combinations._ROLES,
    )
    with pytest.raises(SpecificationError, match=r"localities coarsened counts.*socgrad\.fit"):
        sg.pymc_model(sg.GradientModel(areas, localities=True))


def test_official_names_are_no_data_of_a_graph():
    """They are words: the graph of areas with names reads what that without reads."""
    from socgrad.nuts.graph import compact_data, full_data

    frame = combinations._table("plain", "poisson")
    frame = frame.assign(title="Area " + frame["area"].astype(str))
    plain, named = (
        sg.GradientModel(
            sg.Areas.from_frame(frame, events="first", **combinations._ROLES, names=names)
        )
        for names in (None, {"area": "title"})
    )
    assert len(constants(named)["area_name"]) == len(frame)
    data = [full_data(each, [likelihood_data(each)]) for each in (plain, named)]
    assert data[0].identical(data[1])
    assert all(values.dtype.kind in "fi" for values in compact_data(data[1]).values())


def test_other_counts_and_priors_are_served_by_the_same_compiled_graph():
    """Other terms, laws or correlations are not."""
    from socgrad.nuts.graph import compact_key, full_data

    def key(model):
        models = model.models.values() if isinstance(model, sg.StratifiedModel) else [model]
        return compact_key(model, full_data(model, [likelihood_data(one) for one in models]))

    frame = combinations._table("plain", "poisson")
    first, second = (
        sg.Areas.from_frame(frame, events=name, **combinations._ROLES)
        for name in ("first", "second")
    )
    usual = key(sg.GradientModel(first))
    assert usual == key(
        sg.GradientModel(second, priors=sg.Priors(level_sd=sg.PositiveNormal(0.0, 1.0)))
    )
    others = ({"random_slopes": False}, {"family": "negative_binomial"}, {"shape": "tenths"})
    assert usual not in [key(sg.GradientModel(first, **each)) for each in others]
    strata = combinations.strata_of(Cell("plain", strata="joint"))
    full, factor = (
        key(sg.StratifiedModel(strata, authority_effects="joint", correlations=each))
        for each in ("full", "factor")
    )
    assert full != factor
