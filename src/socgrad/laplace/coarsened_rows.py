"""Counts of which some were published as something coarser: row by row, to be tabulated."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray, IntArray
from socgrad.laplace.exposure import exposure_rule
from socgrad.laplace.surfaces import Derivatives, PoissonRows
from socgrad.laplace.tabulated_counts import NegativeBinomialRows, RowsAtOverdispersion
from socgrad.laws.constants_table import ConstantsTable
from socgrad.laws.kernels import Kernels, kernels_of

__all__ = ["CoarsenedRows"]

#: Between which an overdispersion lies well within what is tabulated first.
_OVERDISPERSIONS: Final = np.array([0.02, 0.1, 0.2, 0.3, 0.4, 0.55, 0.7, 0.85, 1.0, 1.3, 1.7, 2.2])


@dataclass(frozen=True, eq=False)
class Constraint:
    """What totals say of hidden counts, by the slope; authorities at positions `at`."""

    at: IntArray
    table: ConstantsTable

    @classmethod
    def of(cls, data: xr.Dataset, authority: IntArray) -> "Constraint | None":
        """Take it from `likelihood_data`, if it is there."""
        if "constraint_coefficient" not in data:
            return None
        at = np.searchsorted(authority, data["constraint_authority"].to_numpy())
        low, high = data["constraint_slopes"].to_numpy().tolist()
        coefficient = data["constraint_coefficient"].to_numpy().T
        return cls(at, ConstantsTable(coefficient, (low, high)))

    def values(self, slope: FloatArray, derivative: int) -> FloatArray:
        """The functions, or a derivative, at slopes (n, j) of all authorities."""
        return self.table.values(slope[:, self.at], derivative)


@dataclass(frozen=True, eq=False)
class CoarsenedRows:
    """Coarsened counts of authorities, and what is known exactly of their other areas.

    `rows` are as in `kernel_sums`. Of Poisson counts -sum(mu), of all areas, and what is known
    exactly need no table: they stand `beside`; what is left is linear far out. Negative binomial
    counts known exactly are `exact`, at positions `exact_at` of `authority`.
    """

    authority: IntArray
    kernels: Kernels
    rows: tuple[IntArray, IntArray, FloatArray, FloatArray]
    beside: PoissonRows | None
    exact: NegativeBinomialRows | None
    exact_at: IntArray
    constraint: Constraint | None

    @classmethod
    def of(cls, data: xr.Dataset, *, is_poisson: bool) -> "CoarsenedRows":
        """Take the counts from `likelihood_data`."""
        home, kernel, within, log_exposure = (
            data[f"coarsened_{name}"].to_numpy()
            for name in ("authority", "kernel", "within", "log_exposure")
        )
        authority = data["known_authority"].to_numpy()
        order = np.argsort(home, kind="stable")
        first = np.searchsorted(home[order], np.append(authority, authority[-1] + 1))
        constraint = Constraint.of(data, authority)
        beside, exact, exact_at = None, None, np.zeros(0, dtype=np.int64)
        if "count_events" in data and not is_poisson:
            exact = NegativeBinomialRows.of(data)
            exact_at = np.searchsorted(authority, exact.authority)
        if is_poisson:
            sums = np.zeros((2, len(authority)))
            if "count_events" in data:
                at = np.searchsorted(authority, data["count_authority"].to_numpy())
                for own, name in zip(sums, ("count_events", "count_events_within"), strict=True):
                    own[at] = data[name].to_numpy()
            if constraint is not None:
                sums[0, constraint.at] += data["constraint_events"].to_numpy()
            beside = PoissonRows(authority, sums[0], sums[1], exposure_rule(data, "known"))
        return cls(
            authority,
            kernels_of([data]),
            (first.astype(np.int64), kernel[order], within[order], log_exposure[order]),
            beside,
            exact,
            exact_at,
            constraint,
        )

    @property
    def pairs(self) -> float:
        """Pairs of events that share a gamma factor, at the middle of what was published."""
        hidden = float(self.kernels.pairs[self.rows[1]].sum())
        return hidden + (0.0 if self.exact is None else self.exact.pairs)

    def squared_variation(self, level: FloatArray, slope: FloatArray) -> float:
        """The likeliest of a few squared overdispersions, at a level and slope of each authority.

        Moments of the counts that are known would not do: these are not like the others.
        """
        if self.beside is not None:
            return 0.0
        tried = _OVERDISPERSIONS[:, None]
        found = self.value(level[None], slope[None], tried).sum(axis=1) + self.shared(tried)
        return float(_OVERDISPERSIONS[np.argmax(found)] ** 2)

    def value(self, level: FloatArray, slope: FloatArray, overdispersion: FloatArray) -> FloatArray:
        """Log-likelihood at points (n, j), overdispersion (n, 1); without `shared`."""
        level, slope, _ = np.broadcast_arrays(level, slope, overdispersion)
        found: FloatArray = self._coarsened(level, slope, overdispersion, deep=False)[0]
        if self.constraint is not None:
            found[:, self.constraint.at] += self.constraint.values(slope, 0)
        if self.exact is not None:
            at = self.exact_at
            found[:, at] += self.exact.value(level[:, at], slope[:, at], overdispersion)
        return found

    def derivatives(
        self, level: FloatArray, slope: FloatArray, overdispersion: FloatArray
    ) -> Derivatives:
        """Derivatives at points (n, j), overdispersion (n, 1)."""
        level, slope, _ = np.broadcast_arrays(level, slope, overdispersion)
        found = self._coarsened(level, slope, overdispersion, deep=True)[1:]
        if self.constraint is not None:
            found[1, :, self.constraint.at] += self.constraint.values(slope, 1).T
            found[4, :, self.constraint.at] += self.constraint.values(slope, 2).T
        found[2:] *= -1.0
        if self.exact is not None:
            at = self.exact_at
            found[:, :, at] += self.exact.derivatives(level[:, at], slope[:, at], overdispersion)
        return Derivatives(*found)

    def _coarsened(
        self, level: FloatArray, slope: FloatArray, overdispersion: FloatArray, *, deep: bool
    ) -> FloatArray:
        from socgrad.laws.kernel_sums import kernel_sums  # noqa: PLC0415 numba, where needed

        r = np.zeros(len(level)) if self.beside is not None else (overdispersion**2).ravel()
        level, slope = (np.ascontiguousarray(each, dtype=np.float64) for each in (level, slope))
        return kernel_sums(
            self.kernels, self.rows, level, slope, r, deep=deep, with_means=self.beside is None
        )

    def given(self, overdispersion: FloatArray) -> RowsAtOverdispersion:
        """The same at each point's overdispersion (n, 1)."""
        return RowsAtOverdispersion(self, overdispersion)

    def shared(self, overdispersion: FloatArray) -> FloatArray:
        """Terms of overdispersion (n, 1) alone, shape (n,)."""
        return (
            np.zeros(len(overdispersion))
            if self.exact is None
            else self.exact.shared(overdispersion)
        )
