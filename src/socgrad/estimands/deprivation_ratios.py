"""Ratios of rates along deprivation, within an authority and off the log-linear line."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import xarray as xr

from socgrad.departures import Departures
from socgrad.errors import EstimandError
from socgrad.estimands.curves import (
    Target,
    bend_of,
    curve_of_target,
    deprivation_grid,
    exponential,
    log_rate_at,
)
from socgrad.ranks import weighted_quantile
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import Geography, geography
from socgrad.reading.posterior import coefficients, labelled, require_deprivation
from socgrad.reading.support import count_near, warn_if_thin
from socgrad.within_between import weighted_means

__all__ = ["departure_from_line", "deprivation_ratio", "of_tenths"]

#: Shares of children below the middles of tenths.
_MIDDLES: Final = tuple((2 * k + 1) / 20 for k in range(10))


@by_stratum
def deprivation_ratio(
    fit: xr.DataTree,
    *,
    deprivation: float | Sequence[float] | None = None,
    reference: float | None = None,
    target: Target = "average",
    authority_mean: float | None = None,
    random_seed: int = 0,
) -> xr.DataArray:
    """Compute the rate ratio of neighbourhoods of two deprivations within an authority.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    deprivation
        Neighbourhood deprivation, proportions within 0-1; by default the national 90th percentile
        of children.
    reference
        Deprivation of the neighbourhood in the denominator, a proportion; by default the national
        10th percentile.
    target
        Whose neighbourhoods: those of an authority without effects ("average"), of every observed
        one ("each"), or of a new one, its effects drawn ("new").
    authority_mean
        Mean deprivation of the authority, a proportion, for "average" and "new"; by default the
        national mean.
    random_seed
        For "new" only, a whole number from 0. With several strata a new authority has effects in
        each: correlated as fitted in a joint fit, independent in others.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, [authority or authority_mean], deprivation. Attrs estimand, units, per,
        reference, null (1).

    Raises
    ------
    EstimandError
        If the model leaves deprivation out; if an option is unknown or no proportion; if
        `authority_mean` is given with target "each"; if `reference` is not one number.
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    SupportWarning
        Where fewer than 10 neighbourhoods lie within a quarter step of either deprivation.

    Notes
    -----
    ``exp(slope_j (x - x0) / per + departure(x) - departure(x0))`` for deprivation x over x0, the
    departures 0 where the gradient is a line. Over ten points of a line it is the gradient.

    Interpretation
    --------------
    12 means that within one authority a neighbourhood as deprived as x has 12 times as many events
    per child as one as deprived as x0. Unlike the gradient it takes no straight line for granted:
    of a fit with steps or a spline it follows the curve.

    References
    ----------
    Bell, Fairbrother & Jones 2019, Quality & Quantity 53, https://doi.org/10.1007/s11135-018-0802-x.

    Examples
    --------
    >>> from socgrad.reading.departure_example import bent_example_fit
    >>> from socgrad.estimands.deprivation_ratios import deprivation_ratio
    >>> ratio = deprivation_ratio(bent_example_fit(), deprivation=[0.2, 0.3], reference=0.1)
    >>> ratio.median(("chain", "draw")).round(2).values.tolist()
    [2.36, 3.7]
    """
    terms, land = coefficients(fit), geography(fit)
    require_deprivation(terms, "deprivation_ratio")
    ends = weighted_quantile(land.deprivation, land.children, (0.1, 0.9))
    x = deprivation_grid(land, float(ends[1]) if deprivation is None else deprivation)
    below = deprivation_grid(land, float(ends[0]) if reference is None else reference)
    if below.size != 1:
        raise EstimandError(
            f"reference has {below.size} values; expected one deprivation, with which all others "
            "are compared."
        )
    curve, whose = curve_of_target(
        terms, land, target=target, authority_mean=authority_mean, random_seed=random_seed
    )
    _warn_of_support(land, np.append(x.to_numpy(), below.item()))
    log_ratio = log_rate_at(curve, x) - log_rate_at(curve, below.item())
    return labelled(
        exponential(log_ratio),
        fit,
        estimand="deprivation_ratio_new" if target == "new" else "deprivation_ratio",
        units=f"rate ratio to a neighbourhood of deprivation {below.item():.3g}",
        per=land.per,
        reference=f"a neighbourhood of deprivation {below.item():.3g} of {whose}",
        null=1.0,
    )


@by_stratum
def departure_from_line(
    fit: xr.DataTree, *, deprivation: float | Sequence[float] | None = None
) -> xr.DataArray:
    """Compute how far rates lie off the log-linear line: the ratio to the line's rate.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`, of a
        model with shape "tenths" or "spline".
    deprivation
        Neighbourhood deprivation, proportions within 0-1; by default one in each child-weighted
        tenth of neighbourhoods: its mean, or of a spline its median.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, deprivation. Attrs estimand, units, per, reference, null (1).

    Raises
    ------
    EstimandError
        If the gradient of the model is a line by construction; if `deprivation` is no proportion.
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    SupportWarning
        Where fewer than 10 neighbourhoods lie within a quarter step of a deprivation; of steps, in
        its tenth.

    Notes
    -----
    ``exp(departure(x))``, the same in every authority. Over the nation's children the departure is
    orthogonal to a constant and to x: the line is the one nearest to the curve. Beyond its outer
    knots a spline goes on straight (on the scale of log rates), and so do steps beyond the outer
    tenths.

    Interpretation
    --------------
    All ratios near 1: "so much more per ten points" says what there is to say, and the gradient may
    be quoted as one number. 0.85 at the most deprived end: rates there are 15% below what the line
    makes of them, because the gradient flattens. A ratio whose interval holds 1 may still be off;
    one that is surely off by 2% need not matter.

    References
    ----------
    Harrell 2015, Regression Modeling Strategies, https://doi.org/10.1007/978-3-319-19425-7.

    Examples
    --------
    >>> from socgrad.reading.departure_example import bent_example_fit
    >>> from socgrad.estimands.deprivation_ratios import departure_from_line
    >>> off = departure_from_line(bent_example_fit(), deprivation=[0.05, 0.2, 0.4])
    >>> off.median(("chain", "draw")).round(2).values.tolist()
    [0.79, 1.31, 0.66]
    """
    terms, land = coefficients(fit), geography(fit)
    bend = bend_of(terms, land)
    if bend is None:
        raise EstimandError(
            "departure_from_line is 1 by construction: this model's gradient is a line. Fit one "
            "with GradientModel(areas, shape='spline') or shape='tenths'."
        )
    x = deprivation_grid(
        land, of_tenths(land, bend.departures) if deprivation is None else deprivation
    )
    _warn_of_support(
        land, x.to_numpy(), steps=None if bend.departures.is_spline else bend.departures
    )
    return labelled(
        exponential(bend.at(x)),
        fit,
        estimand="departure_from_line",
        units="ratio to the rate on the log-linear line",
        per=land.per,
        reference="the straight line nearest to the curve, same deprivation, same authority",
        null=1.0,
    )


def of_tenths(land: Geography, departures: Departures) -> list[float]:
    """One deprivation in each child-weighted tenth: its mean, or the median of a spline's."""
    if departures.is_spline:
        middles = weighted_quantile(land.deprivation, land.children, _MIDDLES)
        values: list[float] = np.unique(middles).tolist()
        return values
    tenth = departures.tenth_of(land.deprivation) - 1
    number = len(departures.places) + 1
    means: list[float] = weighted_means(land.deprivation, land.children, tenth, number).tolist()
    return means


def _warn_of_support(
    land: Geography, deprivation: np.ndarray, *, steps: Departures | None = None
) -> None:
    """Count the neighbourhoods near each deprivation, of steps those in its tenth."""
    seen = land.deprivation[land.has_data]
    if steps is None:
        counts = count_near(land, land.has_data, deprivation)
    else:
        number = np.bincount(steps.tenth_of(seen), minlength=len(steps.places) + 2)
        inside = (deprivation >= seen.min()) & (deprivation <= seen.max())
        counts = np.where(inside, number[steps.tenth_of(deprivation)], 0)
    warn_if_thin(
        land,
        [
            (f"deprivation {value:.3g}", int(count))
            for value, count in zip(deprivation.tolist(), counts, strict=True)
        ],
    )
