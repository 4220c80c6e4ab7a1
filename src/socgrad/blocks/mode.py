"""The mode of the marginal posterior, and its curvature there, from gradients."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from socgrad.arrays import FloatArray
from socgrad.blocks.climbing import CLOSE
from socgrad.blocks.compiled import evaluate
from socgrad.blocks.information import information
from socgrad.blocks.marginal import Found, Marginal, State
from socgrad.processors import by_threads

__all__ = ["Mode", "mode"]

_STEP = 1e-4
_ROUNDS, _MOST_ROUNDS = 4, 40
# A round goes eight standard deviations, so hundreds of them take many: with many events a spline
# starts as far off. After some rounds only those that gain as much in log density are gone on with,
# or near the mode this share of squared standard deviations: a parabola gains half of them.
_PATIENT, _GAIN, _NEARING = 12, 10.0, 0.1
# Of a whitened gradient: a hundredth of a standard deviation from the mode.
_CLOSE = 1e-2
# Near enough for draws about it: a round goes eight standard deviations, and starts may be far off.
_NEAR = 0.5
_FLATTEST = 0.04


@dataclass(frozen=True, eq=False)
class Mode:
    """Where the posterior is highest, and its shape there.

    Attributes
    ----------
    marginal : Marginal
        Whose search for effects starts at those of the mode.
    point : ndarray, shape (d,)
    root : ndarray, shape (d, d)
        Lower triangular C: near the mode, x = point + C z with z about standard normal.
    distance : float
        Of the point from the mode, in standard deviations; infinite where none was found.
    """

    marginal: Marginal
    point: FloatArray
    root: FloatArray
    distance: float

    @property
    def for_weights(self) -> Marginal:
        """The marginal by which draws are weighed: its modes are no nearer than that asks for."""
        return replace(self.marginal, close=CLOSE)


def mode(marginal: Marginal, point: FloatArray) -> Mode:
    """Climb to the mode.

    Parameters
    ----------
    marginal : Marginal
    point : ndarray, shape (d,)
        Where to start.
    """
    state = marginal.start.copy()
    value, gradient = marginal.gradient(point, state)
    distance = np.inf
    root = np.eye(len(point))
    for round_ in range(_MOST_ROUNDS):
        marginal = replace(marginal, start=state.copy())
        root = _root(marginal, point)
        distance = float(np.linalg.norm(root.T @ gradient))
        if distance < (_CLOSE if round_ < _ROUNDS else _NEAR):
            break
        before = value
        point, state, value, gradient = _climbed(
            marginal, point, root, state=state, value=value, gradient=gradient
        )
        if round_ >= _PATIENT and not value > before + min(_GAIN, _NEARING * distance**2):
            break
    # Modes there, and what counts tell at them.
    evaluate(marginal, marginal.at(point), state, Found.of(marginal, 1), 1)
    marginal = replace(marginal, start=state)
    mirrored = marginal.coordinates.mirrored & (point < 0)
    point = np.where(mirrored, -point, point)
    root = np.where(mirrored[:, None], -root, root)
    return Mode(marginal, point, np.linalg.cholesky(root @ root.T), distance)


def _root(marginal: Marginal, point: FloatArray) -> FloatArray:
    """A root of the inverse curvature, kept positive definite."""
    step = np.eye(len(point)) * _STEP

    def column(away: FloatArray) -> FloatArray:
        return marginal.gradient(point - away)[1] - marginal.gradient(point + away)[1]

    known = information(marginal, point)
    first = 0 if known is None else len(known)
    rows = np.array(by_threads(column, list(step[first:]))) / (2 * _STEP)
    curvature = rows
    if known is not None:
        across, last = rows[:, :first], rows[:, first:]
        curvature = np.block([[known, across.T], [across, 0.5 * (last + last.T)]])
    curvature = np.nan_to_num(0.5 * (curvature + curvature.T))
    # Numbers on scales of their own first: of what is told, the least may be a ten-thousandth.
    own = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(curvature)), _FLATTEST))
    size, axes = np.linalg.eigh(curvature * np.outer(own, own))
    held = np.maximum(np.abs(size), 1e-4)
    found: FloatArray = own[:, None] * axes / np.sqrt(held)
    return found


def _climbed(
    marginal: Marginal,
    point: FloatArray,
    root: FloatArray,
    *,
    state: State,
    value: float,
    gradient: FloatArray,
) -> tuple[FloatArray, State, float, FloatArray]:
    """Climb in coordinates scaled by the curvature where the search stands."""
    best = [(value, point, state.copy(), gradient)]

    def down(z: FloatArray) -> tuple[float, FloatArray]:
        here = best[0][2].copy()
        x = point + root @ z
        reached, slope = marginal.gradient(x, here)
        if not np.isfinite(reached):
            # A fall that a line search turns back from.
            return 1e10 * (1.0 + float(z @ z)), 2e10 * z
        if reached > best[0][0]:
            best[0] = (reached, x, here, slope)
        return -reached, -(root.T @ slope)

    minimize(
        down,
        np.zeros(len(point)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-8.0, 8.0)] * len(point),
        options={"maxiter": 60, "maxcor": 30, "ftol": 1e-12, "gtol": 0.1 * _CLOSE},
    )
    reached, x, here, slope = best[0]
    return x, here, reached, slope
