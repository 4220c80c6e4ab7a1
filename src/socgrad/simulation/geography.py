"""An England-shaped table of areas: authorities, children and deprivation, without events.

Shapes are those of the 149 authorities and 32,837 areas of England in 2019 (children of mid-2019,
IDACI of the Indices of Deprivation 2019). Sizes and authority means follow England's quantiles,
spread evenly over the authorities that are asked for, so that two seeds differ in which authority
gets which, but little in the whole.
"""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from socgrad.arrays import FloatArray, IntArray
from socgrad.errors import SpecificationError
from socgrad.within_between import weighted_means

__all__ = ["Sizes", "area_counts", "simulated_areas", "simulated_localities"]

type Sizes = Literal["unequal", "equal"]

#: Quantiles over England's authorities: number of areas, and mean deprivation in standard units.
_LEVELS: Final = np.array([0, 0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 1])
_AREAS: Final = np.array([23, 61, 88, 98, 121, 163, 234, 426, 534, 853, 902])
_MEANS: Final = np.array([-2.07, -1.85, -1.47, -1.25, -0.80, -0.05, 0.71, 1.42, 1.67, 2.17, 2.41])
#: Large authorities are the less deprived ones (counties): correlation of log areas and mean.
_SIZE_AND_MEAN: Final = -0.25
#: Relative sd within an authority = 1 + slope (relative mean - 1) + truncated normal residual.
_SPREAD_SLOPE: Final = 0.57
_SPREAD_RESIDUAL: Final = 0.20
#: Drawn over wanted sd: setting the child-weighted mean narrows a distribution by this much.
_DRAWN_SPREAD: Final = 1.045
#: Children per area; sd of their log between authorities and within them, and the tails within.
_CHILDREN_MEAN: Final = 366.0
_CHILDREN_BETWEEN: Final = 0.14
_CHILDREN_WITHIN: Final = 0.34
_CHILDREN_TAILS: Final = 9
#: Correlation, within an authority, of the ranks of deprivation and of children.
_CHILDREN_AND_DEPRIVATION: Final = 0.36
#: No neighbourhood of England is entirely without deprivation.
_LEAST_DEPRIVATION: Final = 0.012
_REGIONS: Final = 9


def area_counts(sizes: Sizes, *, authorities: int, areas: int) -> IntArray:
    """Return the number of areas of each authority, smallest first, summing to `areas`."""
    if authorities < 2 or areas < 2 * authorities:
        raise SpecificationError(
            f"{authorities} authorities with {areas} areas in all cannot be simulated. Expected at "
            "least 2 authorities, and at least 2 areas for each."
        )
    if sizes == "equal":
        shape = np.ones(authorities)
    elif sizes == "unequal":
        shape = np.interp(_evenly(authorities), _LEVELS, _AREAS)
        shape[[0, -1]] = _AREAS[[0, -1]]
    else:
        raise SpecificationError(f"sizes is {sizes!r}. Expected 'unequal' or 'equal'.")
    # Two areas for each, the rest by largest remainder.
    share = np.maximum(shape / shape.sum() * areas - 2, 0)
    share *= (areas - 2 * authorities) / share.sum() if share.any() else 0
    counts = np.floor(share).astype(np.int64)
    short = areas - 2 * authorities - counts.sum()
    counts[np.argsort(counts - share, kind="stable")[:short]] += 1
    return counts + 2


