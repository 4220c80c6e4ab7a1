"""Levels integrated out at each slope by Laplace's approximation with its next terms.

Given the slope, the level is all but normal: Tierney & Kadane 1986, JASA 81(393), doi
10.1080/01621459.1986.10478240.
"""

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laplace.line_priors import LinePrior
from socgrad.laplace.surfaces import Expansion

__all__ = ["by_prior", "precision_of_level", "slope_sd", "without_levels"]


def without_levels(
    likelihood: Expansion, above: FloatArray, away: FloatArray, prior: LinePrior
) -> FloatArray:
    """Log of likelihood times prior (a, n, j), levels integrated out.

    Parameters
    ----------
    likelihood : Expansion
        About levels near the likeliest, at each slope.
    above, away : ndarray, shape (a, n, j)
        How far these levels lie above what the prior expects at the slope (`by_prior`), and slopes
        above what it expects.
    prior : LinePrior
        The factor (2 pi)**-0.5 of the density of slopes is left to the weights of nodes.
    """
    values, gradient, curvature, third, fourth = likelihood
    pull = prior.level_level * above
    gradient = gradient - pull
    variance = 1.0 / precision_of_level(curvature, prior)
    # How far the mode lies from here.
    off = gradient * variance
    values += 0.5 * (gradient * off - pull * above + np.log(variance))
    values += third * off * (off * off / 6.0 + 0.5 * variance)
    values += variance * variance * (0.125 * fourth + 5.0 / 24.0 * variance * third * third)
    if prior.varying:
        values -= away * away * (0.5 / slope_sd(prior) ** 2)
    values += 0.5 * prior.log_determinant
    return values


def by_prior(prior: LinePrior, away: FloatArray) -> FloatArray:
    """Level that a prior expects at slopes so far above what it expects, as `away`."""
    found = away * (-prior.level_slope / prior.level_level)
    found += prior.level
    return found


def precision_of_level(curvature: FloatArray, prior: LinePrior) -> FloatArray:
    """Precision of a level, kept positive where a log-likelihood is not concave."""
    return np.maximum(curvature + prior.level_level, 0.25 * prior.level_level)


def slope_sd(prior: LinePrior) -> FloatArray:
    """Standard deviation of slopes, (n, 1)."""
    one, across, two = prior.level_level, prior.level_slope, prior.slope_slope
    sd: FloatArray = np.sqrt(one / (one * two - across * across))
    return sd
