"""Counts whose localities share a factor that has no closed form, as checks use them."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from socgrad.checks.counts import FittedCounts, Lines, Population
from socgrad.laws.factor_rows import FactorRows
from socgrad.reading.geography import Geography

__all__ = ["SharedCounts", "has_no_closed_form", "locality_rows", "told_by_all"]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]
type Moments = tuple[tuple[Floats, Floats], tuple[Floats, Floats, Floats]]


def has_no_closed_form(counts: FittedCounts, lines: Lines | Population) -> bool:
    """Whether localities share factors, and areas have their own, too, or are not all known."""
    hidden = bool((counts.kernel >= 0).any())
    return bool(lines.locality_sd.any()) and (hidden or bool(lines.overdispersion.any()))


def locality_rows(counts: FittedCounts, land: Geography, rows: Integers) -> FactorRows:
    """Counts at these positions, which are sorted by locality."""
    areas = counts.area[rows]
    kernel = counts.kernel[rows] if len(counts.kernel) else np.full(len(rows), -1, dtype=np.int64)
    return FactorRows.of(
        counts.kernels,
        kernel,
        land.within_part[areas],
        counts.events[rows],
        land.locality_of_area[areas],
    )


def told_by_all(
    counts: FittedCounts,
    lines: Lines,
    land: Geography,
    *,
    rows: Integers,
    mean: Floats,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """`given_others` of a block of whole localities whose expected events are `mean`."""
    from socgrad.laws.factor_sums import given_others  # noqa: PLC0415 numba takes time

    draws = len(mean)
    r, shared = (
        np.broadcast_to(sd**2, draws).astype(np.float64)
        for sd in (lines.overdispersion, lines.locality_sd)
    )
    return given_others(locality_rows(counts, land, rows), np.log(mean), r, shared, rng)


@dataclass(frozen=True, eq=False)
class SharedCounts:
    """Counts of one authority, by locality; `events` is the least that they may be.

    The spreads of both kinds of factors are the form's own, (draws,); where areas lie off the line,
    `log_exposure` (draws, areas) holds what takes them off it.
    """

    events: float
    areas: int
    rows: FactorRows
    log_exposure: Floats
    overdispersion: Floats
    locality_sd: Floats

    @classmethod
    def of(
        cls, counts: FittedCounts, population: Population, land: Geography, at: Integers,
        off: Floats | None,
    ) -> "SharedCounts":  # fmt: skip
        """The counts at these positions, sorted by locality."""
        rows = locality_rows(counts, land, at)
        hidden = rows.row_kernel >= 0
        least = rows.row_events.sum() + counts.kernels.low[rows.row_kernel[hidden]].sum()
        areas = counts.area[at]
        return cls(
            float(least),
            len(at),
            rows,
            np.log(land.exposure[areas]) + (0.0 if off is None else off),
            np.broadcast_to(population.overdispersion, population.level.shape[:1]),
            population.locality_sd,
        )

    def at(self, draws: Integers) -> "SharedCounts":
        """The likelihood in these draws."""
        log_exposure = self.log_exposure
        return replace(
            self,
            log_exposure=log_exposure if log_exposure.ndim == 1 else log_exposure[draws],
            overdispersion=self.overdispersion[draws],
            locality_sd=self.locality_sd[draws],
        )

    def _terms(self, level: Floats, slope: Floats, *, deep: bool) -> Floats:
        from socgrad.laws.factor_sums import factor_sums  # noqa: PLC0415 numba takes time

        draws = level.shape[-1]
        found = factor_sums(
            self.rows,
            self.log_exposure,
            np.ascontiguousarray(level.reshape(-1, draws)),
            np.ascontiguousarray(slope.reshape(-1, draws)),
            self.overdispersion**2,
            self.locality_sd**2,
            deep=deep,
        )
        return found.reshape(6, *level.shape)

    def log_likelihood(self, level: Floats, slope: Floats, overdispersion: Floats) -> Floats:  # noqa: ARG002 of the protocol
        """Log probability of what was published."""
        value: Floats = self._terms(level, slope, deep=False)[0]
        return value

    def moments(
        self,
        level: Floats,
        slope: Floats,
        overdispersion: Floats,  # noqa: ARG002 of the protocol
    ) -> Moments:
        """Gradient, and the observed information where it is positive."""
        _, by_level, by_slope, twice, across, by_slopes = self._terms(level, slope, deep=True)
        level_information = np.maximum(-twice, 0.0)
        across = np.where(twice < 0, -across, 0.0)
        least = across**2 / np.maximum(level_information, 1e-12)
        return (by_level, by_slope), (level_information, across, np.maximum(-by_slopes, least))
