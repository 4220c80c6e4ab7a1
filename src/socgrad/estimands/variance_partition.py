"""Partition of variance: how much of it lies between authorities, and what deprivation explains."""

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.curves import exponential, log_rate_at
from socgrad.estimands.level_variance import level_variance, place
from socgrad.ranks import weighted_quantile
from socgrad.reading.arguments import check_choice, check_is_tree
from socgrad.reading.by_stratum import by_stratum, stratum, stratum_labels
from socgrad.reading.geography import Geography, geography
from socgrad.reading.posterior import (
    coefficients,
    labelled,
    require_authorities,
    require_deprivation,
)

__all__ = ["variance_explained", "vpc"]

type Level = Literal["region", "authority", "locality"]

_BETWEEN: Final = {
    "region": "regions",
    "authority": "authorities",
    "locality": "localities of one authority",
}


@by_stratum
def vpc(
    fit: xr.DataTree,
    *,
    deprivation: float | Sequence[float] | None = None,
    authority_mean: float | None = None,
    exposure: float | None = None,
    level: Level = "authority",
) -> xr.DataArray:
    """Compute the variance partition coefficient of neighbourhood counts: the authorities' share.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    deprivation
        Deprivation x of the neighbourhood, proportions within 0-1. By default the child-weighted
        national median.
    authority_mean
        Mean deprivation m of its authority, proportion within 0-1. By default the child-weighted
        median of the fit's authorities.
    exposure
        Exposure N of the neighbourhood, above 0. By default the median of the fit's neighbourhoods
        that have exposure.
    level
        Whose share: "authority" by default (within regions, in a fit with regions); "locality", of
        localities within authorities, for a fit with localities; "region", for one with regions.
        Shares add up to what neighbourhoods of one region, authority and locality have in common.

    Returns
    -------
    xarray.DataArray
        Shares within 0-1; dims chain, draw, [deprivation]; deprivation only where it was given.
        Attrs estimand, units, per, reference.

    Raises
    ------
    EstimandError
        If `deprivation` or `authority_mean` is no proportion; if `exposure` is not above 0; if
        `level` is unknown, or one that the fit does not have.
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    SupportWarning
        Where fewer than 10 neighbourhoods lie within a quarter step of a deprivation, in
        authorities within a quarter step of the mean.

    Notes
    -----
    Exact moments of the count y of such a neighbourhood over authorities, with v the variance of
    log rates there (the square of `socgrad.variation.authority_sd`), and a and c the coefficients
    of variation of the gamma factors of neighbourhoods (`overdispersion`) and of localities
    (`locality_sd`), 0 where there are none::

        M   = N rate(x) exp(v / 2)                      mean, over authorities
        Var = M + M**2 (exp(v) (1 + a**2) (1 + c**2) - 1)
        VPC = M**2 (exp(v) - 1) / Var                   of authorities
              M**2 exp(v) c**2 / Var                    of localities

    With regions v is u + region_sd**2, u the variance among authorities of one region, and::

        VPC = M**2 (exp(region_sd**2) - 1) / Var                   of regions
              M**2 exp(region_sd**2) (exp(u) - 1) / Var            of authorities within them

    The rest is chance (M) and other differences between neighbourhoods
    (M**2 exp(v) a**2 (1 + c**2)). The authorities' share is also the correlation of the counts of
    two such neighbourhoods of one authority; with localities, of two that lie in different ones,
    and both shares together are that of two in the same.

    Interpretation
    --------------
    0.2: of what makes counts of equally deprived neighbourhoods differ, a fifth is which authority
    they are in. The share rises with the expected count, because chance weighs less: quote it
    with its deprivation and exposure.

    References
    ----------
    Leckie et al. 2020, Psychological Methods 25(6), https://doi.org/10.1037/met0000265.

    Examples
    --------
    >>> from socgrad.estimands.variance_partition import vpc
    >>> from socgrad.reading.example import example_fit
    >>> share = vpc(example_fit(), deprivation=[0.1, 0.3], authority_mean=0.2)
    >>> share.median(("chain", "draw")).round(2).values.tolist()
    [0.07, 0.27]
    """
    check_choice("level", level, ("region", "authority", "locality"))
    terms, land = coefficients(fit), geography(fit)
    has = {"locality": terms.has_localities, "region": terms.has_regions}
    if not has.get(level, True):
        several = {"locality": "localities", "region": "regions"}[level]
        raise EstimandError(
            f"level={level!r} asks for the share of {several}, and this fit has none. Fit "
            f"GradientModel(areas, {several}=True), or leave level out."
        )
    if level != "locality":
        require_authorities(terms, f"vpc(level={level!r})")
    x = deprivation
    if x is None and land.has_deprivation:
        x = float(weighted_quantile(land.deprivation, land.children, 0.5)[0])
    size = _exposure(land, exposure)
    at = place(terms, land, deprivation=x, authority_mean=authority_mean)
    variance = level_variance(terms, at.within_part)
    draws = fit["posterior"].to_dataset()
    own = draws.get("overdispersion", xr.DataArray(0.0)) ** 2
    shared = terms.locality_sd**2
    # Divided by mean**2 exp(v) throughout: neither large counts nor large variances overflow.
    log_mean = np.log(size) + log_rate_at(at.curve, at.deprivation) + variance / 2
    chance = exponential(-log_mean - variance)
    of_regions = exponential(terms.region_sd**2 - variance) - exponential(-variance)
    between = -xr.apply_ufunc(np.expm1, -variance)
    parts = {
        "region": of_regions,
        "authority": between - of_regions,
        "locality": shared,
    }
    share = parts[level] / (chance + between + own * (1.0 + shared) + shared)
    between_whom = _BETWEEN[level] + (
        " of one region" if level == "authority" and terms.has_regions else ""
    )
    words = f"counts of neighbourhoods of exposure {size:,g} in {at.words}"
    if deprivation is None:
        share = share.isel(deprivation=0, drop=True)
    if deprivation is None and x is not None:
        words += f", at deprivation {x:.3g}"
    return labelled(
        share,
        fit,
        estimand="vpc" if level == "authority" else f"vpc_{level}",
        units=f"share of the variance of neighbourhood counts that lies between {between_whom}",
        per=land.per,
        reference=words,
    )


