"""Draws of a proposal, weighted to be of the posterior: which proposal, and how many.

The first is bent as derivatives at the mode tell. Of few shared parameters, where that is not
enough, one is fitted to draws; of years it is normal given their spreads.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, Self

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.blocks.bent import BentStudent
from socgrad.blocks.given_spreads import GivenSpreads
from socgrad.blocks.marginal import Marginal
from socgrad.blocks.mode import Mode
from socgrad.laplace.importance import Weights, smoothed
from socgrad.laplace.proposal import Proposal

__all__ = ["WORST_TAIL", "weighed_draws"]

# Up to so many shared parameters a proposal may be fitted to draws.
_FEW = 14
_ROUND, _ROUNDS, _EFFICIENT = 1000, 4, 0.6
# A map that bends has a term for each pair of numbers: draws that it is fitted to, for each.
_PER_PAIR = 15
# A map that bends adds up the reflections of so many numbers together.
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
    of_years = _of_years(found)
    most = int(_MOST * max(kept, _ROUND))
    drawn = _Drawn.of(
        marginal,
        GivenSpreads.about(found) if of_years else BentStudent.about(found, degrees),
        _ROUND,
        rng,
    )
    weights = drawn.weights
    is_good = weights.effective_size >= _GOOD * _ROUND and (of_years or weights.pareto_k < _SOUND)

    def along_axes() -> Proposal:
        mirrored = marginal.coordinates.mirrored
        return Proposal.along_axes(marginal.values, found.point, found.root, mirrored)

    if of_years and not is_good:
        drawn = drawn.fitted(GivenSpreads.about(found), rng)
    elif d <= _FEW and not is_good:
        drawn = drawn.more(_PER_PAIR * d * d - _ROUND, rng).fitted(along_axes(), rng)
    for _ in range(0 if of_years or d > _FEW else _ROUNDS):
        drawn = drawn.enough(most, rng, tail=WORST_TAIL)
        if drawn.weights.pareto_k < WORST_TAIL:
            break
        # A tail that only more draws show: there are more to fit to.
        again = drawn.fitted(along_axes(), rng)
        if not again.weights.pareto_k < drawn.weights.pareto_k:
            break
        drawn = again
    drawn = drawn.enough(most, rng).judged_by_more(most, rng)
    return drawn.x, drawn.log_ratio


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Draws `x` (n, d) of a proposal, and logs of a posterior's densities over its own."""

    marginal: Marginal
    proposal: _Density
    x: FloatArray
    log_ratio: FloatArray

    @classmethod
    def of(
        cls, marginal: Marginal, proposal: _Density, number: int, rng: np.random.Generator
    ) -> Self:
        x = proposal.draw(number, rng)
        return cls(marginal, proposal, x, marginal.values(x) - proposal.log_density(x))

    @cached_property
    def weights(self) -> Weights:
        return smoothed(self.log_ratio)

    def more(self, number: int, rng: np.random.Generator) -> Self:
        """These, and so many more; none where the number is not above 0."""
        if number <= 0:
            return self
        new = self.of(self.marginal, self.proposal, number, rng)
        return replace(
            self,
            x=np.concatenate([self.x, new.x]),
            log_ratio=np.concatenate([self.log_ratio, new.log_ratio]),
        )

    def enough(self, most: int, rng: np.random.Generator, *, tail: float = _HOPELESS) -> Self:
        """Draw on until enough are effective, they are too many, or their tail is too heavy."""
        drawn = self
        while (
            drawn.weights.effective_size < _WANTED
            and len(drawn.x) < most
            and drawn.weights.pareto_k < tail
        ):
            efficiency = drawn.weights.effective_size / len(drawn.x)
            more = int(min(1.1 * _WANTED / efficiency, most)) - len(drawn.x)
            drawn = drawn.more(max(more, 200), rng)
        return drawn

    def judged_by_more(self, most: int, rng: np.random.Generator) -> Self:
        """Four times as many where their tail seems too heavy: k-hat of few is uncertain."""
        number = len(self.x)
        seems_heavy = WORST_TAIL <= self.weights.pareto_k < _HOPELESS
        return self.more(min(4 * number, most) - number, rng) if seems_heavy else self

    def fitted(self, proposal: _Fitting, rng: np.random.Generator) -> Self:
        """As many of a proposal fitted to these, and again to those, while that makes it better."""
        best, now = None, self
        for _ in range(_ROUNDS):
            proposal = proposal.fitted(now.x, now.weights.weight)
            now = self.of(self.marginal, proposal, len(self.x), rng)
            reached = now.weights.effective_size
            if best is not None and reached < 1.05 * best.weights.effective_size:
                break
            best = now
            if reached > _EFFICIENT * len(self.x):
                break
        assert best is not None
        return best


def _of_years(found: Mode) -> bool:
    """Whether coefficients are many and normal, as those of years are, and spreads few."""
    coordinates = found.marginal.coordinates
    first, area, effects, *_ = coordinates.parts(found.point)
    others = coordinates.mirrored[len(first) :]
    few = len(others) <= _FEW and others.sum() <= _MIRRORED
    return coordinates.arrow(effects) is not None and not len(area) and bool(few)
