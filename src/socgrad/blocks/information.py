"""What counts and priors tell of the coefficients of years, without differences of gradients."""

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.blocks.marginal import Marginal

__all__ = ["information"]


def information(marginal: Marginal, x: FloatArray) -> FloatArray | None:
    """Precision of coefficients given all else at x, near enough; None where it is not known.

    An authority whose log-likelihood has curvature H tells the mean of its effects, of covariance
    S, with the precision (H^-1 + S)^-1 = H - H (H + S^-1)^-1 H. What is left out is how the
    curvature itself follows the mean: of ten years of England 0.005 in the log determinant.
    """
    coordinates, told = marginal.coordinates, marginal.start.told
    is_chained = coordinates.arrow(coordinates.parts(x)[2]) is not None
    if not is_chained or told is None or marginal.counts.has_columns:
        return None
    s = coordinates.strata
    on = np.arange(s)
    tells = np.zeros((len(told), 2 * s, 2 * s))
    tells[:, on, on] = -told[:, :, 2]
    tells[:, on, s + on] = tells[:, s + on, on] = -told[:, :, 3]
    tells[:, s + on, s + on] = -told[:, :, 4]
    precision = np.linalg.inv(coordinates.covariance(coordinates.parts(x)[2]))
    whole = tells - tells @ np.linalg.solve(tells + precision, tells)
    every = coordinates.coefficients
    found = coordinates.coefficient_precision()
    for k, one in enumerate(every):
        for i, other in enumerate(every):
            part = whole[:, s * one.of_slope + on][:, :, s * other.of_slope + on]
            found[k * s : (k + 1) * s, i * s : (i + 1) * s] += np.einsum(
                "sj,jst,tj->st", one.column, part, other.column
            )
    made: FloatArray = 0.5 * (found + found.T)
    return made
