"""What the likelihood of a graph reads: counts of all strata, one after the other."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray

__all__ = ["stacked"]

type Variables = dict[str, tuple[tuple[str, ...], np.ndarray]]

#: First dims of what has a row for each of something that strata have numbers of their own of.
_ROWS: Final = frozenset(
    {
        "constrained_authority",
        "counted_area",
        "counted_cell",
        "counted_locality",
        "interval_area",
        "locality_area",
        "number",
        "open_area",
        "total_authority",
    }
)
#: Log weight of a count that a row cannot have.
_NEVER: Final = -1e30


def stacked(data: Sequence[xr.Dataset], authorities: int) -> xr.Dataset:
    """The likelihood data of strata as one; those of a single stratum stay as they are.

    Parameters
    ----------
    data : sequence of xarray.Dataset
        Of each stratum, as `socgrad.model.compression.likelihood_data` and
        `socgrad.nuts.hidden_counts.hidden_data` make them.
    authorities : int
        How many there are.

    Returns
    -------
    xarray.Dataset
        Rows of all strata, `*_authority` then being positions in an array of shape (stratum,
        authority); sums of constants; what has no rows with dim stratum. Of distinct numbers of
        events, `number_stratum` says whose they are.
    """
    if len(data) == 1:
        return data[0]
    made: Variables = {}
    for name in dict.fromkeys(str(name) for each in data for name in each):
        parts = [(s, each[name].to_numpy()) for s, each in enumerate(data) if name in each]
        dims = next(tuple(map(str, each[name].dims)) for each in data if name in each)
        if not dims:
            made[name] = ((), np.array(sum(float(values) for _, values in parts)))
        elif dims[0] in _ROWS:
            of = _begin(name, data, authorities)
            rest = _NEVER if name.endswith("_log_weight") else 0.0
            made[name] = (dims, _end_to_end([values + of[s] for s, values in parts], rest))
        else:
            held = dict(parts)
            nothing = np.zeros_like(parts[0][1])
            every = [held.get(s, nothing) for s in range(len(data))]
            made[name] = (("stratum", *dims), np.stack(every))
    if "distinct_events" in made:
        sizes = [each.sizes.get("number", 0) for each in data]
        made["number_stratum"] = (("number",), np.repeat(np.arange(len(data)), sizes))
    return xr.Dataset(made)


def _begin(name: str, data: Sequence[xr.Dataset], authorities: int) -> list[int]:
    """What is added to a stratum's positions, so that they are those in arrays of all strata."""
    if name.endswith("_authority"):
        return [s * authorities for s in range(len(data))]
    if name == "row_locality":
        sizes = [each.sizes.get("counted_locality", 0) for each in data]
        return [sum(sizes[:s]) for s in range(len(data))]
    return [0] * len(data)


def _end_to_end(parts: list[FloatArray], rest: float) -> FloatArray:
    """Rows of all strata: nodes of no exposure fill up those that have fewer than others."""
    widest = [max(sizes) for sizes in zip(*(each.shape[1:] for each in parts), strict=True)]
    filled = []
    for each in parts:
        room = [(0, 0)]
        room += [(0, most - own) for most, own in zip(widest, each.shape[1:], strict=True)]
        filled.append(np.pad(each, room, constant_values=rest))
    return np.concatenate(filled)
