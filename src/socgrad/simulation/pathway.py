"""The way of children through the stages in the simulated England: what is published, what is not.

Rates per 10,000 children are the Department for Education's for England, 2018-19. Gradients of
referrals, child in need plans, section 47 enquiries and child protection plans are those of
https://doi.org/10.1093/bjsw/bcab255; contextual ratios of these four follow a fit to published
totals of authorities (`socgrad.simulation.truth`). Everything else is plausible, in the direction
of the study's findings, and not published: gradients of the stages between them, how gradients
change with authority deprivation, how much authorities differ, and all that concerns ends, returns
and repeats but their numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from socgrad.errors import SpecificationError

__all__ = ["PATHWAY", "RETURNS", "Return", "Step"]


@dataclass(frozen=True, kw_only=True)
class _Rates:
    """What a stage and a return have in common."""

    rate: float
    gradient: float
    contextual: float
    cross_level: float
    level_sd: float
    slope_sd: float

    def __post_init__(self) -> None:
        kind = type(self).__name__
        for name in ("rate", "gradient", "contextual"):
            if not 0 < getattr(self, name) < np.inf:
                raise SpecificationError(
                    f"{kind}: {name} is {getattr(self, name)}. Expected a number above 0."
                )
        if not np.isfinite(self.cross_level):
            raise SpecificationError(f"{kind}: cross_level is not finite. Pass a finite number.")
        for name in ("level_sd", "slope_sd"):
            if not 0 <= getattr(self, name) < np.inf:
                raise SpecificationError(
                    f"{kind}: {name} is {getattr(self, name)}. Expected a standard deviation, 0 or "
                    "more."
                )

    @property
    def within(self) -> float:
        """Log of the gradient."""
        return float(np.log(self.gradient))

    @property
    def between(self) -> float:
        """Log rate ratio per step of authority deprivation."""
        return float(np.log(self.gradient) + np.log(self.contextual))


@dataclass(frozen=True, kw_only=True)
class Step(_Rates):
    """One stage: whom it takes from, and its rates over all children of England.

    Parameters
    ----------
    of
        The stage whose children it is a part of; None for referrals, which come from all children.
    rate
        Events per 10,000 children and year, over the whole table.
    gradient
        Rate ratio per step of neighbourhood deprivation in an average authority.
    contextual
        Rate ratio per step of authority deprivation at equal neighbourhood deprivation.
    cross_level
        Change of the log gradient per step of authority deprivation.
    level_sd, slope_sd
        Standard deviations of the authority effects on level and slope, at least 0.
    kept
        Correlation of an authority's effects with its effects at the stage `of`, 0 to 1.
    """

    of: str | None
    kept: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.kept <= 1:
            raise SpecificationError(f"Step: kept is {self.kept}. Expected a number from 0 to 1.")


#: Stages in order; each takes its children from one before it. Published per 10,000 children in
#: 2018-19: 544.5 referrals (650,900), 539.3 assessments (644,700), 342.0 episodes of need started
#: (408,900), 168.3 section 47 enquiries (201,200), 64.8 initial conferences (77,400), 55.8 plans
#: started (66,700). For child in need plans, of which no number is published, the children in need
#: at 31 March who were neither on a protection plan nor looked after: 225.1 (269,100).
PATHWAY: Final[Mapping[str, Step]] = MappingProxyType(
    {
        "referral": Step(
            of=None,
            rate=544.5,
            gradient=1.62,
            contextual=0.84,
            cross_level=-0.04,
            level_sd=0.26,
            slope_sd=0.10,
        ),
        "assessment": Step(
            of="referral",
            rate=539.3,
            gradient=1.62,
            contextual=0.84,
            cross_level=-0.04,
            level_sd=0.26,
            slope_sd=0.10,
        ),
        "child_in_need": Step(
            of="assessment",
            rate=342.0,
            gradient=1.63,
            contextual=0.835,
            cross_level=-0.04,
            level_sd=0.27,
            slope_sd=0.10,
            kept=0.95,
        ),
        "child_in_need_plan": Step(
            of="child_in_need",
            rate=225.1,
            gradient=1.64,
            contextual=0.83,
            cross_level=-0.04,
            level_sd=0.28,
            slope_sd=0.10,
            kept=0.97,
        ),
        "section_47": Step(
            of="child_in_need",
            rate=168.3,
            gradient=1.69,
            contextual=0.81,
            cross_level=-0.05,
            level_sd=0.29,
            slope_sd=0.11,
            kept=0.95,
        ),
        "conference": Step(
            of="section_47",
            rate=64.8,
            gradient=1.79,
            contextual=0.76,
            cross_level=-0.05,
            level_sd=0.285,
            slope_sd=0.12,
            kept=0.9,
        ),
        "child_protection_plan": Step(
            of="conference",
            rate=55.8,
            gradient=1.80,
            contextual=0.75,
            cross_level=-0.05,
            level_sd=0.28,
            slope_sd=0.12,
            kept=0.99,
        ),
    }
)


@dataclass(frozen=True, kw_only=True)
class Return(_Rates):
    """How often something follows, of those to whom it can: a share, or a rate per month.

    Parameters
    ----------
    of
        The column of those to whom it can happen: cases, plans, or months open.
    rate
        Share, or events per month, over the whole table.
    gradient, contextual, cross_level, level_sd, slope_sd
        As in `Step`.
    """

    of: str


#: 32 of 100 closed cases are referred again within twelve months
#: (https://doi.org/10.1016/j.childyouth.2025.108113), 20.8 of 100 plans started in 2018-19 were not
#: the child's first, and 334.2 per 10,000 children in need at 31 March 2019 over 342.0 episodes
#: started in the year are a mean of 11.7 months open: 0.0853 closures per month.
RETURNS: Final[Mapping[str, Return]] = MappingProxyType(
    {
        "rereferral": Return(
            of="closed_last_year",
            rate=0.32,
            gradient=1.06,
            contextual=0.90,
            cross_level=-0.01,
            level_sd=0.15,
            slope_sd=0.02,
        ),
        "repeat_plan": Return(
            of="child_protection_plan",
            rate=0.208,
            gradient=1.04,
            contextual=0.88,
            cross_level=-0.01,
            level_sd=0.18,
            slope_sd=0.02,
        ),
        "closed": Return(
            of="months_open",
            rate=0.0853,
            gradient=0.95,
            contextual=1.04,
            cross_level=0.0,
            level_sd=0.15,
            slope_sd=0.03,
        ),
    }
)
