"""What if an authority were less deprived, or had another's gradient: the model's answer.

A scenario is a fit like any other, in which one authority is altered: every estimand reads it.
"""

from collections.abc import Hashable

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.aggregates import authority_rates
from socgrad.estimands.curves import check_rate_per, curve_of, curves_of_all
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import Geography, geography
from socgrad.reading.posterior import (
    Coefficients,
    coefficients,
    labelled,
    require_authorities,
    require_deprivation,
)

__all__ = ["scenario", "what_if"]


@by_stratum
def what_if(
    fit: xr.DataTree,
    authority: Hashable,
    *,
    shift: float = 0.0,
    times: float = 1.0,
    slope_of: Hashable | None = None,
    average_slope: bool = False,
    exposure: float | None = None,
    rate_per: float = 10_000,
) -> xr.Dataset:
    """Compute an authority's rate or events as they are, as they would be, and the difference.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    authority
        Label of the authority that is altered.
    shift
        Deprivation added to each of its neighbourhoods, a proportion: -0.05 makes all of them five
        points less deprived, and so the authority's mean. None may leave 0-1.
    times
        Factor of each neighbourhood's deprivation, above 0: 0.8 makes all of them, and the mean, a
        fifth less deprived, the poorest by most points. With `shift` it comes first.
    slope_of
        Label of an authority whose gradient it takes.
    average_slope
        Whether it takes the gradient of the average authority (as `gradient(fit)` gives).
    exposure
        Children (units of exposure) of the authority that events are stated for, above 0: then the
        answer is in events. By default it is a rate.
    rate_per
        Units of exposure that a rate counts, above 0.

    Returns
    -------
    xarray.Dataset
        Draws, dims chain, draw: `as_is`, `as_if`, `difference` (as if minus as is) and `ratio` (as
        if over as is). Each with attrs estimand, units, per, reference.

    Raises
    ------
    EstimandError
        If nothing is altered, or two gradients are asked for; if an authority is unknown or without
        exposure; if a neighbourhood would leave 0-1; if the fit has no deprivation, or one gradient
        for all; if `exposure` or `rate_per` is not above 0.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ``sum of N_i rate_i / sum of N_i`` over the authority's neighbourhoods, with its own level
    effect. With a shift, x_i and m_j move together: within parts w_i stay, the between part b_j
    moves by shift / per, so the level moves by the between coefficient (and the slope by the
    cross-level one). With another gradient the line is turned about the authority's mean
    deprivation, where its rate stays.

    Interpretation
    --------------
    A shift answers what the model expects of an authority like this one with those neighbourhoods.
    That is a comparison of places, not what a change of policy or of incomes would bring about:
    authorities differ in more than deprivation.

    Examples
    --------
    >>> from socgrad.estimands.what_if import what_if
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.tables.summaries import summarise
    >>> changed = what_if(example_fit(), "Elmstone", times=0.8)
    >>> summarise(changed)["estimate"].round(2).tolist()
    [113.02, 91.63, -21.92, 0.81]
    """
    words = _words(authority, shift, times, slope_of, average=average_slope)
    altered = scenario(
        fit, authority, shift=shift, times=times, slope_of=slope_of, average_slope=average_slope
    )
    rates = []
    for tree in (fit, altered):
        terms, land = coefficients(tree), geography(tree)
        if land.authority_exposure[land.position(authority)] == 0:
            raise EstimandError(
                f"Authority {authority!r} has no exposure in this fit, so no rate of its own. "
                "Ask for its line: expected_rate(scenario(...), target='each')."
            )
        rates.append(
            authority_rates(terms, land, own_effects=True).sel(authority=authority, drop=True)
        )
    if exposure is None:
        factor, units = check_rate_per(rate_per), f"events per {rate_per:,g} of exposure"
    elif 0 < exposure < np.inf:
        factor, units = exposure, f"events of {exposure:,g} of exposure"
    else:
        raise EstimandError(
            f"exposure is {exposure:g}; expected the authority's units of exposure, above 0."
        )
    before, after = (factor * rate for rate in rates)
    parts = {
        "as_is": (before, units, str(authority), None),
        "as_if": (after, units, words, None),
        "difference": (after - before, units, f"{words}, minus as it is", 0.0),
        "ratio": (after / before, "ratio of rates", f"{words}, over as it is", 1.0),
    }
    return xr.Dataset(
        {
            name: labelled(
                draws,
                fit,
                estimand=name,
                units=unit,
                per=geography(fit).per,
                reference=reference,
                null=null,
            )
            for name, (draws, unit, reference, null) in parts.items()
        }
    )


