"""The density that is written out: its gradient, and the PyMC graph's density beside it."""

import dataclasses
import json
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from interpreted import interpreted
from locality_tables import small_localities
from region_tables import simulated_with_regions, with_regions
from socgrad.fitting import fit
from socgrad.model.compression import likelihood_data
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Priors, rate_ratio
from socgrad.nuts.density import draws, log_density, problem_of
from socgrad.nuts.problems import first_guess, is_written_out, packed_problem, parameters
from socgrad.table.areas import Areas
from tables import simulated, small_areas

PRIORS = Priors(within=rate_ratio(1.65, interval=(1.5, 1.82)))


def with_authority_columns():
    """Twelve authorities with a number and a category of their own."""
    frame = simulated().frame
    names = frame["authority"].unique()
    columns = pd.DataFrame(
        {"gini": np.linspace(0.3, 0.4, len(names)), "coast": np.tile(["yes", "no"], 6)}, index=names
    )
    return Areas.from_frame(
        frame,
        area="area",
        authority="authority",
        events="events",
        children="children",
        deprivation="deprivation",
        authority_covariates=columns,
        complete=True,
    )


MODELS = {
    "counts": lambda: GradientModel(small_areas()),
    "totals": lambda: GradientModel(small_areas("totals"), priors=PRIORS),
    "mixture": lambda: GradientModel(small_areas("mixture"), priors=PRIORS, curvature=True),
    "pooled": lambda: GradientModel(small_areas(), deprivation="pooled"),
    "one contextual effect": lambda: GradientModel(small_areas(), cross_level=False),
    "negative binomial": lambda: GradientModel(
        small_areas(overdispersion=0.4), family="negative_binomial", curvature=True
    ),
    "covariates of authorities": lambda: GradientModel(
        with_authority_columns(), authority_covariates="~ scale(gini)", moderators="~ coast"
    ),
}


def problem_and_point(name, *, seed, spread=0.5):
    """A model, its problem, and a point near the first guess."""
    model = MODELS[name]()
    data = likelihood_data(model)
    guess = first_guess(model, data)
    point = guess + spread * np.random.default_rng(seed).standard_normal(len(guess))
    return model, problem_of(packed_problem(model, data)), point


def gradient_at(problem, point):
    """Log density and gradient."""
    gradient = np.empty(len(point))
    return log_density(point, gradient, problem), gradient


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", [1, 2])
def test_gradient_is_that_of_the_density(name, seed):
    """Every derivative equals the slope of the density between two points close by."""
    _, problem, point = problem_and_point(name, seed=seed)
    _, gradient = gradient_at(problem, point)
    step = 1e-5
    for k in range(len(point)):
        ahead, behind = point.copy(), point.copy()
        ahead[k] += step
        behind[k] -= step
        slope = (gradient_at(problem, ahead)[0] - gradient_at(problem, behind)[0]) / (2 * step)
        assert gradient[k] == pytest.approx(slope, rel=1e-5, abs=1e-4)


def named_values(model, point):
    """A point as the values of the graph's variables, in the order of the point."""
    names = [
        {
            "level_sd": "level_sd_interval__",
            "slope_sd": "slope_sd_interval__",
            "correlation": "correlation_unit_logodds__",
            "overdispersion": "overdispersion_interval__",
            "level_effect": "slope_raw",
            "slope_effect": "level_raw",
        }.get(name, name)
        for name in parameters(model)
    ]
    shapes = list(parameters(model).values())
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    pieces = np.split(point, ends[:-1])
    return {n: p.reshape(s) for n, p, s in zip(names, pieces, shapes, strict=True)}


@pytest.mark.mcmc
@pytest.mark.parametrize("name", MODELS)
def test_density_gradient_and_effects_are_those_of_the_graph(name):
    """At three points, near and far, nothing tells the written density from the PyMC graph's."""
    pytest.importorskip("pymc")
    from socgrad.nuts.pymc_models import pymc_model

    model, problem, _ = problem_and_point(name, seed=0)
    graph = pymc_model(model)
    by_name = {graph.rvs_to_values[free].name: free for free in graph.free_RVs}
    order = named_values(model, np.zeros(len(first_guess(model, likelihood_data(model)))))
    density = graph.compile_logp(mode=interpreted())
    derivative = graph.compile_dlogp([by_name[each] for each in order], mode=interpreted())
    effects = graph.compile_fn(
        graph.replace_rvs_by_values([graph["level_effect"], graph["slope_effect"]]),
        inputs=graph.value_vars,
        mode=interpreted(),
        on_unused_input="ignore",
    )
    for seed, spread in ((1, 0.1), (2, 0.5), (3, 1.5)):
        _, _, point = problem_and_point(name, seed=seed, spread=spread)
        values = named_values(model, point)
        found, gradient = gradient_at(problem, point)
        assert found == pytest.approx(float(density(values)), rel=1e-10)
        np.testing.assert_allclose(gradient, derivative(values), rtol=1e-8, atol=1e-7)
        kept = np.empty(len(point))
        draws(point, kept, problem)
        size = len(model.areas.authority)
        both = np.concatenate(effects(values))
        np.testing.assert_allclose(kept[-2 * size :], both, rtol=1e-10, atol=1e-12)


