"""The concentration index: how far events are concentrated among the deprived."""

from typing import Literal

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.ranked_units import (
    By,
    draws_of,
    mean_and_covariance,
    ranked_units,
    words_for,
)
from socgrad.reading.arguments import check_choice
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients, labelled, require_deprivation

__all__ = ["Form", "concentration_index"]

type Form = Literal["standard", "wagstaff", "erreygers"]

_UNITS = {
    "standard": "index from -1 to 1",
    "wagstaff": "index from -1 to 1, Wagstaff's form for events that a child has at most once",
    "erreygers": "index from -1 to 1, Erreygers's form for events that a child has at most once",
}


@by_stratum
def concentration_index(
    fit: xr.DataTree, *, by: By = "nation", form: Form = "standard"
) -> xr.DataArray:
    """Compute the concentration index of events over children ranked by deprivation.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    by
        "nation": one index, ranks among all children; "authority": one for each authority, ranks
        among its own children.
    form
        "standard"; or, only where one unit of exposure has one event at most (children on a plan
        on a day, not referrals in a year), "wagstaff" or "erreygers", which allow for the bound.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, [authority]. Attrs estimand (also "concentration_index_wagstaff" and
        "..._erreygers"), units, per, reference, null (0). Authorities without exposure at two
        deprivations have none: `reference` says how many.

    Raises
    ------
    EstimandError
        If the model leaves deprivation out; if `by` or `form` is unknown; if no unit has exposure
        at two deprivations; for Wagstaff's and Erreygers's form, if a unit has an event or more per
        unit of exposure, so that there is no such bound.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    With r_i the child-weighted ridit rank of neighbourhood i, and mean and covariance weighted by
    exposure::

        standard   C = 2 cov_N(rate, r) / mean
        wagstaff   C / (1 - mean)
        erreygers  4 mean C

    C is twice how far the mean rank of the events lies above that of the exposure. Neighbourhoods,
    not children, are ranked: what differs between children of one neighbourhood is not in it.
    Wagstaff's form has the same size for events and for their absence. Erreygers's is absolute: 8
    var(r) times the linear `socgrad.inequality.sii` per unit of exposure, two thirds of it where
    neighbourhoods are many.

    Interpretation
    --------------
    0 means that events fall on children whatever the deprivation of their neighbourhood. 0.35: they
    fall on more deprived neighbourhoods, their mean rank 17.5 percentage points above the middle.
    Below 0: more among the affluent.

    References
    ----------
    Wagstaff 2005, Health Economics 14(4), https://doi.org/10.1002/hec.953. Erreygers 2009, Journal
    of Health Economics 28(2), https://doi.org/10.1016/j.jhealeco.2008.02.003.

    Examples
    --------
    >>> from socgrad.estimands.concentration import concentration_index
    >>> from socgrad.reading.example import example_fit
    >>> concentration_index(example_fit()).median().round(2).item()
    0.34
    """
    terms, land = coefficients(fit), geography(fit)
    require_deprivation(terms, "concentration_index")
    check_choice("form", form, ("standard", "wagstaff", "erreygers"))
    units = ranked_units(land, by)
    mean, covariance = mean_and_covariance(terms, land, units)
    if form != "standard" and (unbounded := (mean >= 1).any(axis=0)).any():
        where = land.whole
        if units.kept is not None:
            first = land.labels[units.kept[np.flatnonzero(unbounded)[0]]]
            where = f"{unbounded.sum()} of {unbounded.size} authorities (first: {first})"
        raise EstimandError(
            f"form={form!r} is for events of which one unit of exposure has one at most, and "
            f"{where} has an event or more per unit (up to {mean.max():.3g}). Use form='standard'."
        )
    index = 2 * covariance / mean
    if form == "wagstaff":
        index = index / (1 - mean)
    elif form == "erreygers":
        index = 4 * mean * index
    return labelled(
        draws_of(index, terms, land, units.kept),
        fit,
        estimand="concentration_index" + ("" if form == "standard" else f"_{form}"),
        units=_UNITS[form],
        per=land.per,
        reference=f"events spread evenly over ranks; {words_for(units)}",
        null=0.0,
    )
