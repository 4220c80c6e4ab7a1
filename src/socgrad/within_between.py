"""Child-weighted means, and the split of deprivation into a within and a between part.

A neighbourhood's deprivation says two things: how deprived it is for its authority, and how
deprived its authority is. Mundlak's (1978) device gives each a coefficient of its own, by centring
areas on their authority's mean and authorities on the national mean.

References
----------
Mundlak (1978), https://doi.org/10.2307/1913646.
Bell, Fairbrother and Jones (2019), https://doi.org/10.1007/s11135-018-0802-x.
Lüdtke et al. (2008), https://doi.org/10.1037/a0012869 (reliability of group means).
"""

import numpy as np

from socgrad.arrays import FloatArray, IntArray

__all__ = ["mean_reliability", "split", "weighted_means"]


def weighted_means(
    values: FloatArray, weights: FloatArray, group: IntArray, groups: int
) -> FloatArray:
    """Weighted mean of each group.

    Parameters
    ----------
    values, weights
        One number per area; weights are not negative (children).
    group
        Position of each area's group, 0 to ``groups - 1``.
    groups
        How many groups there are.

    Returns
    -------
    ndarray
        One mean per group; NaN for a group without weight.

    Notes
    -----
    ``mean_j = sum(weight_i * value_i) / sum(weight_i)``, over the areas i of group j.

    Examples
    --------
    >>> weighted_means(np.array([0.1, 0.2, 0.4]), np.array([1.0, 3.0, 2.0]), np.array([0, 0, 1]), 2)
    array([0.175, 0.4  ])
    """
    total = np.bincount(group, weights=weights, minlength=groups)
    product = np.bincount(group, weights=weights * values, minlength=groups)
    mean = np.full(groups, np.nan)
    np.divide(product, total, out=mean, where=total > 0)
    return mean


def split(
    deprivation: FloatArray,
    *,
    authority_of_area: IntArray,
    authority_mean: FloatArray,
    national_mean: float,
    per: float,
    pooled: bool = False,
) -> tuple[FloatArray, FloatArray]:
    """Within part of each area and between part of each authority, in steps of ``per``.

    Parameters
    ----------
    deprivation
        Deprivation x of each area, proportion 0-1.
    authority_of_area
        Position j of each area's authority.
    authority_mean
        Child-weighted mean deprivation m of each authority, proportion 0-1.
    national_mean
        Child-weighted national mean c, proportion 0-1.
    per
        Step of deprivation, proportion; 0.10 is ten percentage points.
    pooled
        Leave the split out: the whole of deprivation, from the national mean, is the within part,
        and the between part is zero.

    Returns
    -------
    within, between : ndarray
        One number per area, and one per authority.

    Notes
    -----
    ``within_i = (x_i - m_j) / per`` and ``between_j = (m_j - c) / per``; pooled,
    ``within_i = (x_i - c) / per`` and ``between_j = 0``. Either way the two add up to
    ``(x_i - c) / per``.

    Interpretation: a within part of 1 is a neighbourhood ten points more deprived than the average
    child of its authority; a between part of 1 is an authority whose average child lives ten points
    above the national mean.

    References
    ----------
    Mundlak (1978), https://doi.org/10.2307/1913646; Bell, Fairbrother and Jones (2019),
    https://doi.org/10.1007/s11135-018-0802-x.

    Examples
    --------
    >>> within, between = split(
    ...     np.array([0.1, 0.3, 0.4]),
    ...     authority_of_area=np.array([0, 0, 1]),
    ...     authority_mean=np.array([0.2, 0.4]),
    ...     national_mean=0.25,
    ...     per=0.10,
    ... )
    >>> within.round(9), between.round(9)
    (array([-1.,  1.,  0.]), array([-0.5,  1.5]))
    """
    if pooled:
        return (deprivation - national_mean) / per, np.zeros_like(authority_mean)
    within = (deprivation - authority_mean[authority_of_area]) / per
    return within, (authority_mean - national_mean) / per


def mean_reliability(
    values: FloatArray, weights: FloatArray, group: IntArray, groups: int
) -> FloatArray:
    """Reliability of each group's mean, were its areas a random sample of more areas.

    Parameters
    ----------
    values, weights, group, groups
        As for `weighted_means`.

    Returns
    -------
    ndarray
        One number per group, 0 (all noise) to 1; zero everywhere when no group has two areas.

    Notes
    -----
    ``reliability_j = tau2 / (tau2 + s2_j / n_j)``, with s2_j the weighted variance within group j
    (times ``n_j / (n_j - 1)``; the pooled one for a group of a single area) and tau2 the variance
    of the group means less its sampling part, the mean of ``s2_j / n_j``.

    References
    ----------
    Lüdtke et al. (2008), https://doi.org/10.1037/a0012869.
    """
    weighty = weights > 0
    group, values, weights = group[weighty], values[weighty], weights[weighty]
    number = np.bincount(group, minlength=groups).astype(np.float64)
    mean = weighted_means(values, weights, group, groups)
    several = number > 1
    if not several.any():
        return np.zeros(groups)
    spread = weighted_means((values - mean[group]) ** 2, weights, group, groups)
    variance = spread[several] * number[several] / (number[several] - 1)
    pooled = np.average(variance, weights=number[several] - 1)
    within = np.full(groups, pooled)
    within[several] = variance
    noise = within / np.maximum(number, 1)
    between = max(float(np.var(mean[number > 0], ddof=1) - noise[number > 0].mean()), 0.0)
    if between == 0:
        return np.zeros(groups)
    return between / (between + noise)