def test_draws_are_parameters_on_their_own_scale():
    """Standard deviations are exponentials of their places, the correlation lies in (-1, 1)."""
    model, problem, point = problem_and_point("negative binomial", seed=4)
    kept = np.empty(len(point))
    draws(point, kept, problem)
    names = list(parameters(model))
    assert names[:5] == ["intercept", "between", "curvature", "within", "cross_level"]
    assert kept[:5] == pytest.approx(point[:5])
    assert kept[[5, 6, 8]] == pytest.approx(np.exp(point[[5, 6, 8]]))
    assert kept[7] == pytest.approx(np.tanh(point[7] / 2))


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"random_slopes": False}, "counts"),
        ({"deprivation": "none"}, "counts"),
        ({"family": "negative_binomial", "priors": PRIORS}, "totals"),
        ({"family": "negative_binomial", "priors": PRIORS}, "mixture"),
    ],
)
def test_other_models_are_left_to_the_graph(options, kind):
    """Models without slopes of authorities, and totals of negative binomials, are not written."""
    assert not is_written_out(GradientModel(small_areas(kind), **options))


def test_other_levels_are_left_to_the_graph():
    """Localities and regions are not written either."""
    assert not is_written_out(GradientModel(small_localities(), localities=True))
    areas = with_regions(simulated_with_regions())
    assert not is_written_out(GradientModel(areas, regions=True))
    assert is_written_out(GradientModel(areas))


def test_all_written_models_say_so():
    """Each model of this file is sampled by its written density."""
    assert all(is_written_out(make()) for make in MODELS.values())


def test_nutpie_is_known_by_its_fields():
    """One that lacks a field, or asks for one more, is left alone; an option more is no matter."""
    from nutpie.compile_pymc import CompiledPyMCModel

    from socgrad.nuts.density_sampling import is_known

    names = [field.name for field in dataclasses.fields(CompiledPyMCModel)]
    assert is_known(CompiledPyMCModel)
    optional = [("reparameterized_names", object, None), ("more", object, None)]
    whole = [
        name for name in names if name not in ("reparameterized_names", "_transform_adapt_args")
    ]
    assert is_known(dataclasses.make_dataclass("More", [*whole, *optional]))
    assert not is_known(dataclasses.make_dataclass("Less", [n for n in whole if n != "logp_func"]))
    assert not is_known(dataclasses.make_dataclass("Asks", [*whole, "another"]))
    assert not is_known(object)


@pytest.mark.slow
@pytest.mark.mcmc
def test_where_the_draws_come_from_is_recorded(monkeypatch):
    """The manifest names numba with the written density, PyMC with the graph; draws agree."""
    import socgrad.nuts.density_sampling as written

    if not written.NUTPIE_IS_KNOWN:
        pytest.skip("nutpie is not one whose functions in C are known")
    model = MODELS["counts"]()
    options = {"method": "nuts", "draws": 500, "chains": 4, "random_seed": 2, "progress": False}
    here = fit(model, **options)
    assert "numba" in json.loads(here.attrs["versions"])
    assert "pymc" not in json.loads(here.attrs["versions"])
    monkeypatch.setattr(written, "NUTPIE_IS_KNOWN", False)
    there = fit(model, **options)
    assert "pymc" in json.loads(there.attrs["versions"])
    for name, mine in here["posterior"].data_vars.items():
        other = there["posterior"][name]
        assert mine.dims == other.dims
        # Means of about 2,000 independent draws each: 6 standard errors of the difference.
        apart = 6 * float(np.max(other.std(("chain", "draw")))) * np.sqrt(2 / 2000)
        assert (
            float(np.abs(mine.mean(("chain", "draw")) - other.mean(("chain", "draw"))).max())
            < apart
        )


def test_a_change_of_source_is_a_change_of_number(tmp_path):
    """What numba keeps is told apart by the source of every module that it calls."""
    from socgrad.nuts.numba_on_disk import source_number

    one, two = (ModuleType(name) for name in ("one", "two"))
    for module in (one, two):
        module.__file__ = str(tmp_path / f"{module.__name__}.py")
        (tmp_path / f"{module.__name__}.py").write_text("x = 1\n")
    before = source_number(one, two)
    assert before > 0
    assert source_number(one, two) == before
    (tmp_path / "two.py").write_text("x = 2\n")
    assert source_number(one, two) != before
