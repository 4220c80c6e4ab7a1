"""Predictions: rates and counts of new places, and counts of the fitted authorities drawn again."""

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from socgrad.door.table_checks import as_pandas
from socgrad.errors import EstimandError
from socgrad.estimands.aggregates import as_draws, authority_rate_sums
from socgrad.estimands.chance import counts_about
from socgrad.estimands.curves import check_rate_per, curve_at, exponential, log_rate_at
from socgrad.estimands.level_variance import level_variance
from socgrad.estimands.locality_sums import locality_squares
from socgrad.estimands.new_authorities import new_authority_effects
from socgrad.estimands.new_covariates import added_by_covariates
from socgrad.estimands.new_places import Places, exposure_of, locality_of_rows, places_of
from socgrad.laws.draws import drawn_factors
from socgrad.reading.arguments import check_choice
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import Geography, geography
from socgrad.reading.posterior import (
    Coefficients,
    coefficients,
    labelled,
    require_authorities,
    require_effects,
)
from socgrad.reading.random_numbers import generator

__all__ = ["predict_authority_events", "predict_events", "predict_rate"]

type PlaceTarget = Literal["own", "average", "new", "integrated"]

_TARGETS = ("own", "average", "new", "integrated")
_WORDS = {
    "own": "each row's authority with its own effects",
    "average": "an authority without effects",
    "new": "new authorities, their effects drawn",
    "integrated": "the mean of all authorities",
}


@by_stratum
def predict_rate(
    fit: xr.DataTree,
    frame: object,
    *,
    deprivation: str = "deprivation",
    authority: str | None = None,
    authority_mean: str | float | None = None,
    target: PlaceTarget = "average",
    rate_per: float = 10_000,
    random_seed: int = 0,
) -> xr.DataArray:
    """Predict the expected rate of every row of a new table.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    frame
        One row per neighbourhood, as a pandas DataFrame whose row labels do not repeat, or any
        table with a ``to_pandas`` method (polars, pyarrow). No exposure is needed. In a model with
        area covariates, the columns that their formulas name are.
    deprivation
        Column of neighbourhood deprivation, proportions within 0-1.
    authority
        Column of authorities; needed for target "own", whose labels must be the fit's.
    authority_mean
        Mean deprivation of the row's authority, a proportion: a column, or one number for all rows.
        By default that of `authority`, and the national mean without one. Not with target "own".
    target
        Whose rate: "own", the row's authority with its fitted effects; "average", an authority
        without effects; "new", an authority that was not observed, effects drawn, one pair per
        draw for all rows of the same `authority` (for all rows, without that column);
        "integrated", the mean over all such authorities. In a model with covariates of authorities
        all but "own" are at their national means; in one with regions "average" is of none, and
        "new" and "integrated" are of regions that were not observed either.
    rate_per
        Units of exposure that a rate counts, above 0.
    random_seed
        For "new" only, at least 0. With several strata a new authority has effects in each:
        correlated as fitted in a joint fit, independent in others.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, row (the labels of `frame`). Attrs estimand ("predict_rate"), units, per,
        reference.

    Raises
    ------
    EstimandError
        If an option is not as above.
    TableError
        If the table or a column is not as above; the message names the rows.
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    SupportWarning
        Where fewer than 10 fitted neighbourhoods are about as deprived as a row.

    Notes
    -----
    ``rate_i = rate_per * exp(level_j + slope_j (x_i - m_j) / per)``, times exp(departure(x_i))
    where the gradient is non-linear; "integrated" times ``exp(v / 2)``, v the variance of the
    authorities' log rates at x_i.

    Interpretation
    --------------
    What to expect where nothing was counted yet, or of places as they may become. "average" is the
    authority in the middle; "integrated" is the mean, which is higher, since rates are skewed.

    Examples
    --------
    >>> import pandas as pd
    >>> from socgrad.estimands.predictions import predict_rate
    >>> from socgrad.reading.example import example_fit
    >>> places = pd.DataFrame({"deprivation": [0.1, 0.3]}, index=["leafy", "poor"])
    >>> rate = predict_rate(example_fit(), places)
    >>> rate.median(("chain", "draw")).round(1).values.tolist()
    [52.4, 159.5]
    """
    rates, _, words = _place_rates(
        fit,
        as_pandas(frame),
        deprivation=deprivation,
        authority=authority,
        authority_mean=authority_mean,
        target=target,
        random_seed=random_seed,
    )
    return labelled(
        check_rate_per(rate_per) * rates,
        fit,
        estimand="predict_rate",
        units=f"events per {rate_per:,g} of exposure",
        per=geography(fit).per,
        reference=words,
    )


