"""Contextual effects: what an authority's deprivation does beyond its neighbourhoods' own.

The inverse intervention effect compares neighbourhoods of equal deprivation in authorities of
unequal deprivation. Two versions circulate in the literature and are never mixed here: its level
(`inverse_intervention`) and the change of the gradient with authority deprivation (`steepening`).
"""

from collections.abc import Hashable, Sequence
from typing import Literal

import xarray as xr

from socgrad.contrasts import Contrast, contrast, log_ratio_at
from socgrad.curves import deprivation_grid, exponential, points, step
from socgrad.errors import EstimandError
from socgrad.posterior import Geography, coefficients, geography, labelled, require_split
from socgrad.support import common_range, count_near, warn_if_thin

__all__ = ["crossing", "inverse_intervention", "steepening"]


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
        way; if `effects` is "own" without named authorities; if an authority is not in the fit.

    Warns
    -----
    SupportWarning
        Where fewer than 10 neighbourhoods lie within a quarter step of a deprivation on either
        side: in authorities within a quarter step of the mean, or in the named authority.

    Notes
    -----
    At neighbourhood deprivation x, with X = (x - c) / per, for authorities b1 over b0 without
    effects of their own::

        log ratio = (b1 - b0) [between - within + cross_level X
                               + (curvature - cross_level) (b1 + b0)]

    which depends on x unless the cross-level term is zero.

    Interpretation
    --------------
    0.8 means that a neighbourhood of this deprivation has a fifth fewer events per child in the
    more deprived authority than an equally deprived one in the more affluent authority. Below 1:
    higher rates in affluent authorities. It compares; it does not say why.

    References
    ----------
    Webb et al. 2020, Children and Youth Services Review 111,
    https://doi.org/10.1016/j.childyouth.2020.104849. Bywaters et al. 2016, Child & Family Social
    Work 21(3).

    Examples
    --------
    >>> from socgrad.example import example_fit
    >>> from socgrad.contextual import inverse_intervention
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
    return labelled(
        exponential(log_ratio_at(pair, x)),
        fit,
        estimand="inverse_intervention",
        units="rate ratio at equal neighbourhood deprivation",
        per=pair.per,
        reference=_reference(pair, effects),
        null=1.0,
    )


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
        If the model leaves deprivation, the split or the cross-level term out.

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

    Examples
    --------
    >>> from socgrad.example import example_fit
    >>> from socgrad.contextual import steepening
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


def crossing(
    fit: xr.DataTree,
    *,
    authority_means: tuple[float, float] | None = None,
    authority_quantiles: tuple[float, float] | None = None,
    authorities: tuple[Hashable, Hashable] | None = None,
    effects: Literal["equal", "own"] = "equal",
) -> xr.Dataset:
    """Find the neighbourhood deprivation at which the rates of two authorities are equal.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    authority_means, authority_quantiles, authorities, effects
        As in `inverse_intervention`.

    Returns
    -------
    xarray.Dataset
        `crossing`: deprivation, a proportion, which may lie outside 0-1; `within_support`: 1 where
        it lies in the range of deprivation that both sides have, else 0. Dims chain, draw. Attrs
        estimand, units, per, reference, and for `within_support` indicator (1).

    Raises
    ------
    EstimandError
        As in `inverse_intervention`; also if the two curves are parallel by construction.

    Warns
    -----
    SupportWarning
        If fewer than 10 neighbourhoods on either side lie in the range that both have.

    Notes
    -----
    Without effects of their own, with X* = (x - c) / per::

        X* = (b1 + b0) (cross_level - curvature) / cross_level - (between - within) / cross_level

    A ratio of two uncertain numbers has no mean and no variance: report quantiles, and the
    probability that the curves cross where there are neighbourhoods.

    Interpretation
    --------------
    Neighbourhoods less deprived than the crossing have higher rates in one authority, more deprived
    ones in the other. When few draws cross within support, the one authority has the higher
    rate at every deprivation that occurs in both.

    Examples
    --------
    >>> from socgrad.example import example_fit
    >>> from socgrad.contextual import crossing
    >>> crossing(example_fit())["within_support"].mean().item()
    0.06
    """
    terms, land = coefficients(fit), geography(fit)
    require_split(terms, "crossing")
    if not terms.has_cross_level and not (effects == "own" and terms.has_slopes):
        raise EstimandError(
            "crossing is not defined: without the cross-level term the two curves are parallel by "
            "construction. Fit a model with cross_level=True, or compare two named authorities "
            "of a model with random slopes, effects='own'."
        )
    pair = contrast(
        terms,
        land,
        authority_means=authority_means,
        authority_quantiles=authority_quantiles,
        authorities=authorities,
        effects=effects,
    )
    c = land.national_mean
    at = c - land.per * log_ratio_at(pair, c) / (pair.second.slope - pair.first.slope)
    low, high = _support(land, pair)
    inside = ((at >= low) & (at <= high)).astype(float)
    reference = _reference(pair, effects)
    where = f"{low:.3g} to {high:.3g}" if low <= high else "empty"
    made = xr.Dataset(
        {
            "crossing": labelled(
                at,
                fit,
                estimand="crossing",
                units="neighbourhood deprivation, proportion",
                per=land.per,
                reference=reference,
            ),
            "within_support": labelled(
                inside,
                fit,
                estimand="within_support",
                units=f"probability of a crossing within common support ({where})",
                per=land.per,
                reference=reference,
            ),
        }
    )
    made["within_support"].attrs["indicator"] = 1
    return made


def _reference(pair: Contrast, effects: Literal["equal", "own"]) -> str:
    """Say in words what is compared with what."""
    how = "own effects" if effects == "own" else "equal effects"
    return f"{pair.names[1]} over {pair.names[0]}, {how}"


def _support(land: Geography, pair: Contrast) -> tuple[float, float]:
    """Range of deprivation that both sides have, with a warning where few areas back it."""
    low, high = common_range(land, *pair.areas)
    inside = (land.deprivation >= low) & (land.deprivation <= high)
    counts = [int((inside & among).sum()) for among in pair.areas]
    warn_if_thin(
        land,
        [
            (f"common range of deprivation in {name}", count)
            for name, count in zip(pair.names, counts, strict=True)
        ],
    )
    return low, high
