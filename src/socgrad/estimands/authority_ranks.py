"""Ranks of authorities by their gradients, never without how sure they are."""

from collections.abc import Hashable
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.aggregates import as_draws, line_draws
from socgrad.estimands.curves import curve_at
from socgrad.estimands.gradients import gradient
from socgrad.reading.arguments import check_choice
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.posterior import (
    Coefficients,
    Geography,
    coefficients,
    geography,
    labelled,
    require_deprivation,
)

__all__ = ["authority_ranks", "pairwise_steeper", "steeper_than"]


@by_stratum
def authority_ranks(
    fit: xr.DataTree,
    *,
    top: int = 10,
    average: Literal["nation", "own_mean"] = "nation",
    per: float | None = None,
) -> xr.Dataset:
    """Compute each authority's gradient with its rank, and the probabilities that ranks need.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    top
        How many of the steepest authorities count as the top, from 1 to their number less 1.
    average
        Whose gradient an authority is held against: "nation", the average authority at the national
        mean deprivation; "own_mean", the average authority of the same mean deprivation (and of
        average covariates).
    per
        Step of neighbourhood deprivation of the gradient, proportion above 0; by default the fit's
        (0.10, ten percentage points).

    Returns
    -------
    xarray.Dataset
        `gradient`: rate ratio per step; `gradient_rank`: 1 for the steepest; `steeper_than_average`
        and `in_top`: 1 where it is so, else 0, so that their means are probabilities. Dims chain,
        draw, authority. Attrs of each estimand, units, per, reference, null (1, `gradient` alone)
        and indicator (1, the last two).

    Raises
    ------
    EstimandError
        If the model leaves deprivation out; if every authority has the same gradient by
        construction; if `average` is "own_mean" without random slopes; if `average` is unknown;
        if `top` is no whole number in its range; if `per` is no proportion.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    Ranks are taken draw by draw. An authority's median rank is therefore not its rank among the
    medians: where authorities are hard to tell apart, median ranks crowd in the middle and their
    intervals are wide. With as many neighbourhoods as an authority has, most are.

    Interpretation
    --------------
    A rank of 12 with an interval from 3 to 60 says that this authority's gradient is among the
    steeper ones, and not that it is the twelfth. `in_top` of 0.4: it belongs to the steepest ten
    with a probability of 40%. A steep gradient is neither good nor bad in itself.

    References
    ----------
    Goldstein & Spiegelhalter 1996, Journal of the Royal Statistical Society A 159(3),
    https://doi.org/10.2307/2983325.

    Examples
    --------
    >>> from socgrad.estimands.authority_ranks import authority_ranks
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.tables.summaries import summarise
    >>> ranks = authority_ranks(example_fit(), top=1)
    >>> ashby = summarise(ranks).xs("authority=Ashby", level="at")
    >>> ashby.loc["gradient_rank", ["estimate", "lower", "upper"]].tolist()
    [1.0, 1.0, 2.0]
    >>> ashby.loc["in_top", "estimate"].round(2).item()
    0.72
    """
    terms, land = coefficients(fit), geography(fit)
    _require_ranks(terms, "authority_ranks")
    check_choice("average", average, ("nation", "own_mean"))
    number = land.authority_mean.size
    if not (1 <= top < number and top == int(top)):
        raise EstimandError(
            f"top is {top}; expected a whole number from 1 to {number - 1}, how many of {number} "
            "authorities count as the steepest."
        )
    slope = line_draws(terms, land, own_effects=True)[1]
    rank = 1 + np.argsort(np.argsort(-slope, axis=1), axis=1)
    if average == "nation":
        usual = curve_at(terms, land, land.national_mean).slope
        steeper = _along(slope, terms, land) > usual
        whose = "the average authority at the national mean deprivation"
    else:
        if not terms.has_own_slopes:
            raise EstimandError(
                "average='own_mean' compares an authority with the average one of its mean "
                "deprivation, and without random slopes the two are the same. Fit a model with "
                "random_slopes=True, or use average='nation'."
            )
        steeper, whose = terms.slope_effect > 0, "the average authority of its mean deprivation"
    steep = gradient(fit, target="each", per=per)
    among = f"rank among {number} authorities by gradient, 1 the steepest"
    made = xr.Dataset({"gradient": steep})
    for name, values, units, reference in (
        ("gradient_rank", _along(rank, terms, land), among, "all authorities of the fit"),
        ("steeper_than_average", steeper, "probability of a steeper gradient", whose),
        (
            "in_top",
            _along(rank <= top, terms, land),
            f"probability of being among the {top} steepest",
            "all authorities of the fit",
        ),
    ):
        made[name] = labelled(
            values.astype(float),
            fit,
            estimand=name,
            units=units,
            per=steep.attrs["per"],
            reference=reference,
        )
    for name in ("steeper_than_average", "in_top"):
        made[name].attrs["indicator"] = 1
    return made


