"""Effects of authorities and regions drawn given the shared parameters, and weights that correct.

Laplace's method is not exact. For each draw an unbiased estimate of every authority's integral
(`integrals`) goes into the draw's weight, and the effects are drawn from the same candidates: so
the weighted draws are of the posterior itself, whatever Laplace's method misses.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.blocks.compiled import Integrals, evaluate, integrate
from socgrad.blocks.marginal import At, Found, Marginal
from socgrad.processors import by_threads

__all__ = ["Effects", "draw_effects"]

_PAIRS = 2
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


def draw_effects(marginal: Marginal, points: FloatArray, rng: np.random.Generator) -> Effects:
    """Draw the effects of every authority, one draw for each point (n, d)."""
    blocks = [points[at : at + _BLOCK] for at in range(0, len(points), _BLOCK)]
    work = list(zip(blocks, rng.spawn(len(blocks)), strict=True))

    def drawn(
        block: FloatArray, own: np.random.Generator
    ) -> list[tuple[FloatArray, FloatArray, float, float]]:
        every = marginal.at_points(marginal.coordinates.shared(block))
        return [_drawn(marginal, at, own) for at in every]

    parts: Sequence[list[tuple[FloatArray, FloatArray, float, float]]] = by_threads(
        lambda each: drawn(*each), work
    )
    every = [each for part in parts for each in part]
    effects, regions, weight, noise = zip(*every, strict=True)
    return Effects(np.array(effects), np.array(regions), np.array(weight), np.array(noise))


def _drawn(
    marginal: Marginal, at: At, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, float, float]:
    """Effects of authorities and regions at one point, log weight and its variance."""
    state = marginal.start.copy()
    authorities, n = at.mean.shape
    strata, regions = n // 2, len(state.regions)
    region_of, log_regions = np.zeros((authorities, strata)), 0.0
    if regions:
        found = Found.of(marginal, 1)
        whole = evaluate(marginal, at, state, found, 1)
        z = rng.standard_normal((regions, strata))
        roots = np.linalg.cholesky(found.region_inverse)
        state.regions += np.einsum("rst,rt->rs", roots, z)
        of = np.repeat(np.arange(regions), np.diff(marginal.first_member))
        region_of[marginal.member] = state.regions[of]
        # The regions' own prior and proposal, over Laplace's value of all.
        log_regions = -0.5 * float((state.regions**2 @ at.region_precision).sum()) - whole
        log_regions += 0.5 * float((z * z).sum())
        log_regions += float(np.log(np.diagonal(roots, axis1=1, axis2=2)).sum())
    normals = rng.standard_normal((authorities, _PAIRS, state.modes.shape[1]))
    uniform = np.asarray(rng.random(authorities))
    drawn: Integrals = integrate(
        marginal,
        at,
        state=state,
        found=Found.of(marginal, 0),
        region_effect=region_of,
        normals=normals,
        uniform=uniform,
    )
    log_weight = float(drawn.error.sum())
    if regions:
        log_weight += drawn.laplace + log_regions
    noise = float(drawn.noise.sum())
    if not np.isfinite(drawn.laplace):
        log_weight = -np.inf
    return drawn.lines - at.population, state.regions, log_weight, noise
