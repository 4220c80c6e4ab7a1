"""How the authority effects of all strata hang together: loadings of a joint model.

An authority has 2 S effects: its levels in S strata, then its slopes. Each structure gives them as
loadings times independent standard normal variables: effects / SD = L x, correlation L L'.
"""

from typing import Any

import numpy as np

from socgrad.nuts.pymc_quietly import pm, pt

__all__ = ["factor_loadings", "full_loadings"]

type Variable = Any  # PyTensor's variables carry no useful static types.


def full_loadings(effects: int, concentration: Variable) -> Variable:
    """Loadings of any correlation matrix: its Cholesky factor, LKJ a priori.

    Parameters
    ----------
    effects
        How many effects an authority has.
    concentration
        eta of the LKJ distribution, density proportional to det(R)**(eta - 1). Every single
        correlation is (r + 1) / 2 ~ Beta(eta + effects / 2 - 1, the same): with many effects, the
        prior draws each towards zero.

    Returns
    -------
    Variable
        Lower triangular, shape (effects, effects).

    Notes
    -----
    Free variables are the partial correlations of effects i and k given the effects before k, which
    are independent a priori: (partial + 1) / 2 ~ Beta(eta + (effects - 2 - k) / 2, the same), k
    from 0.

    References
    ----------
    Lewandowski, Kurowicka & Joe 2009, Journal of Multivariate Analysis 100(9), doi
    10.1016/j.jmva.2009.04.008.
    """
    row, column = np.tril_indices(effects, -1)
    shape = concentration + (effects - 2 - column) / 2
    unit = pm.Beta("partial_correlation_unit", shape, shape, shape=len(row))
    # One half stands for no correlation: on the diagonal and above it.
    position = np.full((effects, effects), len(row))
    position[row, column] = np.arange(len(row))
    unit = pt.concatenate([unit, [0.5]])[position.ravel()].reshape((effects, effects))
    # What the effects before k leave: product over them of sqrt(1 - partial**2).
    before = np.triu(np.ones((effects, effects)), 1)
    left = 0.5 * pt.log(4.0 * unit * (1.0 - unit)) @ before
    return (2.0 * unit - 1.0 + np.eye(effects)) * pt.exp(left)


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
