"""Draws of a proposal, weighted to be of the posterior: which proposal, and how many.

The first is bent as derivatives at the mode tell. Of few shared parameters, where that is not
enough, one is fitted to draws; of years it is normal given their spreads.
"""

from typing import Protocol, Self

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.blocks.bent import BentStudent
from socgrad.blocks.given_spreads import GivenSpreads
from socgrad.blocks.marginal import Marginal
from socgrad.blocks.mode import Mode
from socgrad.laplace.importance import smoothed
from socgrad.laplace.proposal import Proposal

__all__ = ["WORST_TAIL", "weighed_draws"]

# Up to so many shared parameters a proposal may be fitted to draws.
_FEW = 14
_ROUND, _ROUNDS, _EFFICIENT = 1000, 4, 0.6
# A map that bends has a term for each pair of numbers: draws that it is fitted to, for each.
_PER_PAIR = 15
# A map that bends adds up the reflections of so many numbers at most.
_MIRRORED = 6
# Share of draws that are effective, and k-hat, from which on a proposal is taken as it is.
_GOOD, _SOUND = 0.35, 0.5
# Effective draws wanted, and the most that are drawn for each one kept.
_WANTED = 1200.0
_MOST = 8.0
# k-hat from which on more draws of a proposal would not help.
_HOPELESS = 0.9
#: k-hat from which on weighted draws do not describe the posterior.
WORST_TAIL = 0.6


class _Density(Protocol):
    def draw(self, number: int, rng: np.random.Generator) -> FloatArray:
        """Draw points."""

    def log_density(self, x: FloatArray) -> FloatArray:
        """Log density of points."""


class _Fitting(_Density, Protocol):
    def fitted(self, x: FloatArray, weight: FloatArray) -> Self:
        """Fit to weighted draws."""


def weighed_draws(
    found: Mode, kept: int, degrees: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw points about a mode, and weigh them.

    Parameters
    ----------
    found : Mode
    kept : int
        Draws that will be kept.
    degrees : float
        Of freedom of the first proposal.
    rng : numpy.random.Generator

    Returns
    -------
    points : ndarray, shape (n, d)
    log_ratio : ndarray, shape (n,)
        Logs of their densities over the proposal's, each up to a constant.
    """
    marginal, d = found.for_weights, len(found.point)
    mirrored = marginal.coordinates.mirrored
    of_years = _of_years(found)
    proposal: _Density = (
        GivenSpreads.about(found) if of_years else BentStudent.about(found, degrees)
    )
    x = proposal.draw(_ROUND, rng)
    log_ratio = marginal.values(x) - proposal.log_density(x)
    weights = smoothed(log_ratio)
    is_good = weights.effective_size >= _GOOD * len(x) and (of_years or weights.pareto_k < _SOUND)
    if of_years and not is_good:
        x, log_ratio, proposal = _fitted(marginal, GivenSpreads.about(found), x, log_ratio, rng)
    elif d <= _FEW and not is_good:
        x, log_ratio = _more(marginal, proposal, (x, log_ratio), _PER_PAIR * d * d - len(x), rng)
        along = Proposal.along_axes(marginal.values, found.point, found.root, mirrored)
        x, log_ratio, proposal = _fitted(marginal, along, x, log_ratio, rng)
    for _ in range(0 if of_years or d > _FEW else _ROUNDS):
        x, log_ratio = _enough(marginal, proposal, (x, log_ratio), kept, rng, tail=WORST_TAIL)
        tail = smoothed(log_ratio).pareto_k
        if tail < WORST_TAIL:
            break
        # A tail that only more draws show: there are more to fit to.
        along = Proposal.along_axes(marginal.values, found.point, found.root, mirrored)
        again = _fitted(marginal, along, x, log_ratio, rng)
        if not smoothed(again[1]).pareto_k < tail:
            break
        x, log_ratio, proposal = again
    drawn = _enough(marginal, proposal, (x, log_ratio), kept, rng)
    return _judged_by_more(marginal, proposal, drawn, kept, rng)


def _enough(
    marginal: Marginal,
    proposal: _Density,
    drawn: tuple[FloatArray, FloatArray],
    kept: int,
    rng: np.random.Generator,
    *,
    tail: float = _HOPELESS,
) -> tuple[FloatArray, FloatArray]:
    """Draw on until enough draws are effective, they are too many, or their tail is too heavy."""
    x, log_ratio = drawn
    weights = smoothed(log_ratio)
    most = int(_MOST * max(kept, _ROUND))
    while weights.effective_size < _WANTED and len(x) < most and weights.pareto_k < tail:
        efficiency = weights.effective_size / len(x)
        more = int(min(1.1 * _WANTED / efficiency, most)) - len(x)
        x, log_ratio = _more(marginal, proposal, (x, log_ratio), max(more, 200), rng)
        weights = smoothed(log_ratio)
    return x, log_ratio


def _judged_by_more(
    marginal: Marginal,
    proposal: _Density,
    drawn: tuple[FloatArray, FloatArray],
    kept: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Four times as many draws where their tail seems too heavy: k-hat of few is uncertain."""
    number = len(drawn[0])
    if not WORST_TAIL <= smoothed(drawn[1]).pareto_k < _HOPELESS:
        return drawn
    more = min(4 * number, int(_MOST * max(kept, _ROUND))) - number
    return _more(marginal, proposal, drawn, more, rng)


def _more(
    marginal: Marginal,
    proposal: _Density,
    drawn: tuple[FloatArray, FloatArray],
    number: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Draws of a proposal, and so many more; none where the number is not above 0."""
    x, log_ratio = drawn
    if number <= 0:
        return drawn
    new = proposal.draw(number, rng)
    ratio = marginal.values(new) - proposal.log_density(new)
    return np.concatenate([x, new]), np.concatenate([log_ratio, ratio])


def _of_years(found: Mode) -> bool:
    """Whether coefficients are many and normal, as those of years are, and spreads few."""
    coordinates = found.marginal.coordinates
    first, area, effects, *_ = coordinates.parts(found.point)
    others = coordinates.mirrored[len(first) :]
    few = len(others) <= _FEW and others.sum() <= _MIRRORED
    return coordinates.arrow(effects) is not None and not len(area) and bool(few)


def _fitted(
    marginal: Marginal,
    now: _Fitting,
    x: FloatArray,
    log_ratio: FloatArray,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, _Density]:
    """Fit a proposal that bends to the draws, as many a round, while that makes it better."""
    number = len(x)
    best: tuple[FloatArray, FloatArray, _Density] | None = None
    efficiency = 0.0
    for _ in range(_ROUNDS):
        now = now.fitted(x, smoothed(log_ratio).weight)
        x = now.draw(number, rng)
        log_ratio = marginal.values(x) - now.log_density(x)
        reached = smoothed(log_ratio).effective_size / len(x)
        if best is not None and reached < 1.05 * efficiency:
            break
        best, efficiency = (x, log_ratio, now), reached
        if reached > _EFFICIENT:
            break
    assert best is not None
    return best
