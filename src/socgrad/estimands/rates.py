"""Expected rates along a curve: at neighbourhood deprivations, in whose authority."""

from collections.abc import Sequence
from typing import Literal

import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.curves import (
    Curve,
    authority_mean_grid,
    check_rate_per,
    curve_of_target,
    deprivation_grid,
    exponential,
    rate_at,
)
from socgrad.estimands.level_variance import level_variance
from socgrad.ranks import weighted_quantile
from socgrad.reading.arguments import check_choice
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import Geography, geography
from socgrad.reading.posterior import Coefficients, coefficients, labelled, require_authorities
from socgrad.reading.support import areas_near_mean, areas_of, count_near, warn_if_thin

__all__ = ["expected_rate", "integrated_rate_at"]

type RateTarget = Literal["average", "each", "new", "integrated"]


@by_stratum
def expected_rate(
    fit: xr.DataTree,
    *,
    deprivation: float | Sequence[float] | None = None,
    target: RateTarget = "average",
    authority_mean: float | Sequence[float] | None = None,
    authority_quantiles: float | Sequence[float] | None = None,
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
        10th, 50th and 90th percentiles. A table without deprivation has one rate for all.
    target
        Whose rate: "average", an authority without effects of its own; "each", every observed
        authority at its own mean with its own effects; "new", an authority that was not observed,
        its effects drawn from their joint normal distribution, one pair per draw; "integrated", the
        mean rate of all authorities that there could be, over that distribution.
    authority_mean
        Mean deprivation of the authority, proportions within 0-1, for all but "each". By default
        the national mean.
    authority_quantiles
        The same as child-weighted quantiles of authority means, shares within 0-1: (0.1, 0.9) for
        the affluent and the deprived authority of a tenth, (1/6, 1/2, 5/6) for the middles of
        thirds.
    rate_per
        Units of exposure that a rate counts, above 0.
    random_seed
        For "new" only, a whole number from 0. With several strata a new authority has effects in
        each: correlated as fitted in a joint fit, independent in others.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, [authority or authority_mean,] deprivation; authority_mean only where it
        (or quantiles) were given, deprivation only where the table has it. Attrs estimand
        ("expected_rate_new" for a new authority, "expected_rate_integrated"), units, per,
        reference.

    Raises
    ------
    EstimandError
        If a value of `deprivation` or `authority_mean` is no proportion; if `target` is unknown; if
        `authority_mean` is given with target "each", or along with `authority_quantiles`; if those
        are no shares; if `rate_per` is not above 0.
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
    means apart, the national mean c. Where the gradient is non-linear, times exp(departure(x)), the
    same in every authority. Integrated over authorities, it is that of an authority
    without effects times exp(v(x) / 2), v(x) being the variance of authorities' log rates there::

        v(x) = level_sd**2 + 2 correlation level_sd slope_sd w + slope_sd**2 w**2,
        w    = (x - m) / per

    and region_sd**2 more in v(x) where the model has regions: "new" and "integrated" are of regions
    that were not observed either, "average" is of no region, "each" of its own.

    Interpretation
    --------------
    How many events to expect among 10,000 children of neighbourhoods like this one. The "average"
    authority, whose effects are 0, is the one in the middle: as many authorities of its mean have
    lower rates as have higher ones. The mean rate of such authorities, "integrated", is higher,
    since rates are skewed. The intervals of both say how well the middle one and the mean are
    known; that of "new" also holds how much authorities differ.

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
    check_choice("target", target, ("average", "each", "new", "integrated"))
    if target == "integrated":
        require_authorities(terms, "target='integrated'")
    authority_mean = _means(land, authority_mean, authority_quantiles)
    curve, reference = curve_of_target(
        terms,
        land,
        target="average" if target == "integrated" else target,
        authority_mean=authority_mean,
        random_seed=random_seed,
    )
    _warn_of_support(terms, land, x, target, authority_mean)
    rate = integrated_rate_at(terms, curve, x) if target == "integrated" else rate_at(curve, x)
    if not land.has_deprivation:
        rate = rate.isel(deprivation=0, drop=True)
    if target == "integrated":
        reference = reference.replace("an authority without effects", "the mean of all authorities")
    return labelled(
        check_rate_per(rate_per) * rate,
        fit,
        estimand="expected_rate" if target in ("average", "each") else f"expected_rate_{target}",
        units=f"events per {rate_per:,g} of exposure",
        per=land.per,
        reference=reference,
    )


def integrated_rate_at(
    terms: Coefficients, curve: Curve, deprivation: xr.DataArray
) -> xr.DataArray:
    """Mean over all authorities of a mean deprivation, given the curve of one without effects."""
    w = (deprivation - curve.origin) / curve.per
    rate: xr.DataArray = rate_at(curve, deprivation) * exponential(level_variance(terms, w) / 2)
    return rate


def _means(
    land: Geography,
    authority_mean: float | Sequence[float] | None,
    authority_quantiles: float | Sequence[float] | None,
) -> float | Sequence[float] | None:
    """Means asked for, by themselves or as quantiles of the fit's authorities."""
    if authority_quantiles is None:
        return authority_mean
    if authority_mean is not None:
        raise EstimandError(
            "authority_mean and authority_quantiles were both given, and both say which mean "
            "deprivation the authority has. Give one of them."
        )
    land.require_deprivation()
    means: list[float] = weighted_quantile(
        land.authority_mean, land.authority_children, authority_quantiles
    ).tolist()
    return means


def _warn_of_support(
    terms: Coefficients,
    land: Geography,
    x: xr.DataArray,
    target: RateTarget,
    authority_mean: float | Sequence[float] | None,
) -> None:
    """Count the neighbourhoods behind each deprivation, where the target's authorities are."""
    if not land.has_deprivation:
        return
    if target == "each":
        points = []  # of each authority the deprivation that it backs least
        for j, label in enumerate(land.authority_mean["authority"].to_numpy().tolist()):
            counts = count_near(land, areas_of(land, j), x.values)
            least = int(counts.argmin())
            points.append((f"deprivation {x.values[least]:.3g} in {label}", int(counts[least])))
        warn_if_thin(land, points)
        return
    if terms.is_alone or not terms.has_split:
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
