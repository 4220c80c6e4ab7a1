"""Ranks of authorities by their gradients, never without how sure they are."""

from numbers import Real
from typing import Literal

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.aggregates import as_draws, line_draws
from socgrad.estimands.curves import curve_at
from socgrad.estimands.gradient_pairs import require_unequal
from socgrad.estimands.gradients import gradient
from socgrad.reading.arguments import check_choice
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients, labelled

__all__ = ["authority_ranks"]


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
    require_unequal(terms, "authority_ranks")
    check_choice("average", average, ("nation", "own_mean"))
    labels, number = land.authority_mean["authority"], land.authority_mean.size
    if not (isinstance(top, Real) and 1 <= top < number and top == int(top)):
        raise EstimandError(
            f"top is {top!r}; expected a whole number from 1 to {number - 1}, how many of {number} "
            "authorities count as the steepest."
        )
    slope = line_draws(terms, land, own_effects=True)[1]
    rank = 1 + np.argsort(np.argsort(-slope, axis=1), axis=1).astype(np.float64)
    if average == "nation":
        usual = curve_at(terms, land, land.national_mean).slope
        steeper = as_draws(slope, terms, "authority", labels) > usual
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
        (
            "gradient_rank",
            as_draws(rank, terms, "authority", labels),
            among,
            "all authorities of the fit",
        ),
        ("steeper_than_average", steeper, "probability of a steeper gradient", whose),
        (
            "in_top",
            as_draws((rank <= top).astype(float), terms, "authority", labels),
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
