"""Variation of gradients between authorities of one mean deprivation, beside that of levels."""

from collections.abc import Sequence

import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.curves import points, step
from socgrad.estimands.level_variance import level_variance, where
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import geography
from socgrad.reading.posterior import Coefficients, coefficients, labelled, require_authorities

__all__ = ["gradient_sd", "level_slope_correlation"]


@by_stratum
def gradient_sd(fit: xr.DataTree, *, per: float | None = None) -> xr.DataArray:
    """Compute the standard deviation of log gradients among authorities of one mean deprivation.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    per
        Step of neighbourhood deprivation, proportion above 0; by default the fit's (0.10, ten
        percentage points).

    Returns
    -------
    xarray.DataArray
        Dims chain, draw. Attrs estimand, units, per, reference.

    Raises
    ------
    EstimandError
        If the model has no random slopes; if `per` is no proportion.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    The model's `slope_sd`, times per over the fit's per.

    Interpretation
    --------------
    0.1: of three authorities of one mean deprivation, two have gradients within about 10% of the
    middle one's.

    References
    ----------
    Heisig & Schaeffer 2019, European Sociological Review 35(2), https://doi.org/10.1093/esr/jcy053.

    Examples
    --------
    >>> from socgrad.estimands.slope_variation import gradient_sd
    >>> from socgrad.reading.example import example_fit
    >>> gradient_sd(example_fit()).median().round(2).item()
    0.1
    """
    terms, land = coefficients(fit), geography(fit)
    _require_slopes(terms, "gradient_sd")
    to = step(land, per)
    return labelled(
        terms.slope_sd * (to / land.per),
        fit,
        estimand="gradient_sd",
        units=f"standard deviation of log rate ratios per {points(to)}",
        per=to,
        reference="the average gradient of authorities of one mean deprivation",
    )


@by_stratum
def level_slope_correlation(
    fit: xr.DataTree,
    *,
    deprivation: float | Sequence[float] | None = None,
    authority_mean: float | None = None,
) -> xr.DataArray:
    """Compute the correlation of authorities' levels, at a deprivation, with their gradients.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    deprivation, authority_mean
        Where the level is taken, as in `socgrad.variation.authority_sd`: by default at each
        authority's own mean, where the model's `correlation` holds.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, [deprivation]; deprivation only where it was given. Attrs estimand, units,
        per, reference, null (0).

    Raises
    ------
    EstimandError
        If the model has no random slopes; otherwise as `socgrad.variation.authority_sd`.
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    SupportWarning
        As `socgrad.variation.authority_sd`.

    Notes
    -----
    ::

        (rho s0 + s1 w) / sd(x)

    with the terms of `socgrad.variation.authority_sd`. Lines fan out: towards deprived
    neighbourhoods the correlation rises to 1, towards affluent ones it falls to -1, whatever rho
    is. A correlation without the deprivation at which it holds says nothing.

    Interpretation
    --------------
    0.3 at the mean: among authorities of one mean deprivation, those with higher rates tend to have
    steeper gradients. -0.4 at a deprivation of 5%: those with the steeper gradients have the lower
    rates among affluent neighbourhoods.

    References
    ----------
    Goldstein, Browne & Rasbash 2002, Understanding Statistics 1(4),
    https://doi.org/10.1207/S15328031US0104_02.

    Examples
    --------
    >>> from socgrad.estimands.slope_variation import level_slope_correlation
    >>> from socgrad.reading.example import example_fit
    >>> level_slope_correlation(example_fit()).median().round(1).item()
    0.3
    """
    terms, land = coefficients(fit), geography(fit)
    _require_slopes(terms, "level_slope_correlation")
    w, reference = where(terms, land, deprivation, authority_mean)
    covariance = terms.correlation * terms.level_sd + terms.slope_sd * w
    return labelled(
        covariance / level_variance(terms, w) ** 0.5,
        fit,
        estimand="level_slope_correlation",
        units="correlation of log rates and log gradients among authorities of one mean",
        per=land.per,
        reference=reference,
        null=0.0,
    )


def _require_slopes(terms: Coefficients, estimand: str) -> None:
    """Refuse a variation of gradients for a model in which they do not vary."""
    require_authorities(terms, estimand)
    if not terms.has_slopes:
        raise EstimandError(
            f"{estimand} is not defined for a model without random slopes, in which gradients of "
            "authorities of one mean are equal by construction. Fit one with random_slopes=True."
        )
