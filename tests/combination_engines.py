"""Which engines take a model, and the log density that each would sample.

`engines` is the only reader of private gates and densities: what changes there, changes here alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

import socgrad as sg

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
    from socgrad import fitting
    from socgrad.nuts.problems import is_written_out

    if isinstance(model, sg.StratifiedModel):
        if model.authority_effects == "joint":
            return {"joint graph": lambda: _on_graph(sg.joint_pymc_model(model))}
        return engines(model.models[model.strata.labels[0]])
    if isinstance(model, sg.OutcomeModel):
        from socgrad.nuts.outcome_graph import outcome_graph

        return {"outcome graph": lambda: _on_graph(outcome_graph(model))}
    taken: dict[str, Callable[[], Start]] = {}
    if not any(fitting._beyond_laplace(model)):
        taken["laplace"] = lambda: _of_laplace(model)
    if is_written_out(model):
        taken["written density"] = lambda: _written(model)
    return taken | {"graph": lambda: _on_graph(sg.pymc_model(model))}


def _of_laplace(model: sg.GradientModel) -> Start:
    from socgrad.laplace.preparation import prepared
    from socgrad.model.compression import likelihood_data

    ready = prepared(model, likelihood_data(model))
    # Only this engine looks for a mode first; a proposal's draw lies where it would sample.
    point = ready.proposal.draw(1, np.random.default_rng(1))[0]
    return Start(lambda x: (float(ready.marginal.log_density(x[None], nodes=5)[0]), None), point)


def _written(model: sg.GradientModel) -> Start:
    from socgrad.model.compression import likelihood_data
    from socgrad.nuts.density import log_density, problem_of
    from socgrad.nuts.problems import first_guess, packed_problem

    data = likelihood_data(model)
    problem = problem_of(packed_problem(model, data))

    def density(point: np.ndarray) -> tuple[float, np.ndarray]:
        gradient = np.empty_like(point)
        return float(log_density(point, gradient, problem)), gradient

    return Start(density, first_guess(model, data))


def _on_graph(graph: object) -> Start:
    """Interpreted, since compiling takes longer than a few values."""
    from pymc.blocking import DictToArrayBijection
    from pytensor.compile.mode import Mode

    interpreted = Mode(linker="py", optimizer=None)
    function = graph.logp_dlogp_function(mode=interpreted, ravel_inputs=True)
    function.set_extra_values({})
    start = DictToArrayBijection.map(graph.initial_point())

    def density(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = function(point)
        return float(value), np.asarray(gradient)

    return Start(density, start.data)
