"""Variation of rates between authorities of one mean deprivation, at a neighbourhood deprivation.

Authorities have levels and slopes, so how much their rates differ depends on where one looks.
"""

from collections.abc import Sequence

import xarray as xr
from scipy.special import ndtri

from socgrad.estimands.curves import exponential
from socgrad.estimands.level_variance import level_variance, where
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients, labelled, require_authorities

__all__ = ["authority_sd", "median_rate_ratio"]


@by_stratum
def authority_sd(
    fit: xr.DataTree,
    *,
    deprivation: float | Sequence[float] | None = None,
    authority_mean: float | None = None,
) -> xr.DataArray:
    """Compute the standard deviation of log rates among authorities at a neighbourhood deprivation.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    deprivation
        Neighbourhood deprivation x, proportions within 0-1. By default each authority's own mean,
        where the model's `level_sd` holds.
    authority_mean
        Mean deprivation m of the authorities, proportion within 0-1, for a given `deprivation`. By
        default the child-weighted median of the fit's authorities.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, [deprivation]; deprivation only where it was given. Attrs estimand, units,
        per, reference.

    Raises
    ------
    EstimandError
        If `deprivation` or `authority_mean` is no proportion; if `authority_mean` is given without
        `deprivation`.
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    SupportWarning
        Where fewer than 10 neighbourhoods lie within a quarter step of a deprivation, in
        authorities within a quarter step of the mean.

    Notes
    -----
    With w = (x - m) / per, s0 and s1 the standard deviations of level and slope effects and rho
    their correlation::

        sd(x) = sqrt(s0**2 + 2 rho s0 s1 w + s1**2 w**2)

    What authority deprivation explains (between, cross-level) is not in it: it is of authorities
    of one mean. With regions they are of any region: region_sd**2 is added under the root. In a
    pooled model w is measured from the national mean.

    Interpretation
    --------------
    0.2: of three authorities of one mean deprivation, two have rates within about 20% of the middle
    one's, for neighbourhoods of this deprivation. As a ratio:
    `socgrad.variation.median_rate_ratio`.

    References
    ----------
    Goldstein, Browne & Rasbash 2002, Understanding Statistics 1(4),
    https://doi.org/10.1207/S15328031US0104_02.

    Examples
    --------
    >>> from socgrad.estimands.variation import authority_sd
    >>> from socgrad.reading.example import example_fit
    >>> authority_sd(example_fit()).median().round(2).item()
    0.2
    >>> at = authority_sd(example_fit(), deprivation=[0.1, 0.3], authority_mean=0.2)
    >>> at.median(("chain", "draw")).round(2).values.tolist()
    [0.2, 0.25]
    """
    terms, land = coefficients(fit), geography(fit)
    require_authorities(terms, "authority_sd")
    w, reference = where(terms, land, deprivation, authority_mean)
    return labelled(
        level_variance(terms, w) ** 0.5,
        fit,
        estimand="authority_sd",
        units="standard deviation of log rates among authorities of one mean deprivation",
        per=land.per,
        reference=reference,
    )


@by_stratum
def median_rate_ratio(
    fit: xr.DataTree,
    *,
    deprivation: float | Sequence[float] | None = None,
    authority_mean: float | None = None,
) -> xr.DataArray:
    """Compute the median ratio of the rates of two authorities, the higher over the lower.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    deprivation, authority_mean
        As in `socgrad.variation.authority_sd`: by default at each authority's own mean.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, [deprivation]; deprivation only where it was given. Attrs estimand, units,
        per, reference, null (1).

    Raises
    ------
    EstimandError
        As `socgrad.variation.authority_sd`.
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    SupportWarning
        As `socgrad.variation.authority_sd`.

    Notes
    -----
    ::

        median rate ratio = exp(sqrt(2) * 0.6745 * sd(x))

    the median over pairs of authorities drawn at random, with sd(x) from
    `socgrad.variation.authority_sd` and 0.6745 the third quartile of the standard normal
    distribution. It is never below 1.

    Interpretation
    --------------
    1.25: take two authorities of one mean deprivation at random, and in half of all such pairs the
    one has a rate at least 25% higher than the other, for equally deprived neighbourhoods. It is on
    the scale of the gradient, so the two can be set side by side.

    References
    ----------
    Larsen & Merlo 2005, American Journal of Epidemiology 161(1), https://doi.org/10.1093/aje/kwi017.

    Examples
    --------
    >>> from socgrad.estimands.variation import median_rate_ratio
    >>> from socgrad.reading.example import example_fit
    >>> median_rate_ratio(example_fit()).median().round(2).item()
    1.21
    """
    terms, land = coefficients(fit), geography(fit)
    require_authorities(terms, "median_rate_ratio")
    w, reference = where(terms, land, deprivation, authority_mean)
    return labelled(
        exponential(2**0.5 * float(ndtri(0.75)) * level_variance(terms, w) ** 0.5),
        fit,
        estimand="median_rate_ratio",
        units="rate ratio, the higher over the lower of two authorities of one mean deprivation",
        per=land.per,
        reference=reference,
        null=1.0,
    )
