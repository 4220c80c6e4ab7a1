"""Scales on which coefficients of all strata are about independent: they steer the sampler only.

Where strata are alike, so are the errors of their intercepts and of their gradients, because the
authorities that happen to be high are the same. A sampler that moves one coordinate at a time is
slow there. The scales come from a regression of each authority's rough estimates.
"""

from collections.abc import Sequence

import numpy as np

from socgrad.arrays import FloatArray

__all__ = ["coefficient_scales"]

# Least share of its own variance that a coefficient keeps, given the others.
_LEAST_OWN = 1e-4


def coefficient_scales(
    estimates: FloatArray,
    information: FloatArray,
    between_part: FloatArray,
    *,
    terms: Sequence[tuple[int, FloatArray]],
    prior_mean: FloatArray,
    prior_sd: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Centre and scale of the coefficients: coefficient = centre + scale @ raw.

    Parameters
    ----------
    estimates, information : ndarray, shape (effects, authorities)
        Rough levels and slopes of every stratum, and how much is known of each: the inverse of a
        variance, zero for nothing.
    between_part : ndarray, shape (authorities,)
        Between part of each authority.
    terms : sequence of (int, ndarray)
        For each power of the between part, the effects (positions) that have a coefficient for it.
    prior_mean, prior_sd : ndarray, shape (coefficients,)
        Of the coefficients, in the order of `terms`.

    Returns
    -------
    centre : ndarray, shape (coefficients,)
    scale : ndarray, shape (coefficients, coefficients)
        Lower triangular; coefficients of different powers are taken to be independent.
    """
    effects, authorities = estimates.shape
    powers = [power for power, _ in terms]
    has_term = np.array([[row in rows for row in range(effects)] for _, rows in terms])
    design = between_part[:, None] ** np.array(powers)
    fitted = np.zeros((effects, len(terms)))
    residual = np.zeros((effects, authorities))
    for row in range(effects):
        X = design[:, has_term[:, row]]
        weight = information[row] / (1.0 + 0.1 * information[row])
        # A hint of the prior keeps the normal equations solvable where nothing is known.
        gram = (X * weight[:, None]).T @ X + 1e-6 * np.eye(X.shape[1])
        own = np.linalg.solve(gram, X.T @ (weight * estimates[row]))
        fitted[row, has_term[:, row]] = own
        residual[row] = np.where(information[row] > 0, estimates[row] - X @ own, 0.0)
    known = (information > 0).astype(np.float64)
    pairs = np.maximum(known @ known.T, 1.0)
    covariance = residual @ residual.T / pairs
    noise = authorities / np.maximum(information.sum(axis=1), 1e-12)
    number = np.maximum(known.sum(axis=1), 1.0)

    count = sum(len(rows) for _, rows in terms)
    centre, scale = np.zeros(count), np.zeros((count, count))
    start = 0
    for power, (each, rows) in enumerate(terms):
        here = slice(start, start + len(rows))
        sizes = np.sqrt(np.outer(number[rows], number[rows]))
        spread = covariance[np.ix_(rows, rows)] / sizes / np.mean(between_part ** (2 * each))
        variance = np.maximum(np.diag(spread), noise[rows] / number[rows])
        variance = np.clip(variance, 1e-10, prior_sd[here] ** 2)
        root = np.sqrt(variance)
        alike = _correlations(spread / np.outer(root, root))
        scale[here, here] = root[:, None] * np.linalg.cholesky(alike)
        # No further from the prior than it allows.
        away = np.clip((fitted[rows, power] - prior_mean[here]) / prior_sd[here], -3.0, 3.0)
        centre[here] = prior_mean[here] + prior_sd[here] * away
        start += len(rows)
    return centre, scale


def _correlations(matrix: FloatArray) -> FloatArray:
    """A correlation matrix like this one that has an inverse."""
    matrix = np.clip(matrix, -1.0, 1.0)
    np.fill_diagonal(matrix, 1.0)
    values, vectors = np.linalg.eigh(matrix)
    mended = (vectors * np.maximum(values, _LEAST_OWN)) @ vectors.T
    root = np.sqrt(np.diag(mended))
    correlations: FloatArray = mended / np.outer(root, root)
    return correlations
