"""What is known of counts that were published as something coarser.

Of a count k a table may show only a mark or a rounded number. All that this says of k is the chance
of what is shown, given k: a kernel. Many rows share one, so that each is held once.
"""

from __future__ import annotations  # a class names itself in its methods

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from socgrad.arrays import BoolArray, FloatArray, IntArray

__all__ = ["CoarsenedCounts", "Kernel"]


@dataclass(frozen=True)
class Kernel:
    """Chance of what is published, given the count: zero outside ``low`` to ``high``.

    Parameters
    ----------
    low
        Smallest count that may be behind what is published, zero or more.
    high
        Largest one, included; None where there is no upper bound.
    weight
        P(published | k) for k from low to high, each 0 to 1; None where it is the same for all of
        them, as for a suppressed count.

    Examples
    --------
    >>> from socgrad.coarsening import Rounded
    >>> Rounded(5).kernel(10)
    Kernel(low=8, high=12, weight=None)
    """

    low: int
    high: int | None
    weight: tuple[float, ...] | None = None

    @classmethod
    def from_weights(cls, first: int, weights: FloatArray) -> Self | None:
        """Take chances of counts from ``first`` on; None if no count is possible."""
        possible = np.flatnonzero(weights > 0)
        if not possible.size:
            return None
        own = weights[possible[0] : possible[-1] + 1]
        flat = bool((own == 1).all())
        low, high = first + int(possible[0]), first + int(possible[-1])
        return cls(low, high, None if flat else tuple(own.tolist()))

    def without(self, hidden: Sequence[tuple[int, int]]) -> Kernel | None:
        """Take out counts that are never shown, given as ranges; None if none is left."""
        if self.high is None:
            return self
        count = np.arange(self.low, self.high + 1)
        weight = np.ones(len(count)) if self.weight is None else np.array(self.weight)
        for low, high in hidden:
            weight[(count >= low) & (count <= high)] = 0.0
        return Kernel.from_weights(self.low, weight)

    @property
    def is_exact(self) -> bool:
        """Whether the kernel leaves one count only."""
        return self.low == self.high


@dataclass(frozen=True, eq=False, kw_only=True)
class CoarsenedCounts:
    """What is known of the count in each of n rows (areas, or authorities).

    Make one with `from_kernels`. Arrays are read-only.

    Parameters
    ----------
    low, high
        Bounds of each count, included, (n,). They are equal where the count is known exactly;
        ``high`` is infinite where there is no upper bound; both are NaN where the count is missing.
    kernel
        Position of each row's kernel in `kernels`, (n,); -1 where the count is exact or missing.
    kernels
        Each distinct kernel once.

    Examples
    --------
    >>> from socgrad.coarsening import CoarsenedCounts, Kernel
    >>> hidden = Kernel(1, 5)
    >>> counts = CoarsenedCounts.from_kernels([hidden, Kernel(7, 7), hidden, None])
    >>> counts.low.tolist(), counts.kernel.tolist(), counts.kernels
    ([1.0, 7.0, 1.0, nan], [0, -1, 0, -1], (Kernel(low=1, high=5, weight=None),))
    >>> counts.is_exact.tolist(), counts.is_interval.tolist()
    ([False, True, False, False], [True, False, True, False])
    """

    low: FloatArray
    high: FloatArray
    kernel: IntArray
    kernels: tuple[Kernel, ...]

    def __post_init__(self) -> None:
        for value in (self.low, self.high, self.kernel):
            value.setflags(write=False)

    def __repr__(self) -> str:
        exact, interval = int(self.is_exact.sum()), int(self.is_interval.sum())
        return (
            f"CoarsenedCounts({len(self.low):,} counts: {exact:,} exact, {interval:,} within "
            f"bounds, {len(self.low) - exact - interval:,} missing; {len(self.kernels):,} kernels)"
        )

    @classmethod
    def from_kernels(
        cls, kernels: Sequence[Kernel | None], rows: IntArray | None = None
    ) -> CoarsenedCounts:
        """Make one from a kernel for each row.

        Parameters
        ----------
        kernels
            Kernels, in any order and number of copies; None stands for a missing count.
        rows
            Position of each row's kernel among these, (n,); by default row i has kernel i.

        Returns
        -------
        CoarsenedCounts
        """
        place = np.arange(len(kernels)) if rows is None else rows
        distinct: dict[Kernel, int] = {}
        low, high = np.full(len(kernels), np.nan), np.full(len(kernels), np.nan)
        code = np.full(len(kernels), -1, dtype=np.int64)
        for i in np.unique(place).tolist():
            own = kernels[i]
            if own is None:
                continue
            low[i], high[i] = own.low, np.inf if own.high is None else own.high
            if not own.is_exact:
                code[i] = distinct.setdefault(own, len(distinct))
        return cls(low=low[place], high=high[place], kernel=code[place], kernels=tuple(distinct))

    @property
    def is_exact(self) -> BoolArray:
        """Rows whose count is known, (n,)."""
        return np.asarray(self.low == self.high)

    @property
    def is_interval(self) -> BoolArray:
        """Rows whose count is known by a kernel, (n,)."""
        return np.asarray(self.kernel >= 0)

    @property
    def is_informative(self) -> BoolArray:
        """Rows of whose count anything is known, (n,)."""
        return np.asarray((self.low > 0) | np.isfinite(self.high))

    @property
    def exact(self) -> FloatArray:
        """The count where it is known, NaN elsewhere, (n,)."""
        return np.where(self.is_exact, self.low, np.nan)

    def placed(self, position: IntArray, size: int) -> CoarsenedCounts:
        """Put each row at its position among so many; the count is missing at the others."""
        low, high = np.full(size, np.nan), np.full(size, np.nan)
        code = np.full(size, -1, dtype=np.int64)
        low[position], high[position], code[position] = self.low, self.high, self.kernel
        return CoarsenedCounts(low=low, high=high, kernel=code, kernels=self.kernels)

    def only(self, rows: BoolArray) -> CoarsenedCounts:
        """Leave what is known of some rows, by a mask; the count is missing at the others."""
        low, high = (np.where(rows, bound, np.nan) for bound in (self.low, self.high))
        code = np.where(rows, self.kernel, -1)
        return CoarsenedCounts(low=low, high=high, kernel=code, kernels=self.kernels)

    def take(self, rows: BoolArray | IntArray) -> CoarsenedCounts:
        """Some of the rows, by a mask or by positions, with the kernels that they use."""
        code = self.kernel[rows]
        used = np.unique(code[code >= 0])
        new = np.full(len(self.kernels) + 1, -1, dtype=np.int64)  # the last is for code -1
        new[used] = np.arange(len(used))
        return CoarsenedCounts(
            low=self.low[rows],
            high=self.high[rows],
            kernel=new[code],
            kernels=tuple(self.kernels[i] for i in used.tolist()),
        )
