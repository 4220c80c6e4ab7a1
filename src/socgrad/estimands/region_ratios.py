"""Regions against the nation."""

import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.curves import exponential
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients, labelled, require_effects

__all__ = ["region_ratio"]


@by_stratum
def region_ratio(fit: xr.DataTree) -> xr.DataArray:
    """Compute the ratio of each region's rates to the average region's, at equal deprivation.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`, of a
        model with regions.

    Returns
    -------
    xarray.DataArray
        Ratios; dims chain, draw, region. Attrs estimand, units, per, reference, null (1).

    Raises
    ------
    EstimandError
        If the fit has no regions.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        ratio_r = exp(region_effect_r),   region_effect_r ~ Normal(0, region_sd)

    in the level of every authority of the region, beside its deprivation, its covariates and an
    effect of its own. The average region has the effect 0; it need not be one of them. Estimates
    are drawn towards 1, the more the fewer authorities a region has.

    Interpretation
    --------------
    1.15: authorities of this region have rates 15% above those of like authorities and
    neighbourhoods in the average region. What the region has in common may be practice, but also
    recording, housing or whatever deprivation leaves out.

    References
    ----------
    Gelman & Hill 2007, Data Analysis Using Regression and Multilevel/Hierarchical Models,
    https://doi.org/10.1017/CBO9780511790942 (few groups, and when to take them as fixed).

    Examples
    --------
    Draws from the prior of a model with the nine made-up regions of a simulation:

    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=40, areas=800, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation",
    ...                             region="region", complete=True)
    >>> prior = sg.prior_checks.draw_prior(sg.GradientModel(areas, regions=True))
    >>> ratio = sg.variation.region_ratio(prior)
    >>> ratio.dims, ratio.region.values.tolist()[:3]
    (('chain', 'draw', 'region'), ['R1', 'R2', 'R3'])
    """
    terms = coefficients(fit)
    if not terms.has_regions:
        raise EstimandError(
            "region_ratio asks for the effects of regions, and this model has none. Fit "
            "GradientModel(areas, regions=True), its areas with Areas.from_frame(region=...); for "
            "regions as fixed effects see socgrad.covariates.covariate_ratio."
        )
    require_effects(terms)
    return labelled(
        exponential(terms.region_effect),
        fit,
        estimand="region_ratio",
        units="rate ratio, region over the average region",
        per=geography(fit).per,
        reference="authorities of the same deprivation and covariates in the average region",
        null=1.0,
    )
