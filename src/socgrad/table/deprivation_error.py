"""What if deprivation is measured with error: areas with what the measurement says of the truth."""

import dataclasses
from typing import Final

import numpy as np

from socgrad.errors import SpecificationError
from socgrad.table.areas import Areas
from socgrad.within_between import weighted_means

__all__ = ["deprivation_error"]

#: Least share of the spread in an authority that is taken for true.
_LEAST: Final = 0.2


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
    With S_j**2 the child-weighted variance of the measured deprivation within authority j, the
    share of it that is true is ``lambda_j = 1 - sd**2 / S_j**2`` (at least 0.2, for authorities
    whose areas differ by less than the error), and the truth to be expected is
    ``m_j + lambda_j (x - m_j)``. The log gradient grows by about ``1 / lambda``. What the truth
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
    chapter 4, https://doi.org/10.1201/9781420010138.

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
    >>> [sg.gradient(fitted).median().round(2).item() for fitted in fits]
    [1.6, 1.74]
    """
    if not sd > 0:
        raise SpecificationError(
            f"sd is {sd}. Expected the standard deviation of the error of a neighbourhood's "
            "deprivation, a proportion above 0 (0.02: two percentage points)."
        )
    code, weight = areas.authority_of_area, areas.children
    away = areas.deprivation - areas.authority_mean[code]
    spread = weighted_means(away**2, weight, code, len(areas.authority))
    typical = float(np.sqrt(np.average(away**2, weights=weight)))
    if sd >= typical:
        raise SpecificationError(
            f"sd is {sd:g}, and measured deprivation has a standard deviation of {typical:.3f} "
            "within authorities: nothing of it would be true. Expected an error smaller than that; "
            "deprivation is a proportion here, so two percentage points are 0.02."
        )
    with np.errstate(divide="ignore"):
        true = np.clip(1.0 - sd**2 / spread, _LEAST, 1.0)
    expected = areas.authority_mean[code] + true[code] * away
    return dataclasses.replace(areas, deprivation=expected)
