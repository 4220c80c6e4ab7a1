"""Nodes about the mode of each authority's posterior, given the shared parameters.

The posterior of a level and a slope is close to a normal one where counts of neighbourhoods say
where they lie: Gauss-Hermite nodes.
"""

from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laplace.levels import by_prior, precision_of_level, without_levels
from socgrad.laplace.line_priors import LinePrior
from socgrad.laplace.nodes import BySlope, Grid, NodePlaces, Nodes, gauss_hermite
from socgrad.laplace.surfaces import Expanded, Given

__all__ = ["Centre", "centre"]

# Centring stops when no centre moves by more than this share of its standard deviation.
_CLOSE, _ROUNDS = 0.05, 30


@dataclass(frozen=True, eq=False)
class Centre:
    """Where an authority's posterior lies given the shared parameters, arrays (n, j).

    `given` and `prior` are the likelihood and prior whose mode it is.
    Slope ~ (slope, slope_sd); given that it is d above its centre, the level ~ (level + tilt * d +
    bend * d**2 / 2, level_sd). Without random slopes `slope_sd` is 0.
    """

    given: Given
    prior: LinePrior
    level: FloatArray
    slope: FloatArray
    level_sd: FloatArray
    slope_sd: FloatArray
    tilt: FloatArray
    bend: FloatArray

    def places(self, z_slope: FloatArray, z_level: FloatArray) -> NodePlaces:  # noqa: D102
        along = self.slope_sd * z_slope
        scale = np.log(self.level_sd)[None]
        level, slope = self._along(along)
        return NodePlaces(level, self.level_sd * z_level, slope, scale, None)

    def likely_slopes(self) -> tuple[float, float]:  # noqa: D102
        return 0.0, 1.0

    def grid(self, nodes: Nodes) -> Grid:  # noqa: D102
        z_level, of_level = gauss_hermite(nodes[1])
        z_slope, of_slope, spacing = self._slopes(nodes[0])
        there = self.places(z_slope, z_level)
        weight = (of_slope[:, None] + of_level)[:, :, None, None]
        scale = there.log_scale + np.log(spacing)
        return Grid(there.level, there.step, there.slope, scale, None, z_slope, z_level, weight)

    def by_slope(self, slopes: int) -> BySlope | None:  # noqa: D102
        given, prior = self.given, self.prior
        if not isinstance(given, Expanded):
            return None
        z_slope, of_slope, spacing = self._slopes(slopes)
        level, slope = self._along(self.slope_sd * z_slope)
        likelihood = given.expansion(level, slope)
        away = slope - prior.slope
        level -= by_prior(prior, away)
        values = without_levels(likelihood, level, away, prior)
        return BySlope(values, of_slope[:, None, None], spacing)

    def _slopes(self, number: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Nodes of slopes, log weights, and their scale; one that does not vary is its own node."""
        if not self.prior.varying:
            return np.zeros((1, 1, 1)), np.zeros(1), np.ones(1)
        return *gauss_hermite(number), self.slope_sd

    def _along(self, along: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Likeliest levels, nearly, at slopes so far above the centre; and these slopes."""
        level = self.level + along * (self.tilt + 0.5 * self.bend * along)
        return level, self.slope + along


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
        tilt = -b / a
        # The precision of the slope with the level integrated out.
        least = 0.25 * (prior.slope_slope - prior.level_slope**2 / prior.level_level)
        c = np.maximum(at.slope_slope + prior.slope_slope + b * tilt, least)
        move_slope = np.clip((gradient_slope + tilt * gradient) / c, -0.5, 0.5)
        move = np.clip((gradient - b * move_slope) / a, -1.0, 1.0)
        level, slope = level + move, slope + move_slope
        if np.all(move * move * a + move_slope * move_slope * c < _CLOSE**2):
            break
    bend = -(at.level_slope_slope + tilt * (2.0 * at.level_slope + tilt * at.level_level)) / a
    return Centre(given, prior, level, slope, 1.0 / np.sqrt(a), 1.0 / np.sqrt(c), tilt, bend)


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
    return Centre(given, prior, level, prior.slope, 1.0 / np.sqrt(a), none, none, none)
