"""A simulated table's deprivation, split as the model splits it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from socgrad.arrays import FloatArray, IntArray
from socgrad.predictor import authority_level, authority_slope
from socgrad.simulation.truth import Truth
from socgrad.within_between import split, weighted_means

__all__ = ["Parts", "level_and_slope", "parts_of"]


@dataclass(frozen=True, eq=False)
class Parts:
    """Deprivation split as the model splits it, in steps.

    Parameters
    ----------
    authorities
        Labels, in order of appearance, (J,).
    authority_of_area
        Position of each area's authority, (n,).
    children, within_part
        Of each area, (n,).
    authority_mean, between_part
        Of each authority, proportion and steps, (J,).
    national_mean
        Child-weighted mean deprivation, proportion.
    """

    authorities: pd.Index
    authority_of_area: IntArray
    children: FloatArray
    authority_mean: FloatArray
    national_mean: float
    within_part: FloatArray
    between_part: FloatArray

    @property
    def steps(self) -> FloatArray:
        """Deprivation of each area less the national mean, in steps: within plus between."""
        return self.within_part + self.between_part[self.authority_of_area]


def parts_of(frame: pd.DataFrame, per: float) -> Parts:
    """Split the deprivation of a table's areas: columns authority, children, deprivation."""
    of, authorities = pd.factorize(frame["authority"])
    deprivation = frame["deprivation"].to_numpy(dtype=np.float64)
    children = frame["children"].to_numpy(dtype=np.float64)
    means = weighted_means(deprivation, children, of, len(authorities))
    national = float(np.average(deprivation, weights=children))
    within, between = split(
        deprivation,
        authority_of_area=of,
        authority_mean=means,
        national_mean=national,
        per=per,
    )
    return Parts(pd.Index(authorities), of, children, means, national, within, between)


def level_and_slope(
    truth: Truth, between_part: FloatArray, level_effect: FloatArray, slope_effect: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Log rate at its mean deprivation, and log gradient, of each authority."""
    level = authority_level(
        truth.intercept, truth.between, truth.curvature, between_part, level_effect
    )
    return level, authority_slope(truth.within, truth.cross_level, between_part, slope_effect)