@by_stratum
def predict_events(
    fit: xr.DataTree,
    frame: object,
    *,
    exposure: str | float | None = None,
    deprivation: str = "deprivation",
    authority: str | None = None,
    authority_mean: str | float | None = None,
    target: PlaceTarget = "average",
    locality: str | None = None,
    most_gigabytes: float = 1.0,
    random_seed: int = 0,
) -> xr.DataArray:
    """Predict the number of events in every row of a new table: draws of counts, chance included.

    Parameters
    ----------
    fit, frame, deprivation, authority, authority_mean, target
        As in `socgrad.predictions.predict_rate`.
    exposure
        Column of exposures, or one number that is stated for every row; above 0. There is no
        default: an exposure of the fitted table is never used for another.
    locality
        Column of localities, for a fit with localities: rows of one locality (and `authority`, if
        that is given) share a factor, drawn anew also where the fit had a locality of that name. By
        default every row is one by itself.
    most_gigabytes
        Size that the draws may have, above 0: rows times draws times 8 bytes.
    random_seed
        Of the counts (and of the effects, for "new"), at least 0.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, row (the labels of `frame`). Attrs estimand ("predict_events"), units,
        per, reference.

    Raises
    ------
    EstimandError
        If no exposure is given; if the table, a column or an option is not as above; if `locality`
        is given for a fit without localities; if the draws would be too many, or expect more events
        than can be counted.
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    SupportWarning
        Where fewer than 10 fitted neighbourhoods are about as deprived as a row.

    Notes
    -----
    ``events_i ~ Poisson(exposure_i * rate_i * g_i)``, g_i = 1, or in a negative binomial model a
    gamma variable of mean 1 and coefficient of variation `overdispersion`, one for each row; with
    localities of coefficient of variation `locality_sd`, one for each locality.

    Interpretation
    --------------
    The interval says how many events to plan for in one year like the fitted one: it holds the
    chance in a single count, which the interval of a rate leaves out. Sums over rows are sums of
    these draws, not of their limits.

    Examples
    --------
    >>> import pandas as pd
    >>> from socgrad.estimands.predictions import predict_events
    >>> from socgrad.reading.example import example_fit
    >>> places = pd.DataFrame({"deprivation": [0.1, 0.3], "children": [400, 500]})
    >>> events = predict_events(example_fit(), places, exposure="children")
    >>> events.mean(("chain", "draw")).round(0).values.tolist()
    [2.0, 8.0]
    """
    frame = as_pandas(frame)
    size = exposure_of(frame, exposure)
    terms = coefficients(fit)
    gigabytes = terms.intercept.size * len(size) * 8 / 1e9
    if not gigabytes <= most_gigabytes:
        raise EstimandError(
            f"{len(size):,} rows in {terms.intercept.size:,} draws take {gigabytes:.2g} GB, above "
            f"most_gigabytes={most_gigabytes:g}. Predict in parts, thin the draws, "
            "fit.sel(draw=slice(None, None, 4)), or allow more."
        )
    rates, places, words = _place_rates(
        fit,
        frame,
        deprivation=deprivation,
        authority=authority,
        authority_mean=authority_mean,
        target=target,
        random_seed=random_seed,
    )
    mean = rates * xr.DataArray(size, dims="row", coords={"row": places.row.to_numpy()})
    mean = mean.transpose("chain", "draw", "row")
    if terms.has_localities or locality is not None:
        mean = mean * _locality_factors(terms, frame, locality, authority, random_seed)
    spread = _overdispersion(fit) ** 2
    return labelled(
        _counts(mean, spread, _of_counts(terms, random_seed)),
        fit,
        estimand="predict_events",
        units="events",
        per=geography(fit).per,
        reference=words,
    )


