"""Escape hatches: a term of one's own, and another sampler, with every summary as usual."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import socgrad as sg
from socgrad.model.gradient_model import GradientModel
from tables import areas_of, simulated

EXAMPLES = Path(__file__).parents[1] / "examples"


def example(name: str) -> ModuleType:
    """Import a script of the examples."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.mcmc
def test_the_term_has_its_density():
    """The potential is the log ratio of two normal densities, factor included."""
    own_term = example("own_term")
    model = GradientModel(areas_of(simulated(authorities=5, areas=60, seed=2), "counts"))
    pairs = own_term.ring(5)
    with sg.pymc_model(model) as graph:
        own_term.add_neighbours(graph, pairs)
        level, slope = graph["level_effect"], graph["slope_effect"]
        names = ("level_sd", "slope_sd", "correlation", "likeness")
        outputs = [graph["neighbours"], level, slope, *(graph[name] for name in names)]
        function = graph.compile_fn(
            graph.replace_rvs_by_values(outputs), inputs=graph.value_vars, on_unused_input="ignore"
        )
    point = graph.initial_point()
    for name in point:
        point[name] = point[name] + 0.3
    term, u, v, *rest = function(point)
    level_sd, slope_sd, correlation, likeness = map(float, rest)
    laplacian = np.zeros((5, 5))
    for i, j in pairs:
        step = np.eye(5)[i] - np.eye(5)[j]
        laplacian += np.outer(step, step)
    cross = correlation * level_sd * slope_sd
    covariance = np.array([[level_sd**2, cross], [cross, slope_sd**2]])
    plain = np.kron(np.linalg.inv(covariance), np.eye(5))
    joined = plain + likeness * np.kron(np.array([[1.0, 0.0], [0.0, 0.0]]), laplacian)
    x = np.concatenate([u, v])
    expected = 0.5 * (np.linalg.slogdet(joined)[1] - np.linalg.slogdet(plain)[1])
    expected -= 0.5 * x @ (joined - plain) @ x
    assert float(term) == pytest.approx(expected, rel=1e-8)


@pytest.mark.slow
@pytest.mark.mcmc
def test_own_term_keeps_every_summary(capsys):
    """The example runs: the sampler converges, neighbours are alike, and summaries read the fit."""
    own_term = example("own_term")
    fit = own_term.main(["--authorities", "24"])
    printed = capsys.readouterr().out
    assert "gradient, own term" in printed
    # Levels go round the ring by +-0.4; neighbours differ by about 0.1: 1 / 0.1**2 is 100.
    assert float(np.median(fit["posterior"]["likeness"])) > 5
    # The truth is exp(0.5) = 1.65.
    table = sg.summarise(sg.gradient(fit))
    assert table["lower"].iloc[0] < 1.65 < table["upper"].iloc[0]
    assert sg.predictions.predict_authority_events(fit).sizes["authority"] == 24
    assert sg.prior_checks.compare_prior(fit).loc["within", "learned"] > 0.9


@pytest.mark.mcmc
@pytest.mark.filterwarnings("ignore::socgrad.errors.SupportWarning")  # few areas: a small table
def test_numpyro_gives_the_same_answers():
    """Another sampler on the same compressed graph: estimates agree within Monte Carlo error."""
    pytest.importorskip("numpyro")
    numpyro_sampler = example("numpyro_sampler")
    model = GradientModel(areas_of(simulated(authorities=20, areas=400, seed=4), "counts"))
    table = numpyro_sampler.compared(model, draws=500)
    own, other = table["socgrad"], table["numpyro"]
    error = np.hypot(own["mcse"], other["mcse"])
    assert bool((np.abs(own["estimate"] - other["estimate"]) < 4 * error).all())
    width = own["upper"] - own["lower"]
    np.testing.assert_allclose((other["upper"] - other["lower"]) / width, 1.0, atol=0.2)
