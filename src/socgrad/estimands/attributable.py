"""Population attributable rate and fraction: what lies above the rate of the least deprived."""

from typing import Literal

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.curves import check_rate_per
from socgrad.estimands.deprivation_groups import (
    extreme_rates,
    least_deprived_rate_and_events,
    words_for_groups,
)
from socgrad.estimands.ranked_units import By, draws_of, overall_rates
from socgrad.reading.arguments import check_choice
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import Geography, geography
from socgrad.reading.posterior import Coefficients, coefficients, labelled, require_deprivation

__all__ = ["attributable_fraction", "attributable_rate"]


@by_stratum
def attributable_rate(
    fit: xr.DataTree,
    *,
    by: By = "nation",
    reference: Literal["nation", "own"] = "nation",
    groups: int = 10,
    rate_per: float = 10_000,
) -> xr.DataArray:
    """Compute the population attributable rate: the overall rate less the least deprived group's.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    by
        Whose overall rate: the "nation"'s, or each "authority"'s.
    reference
        Whose least deprived group it is held against: the "nation"'s, or, with by="authority", the
        authority's "own".
    groups
        Number of groups with equal children, as far as whole neighbourhoods allow, 2 or more.
    rate_per
        Units of exposure that a rate counts, above 0.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, [authority]. Attrs estimand, units, per, reference, null (0). Authorities
        without exposure, or without a reference of their own, have none: `reference` says how many.

    Raises
    ------
    EstimandError
        If the model leaves deprivation out; if `by` or `reference` is unknown; if `groups` is no
        whole number from 2; if `rate_per` is not above 0; if the reference group is empty.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        PAR = rate - rate of the reference, both sum of N_i rate_i / sum of N_i, fitted effects

    As events instead of a rate: `socgrad.inequality.excess_events(against="least_deprived")`.

    Interpretation
    --------------
    33 means that 33 fewer events per 10,000 children would remain if every neighbourhood had the
    rate of the least deprived tenth. It is arithmetic, not a forecast: the rate of the least
    deprived need not be the right one, nor deprivation the cause of the difference.

    References
    ----------
    Mackenbach & Kunst 1997, Social Science & Medicine 44(6),
    https://doi.org/10.1016/S0277-9536(96)00073-1.

    Examples
    --------
    >>> from socgrad.estimands.attributable import attributable_rate
    >>> from socgrad.reading.example import example_fit
    >>> attributable_rate(example_fit()).median().round(0).item()
    85.0
    """
    terms, land = coefficients(fit), geography(fit)
    require_deprivation(terms, "attributable_rate")
    rate, least, words = _held_against(terms, land, by=by, reference=reference, groups=groups)
    return labelled(
        check_rate_per(rate_per) * (rate - least),
        fit,
        estimand="attributable_rate",
        units=f"events per {rate_per:,g} of exposure above the reference",
        per=land.per,
        reference=words,
        null=0.0,
    )


@by_stratum
def attributable_fraction(
    fit: xr.DataTree,
    *,
    by: By = "nation",
    reference: Literal["nation", "own"] = "nation",
    groups: int = 10,
) -> xr.DataArray:
    """Compute the population attributable fraction: the attributable rate over the overall rate.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    by, reference, groups
        As in `socgrad.inequality.attributable_rate`.

    Returns
    -------
    xarray.DataArray
        Shares of the overall rate, up to 1; dims chain, draw, [authority]. Attrs estimand, units,
        per, reference, null (0).

    Raises
    ------
    EstimandError
        As `socgrad.inequality.attributable_rate`.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        PAF = (rate - rate of the reference) / rate

    below 0 for an authority whose rate lies below the nation's least deprived group.

    Interpretation
    --------------
    0.78 means that 78% of events are more than there would be if every neighbourhood had the rate
    of the least deprived tenth. Arithmetic, not a forecast: see
    `socgrad.inequality.attributable_rate`.

    References
    ----------
    Mackenbach & Kunst 1997, Social Science & Medicine 44(6),
    https://doi.org/10.1016/S0277-9536(96)00073-1.

    Examples
    --------
    >>> from socgrad.estimands.attributable import attributable_fraction
    >>> from socgrad.reading.example import example_fit
    >>> attributable_fraction(example_fit()).median().round(2).item()
    0.69
    """
    terms, land = coefficients(fit), geography(fit)
    require_deprivation(terms, "attributable_fraction")
    rate, least, words = _held_against(terms, land, by=by, reference=reference, groups=groups)
    return labelled(
        1 - least / rate,
        fit,
        estimand="attributable_fraction",
        units="share of the overall rate above the reference",
        per=land.per,
        reference=words,
        null=0.0,
    )


def _held_against(
    terms: Coefficients,
    land: Geography,
    *,
    by: By,
    reference: Literal["nation", "own"],
    groups: int,
) -> tuple[xr.DataArray, xr.DataArray, str]:
    """Overall rates, rates of the reference, and words for the latter."""
    check_choice("by", by, ("nation", "authority"))
    check_choice("reference", reference, ("nation", "own"))
    if reference == "own":
        if by == "nation":
            raise EstimandError(
                "reference='own' is for by='authority', each against its own least deprived group. "
                "Use reference='nation', or by='authority'."
            )
        ends = extreme_rates(terms, land, by=by, groups=groups)
        rate = draws_of(overall_rates(terms, land, ends.kept), terms, land, ends.kept)
        return rate, draws_of(ends.least, terms, land, ends.kept), words_for_groups(ends, groups)
    reference_rate, events = least_deprived_rate_and_events(terms, land, groups=groups)
    least = draws_of(reference_rate[:, None], terms, land, None)
    words = f"the least deprived of {groups} child-weighted groups of {land.whole}, fitted effects"
    if by == "nation":
        overall = events.sum(axis=1, keepdims=True) / land.exposure.sum()
        return draws_of(overall, terms, land, None), least, words
    exposure = land.authority_exposure
    kept = np.flatnonzero(exposure > 0)
    if kept.size < exposure.size:
        words += f"; {exposure.size - kept.size} authorities without exposure left out"
    return draws_of(events[:, kept] / exposure[kept], terms, land, kept), least, words