@by_stratum
def predict_authority_events(
    fit: xr.DataTree, *, target: Literal["own", "average", "new"] = "own", random_seed: int = 0
) -> xr.DataArray:
    """Draw every fitted authority's number of events again, over its own neighbourhoods.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    target
        "own", each authority with its fitted effects; "average", an authority without effects in
        its place; "new", a new one in its place, effects drawn, a pair for each authority and draw.
        Covariates of authorities, and what their region adds, stay what they are in each.
    random_seed
        Of the counts and effects, at least 0.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, authority: those that have exposure. Attrs estimand
        ("predict_authority_events"), units, per, reference. Sum over authority for the nation.

    Raises
    ------
    EstimandError
        If `target` is unknown, or draws expect more events than can be counted.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    A Poisson total is Poisson about ``sum of N_i rate_i``. A negative binomial total has that mean,
    and the variance of the sum of its neighbourhoods, as in the likelihood of totals; one of
    localities the variance of the sum of its localities, whose factors are drawn anew.

    Interpretation
    --------------
    "own": next year's number, were nothing to change but chance. "new": the range of what
    authorities with these neighbourhoods have; an authority outside it differs from its like.

    Examples
    --------
    >>> from socgrad.estimands.predictions import predict_authority_events
    >>> from socgrad.reading.example import example_fit
    >>> events = predict_authority_events(example_fit())
    >>> events.sel(authority="Ashby").median().round(-1).item()
    430.0
    """
    check_choice("target", target, ("own", "average", "new"))
    terms, land = coefficients(fit), geography(fit)
    if target != "own":
        require_authorities(terms, f"target={target!r}")
    kept = land.authority_exposure > 0
    labels = land.authority_mean["authority"].to_numpy()[kept]
    words = {
        "own": "each authority's own neighbourhoods, fitted effects",
        "average": "each authority's own neighbourhoods, no effects",
        "new": "each authority's own neighbourhoods, effects drawn anew",
    }[target]
    if target == "new":
        terms = _with_new_effects(terms, land, random_seed)
    elif target == "average":
        terms = terms.without_own_effects
    mean = authority_rate_sums(terms, land, land.exposure)[0][:, kept]
    own, shared = (
        sd.broadcast_like(terms.intercept).transpose("chain", "draw").to_numpy().reshape(-1, 1) ** 2
        for sd in (_overdispersion(fit), terms.locality_sd)
    )
    squares = np.zeros((len(own), land.authority_mean.size))
    if own.any():
        # Twice the log rate, with exposure squared: sum of mu**2.
        doubled = authority_rate_sums(_doubled(terms), land, land.exposure**2)[0]
        squares += own * (1.0 + shared) * doubled
    if shared.any():
        squares += shared * locality_squares(terms, land)
    factor = xr.DataArray(squares[:, kept] / mean**2, dims=("sample", "authority"))
    return labelled(
        _counts(
            as_draws(mean, terms, "authority", labels),
            as_draws(factor.to_numpy(), terms, "authority", labels),
            _of_counts(terms, random_seed),
        ),
        fit,
        estimand="predict_authority_events",
        units="events",
        per=land.per,
        reference=words,
    )


def _place_rates(
    fit: xr.DataTree,
    frame: pd.DataFrame,
    *,
    deprivation: str,
    authority: str | None,
    authority_mean: str | float | None,
    target: PlaceTarget,
    random_seed: int,
) -> tuple[xr.DataArray, Places, str]:
    """Rates per unit of exposure (chain, draw, row), the rows, and whose rates in words."""
    check_choice("target", target, _TARGETS)
    if target == "own" and authority_mean is not None:
        raise EstimandError(
            "authority_mean was given with target='own', which has every authority at its own "
            "mean. Leave it out, choose another target, or see socgrad.predictions.what_if."
        )
    terms, land = coefficients(fit), geography(fit)
    words = _WORDS[target]
    if terms.is_alone and target != "own":
        if target != "average" or authority_mean is not None:
            require_authorities(terms, f"{target=}" if authority_mean is None else "authority_mean")
        # The average one is the only one there is, wherever the rows are.
        authority, authority_mean = None, float(land.authority_mean[0])
        words = f"{land.labels[0]}, alone"
    places = places_of(
        land,
        frame,
        deprivation=deprivation,
        authority=authority,
        authority_mean=authority_mean,
        needs_authority=target == "own",
    )
    level, slope = _effects(terms, places, target, random_seed)
    curve = curve_at(terms, land, places.authority_mean, level_effect=level, slope_effect=slope)
    w = (places.deprivation - curve.origin) / curve.per
    position = places.position if target == "own" else None
    shift, turn = added_by_covariates(fit, terms, frame, position)
    rates = exponential(log_rate_at(curve, places.deprivation) + shift + turn * w)
    if target == "integrated":
        rates = rates * exponential(level_variance(terms, w) / 2)
    return rates.broadcast_like(terms.intercept), places, words


