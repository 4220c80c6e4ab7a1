"""Contextual effects: what an authority's deprivation does beyond its neighbourhoods' own.

The inverse intervention effect compares neighbourhoods of equal deprivation in authorities of
unequal deprivation. Two versions circulate in the literature and are never mixed here: its level
(`inverse_intervention`) and the change of the gradient with authority deprivation (`steepening`).
"""

from collections.abc import Hashable, Sequence
from typing import Literal

import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.contrasts import contrast, log_ratio_at
from socgrad.estimands.curves import deprivation_grid, exponential, points, step
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients, labelled, require_split
from socgrad.reading.support import count_near, warn_if_thin

__all__ = ["inverse_intervention", "steepening"]


@by_stratum
def inverse_intervention(
    fit: xr.DataTree,
    *,
    deprivation: float | Sequence[float] | None = None,
    authority_means: tuple[float, float] | None = None,
    authority_quantiles: tuple[float, float] | None = None,
    authorities: tuple[Hashable, Hashable] | None = None,
    effects: Literal["equal", "own"] = "equal",
    per: float | None = None,
) -> xr.DataArray:
    """Compute the rate ratio of two authorities at the same neighbourhood deprivation.

    By default the second authority is half a step more deprived than the national mean and the
    first half a step less: the ratio "per 10 points" of authority deprivation.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    deprivation
        Neighbourhood deprivation x, proportions within 0-1. By default the child-weighted national
        10th, 50th and 90th percentiles.
    authority_means
        Mean deprivation of the first and the second authority, proportions within 0-1.
    authority_quantiles
        Child-weighted quantiles of authority means, shares within 0-1, such as (0.1, 0.9).
    authorities
        Labels of the first and the second authority.
    effects
        "equal": two authorities of these means without effects of their own; "own": the named
        authorities as they are, own effects included.
    per
        Step of authority deprivation around the national mean, proportion above 0; by default the
        fit's (0.10, ten percentage points). Not with a contrast that is named otherwise.

    Returns
    -------
    xarray.DataArray
        Second over first; dims chain, draw, deprivation. Attrs estimand, units, per, reference,
        null (1).

    Raises
    ------
    EstimandError
        If the model leaves deprivation or the split out; if the contrast is named in more than one
        way, or not by two different values; if `effects` is unknown, or "own" without named
        authorities; if an authority is not in the fit; if `deprivation`, `authority_means`,
        `authority_quantiles` or `per` are no proportions.
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    SupportWarning
        Where fewer than 10 neighbourhoods lie within a quarter step of a deprivation on either
        side: in authorities within a quarter step of the mean, or in the named authority.

    Notes
    -----
    At neighbourhood deprivation x, with X = (x - c) / per, for authorities b1 over b0 without
    effects of their own, all in steps `per` of the fit (whatever `per` is asked for)::

        log ratio = (b1 - b0) [between - within + cross_level X
                               + (curvature - cross_level) (b1 + b0)]

    which depends on x unless the cross-level term is zero. Where the gradient is non-linear, its
    departure at x is the same on both sides and cancels: the formula stays.

    Interpretation
    --------------
    0.8 means that a neighbourhood of this deprivation has a fifth fewer events per child in the
    more deprived authority than an equally deprived one in the more affluent authority. Below 1:
    higher rates in affluent authorities. It compares; it does not say why.

    References
    ----------
    Webb et al. 2020, Children and Youth Services Review 111,
    https://doi.org/10.1016/j.childyouth.2020.104849. Bywaters, Brady, Sparks & Bos 2016, Child &
    Family Social Work 21(3), https://doi.org/10.1111/cfs.12154.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.estimands.contextual import inverse_intervention
    >>> inverse = inverse_intervention(example_fit(), deprivation=[0.1, 0.3])
    >>> inverse.median(("chain", "draw")).round(2).values.tolist()
    [0.85, 0.76]
    """
    terms, land = coefficients(fit), geography(fit)
    require_split(terms, "inverse_intervention")
    pair = contrast(
        terms,
        land,
        authority_means=authority_means,
        authority_quantiles=authority_quantiles,
        authorities=authorities,
        effects=effects,
        per=per,
    )
    x = deprivation_grid(land, deprivation)
    warn_if_thin(
        land,
        [
            (f"deprivation {value:.3g} in {name}", int(count))
            for name, among in zip(pair.names, pair.areas, strict=True)
            for value, count in zip(x.values, count_near(land, among, x.values), strict=True)
        ],
    )
    of = f" per {points(pair.per)} of authority deprivation" if pair.is_step else ""
    return labelled(
        exponential(log_ratio_at(pair, x)),
        fit,
        estimand="inverse_intervention",
        units=f"rate ratio{of} at equal neighbourhood deprivation",
        per=pair.per,
        reference=pair.words,
        null=1.0,
    )


@by_stratum
def steepening(fit: xr.DataTree, *, per: float | None = None) -> xr.DataArray:
    """Compute the ratio of the gradients of two authorities a step of deprivation apart.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    per
        Step, both of the gradient and of authority deprivation, proportion above 0; by default the
        fit's (0.10, ten percentage points).

    Returns
    -------
    xarray.DataArray
        Dims chain, draw. Attrs estimand, units, per, reference, null (1).

    Raises
    ------
    EstimandError
        If the model leaves deprivation, the split or the cross-level term out; if `per` is no
        proportion.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    ::

        steepening = exp(cross_level * (per / fit's per)**2)

    `per` enters twice, since it is the step of neighbourhood deprivation that the gradients are per
    and the step of authority deprivation between them: what a model refitted with this step would
    call its cross-level term. Per 20 points it is the fourth power of per 10.

    Interpretation
    --------------
    0.95 means that the gradient is 5% flatter in an authority ten points more deprived (1.52 after
    1.60); below 1, the gradient is steeper in affluent authorities. It says nothing of the level
    of rates: see `inverse_intervention`.

    References
    ----------
    Webb et al. 2020, Children and Youth Services Review 111,
    https://doi.org/10.1016/j.childyouth.2020.104849.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.estimands.contextual import steepening
    >>> steepening(example_fit()).median().round(2).item()
    0.94
    """
    terms, land = coefficients(fit), geography(fit)
    require_split(terms, "steepening")
    if not terms.has_cross_level:
        raise EstimandError(
            "steepening is 1 by construction in a model without the cross-level term, not "
            "estimated. Fit a model with cross_level=True."
        )
    to = step(land, per)
    return labelled(
        exponential(terms.cross_level * (to / land.per) ** 2),
        fit,
        estimand="steepening",
        units=f"ratio of gradients (per {points(to)}) per {points(to)} of authority deprivation",
        per=to,
        reference="the gradient of the less deprived authority",
        null=1.0,
    )
