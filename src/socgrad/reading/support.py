"""Common support: how many neighbourhoods back a number.

A model gives a rate for a deprived neighbourhood of an affluent authority whether or not there is
one. What is asked of a place without neighbourhoods is extrapolated along the model's lines. Only
neighbourhoods that gave data count: those whose events were left out shaped the means alone.
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from socgrad.errors import SupportWarning
from socgrad.reading.geography import Geography

__all__ = [
    "FEW",
    "areas_near_mean",
    "areas_of",
    "common_range",
    "count_near",
    "warn_if_beyond",
    "warn_if_thin",
]

type Booleans = npt.NDArray[np.bool_]

#: Fewer neighbourhoods than this leave a number without support of its own.
FEW: Final = 10
#: Points named in a warning before the rest are only counted.
_NAMED: Final = 5
_PACKAGE: Final = str(Path(__file__).parents[1])
# Half a window of 0.10 must hold 0.125 about 0.1, whatever binary fractions make of it.
_ROUNDING: Final = 1e-12


def areas_near_mean(land: Geography, authority_mean: float) -> Booleans:
    """Mark areas with data of authorities whose mean is a quarter step off this one at most."""
    near = np.abs(land.authority_mean.to_numpy() - authority_mean) <= _window(land)
    marked: Booleans = near[land.authority_of_area] & land.has_data
    return marked


def areas_of(land: Geography, position: int) -> Booleans:
    """Mark the areas with data of the authority at a position along dim authority."""
    marked: Booleans = (land.authority_of_area == position) & land.has_data
    return marked


def count_near(
    land: Geography, among: Booleans, deprivation: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Count the marked areas within a quarter step of each neighbourhood deprivation."""
    values = np.sort(land.deprivation[among])
    above = np.searchsorted(values, deprivation + _window(land), side="right")
    below = np.searchsorted(values, deprivation - _window(land), side="left")
    return above - below


def common_range(land: Geography, first: Booleans, second: Booleans) -> tuple[float, float]:
    """Range of deprivation that both sets of marked areas reach; (nan, nan) where they do not."""
    sides = [land.deprivation[first], land.deprivation[second]]
    if not all(side.size for side in sides):
        return (np.nan, np.nan)
    low, high = max(side.min() for side in sides), min(side.max() for side in sides)
    return (float(low), float(high)) if low <= high else (np.nan, np.nan)


def warn_if_thin(land: Geography, points: Sequence[tuple[str, int]]) -> None:
    """Warn once of all points that rest on fewer than 10 neighbourhoods.

    Parameters
    ----------
    land
        Geography of the fit, for the width of the window.
    points
        What was asked for, in words, and how many neighbourhoods back it.

    Warns
    -----
    SupportWarning
        At the caller's line outside the package.
    """
    thin = [(where, count) for where, count in points if count < FEW]
    if not thin:
        return
    named = "; ".join(f"{where}: {count}" for where, count in thin[:_NAMED])
    more = f"; and {len(thin) - _NAMED} more" if len(thin) > _NAMED else ""
    warnings.warn(
        f"{len(thin)} of {len(points)} points rest on fewer than {FEW} neighbourhoods ({named}"
        f"{more}). Counted were those with data within {_window(land):.3g} of the deprivation and "
        "of the authority mean. Beyond them the numbers follow the model's straight lines: "
        "choose values that occur together, or report them as extrapolated.",
        SupportWarning,
        skip_file_prefixes=(_PACKAGE,),
    )


def warn_if_beyond(
    table: pd.DataFrame, ranges: Mapping[str, tuple[float, float, float]], *, rows: str
) -> None:
    """Warn once of covariates far outside the values that the model was fitted to.

    Far is more than a quarter of a standard deviation beyond the least or the largest.

    Parameters
    ----------
    table
        Columns as they stand before any transform; those that `ranges` does not have are left out.
    ranges
        Least and largest fitted value of each column, and its standard deviation.
    rows
        What a row of the table is, for the message.

    Warns
    -----
    SupportWarning
        At the caller's line outside the package.
    """
    found = []
    for name, (low, high, sd) in ranges.items():
        if name not in table:
            continue
        values = pd.to_numeric(table[name]).to_numpy(dtype=np.float64)
        beyond = (values < low - sd / 4) | (values > high + sd / 4)
        if beyond.any():
            worst = values[beyond][int(np.abs(values[beyond] - (low + high) / 2).argmax())]
            found.append(
                f"{name} in {int(beyond.sum()):,} of {len(values):,} {rows}, up to {worst:.4g} "
                f"where {low:.4g} to {high:.4g} was fitted"
            )
    if found:
        warnings.warn(
            f"Covariates lie far outside their fitted range ({'; '.join(found)}). Beyond it the "
            "numbers follow the model's straight lines: choose values that occur, or report them "
            "as extrapolated.",
            SupportWarning,
            skip_file_prefixes=(_PACKAGE,),
        )


def _window(land: Geography) -> float:
    return land.per / 4 + _ROUNDING