def _effects(
    terms: Coefficients, places: Places, target: PlaceTarget, random_seed: int
) -> tuple[float | xr.DataArray, float | xr.DataArray]:
    """Level and slope effects of the authority of each row."""
    row = {"row": places.row.to_numpy()}
    if target == "own":
        require_effects(terms)
        at = xr.DataArray(places.position, dims="row", coords=row)
        own = [
            effect.isel(authority=at).drop_vars("authority", errors="ignore")
            if "authority" in effect.dims
            else effect
            for effect in (terms.level_effect, terms.slope_effect)
        ]
        return own[0], own[1]
    if target != "new":
        return 0.0, 0.0
    level, slope = new_authority_effects(terms, random_seed, number=int(places.group.max()) + 1)
    at = xr.DataArray(places.group, dims="row", coords=row)
    return level.isel(authority=at), slope.isel(authority=at)


def _with_new_effects(terms: Coefficients, land: Geography, random_seed: int) -> Coefficients:
    labels = land.authority_mean["authority"]
    level, slope = new_authority_effects(
        terms, random_seed, number=labels.size, of_known_region=True
    )
    return replace(
        terms,
        level_effect=terms.level_place + level.assign_coords(authority=labels),
        slope_effect=terms.slope_covariates + slope.assign_coords(authority=labels),
    )


def _doubled(terms: Coefficients) -> Coefficients:
    """Terms whose log rates are twice these."""
    names = ("intercept", "within", "between", "curvature", "cross_level", "level_effect")
    others = ("slope_effect", "covariate", "area_moderator", "departure")
    return replace(terms, **{name: 2 * getattr(terms, name) for name in (*names, *others)})


def _overdispersion(fit: xr.DataTree) -> xr.DataArray:
    draws = fit["posterior"].data_vars
    return draws["overdispersion"] if "overdispersion" in draws else xr.DataArray(0.0)


def _locality_factors(
    terms: Coefficients,
    frame: pd.DataFrame,
    locality: str | None,
    authority: str | None,
    random_seed: int,
) -> npt.NDArray[np.float64]:
    """Gamma factors of the localities of the rows, (chain, draw, row)."""
    if not terms.has_localities:
        raise EstimandError(
            f"locality={locality!r} was given, and this fit has no localities. Leave it out, or "
            "fit GradientModel(areas, localities=True)."
        )
    group = np.arange(len(frame))
    if locality is not None:
        group = locality_of_rows(frame, locality, authority)
    rng = generator(random_seed, terms.stratum).spawn(3)[2]
    variance = terms.locality_sd.transpose("chain", "draw").to_numpy()[..., None] ** 2
    shape = (*variance.shape[:2], int(group.max()) + 1)
    return drawn_factors(variance, shape, rng)[..., group]


def _of_counts(terms: Coefficients, random_seed: int) -> np.random.Generator:
    """Random numbers of the counts: chance in one stratum says nothing of another's."""
    return generator(random_seed, terms.stratum).spawn(2)[1]


def _counts(mean: xr.DataArray, variance: xr.DataArray, rng: np.random.Generator) -> xr.DataArray:
    """Counts about `mean`, Poisson with a gamma factor of mean 1 and variance `variance`."""
    spread = variance.broadcast_like(mean).transpose(*mean.dims).to_numpy()
    return mean.copy(data=counts_about(mean.to_numpy(), spread, rng))
