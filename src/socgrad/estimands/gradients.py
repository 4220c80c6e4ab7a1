"""Gradients: rate ratios per step of deprivation, within authorities and between them."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.aggregates import authority_rates
from socgrad.estimands.curves import (
    Curve,
    Target,
    authority_mean_grid,
    curve_of_target,
    deprivation_grid,
    exponential,
    points,
    step,
)
from socgrad.reading.arguments import check_choice
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import Geography, geography
from socgrad.reading.posterior import (
    Coefficients,
    coefficients,
    labelled,
    require_deprivation,
    require_split,
)
from socgrad.reading.support import areas_near_mean, count_near, warn_if_thin

__all__ = ["between", "gradient"]


@by_stratum
def gradient(
    fit: xr.DataTree,
    *,
    target: Target = "average",
    authority_mean: float | Sequence[float] | None = None,
    deprivation: float | Sequence[float] | None = None,
    per: float | None = None,
    random_seed: int = 0,
) -> xr.DataArray:
    """Compute the rate ratio per step of neighbourhood deprivation within an authority.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    target
        Whose gradient: "average", an authority without effects of its own; "each", every observed
        authority with its own effect; "new", an authority that was not observed, its effect drawn
        from Normal(0, slope_sd), one per draw.
    authority_mean
        Mean deprivation of the authority, proportions within 0-1, for "average" and "new". By
        default the national mean.
    deprivation
        Neighbourhood deprivation at which the gradient is taken, proportions within 0-1, for a fit
        with shape "spline", whose gradient changes along deprivation. By default the gradient of
        the straight line; where the gradient is non-linear, that is its trend.
    per
        Step of neighbourhood deprivation, proportion above 0; by default the fit's (0.10, ten
        percentage points).
    random_seed
        For "new" only, a whole number from 0. With several strata a new authority has effects in
        each: correlated as fitted in a joint fit, independent in others.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, [authority or authority_mean], [deprivation]; the last two only where they
        were given. Attrs estimand ("gradient_new" for a new authority), units, per, reference, null
        (1).

    Raises
    ------
    EstimandError
        If the model leaves deprivation out; if `target` is unknown; if `authority_mean` is given
        with target "each", or for a pooled model, whose gradient is the same everywhere by
        construction; if `deprivation` is given and the gradient is in steps (shape "tenths"), which
        have none at a point; if `authority_mean`, `deprivation` or `per` is no proportion.
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    SupportWarning
        Where fewer than 10 neighbourhoods lie in authorities within a quarter step of
        `authority_mean`, or within a quarter step of `deprivation`.

    Notes
    -----
    ::

        gradient_j    = exp(slope_j * per / fit's per)
        gradient_j(x) = exp(slope_j * per / fit's per + per * departure'(x))

    with the derivative of the departure from the line, the same in every authority. Without random
    slopes "new" equals "average", and "each" varies with authority deprivation alone. In a pooled
    model the gradient mixes the within and the between part.

    Interpretation
    --------------
    1.6 means that in one and the same authority a neighbourhood ten points more deprived than
    another has 60% more events per child; 1 means no gradient. The interval of "average" says how
    well the average gradient is known; that of "new" also holds how much authorities differ.

    References
    ----------
    Bell, Fairbrother & Jones 2019, Quality & Quantity 53, https://doi.org/10.1007/s11135-018-0802-x.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.estimands.gradients import gradient
    >>> gradient(example_fit()).median().round(2).item()
    1.73
    >>> steep = gradient(example_fit(), target="each")
    >>> steep.median(("chain", "draw")).round(2).sel(authority=["Ashby", "Corham"]).values.tolist()
    [1.89, 1.57]
    """
    terms, land = coefficients(fit), geography(fit)
    require_deprivation(terms, "gradient")
    if terms.is_pooled and authority_mean is not None and target != "each":
        raise EstimandError(
            "authority_mean was given for a pooled model, whose gradient is the same at every "
            "authority mean by construction. Leave it out, or fit a model with deprivation='split'."
        )
    curve, whose = curve_of_target(
        terms, land, target=target, authority_mean=authority_mean, random_seed=random_seed
    )
    if target == "new" and not terms.has_slopes:
        whose += " (as the average one: the model has no random slopes)"
    if authority_mean is not None:
        _warn_of_support(land, authority_mean)
    slope = curve.slope
    if deprivation is not None:
        slope = _slope_at(curve, land, deprivation_grid(land, deprivation))
        whose += ", at that neighbourhood deprivation"
    elif terms.has_departures:
        whose += " (the trend: the straight line nearest to the curve)"
    to = step(land, per)
    return labelled(
        exponential(slope * (to / land.per)),
        fit,
        estimand="gradient_new" if target == "new" else "gradient",
        units=f"rate ratio per {points(to)} of neighbourhood deprivation",
        per=to,
        reference=f"the less deprived neighbourhood of {whose}",
        null=1.0,
    )


@by_stratum
def between(
    fit: xr.DataTree,
    *,
    scale: Literal["coefficient", "rates"] = "coefficient",
    per: float | None = None,
) -> xr.DataArray:
    """Compute the rate ratio per step of authority mean deprivation.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    scale
        "coefficient": compares neighbourhoods that are at their authority's mean; "rates": compares
        whole authorities, as their published rates would. The two are different quantities with
        different labels: do not tabulate them under one name.
    per
        Step of authority mean deprivation, proportion above 0; by default the fit's (0.10, ten
        percentage points).

    Returns
    -------
    xarray.DataArray
        Dims chain, draw. Attrs estimand ("between_rates" on that scale), units, per, reference,
        null (1).

    Raises
    ------
    EstimandError
        If the model leaves deprivation or the split out; if `scale` is unknown; if `per` is no
        proportion; on the scale of rates, if fewer than two authorities have exposure.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        coefficient  exp(between)
        rates        exp of the child-weighted least-squares slope, in each draw, of
                     log(sum of N_i rate_i / sum of N_i) on b_j, over each authority's real
                     neighbourhoods, authority effects set aside

    The two differ because an authority's rate is a mean of exponentials: it rises with the spread
    of deprivation within the authority (in England, wider in deprived ones). With curvature, the
    coefficient is the slope at the national mean (b = 0), the rates' slope an average. Both leave
    the authorities' own effects out, so that both say what another set of authorities would show.
    An authority without exposure has no rate, and no part in the slope of rates.

    Interpretation
    --------------
    1.4 means that authorities ten points more deprived on average have 40% more events per child.
    That holds the effect of who lives there as well as of the authority: see
    `socgrad.inverse_intervention` for the latter.

    References
    ----------
    Bell, Fairbrother & Jones 2019, Quality & Quantity 53, https://doi.org/10.1007/s11135-018-0802-x.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.estimands.gradients import between
    >>> between(example_fit()).median().round(2).item()
    1.39
    >>> between(example_fit(), scale="rates").median().round(2).item()
    1.23
    """
    terms, land = coefficients(fit), geography(fit)
    require_split(terms, "between")
    check_choice("scale", scale, ("coefficient", "rates"))
    if scale == "coefficient":
        slope, ratio = terms.between, "rate ratio of neighbourhoods at their authority's mean"
        reference = "neighbourhoods at their authority's mean, in the less deprived authority"
        if terms.has_curvature:
            reference += "; the slope at the national mean, since the model has curvature"
        if terms.has_departures:
            reference += "; on the straight line nearest to the curve"
    else:
        slope, ratio = _slope_of_rates(terms, land), "ratio of whole authorities' rates"
        reference = "the rate of the less deprived authority, without authority effects"
    to = step(land, per)
    return labelled(
        exponential(slope * (to / land.per)),
        fit,
        estimand="between" if scale == "coefficient" else "between_rates",
        units=f"{ratio}, per {points(to)} of authority mean deprivation",
        per=to,
        reference=reference,
        null=1.0,
    )


def _slope_at(curve: Curve, land: Geography, x: xr.DataArray) -> xr.DataArray:
    """Log gradient per step of the fit at deprivations: the line's, and what a spline adds."""
    bend = curve.bend
    if bend is not None and not bend.departures.is_spline:
        raise EstimandError(
            "deprivation was given for a fit with shape='tenths', and steps have no gradient at a "
            "point: rates jump between tenths. Compare two deprivations, socgrad.shapes."
            "deprivation_ratio(fit, deprivation=0.3, reference=0.2), or fit shape='spline'."
        )
    counts = count_near(land, land.has_data, x.to_numpy())
    warn_if_thin(
        land,
        [
            (f"deprivation {value:.3g}", int(count))
            for value, count in zip(x.values, counts, strict=True)
        ],
    )
    if bend is None:
        return curve.slope * xr.ones_like(x)
    return curve.slope + bend.slope_at(x, per=land.per)


def _warn_of_support(land: Geography, authority_mean: float | Sequence[float]) -> None:
    """Count the neighbourhoods of authorities near each mean."""
    means = authority_mean_grid(authority_mean).to_numpy().tolist()
    warn_if_thin(
        land,
        [(f"authority mean {mean:.3g}", int(areas_near_mean(land, mean).sum())) for mean in means],
    )


def _slope_of_rates(terms: Coefficients, land: Geography) -> xr.DataArray:
    """Child-weighted least-squares slope of log authority rates on b_j, in each draw."""
    kept = land.authority_exposure > 0
    if kept.sum() < 2:
        raise EstimandError(
            f"scale='rates' compares the rates of authorities, and {kept.sum()} of {kept.size} has "
            "exposure. Choose scale='coefficient', or fit a table with exposure in two or more."
        )
    rates = authority_rates(terms, land, own_effects=False)
    weight = land.authority_children[kept] / land.authority_children[kept].sum()
    b = land.between_part.to_numpy()[kept]
    centred = b - weight @ b
    share = weight * centred / (weight @ centred**2)
    log_rates = xr.apply_ufunc(np.log, rates)
    slope: xr.DataArray = (xr.DataArray(share, dims="authority") * log_rates).sum("authority")
    return slope
