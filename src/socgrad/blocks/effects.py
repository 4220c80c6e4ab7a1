"""Effects of authorities and regions drawn given the shared parameters, and weights that correct.

Laplace's method is not exact. For each draw an unbiased estimate of every authority's integral
(`integrals`) goes into the draw's weight, and the effects are drawn from the same candidates: so
the weighted draws are of the posterior itself, whatever Laplace's method misses. A point that is
drawn several times has modes that are sought once.
"""

from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray, IntArray
from socgrad.blocks.compiled import Integrals, evaluate, integrate
from socgrad.blocks.marginal import At, Found, Marginal, State
from socgrad.processors import by_threads

__all__ = ["Effects", "draw_effects"]

# Pairs of candidates for each draw; one is enough where the logs of integrals then vary by less
# than this, as the first draws show.
_PAIRS, _QUIET = 2, 0.02
# Draws beyond the first of each point that say how much these draws vary.
_REPEATED = 100
# Draws that share a generator: what is drawn does not depend on which is drawn first.
_BLOCK = 25


@dataclass(frozen=True, eq=False)
class Effects:
    """Effects of some draws.

    Attributes
    ----------
    effects : ndarray, shape (draws, authorities, effects)
        Levels and then slopes of every stratum, about their means.
    region_effects : ndarray, shape (draws, regions, strata)
    log_weight : ndarray, shape (draws,)
        What Laplace's method missed, estimated.
    noise : ndarray, shape (draws,)
        Variance of that estimate.
    """

    effects: FloatArray
    region_effects: FloatArray
    log_weight: FloatArray
    noise: FloatArray

    @property
    def laplace_error(self) -> float:
        """Standard deviation over draws of the error of Laplace's log density."""
        beyond = float(np.var(self.log_weight)) - float(np.mean(self.noise))
        return float(np.sqrt(max(beyond, 0.0)))


def draw_effects(
    marginal: Marginal, points: FloatArray, times: IntArray, rng: np.random.Generator
) -> Effects:
    """Draw the effects of every authority at points (n, d), each so many `times` (n,) in turn.

    The points were weighed by values of this very marginal: its modes are those of its values.
    """
    rows = [slice(at, at + _BLOCK) for at in range(0, len(points), _BLOCK)]
    (first, own), *rest = zip(rows, rng.spawn(len(rows)), strict=True)

    def drawn(rows: slice, own: np.random.Generator, pairs: int) -> Effects:
        every = marginal.at_points(marginal.coordinates.shared(points[rows]))
        number = times[rows].tolist()
        return _joined(
            [_drawn(marginal, *one, pairs, own) for one in zip(every, number, strict=True)]
        )

    tried = drawn(first, own, _PAIRS)
    # Half the candidates, twice the variance.
    noise = _PAIRS * float(tried.noise.mean())
    if not noise < _QUIET:
        return _joined([tried, *by_threads(lambda each: drawn(*each, _PAIRS), rest)])
    effects = _joined([tried, *by_threads(lambda each: drawn(*each, 1), rest)])
    # One pair shows no variance of its own; draws of one point differ by nothing else.
    begun = len(tried.noise)
    effects.noise[begun:] = _within(effects.log_weight[begun:], times[_BLOCK:], noise)
    return effects


def _within(values: FloatArray, times: IntArray, otherwise: float) -> float:
    """Variance of values within points, each of so many `times`; another where few are repeated."""
    of = np.repeat(np.arange(len(times)), times)
    freedom = len(values) - len(times)
    if freedom < _REPEATED or not np.isfinite(values).all():
        return otherwise
    about = values - (np.bincount(of, values) / times)[of]
    return float(about @ about) / freedom


def _drawn(marginal: Marginal, at: At, times: int, pairs: int, rng: np.random.Generator) -> Effects:
    """Effects of authorities and regions at one point, log weights and their variances."""
    if len(marginal.start.regions):
        return _with_regions(marginal, at, times, pairs, rng)
    state = marginal.start.copy()
    region_of = np.zeros((len(at.mean), at.mean.shape[1] // 2))
    drawn = _integrated(marginal, at, state, region_of, rng, times=times, pairs=pairs)
    log_weight = drawn.error.sum(axis=1)
    if not np.isfinite(drawn.laplace):
        log_weight[:] = -np.inf
    regions = np.broadcast_to(state.regions, (times, *state.regions.shape))
    return Effects(drawn.lines - at.population, regions, log_weight, drawn.noise.sum(axis=1))


def _with_regions(
    marginal: Marginal, at: At, times: int, pairs: int, rng: np.random.Generator
) -> Effects:
    """The same where authorities share effects of their regions, which are drawn before theirs."""
    state, found = marginal.start.copy(), Found.of(marginal, 1)
    whole = evaluate(marginal, at, state, found, 1)
    roots = np.linalg.cholesky(found.region_inverse)
    regions, strata = state.regions.shape
    of = np.repeat(np.arange(regions), np.diff(marginal.first_member))
    every = []
    for _ in range(times):
        z = rng.standard_normal((regions, strata))
        own = state.copy()
        own.regions += np.einsum("rst,rt->rs", roots, z)
        region_of = np.zeros((len(at.mean), strata))
        region_of[marginal.member] = own.regions[of]
        # The regions' own prior and proposal, over Laplace's value of all.
        log_regions = -0.5 * float((own.regions**2 @ at.region_precision).sum()) - whole
        log_regions += 0.5 * float((z * z).sum())
        log_regions += float(np.log(np.diagonal(roots, axis1=1, axis2=2)).sum())
        drawn = _integrated(marginal, at, own, region_of, rng, times=1, pairs=pairs)
        log_weight = drawn.error.sum(axis=1) + drawn.laplace + log_regions
        log_weight[~np.isfinite(log_weight)] = -np.inf
        noise = drawn.noise.sum(axis=1)
        every.append(Effects(drawn.lines - at.population, own.regions[None], log_weight, noise))
    return _joined(every)


def _integrated(
    marginal: Marginal,
    at: At,
    state: State,
    region_effect: FloatArray,
    rng: np.random.Generator,
    *,
    times: int,
    pairs: int,
) -> Integrals:
    """Draws of authorities given their regions' effects: how many, from how many pairs each."""
    authorities, n = state.modes.shape
    return integrate(
        marginal,
        at,
        state=state,
        found=Found.of(marginal, 0),
        region_effect=region_effect,
        normals=rng.standard_normal((times, authorities, pairs, n)),
        uniform=np.asarray(rng.random((times, authorities))),
    )


def _joined(every: list[Effects]) -> Effects:
    """Draws of several points, one after another."""
    return Effects(
        np.concatenate([each.effects for each in every]),
        np.concatenate([each.region_effects for each in every]),
        np.concatenate([each.log_weight for each in every]),
        np.concatenate([each.noise for each in every]),
    )
