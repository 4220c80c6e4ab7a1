"""Where the curves of two authorities cross: at which deprivation neither has the higher rate."""

from collections.abc import Hashable
from typing import Literal

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.contrasts import Contrast, contrast, log_ratio_at
from socgrad.reading.by_stratum import by_stratum
from socgrad.reading.geography import Geography, geography
from socgrad.reading.posterior import coefficients, labelled, require_split
from socgrad.reading.support import common_range, warn_if_thin

__all__ = ["crossing"]


@by_stratum
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
        As in `inverse_intervention`; also if the two curves are parallel by construction, or if no
        deprivation occurs on both sides, which leaves nowhere for them to cross.
    SchemaError
        If `fit` is not a socgrad fit.

    Warns
    -----
    SupportWarning
        If fewer than 10 neighbourhoods on either side lie in the range that both have.

    Notes
    -----
    Without effects of their own, with X* = (x - c) / per, in steps `per` of the fit::

        X* = (b1 + b0) (cross_level - curvature) / cross_level - (between - within) / cross_level

    A ratio of two uncertain numbers has no mean and no variance (Marsaglia 2006): report
    quantiles, and the probability that the curves cross where there are neighbourhoods. Only
    neighbourhoods with data make the range.

    Interpretation
    --------------
    Neighbourhoods less deprived than the crossing have higher rates in one authority, more deprived
    ones in the other. The mean of `within_support` is the probability that the two cross where
    both have neighbourhoods. Where it is near 0, one and the same authority has the higher rate at
    every deprivation that occurs in both. Where no deprivation occurs in both, neither can be said.

    References
    ----------
    Marsaglia 2006, Journal of Statistical Software 16(4), https://doi.org/10.18637/jss.v016.i04.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.estimands.crossings import crossing
    >>> crossing(example_fit())["within_support"].mean().item()
    0.06
    """
    terms, land = coefficients(fit), geography(fit)
    require_split(terms, "crossing")
    if not terms.has_cross_level and not (effects == "own" and terms.has_own_slopes):
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
    made = xr.Dataset(
        {
            "crossing": labelled(
                at,
                fit,
                estimand="crossing",
                units="neighbourhood deprivation, proportion",
                per=land.per,
                reference=pair.words,
            ),
            "within_support": labelled(
                inside,
                fit,
                estimand="within_support",
                units=f"probability of a crossing within common support ({low:.3g} to {high:.3g})",
                per=land.per,
                reference=pair.words,
            ),
        }
    )
    made["within_support"].attrs["indicator"] = 1
    return made


def _support(land: Geography, pair: Contrast) -> tuple[float, float]:
    """Range of deprivation that both sides have, with a warning where few areas back it.

    Raises
    ------
    EstimandError
        If no deprivation occurs on both sides.
    """
    low, high = common_range(land, *pair.areas)
    if np.isnan(low):
        sides = " and ".join(
            f"{name} ({land.deprivation[among].min():.3g} to {land.deprivation[among].max():.3g})"
            if among.any()
            else f"{name} (none)"
            for name, among in zip(pair.names, pair.areas, strict=True)
        )
        raise EstimandError(
            "crossing is not defined: no neighbourhood deprivation occurs on both sides, so the "
            f"curves have no place to cross. Neighbourhoods with data: {sides}. Compare "
            "authorities whose neighbourhoods overlap."
        )
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
