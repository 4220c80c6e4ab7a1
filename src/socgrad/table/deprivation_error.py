"""What if deprivation is measured with error: areas with what the measurement says of the truth."""

import dataclasses
from typing import Final

import numpy as np
import numpy.typing as npt

from socgrad.errors import SpecificationError
from socgrad.table.areas import Areas
from socgrad.within_between import weighted_means

__all__ = ["deprivation_error"]

#: Fewest and most values that the factor of an area can have; they lie no further apart than the
#: error's sd, where that is not below 0.001 or so.
_VALUES: Final = (60, 1000)
#: Steps of the EM algorithm; further ones follow chance in the measured values.
_STEPS: Final = 30

type Floats = npt.NDArray[np.float64]


def deprivation_error(areas: Areas, *, sd: float) -> Areas:
    """Give the areas the deprivation to be expected if theirs is measured with an error.

    Fit the result as you fitted the areas, and compare every estimate: a sensitivity analysis by
    regression calibration.

    Parameters
    ----------
    areas
        From `socgrad.Areas.from_frame`.
    sd
        Standard deviation of the error of a neighbourhood's deprivation, a proportion above 0 and
        below the spread of deprivation within authorities (0.02: two percentage points).

    Returns
    -------
    Areas
        The same, with each area's deprivation drawn towards its authority's mean. Means of
        authorities and of the nation stay.

    Raises
    ------
    SpecificationError
        If `sd` is not above 0, or as large as the spread of deprivation within authorities.

    Notes
    -----
    Deprivation of an area is taken as its authority's mean m_j times a factor r, whose distribution
    g all authorities share and which is never below 0; measured, it has a normal error of this sd.
    g is the most likely distribution on some values of r, by 30 steps of the EM algorithm from a
    flat one, and the truth to be expected is ``m_j E(r | x)``, moved so that means stay. Of normal
    deprivation that is the shrinkage ``m_j + lambda (x - m_j)`` with ``lambda = 1 - sd**2 / S**2``,
    S**2 being the measured variance; of skewed deprivation, as it is everywhere, the most deprived
    areas are drawn in by less. They hold most events: shrunk by lambda, they made gradients as much
    too steep (a slope of the truth on what was expected of 1.06, where events weigh) as the error
    had made them too flat (0.94); now it is 1.01 (``tests/test_further_tests.py``). What the truth
    varies about its expectation makes counts vary more than chance: fit
    ``family="negative_binomial"``. Errors of neighbours are taken to be independent, so those of
    authorities' means are small.

    Interpretation
    --------------
    If a plausible error moves a finding as far as its interval reaches, the finding hangs on how
    well deprivation is measured. The slope indices of the result are those of expected deprivation,
    whose spread is smaller than the truth's.

    References
    ----------
    Carroll, Ruppert, Stefanski & Crainiceanu 2006, Measurement Error in Nonlinear Models, 2nd ed.,
    chapter 4, https://doi.org/10.1201/9781420010138. Efron 2016, Biometrika 103(1),
    https://doi.org/10.1093/biomet/asv068 (empirical Bayes deconvolution).

    Examples
    --------
    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=8, areas=200, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation",
    ...                             complete=True)
    >>> truer = sg.sensitivity.deprivation_error(areas, sd=0.03)
    >>> fits = [sg.fit(sg.GradientModel(each), method="laplace", random_seed=1)
    ...         for each in (areas, truer)]
    >>> [sg.gradient(fitted).median().round(1).item() for fitted in fits]
    [1.6, 1.7]
    """
    if not sd > 0:
        raise SpecificationError(
            f"sd is {sd}. Expected the standard deviation of the error of a neighbourhood's "
            "deprivation, a proportion above 0 (0.02: two percentage points)."
        )
    if not areas.has_deprivation:
        raise SpecificationError(
            "These areas have no deprivation, so that it has no error. Name its column: "
            "Areas.from_frame(..., deprivation=...)."
        )
    code, weight = areas.authority_of_area, areas.children
    away = areas.deprivation - areas.authority_mean[code]
    typical = float(np.sqrt(np.average(away**2, weights=weight)))
    if sd >= typical:
        raise SpecificationError(
            f"sd is {sd:g}, and measured deprivation has a standard deviation of {typical:.3f} "
            "within authorities: nothing of it would be true. Expected an error smaller than that; "
            "deprivation is a proportion here, so two percentage points are 0.02."
        )
    mean = areas.authority_mean[code]
    expected = _expected(areas.deprivation, mean, sd)
    off = areas.authority_mean - weighted_means(expected, weight, code, len(areas.authority))
    return dataclasses.replace(areas, deprivation=np.clip(expected + off[code], 0.0, 1.0))


def _expected(measured: Floats, mean: Floats, sd: float) -> Floats:
    """The truth to be expected of each measured value, given the means of their authorities."""
    above = mean > 0
    largest = float(np.max(measured[above] / mean[above]))
    number = int(np.clip(np.ceil(largest * mean.max() / sd) + 1, *_VALUES))
    values = np.linspace(0.0, largest, number)
    # Single precision: a table of England and 1,000 values take 0.1 GB.
    away = ((measured[:, None] - mean[:, None] * values) / sd).astype(np.float32)
    # The nearest value has a likelihood of 1: none vanishes, however small the error.
    likelihood = np.exp(-0.5 * (away**2 - (away**2).min(axis=1, keepdims=True)))
    share = np.full(number, 1.0 / number, dtype=np.float32)
    for _ in range(_STEPS):
        joint = likelihood * share
        joint /= joint.sum(axis=1, keepdims=True)
        share = joint.mean(axis=0, dtype=np.float64).astype(np.float32)
    joint = likelihood * share
    found: Floats = mean * (joint @ values) / joint.sum(axis=1)
    return found
