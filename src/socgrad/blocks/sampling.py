"""Draws of the posterior by the block engine, and the numbers that vouch for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray, IntArray
from socgrad.blocks.data import counts_of
from socgrad.blocks.effects import Effects, draw_effects
from socgrad.blocks.given_spreads import GivenSpreads
from socgrad.blocks.marginal import Marginal
from socgrad.blocks.mode import Mode, mode
from socgrad.blocks.outcome import Outcome
from socgrad.blocks.pilot import pilot
from socgrad.blocks.posterior import posterior_of, shaped
from socgrad.blocks.proposal import Student
from socgrad.blocks.skewness import mean_about
from socgrad.laplace.importance import Weights, effective_size, resampled, smoothed
from socgrad.laplace.proposal import Proposal
from socgrad.model.gradient_model import GradientModel
from socgrad.model.over_years import OverYears
from socgrad.model.terms import model_terms

__all__ = ["BlockDraws", "sample_blocks"]

# Up to so many shared parameters the proposal is fitted to draws; beyond, it is Laplace's.
_FEW = 14
_ROUND, _ROUNDS, _EFFICIENT = 1000, 4, 0.6
# Degrees of freedom of the first proposal; and, up to so many parameters, of one for few
# authorities in several strata. With more the first proposal is about the mean, not the mode.
_DEGREES, _FEW_DEGREES, _FEW_OF_STRATA = 30.0, 5.0, 40
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
# Beyond these the draws are handed on: k-hat, effective draws, distance of the mode (in sd), and
# the sd over draws of what Laplace's method misses after it was estimated.
_WORST_TAIL, _LEAST, _FARTHEST = 0.6, 400.0, 0.5
_LARGE_ERROR = 2.0
# Of Laplace's method, so small that the tail of what corrects it does not matter.
_SMALL_ERROR = 0.1


@dataclass(frozen=True, eq=False)
class BlockDraws:
    """Draws, dims (chain, draw, stratum[, ...]), and what vouches for them.

    Attributes
    ----------
    posterior, sample_stats : xarray.Dataset
    pareto_k : float
        Shape of the tail of the importance weights, those that correct Laplace's method among
        them where its error is above 0.1.
    importance_ess : float
        Independent draws that would say as much about the shared parameters.
    laplace_error : float
        Standard deviation over draws of the error of Laplace's log density, which the weights
        correct.
    doubt : str
        What speaks against these draws; empty when nothing does.
    """

    posterior: xr.Dataset
    sample_stats: xr.Dataset
    pareto_k: float
    importance_ess: float
    laplace_error: float
    doubt: str


class _Density(Protocol):
    def draw(self, number: int, rng: np.random.Generator) -> FloatArray:
        """Draw points."""

    def log_density(self, x: FloatArray) -> FloatArray:
        """Log density of points."""


class _Fitting(_Density, Protocol):
    def fitted(self, x: FloatArray, weight: FloatArray) -> Self:
        """Fit to weighted draws."""


def sample_blocks(
    models: Sequence[GradientModel],
    data: Sequence[xr.Dataset],
    *,
    correlations: str,
    over_years: OverYears | None = None,
    outcome: Outcome | None = None,
    draws: int,
    chains: int,
    random_seed: int,
) -> BlockDraws:
    """Draw from the posterior of one or several strata.

    Parameters
    ----------
    models : sequence of GradientModel
        One per stratum, of one geography and the same terms.
    data : sequence of xarray.Dataset
        Their likelihood data.
    correlations : {"full", "factor"}
        Of authority effects in several strata.
    over_years : OverYears, optional
        What ties strata that are years.
    outcome : Outcome, optional
        Of authorities, beside the effects of one stratum.
    draws, chains : int
        Draws per chain, and chains. The draws are independent; chains only give the tree its form.
    random_seed : int
    """
    rng = np.random.default_rng(random_seed)
    terms = [model_terms(model) for model in models]
    counts = counts_of(models, terms, data)
    kept, several = draws * chains, len(models) > 1

    def tried(*, normal: bool, degrees: float) -> tuple[Mode, FloatArray, FloatArray]:
        first = pilot(
            models,
            terms,
            counts,
            correlations=correlations,
            normal=normal,
            over_years=over_years,
            outcome=outcome,
        )
        found = mode(first.marginal, first.point)
        return found, *_weighed(found, kept, degrees, rng)

    found, x, log_ratio = tried(normal=several, degrees=_DEGREES)
    weights = smoothed(log_ratio)
    few = several and over_years is None and len(found.point) <= _FEW_OF_STRATA
    if few and not _is_sound(weights, kept):
        # Few authorities leave standard deviations uneven: on their own scale, and from afar.
        other, *drawn = tried(normal=False, degrees=_FEW_DEGREES)
        theirs = smoothed(drawn[1])
        if _is_sound(theirs, kept) or theirs.pareto_k < weights.pareto_k:
            found, (x, log_ratio), weights = other, drawn, theirs
    places = resampled(weights.weight, kept, rng)
    effects = draw_effects(found.marginal, x[places], rng)
    corrected = smoothed(effects.log_weight)
    again = resampled(corrected.weight, kept, rng)
    chosen = places[again]
    ess = _effective(weights.weight, corrected.weight, places)
    pareto_k = weights.pareto_k
    if effects.laplace_error > _SMALL_ERROR:
        pareto_k = max(pareto_k, corrected.pareto_k)
    posterior = posterior_of(found.marginal.coordinates, x[chosen], _taken(effects, again))
    stats = xr.Dataset({"log_weight": ("sample", log_ratio[chosen])})
    return BlockDraws(
        shaped(posterior, chains, draws),
        shaped(stats, chains, draws),
        pareto_k,
        ess,
        effects.laplace_error,
        _doubt(found, pareto_k, ess, kept, effects.laplace_error),
    )


def _effective(first: FloatArray, second: FloatArray, places: IntArray) -> float:
    """Effective draws after both weightings."""
    share = np.bincount(places, second, minlength=len(first))
    return effective_size(share)


def _weighed(
    found: Mode, kept: int, degrees: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Points, and the logs of their densities over the proposal's."""
    marginal, d = found.marginal, len(found.point)
    mirrored = marginal.coordinates.mirrored
    of_years = _of_years(found)
    proposal: _Density
    if of_years:
        proposal = GivenSpreads.about(found)
    else:
        # Of few authorities the mean may be too far for its first-order form.
        near = d <= _FEW_OF_STRATA
        middle = found.point if near else mean_about(marginal, found.point, found.root)
        proposal = Student(middle, found.root, mirrored, degrees)
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
    if of_years or d > _FEW:
        return _enough(marginal, proposal, (x, log_ratio), kept, rng)
    for _ in range(_ROUNDS):
        x, log_ratio = _enough(marginal, proposal, (x, log_ratio), kept, rng, tail=_WORST_TAIL)
        tail = smoothed(log_ratio).pareto_k
        if tail < _WORST_TAIL:
            break
        # A tail that only more draws show: there are more to fit to.
        along = Proposal.along_axes(marginal.values, found.point, found.root, mirrored)
        again = _fitted(marginal, along, x, log_ratio, rng)
        if not smoothed(again[1]).pareto_k < tail:
            break
        x, log_ratio, proposal = again
    return _enough(marginal, proposal, (x, log_ratio), kept, rng)


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
    coordinates, told = found.marginal.coordinates, found.marginal.start.told
    first, area, effects, *_ = coordinates.parts(found.point)
    others = coordinates.mirrored[len(first) :]
    few = len(others) <= _FEW and others.sum() <= _MIRRORED
    is_chained = coordinates.arrow(effects) is not None and told is not None
    return is_chained and not len(area) and bool(few)


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


def _taken(effects: Effects, at: IntArray) -> Effects:
    return Effects(
        effects.effects[at],
        effects.region_effects[at],
        effects.log_weight[at],
        effects.noise[at],
    )


def _is_sound(weights: Weights, kept: int) -> bool:
    return weights.pareto_k < _WORST_TAIL and weights.effective_size >= _least(kept)


def _least(kept: int) -> float:
    """Fewest effective draws, of so many that are kept."""
    return min(_LEAST, 0.25 * kept)


def _doubt(found: Mode, pareto_k: float, ess: float, kept: int, error: float) -> str:
    least = _least(kept)
    doubts = {
        f"the mode was not found ({found.distance:.2g} standard deviations away)": not (
            found.distance < _FARTHEST
        ),
        f"the importance weights have a heavy tail (k-hat {pareto_k:.2f}, above {_WORST_TAIL})": (
            not pareto_k < _WORST_TAIL
        ),
        f"only {ess:,.0f} of {kept:,} draws are effective": not ess >= least,
        f"Laplace's method is off by {error:.2g} in log density": not error < _LARGE_ERROR,
    }
    return "; ".join(words for words, holds in doubts.items() if holds)