@by_stratum
def steeper_than(fit: xr.DataTree, *, authority: Hashable) -> xr.DataArray:
    """Compute whether each authority's gradient is steeper than that of a named one.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    authority
        Label of the authority that the others are held against.

    Returns
    -------
    xarray.DataArray
        1 where it is so, else 0, so that means are probabilities; dims chain, draw, authority (the
        others). Attrs estimand, units, per, reference, indicator (1).

    Raises
    ------
    EstimandError
        If the model leaves deprivation out; if every authority has the same gradient by
        construction; if the authority is not in the fit.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    Draws of two authorities are compared within a draw, so what both share counts for neither. For
    all pairs at once see `socgrad.pairwise_steeper`.

    Interpretation
    --------------
    0.9: nine to one that this authority's gradient is steeper than the named one's.

    References
    ----------
    Goldstein & Spiegelhalter 1996, Journal of the Royal Statistical Society A 159(3),
    https://doi.org/10.2307/2983325.

    Examples
    --------
    >>> from socgrad.estimands.authority_ranks import steeper_than
    >>> from socgrad.reading.example import example_fit
    >>> steeper = steeper_than(example_fit(), authority="Corham")
    >>> steeper.mean(("chain", "draw")).sel(authority="Ashby").item()
    1.0
    """
    terms, land = coefficients(fit), geography(fit)
    _require_ranks(terms, "steeper_than")
    at = land.position(authority)
    slope = line_draws(terms, land, own_effects=True)[1]
    others = np.flatnonzero(np.arange(slope.shape[1]) != at)
    steeper = (slope[:, others] > slope[:, [at]]).astype(float)
    made = labelled(
        as_draws(steeper, terms, "authority", _labels(land)[others]),
        fit,
        estimand="steeper_than",
        units="probability of a steeper gradient",
        per=land.per,
        reference=f"the gradient of {authority}",
    )
    made.attrs["indicator"] = 1
    return made


def pairwise_steeper(fit: xr.DataTree) -> pd.DataFrame:
    """Compute for every pair of authorities the probability that one has the steeper gradient.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`; of a
        fit with strata, one: `socgrad.stratum(fit, label)`.

    Returns
    -------
    pandas.DataFrame
        Pr(gradient of the row's authority steeper than the column's), NaN on the diagonal. A table
        and no draws, unlike other estimands: for 150 authorities these would be 90 million. For
        draws see `socgrad.steeper_than`.

    Raises
    ------
    EstimandError
        If the model leaves deprivation out; if every authority has the same gradient by
        construction.
    SchemaError
        If `fit` is not a socgrad fit, or has strata.

    Interpretation
    --------------
    Near 0.5 the fit cannot tell the two apart. With many pairs some are near 0 or 1 by chance.

    References
    ----------
    Goldstein & Spiegelhalter 1996, Journal of the Royal Statistical Society A 159(3),
    https://doi.org/10.2307/2983325.

    Examples
    --------
    >>> from socgrad.estimands.authority_ranks import pairwise_steeper
    >>> from socgrad.reading.example import example_fit
    >>> pairwise_steeper(example_fit()).loc["Denwick", "Elmstone"].round(2).item()
    1.0
    """
    terms, land = coefficients(fit), geography(fit)
    _require_ranks(terms, "pairwise_steeper")
    slope = line_draws(terms, land, own_effects=True)[1]
    probability = np.array([(slope[:, [j]] > slope).mean(axis=0) for j in range(slope.shape[1])])
    np.fill_diagonal(probability, np.nan)
    labels = _labels(land)
    return pd.DataFrame(
        probability,
        index=pd.Index(labels, name="authority"),
        columns=pd.Index(labels, name="steeper than"),
    )


def _labels(land: Geography) -> np.ndarray:
    labels: np.ndarray = land.authority_mean["authority"].to_numpy()
    return labels


def _along(values: np.ndarray, terms: Coefficients, land: Geography) -> xr.DataArray:
    """Give values of shape (chain * draw, authority) their dims and coordinates."""
    return as_draws(values, terms, "authority", _labels(land))


def _require_ranks(terms: Coefficients, estimand: str) -> None:
    """Refuse to rank gradients that do not differ."""
    require_deprivation(terms, estimand)
    if not terms.has_own_slopes and not terms.has_cross_level:
        raise EstimandError(
            f"{estimand} is not defined for this fit: without random slopes and the cross-level "
            "term all authorities have one gradient by construction. Fit a model with "
            "random_slopes=True."
        )
