"""Which engines take a model, and the log density that each would sample.

`engines` is the only reader of private gates and densities: what changes there, changes here alone.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

import socgrad as sg
from interpreted import interpreted
from socgrad.engines.task import Task
from socgrad.model.compression import likelihood_data
from socgrad.nuts.options import NutsOptions

#: From a point to the log density there and its gradient; None where an engine needs no gradient.
type Density = Callable[[np.ndarray], tuple[float, np.ndarray | None]]


@dataclass(frozen=True, eq=False)
class Start:
    """The density of an engine, and a point near which it would begin."""

    density: Density
    point: np.ndarray


@dataclass(frozen=True)
class Evaluation:
    """What a density gives near its start.

    Attributes
    ----------
    finite : bool
        Whether value and gradient are.
    error : float
        Of the gradient, in one direction, against a central difference: relative to the larger of
        its norm and 1. NaN where there is no gradient.
    """

    finite: bool
    error: float

    @property
    def good(self) -> bool:
        """Finite, and the gradient is that of the value."""
        return self.finite and (np.isnan(self.error) or self.error < 1e-5)


def evaluated(start: Start, step: float = 1e-5) -> Evaluation:
    """Evaluate a density at a point a little off its start, with its gradient in one direction."""
    rng = np.random.default_rng(1)
    point = start.point + 0.05 * rng.standard_normal(len(start.point))
    value, gradient = start.density(point)
    if gradient is None:
        return Evaluation(bool(np.isfinite(value)), np.nan)
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        return Evaluation(False, np.nan)
    direction = rng.standard_normal(len(point))
    direction /= np.linalg.norm(direction)
    ends = [start.density(point + sign * step * direction)[0] for sign in (1.0, -1.0)]
    away = abs((ends[0] - ends[1]) / (2 * step) - gradient @ direction)
    return Evaluation(True, float(away / max(1.0, np.linalg.norm(gradient))))


def engines(model: object) -> Mapping[str, Callable[[], Start]]:
    """Engines that take a model, by name in the order of `method="auto"`: each makes its start.

    Of independent strata, those of the first: all have the same terms and kinds of counts.
    """
    from socgrad.engines.choice import ENGINES

    if isinstance(model, sg.StratifiedModel) and model.authority_effects == "independent":
        return engines(model.models[model.strata.labels[0]])
    task = _task(model)
    return {
        engine.name: functools.partial(_STARTS[engine.name], task)
        for engine in ENGINES
        if engine.name in _STARTS and not engine.lacks(task)
    }


def _task(model: object) -> Task:
    """What is to be sampled; options are not looked at."""
    options = NutsOptions(1, 1, 1, 1, 0.9, 1, progress=False)
    strata = model if isinstance(model, sg.StratifiedModel) else None
    outcome = model if isinstance(model, sg.OutcomeModel) else None
    single = model.gradient_model if outcome is not None else model
    models = (single,) if strata is None else tuple(strata.models.values())
    data = tuple(likelihood_data(one) for one in models)
    return Task(models, data, options, strata=strata, outcome=outcome)


def _of_blocks(task: Task) -> Start:
    from socgrad.blocks.data import counts_of
    from socgrad.blocks.outcome import outcome_of
    from socgrad.blocks.pilot import pilot
    from socgrad.model.terms import model_terms

    terms = [model_terms(one) for one in task.models]
    counts = counts_of(task.models, terms, task.data)
    years = None if task.strata is None else task.strata.over_years
    outcome = None if task.outcome is None else outcome_of(task.outcome)
    ready = pilot(
        task.models,
        terms,
        counts,
        correlations="full",
        normal=False,
        over_years=years,
        outcome=outcome,
    )
    return Start(ready.marginal.gradient, ready.point)


def _of_quadrature(task: Task) -> Start:
    from socgrad.laplace.preparation import prepared

    ready = prepared(task.models[0], task.data[0])
    # Only this engine looks for a mode first; a proposal's draw lies where it would sample.
    point = ready.proposal.draw(1, np.random.default_rng(1))[0]
    nodes = [(13, 5)] * len(ready.marginal.surfaces)
    density = ready.marginal.log_density
    return Start(lambda x: (float(density(x[None], nodes=nodes)[0]), None), point)


def _written(task: Task) -> Start:
    from socgrad.nuts.density import log_density, problem_of
    from socgrad.nuts.problems import first_guess, packed_problem

    (model,), (data,) = task.models, task.data
    problem = problem_of(packed_problem(model, data))

    def density(point: np.ndarray) -> tuple[float, np.ndarray]:
        gradient = np.empty_like(point)
        return float(log_density(point, gradient, problem)), gradient

    return Start(density, first_guess(model, data))


def _on_graph(graph: object) -> Start:
    """The PyMC graph, where it starts."""
    from pymc.blocking import DictToArrayBijection

    point = graph.initial_point()
    function = graph.logp_dlogp_function(initial_point=point, mode=interpreted(), ravel_inputs=True)
    function.set_extra_values({})
    start = DictToArrayBijection.map(point)

    def density(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = function(point)
        return float(value), np.asarray(gradient)

    return Start(density, start.data)


def _of_outcome(task: Task) -> Start:
    from socgrad.nuts.outcome_graph import outcome_graph

    return _on_graph(outcome_graph(task.outcome))


_STARTS: Final[Mapping[str, Callable[[Task], Start]]] = {
    "quadrature": _of_quadrature,
    "nested Laplace": _of_blocks,
    "written density": _written,
    "PyMC graph": lambda task: _on_graph(sg.pymc_model(task.strata or task.models[0])),
    "PyMC graph of an outcome": _of_outcome,
}
