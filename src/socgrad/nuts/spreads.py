"""Standard deviations on scales that the sampler finds easy: where they may be zero, and copies.

Few events cannot tell a standard deviation from zero, and then its density is about flat down to
zero. On the usual scale, its logarithm, that is a long tail: a chain that strays there stays for
hundreds of draws. Here it falls off as a normal density does. And where strata are alike, so are
the errors of their standard deviations: what steers the sampler undoes that, as
`socgrad.nuts.coefficient_scales` does for coefficients.
"""

from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from socgrad.arrays import FloatArray
from socgrad.nuts.coefficient_scales import invertible
from socgrad.nuts.drawing import Size, source_and_shape
from socgrad.nuts.pymc_quietly import pm, pt

__all__ = [
    "draw_spreads",
    "light_tail",
    "light_tail_root",
    "spread_mixing",
    "spreads_log_density",
    "spreads_of",
    "spreads_to_raw",
    "standard_deviations",
]

type Variable = Any  # PyTensor's variables carry no useful static types.

# Newton steps to invert the scale: from where they start, four are exact to rounding.
_STEPS = 6


def standard_deviations(name: str, mean: Variable, sd: Variable, mixing: Variable) -> Variable:
    """Standard deviations ~ Normal(mean, sd) above zero, one vector, sampled on easy scales.

    Parameters
    ----------
    name
        Of the free variable z, real numbers.
    mean, sd
        Of the normal distributions before they are cut off at zero; vectors.
    mixing
        Lower triangular, from `spread_mixing`: it steers the sampler only.

    Notes
    -----
    ::

        sd = s exp(a - exp(-2 a) / 2),   2 sinh(a) = x = mixing @ z

    so that sd is about s x where x is large, and falls as s exp(-x**2 / 2) / |x| where x is far
    below zero; d log(sd) / dx = exp(-a). With s half the root mean square of the prior, x is of the
    order of 1.
    """
    raw = pm.CustomDist(
        name,
        mean,
        sd,
        mixing,
        logp=spreads_log_density,
        random=_draw,
        signature="(e),(e),(e,e)->(e)",
        dtype="float64",
    )
    return spreads_of(raw, mean, sd, mixing)


def spreads_of(raw: Variable, mean: Variable, sd: Variable, mixing: Variable) -> Variable:
    """Standard deviations of free variables z, by the formula of `standard_deviations`."""
    return light_tail(pt.arcsinh(0.5 * (mixing @ raw)), mean, sd, xp=pt)


def light_tail(a: Any, mean: Any, sd: Any, *, xp: Any) -> Any:
    """Standard deviations at a."""
    return 0.5 * xp.sqrt(mean**2 + sd**2) * xp.exp(a - 0.5 * xp.exp(-2.0 * a))


def spreads_log_density(
    value: Variable, mean: Variable, sd: Variable, mixing: Variable
) -> Variable:
    """Log density of z: of the normal distributions above zero, and of the change of variables."""
    a = pt.arcsinh(0.5 * (mixing @ value))
    away = (light_tail(a, mean, sd, xp=pt) - mean) / sd
    above = pt.log(0.5 * pt.erfc(-mean / (sd * np.sqrt(2.0))))
    density = -0.5 * away**2 - pt.log(sd) - 0.5 * np.log(2.0 * np.pi) - above
    # d sd / dx = s exp(-exp(-2 a) / 2)
    change = pt.log(0.5 * pt.sqrt(mean**2 + sd**2)) - 0.5 * pt.exp(-2.0 * a)
    return pt.sum(density + change + pt.log(pt.diagonal(mixing)))


def _draw(
    mean: FloatArray,
    sd: FloatArray,
    mixing: FloatArray,
    rng: np.random.Generator | None = None,
    size: Size = None,
) -> FloatArray:
    rng, shape = source_and_shape(rng, size)
    return spreads_to_raw(draw_spreads(mean, sd, rng, shape), mean, sd, mixing)


def draw_spreads(
    mean: FloatArray, sd: FloatArray, rng: np.random.Generator, shape: tuple[int, ...]
) -> FloatArray:
    """Standard deviations from their prior, shape (*shape, effects)."""
    share = rng.uniform(ndtr(-mean / sd), 1.0, size=(*shape, mean.shape[-1]))
    drawn: FloatArray = mean + sd * ndtri(share)
    return drawn


def spreads_to_raw(
    values: FloatArray, mean: FloatArray, sd: FloatArray, mixing: FloatArray
) -> FloatArray:
    """The free variables z of standard deviations: the inverse of `spreads_of`, with NumPy."""
    x = 2.0 * np.sinh(light_tail_root(np.log(values / (0.5 * np.hypot(mean, sd))), xp=np))
    z: FloatArray = np.linalg.solve(mixing, x[..., None])[..., 0]
    return z


def light_tail_root(wanted: Any, *, xp: Any) -> Any:
    """The a with a - exp(-2 a) / 2 = wanted, by Newton steps from below; the curve is concave."""
    a = xp.where(
        wanted < -0.5, -0.5 * xp.log(xp.maximum(-2.0 * wanted, 1.0)), xp.maximum(wanted, 0.0)
    )
    for _ in range(_STEPS):
        bend = xp.exp(-2.0 * a)
        a = a - (a - 0.5 * bend - wanted) / (1.0 + bend)
    return a


def spread_mixing(
    covariance: FloatArray, noise: FloatArray, prior_mean: FloatArray, prior_sd: FloatArray
) -> FloatArray:
    """Scales on which standard deviations of effects are about independent.

    Estimates of two standard deviations correlate by the square of the correlation of what they are
    of.

    Parameters
    ----------
    covariance : ndarray, shape (effects, effects)
        Of rough estimates of the authorities' effects.
    noise : ndarray, shape (effects,)
        Part of each variance that is chance in the counts.
    prior_mean, prior_sd : ndarray, shape (effects,)
        Of the standard deviations.

    Returns
    -------
    ndarray, shape (effects, effects)
        Lower triangular.
    """
    scale = 0.5 * np.hypot(prior_mean, prior_sd)
    variance = np.maximum(np.diag(covariance), 1e-12)
    rough = np.sqrt(np.clip(variance - noise, 0.1 * scale**2, None))
    # dx / d log(sd) = exp(a): what a relative error of a standard deviation amounts to on x.
    stretch = np.exp(light_tail_root(np.log(rough / scale), xp=np))
    alike = invertible(covariance**2 / np.outer(variance, variance))
    mixing: FloatArray = stretch[:, None] * np.linalg.cholesky(alike)
    return mixing
