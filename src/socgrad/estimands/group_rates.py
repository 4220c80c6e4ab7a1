"""Expected rates of whole sets of neighbourhoods: by group of deprivation, and by authority."""

from dataclasses import replace
from typing import Literal

import numpy as np
import xarray as xr

from socgrad.arrays import IntArray
from socgrad.errors import EstimandError
from socgrad.estimands.aggregates import authority_rates, group_rates
from socgrad.estimands.area_factors import Rates, area_factors, words_for_rates
from socgrad.estimands.curves import check_rate_per
from socgrad.estimands.groups import Cells, cells
from socgrad.reading.arguments import check_choice
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import Geography, geography
from socgrad.reading.observed import observed_counts
from socgrad.reading.posterior import coefficients, labelled

__all__ = ["authority_rate", "rate_by_group"]


@by_stratum
def rate_by_group(
    fit: xr.DataTree,
    *,
    groups: int = 10,
    authority_groups: int | None = None,
    areas: Literal["all", "counted"] = "all",
    rates: Rates = "structural",
    rate_per: float = 10_000,
    random_seed: int = 0,
) -> xr.DataArray:
    """Compute the expected rate in national groups of neighbourhoods by deprivation.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    groups
        Number of groups with equal children, as far as whole neighbourhoods allow, 2 or more.
    authority_groups
        Number of groups of authorities by mean deprivation, each with the same number of children
        as far as whole authorities allow, 2 or more; every such group is then cut by the same
        national groups of neighbourhoods. By default authorities are not told apart.
    areas
        "all" neighbourhoods that have exposure, or those "counted" alone, whose own events are
        known: for a comparison with `observed_rate_by_group`.
    rates
        "structural" or "realised", as in `socgrad.rates.authority_rate`.
    rate_per
        Units of exposure that a rate counts, above 0.
    random_seed
        For realised rates only, a whole number from 0.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, [authority_group,] group: 1 (least deprived) to the number of groups
        (most). Attrs estimand, units, per, reference.

    Raises
    ------
    EstimandError
        If `groups` or `authority_groups` is no whole number from 2; if a group would hold no
        neighbourhood (or authority), or none with exposure; if `areas` or `rates` is unknown;
        if `areas` is "counted", or `rates` "realised", in a fit without events of neighbourhoods;
        if `rate_per` is not above 0.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        rate_g = rate_per * sum of N_i rate_i / sum of N_i, over the neighbourhoods i of group g

    with every authority's fitted effects; realised, with g_i rate_i for rate_i, as in
    `socgrad.rates.authority_rate`.

    Interpretation
    --------------
    What the least and the most deprived tenth of children live with, wherever they live. The
    groups mix authorities, so this is neither the within nor the between gradient. With
    `authority_groups`, it shows what such children live with in affluent and in deprived
    authorities.

    References
    ----------
    Bywaters, Brady, Sparks & Bos 2016, Child & Family Social Work 21(3),
    https://doi.org/10.1111/cfs.12154.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.estimands.group_rates import rate_by_group
    >>> rate_by_group(example_fit(), groups=3).median(("chain", "draw")).round(0).values.tolist()
    [49.0, 105.0, 216.0]

    The same thirds in affluent and in deprived authorities:

    >>> rates = rate_by_group(example_fit(), groups=3, authority_groups=2)
    >>> rates.median(("chain", "draw")).round(0).values.tolist()
    [[51.0, 116.0, 240.0], [47.0, 95.0, 202.0]]
    """
    terms, land = coefficients(fit), geography(fit)
    check_choice("areas", areas, ("all", "counted"))
    per = check_rate_per(rate_per)
    made = cells(land, groups=groups, authority_groups=authority_groups)
    which = "fitted effects"
    if areas == "counted":
        counts = observed_counts(fit, purpose="areas='counted'", takes_bounds=True)
        counted = counts.known
        land = replace(land, exposure=np.where(counted, land.exposure, 0.0))
        which += f", {int(counted.sum())} neighbourhoods with counts of their own"
    which += words_for_rates(fit, terms, rates)
    _refuse_idle_cells(land, made)
    factors = area_factors(fit, terms, land, rates=rates, random_seed=random_seed)
    found = group_rates(terms, land, group=made.cell, groups=made.number, factors=factors)
    among = ""
    if authority_groups is not None:
        found = made.unfold(found)
        among = f" within {authority_groups} groups of authorities by mean deprivation"
    return labelled(
        per * found,
        fit,
        estimand="rate_by_group",
        units=f"events per {rate_per:,g} of exposure",
        per=land.per,
        reference=f"{groups} child-weighted groups of {land.whole}{among}, 1 the least deprived, "
        f"{which}",
    )


