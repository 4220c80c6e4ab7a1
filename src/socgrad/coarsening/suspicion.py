"""Numbers that look like counts after someone coarsened them, although nobody said so."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.coarsening.columns import ColumnRule
from socgrad.coarsening.histogram import Histogram, RuleEvidence
from socgrad.coarsening.kernels import Kernel
from socgrad.coarsening.rounding import MidpointRounded, Rounded
from socgrad.coarsening.suppression import Suppressed

__all__ = ["Suspicion", "hidden_by", "rounded_beside_marks", "suspicion"]

#: Log likelihood ratios above which a rule is named: with gamma rates; and with any rates, which
#: explain a gap between none and many, too. A few numbers among zeros, or rounding, need less.
_GAMMA: Final = 7.0
_ANY, _ANY_OF_FEW, _MANY = 6.0, 1.5, 30

#: In fewer rows than this, as in an example made up by hand, nothing is looked for.
_FEW: Final = 50

#: What offices do: bases, thresholds and midpoints that are not among these count so much less.
_USUAL_BASES, _USUAL_HIDDEN, _USUAL_MIDPOINTS = (3, 5, 10), (2, 4, 5, 7, 9), (6,)
_UNUSUAL: Final = 3.0
#: No office hides counts as large as this: gaps between larger ones are those of few large counts.
_LARGEST_HIDDEN: Final = 20


@dataclass(frozen=True)
class Suspicion:
    """What a column looks like.

    Parameters
    ----------
    rule
        The rule that would have made it; None if areas without events are not in the table.
    evidence
        How much more likely that is than counts as they were counted.
    column
        The column.
    """

    rule: ColumnRule | None
    evidence: RuleEvidence
    column: Histogram


def suspicion(shown: FloatArray, exposure: FloatArray) -> Suspicion | None:
    """Say which rule a column of counts looks as if it had gone through, if any.

    Parameters
    ----------
    shown
        Number of each row, NaN where there is none, (n,).
    exposure
        Exposure of each row, above 0, (n,).
    """
    if len(shown) < _FEW:
        return None
    column = Histogram.of(shown, exposure)
    if not column.value.size or column.value[-1] == 0:
        return None
    rules = [rule for rule in _rules(column) if len(_kernels(rule, column)) == len(column.value)]
    if not rules and column.value[0] == 0:
        return None
    from socgrad.coarsening.mixtures import RuleComparison  # noqa: PLC0415 counts seldom need SciPy

    compared = RuleComparison(column)
    found = [
        Suspicion(rule, compared.with_rule(_kernels(rule, column), hidden_by(rule)), column)
        for rule in rules
    ]
    if column.value[0] > 0:
        found.append(Suspicion(None, compared.without_zeros(), column))
    found = [one for one in found if _is_evident(one)]
    # Where a rule says what the missing ones are, it says more than any other.
    found = [one for one in found if hidden_by(one.rule) is not None] or found
    return max(found, key=_support, default=None)


def rounded_beside_marks(shown: FloatArray, exposure: FloatArray) -> Suspicion | None:
    """Say which rounding the numbers look as if they had gone through that stand beside marks.

    Parameters
    ----------
    shown
        Number of each row, NaN where it has a mark, (n,).
    exposure
        Exposure of each row, above 0, (n,).
    """
    rows = shown > 0
    if rows.sum() < _FEW:
        return None
    column = Histogram.of(shown[rows], exposure[rows])
    rules = [rule for rule in _rules(column) if isinstance(rule, Rounded | MidpointRounded)]
    if not rules:
        return None
    from socgrad.coarsening.mixtures import RuleComparison  # noqa: PLC0415 counts seldom need SciPy

    compared = RuleComparison(column)
    found = [Suspicion(rule, compared.with_rule(_kernels(rule, column)), column) for rule in rules]
    return max(filter(_is_evident, found), key=_support, default=None)


def _is_evident(one: Suspicion) -> bool:
    zeros = one.column.value[0] == 0
    few = zeros and one.column.number[1:].sum() < _MANY
    rounded = isinstance(one.rule, MidpointRounded) or (
        isinstance(one.rule, Rounded) and one.rule.to > 1
    )
    least = _ANY_OF_FEW if few or rounded else _ANY
    return one.evidence.gamma > _GAMMA and one.evidence.any_mixture > least


def _support(one: Suspicion) -> float:
    return one.evidence.gamma - _UNUSUAL * (not _is_usual(one.rule))


def _is_usual(rule: ColumnRule | None) -> bool:
    if isinstance(rule, Rounded):
        bases = rule.to in (1, *_USUAL_BASES)
        return bases and (not rule.below or rule.below - 1 in _USUAL_HIDDEN)
    if isinstance(rule, MidpointRounded):
        return rule.to in _USUAL_MIDPOINTS
    if isinstance(rule, Suppressed):
        most = 10 if "" in rule.marks else 5  # one number for 1-9 looks like rounding to 10
        return all(high in _USUAL_HIDDEN and high <= most for _, high in rule.hidden)
    return True


def hidden_by(rule: ColumnRule | None) -> Kernel | None:
    """What a rule says of rows without a number."""
    if isinstance(rule, Suppressed) and "" in rule.marks:
        return rule.mark_kernel("")
    return None


def _kernels(rule: ColumnRule, column: Histogram) -> list[Kernel]:
    """What a rule says of each number of the column; fewer where one contradicts the rule."""
    found: list[Kernel | None] = []
    for value in column.value.tolist():
        if isinstance(rule, Suppressed) and value in rule.marks:
            found.append(rule.mark_kernel(value))
        else:
            found.append(rule.kernel(value))
    return [kernel for kernel in found if kernel is not None]


def _rules(column: Histogram) -> Iterator[ColumnRule]:
    """Rules that may have made the numbers of a column, by what all of them have in common."""
    positive = column.value[column.value > 0]
    smallest, zeros = int(positive[0]), int(column.value[0]) == 0
    base = int(np.gcd.reduce(positive))
    if base > 1:
        yield Rounded(base)
        # A smallest number that is no base comes from a threshold below it.
        if zeros and smallest > base:
            yield Rounded(base, below=smallest - base // 2)
        if zeros and base == 10:
            yield Rounded(5, below=8)
    step = int(np.gcd.reduce(np.diff(positive))) if len(positive) > 1 else 2 * smallest
    if step > 1 and not ((positive + step // 2) % step).any():
        yield MidpointRounded(step)
    if smallest - 1 > _LARGEST_HIDDEN:
        return
    if smallest > 1:
        if zeros:
            yield Rounded(1, below=smallest)
        if column.missing:
            yield Suppressed({"": (1, smallest - 1)})
    if column.missing and not zeros:
        yield Suppressed({"": (0, smallest - 1)})
    # One number below a gap, as where hidden counts were all written as 3.
    following = int(positive[1]) if len(positive) > 1 else 2 * smallest
    if following - smallest > 1 and following - 1 <= _LARGEST_HIDDEN:
        yield Suppressed({smallest: (1, following - 1)})
        if not zeros:
            yield Suppressed({smallest: (0, following - 1)})
