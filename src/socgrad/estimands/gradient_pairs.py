"""Pairs of authorities: with what probability the one has the steeper gradient."""

from collections.abc import Hashable

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.aggregates import as_draws, line_draws
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import geography
from socgrad.reading.posterior import (
    Coefficients,
    coefficients,
    labelled,
    require_authorities,
    require_deprivation,
)

__all__ = ["pairwise_steeper", "require_unequal", "steeper_than"]


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
    all pairs at once see `socgrad.variation.pairwise_steeper`.

    Interpretation
    --------------
    0.9: nine to one that this authority's gradient is steeper than the named one's.

    References
    ----------
    Goldstein & Spiegelhalter 1996, Journal of the Royal Statistical Society A 159(3),
    https://doi.org/10.2307/2983325.

    Examples
    --------
    >>> from socgrad.estimands.gradient_pairs import steeper_than
    >>> from socgrad.reading.example import example_fit
    >>> steeper = steeper_than(example_fit(), authority="Corham")
    >>> steeper.mean(("chain", "draw")).sel(authority="Ashby").item()
    1.0
    """
    terms, land = coefficients(fit), geography(fit)
    require_unequal(terms, "steeper_than")
    at = land.position(authority)
    slope = line_draws(terms, land, own_effects=True)[1]
    others = np.flatnonzero(np.arange(slope.shape[1]) != at)
    steeper = (slope[:, others] > slope[:, [at]]).astype(float)
    made = labelled(
        as_draws(steeper, terms, "authority", land.authority_mean["authority"][others]),
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
        draws see `socgrad.variation.steeper_than`. Attr `without_data` lists authorities none of
        whose events are known: of them the model tells what it expects of authorities like them.

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
    >>> from socgrad.estimands.gradient_pairs import pairwise_steeper
    >>> from socgrad.reading.example import example_fit
    >>> pairwise_steeper(example_fit()).loc["Denwick", "Elmstone"].round(2).item()
    1.0
    """
    terms, land = coefficients(fit), geography(fit)
    require_unequal(terms, "pairwise_steeper")
    slope = line_draws(terms, land, own_effects=True)[1]
    probability = np.array([(slope[:, [j]] > slope).mean(axis=0) for j in range(slope.shape[1])])
    np.fill_diagonal(probability, np.nan)
    labels = land.authority_mean["authority"].to_numpy()
    table = pd.DataFrame(
        probability,
        index=pd.Index(labels, name="authority"),
        columns=pd.Index(labels, name="steeper than"),
    )
    table.attrs["without_data"] = labels[~land.authority_has_data].tolist()
    return table


def require_unequal(terms: Coefficients, estimand: str) -> None:
    """Refuse to rank gradients that do not differ."""
    require_deprivation(terms, estimand)
    require_authorities(terms, estimand)
    if not terms.has_own_slopes and not terms.has_cross_level:
        raise EstimandError(
            f"{estimand} is not defined for this fit: without random slopes and the cross-level "
            "term all authorities have one gradient by construction. Fit a model with "
            "random_slopes=True."
        )
