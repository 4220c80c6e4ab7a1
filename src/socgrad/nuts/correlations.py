"""Correlations of the authority effects of all strata: any matrix (LKJ), or that of two factors.

An authority has 2 S effects: its levels in S strata, then its slopes. Each structure gives them as
loadings times independent standard normal variables: effects / SD = L x, correlation L L'.
"""

from typing import Any

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.nuts.pymc_quietly import pm, pt

__all__ = [
    "draw_lkj_factors",
    "factor_loadings",
    "lkj_factor",
    "lkj_log_density",
    "lkj_to_raw",
    "partial_mixing",
]

type Variable = Any  # PyTensor's variables carry no useful static types.


def lkj_factor(raw: Variable, effects: int, mixing: Variable) -> Variable:
    """Cholesky factor of a correlation matrix from free variables u.

    Parameters
    ----------
    raw
        u, one for each pair of effects, in the order of the lower triangle, row by row.
    effects
        How many effects an authority has.
    mixing
        From `partial_mixing`: it steers the sampler only.

    Notes
    -----
    log((1 + partial) / (1 - partial)) = mixing @ u, where partial are the partial correlations of
    effects i and k given the effects before k. An effect that the data hardly know, taken before
    one that they know well, leaves the latter's correlations unclear in sign: so the order matters
    to the sampler.
    """
    row, column = np.tril_indices(effects, -1)
    unit = pt.sigmoid(mixing @ raw)
    # One half stands for no correlation: on the diagonal and above it.
    position = np.full((effects, effects), len(row))
    position[row, column] = np.arange(len(row))
    unit = pt.concatenate([unit, [0.5]])[position.ravel()].reshape((effects, effects))
    # What the effects before k leave: product over them of sqrt(1 - partial**2).
    before = np.triu(np.ones((effects, effects)), 1)
    left = 0.5 * pt.log(4.0 * unit * (1.0 - unit)) @ before
    return (2.0 * unit - 1.0 + np.eye(effects)) * pt.exp(left)


def lkj_log_density(raw: Variable, effects: int, concentration: Variable, mixing: Variable) -> Any:
    """Log density of the free variables u of `lkj_factor` where its matrix is LKJ.

    Parameters
    ----------
    raw, effects, mixing
        As for `lkj_factor`.
    concentration
        eta of the LKJ distribution, density proportional to det(R)**(eta - 1). Every single
        correlation is (r + 1) / 2 ~ Beta(eta + effects / 2 - 1, the same): with many effects, the
        prior draws each towards zero.

    Notes
    -----
    Partial correlations are independent: (partial + 1) / 2 ~ Beta(eta + (effects - 2 - k) / 2, the
    same), k from 0. The distribution of the matrix is the same in any order of the effects.

    References
    ----------
    Lewandowski, Kurowicka & Joe 2009, Journal of Multivariate Analysis 100(9), doi
    10.1016/j.jmva.2009.04.008.
    """
    shape = _beta_shapes(effects, concentration)
    y = mixing @ raw
    # log of unit and of 1 - unit; their sum is the derivative of the sigmoid, too
    both = -pt.softplus(y) - pt.softplus(-y)
    constant = pt.gammaln(2.0 * shape) - 2.0 * pt.gammaln(shape)
    return pt.sum(shape * both + constant + pt.log(pt.diagonal(mixing)))


def draw_lkj_factors(
    effects: int, concentration: float, rng: np.random.Generator, shape: tuple[int, ...]
) -> FloatArray:
    """Cholesky factors of matrices from the LKJ distribution, shape (*shape, effects, effects)."""
    betas = _beta_shapes(effects, concentration)
    partial = 2.0 * rng.beta(betas, betas, size=(*shape, len(betas))) - 1.0
    row, column = np.tril_indices(effects, -1)
    factor = np.zeros((*shape, effects, effects))
    factor[..., row, column] = partial
    left = np.ones((*shape, effects))
    for k in range(effects):
        own = factor[..., :, k].copy()
        own[..., k] = 1.0
        factor[..., :, k] = own * left
        left = left * np.sqrt(1.0 - np.where(np.arange(effects) > k, own, 0.0) ** 2)
    return factor


