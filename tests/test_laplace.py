"""The compile-free engine as a whole: its tree, its options, what it imports, and NUTS."""

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from fits import INFORMED
from socgrad import laplace, processors
from socgrad.errors import ConvergenceWarning, SocgradWarning, SpecificationError
from socgrad.fitting import fit
from socgrad.laplace import sampling
from socgrad.model.gradient_model import GradientModel
from socgrad.schema import EFFECTS, PARAMETERS, check_tree
from tables import small_areas

SPECIFICATIONS = {
    "split": {},
    "split, curved": {"curvature": True},
    "split, no cross-level term": {"cross_level": False},
    "split, fixed slopes": {"random_slopes": False},
    "pooled": {"deprivation": "pooled"},
    "pooled, fixed slope": {"deprivation": "pooled", "random_slopes": False},
    "null": {"deprivation": "none"},
}


def quick(model, **options):
    """A fit with few draws."""
    return fit(model, **({"method": "laplace", "draws": 100, "random_seed": 1} | options))


def test_the_tree_is_what_the_schema_says():
    """Groups, names, dims and the attrs that vouch for the draws."""
    areas = small_areas(overdispersion=0.4)
    tree = quick(GradientModel(areas, family="negative_binomial"))
    check_tree(tree)
    names = set(tree["posterior"].data_vars)
    assert names == (set(PARAMETERS) - {"pooled", "curvature", "locality_sd", "region_sd"}) | set(
        EFFECTS
    )
    assert tree["posterior"]["slope_effect"].dims == ("chain", "draw", "authority")
    assert list(tree["posterior"]["authority"].to_numpy()) == list(areas.authority)
    assert json.loads(tree.attrs["sampler"])["method"] == "laplace"
    assert 100 < tree.attrs["importance_ess"] <= 400
    assert tree.attrs["pareto_k"] < 0.7
    assert tree.attrs["laplace_quadrature_error"] < 0.1
    assert tree.attrs["quadrature_error"] < 1e-9


@pytest.mark.parametrize("known", ["counts", "totals", "mixture"])
@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_every_kind_of_count_fits(family, known):
    """Finite draws without doubts, for each likelihood and kind of count."""
    areas = small_areas(known, overdispersion=0.4 if family == "negative_binomial" else 0.0)
    tree = quick(GradientModel(areas, family=family, priors=INFORMED))
    for name, draws in tree["posterior"].data_vars.items():
        assert np.isfinite(draws).all(), name
        assert float(draws.std()) > 0, name


@pytest.mark.parametrize("terms", SPECIFICATIONS.values(), ids=SPECIFICATIONS)
def test_every_specification_fits(terms):
    """The posterior has the parameters of the specification, and no others."""
    model = GradientModel(small_areas(), **terms)
    names = set(quick(model)["posterior"].data_vars)
    assert ("slope_effect" in names) == ("slope_sd" in names) == model.random_slopes
    assert ("between" in names) == (model.deprivation == "split")
    assert ("within" in names) == (model.deprivation == "split")
    assert ("pooled" in names) == (model.deprivation == "pooled")
    assert ("cross_level" in names) == model.cross_level
    assert ("curvature" in names) == model.curvature
    assert {"intercept", "level_sd", "level_effect"} <= names


def test_same_seed_same_draws_another_seed_others():
    """The seed fixes every draw."""
    model = GradientModel(small_areas())
    one, again, other = (quick(model, random_seed=seed)["posterior"] for seed in (1, 1, 2))
    for name in one.data_vars:
        np.testing.assert_array_equal(one[name], again[name])
        assert not np.array_equal(one[name], other[name])


def test_chains_and_draws_are_as_asked():
    """Chains times draws, in that order."""
    tree = quick(GradientModel(small_areas()), chains=2, draws=30)
    assert tree["posterior"]["level_effect"].shape == (2, 30, 12)


def test_more_exposure_lowers_the_intercept_and_nothing_else():
    """Children tenfold with the same events: the intercept falls by log 10."""
    areas = small_areas()
    more = GradientModel(small_areas())
    object.__setattr__(more, "areas", _scaled(areas, 10.0))
    one, two = (quick(m, draws=1000)["posterior"] for m in (GradientModel(areas), more))
    fallen = float(one["intercept"].mean() - two["intercept"].mean())
    assert fallen == pytest.approx(np.log(10.0), abs=1e-3)
    np.testing.assert_allclose(one["within"].mean(), two["within"].mean(), atol=1e-3)


def _scaled(areas, factor):
    from dataclasses import replace

    return replace(areas, exposure=areas.exposure * factor)


@pytest.mark.parametrize("option", [{"tune": 500}, {"target_accept": 0.9}])
def test_options_of_nuts_are_refused(option):
    """An option that would be ignored is an error, not a silence."""
    with pytest.raises(SpecificationError, match="NUTS only, and method='laplace' would ignore"):
        quick(GradientModel(small_areas()), **option)


def test_cores_are_the_threads_of_a_fit(monkeypatch):
    """No more than asked for, nor than a limit about the fit allows; the draws are the same."""
    seen = []
    real = processors.processors
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    monkeypatch.setattr(processors, "processors", lambda: seen.append(real()) or real())
    model = GradientModel(small_areas())
    one = quick(model, cores=1)
    assert set(seen) == {1}
    seen.clear()
    with processors.limited_to(2):
        two = quick(model, cores=3)
    assert set(seen) == {2}
    xr.testing.assert_equal(one["posterior"].to_dataset(), two["posterior"].to_dataset())
    assert real() == 3


