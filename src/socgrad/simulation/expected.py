"""Expected numbers of the simulated England: every column, by area and by any groups.

Over all children the rate of every stage is log-linear within authorities, and so is the ratio of
two stages, or of a return to its cases. Groups divide these numbers: their gradients differ, and a
sum of exponentials is no exponential, so that a group's own rate bends a little. Without groups,
or with a bend of all rates, see `simulate_flow`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from socgrad.arrays import FloatArray, IntArray
from socgrad.errors import SpecificationError
from socgrad.predictor import log_rate
from socgrad.simulation.groups import CATEGORY_OF_NEED, GROUPS, SLOPES, level_shares
from socgrad.simulation.parts import Parts, level_and_slope
from socgrad.simulation.truth import Truth

__all__ = ["MONTHS", "Expected", "Line", "check_by"]

#: Months of the year that the table is of.
MONTHS: Final = 12

#: Columns that are a part or a multiple of the episodes of need started in the year.
_FROM_NEED: Final = (
    *("closed_last_year", "rereferral"),
    *("open_before", "open_after", "months_open", "closed"),
)


def check_by(by: Sequence[str]) -> tuple[str, ...]:
    """Return the dimensions in the order of `GROUPS`; refuse what is none, or is named twice."""
    if (bad := [name for name in by if name not in GROUPS]) or len(set(by)) < len(by):
        raise SpecificationError(
            f"by is {', '.join(map(repr, by))}{'; not known: ' + ', '.join(bad) if bad else ''}. "
            f"Expected some of {', '.join(GROUPS)}, each once."
        )
    return tuple(name for name in GROUPS if name in by)


@dataclass(frozen=True, eq=False)
class Line:
    """Log rates that are straight lines within authorities, with their effects."""

    truth: Truth
    level_effect: FloatArray
    slope_effect: FloatArray

    def rate(self, parts: Parts, *, effects: bool) -> FloatArray:
        """Rate of each area, with the authorities' effects or at their average, (n,)."""
        share = 1.0 if effects else 0.0
        level, slope = level_and_slope(
            self.truth, parts.between_part, share * self.level_effect, share * self.slope_effect
        )
        of = parts.authority_of_area
        rate: FloatArray = np.exp(log_rate(level[of], slope[of], parts.within_part))
        return rate


@dataclass(frozen=True, eq=False)
class Expected:
    """Expected numbers by area.

    Parameters
    ----------
    parts
        Deprivation of the areas.
    children
        Children of each area by age and ethnicity, (n, ages, ethnicities).
    relief
        Factor of every stage's rate over all children in each area: 1 where it is log-linear, (n,).
    previous
        The stage that each stage takes its children from.
    stages, returns
        The line of each, for the children of no group in particular.
    grouped
        Whether groups differ.
    """

    parts: Parts
    children: IntArray
    relief: FloatArray
    previous: Mapping[str, str | None]
    stages: Mapping[str, Line]
    returns: Mapping[str, Line]
    grouped: bool

    def relative(self, stage: str, dimension: str) -> FloatArray:
        """Rate of each group over the stage's line, (n, groups)."""
        level = level_shares(stage, dimension, self.previous)
        slopes = SLOPES[dimension]
        if not self.grouped:
            # Shares of a case's needs stay, or there would be no cases to count by need.
            level = level if dimension == "need" else np.zeros_like(level)
            slopes = np.zeros_like(slopes)
        relative: FloatArray = np.exp(level + np.outer(self.parts.steps, slopes))
        return relative

    def mix(self, stage: str, by: Sequence[str] = ()) -> FloatArray:
        """Children times relative rate, summed over the groups that are not asked for, (n, ...)."""
        need = self.relative(stage, "need")
        axes = {"age": "a", "ethnicity": "e", "need": "k", "category": "c"}
        kept = "i" + "".join(axes[name] for name in by)
        operands = [self.children, self.relative(stage, "age"), self.relative(stage, "ethnicity")]
        sums = "iae,ia,ie,i"
        if "category" in by:
            sums, operands = "iae,ia,ie,ik,kc", [*operands, need, CATEGORY_OF_NEED]
        elif "need" in by:
            sums, operands = "iae,ia,ie,ik", [*operands, need]
        else:
            operands = [*operands, need.sum(axis=1)]
        mix: FloatArray = np.einsum(f"{sums}->{kept}", *operands)
        return mix

    @cached_property
    def balance(self) -> dict[str, FloatArray]:
        """Children over the mix of all groups, by stage: what keeps all children's rate, (n,)."""
        children = self.children.sum(axis=(1, 2))
        return {stage: children / self.mix(stage) for stage in self.previous}

    def area_rate(self, stage: str, *, effects: bool) -> FloatArray:
        """Rate of a stage in each area for a relative rate of 1, (n,)."""
        rate = self.stages[stage].rate(self.parts, effects=effects)
        return self.relief * self.balance[stage] * rate

    def column(self, name: str, by: Sequence[str] = (), *, effects: bool = True) -> FloatArray:
        """Expected number of a column of the table in each area and group, (n, ...).

        Parameters
        ----------
        name
            A stage, ``"children"``, or one of the columns of ends, returns and repeats.
        by
            Dimensions of `GROUPS`, in their order.
        effects
            With the authorities' effects; otherwise all at the average authority's.
        """
        if name == "children":
            return self._children(by)
        rates = {key: line.rate(self.parts, effects=effects) for key, line in self.returns.items()}
        if name in self.stages:
            stage, factor = name, np.ones(len(self.relief))
        elif name == "repeat_plan":
            stage, factor = "child_protection_plan", rates["repeat_plan"]
        elif name in _FROM_NEED:
            # A steady state: as many cases close in a year as open, and the number open is the
            # number that open in a month times their mean months open, 1 / closures per month.
            stage, months = "child_in_need", 1 / rates["closed"]
            factor = {
                "rereferral": rates["rereferral"],
                "open_before": months / MONTHS,
                "open_after": months / MONTHS,
                "months_open": months,
            }.get(name, np.ones(len(self.relief)))
        else:
            raise SpecificationError(
                f"There is no column {name!r}. Expected children, {', '.join(self.stages)}, "
                f"repeat_plan, {', '.join(_FROM_NEED)}."
            )
        rate = self.area_rate(stage, effects=effects) * factor
        if not by:
            return rate * self.children.sum(axis=(1, 2)) / self.balance[stage]
        mix = self.mix(stage, by)
        return mix * rate.reshape(-1, *[1] * (mix.ndim - 1))

    def _children(self, by: Sequence[str]) -> FloatArray:
        """Children of each group; need and category are the case's, so all children count."""
        gone = tuple(axis for axis, name in ((1, "age"), (2, "ethnicity")) if name not in by)
        own = self.children.sum(axis=gone).astype(np.float64)
        shape = [len(own), *(len(GROUPS[name]) for name in by)]
        rest = [1 for name in by if name not in ("age", "ethnicity")]
        return np.broadcast_to(own.reshape(*own.shape, *rest), shape)
