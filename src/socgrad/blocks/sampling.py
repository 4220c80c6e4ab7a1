"""Draws of the posterior by the block engine, and the numbers that vouch for them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray, IntArray
from socgrad.blocks.data import counts_of
from socgrad.blocks.effects import Effects, draw_effects
from socgrad.blocks.mode import Mode, mode
from socgrad.blocks.outcome import Outcome
from socgrad.blocks.pilot import pilot
from socgrad.blocks.posterior import posterior_of, shaped
from socgrad.blocks.weighing import WORST_TAIL, weighed_draws
from socgrad.laplace.importance import Weights, effective_size, resampled, smoothed
from socgrad.model.gradient_model import GradientModel
from socgrad.model.over_years import OverYears
from socgrad.model.terms import model_terms

__all__ = ["BlockDraws", "sample_blocks"]

# Degrees of freedom of the first proposal; and of one for few authorities in several strata, of so
# many parameters at most.
_DEGREES, _FEW_DEGREES = 30.0, 5.0
_FEW_OF_STRATA = 40
# Beyond these the draws are handed on: effective draws, distance of the mode (in sd), and the sd
# over draws of what Laplace's method misses after it was estimated; beside the tail of the weights.
_LEAST, _FARTHEST = 400.0, 0.5
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
        return found, *weighed_draws(found, kept, degrees, rng)

    found, x, log_ratio = tried(normal=several, degrees=_DEGREES)
    weights = smoothed(log_ratio)
    few = several and over_years is None and len(found.point) <= _FEW_OF_STRATA
    if few and not _is_sound(weights, kept):
        # Few authorities leave standard deviations uneven: on their own scale, and from afar.
        other, *drawn = tried(normal=False, degrees=_FEW_DEGREES)
        theirs = smoothed(drawn[1])
        if _is_sound(theirs, kept) or theirs.pareto_k < weights.pareto_k:
            found, (x, log_ratio), weights = other, drawn, theirs
    at, times = np.unique(resampled(weights.weight, kept, rng), return_counts=True)
    places = np.repeat(at, times)
    effects = draw_effects(found.for_weights, x[at], times, rng)
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


def _taken(effects: Effects, at: IntArray) -> Effects:
    return Effects(
        effects.effects[at],
        effects.region_effects[at],
        effects.log_weight[at],
        effects.noise[at],
    )


def _is_sound(weights: Weights, kept: int) -> bool:
    return weights.pareto_k < WORST_TAIL and weights.effective_size >= _least(kept)


def _least(kept: int) -> float:
    """Fewest effective draws, of so many that are kept."""
    return min(_LEAST, 0.25 * kept)


def _doubt(found: Mode, pareto_k: float, ess: float, kept: int, error: float) -> str:
    least = _least(kept)
    doubts = {
        f"the mode was not found ({found.distance:.2g} standard deviations away)": not (
            found.distance < _FARTHEST
        ),
        f"the importance weights have a heavy tail (k-hat {pareto_k:.2f}, above {WORST_TAIL})": (
            not pareto_k < WORST_TAIL
        ),
        f"only {ess:,.0f} of {kept:,} draws are effective": not ess >= least,
        f"Laplace's method is off by {error:.2g} in log density": not error < _LARGE_ERROR,
    }
    return "; ".join(words for words, holds in doubts.items() if holds)