def test_doubts_are_warned_of(monkeypatch):
    """Weights worse than the limit give a warning that says why and what to do."""
    monkeypatch.setattr(sampling, "_WORST_TAIL", -5.0)
    with pytest.warns(ConvergenceWarning, match=r"heavy tail \(k-hat .* again with method='nuts'"):
        quick(GradientModel(small_areas()))


def test_too_few_effective_draws_are_doubted(monkeypatch):
    """A share of effective draws below the limit is named."""
    monkeypatch.setattr(sampling, "_LEAST_SHARE", 2.0)
    with pytest.warns(ConvergenceWarning, match="of 400 draws are effective"):
        quick(GradientModel(small_areas()))


def test_nothing_slow_is_imported():
    """Fits by default, in a fresh process, load nothing that takes seconds; Poisson no numba."""
    script = """
import sys
import socgrad as sg
frame = sg.simulate(authorities=60, areas=1500, random_seed=1).frame
areas = sg.Areas.from_frame(frame, area="area", authority="authority", events="referral",
                            children="children", deprivation="deprivation", complete=True)
slow = ("pymc", "pytensor", "numba", "nutpie", "matplotlib", "arviz", "arviz_plots", "scipy.stats")
for family in ("poisson", "negative_binomial"):
    sg.fit(sg.GradientModel(areas, family=family), random_seed=1)
    print([name for name in slow if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["[]", "['numba']"]


def test_public_names():
    """The folder shows its entry point and what it returns."""
    assert laplace.__all__ == ["LaplaceDraws", "sample_laplace"]


@pytest.mark.mcmc
def test_auto_goes_on_with_nuts_when_in_doubt(monkeypatch):
    """The doubt is warned of and stands in the manifest of the NUTS fit."""
    monkeypatch.setattr(sampling, "_WORST_TAIL", -5.0)
    model = GradientModel(small_areas())
    with pytest.warns(SocgradWarning, match="goes on with NUTS"):
        tree = fit(model, method="auto", draws=50, tune=100, random_seed=1, progress=False)
    sampler = json.loads(tree.attrs["sampler"])
    assert sampler["method"] == "nuts"
    assert "k-hat" in sampler["instead_of_laplace"]
    assert "importance_ess" not in tree.attrs


@pytest.mark.parametrize("chosen", [{"method": "auto"}, {}])
def test_auto_is_laplace_without_doubt(chosen):
    """The same draws as method='laplace', without a warning; and what happens by default."""
    model = GradientModel(small_areas())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = fit(model, draws=100, random_seed=1, tune=50, progress=False, **chosen)
    np.testing.assert_array_equal(tree["posterior"]["within"], quick(model)["posterior"]["within"])
    assert json.loads(tree.attrs["sampler"])["method"] == "laplace"


class ReachedError(Exception):
    """Raised in place of sampling, with the options that reached the sampler."""


def test_options_of_nuts_reach_it_when_auto_goes_on(monkeypatch):
    """They are idle while the other engine does, and the user's own once NUTS takes over."""

    def instead(_model, _data, options):
        raise ReachedError(options)

    monkeypatch.setattr(sampling, "_WORST_TAIL", -5.0)
    monkeypatch.setattr("socgrad.nuts.density_sampling.sample_density", instead)
    given = {"draws": 50, "tune": 70, "cores": 1, "target_accept": 0.9, "progress": False}
    with (
        pytest.warns(SocgradWarning, match="goes on with NUTS"),
        pytest.raises(ReachedError) as reached,
    ):
        fit(GradientModel(small_areas()), random_seed=1, **given)
    (options,) = reached.value.args
    assert {name: getattr(options, name) for name in given} == given


@pytest.mark.mcmc
@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_priors_are_those_of_the_graph(family):
    """Between two points the log prior changes as PyMC's own densities do."""
    from socgrad.laplace.coordinates import coordinates
    from socgrad.model.compression import likelihood_data
    from socgrad.model.priors import Normal
    from socgrad.nuts.pymc_models import pymc_model

    areas = small_areas(overdispersion=0.4 if family == "negative_binomial" else 0.0)
    model = GradientModel(areas, family=family, curvature=True)
    graph = pymc_model(model)
    intercept = Normal(*likelihood_data(model)["prior_intercept"].to_numpy())
    scale = coordinates(model, intercept, {"level_sd": 0.1, "slope_sd": 0.1, "overdispersion": 0.1})
    rng = np.random.default_rng(3)
    x = np.abs(rng.normal(0.5, 0.3, (2, len(scale.names))))
    values = scale.parameters(x)
    names = [n if n != "correlation" else "correlation_unit" for n in scale.names]
    variables = [graph[name] for name in names]
    density = graph.compile_fn(
        graph.logp(variables, sum=True, jacobian=False), inputs=graph.value_vars,
        on_unused_input="ignore", point_fn=True,
    )  # fmt: skip
    start = graph.initial_point()
    h = 1e-6
    ahead, behind = (scale.parameters(x + side * h) for side in (1, -1))
    found = []
    for i in range(2):
        point = dict(start)
        for name in names:
            value = values["correlation" if name == "correlation_unit" else name][i]
            key = graph.rvs_to_values[graph[name]].name
            unit = (value + 1) / 2 if name == "correlation_unit" else value
            if key.endswith("_logodds__"):
                unit = np.log(unit / (1 - unit))
            elif key.endswith("_interval__"):
                unit = np.log(unit)
            point[key] = np.asarray(unit)
        jacobian = sum(
            np.log((ahead[n][i] - behind[n][i]) / (2 * h)) - (n == "correlation") * np.log(2.0)
            for n in scale.names
        )
        found.append(float(density(point)) + jacobian)
    np.testing.assert_allclose(scale.log_prior(x), found, rtol=0, atol=1e-6)
    assert norm.cdf(0.0) == 0.5
