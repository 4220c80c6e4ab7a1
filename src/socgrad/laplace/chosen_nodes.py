"""How many quadrature nodes the integrals over authorities' effects need."""

from dataclasses import replace

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laplace.curves import SlopeRange
from socgrad.laplace.marginal import Marginal
from socgrad.laplace.nodes import Nodes
from socgrad.laplace.surfaces import Expanded

__all__ = ["chosen_nodes", "error_of_nodes", "first_nodes"]

_OF_LINES, _EXPANDED, _OF_CURVES = (3, 3), (1, 1), (9, 1)
_NUMBERS = (1, 3, 5, 7, 9, 13)
# More slopes than levels may be needed: along the curves of totals, which have ends.
_SLOPES = (1, 2, 3, 5, 7, 9, 11, 13, 16, 19, 25, 31, 41, 51)
_FEWEST_ALONG = 3
# Nodes of what a number is held against, above it; slopes at which levels are looked at.
_MORE, _ENOUGH = 6, 7


def first_nodes(marginal: Marginal) -> tuple[Nodes, ...]:
    """Nodes for each surface that show where a posterior lies, before those needed are known."""
    found = []
    for surface, start in zip(marginal.surfaces, marginal.starts, strict=True):
        is_expanded = isinstance(surface.given(np.ones((1, 1))), Expanded)
        lines = _EXPANDED if is_expanded else _OF_LINES
        found.append(_OF_CURVES if isinstance(start, SlopeRange) else lines)
    return tuple(found)


def chosen_nodes(marginal: Marginal, x: FloatArray, *, small: float) -> tuple[Nodes, ...]:
    """Fewest nodes for each surface whose error at the points `x` is below `small`.

    Where none is, the most that there are.
    """
    return tuple(_of_surface(marginal, x, which, small) for which in range(len(marginal.surfaces)))


def _of_surface(marginal: Marginal, x: FloatArray, which: int, small: float) -> Nodes:
    def error(nodes: Nodes, against: Nodes) -> float:
        one, other = (marginal.log_likelihood(x, which, each) for each in (nodes, against))
        return _apart(one - other)

    for levels in _NUMBERS:
        if error((_ENOUGH, levels), (_ENOUGH, levels + _MORE)) < small / 2:
            break
    if not marginal.varying:
        return levels, levels
    least = _FEWEST_ALONG if isinstance(marginal.starts[which], SlopeRange) else 1
    for slopes in (number for number in _SLOPES if number >= least):
        if error((slopes, levels), (slopes + _MORE, levels)) < small / 2:
            break
    return slopes, levels


def error_of_nodes(marginal: Marginal, x: FloatArray, nodes: tuple[Nodes, ...]) -> float:
    """Largest error of the log-density with these nodes, against six more of slopes and levels.

    Slopes along curves reach further, too.
    """
    more = tuple((slopes + _MORE, levels + _MORE) for slopes, levels in nodes)
    starts = tuple(
        each.wider() if isinstance(each, SlopeRange) else each for each in marginal.starts
    )
    against = replace(marginal, starts=starts)
    return _apart(marginal.log_density(x, nodes=nodes) - against.log_density(x, nodes=more))


def _apart(error: FloatArray) -> float:
    """Largest error; one that is the same at all points changes no posterior and is left out."""
    return float(np.abs(error - error.mean()).max())
