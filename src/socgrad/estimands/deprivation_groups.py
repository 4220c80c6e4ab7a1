"""Rates of deprivation groups: equal parts of the children of the nation, or of each authority."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from socgrad.errors import EstimandError
from socgrad.estimands.aggregates import authority_rate_sums
from socgrad.estimands.ranked_units import By, rank_within_authorities
from socgrad.ranks import quantile_groups
from socgrad.reading.arguments import check_choice
from socgrad.reading.geography import Geography
from socgrad.reading.posterior import Coefficients

__all__ = [
    "ExtremeRates",
    "extreme_rates",
    "least_deprived_rate_and_events",
    "words_for_groups",
]

type Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ExtremeRates:
    """Rates of the least and the most deprived group of each unit, (chain * draw, unit).

    `kept` holds positions of authorities, or is None for the nation; `left_out` names authorities
    in which one of the two groups is empty or has no exposure; `whole` is what all areas together
    are, in words.
    """

    least: Floats
    most: Floats
    kept: npt.NDArray[np.int64] | None
    left_out: tuple[Hashable, ...]
    whole: str


def extreme_rates(terms: Coefficients, land: Geography, *, by: By, groups: int) -> ExtremeRates:
    """Compute expected rates of the two extreme groups, with fitted effects.

    Raises
    ------
    EstimandError
        If `by` is unknown; if `groups` is no whole number from 2; if an extreme group of the
        nation, or of every authority, holds no neighbourhood with exposure.
    """
    check_choice("by", by, ("nation", "authority"))
    if by == "nation":
        ends = [land.exposure * areas for areas in _national_ends(land, groups)]
        _refuse_idle(ends, groups)
        least, most = (
            events.sum(axis=1) / end.sum()
            for events, end in zip(authority_rate_sums(terms, land, *ends), ends, strict=True)
        )
        return ExtremeRates(least[:, None], most[:, None], None, (), land.whole)
    _check_groups(groups)
    part = np.minimum((rank_within_authorities(land) * groups).astype(np.int64), groups - 1)
    ends = [land.exposure * (part == group) for group in (0, groups - 1)]
    exposure = [
        np.bincount(land.authority_of_area, weights=end, minlength=land.authority_mean.size)
        for end in ends
    ]
    filled = (exposure[0] > 0) & (exposure[1] > 0)
    if not filled.any():
        raise EstimandError(
            f"None of {filled.size} authorities has exposure in both the first and the last of "
            f"{groups} groups of its children. Ask for fewer groups, or by='nation'."
        )
    kept = np.flatnonzero(filled)
    least, most = (
        events[:, kept] / total[kept]
        for events, total in zip(authority_rate_sums(terms, land, *ends), exposure, strict=True)
    )
    labels = land.labels
    return ExtremeRates(
        least, most, kept, tuple(labels[j] for j in np.flatnonzero(~filled)), land.whole
    )


def least_deprived_rate_and_events(
    terms: Coefficients, land: Geography, *, groups: int
) -> tuple[Floats, Floats]:
    """Rate of the nation's least deprived group, (chain * draw,), and events of each authority."""
    exposure = land.exposure * _national_ends(land, groups)[0]
    _refuse_idle([exposure], groups)
    inside, events = authority_rate_sums(terms, land, exposure, land.exposure)
    return inside.sum(axis=1) / exposure.sum(), events


def words_for_groups(ends: ExtremeRates, groups: int) -> str:
    """What the least deprived group is, and which authorities have none."""
    whose = ends.whole if ends.kept is None else "each authority"
    words = f"the least deprived of {groups} child-weighted groups of {whose}, fitted effects"
    if ends.left_out:
        words += (
            f"; {len(ends.left_out)} authorities with an empty extreme group left out "
            f"(first: {ends.left_out[0]})"
        )
    return words


def _check_groups(groups: int) -> None:
    if not (groups >= 2 and groups == int(groups)):
        raise EstimandError(f"groups is {groups}; expected 2 or more, such as 10 for deciles.")


def _national_ends(land: Geography, groups: int) -> tuple[npt.NDArray[np.bool_], ...]:
    """Mark the areas of the least and of the most deprived group."""
    group = quantile_groups(land.deprivation, land.children, groups)
    return group == 1, group == groups


def _refuse_idle(exposure: Sequence[Floats], groups: int) -> None:
    """Refuse groups without exposure: a rate per nothing."""
    if not all(one.sum() > 0 for one in exposure):
        raise EstimandError(
            f"An extreme one of {groups} national groups has no exposure, so no rate. Ask for "
            "fewer groups."
        )
