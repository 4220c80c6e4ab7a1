"""Ranked units: the nation, or each authority, with its neighbourhoods in order of deprivation.

Every inequality index needs the same of a fit: sums of rates, and of rates times rank, over the
neighbourhoods of the nation or of each authority. Ranks are child-weighted; sums weigh by exposure,
as rates do.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.aggregates import as_draws, authority_log_sums, authority_rate_sums
from socgrad.estimands.area_factors import AreaFactors
from socgrad.ranks import ridit_ranks
from socgrad.reading.arguments import check_choice
from socgrad.reading.geography import Geography
from socgrad.reading.posterior import Coefficients

__all__ = [
    "By",
    "RankedUnits",
    "draws_of",
    "mean_and_covariance",
    "overall_rates",
    "rank_within_authorities",
    "ranked_units",
    "words_for",
]

type Floats = npt.NDArray[np.float64]
type By = Literal["nation", "authority"]

#: Ranks that vary less than this are one rank: all children of the unit are equally deprived.
_NO_SPREAD = 1e-12


@dataclass(frozen=True, eq=False)
class RankedUnits:
    """The nation (`kept` is None), or the authorities at positions `kept`.

    `rank` has one child-weighted ridit rank per area, among the children of its unit; `weight` is
    the exposure of each unit, `mean_rank` and `variance` are those of its ranks, weighted by
    exposure. `left_out` names the authorities in which ranks do not vary, `whole` is what all areas
    together are, in words.
    """

    kept: npt.NDArray[np.int64] | None
    rank: Floats
    weight: Floats
    mean_rank: Floats
    variance: Floats
    left_out: tuple[Hashable, ...]
    whole: str

    @property
    def unit_of_authority(self) -> str:
        """Words for whose ranks these are."""
        return self.whole if self.kept is None else "each authority"


def ranked_units(land: Geography, by: By) -> RankedUnits:
    """Rank the neighbourhoods of the nation, or of each authority, by deprivation.

    Raises
    ------
    EstimandError
        If `by` is unknown, or if no unit has exposure at two deprivations.
    """
    check_choice("by", by, ("nation", "authority"))
    labels = land.labels
    if by == "nation":
        rank = ridit_ranks(land.deprivation, land.children)
        unit, units = np.zeros_like(land.authority_of_area), 1
    else:
        rank = rank_within_authorities(land)
        unit, units = land.authority_of_area, len(labels)
    weight = np.bincount(unit, weights=land.exposure, minlength=units)
    filled = np.where(weight > 0, weight, 1.0)
    mean = np.bincount(unit, weights=land.exposure * rank, minlength=units) / filled
    centred = land.exposure * (rank - mean[unit]) ** 2
    variance = np.bincount(unit, weights=centred, minlength=units) / filled
    spread = variance > _NO_SPREAD
    if not spread.any():
        raise EstimandError(
            "No inequality index exists here: "
            + (f"{land.whole} has" if by == "nation" else f"each of {units} authorities has")
            + " exposure at fewer than two deprivations. Use a table in which deprivation varies"
            + (", or by='nation'." if by == "authority" else ".")
        )
    if by == "nation":
        return RankedUnits(None, rank, weight, mean, variance, (), land.whole)
    kept = np.flatnonzero(spread)
    left_out = tuple(labels[j] for j in np.flatnonzero(~spread))
    spans = mean[kept], variance[kept]
    return RankedUnits(kept, rank, weight[kept], *spans, left_out, land.whole)


def rank_within_authorities(land: Geography) -> Floats:
    """Child-weighted ridit rank of each area among the children of its own authority."""
    rank = np.full(land.children.size, 0.5)
    order = np.argsort(land.authority_of_area, kind="stable")
    ends = np.flatnonzero(np.diff(land.authority_of_area[order])) + 1
    for areas in np.split(order, ends):
        if land.children[areas].sum() > 0:
            rank[areas] = ridit_ranks(land.deprivation[areas], land.children[areas])
    return rank


def mean_and_covariance(
    terms: Coefficients,
    land: Geography,
    units: RankedUnits,
    *,
    logs: bool = False,
    factors: AreaFactors | None = None,
) -> tuple[Floats, Floats]:
    """Mean of the rates (or of their logs) and covariance with rank, weighted by exposure."""
    centre = np.full(land.authority_mean.size, 0.5)
    if units.kept is None:
        centre[:] = units.mean_rank
    else:
        centre[units.kept] = units.mean_rank
    centred = land.exposure * (units.rank - centre[land.authority_of_area])
    if logs:
        by_authority = authority_log_sums(terms, land, land.exposure, centred)
    else:
        by_authority = authority_rate_sums(terms, land, land.exposure, centred, factors=factors)
    mean, covariance = (
        sums.sum(axis=1, keepdims=True) if units.kept is None else sums[:, units.kept]
        for sums in by_authority
    )
    return mean / units.weight, covariance / units.weight


def overall_rates(
    terms: Coefficients,
    land: Geography,
    kept: npt.NDArray[np.int64] | None,
    *,
    factors: AreaFactors | None = None,
) -> Floats:
    """Events over exposure of the nation, or of the authorities at positions `kept`."""
    (events,) = authority_rate_sums(terms, land, land.exposure, factors=factors)
    if kept is None:
        return events.sum(axis=1, keepdims=True) / land.exposure.sum()
    return events[:, kept] / land.authority_exposure[kept]


def draws_of(
    values: Floats, terms: Coefficients, land: Geography, kept: npt.NDArray[np.int64] | None
) -> xr.DataArray:
    """Give values of shape (chain * draw, unit) dims chain, draw, [authority].

    `kept` holds positions of authorities, or is None for the nation.

    Raises
    ------
    EstimandError
        If a value is no finite number, as where a unit expects no events at all.
    """
    wrong = ~np.isfinite(values).all(axis=1)
    if wrong.any():
        raise EstimandError(
            f"In {int(wrong.sum())} of {wrong.size} draws this index is no finite number, since "
            "rates vanish or are out of all range. Look at socgrad.check_sampling(fit), and at the "
            "priors if these are draws of a prior."
        )
    if kept is None:
        return as_draws(values[:, 0], terms)
    return as_draws(values, terms, "authority", land.authority_mean["authority"].to_numpy()[kept])


def words_for(units: RankedUnits) -> str:
    """What the ranks are of, and which authorities have no index."""
    words = f"child-weighted ranks within {units.unit_of_authority}, fitted effects"
    if units.left_out:
        words += (
            f"; {len(units.left_out)} without exposure at two deprivations left out "
            f"(first: {units.left_out[0]})"
        )
    return words
