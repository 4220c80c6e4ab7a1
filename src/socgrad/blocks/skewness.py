"""How far the mean of a posterior lies from its mode, by what gradients say of its skewness.

Let x = point + root z, z about standard normal, and T be the third derivatives of the log density
by z. To first order in T (Tierney & Kadane 1986, doi 10.1080/01621459.1986.10478240) the mean of z
is

    E z_k = sum_i T_iik / 2,

and T_iik is the second difference of the gradient along z_i: two gradients for each parameter give
the whole sum, where draws would leave noise.
"""

from typing import Final

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.blocks.marginal import Marginal
from socgrad.processors import by_threads

__all__ = ["mean_about"]

#: Standard deviations between the gradients: far enough that they see the skewness of most draws.
_STEP: Final = 1.0
#: A mean further from the mode, in standard deviations, is not to be had by this.
_FARTHEST: Final = 1.0


def mean_about(marginal: Marginal, point: FloatArray, root: FloatArray) -> FloatArray:
    """The mean, from a mode and a root of the inverse curvature there.

    Parameters
    ----------
    marginal : Marginal
    point : ndarray, shape (d,)
    root : ndarray, shape (d, d)

    Returns
    -------
    ndarray, shape (d,)
        At most one standard deviation from the mode along each column of the root. A step to where
        there is no density counts as if the posterior were even in it.
    """

    def gradient(z: FloatArray) -> FloatArray:
        return root.T @ marginal.gradient(point + root @ z)[1]

    size = len(point)
    steps = _STEP * np.concatenate([np.zeros((1, size)), np.eye(size), -np.eye(size)])
    here, *around = by_threads(gradient, list(steps))
    shift = 0.5 * (np.sum(around, axis=0) - 2.0 * size * here) / _STEP**2
    found: FloatArray = point + root @ np.clip(np.nan_to_num(shift), -_FARTHEST, _FARTHEST)
    return found
