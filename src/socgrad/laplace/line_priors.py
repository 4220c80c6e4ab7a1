"""The normal distribution of authorities' levels and slopes, given the shared parameters."""

from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laplace.predictors import Predictors
from socgrad.predictor import authority_level, authority_slope

__all__ = ["LinePrior", "population"]


@dataclass(frozen=True, eq=False)
class LinePrior:
    """The normal distribution of some authorities' level and slope, at each point.

    Means have shape (n, j); precisions, their log-determinant and overdispersion (n, 1). Without
    random slopes the slope is its mean, and the precisions that concern it are zero.
    """

    level: FloatArray
    slope: FloatArray
    level_level: FloatArray
    level_slope: FloatArray
    slope_slope: FloatArray
    log_determinant: FloatArray
    overdispersion: FloatArray
    varying: bool


def population(values: dict[str, FloatArray], theirs: Predictors, *, varying: bool) -> LinePrior:
    """Population of authorities with these predictors (j,) at parameters `values` (n,)."""
    values = {name: value[:, None] for name, value in values.items()}
    zero = np.zeros_like(values["intercept"])
    b = theirs.between_part
    main = values.get("within", values.get("pooled", zero))
    level = authority_level(
        values["intercept"],
        values.get("between", zero),
        values.get("curvature", zero),
        b,
        0.0,
        covariates=_sum(values, theirs.level),
    )
    slope = authority_slope(
        main, values.get("cross_level", zero), b, 0.0, moderators=_sum(values, theirs.slope)
    )
    one = 1.0 / values["level_sd"] ** 2
    overdispersion = values.get("overdispersion", zero)
    if not varying:
        return LinePrior(level, slope, one, zero, zero, np.log(one), overdispersion, varying)
    two = 1.0 / values["slope_sd"] ** 2
    # 1 - correlation**2 from its factors keeps its digits near the ends.
    rest = (1.0 - values["correlation"]) * (1.0 + values["correlation"])
    across = -values["correlation"] / (values["level_sd"] * values["slope_sd"] * rest)
    return LinePrior(
        level,
        slope,
        one / rest,
        across,
        two / rest,
        np.log(one) + np.log(two) - np.log(rest),
        overdispersion,
        varying,
    )


def _sum(values: dict[str, FloatArray], columns: dict[str, FloatArray]) -> FloatArray | float:
    """Sum of coefficient times column over covariates, (n, j); 0 where there are none."""
    return sum((values[name] * column for name, column in columns.items()), start=0.0)
