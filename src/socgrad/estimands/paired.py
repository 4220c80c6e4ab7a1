"""Draws set against others, pair by pair: by ratio or by difference, with what that rests on."""

from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.reading.arguments import check_choice
from socgrad.reading.data_marks import HAS_DATA

__all__ = ["OVER", "RESTS_ON", "Scale", "against", "compared", "pairs_of", "scale_of"]

type Scale = Literal["ratio", "difference"]

#: How the first is set against the second.
OVER: Final = {"ratio": "over", "difference": "less"}

#: What a comparison of strata rests on, by how they follow each other and are fitted.
RESTS_ON: Final = {
    ("chain", "independent"): "from the chain; slightly conservative, since those who go on are "
    "taken as a Poisson count",
    ("chain", "joint"): "from the chain, authority effects joint; slightly conservative, since "
    "those who go on are taken as a Poisson count",
    ("groups", "joint"): "from a joint fit",
    ("stages", "joint"): "from a joint fit; conservative, since nested stages count the same "
    "children again",
    ("groups", "independent"): "from independent fits; conservative where strata go together "
    "between authorities",
    ("stages", "independent"): "from independent fits; conservative, since nested stages count "
    "the same children again, in the same authorities",
}

#: What each row of draws has of its own, and its comparison with another has not.
_OF_EACH: Final = ("units", "reference", "importance_ess")


def scale_of(draws: xr.DataArray, scale: Scale | None) -> Scale:
    """The scale asked for, or a ratio of what is itself a ratio (its null is 1), else a difference.

    Raises
    ------
    EstimandError
        If the scale is unknown, or a ratio is asked for and some draws are not above 0.
    """
    if scale is not None:
        check_choice("scale", scale, ("ratio", "difference"))
    own: Scale = scale or ("ratio" if draws.attrs.get("null") == 1.0 else "difference")
    if own == "ratio" and not bool((draws > 0).where(draws.notnull(), other=True).all()):
        raise EstimandError(
            f"{draws.attrs['estimand']} is not above 0 in all draws, so that it has no ratios. "
            "Choose scale='difference'."
        )
    return own


def compared(first: xr.DataArray, second: xr.DataArray, scale: Scale) -> xr.DataArray:
    """The first over the second, or less it; it rests on data where both do."""
    made = first / second if scale == "ratio" else first - second
    if HAS_DATA in first.coords:
        made = made.assign_coords({HAS_DATA: first[HAS_DATA] & second[HAS_DATA]})
    return made


def pairs_of(
    labels: Sequence[Hashable], *, over: str, reference: Hashable | None, along: str
) -> list[tuple[Hashable, Hashable]]:
    """What is compared, each with what it is compared with.

    Raises
    ------
    EstimandError
        If there is nothing to compare with, or the reference is none of the labels, or is given
        where each is compared with the one before.
    """
    if len(labels) < 2:
        raise EstimandError(
            f"There is one {along} only ({labels[0]!r}), and nothing to compare with it."
        )
    if over == "previous":
        if reference is not None:
            raise EstimandError(
                f"reference={reference!r} was given with over='previous', which compares each "
                f"{along} with the one before. Leave one of them out."
            )
        return [(after, before) for before, after in pairwise(labels)]
    base = labels[0] if reference is None else reference
    if base not in labels:
        raise EstimandError(
            f"No {along} {base!r} among these draws, which have {len(labels)}: "
            f"{', '.join(map(repr, labels))}. Spell and type the reference as there."
        )
    return [(label, base) for label in labels if label != base]


def against(
    draws: xr.DataArray, pairs: Sequence[tuple[Hashable, Hashable]], *, along: str, scale: Scale
) -> xr.DataArray:
    """Compare the first of each pair with the second, draw by draw; without words of its own.

    A comparison is as effective as the less effective of its two sides.
    """
    labels = draws[along].to_numpy().tolist()
    ends = [[labels.index(pair[end]) for pair in pairs] for end in (0, 1)]
    bare = draws.drop_vars(_OF_EACH, errors="ignore").drop_attrs()
    first, second = (bare.isel({along: at}) for at in ends)
    made = compared(first, second.assign_coords({along: first[along]}), scale)
    if "importance_ess" in draws.coords:
        sizes = draws["importance_ess"].to_numpy()
        least = np.minimum(sizes[ends[0]], sizes[ends[1]])
        made = made.assign_coords(importance_ess=(along, least))
        made.attrs["importance_ess"] = float(least.min())
    elif "importance_ess" in draws.attrs:
        made.attrs["importance_ess"] = draws.attrs["importance_ess"]
    return made
