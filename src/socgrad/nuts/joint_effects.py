"""Authority effects of all strata at once, in the form that the sampler finds easy.

The multivariate form of `socgrad.nuts.effects`. The effects are loadings times independent standard
normal variables x; what an authority's events say of its effects is about normal; so the
conditional posterior of x is about normal too, and the free variables are x standardised by it. Its
precision is the identity plus what the data know, whatever the correlations are: strata that are
near copies of one another, or hardly known, need no care of their own.
"""

from typing import Any

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.nuts.pymc_quietly import pm, pt
from socgrad.nuts.standardising import standardise

__all__ = ["joint_effects"]

type Variable = Any  # PyTensor's variables carry no useful static types.


def joint_effects(
    data: dict[str, Variable],
    *,
    expected_level: Variable,
    expected_slope: Variable,
    slope_sd: Variable,
    loadings: Variable,
) -> tuple[Variable, Variable]:
    """Level and slope effects, shape (strata, authorities) each: loadings times standard normals.

    Parameters
    ----------
    data
        The graph's data, by name: what each stratum's events say of each authority.
    expected_level, expected_slope
        Level and slope of each stratum and authority without effects.
    slope_sd
        Standard deviations of slopes, by stratum.
    loadings
        Shape (2 strata, k): rows of levels, then rows of slopes, times their standard deviations.

    Notes
    -----
    The events of an authority are taken to say, independently, total = level + at slope ~
    Normal(estimate, 1 / level_information) and slope ~ Normal(estimate, 1 / slope_information). As
    in `socgrad.nuts.effects` this steers the sampler only; the density of the effects is the
    model's.
    """
    at, known_level, known_slope = (
        data[name] for name in ("centring_at", "level_information", "slope_information")
    )
    strata = expected_level.shape[0]
    slope = data["centring_slope"] - expected_slope
    # The log of expected events bends with the slope: about a parabola, seen from where the slope
    # is likely to be.
    off = slope / (1.0 + known_slope * slope_sd[:, None] ** 2)
    total = data["centring_level"] - expected_level + at * slope
    total -= 0.5 * data["centring_spread"] * off**2
    said = pt.stack([at, known_level, known_slope, total, slope])
    raw = pm.CustomDist(
        "effects_raw",
        loadings,
        said,
        logp=_log_density,
        random=_draw,
        signature="(e,k),(f,s,a)->(k,a)",
        dtype="float64",
        dims=("component", "authority"),
    )
    independent, _ = standardise(loadings, said, raw)
    effects = loadings @ independent
    names = (("level_effect", effects[:strata]), ("slope_effect", effects[strata:]))
    made = [pm.Deterministic(n, values, dims=("stratum", "authority")) for n, values in names]
    return made[0], made[1]


def _log_density(value: Variable, loadings: Variable, said: Variable) -> Variable:
    """Log density of the standardised variables: of x, and of the change of variables."""
    independent, log_determinant = standardise(loadings, said, value)
    constant = 0.5 * np.log(2.0 * np.pi)
    return -0.5 * pt.sum(independent**2) - constant * independent.size - log_determinant


def _draw(
    loadings: FloatArray,
    said: FloatArray,
    rng: np.random.Generator | None = None,
    size: int | tuple[int, ...] | None = None,
) -> FloatArray:
    """Standardised variables of independent standard normal ones."""
    if rng is None:
        rng = np.random.default_rng()
    at, known_level, known_slope, total, slope = np.moveaxis(said, -3, 0)
    strata, authorities = at.shape[-2:]
    k = loadings.shape[-1]
    shape = () if size is None else tuple(np.atleast_1d(size))
    independent = rng.standard_normal((*shape, authorities, k))
    r = loadings[..., None, strata:, :]
    q = loadings[..., None, :strata, :] + np.swapaxes(at, -1, -2)[..., None] * r
    r = np.broadcast_to(r, q.shape)
    weights = [np.swapaxes(each, -1, -2)[..., None] for each in (known_level, known_slope)]
    told = [np.swapaxes(each, -1, -2)[..., None] for each in (total, slope)]
    precision = np.eye(k)
    weighted = np.zeros((authorities, k, 1))
    for rows, weight, estimate in zip((q, r), weights, told, strict=True):
        across = np.swapaxes(rows, -1, -2)
        precision = precision + across @ (weight * rows)
        weighted = weighted + across @ (weight * estimate)
    factor = np.linalg.cholesky(precision)
    raw = np.swapaxes(factor, -1, -2) @ independent[..., None] - np.linalg.solve(factor, weighted)
    drawn: FloatArray = np.swapaxes(raw[..., 0], -1, -2)
    return drawn
