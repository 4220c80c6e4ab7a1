"""Gaps: rates of the most deprived group of children against those of the least deprived."""

import xarray as xr

from socgrad.estimands.curves import check_rate_per
from socgrad.estimands.deprivation_groups import extreme_rates, words_for_groups
from socgrad.estimands.ranked_units import By, draws_of
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients, labelled, require_deprivation

__all__ = ["absolute_gap", "relative_gap"]


@by_stratum
def absolute_gap(
    fit: xr.DataTree, *, by: By = "nation", groups: int = 10, rate_per: float = 10_000
) -> xr.DataArray:
    """Compute the rate of the most deprived group less that of the least deprived one.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    by
        "nation": groups of all children; "authority": of each authority's own children.
    groups
        Number of groups with equal children, as far as whole neighbourhoods allow, 2 or more.
    rate_per
        Units of exposure that a rate counts, above 0.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, [authority]. Attrs estimand, units, per, reference, null (0). Authorities
        of which an extreme group holds no neighbourhood with exposure have none: `reference` says
        how many.

    Raises
    ------
    EstimandError
        If the model leaves deprivation out; if `by` is unknown; if `groups` is no whole number from
        2; if `rate_per` is not above 0; if a group is empty, or in every authority one is.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        gap = rate_most - rate_least, with rate_g = sum of N_i rate_i / sum of N_i over group g

    and every authority's fitted effects.

    Interpretation
    --------------
    100 means that the most deprived tenth of children live in neighbourhoods with 100 more events
    per 10,000 than those of the least deprived tenth. What happens between is not in it.

    References
    ----------
    Mackenbach & Kunst 1997, Social Science & Medicine 44(6),
    https://doi.org/10.1016/S0277-9536(96)00073-1.

    Examples
    --------
    >>> from socgrad.estimands.gaps import absolute_gap
    >>> from socgrad.reading.example import example_fit
    >>> absolute_gap(example_fit()).median().round(0).item()
    234.0
    """
    terms, land = coefficients(fit), geography(fit)
    require_deprivation(terms, "absolute_gap")
    ends = extreme_rates(terms, land, by=by, groups=groups)
    return labelled(
        check_rate_per(rate_per) * draws_of(ends.most - ends.least, terms, land, ends.kept),
        fit,
        estimand="absolute_gap",
        units=f"events per {rate_per:,g} of exposure, most minus least deprived group",
        per=land.per,
        reference=words_for_groups(ends, groups),
        null=0.0,
    )


@by_stratum
def relative_gap(fit: xr.DataTree, *, by: By = "nation", groups: int = 10) -> xr.DataArray:
    """Compute the rate of the most deprived group over that of the least deprived one.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    by
        "nation": groups of all children; "authority": of each authority's own children.
    groups
        Number of groups with equal children, as far as whole neighbourhoods allow, 2 or more.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, [authority]. Attrs estimand, units, per, reference, null (1). Authorities
        as in `socgrad.inequality.absolute_gap`.

    Raises
    ------
    EstimandError
        As `socgrad.inequality.absolute_gap`.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        gap = rate_most / rate_least, with rate_g = sum of N_i rate_i / sum of N_i over group g

    Interpretation
    --------------
    9 means that events are nine times as common among the most deprived tenth of children as among
    the least deprived tenth.

    References
    ----------
    Mackenbach & Kunst 1997, Social Science & Medicine 44(6),
    https://doi.org/10.1016/S0277-9536(96)00073-1.

    Examples
    --------
    >>> from socgrad.estimands.gaps import relative_gap
    >>> from socgrad.reading.example import example_fit
    >>> relative_gap(example_fit()).median().round(1).item()
    7.2
    """
    terms, land = coefficients(fit), geography(fit)
    require_deprivation(terms, "relative_gap")
    ends = extreme_rates(terms, land, by=by, groups=groups)
    return labelled(
        draws_of(ends.most / ends.least, terms, land, ends.kept),
        fit,
        estimand="relative_gap",
        units="rate ratio, most over least deprived group",
        per=land.per,
        reference=words_for_groups(ends, groups),
        null=1.0,
    )
