"""How likely a column of numbers is as counts, and how likely as counts that were coarsened.

Counts of areas whose rates differ are mixtures of Poisson distributions. Two kinds of mixture are
fitted to the histogram of a column, as it is and as a rule would have made it: any mixture at all
(by the EM algorithm on a grid of means), and rates that are gamma distributed about the exposure
(the negative binomial). The first asks little of honest counts and is hard to contradict; the
second says much of what a few large numbers among zeros would need.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import optimize, special

from socgrad.arrays import FloatArray
from socgrad.coarsening.histogram import Histogram, RuleEvidence
from socgrad.coarsening.kernels import Kernel

__all__ = ["RuleComparison"]

#: Larger numbers tell by the width of their kernels alone: there the chances of neighbouring counts
#: are alike.
_LARGE: Final = 100

#: Means of the grid: a quarter of a standard deviation of a Poisson count apart.
_STEP: Final = 0.25
_EM_STEPS: Final = 200

#: Dispersion (variance of rates over their squared mean) of honest counts, from and to.
_DISPERSION: Final = (0.01, 10.0)
#: Chances below this are none.
_TINY: Final = 1e-300


class RuleComparison:
    """Holds rules against counts as they were counted, for one column.

    Parameters
    ----------
    column
        The column; some of its numbers are above zero.
    """

    def __init__(self, column: Histogram) -> None:
        self._column = column
        self._means = _grid(column)
        plain = _Chances.of(column, [Kernel(v, v) for v in column.value.tolist()], self._means)
        self._plain = RuleEvidence(plain.best_mixture(), plain.best_gamma(column, self._means))
        self._exact = plain

    def with_rule(self, kernels: Sequence[Kernel], hidden: Kernel | None = None) -> RuleEvidence:
        """Evidence for a rule.

        Parameters
        ----------
        kernels
            What the rule says of each distinct number, in their order.
        hidden
            What it says of rows without a number; None if it says nothing of them.
        """
        column = self._column
        ruled = _Chances.of(column, kernels, self._means, hidden=hidden)
        apart = 0.0
        if hidden is not None:  # missing at random, as those of plain counts would have to be
            rows = np.array([column.number.sum(), column.missing], dtype=np.float64)
            apart = float(special.xlogy(rows, rows / rows.sum()).sum())
        return RuleEvidence(
            any_mixture=ruled.best_mixture() - self._plain.any_mixture - apart,
            gamma=ruled.best_gamma(column, self._means) - self._plain.gamma - apart,
        )

    def without_zeros(self) -> RuleEvidence:
        """Evidence that areas without events are not in the table."""
        none, column = np.exp(-self._means), self._column
        there = np.maximum(-np.expm1(-self._means), _TINY)
        return RuleEvidence(
            any_mixture=self._exact.best_mixture(1 / there) - self._plain.any_mixture,
            gamma=self._exact.best_gamma(column, self._means, none) - self._plain.gamma,
        )


@dataclass(frozen=True, eq=False)
class _Chances:
    """Chance of each category (rows) given each mean (columns), and how many rows are in it."""

    chance: FloatArray
    number: FloatArray
    constant: float

    @classmethod
    def of(
        cls,
        column: Histogram,
        kernels: Sequence[Kernel],
        means: FloatArray,
        *,
        hidden: Kernel | None = None,
    ) -> _Chances:
        count = np.arange(_LARGE + 1)
        poisson = np.exp(
            special.xlogy(count[:, None], means) - means - special.gammaln(count + 1)[:, None]
        )
        small = column.value <= _LARGE
        own = [kernel for kernel, is_small in zip(kernels, small, strict=True) if is_small]
        rows = [_weights(kernel) @ poisson for kernel in [*own, *([hidden] if hidden else [])]]
        number = [*column.number[small].tolist(), *([column.missing] if hidden else [])]
        constant = 0.0
        if not small.all():
            rows.append(1 - poisson.sum(axis=0))
            number.append(int(column.number[~small].sum()))
            width = [
                np.log(1.0 if k.weight is None and k.is_exact else _weights(k, whole=True).sum())
                for k, is_small in zip(kernels, small, strict=True)
                if not is_small
            ]
            constant = float(column.number[~small] @ np.array(width))
        chance = np.maximum(np.array(rows), _TINY)
        return cls(chance, np.array(number, dtype=np.float64), constant)

    def best_mixture(self, scale: FloatArray | float = 1.0) -> float:
        """Largest log likelihood over all mixtures of the grid's means."""
        chance = self.chance * scale
        weight = np.full(chance.shape[1], 1 / chance.shape[1])
        share = self.number / self.number.sum()
        for _ in range(_EM_STEPS):
            weight = weight * ((share / (chance @ weight)) @ chance)
        return float(self.number @ np.log(chance @ weight)) + self.constant

    def best_gamma(
        self, column: Histogram, means: FloatArray, none: FloatArray | float = 0.0
    ) -> float:
        """Largest log likelihood over gamma rates; ``none`` is the chance of no row at all."""
        edges = np.concatenate([[0.0], (means[1:] + means[:-1]) / 2, [np.inf]])

        def loss(at: FloatArray) -> float:
            level, dispersion = np.exp(at[0]), np.exp(np.clip(at[1], *np.log(_DISPERSION)))
            below = special.gammainc(
                1 / dispersion, edges / (dispersion * level * column.exposure[:, None])
            )
            weight = np.diff(below, axis=1).mean(axis=0)
            there = 1 - float(np.sum(weight * none))
            fit = self.number @ np.log(np.maximum(self.chance @ weight, _TINY))
            return float(self.number.sum() * np.log(max(there, _TINY)) - fit)

        seen = max(float(column.value @ column.number) / column.number.sum(), 0.01)
        starts = [
            np.array([np.log(level), np.log(dispersion)])
            for level in np.geomspace(seen / 4, max(seen, column.value.max() / 4) * 2, 12)
            for dispersion in (0.1, 1.0)
        ]
        best = min(starts, key=loss)
        found = optimize.minimize(
            loss, best, method="Nelder-Mead", options={"maxfev": 120, "xatol": 0.01, "fatol": 0.05}
        )
        return self.constant - float(found.fun)


def _weights(kernel: Kernel, *, whole: bool = False) -> FloatArray:
    """Weights of the counts that are looked at one by one; or all of the kernel's own."""
    high = kernel.low if kernel.high is None else kernel.high
    own = np.ones(high - kernel.low + 1) if kernel.weight is None else np.array(kernel.weight)
    if whole:
        return own
    weight = np.zeros(_LARGE + 1)
    top = min(high, _LARGE)
    weight[kernel.low : top + 1] = own[: top - kernel.low + 1]
    return weight


def _grid(column: Histogram) -> FloatArray:
    """Means from 0.01 to beyond the numbers that are looked at one by one."""
    largest = min(float(column.value.max()), 1.5 * _LARGE)
    top = 2 * np.sqrt(largest + 3 * np.sqrt(largest) + 3)
    return np.concatenate([[0.003, 0.01], (np.arange(0.3, top, _STEP) / 2) ** 2])
