"""Stages and priors of `public_totals.py`: what others found, and what totals cannot check."""

import math
from dataclasses import dataclass, field

import socgrad as sg

__all__ = ["GRID", "STAGES", "Prior", "Stage"]


@dataclass(frozen=True)
class Stage:
    """A stage of child protection, and what others found about it.

    Attributes
    ----------
    name, column : str
        In words, and in the DfE's table.
    gradient : float
        Published rate ratio per 10 points of neighbourhood deprivation, school-aged children
        2018-19 (Goldacre & Hood 2022, https://doi.org/10.1093/bjsw/bcab255).
    trial, wide_trial : tuple of float
        Contextual rate ratio of an earlier trial on the same sources, and its 95% interval: under
        the first prior of `GRID`, and roughly under the last.
    slope : float
        Rate ratio of authority rates per 10 points of authority deprivation, of the same trial.
    """

    name: str
    column: str
    gradient: float
    trial: tuple[float, float, float]
    slope: float = math.nan
    wide_trial: tuple[float, float, float] | None = None


STAGES = (
    Stage("referrals", "referrals", 1.62, (0.84, 0.76, 0.94), 1.31, (0.88, 0.77, 1.00)),
    Stage("CIN episodes", "at31_episodes", 1.64, (0.84, 0.77, 0.92), 1.30),
    Stage("section 47", "section47", 1.69, (0.84, 0.73, 0.95)),
    Stage("plan starts", "cpp_start", 1.80, (0.72, 0.62, 0.81), 1.37, (0.67, 0.57, 0.79)),
    Stage("plans 31 March", "cpp_at31", 1.80, (0.74, 0.64, 0.85), 1.44),
)

# All but fixed: totals cannot tell how gradients vary between authorities.
FIXED = 0.001


@dataclass(frozen=True)
class Prior:
    """Priors of what totals say little about; the others are the library's defaults.

    Attributes
    ----------
    cross_level : socgrad.Normal
        Change of the log gradient per 10 points of authority deprivation.
    slope_sd : socgrad.PositiveNormal
        SD of log gradients between authorities of equal deprivation.
    within_sd : float
        SD of the log gradient about the published one. The study's own error, with 32,837
        neighbourhoods in 149 authorities, is about 0.01; 0.03 (6% either way) leaves room for
        children of other ages than the study's, 0.05 for more.
    """

    cross_level: sg.Normal = field(default=sg.Normal(-0.05, 0.05))
    slope_sd: sg.PositiveNormal = field(default=sg.PositiveNormal(0.12, FIXED))
    within_sd: float = 0.03

    def of(self, stage: Stage) -> sg.Priors:
        """Priors of a stage, about its published gradient."""
        within = sg.Normal(math.log(stage.gradient), self.within_sd)
        return sg.Priors(
            within=within,
            cross_level=self.cross_level,
            slope_sd=self.slope_sd,
        )


#: The library's default for an SD of gradients.
HALF_NORMAL = sg.PositiveNormal(0.0, 0.25)
#: The first is the one reported; the others change one prior, or all of them.
GRID = (
    Prior(),
    Prior(cross_level=sg.Normal(-0.10, 0.05)),
    Prior(cross_level=sg.Normal(0.00, 0.05)),
    Prior(cross_level=sg.Normal(0.00, 0.20)),
    Prior(slope_sd=sg.PositiveNormal(0.06, FIXED)),
    Prior(slope_sd=sg.PositiveNormal(0.20, FIXED)),
    Prior(within_sd=0.05),
    Prior(slope_sd=HALF_NORMAL),
    Prior(cross_level=sg.Normal(0.00, 0.20), slope_sd=HALF_NORMAL),
    Prior(cross_level=sg.Normal(0.00, 0.20), slope_sd=HALF_NORMAL, within_sd=0.05),
)
