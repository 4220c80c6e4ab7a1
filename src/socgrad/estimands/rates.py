"""Expected rates: along a curve, by group of neighbourhoods, and by authority."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from socgrad.arrays import IntArray
from socgrad.errors import EstimandError
from socgrad.estimands.aggregates import authority_rates, group_rates
from socgrad.estimands.curves import (
    Target,
    authority_mean_grid,
    curve_of_target,
    deprivation_grid,
    rate_at,
)
from socgrad.ranks import quantile_groups
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.posterior import Coefficients, Geography, coefficients, geography, labelled
from socgrad.reading.support import areas_near_mean, areas_of, count_near, warn_if_thin

__all__ = ["authority_rate", "expected_rate", "rate_by_group"]


@by_stratum
def expected_rate(
    fit: xr.DataTree,
    *,
    deprivation: float | Sequence[float] | None = None,
    target: Target = "average",
    authority_mean: float | Sequence[float] | None = None,
    rate_per: float = 10_000,
    random_seed: int = 0,
) -> xr.DataArray:
    """Compute the expected rate of events at given neighbourhood deprivations.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    deprivation
        Neighbourhood deprivation x, proportions within 0-1. By default the child-weighted national
        10th, 50th and 90th percentiles.
    target
        Whose rate: "average", an authority without effects of its own; "each", every observed
        authority at its own mean with its own effects; "new", an authority that was not observed,
        its effects drawn from their joint normal distribution, one pair per draw.
    authority_mean
        Mean deprivation of the authority, proportions within 0-1, for "average" and "new". By
        default the national mean.
    rate_per
        Units of exposure that a rate counts, above 0.
    random_seed
        For "new" only.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, [authority or authority_mean,] deprivation; authority_mean only where it
        was given. Attrs estimand ("expected_rate_new" for a new authority), units, per, reference.

    Raises
    ------
    EstimandError
        If a value of `deprivation` or `authority_mean` is no proportion; if `target` is unknown; if
        `authority_mean` is given with target "each"; if `rate_per` is not above 0.
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    SupportWarning
        Where fewer than 10 neighbourhoods with data lie within a quarter step of a deprivation: for
        "each" in the authority itself, otherwise in authorities whose mean lies within a quarter
        step of `authority_mean` (of any mean, where the model does not tell means apart).

    Notes
    -----
    ::

        rate(x) = rate_per * exp(level_j + slope_j (x - m_j) / per)

    with m_j the authority's mean deprivation; in a pooled model, which does not tell authority
    means apart, the national mean c.

    Interpretation
    --------------
    How many events to expect among 10,000 children of neighbourhoods like this one. The "average"
    authority, whose effects are 0, is the one in the middle: as many authorities of its mean have
    lower rates as have higher ones. The mean rate of such authorities is higher, since rates are
    skewed: by exp(v / 2), where v is the variance of the authorities' log rates at this
    deprivation (level_sd**2 at the authority mean). The interval of "average" says how well the
    middle one is known; that of "new" also holds how much authorities differ.

    References
    ----------
    Gelman & Hill 2007, Data Analysis Using Regression and Multilevel/Hierarchical Models,
    https://doi.org/10.1017/CBO9780511790942.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.estimands.rates import expected_rate
    >>> rate = expected_rate(example_fit(), deprivation=[0.1, 0.3])
    >>> rate.median(("chain", "draw")).round(1).values.tolist()
    [52.4, 159.5]
    """
    terms, land = coefficients(fit), geography(fit)
    x = deprivation_grid(land, deprivation)
    curve, reference = curve_of_target(
        terms, land, target=target, authority_mean=authority_mean, random_seed=random_seed
    )
    _warn_of_support(terms, land, x, target, authority_mean)
    return labelled(
        _per(rate_per) * rate_at(curve, x),
        fit,
        estimand="expected_rate_new" if target == "new" else "expected_rate",
        units=f"events per {rate_per:,g} of exposure",
        per=land.per,
        reference=reference,
    )


@by_stratum
def rate_by_group(fit: xr.DataTree, *, groups: int = 10, rate_per: float = 10_000) -> xr.DataArray:
    """Compute the expected rate in national groups of neighbourhoods by deprivation.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    groups
        Number of groups with equal children, as far as whole neighbourhoods allow, 2 or more.
    rate_per
        Units of exposure that a rate counts, above 0.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, group: 1 (least deprived) to `groups` (most). Attrs estimand, units, per,
        reference.

    Raises
    ------
    EstimandError
        If `groups` is no whole number from 2; if a group would hold no neighbourhood, or none with
        exposure; if `rate_per` is not above 0.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        rate_g = rate_per * sum of N_i rate_i / sum of N_i, over the neighbourhoods i of group g

    with every authority's fitted effects.

    Interpretation
    --------------
    What the least and the most deprived tenth of children live with, wherever they live. The
    groups mix authorities, so this is neither the within nor the between gradient.

    References
    ----------
    Bywaters, Brady, Sparks & Bos 2016, Child & Family Social Work 21(3),
    https://doi.org/10.1111/cfs.12154.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.estimands.rates import rate_by_group
    >>> rate_by_group(example_fit(), groups=3).median(("chain", "draw")).round(0).values.tolist()
    [49.0, 105.0, 216.0]
    """
    terms, land = coefficients(fit), geography(fit)
    group = quantile_groups(land.deprivation, land.children, groups)
    _refuse_idle_groups(land, group, groups)
    return labelled(
        _per(rate_per) * group_rates(terms, land, group=group, groups=groups),
        fit,
        estimand="rate_by_group",
        units=f"events per {rate_per:,g} of exposure",
        per=land.per,
        reference=f"{groups} national child-weighted groups, 1 the least deprived, fitted effects",
    )


@by_stratum
def authority_rate(fit: xr.DataTree, *, rate_per: float = 10_000) -> xr.DataArray:
    """Compute the expected rate of every authority over its own neighbourhoods.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    rate_per
        Units of exposure that a rate counts, above 0.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, authority. Attrs estimand, units, per, reference. An authority without
        exposure has no rate and no row: `reference` says how many there are.

    Raises
    ------
    EstimandError
        If `rate_per` is not above 0.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        rate_j = rate_per * sum of N_i rate_i / sum of N_i, over the neighbourhoods i of authority j

    with the authority's fitted effects.

    Interpretation
    --------------
    An authority's rate with the chance in its counts taken out. It still reflects how deprived the
    authority is: compare authorities at equal deprivation with `expected_rate(target="each")`.

    References
    ----------
    Gelman & Hill 2007, Data Analysis Using Regression and Multilevel/Hierarchical Models, chapter
    12, https://doi.org/10.1017/CBO9780511790942.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.estimands.rates import authority_rate
    >>> authority_rate(example_fit()).sel(authority="Ashby").median().round(0).item()
    123.0
    """
    terms, land = coefficients(fit), geography(fit)
    idle = land.authority_mean["authority"].to_numpy()[land.authority_exposure == 0].tolist()
    left_out = f"; {len(idle)} without exposure left out (first: {idle[0]})" if idle else ""
    return labelled(
        _per(rate_per) * authority_rates(terms, land, own_effects=True),
        fit,
        estimand="authority_rate",
        units=f"events per {rate_per:,g} of exposure",
        per=land.per,
        reference=f"each authority's own neighbourhoods, fitted effects{left_out}",
    )


def _per(rate_per: float) -> float:
    if not 0 < rate_per < np.inf:
        raise EstimandError(
            f"rate_per is {rate_per:g}; expected the units of exposure that a rate counts, "
            "above 0, such as 10_000."
        )
    return rate_per


def _refuse_idle_groups(land: Geography, group: IntArray, groups: int) -> None:
    """Refuse groups without exposure: a rate per nothing."""
    exposure = np.bincount(group - 1, weights=land.exposure, minlength=groups)
    idle = (np.flatnonzero(exposure == 0) + 1).tolist()
    if idle:
        raise EstimandError(
            f"{len(idle)} of {groups} groups have no exposure (first: group {idle[0]}), so no "
            "rate. Ask for fewer groups."
        )


def _warn_of_support(
    terms: Coefficients,
    land: Geography,
    x: xr.DataArray,
    target: Target,
    authority_mean: float | Sequence[float] | None,
) -> None:
    """Count the neighbourhoods behind each deprivation, where the target's authorities are."""
    if target == "each":
        points = []  # of each authority the deprivation that it backs least
        for j, label in enumerate(land.authority_mean["authority"].to_numpy().tolist()):
            counts = count_near(land, areas_of(land, j), x.values)
            least = int(counts.argmin())
            points.append((f"deprivation {x.values[least]:.3g} in {label}", int(counts[least])))
        warn_if_thin(land, points)
        return
    if not terms.has_split:
        sides = [("", land.has_data)]
    else:
        given = land.national_mean if authority_mean is None else authority_mean
        sides = [
            (f" at authority mean {mean:.3g}", areas_near_mean(land, mean))
            for mean in authority_mean_grid(given).to_numpy().tolist()
        ]
    points = [
        (f"deprivation {value:.3g}{where}", int(count))
        for where, among in sides
        for value, count in zip(x.values, count_near(land, among, x.values), strict=True)
    ]
    warn_if_thin(land, points)
