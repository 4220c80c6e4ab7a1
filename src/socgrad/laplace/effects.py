"""Authority effects drawn given the shared parameters."""

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laplace.marginal import (
    Centre,
    Marginal,
    Population,
    blocks,
    centre,
    grid_about,
    integrand,
    population,
)
from socgrad.laplace.surfaces import Given

__all__ = ["draw_effects"]

_NODES = 3
# Metropolis steps from a proposal that is accepted nine times in ten: what is left of a wrong start
# after this many is below any Monte Carlo error.
_STEPS = 5
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
    authorities = len(marginal.between_part)
    values = marginal.coordinates.parameters(x)
    # From the prior first: all there is to say of an authority without counts.
    raw = rng.standard_normal((2, len(x), authorities))
    level_effect = values["level_sd"][:, None] * raw[0]
    slope_effect = np.zeros_like(level_effect)
    if marginal.varying:
        r = values["correlation"][:, None]
        rest = np.sqrt((1.0 - r) * (1.0 + r))
        slope_effect = values["slope_sd"][:, None] * (r * raw[0] + rest * raw[1])
    for surface, start in zip(marginal.surfaces, marginal.starts, strict=True):
        at = surface.authority
        per_point = len(at) * _NODES * (_NODES if marginal.varying else 1)
        for rows in blocks(len(x), per_point):
            prior = population(
                {name: value[rows] for name, value in values.items()},
                marginal.between_part[at],
                varying=marginal.varying,
            )
            drawn = _draw(surface.given(prior.overdispersion), prior, start, rng)
            level_effect[rows, at] = drawn[0]
            if marginal.varying:
                slope_effect[rows, at] = drawn[1]
    return level_effect, slope_effect


def _draw(
    given: Given,
    prior: Population,
    start: tuple[FloatArray, FloatArray],
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Effects (n, j) by independence Metropolis about each authority's own mean and covariance."""
    at = centre(given, prior, start)
    shape = at.level.shape

    def placed(z: FloatArray) -> tuple[FloatArray, FloatArray]:
        along = at.slope_sd * z[1]
        return at.level_along(along) + at.level_sd * z[0], at.slope + along

    mean, factor = _moments(given, prior, at)

    def proposed() -> tuple[FloatArray, FloatArray]:
        normal = rng.standard_normal((2, *shape))
        square = normal * normal
        t = normal * (1.0 + _TAIL * square)
        log_density = -0.5 * square - np.log1p(3.0 * _TAIL * square)
        z = np.stack([mean[0] + factor[0] * t[0] + factor[1] * t[1], mean[1] + factor[2] * t[1]])
        level, slope = placed(z)
        target = integrand(given, prior, level[None], np.zeros((1, *shape)), slope[None])[0, 0]
        return z, target - log_density[0] - (log_density[1] if prior.varying else 0.0)

    z, score = proposed()
    for _ in range(_STEPS):
        other, other_score = proposed()
        accept = np.log(rng.random(shape)) < other_score - score
        z = np.where(accept, other, z)
        score = np.where(accept, other_score, score)
    level, slope = placed(z)
    return level - prior.level, slope - prior.slope


def _moments(given: Given, prior: Population, at: Centre) -> tuple[FloatArray, FloatArray]:
    """Mean (2, n, j) of the scaled level and slope, and the upper factor of their covariance."""
    grid = grid_about(at, _NODES, varying=prior.varying)
    values = integrand(given, prior, grid.level, grid.step, grid.slope) + grid.log_weight
    mass = np.exp(values - values.max(axis=(0, 1)))
    mass /= mass.sum(axis=(0, 1))
    by_level, by_slope = mass.sum(axis=0), mass.sum(axis=1)
    z, nodes = grid.z_level[:, None, None], grid.z_slope[:, None, None]
    m0, m1 = (by_level * z).sum(axis=0), (by_slope * nodes).sum(axis=0)
    v0 = (by_level * z**2).sum(axis=0) - m0**2
    v1 = (by_slope * nodes**2).sum(axis=0) - m1**2
    cross = ((mass * z).sum(axis=1) * nodes).sum(axis=0) - m0 * m1
    sd1 = np.sqrt(np.maximum(v1, 0.0))
    tilt = cross / np.where(sd1 > 0, sd1, 1.0)
    sd0 = np.sqrt(np.maximum(v0 - tilt**2, 0.01))
    return np.stack([m0, m1]), np.stack([sd0, tilt, sd1])
