"""Authority effects drawn given the shared parameters."""

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laplace.line_priors import LinePrior, population
from socgrad.laplace.marginal import Marginal
from socgrad.laplace.nodes import Placing, integrand
from socgrad.laplace.placing import Start, placed
from socgrad.laplace.slices import slices
from socgrad.laplace.surfaces import Given, Surface
from socgrad.processors import by_threads

__all__ = ["draw_effects"]

# Numbers of a point and an authority in one working array: levels, slopes and their draws.
_EACH = 3
# Metropolis steps from a proposal that is accepted nine times in ten go on until what is left of a
# start that was all but right is below any Monte Carlo error.
_LEFT = 1e-3
_MOST_STEPS = 12
# Proposals n + _TAIL n**3 of a normal n, so that no tail of the target is out of reach.
_TAIL = 0.02


def draw_effects(
    marginal: Marginal, x: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw every authority's effects, one draw for each row of `x`.

    Parameters
    ----------
    marginal : Marginal
        The model.
    x : ndarray, shape (n, parameters)
        Draws of the shared parameters.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    level_effect, slope_effect : ndarray, shape (n, authority)
        Slope effects are zero without random slopes.
    """
    authorities = len(marginal.predictors)
    values = marginal.coordinates.parameters(x)
    level_effect, slope_effect = np.zeros((2, len(x), authorities))
    known = [surface.authority for surface in marginal.surfaces]
    unknown = np.setdiff1d(np.arange(authorities), np.concatenate([[], *known]))
    # Of an authority without counts its prior is all there is to say.
    raw = rng.standard_normal((2, len(x), len(unknown)))
    level_effect[:, unknown] = values["level_sd"][:, None] * raw[0]
    if marginal.varying:
        r = values["correlation"][:, None]
        rest = np.sqrt((1.0 - r) * (1.0 + r))
        slope_effect[:, unknown] = values["slope_sd"][:, None] * (r * raw[0] + rest * raw[1])
    for surface, start in zip(marginal.surfaces, marginal.starts, strict=True):
        rows = slices(len(x), len(surface.authority) * _EACH)

        def fill(
            block: tuple[slice, np.random.Generator],
            surface: Surface = surface,
            start: Start = start,
        ) -> None:
            (rows, own), at = block, surface.authority
            prior = population(
                {name: value[rows] for name, value in values.items()},
                marginal.predictors.of(at),
                varying=marginal.varying,
            )
            given = surface.given(prior.overdispersion)
            drawn = _draw(given, prior, placed(given, prior, start), own)
            level_effect[rows, at] = drawn[0]
            if marginal.varying:
                slope_effect[rows, at] = drawn[1]

        # A generator for each block: the draws do not depend on which is drawn first.
        by_threads(fill, list(zip(rows, rng.spawn(len(rows)), strict=True)))
    return level_effect, slope_effect


def _draw(
    given: Given, prior: LinePrior, at: Placing, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Effects (n, j) by independence Metropolis about where each authority's posterior lies."""
    mean, sd = at.likely_slopes()
    shape = prior.level.shape

    def proposed() -> tuple[FloatArray, FloatArray]:
        z = rng.standard_normal((2, *shape))
        square = z * z
        # Minus log density: half the squares plus the log of the stretch's derivative.
        wide = 1.0 + 3.0 * _TAIL * square
        if prior.varying:
            lost = 0.5 * (square[0] + square[1]) + np.log(wide[0] * wide[1])
        else:
            lost = 0.5 * square[0] + np.log(wide[0])
        square *= _TAIL
        square += 1.0
        z *= square
        z[1] *= sd
        z[1] += mean
        there = at.places(z[1:], z[:1])
        return z, integrand(given, prior, there)[0, 0] + lost

    z, score = proposed()
    # How much of the start is left, at the authority that moves least. A start is off by no more
    # than the share of its moves that are rejected.
    left = 1.0
    for _ in range(_MOST_STEPS):
        other, other_score = proposed()
        accept = rng.standard_exponential(shape) > score - other_score
        np.copyto(z, other, where=accept)
        np.copyto(score, other_score, where=accept)
        rejected = 1.0 - float(accept.mean(axis=0).min())
        left *= rejected
        if left * rejected < _LEFT:
            break
    found = at.places(z[1:], z[:1])
    return found.level[0] + found.step.reshape(shape) - prior.level, found.slope[0] - prior.slope
