"""Quadrature nodes over an authority's level and slope, and what they sum."""

import functools
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laplace.line_priors import LinePrior
from socgrad.laplace.surfaces import Given

__all__ = [
    "LOG_2PI",
    "BySlope",
    "Grid",
    "NodePlaces",
    "Nodes",
    "Placing",
    "gauss_hermite",
    "integrand",
]

LOG_2PI = float(np.log(2 * np.pi))

# Numbers of slopes, and of levels at each.
type Nodes = tuple[int, int]


@dataclass(frozen=True, eq=False)
class NodePlaces:
    """Levels and slopes: `level` and `slope` (a, n, j), `step` (b, n, j) of levels.

    Along curves `step` is (a, b, n, j). `log_scale` (a, n, j) or (1, n, j) is the log of one
    standard deviation there, and `log_likelihood` (a, b, n, j) what is known already, along curves.
    """

    level: FloatArray
    step: FloatArray
    slope: FloatArray
    log_scale: FloatArray
    log_likelihood: FloatArray | None


@dataclass(frozen=True, eq=False)
class Grid(NodePlaces):
    """Quadrature nodes.

    `z_slope` (a, n, j), (a, 1, j) or (a, 1, 1) and `z_level` (b, 1, 1) are the nodes in standard
    deviations. The integral is the sum of the exponentials of log-integrand plus `log_weight`
    (a, b, 1, 1); `log_scale` has the scale of slopes, too.
    """

    z_slope: FloatArray
    z_level: FloatArray
    log_weight: FloatArray


@dataclass(frozen=True, eq=False)
class BySlope:
    """Log of likelihood times prior at slopes, levels integrated out, (a, n, j).

    The integral over slopes is the sum of exponentials of it plus `log_weight` (a, 1, 1), times
    `spacing` (n, j).
    """

    values: FloatArray
    log_weight: FloatArray
    spacing: FloatArray


class Placing(Protocol):
    """Where authorities' posteriors lie given the shared parameters, and nodes by that."""

    def places(self, z_slope: FloatArray, z_level: FloatArray) -> NodePlaces:
        """Places in standard deviations, slopes (a, n, j) and levels (b, n, j)."""

    def likely_slopes(self) -> tuple[FloatArray | float, FloatArray | float]:
        """Mean and standard deviation of slopes, about, in the units of `places`.

        Those of levels are 0 and 1.
        """

    def grid(self, nodes: Nodes) -> Grid:
        """Nodes, and the weights that their log-integrands need."""

    def by_slope(self, slopes: int) -> BySlope | None:
        """Levels integrated out by expansion; None where the likelihood has none."""


@functools.cache
def gauss_hermite(nodes: int) -> tuple[FloatArray, FloatArray]:
    """Nodes (nodes, 1, 1), and log weights of integrands that hold the normal density."""
    z, weight = np.polynomial.hermite_e.hermegauss(nodes)
    return z[:, None, None], np.log(weight) + 0.5 * (z * z - LOG_2PI)


def integrand(given: Given, prior: LinePrior, at: NodePlaces) -> FloatArray:
    """Log of likelihood times prior times scale at places, shape (a, b, n, j).

    The factor (2 pi)**-0.5 of each normal density is left to the weights of the nodes.
    """
    level, step, slope, values = at.level, at.step, at.slope, at.log_likelihood
    if values is None:
        values = given.grid(level, step, slope)
    up, along = level - prior.level, slope - prior.slope
    one, across = prior.level_level, prior.level_slope
    quadratic = up * (one * up + 2.0 * across * along) + prior.slope_slope * along**2
    # Few passes over the whole grid: the rest on one of its sides.
    values -= (0.5 * (quadratic - prior.log_determinant) - at.log_scale)[:, None]
    rest = (-one * up - across * along)[:, None] - 0.5 * one * step
    rest *= step
    values += rest
    return values
