"""What neighbourhoods depart from their lines by: structural and realised rates.

In a negative binomial model, or one with localities, a neighbourhood's rate is that of its line
times a gamma factor of mean 1. Structural rates leave the factor out, as an average over
neighbourhoods like this one does; realised rates hold it, as far as the counts tell. In a Poisson
model without localities the two are one.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.laws.draws import drawn_factors
from socgrad.laws.factor_rows import FactorRows
from socgrad.laws.kernels import kernels_of
from socgrad.reading.arguments import check_choice
from socgrad.reading.geography import Geography
from socgrad.reading.observed import observed_counts
from socgrad.reading.posterior import Coefficients
from socgrad.reading.random_numbers import generator

__all__ = ["AreaFactors", "Rates", "area_factors", "words_for_rates"]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]
type Rates = Literal["structural", "realised"]

RATES: Final[tuple[Rates, ...]] = ("structural", "realised")
# Draws times areas of one block: 8 MB for each array.
_BLOCK: Final = 1_000_000


@dataclass(frozen=True, eq=False)
class AreaFactors:
    """The gamma factors of areas given their counts: what is needed to draw them.

    `events` has one number per area, NaN where it is not counted; areas of one value of `shared`
    have one factor (each area its own, or those of a locality); `variance` (chain * draw,) is that
    of the factors before the counts. Beside factors of localities `own` is that of areas' own; None
    where there are none.
    """

    events: Floats
    shared: Integers
    variance: Floats
    random_seed: int
    stratum: Hashable | None
    own: Floats | None = None

    def generator(self) -> np.random.Generator:
        """Random numbers, always the same: sums that belong together hold the same factors."""
        return generator(self.random_seed, self.stratum)

    def blocks(self) -> Iterator[Integers]:
        """Positions of areas, block after block, those that share a factor in one block."""
        order = np.argsort(self.shared, kind="stable")
        shared = self.shared[order]
        size = max(1, _BLOCK // len(self.variance))
        end = 0
        while end < len(order):
            first, last = end, min(end + size, len(order)) - 1
            end = int(np.searchsorted(shared, shared[last], side="right"))
            yield order[first:end]

    def drawn(self, expected: Floats, areas: Integers, rng: np.random.Generator) -> Floats:
        """Draw the factors of the areas of a block, given the events expected of each.

        With r the variance, Y and E the events and expected events of the counted areas that share
        a factor, that is Gamma(shape 1/r + Y, rate 1/r + E). Where areas have factors of their own
        beside those of localities, factors of localities are drawn with those of areas integrated
        out, and then factors of areas given them.
        """
        if self.own is not None:
            return self._both_drawn(expected, areas, self.own, rng)
        counted = ~np.isnan(self.events[areas])
        first = np.flatnonzero(np.diff(self.shared[areas], prepend=-1))
        said = np.add.reduceat(np.where(counted, self.events[areas], 0.0), first)
        told = np.add.reduceat(np.where(counted, expected, 0.0), first, axis=1)
        # A spread that vanishes leaves factors of 1.
        precision = 1.0 / np.maximum(self.variance, 1e-12)[:, None]
        factor: Floats = rng.gamma(precision + said, 1.0 / (precision + told))
        return np.repeat(factor, np.diff(np.append(first, len(areas))), axis=1)

    def _both_drawn(
        self, expected: Floats, areas: Integers, own: Floats, rng: np.random.Generator
    ) -> Floats:
        """Factors of localities times those of their areas."""
        from socgrad.laws.factor_sums import given_others  # noqa: PLC0415 numba takes time

        shared, counted = self.shared[areas], ~np.isnan(self.events[areas])
        present, of = np.unique(shared, return_inverse=True)
        s = np.maximum(self.variance, 1e-12)[:, None]
        common = drawn_factors(s, (len(s), len(present)), rng)
        if counted.any():
            known = np.flatnonzero(counted)
            events = self.events[areas[known]]
            none = np.full(len(known), -1, dtype=np.int64)
            rows = FactorRows.of(kernels_of([]), none, np.zeros(len(known)), events, shared[known])
            log_mean = np.log(expected[:, known])
            told = given_others(rows, log_mean, own, s[:, 0], rng)[1]
            common[:, np.unique(of[known])] = told
        factor = common[:, of]
        precision = 1.0 / np.maximum(own, 1e-12)[:, None]
        said = np.where(counted, np.nan_to_num(self.events[areas]), 0.0)
        rate = precision + np.where(counted, expected * factor, 0.0)
        made: Floats = factor * rng.gamma(precision + said, 1.0 / rate)
        return made


def area_factors(
    fit: xr.DataTree,
    terms: Coefficients,
    land: Geography,
    *,
    rates: Rates,
    random_seed: int,
) -> AreaFactors | None:
    """Read what realised rates need; None where structural ones are wanted, or are the same.

    Raises
    ------
    EstimandError
        If `rates` or the seed is none; for realised rates if the fit holds no counts, or knows an
        authority by its total alone.
    """
    check_choice("rates", rates, RATES)
    spread = _spread(fit, terms)
    if rates == "structural" or spread is None:
        return None
    counts = observed_counts(fit, purpose="rates='realised'")
    totals = int((~np.isnan(counts.total_events)).sum())
    if totals:
        raise EstimandError(
            f"rates='realised' asks what each neighbourhood departs from its line by, and {totals} "
            f"of {counts.total_events.size} authorities of this fit are known by their totals "
            "alone, which say nothing of it. Use rates='structural'."
        )
    shared = land.locality_of_area if terms.has_localities else np.arange(land.exposure.size)
    variance = _flat(spread) ** 2
    own = None
    if terms.has_localities and "overdispersion" in fit["posterior"].data_vars:
        own = _flat(fit["posterior"].to_dataset()["overdispersion"]) ** 2
    return AreaFactors(counts.events, shared, variance, random_seed, terms.stratum, own)


def words_for_rates(fit: xr.DataTree, terms: Coefficients, rates: Rates) -> str:
    """Which rates these are, where the two differ; nothing where they do not."""
    if _spread(fit, terms) is None:
        return ""
    whose = "locality" if terms.has_localities else "neighbourhood"
    if terms.has_localities and "overdispersion" in fit["posterior"].data_vars:
        whose = "locality and neighbourhood"
    if rates == "structural":
        return f"; structural rates: what each {whose} departs from the line by left out"
    return f"; realised rates: with what each {whose} departs from the line by"


def _flat(spread: xr.DataArray) -> Floats:
    return np.ascontiguousarray(spread.transpose("chain", "draw").to_numpy().ravel())


def _spread(fit: xr.DataTree, terms: Coefficients) -> xr.DataArray | None:
    """Coefficient of variation of the factors; None of a model without."""
    if terms.has_localities:
        return terms.locality_sd
    draws = fit["posterior"].to_dataset()
    return draws.get("overdispersion")
