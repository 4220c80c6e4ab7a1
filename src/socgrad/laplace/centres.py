"""Nodes about the mode of each authority's posterior, given the shared parameters.

The posterior of a level and a slope is close to a normal one where counts of neighbourhoods say
where they lie: Gauss-Hermite nodes.
"""

from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laplace.line_priors import LinePrior
from socgrad.laplace.nodes import Grid, NodePlaces, Nodes, gauss_hermite
from socgrad.laplace.surfaces import Given

__all__ = ["Centre", "centre", "precision_of_level"]

# Centring stops when no centre moves by more than this share of its standard deviation.
_CLOSE, _ROUNDS = 0.05, 30


@dataclass(frozen=True, eq=False)
class Centre:
    """Where an authority's posterior lies given the shared parameters, arrays (n, j).

    Slope ~ (slope, slope_sd); given that it is d above its centre, the level ~ (level + tilt * d +
    bend * d**2 / 2, level_sd). Without random slopes `slope_sd` is 0.
    """

    level: FloatArray
    slope: FloatArray
    level_sd: FloatArray
    slope_sd: FloatArray
    tilt: FloatArray
    bend: FloatArray
    varying: bool

    def places(self, z_slope: FloatArray, z_level: FloatArray) -> NodePlaces:  # noqa: D102
        along = self.slope_sd * z_slope
        level = self.level + along * (self.tilt + 0.5 * self.bend * along)
        scale = np.log(self.level_sd)[None]
        return NodePlaces(level, self.level_sd * z_level, self.slope + along, scale, None)

    def grid(self, nodes: Nodes) -> Grid:  # noqa: D102
        z_level, of_level = gauss_hermite(nodes[1])
        # A slope that does not vary is its own single node.
        z_slope, of_slope, scale = np.zeros((1, 1, 1)), np.zeros(1), np.ones(1)
        if self.varying:
            (z_slope, of_slope), scale = gauss_hermite(nodes[0]), self.slope_sd
        there = self.places(z_slope, z_level)
        weight = (of_slope[:, None] + of_level)[:, :, None, None]
        scale = there.log_scale + np.log(scale)
        return Grid(there.level, there.step, there.slope, scale, None, z_slope, z_level, weight)


def centre(
    given: Given, prior: LinePrior, start: tuple[FloatArray, FloatArray] | None = None
) -> Centre:
    """Mode and curvature of each authority's posterior, by damped Newton steps.

    `start` is a level and a slope for each authority, (j,) or (n, j); by default the prior mean.
    """
    # A start without points costs one point's derivatives for the first step of all of them.
    level, slope = (prior.level, prior.slope) if start is None else start
    if not prior.varying:
        return _level_alone(given, prior, level)
    for _ in range(_ROUNDS):
        at = given.derivatives(level, slope)
        up, along = level - prior.level, slope - prior.slope
        gradient = at.level - prior.level_level * up - prior.level_slope * along
        gradient_slope = at.slope - prior.level_slope * up - prior.slope_slope * along
        a, b = precision_of_level(at.level_level, prior), at.level_slope + prior.level_slope
        # The precision of the slope with the level integrated out.
        least = 0.25 * (prior.slope_slope - prior.level_slope**2 / prior.level_level)
        c = np.maximum(at.slope_slope + prior.slope_slope - b * b / a, least)
        move_slope = np.clip((gradient_slope - b / a * gradient) / c, -0.5, 0.5)
        move = np.clip((gradient - b * move_slope) / a, -1.0, 1.0)
        level, slope = level + move, slope + move_slope
        if np.all(move * move * a + move_slope * move_slope * c < _CLOSE**2):
            break
    tilt = -b / a
    bend = -(at.level_slope_slope + tilt * (2.0 * at.level_slope + tilt * at.level_level)) / a
    return Centre(level, slope, 1.0 / np.sqrt(a), 1.0 / np.sqrt(c), tilt, bend, varying=True)


def _level_alone(given: Given, prior: LinePrior, level: FloatArray) -> Centre:
    """The same where slopes do not vary."""
    for _ in range(_ROUNDS):
        at = given.derivatives(level, prior.slope)
        # Newton steps on exp(level) overshoot from below: one unit at most.
        a = precision_of_level(at.level_level, prior)
        move = np.clip((at.level - prior.level_level * (level - prior.level)) / a, -1.0, 1.0)
        level = level + move
        if np.all(move * move * a < _CLOSE**2):
            break
    none = np.zeros_like(level)
    return Centre(level, prior.slope, 1.0 / np.sqrt(a), none, none, none, varying=False)


def precision_of_level(curvature: FloatArray, prior: LinePrior) -> FloatArray:
    """Precision of a level, kept positive where a log-likelihood is not concave."""
    return np.maximum(curvature + prior.level_level, 0.25 * prior.level_level)