def lkj_to_raw(factor: FloatArray, mixing: FloatArray) -> FloatArray:
    """The free variables u of a correlation matrix's Cholesky factor: inverse of `lkj_factor`."""
    row, column = np.tril_indices(factor.shape[-1], -1)
    # What the effects before k leave of each, squared.
    left = 1.0 - np.cumsum(factor**2, axis=-1) + factor**2
    partial = factor[..., row, column] / np.sqrt(left[..., row, column])
    raw: FloatArray = np.linalg.solve(mixing, 2.0 * np.arctanh(partial)[..., None])[..., 0]
    return raw


def _beta_shapes(effects: int, concentration: Any) -> Any:
    """Shapes of the betas of partial correlations, in the order of the lower triangle."""
    _, column = np.tril_indices(effects, -1)
    return concentration + (effects - 2 - column) / 2


def partial_mixing(correlations: FloatArray) -> FloatArray:
    """Scales on which the partial correlations of one effect with all later ones are independent.

    Their errors correlate as the later effects do, given this one and those before it.

    Parameters
    ----------
    correlations : ndarray, shape (effects, effects)
        Rough correlations of the effects, in the order in which the factor takes them.

    Returns
    -------
    ndarray, shape (partial correlations, partial correlations)
        Lower triangular, in the order of the lower triangle, row by row.
    """
    row, column = np.tril_indices(len(correlations), -1)
    factor = np.linalg.cholesky(correlations)
    mixing = np.eye(len(row))
    for k in range(len(correlations) - 1):
        later = factor[k + 1 :, k + 1 :]
        own = later / np.linalg.norm(later, axis=1, keepdims=True)
        here = np.flatnonzero(column == k)
        mixing[np.ix_(here, here)] = np.linalg.cholesky(own @ own.T)
    return mixing


def factor_loadings(strata: int, concentration: Variable) -> Variable:
    """Loadings of one common factor of levels, one of slopes, and parts of each stratum's own.

    Parameters
    ----------
    strata
        How many strata there are.
    concentration
        (r + 1) / 2 ~ Beta(concentration, the same) for r, the correlation of the two factors, and
        for that of a stratum's own parts.

    Returns
    -------
    Variable
        Shape (2 strata, 2 strata + 2).

    Notes
    -----
    ::

        level_s / level_sd_s = a_s F + sqrt(1 - a_s**2) e_s
        slope_s / slope_sd_s = c_s G + sqrt(1 - c_s**2) f_s
        corr(F, G) = r,  corr(e_s, f_s) = own_s,  all else independent

    so that two strata's levels correlate by a_s a_t, their slopes by c_s c_t, and level with slope
    by r a_s c_t: 4 S + 1 numbers in place of S (2 S - 1). a and c are uniform on -1 to 1. Their
    signs are known only up to a flip of the factor, which leaves every correlation as it is.
    """
    level, slope = (
        2.0 * pm.Beta(f"{name}_loading_unit", 1.0, 1.0, shape=strata, initval=[0.75] * strata) - 1.0
        for name in ("level", "slope")
    )
    factors = 2.0 * pm.Beta("factor_correlation_unit", concentration, concentration) - 1.0
    own = pm.Beta("own_correlation_unit", concentration, concentration, shape=strata)
    own = 2.0 * own - 1.0
    level_left, slope_left = (pt.sqrt(1.0 - each**2) for each in (level, slope))
    s = np.arange(strata)
    loadings = pt.zeros((2 * strata, 2 * strata + 2))
    for rows, columns, values in (
        (s, 0, level),
        (s, 2 + s, level_left),
        (strata + s, 0, slope * factors),
        (strata + s, 1, slope * pt.sqrt(1.0 - factors**2)),
        (strata + s, 2 + s, slope_left * own),
        (strata + s, 2 + strata + s, slope_left * pt.sqrt(1.0 - own**2)),
    ):
        loadings = loadings[rows, columns].set(values)
    return loadings
