"""Authority totals of which something coarser than their number was published."""

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray, IntArray
from socgrad.laplace.exposure import Exposure, exposure_rule, tabulated_exposure
from socgrad.laplace.surfaces import AtSlopes, Curved, Derivatives, Expansion, Given
from socgrad.laplace.totals import squared_variation
from socgrad.laws.kernels import OPEN, Kernels, kernels_of

__all__ = ["CoarsenedTotals"]


@dataclass(frozen=True, eq=False)
class CoarsenedTotals:
    """Totals within bounds: a `Surface`; `square` is None where they are Poisson."""

    authority: IntArray
    kernels: Kernels
    kernel: IntArray
    rule: Exposure
    square: Exposure | None

    @classmethod
    def of(cls, data: xr.Dataset, *, is_poisson: bool) -> "CoarsenedTotals":
        """Take them from `likelihood_data`."""
        at = np.flatnonzero(data["sum_kernel"].to_numpy() >= 0)
        return cls(
            data["sum_authority"].to_numpy()[at],
            kernels_of([data]),
            data["sum_kernel"].to_numpy()[at],
            exposure_rule(data, "sum").of(at),
            None if is_poisson else exposure_rule(data, "square").of(at),
        )

    def tabulated(self, low: FloatArray, high: FloatArray) -> "CoarsenedTotals":
        """The same, quicker for slopes between `low` and `high`, (j,) each."""
        ends = self.kernels.low[self.kernel], self.kernels.high[self.kernel]
        size = np.where(ends[1] == OPEN, ends[0] + 1.0, ends[1])
        rule, square = tabulated_exposure(self.rule, low, high, size), self.square
        if square is not None:
            square = tabulated_exposure(square, 2.0 * low, 2.0 * high, size)
        return replace(self, rule=rule, square=square)

    def given(self, overdispersion: FloatArray) -> Given:
        """The same at each point's overdispersion (n, 1)."""
        return _CoarsenedTotalsAtOverdispersion(self, overdispersion)

    def shared(self, overdispersion: FloatArray) -> FloatArray:
        """Terms of overdispersion alone: none."""
        return np.zeros(len(overdispersion))


@dataclass(frozen=True, eq=False)
class _CoarsenedTotalsAtOverdispersion(Curved):
    totals: CoarsenedTotals
    overdispersion: FloatArray

    def _variation(self, slope: FloatArray, log_sums: FloatArray) -> FloatArray:
        """Squared variation of the totals, at slopes."""
        if self.totals.square is None:
            return np.zeros_like(log_sums)
        return squared_variation(self.totals.square, self.overdispersion, slope, log_sums)

    def at(self, slope: FloatArray) -> AtSlopes:
        log_sums = self.totals.rule.log_sums(slope)
        return _CoarsenedTotalsAtSlopes(self.totals, log_sums, self._variation(slope, log_sums))

    def derivatives(self, level: FloatArray, slope: FloatArray) -> Derivatives:
        # Variation held where it is: enough to place the nodes.
        log_total, mean, variance = self.totals.rule.moments(slope)
        r = self._variation(slope, log_total)
        eta = np.broadcast_to(level + log_total, np.broadcast_shapes(level.shape, r.shape))
        _, first, second = _values(self.totals, eta, r)
        return Derivatives(
            first,
            first * mean,
            -second,
            -second * mean,
            -second * mean**2 - first * variance,
            -second * (mean**2 + variance),
        )


@dataclass(frozen=True, eq=False)
class _CoarsenedTotalsAtSlopes:
    totals: CoarsenedTotals
    log_sums: FloatArray
    squared_variation: FloatArray

    def grid(self, log_expected: FloatArray, step: FloatArray) -> FloatArray:
        return _values(self.totals, log_expected[:, None] + step, self.squared_variation[:, None])[
            0
        ]

    def by_level(self, log_expected: FloatArray) -> tuple[FloatArray, FloatArray]:
        _, first, second = _values(self.totals, log_expected, self.squared_variation)
        return first, -second

    def expansion(self, log_expected: FloatArray) -> Expansion:
        value, first, second = _values(self.totals, log_expected, self.squared_variation)
        none = np.zeros_like(value)
        return Expansion(value, first, -second, none, none)


def _values(
    totals: CoarsenedTotals, eta: FloatArray, r: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    from socgrad.laws.kernel_sums import kernel_values  # noqa: PLC0415 numba

    return kernel_values(totals.kernels, totals.kernel, eta, r)