def simulated_areas(
    counts: IntArray,
    *,
    authority_mean: float,
    authority_sd: float,
    within_sd: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return one row per area: area, authority, region, children, deprivation.

    Parameters
    ----------
    counts
        Areas in each authority; authorities are given these sizes in random order.
    authority_mean, authority_sd
        Mean and standard deviation of the authorities' mean deprivation, proportions.
    within_sd
        Mean over authorities of the standard deviation of deprivation within one, proportion; it
        rises with the authority's mean.
    rng
        Source of all randomness here.
    """
    if authority_sd < 0 or within_sd <= 0:
        raise SpecificationError(
            f"authority_sd is {authority_sd} and within_sd {within_sd}. Expected standard "
            "deviations as proportions, at least 0 and above 0."
        )
    authorities = len(counts)
    # Sample correlation fixed, not only expected: it moves the national mean.
    size_score = rng.standard_normal(authorities)
    other = _residual(rng.standard_normal(authorities), size_score)
    mean_score = _SIZE_AND_MEAN * _standard(size_score) + np.sqrt(1 - _SIZE_AND_MEAN**2) * other
    counts = np.sort(counts)[_ranks(size_score)]
    levels = _evenly(authorities)[_ranks(mean_score)]
    means = authority_mean + authority_sd * np.interp(levels, _LEVELS, _MEANS)
    if means.min() <= _LEAST_DEPRIVATION or means.max() >= 1:
        raise SpecificationError(
            f"authority_mean {authority_mean} with authority_sd {authority_sd} gives authority "
            f"means from {means.min():.3f} to {means.max():.3f}. Expected means between "
            f"{_LEAST_DEPRIVATION} and 1: take a smaller authority_sd."
        )
    residual = np.clip(rng.standard_normal(authorities), -1.8, 1.8)
    relative = 1 + _SPREAD_SLOPE * (means / authority_mean - 1) + _SPREAD_RESIDUAL * residual
    spreads = _DRAWN_SPREAD * within_sd * np.maximum(relative, 0.2)

    of = np.repeat(np.arange(authorities), counts)
    log_children = _log_children(of, rng)
    deprivation = _deprivation(means, spreads, log_children, of, rng)
    within = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    region = rng.integers(min(_REGIONS, authorities), size=authorities) + 1
    return pd.DataFrame(
        {
            "area": [f"A{j + 1:03d}-{i + 1:04d}" for j, i in zip(of, within, strict=True)],
            "authority": np.array([f"A{j + 1:03d}" for j in range(authorities)], dtype=object)[of],
            "region": np.array([f"R{r}" for r in region], dtype=object)[of],
            "children": np.maximum(np.rint(np.exp(log_children)), 1).astype(np.int64),
            "deprivation": deprivation,
        }
    )


def simulated_localities(
    frame: pd.DataFrame, areas_per_locality: float, rng: np.random.Generator
) -> npt.NDArray[np.object_]:
    """Group the areas of each authority, those of like deprivation more often than not.

    Parameters
    ----------
    frame
        As `simulated_areas` returns it.
    areas_per_locality
        Areas in a locality, on average, at least 1.
    rng
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        Label of each area's locality.
    """
    if not areas_per_locality >= 1:
        raise SpecificationError(
            f"areas_per_locality is {areas_per_locality}. Expected areas of a locality, on "
            "average, 1 or more: England's MSOAs have about five."
        )
    by = frame.groupby("authority", sort=False)["deprivation"]
    size = by.transform("size").to_numpy()
    # As much noise as there is deprivation within an authority: neighbours are alike, not the same.
    score = frame["deprivation"] + by.transform("std").fillna(0.0) * rng.standard_normal(len(frame))
    rank = score.groupby(frame["authority"], sort=False).rank(method="first").to_numpy() - 1
    number = np.maximum(np.rint(size / areas_per_locality), 1)
    place = np.floor(rank * number / size).astype(np.int64)
    pairs = zip(frame["authority"], place, strict=True)
    return np.array([f"{label}-L{k + 1:03d}" for label, k in pairs], dtype=object)


def _log_children(of: IntArray, rng: np.random.Generator) -> FloatArray:
    """Log children of each area: normal between authorities, Student's t within them."""
    between = _CHILDREN_BETWEEN * rng.standard_normal(of[-1] + 1)
    within = np.clip(rng.standard_t(_CHILDREN_TAILS, size=len(of)), -6.5, 6.5)
    within *= _CHILDREN_WITHIN * np.sqrt((_CHILDREN_TAILS - 2) / _CHILDREN_TAILS)
    score = between[of] + within
    # The mean is fixed, not only expected: with it, the national number of children.
    logs: FloatArray = score + np.log(_CHILDREN_MEAN) - np.log(np.exp(score).mean())
    return logs


def _deprivation(
    means: FloatArray,
    spreads: FloatArray,
    log_children: FloatArray,
    of: IntArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Beta deprivation within each authority, its ranks correlated with the number of children."""
    room = 1 - _LEAST_DEPRIVATION
    mean = (means - _LEAST_DEPRIVATION) / room
    # A beta distribution with a precision below 2 is U-shaped, which deprivation never is.
    precision = np.maximum(mean * (1 - mean) * (room / spreads) ** 2 - 1, 2)
    values = rng.beta((mean * precision)[of], ((1 - mean) * precision)[of])

    noise = rng.standard_normal(len(of))
    r = _CHILDREN_AND_DEPRIVATION
    centred = (log_children - log_children.mean()) / log_children.std()
    score = r * centred + np.sqrt(1 - r * r) * noise
    # `of` is sorted, so the k-th lowest value of an authority meets its k-th lowest score.
    paired = np.empty_like(values)
    paired[np.lexsort((score, of))] = values[np.lexsort((values, of))]
    # Deprived areas have more children, so the average child's deprivation is above the mean.
    drawn = weighted_means(paired, np.exp(log_children), of, len(means))
    deprivation: FloatArray = _LEAST_DEPRIVATION + room * paired * (mean / drawn)[of]
    return np.minimum(deprivation, 0.999)


def _evenly(count: int) -> FloatArray:
    """Midpoints of `count` equal parts of (0, 1)."""
    return (np.arange(count) + 0.5) / count


def _ranks(values: FloatArray) -> IntArray:
    """Positions of the values in ascending order."""
    return np.argsort(np.argsort(values))


def _standard(values: FloatArray) -> FloatArray:
    """Values with mean 0 and standard deviation 1."""
    standard: FloatArray = (values - values.mean()) / values.std()
    return standard


def _residual(values: FloatArray, other: FloatArray) -> FloatArray:
    """Part of `values` that is uncorrelated with `other`, standardised; two values have none."""
    if len(values) < 3:
        return _standard(values)
    z = _standard(other)
    return _standard(values - z * (values * z).mean())