@by_stratum
def variance_explained(fit: xr.DataTree, *, null: xr.DataTree) -> xr.DataArray:
    """Compute the share of the variance between authorities that deprivation explains.

    Parameters
    ----------
    fit
        The full fit, with deprivation: from `socgrad.fit`, `socgrad.load`, or `pymc.sample` on
        `socgrad.pymc_model(model)`.
    null
        A fit of the null model, GradientModel(areas, deprivation="none"), to the same table, with
        as many chains and draws.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw. Attrs estimand, units, per, reference, null (0).

    Raises
    ------
    EstimandError
        If `fit` leaves deprivation out, or `null` does not; if the two are of other authorities,
        of other data, or of different numbers of chains or draws.
    SchemaError
        If one of them is not a socgrad fit, or lacks the strata of the other.

    Notes
    -----
    ::

        share = 1 - level_sd(full)**2 / level_sd(null)**2

    (level_sd**2 + region_sd**2 of a fit with regions)
    with the level of the full fit at each authority's mean deprivation. The two posteriors come
    from two runs: their draws are paired as they come, as if independent, which makes the interval
    wider than one of both models together. Below 0 where deprivation explains nothing, or where
    deprived authorities have the lower levels once neighbourhoods are allowed for. Not cut off at
    0, which would make nothing look like something.

    Interpretation
    --------------
    0.6: 60% of how much authorities' rates differ goes with the deprivation of their neighbourhoods
    and of the authority as a whole; 40% does not.

    References
    ----------
    Larsen & Merlo 2005, American Journal of Epidemiology 161(1), https://doi.org/10.1093/aje/kwi017.

    Examples
    --------
    Here a made-up null fit, with twice the standard deviation of levels:

    >>> import xarray as xr
    >>> from socgrad.estimands.variance_partition import variance_explained
    >>> from socgrad.reading.example import example_fit
    >>> fit = example_fit()
    >>> draws = fit["posterior"].to_dataset()[["intercept", "level_effect", "level_sd"]]
    >>> null = fit.copy()
    >>> null["posterior"] = xr.DataTree(draws.assign(level_sd=2 * draws["level_sd"]))
    >>> variance_explained(fit, null=null).median().round(2).item()
    0.75
    """
    terms = coefficients(fit)
    check_is_tree(null)
    if "stratum" in fit["posterior"].coords and stratum_labels(null):
        null = stratum(null, fit["posterior"]["stratum"].item())
    without = coefficients(null)
    require_deprivation(terms, "variance_explained")
    require_authorities(terms, "variance_explained")
    if without.has_deprivation:
        raise EstimandError(
            "null is a fit with deprivation, so it cannot say what there is without. Fit "
            "GradientModel(areas, deprivation='none') to the same areas and give that."
        )
    _refuse_other_data(fit, null)
    full_sd, null_sd = (
        ((one.level_sd**2 + one.region_sd**2) ** 0.5).transpose("chain", "draw")
        for one in (terms, without)
    )
    if full_sd.shape != null_sd.shape:
        raise EstimandError(
            f"The full fit has {full_sd.shape[0]} chains of {full_sd.shape[1]} draws and the null "
            f"fit {null_sd.shape[0]} of {null_sd.shape[1]}. Draw as many from both."
        )
    return labelled(
        1 - (full_sd / null_sd.to_numpy()) ** 2,
        fit,
        estimand="variance_explained",
        units="share of the variance of authorities' log rates",
        per=geography(fit).per,
        reference="the null fit; levels of the full fit at each authority's mean deprivation",
        null=0.0,
    )


def _exposure(land: Geography, exposure: float | None) -> float:
    """Exposure asked for, by default the median one."""
    if exposure is None:
        return float(np.median(land.exposure[land.exposure > 0]))
    if not 0 < exposure < np.inf:
        raise EstimandError(
            f"exposure is {exposure:g}; expected that of a neighbourhood, above 0, in the units of "
            "the fit (children, unless the model says otherwise)."
        )
    return float(exposure)


def _refuse_other_data(fit: xr.DataTree, null: xr.DataTree) -> None:
    """Refuse two fits that are not of one table, as far as they tell."""
    own, other = (
        set(tree["constant_data"].to_dataset()["authority"].to_numpy().tolist())
        for tree in (fit, null)
    )
    if own != other:
        raise EstimandError(
            f"The full and the null fit share {len(own & other)} of {len(own | other)} "
            "authorities. Fit both models to the same areas."
        )
    hashes = [tree.attrs.get("data_sha256") for tree in (fit, null)]
    if None not in hashes and hashes[0] != hashes[1]:
        raise EstimandError(
            "The full and the null fit are of different data (their data_sha256 differ). Fit both "
            "models to the same areas."
        )