def scenario(
    fit: xr.DataTree,
    authority: Hashable,
    *,
    shift: float = 0.0,
    times: float = 1.0,
    slope_of: Hashable | None = None,
    average_slope: bool = False,
) -> xr.DataTree:
    """Alter one authority of a fit, so that any estimand says what would follow.

    Parameters
    ----------
    fit, authority, shift, times, slope_of, average_slope
        As in `socgrad.predictions.what_if`; of a fit without strata.

    Returns
    -------
    xarray.DataTree
        A fit in which the authority's deprivation, or its slope effect, is altered; attrs
        `scenario` says how. It holds no counts, since none were observed there. The national mean
        stays what it was: it is the reference value of the fit.

    Raises
    ------
    EstimandError
        As in `socgrad.predictions.what_if`.
    SchemaError
        If `fit` is not a socgrad fit.

    Examples
    --------
    >>> from socgrad.estimands.gradients import gradient
    >>> from socgrad.estimands.what_if import scenario
    >>> from socgrad.reading.example import example_fit
    >>> turned = scenario(example_fit(), "Corham", slope_of="Ashby")
    >>> steep = gradient(turned, target="each").median(("chain", "draw"))
    >>> bool(steep.sel(authority="Corham") == steep.sel(authority="Ashby"))
    True
    """
    words = _words(authority, shift, times, slope_of, average=average_slope)
    terms, land = coefficients(fit), geography(fit)
    require_deprivation(terms, "what_if")
    # What a change of its mean does to an authority's level is what `between` says.
    require_authorities(terms, "what_if")
    j = land.position(authority)
    tree = xr.DataTree.from_dict(
        {name: fit[name].to_dataset() for name in ("posterior", "constant_data")}
    )
    tree.attrs = {
        name: value
        for name, value in fit.attrs.items()
        if name not in ("data_sha256", "rows", "ledger")
    }
    tree.attrs["scenario"] = words
    if shift or times != 1:
        moved = times * land.deprivation + shift
        tree["constant_data"] = xr.DataTree(_moved(fit, land, j, moved, pooled=terms.is_pooled))
    if slope_of is not None or average_slope:
        tree["posterior"] = xr.DataTree(_turned(fit, terms, geography(tree), j, slope_of))
    return tree


def _words(
    authority: Hashable, shift: float, times: float, slope_of: Hashable | None, *, average: bool
) -> str:
    """Say what is altered, or refuse what is nothing or contradicts itself."""
    if slope_of is not None and average:
        raise EstimandError(
            "slope_of and average_slope=True both say which gradient the authority takes. Give one."
        )
    if not (np.isfinite(shift) and 0 < times < np.inf):
        raise EstimandError(
            f"shift is {shift:g} and times {times:g}; expected a proportion, such as -0.05, and a "
            "factor above 0, such as 0.8."
        )
    parts = []
    if times != 1:
        parts.append(f"every neighbourhood's deprivation times {times:g}")
    if shift:
        parts.append(f"every neighbourhood's deprivation {100 * shift:+g} points")
    if slope_of is not None:
        parts.append(f"with the gradient of {slope_of}")
    if average:
        parts.append("with the average gradient")
    if not parts:
        raise EstimandError(
            "Nothing is altered. Say what if: shift=-0.05, times=0.8, slope_of='another "
            "authority', or average_slope=True."
        )
    return f"{authority}, {', '.join(parts)}"


def _moved(
    fit: xr.DataTree,
    land: Geography,
    j: int,
    moved: npt.NDArray[np.float64],
    *,
    pooled: bool,
) -> xr.Dataset:
    """The constants with one authority's deprivation moved to where `moved` says."""
    own = land.authority_of_area == j
    outside = int(((moved[own] < 0) | (moved[own] > 1)).sum())
    if outside:
        x = land.deprivation[own]
        raise EstimandError(
            f"{outside} of {own.sum()} neighbourhoods would leave 0-1: their deprivation runs from "
            f"{x.min():.3g} to {x.max():.3g}, and would run from {moved[own].min():.3g} to "
            f"{moved[own].max():.3g}. Choose a smaller shift, or a factor: times=0.8."
        )
    data = fit["constant_data"].to_dataset()
    deprivation = np.where(own, moved, land.deprivation)
    mean = land.authority_mean.to_numpy().copy()
    mean[j] = np.average(moved[own], weights=land.children[own])
    changed = {"deprivation": deprivation, "authority_mean": mean}
    # In a pooled model deprivation is measured from the national mean, which stays.
    origin = land.national_mean if pooled else mean[j]
    within = (moved - origin) / land.per
    changed["within_part"] = np.where(own, within, land.within_part)
    if not pooled:
        changed["between_part"] = np.where(
            np.arange(mean.size) == j,
            (mean[j] - land.national_mean) / land.per,
            land.between_part.to_numpy(),
        )
    return data.assign({name: data[name].copy(data=value) for name, value in changed.items()})


def _turned(
    fit: xr.DataTree,
    terms: Coefficients,
    land: Geography,
    j: int,
    slope_of: Hashable | None,
) -> xr.Dataset:
    """The posterior with one authority's line turned about its own mean deprivation."""
    if not (terms.has_own_slopes or terms.has_cross_level):
        raise EstimandError(
            "This fit has one gradient for all authorities, so none to take from another. Fit a "
            "model with random_slopes=True."
        )
    source = geography(fit)
    if slope_of is None:
        wanted = terms.within
    else:
        wanted = curve_of(terms, source, slope_of, own_effects=True).slope
    lines = curves_of_all(terms, land, own_effects=True)
    now = lines.slope.isel(authority=j, drop=True)
    # Where the line is measured from elsewhere, the level there moves so that the rate at the
    # authority's own mean stays.
    lever = (land.authority_mean - land.origin).isel(authority=j, drop=True) / land.per
    here = xr.DataArray(np.arange(land.authority_mean.size) == j, dims="authority")
    labels = {"authority": land.authority_mean["authority"].to_numpy()}
    draws = fit["posterior"].to_dataset()
    for name, effect, change in (
        ("slope_effect", terms.slope_effect - terms.slope_covariates, wanted - now),
        ("level_effect", terms.level_effect - terms.level_place, (now - wanted) * lever),
    ):
        value = (effect + change * here).transpose("chain", "draw", "authority")
        draws[name] = value.drop_vars("authority", errors="ignore").assign_coords(labels)
    return draws