@by_stratum
def authority_rate(
    fit: xr.DataTree,
    *,
    rates: Rates = "structural",
    rate_per: float = 10_000,
    random_seed: int = 0,
) -> xr.DataArray:
    """Compute the expected rate of every authority over its own neighbourhoods.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    rates
        "structural": of neighbourhoods on their lines, without what each departs from its own by;
        "realised": with that, as its count tells. They differ where areas vary beyond the model's
        lines: in a negative binomial model, and in one with localities.
    rate_per
        Units of exposure that a rate counts, above 0.
    random_seed
        For realised rates only, a whole number from 0.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, authority. Attrs estimand, units, per, reference. An authority without
        exposure has no rate and no row: `reference` says how many there are.

    Raises
    ------
    EstimandError
        If `rate_per` is not above 0 or `rates` is unknown; for realised rates if the fit holds no
        events, or knows an authority by its total alone.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        structural  rate_j = rate_per * sum of N_i rate_i / sum of N_i
        realised    rate_j = rate_per * sum of N_i g_i rate_i / sum of N_i

    over the neighbourhoods i of authority j, with the authority's fitted effects. The factor g_i
    has mean 1 and the variance r of the model, overdispersion**2, and given y_i events where mu_i
    are expected it is drawn from Gamma(shape 1/r + y_i, rate 1/r + mu_i); in a model with
    localities r is locality_sd**2, and g_i, y_i and mu_i are those of the locality.

    Interpretation
    --------------
    An authority's rate with the chance in its counts taken out. Structural: what to expect of
    neighbourhoods like these in this authority, and next year, if what sets single ones apart does
    not last. Realised: what this year's rates were, nearer to the observed ones. Both still reflect
    how deprived the authority is: compare authorities at equal deprivation with
    `expected_rate(target="each")`.

    References
    ----------
    Gelman & Hill 2007, Data Analysis Using Regression and Multilevel/Hierarchical Models, chapter
    12, https://doi.org/10.1017/CBO9780511790942.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.estimands.group_rates import authority_rate
    >>> authority_rate(example_fit()).sel(authority="Ashby").median().round(0).item()
    123.0
    """
    terms, land = coefficients(fit), geography(fit)
    idle = land.authority_mean["authority"].to_numpy()[land.authority_exposure == 0].tolist()
    factors = area_factors(fit, terms, land, rates=rates, random_seed=random_seed)
    left_out = f"; {len(idle)} without exposure left out (first: {idle[0]})" if idle else ""
    return labelled(
        check_rate_per(rate_per) * authority_rates(terms, land, own_effects=True, factors=factors),
        fit,
        estimand="authority_rate",
        units=f"events per {rate_per:,g} of exposure",
        per=land.per,
        reference="each authority's own neighbourhoods, fitted effects"
        + words_for_rates(fit, terms, rates)
        + left_out,
    )


def _refuse_idle_cells(land: Geography, made: Cells) -> None:
    """Refuse groups without exposure: a rate per nothing."""
    exposure = np.bincount(made.cell - 1, weights=land.exposure, minlength=made.number)
    idle: IntArray = np.flatnonzero(exposure == 0)
    if idle.size:
        raise EstimandError(
            f"{idle.size} of {made.number} groups have no exposure (first: "
            f"{made.words(int(idle[0]))}), so no rate. Ask for fewer groups."
        )
