"""Where authorities are compared: at what mean deprivation and what neighbourhood deprivation.

The variance of authorities' rates depends on both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.curves import Curve, authority_mean_grid, curve_at, deprivation_grid
from socgrad.ranks import weighted_quantile
from socgrad.reading.geography import Geography
from socgrad.reading.posterior import Coefficients
from socgrad.reading.support import areas_near_mean, count_near, warn_if_thin

__all__ = ["Place", "level_variance", "place", "where"]


@dataclass(frozen=True, eq=False)
class Place:
    """Neighbourhoods of given deprivation in authorities of a given mean, and words for them.

    `curve` is the line of the average such authority; `within_part` has dim deprivation.
    """

    curve: Curve
    deprivation: xr.DataArray
    within_part: xr.DataArray
    words: str


def level_variance(terms: Coefficients, within_part: float | xr.DataArray) -> xr.DataArray:
    """Variance of log rates among authorities of one mean, at a within part of deprivation.

    Of authorities of any region: that of regions is in it.
    """
    s0, s1 = terms.level_sd, terms.slope_sd * within_part
    own = s0 * s0 + 2 * terms.correlation * s0 * s1 + s1 * s1
    variance: xr.DataArray = own + terms.region_sd**2
    return variance


def place(
    terms: Coefficients,
    land: Geography,
    *,
    deprivation: float | Sequence[float] | None,
    authority_mean: float | None,
) -> Place:
    """Find neighbourhoods of these deprivations in authorities of this mean, by default the median.

    Raises
    ------
    EstimandError
        If a deprivation or the mean is no proportion, or is given where the table has none.

    Warns
    -----
    SupportWarning
        Where fewer than 10 neighbourhoods lie within a quarter step of a deprivation and a mean.
    """
    x = deprivation_grid(land, deprivation)
    if authority_mean is not None:
        land.require_deprivation()
    means = _median_mean(land) if authority_mean is None else authority_mean
    grid = authority_mean_grid(means)
    if grid.size != 1:
        raise EstimandError(
            f"authority_mean has {grid.size} values; expected one, since variation is among "
            "authorities of one mean. Ask for them one by one."
        )
    mean = grid.item()
    curve = curve_at(terms, land, mean)
    if not land.has_deprivation:
        return Place(curve, x, 0.0 * x, "any authority")
    among = areas_near_mean(land, mean) if terms.has_split else land.has_data
    counts = count_near(land, among, x.values)
    where = f" at authority mean {mean:.3g}" if terms.has_split else ""
    warn_if_thin(
        land,
        [
            (f"deprivation {value:.3g}{where}", int(count))
            for value, count in zip(x.values, counts, strict=True)
        ],
    )
    return Place(
        curve=curve,
        deprivation=x,
        within_part=(x - curve.origin) / land.per,
        words=f"authorities of mean deprivation {mean:.3g}",
    )


def where(
    terms: Coefficients,
    land: Geography,
    deprivation: float | Sequence[float] | None,
    authority_mean: float | None,
) -> tuple[float | xr.DataArray, str]:
    """Within part of the deprivation asked for, and words for it."""
    if deprivation is not None:
        found = place(terms, land, deprivation=deprivation, authority_mean=authority_mean)
        return found.within_part, found.words
    if authority_mean is not None:
        raise EstimandError(
            "authority_mean was given without deprivation, and at its own mean deprivation every "
            "authority has the same variance. Give deprivation too, or leave authority_mean out."
        )
    if not land.has_deprivation:
        return 0.0, "authorities"
    at = "the national mean" if terms.is_pooled else "each authority's own mean"
    return 0.0, f"authorities of one mean deprivation, at {at}"


def _median_mean(land: Geography) -> float:
    """Child-weighted median of the authorities' mean deprivation, proportion."""
    return float(weighted_quantile(land.authority_mean, land.authority_children, 0.5)[0])
