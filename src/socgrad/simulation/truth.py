"""The truth that a stage is simulated with, and the stages published for England."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from socgrad.errors import SpecificationError

__all__ = ["PUBLISHED_STAGES", "Truth"]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The parameters that one stage is simulated with, named as in `socgrad.schema.PARAMETERS`.

    All but the correlation are on the log-rate scale, per step of deprivation (ten percentage
    points unless `simulate` is told otherwise).

    Parameters
    ----------
    intercept
        Log events per child, average authority at its mean deprivation. See `calibrated`.
    within
        Log rate ratio per step of deprivation between neighbourhoods of one authority.
    between
        Log rate ratio per step of authority mean deprivation.
    curvature
        Log rate per squared step of authority mean deprivation.
    cross_level
        Change of the log gradient per step of authority mean deprivation.
    level_sd, slope_sd
        Standard deviations of the authority effects on level and slope, at least 0.
    correlation
        Correlation of the two effects, -1 to 1.
    overdispersion
        Coefficient of variation of a gamma effect of each neighbourhood, at least 0; 0 gives
        Poisson counts, otherwise counts are negative binomial with ``phi = overdispersion**-2``.
    locality_sd
        Coefficient of variation of a gamma effect of each locality, at least 0.
    region_sd
        Standard deviation of a normal effect of each region on its authorities' levels, at least 0.
    """

    intercept: float
    within: float
    between: float
    curvature: float = 0.0
    cross_level: float = 0.0
    level_sd: float = 0.0
    slope_sd: float = 0.0
    correlation: float = 0.0
    overdispersion: float = 0.0
    locality_sd: float = 0.0
    region_sd: float = 0.0

    def __post_init__(self) -> None:
        values = asdict(self)
        if bad := [name for name, value in values.items() if not np.isfinite(value)]:
            raise SpecificationError(f"Truth: {', '.join(bad)} is not finite. Pass finite numbers.")
        scales = ("level_sd", "slope_sd", "overdispersion", "locality_sd", "region_sd")
        if negative := [name for name in scales if values[name] < 0]:
            raise SpecificationError(
                f"Truth: {', '.join(negative)} is below 0. Expected a standard deviation or a "
                "coefficient of variation, 0 or more."
            )
        if abs(self.correlation) > 1:
            raise SpecificationError(
                f"Truth: correlation is {self.correlation}. Expected a number from -1 to 1."
            )

    @property
    def contextual(self) -> float:
        """Log rate ratio per step of authority mean deprivation, neighbourhood deprivation equal.

        ``between - within``: below 0, rates are higher in affluent authorities (the inverse
        intervention effect). It holds at the national mean deprivation, between authorities half a
        step below and half a step above it; elsewhere `cross_level` and `curvature` enter too.
        """
        return self.between - self.within


def _published(
    rate: float, within: float, contextual: float, cross_level: float, sds: tuple[float, float]
) -> Truth:
    """Truth from a rate per 10,000 at the national mean and rate ratios per ten points."""
    return Truth(
        intercept=float(np.log(rate / 10_000)),
        within=float(np.log(within)),
        between=float(np.log(within) + np.log(contextual)),
        cross_level=cross_level,
        level_sd=sds[0],
        slope_sd=sds[1],
        correlation=-0.2,
    )


#: Gradients as published for England, 2018-19 (https://doi.org/10.1093/bjsw/bcab255). Intercepts
#: give, with England's geography, the national numbers of referrals (650,900) and of child
#: protection plans started (66,700) in 2018-19, of section 47 enquiries (201,000) in 2019-20, and
#: of children in need at 31 March 2019 who were neither on such a plan nor looked after (269,100),
#: because no number of child in need plans is published. Contextual ratios follow a fit to
#: published authority totals; the other values are plausible, not published.
PUBLISHED_STAGES: Final[Mapping[str, Truth]] = MappingProxyType(
    {
        "referral": _published(431.0, 1.62, 0.84, -0.04, (0.26, 0.10)),
        "child_in_need_plan": _published(175.5, 1.64, 0.83, -0.04, (0.28, 0.10)),
        "section_47": _published(127.0, 1.69, 0.81, -0.05, (0.30, 0.11)),
        "child_protection_plan": _published(39.8, 1.80, 0.75, -0.05, (0.28, 0.12)),
    }
)
