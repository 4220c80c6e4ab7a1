"""Scales on which coefficients of all strata are about independent: they steer the sampler only.

Where strata are alike, so are the errors of their intercepts and of their gradients, because the
authorities that happen to be high are the same. A sampler that moves one coordinate at a time is
slow there. The scales come from a regression of each authority's rough estimates.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray, IntArray

__all__ = ["Rough", "coefficient_scales", "invertible", "rough_effects"]

# Of an authority about which nothing is known; one of many events weighs 10.
_LEAST_WEIGHT = 1e-3
# Least share of its own variance that a coefficient keeps, given the others.
_LEAST_OWN = 1e-4


@dataclass(frozen=True, eq=False)
class Rough:
    """What rough estimates of authorities say of coefficients and effects.

    Attributes
    ----------
    fitted : ndarray, shape (effects, terms)
        Coefficients.
    covariance : ndarray, shape (effects, effects)
        Of what they leave.
    noise : ndarray, shape (effects,)
        Part of each variance that is chance in the counts.
    number : ndarray, shape (effects,)
        How many authorities say anything.
    """

    fitted: FloatArray
    covariance: FloatArray
    noise: FloatArray
    number: FloatArray


def rough_effects(
    estimates: FloatArray,
    information: FloatArray,
    *,
    terms: Sequence[tuple[FloatArray, IntArray]],
) -> Rough:
    """Regress the rough estimates of authorities, effect by effect.

    Parameters
    ----------
    estimates, information : ndarray, shape (effects, authorities)
        Rough levels and slopes of every stratum, and how much is known of each: the inverse of a
        variance, zero for nothing.
    terms : sequence of (ndarray, ndarray of int)
        Columns, shape (authorities,), each with the effects (positions) that have a coefficient of
        it.
    """
    effects, authorities = estimates.shape
    has_term = np.array([[row in rows for row in range(effects)] for _, rows in terms])
    design = np.stack([column for column, _ in terms], axis=1)
    fitted = np.zeros((effects, len(terms)))
    residual = np.zeros((effects, authorities))
    for row in range(effects):
        X = design[:, has_term[:, row]]
        # Slopes of totals are those at which their levels stand: better than none.
        weight = information[row] / (1.0 + 0.1 * information[row]) + _LEAST_WEIGHT
        # A hint of the prior keeps the normal equations solvable where nothing is known.
        gram = (X * weight[:, None]).T @ X + 1e-6 * np.eye(X.shape[1])
        own = np.linalg.solve(gram, X.T @ (weight * estimates[row]))
        fitted[row, has_term[:, row]] = own
        residual[row] = np.where(information[row] > 0, estimates[row] - X @ own, 0.0)
    known = (information > 0).astype(np.float64)
    pairs = np.maximum(known @ known.T, 1.0)
    return Rough(
        fitted=fitted,
        covariance=residual @ residual.T / pairs,
        noise=authorities / np.maximum(information.sum(axis=1), 1e-12),
        number=np.maximum(known.sum(axis=1), 1.0),
    )


def coefficient_scales(
    rough: Rough,
    *,
    terms: Sequence[tuple[FloatArray, IntArray]],
    prior_mean: FloatArray,
    prior_sd: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Centre and scale of the coefficients: coefficient = centre + scale @ raw.

    Parameters
    ----------
    rough : Rough
        From `rough_effects`.
    terms
        As given to it.
    prior_mean, prior_sd : ndarray, shape (coefficients,)
        Of the coefficients, in the order of `terms`.

    Returns
    -------
    centre : ndarray, shape (coefficients,)
    scale : ndarray, shape (coefficients, coefficients)
        Lower triangular; coefficients of different columns are taken to be independent.
    """
    covariance, noise, number = rough.covariance, rough.noise, rough.number
    count = sum(len(rows) for _, rows in terms)
    centre, scale = np.zeros(count), np.zeros((count, count))
    start = 0
    for number_of_term, (column, rows) in enumerate(terms):
        here = slice(start, start + len(rows))
        sizes = np.sqrt(np.outer(number[rows], number[rows]))
        spread = covariance[np.ix_(rows, rows)] / sizes / np.mean(column**2)
        variance = np.maximum(np.diag(spread), noise[rows] / number[rows])
        variance = np.clip(variance, 1e-10, prior_sd[here] ** 2)
        root = np.sqrt(variance)
        alike = invertible(spread / np.outer(root, root))
        scale[here, here] = root[:, None] * np.linalg.cholesky(alike)
        # No further from the prior than it allows.
        away = np.clip(
            (rough.fitted[rows, number_of_term] - prior_mean[here]) / prior_sd[here], -3.0, 3.0
        )
        centre[here] = prior_mean[here] + prior_sd[here] * away
        start += len(rows)
    return centre, scale


def invertible(matrix: FloatArray) -> FloatArray:
    """A correlation matrix like this one that has an inverse."""
    matrix = np.clip(matrix, -1.0, 1.0)
    np.fill_diagonal(matrix, 1.0)
    values, vectors = np.linalg.eigh(matrix)
    mended = (vectors * np.maximum(values, _LEAST_OWN)) @ vectors.T
    root = np.sqrt(np.diag(mended))
    correlations: FloatArray = mended / np.outer(root, root)
    return correlations
