"""Quadrature nodes about each authority's own posterior, given the shared parameters.

The posterior of a level and a slope is close to a normal one where counts of neighbourhoods say
where they lie: Gauss-Hermite nodes. A total says only that they lie along a curve, which may have
two tops: slopes are then equally spaced over all that matter (the trapezoidal rule, Trefethen &
Weideman 2014, SIAM Review 56(3), doi 10.1137/130932132), and levels are sought at each.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laplace.line_priors import LinePrior
from socgrad.laplace.surfaces import AtSlopes, Curved, Given

__all__ = [
    "Centre",
    "CurvedRange",
    "Grid",
    "NodePlaces",
    "Nodes",
    "centre",
    "grid_about",
    "integrand",
    "places",
]

# Centring stops when no centre moves by more than this share of its standard deviation; sooner
# where slopes are spaced over an interval afterwards.
_CLOSE, _ROUNDS = 0.05, 30
_CLOSE_ON_CURVES, _ROUNDS_ON_CURVES = 0.5, 8
# Newton steps to the level at a slope.
_STEPS = 2
# Slopes that tell where a curved posterior lies, prior standard deviations that they reach, and
# what is too small to matter, in log density.
_COARSE = 9
_REACH, _LEAST = 4.5, 10.0
_LOG_2PI = float(np.log(2 * np.pi))

# Numbers of slopes, and of levels at each.
type Nodes = tuple[int, int]


@dataclass(frozen=True, eq=False)
class CurvedRange:
    """Slopes between which a curved posterior lies, and the log of the events expected at its mode.

    Shapes (n, j).
    """

    low: FloatArray
    high: FloatArray
    log_expected: FloatArray


@dataclass(frozen=True, eq=False)
class Centre:
    """Where an authority's posterior lies given the shared parameters, arrays (n, j).

    Slope ~ (slope, slope_sd); given that it is d above its centre, the level ~ (level + tilt * d +
    bend * d**2 / 2, level_sd), unless it lies along a curve.
    """

    level: FloatArray
    slope: FloatArray
    level_sd: FloatArray
    slope_sd: FloatArray
    tilt: FloatArray
    bend: FloatArray
    curve: CurvedRange | None = None


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
    close, rounds = _CLOSE, _ROUNDS
    if isinstance(given, Curved):
        close, rounds = _CLOSE_ON_CURVES, _ROUNDS_ON_CURVES
    for _ in range(rounds):
        at = given.derivatives(level, slope)
        up, along = level - prior.level, slope - prior.slope
        gradient = at.level - prior.level_level * up - prior.level_slope * along
        gradient_slope = at.slope - prior.level_slope * up - prior.slope_slope * along
        a, b = _of_level(at.level_level, prior), at.level_slope + prior.level_slope
        # The precision of the slope with the level integrated out.
        least = 0.25 * (prior.slope_slope - prior.level_slope**2 / prior.level_level)
        c = np.maximum(at.slope_slope + prior.slope_slope - b * b / a, least)
        move_slope = np.clip((gradient_slope - b / a * gradient) / c, -0.5, 0.5)
        move = np.clip((gradient - b * move_slope) / a, -1.0, 1.0)
        level, slope = level + move, slope + move_slope
        if np.all(move * move * a + move_slope * move_slope * c < close**2):
            break
    tilt = -b / a
    bend = -(at.level_slope_slope + tilt * (2.0 * at.level_slope + tilt * at.level_level)) / a
    mode = Centre(level, slope, 1.0 / np.sqrt(a), 1.0 / np.sqrt(c), tilt, bend)
    return _on_curve(given, prior, mode) if isinstance(given, Curved) else mode


def _level_alone(given: Given, prior: LinePrior, level: FloatArray) -> Centre:
    """The same where slopes do not vary."""
    for _ in range(_ROUNDS):
        at = given.derivatives(level, prior.slope)
        # Newton steps on exp(level) overshoot from below: one unit at most.
        a = _of_level(at.level_level, prior)
        move = np.clip((at.level - prior.level_level * (level - prior.level)) / a, -1.0, 1.0)
        level = level + move
        if np.all(move * move * a < _CLOSE**2):
            break
    none = np.zeros_like(level)
    return Centre(level, prior.slope, 1.0 / np.sqrt(a), none, none, none)


def _of_level(curvature: FloatArray, prior: LinePrior) -> FloatArray:
    """Precision of a level, kept positive where a log-likelihood is not concave."""
    return np.maximum(curvature + prior.level_level, 0.25 * prior.level_level)


def _on_curve(given: Curved, prior: LinePrior, mode: Centre) -> Centre:
    """The same with the slopes between which all lies that matters."""
    one, across, two = prior.level_level, prior.level_slope, prior.slope_slope
    prior_sd = np.sqrt(one / (one * two - across * across))
    log_expected = mode.level + given.at(mode.slope).log_sums
    reach = _REACH * prior_sd
    at = replace(mode, curve=CurvedRange(prior.slope - reach, prior.slope + reach, log_expected))
    grid = grid_about(given, prior, at, (_COARSE, 1))
    values = integrand(given, prior, grid)[:, 0] + grid.log_scale
    counts = values > values.max(axis=0) - _LEAST
    spacing = 2.0 * reach / (_COARSE - 1)
    # A narrow posterior may lie between two of these slopes.
    near = _REACH * np.minimum(mode.slope_sd, prior_sd)
    low = np.where(counts, grid.slope, np.inf).min(axis=0) - spacing
    high = np.where(counts, grid.slope, -np.inf).max(axis=0) + spacing
    low, high = np.minimum(low, mode.slope - near), np.maximum(high, mode.slope + near)
    return replace(mode, curve=CurvedRange(low, high, log_expected))


@dataclass(frozen=True, eq=False)
class NodePlaces:
    """Levels and slopes about a centre: `level` and `slope` (a, n, j), `step` (b, n, j) of levels.

    Along curves `step` is (a, b, n, j). `log_scale` (a, n, j) or (1, n, j) is the log of one
    standard deviation there, and `at_slopes` what a curved likelihood says.
    """

    level: FloatArray
    step: FloatArray
    slope: FloatArray
    log_scale: FloatArray
    at_slopes: AtSlopes | None


def places(
    given: Given, prior: LinePrior, at: Centre, along: FloatArray, z_level: FloatArray
) -> NodePlaces:
    """Places at slopes `along` (a, n, j) above a centre, `z_level` (b, n, j) sds above levels."""
    slope = at.slope + along
    if at.curve is None or not isinstance(given, Curved):
        level = at.level + along * (at.tilt + 0.5 * at.bend * along)
        return NodePlaces(level, at.level_sd * z_level, slope, np.log(at.level_sd)[None], None)
    there = given.at(slope)
    of_slope = prior.level_slope * (slope - prior.slope)
    # From where as many events are expected as at the mode.
    level = at.curve.log_expected - there.log_sums
    for _ in range(_STEPS):
        gradient, curvature = there.by_level(level)
        gradient -= prior.level_level * (level - prior.level) + of_slope
        precision = _of_level(curvature, prior)
        level = level + np.clip(gradient / precision, -1.0, 1.0)
    level_sd = 1.0 / np.sqrt(precision)
    return NodePlaces(level, level_sd[:, None] * z_level, slope, np.log(level_sd), there)


@dataclass(frozen=True, eq=False)
class Grid(NodePlaces):
    """Quadrature nodes about a centre.

    `z_slope` (a, n, j) or (a, 1, 1) and `z_level` (b, 1, 1) are the nodes in standard deviations.
    The integral is the sum of the exponentials of log-integrand plus `log_weight` (a, b, 1, 1)
    plus `log_scale`, which has the scale of slopes, too.
    """

    z_slope: FloatArray
    z_level: FloatArray
    log_weight: FloatArray


def grid_about(given: Given, prior: LinePrior, at: Centre, nodes: Nodes) -> Grid:
    """Nodes about a centre, and the weights that their log-integrands need."""
    z_level, log_weight_level = _rule(nodes[1])
    if not prior.varying:
        # A slope that does not vary is its own single node.
        z = along = np.zeros((1, 1, 1))
        log_weight, spacing = np.zeros(1), np.ones(1)
    elif at.curve is None:
        z, log_weight = _rule(nodes[0])
        along, spacing = at.slope_sd * z, at.slope_sd
    else:
        low, high = at.curve.low, at.curve.high
        along = low - at.slope + (high - low) * np.linspace(0.0, 1.0, nodes[0])[:, None, None]
        z, log_weight = along / at.slope_sd, np.full(nodes[0], -0.5 * _LOG_2PI)
        spacing = (high - low) / (nodes[0] - 1)
    there = places(given, prior, at, along, z_level)
    weight = (log_weight[:, None] + log_weight_level)[:, :, None, None]
    scale = there.log_scale + np.log(spacing)
    return Grid(there.level, there.step, there.slope, scale, there.at_slopes, z, z_level, weight)


@functools.cache
def _rule(nodes: int) -> tuple[FloatArray, FloatArray]:
    """Gauss-Hermite nodes (nodes, 1, 1), log weights of integrands that hold the normal density."""
    z, weight = np.polynomial.hermite_e.hermegauss(nodes)
    return z[:, None, None], np.log(weight) + 0.5 * (z * z - _LOG_2PI)


def integrand(given: Given, prior: LinePrior, at: NodePlaces) -> FloatArray:
    """Log of likelihood times prior at places, shape (a, b, n, j).

    The factor (2 pi)**-0.5 of each normal density is left to the weights of the nodes.
    """
    level, step, slope, there = at.level, at.step, at.slope, at.at_slopes
    values = given.grid(level, step, slope) if there is None else there.grid(level, step)
    up, along = level - prior.level, slope - prior.slope
    one, across = prior.level_level, prior.level_slope
    quadratic = up * (one * up + 2.0 * across * along) + prior.slope_slope * along**2
    # Few passes over the whole grid: the rest on one of its sides.
    values -= (0.5 * (quadratic - prior.log_determinant))[:, None]
    rest = (-one * up - across * along)[:, None] - 0.5 * one * step
    rest *= step
    values += rest
    return values
