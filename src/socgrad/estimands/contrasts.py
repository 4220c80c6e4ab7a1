"""Contrasts: two authorities, or two kinds of authority, set side by side.

A contrast is named in one of four ways: half a step on either side of the national mean (the
default), two authority means, two child-weighted quantiles of authority means, or two authorities.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.curves import (
    Curve,
    authority_mean_grid,
    curve_at,
    curve_of,
    log_rate_at,
    step,
)
from socgrad.ranks import weighted_quantile
from socgrad.reading.arguments import check_choice
from socgrad.reading.geography import Geography
from socgrad.reading.posterior import Coefficients
from socgrad.reading.support import areas_near_mean, areas_of

__all__ = ["Contrast", "contrast", "log_ratio_at"]


@dataclass(frozen=True, eq=False)
class Contrast:
    """Curves of a first and a second authority (conventionally the more deprived one).

    `names` says in words which they are and `areas` marks the areas that back each; `per` is the
    step between them in the default contrast, which `is_step`, otherwise the fit's.
    """

    first: Curve
    second: Curve
    names: tuple[str, str]
    areas: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]
    per: float
    own_effects: bool = False
    is_step: bool = False

    @property
    def words(self) -> str:
        """What is compared with what."""
        how = "own effects" if self.own_effects else "equal effects"
        return f"{self.names[1]} over {self.names[0]}, {how}"


def contrast(
    terms: Coefficients,
    land: Geography,
    *,
    authority_means: tuple[float, float] | None = None,
    authority_quantiles: tuple[float, float] | None = None,
    authorities: tuple[Hashable, Hashable] | None = None,
    effects: Literal["equal", "own"] = "equal",
    per: float | None = None,
) -> Contrast:
    """Set two authorities side by side.

    Parameters
    ----------
    terms, land
        Of one fit, with the split.
    authority_means
        Mean deprivation of the first and the second, proportions.
    authority_quantiles
        Child-weighted quantiles of authority means, shares: (0.1, 0.9) sets the authority of the
        10th child in a hundred beside that of the 90th.
    authorities
        Labels of the first and the second.
    effects
        "equal": neither has an effect of its own; "own": named authorities with theirs.
    per
        Step between the two around the national mean, where none of the above is given.

    Raises
    ------
    EstimandError
        If the contrast is named in more than one way, with other than two values or twice the
        same; if `effects` is unknown, or "own" without named authorities.
    """
    check_choice("effects", effects, ("equal", "own"))
    pairs = {
        "authority_means": authority_means,
        "authority_quantiles": authority_quantiles,
        "authorities": authorities,
    }
    given = {name: pair for name, pair in pairs.items() if pair is not None}
    ways = [*given, *(["per"] if per is not None else [])]
    if len(ways) > 1:
        raise EstimandError(
            f"The contrast is named in {len(ways)} ways: {', '.join(ways)}. Expected one: two "
            "authority_means, two authority_quantiles, two authorities, or a step per around the "
            "national mean."
        )
    for name, pair in given.items():
        _check_pair(name, pair)
    if effects == "own" and authorities is None:
        raise EstimandError(
            "effects='own' needs named authorities, because only they have effects of their own. "
            "Give authorities=(first, second), or leave effects out."
        )
    if authorities is not None:
        return _of_named(terms, land, authorities, own_effects=effects == "own")

    if authority_means is not None:
        low, high = authority_mean_grid(authority_means).to_numpy().tolist()
    elif authority_quantiles is not None:
        low, high = weighted_quantile(
            land.authority_mean, land.authority_children, authority_quantiles
        ).tolist()
        if low == high:
            raise EstimandError(
                f"authority_quantiles {authority_quantiles} both fall on the authority mean "
                f"{low:.3g}. Take quantiles further apart, or name two authority_means."
            )
    else:
        half = step(land, per) / 2
        low, high = land.national_mean - half, land.national_mean + half
    return Contrast(
        first=curve_at(terms, land, low),
        second=curve_at(terms, land, high),
        names=(f"an authority of mean {low:.3g}", f"an authority of mean {high:.3g}"),
        areas=(areas_near_mean(land, low), areas_near_mean(land, high)),
        per=step(land, per),
        is_step=not given,
    )


def log_ratio_at(pair: Contrast, deprivation: float | xr.DataArray) -> xr.DataArray:
    """Log rate ratio, second over first, at one and the same neighbourhood deprivation."""
    return log_rate_at(pair.second, deprivation) - log_rate_at(pair.first, deprivation)


def _of_named(
    terms: Coefficients,
    land: Geography,
    authorities: tuple[Hashable, Hashable],
    *,
    own_effects: bool,
) -> Contrast:
    first, second = (land.position(label) for label in authorities)
    means = land.authority_mean.to_numpy()
    return Contrast(
        first=curve_of(terms, land, authorities[0], own_effects=own_effects),
        second=curve_of(terms, land, authorities[1], own_effects=own_effects),
        names=(
            f"{authorities[0]} (mean {means[first]:.3g})",
            f"{authorities[1]} (mean {means[second]:.3g})",
        ),
        areas=(areas_of(land, first), areas_of(land, second)),
        per=land.per,
        own_effects=own_effects,
    )


def _check_pair(name: str, values: tuple[Hashable, Hashable]) -> None:
    """Refuse other than two different values; a string is one label, not two letters."""
    no_pair = isinstance(values, str) or not isinstance(values, Sequence | np.ndarray)
    if no_pair or len(values) != 2 or values[0] == values[1]:
        raise EstimandError(
            f"{name}={values!r} does not name a first and a second. Expected two different values, "
            "conventionally the less deprived authority first."
        )
