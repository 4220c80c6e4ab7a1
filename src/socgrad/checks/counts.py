"""The counts behind a fit and what its draws expect of them, in blocks of neighbourhoods.

Every check meets the counts here, so what an area's or an authority's count is distributed as
stands once in the right wing: Poisson, or Poisson with a gamma factor per area integrated out. An
authority total has the distribution that the model gives it, matched in mean and variance.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.coarsening.stored import kernel_variables
from socgrad.errors import EstimandError
from socgrad.estimands.aggregates import line_draws
from socgrad.estimands.exposure_sums import group_sums
from socgrad.estimands.indicators import indicator
from socgrad.laws.kernels import Kernels, kernels_of
from socgrad.localities import area_pairs
from socgrad.predictor import log_rate
from socgrad.reading.by_stratum import stratum_labels
from socgrad.reading.geography import Geography, geography
from socgrad.reading.observed import observed_counts
from socgrad.reading.posterior import Coefficients, coefficients

__all__ = [
    "FittedCounts",
    "Lines",
    "Population",
    "area_blocks",
    "chosen_draws",
    "counts_by_position",
    "lines_at",
    "off_line",
    "population_at",
    "total_moments",
]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]

# Areas times draws of one block: arrays that a processor's cache holds take two thirds of the time.
_BLOCK = 200_000


@dataclass(frozen=True, eq=False)
class FittedCounts:
    """Counts of a fit, by position in its `constant_data`.

    Attributes
    ----------
    area, events : ndarray, shape (counted,)
        Position of each counted area along dim area, and its events; where hidden counts are drawn
        (`completed`), (draws, counted).
    authority, total : ndarray, shape (totals,)
        Position of each authority known by its total alone along dim authority, and that total;
        where hidden totals are drawn, (draws, totals).
    kernel, total_kernel : ndarray of int
        Position in `kernels` of those that are known within bounds, NaN among `events` and `total`;
        -1 at the others.
    kernels : Kernels
        What is known of them.
    constrained, constrained_total : ndarray
        Position of each authority whose total is known beside hidden counts of its areas, and it.
    """

    area: Integers
    events: Floats
    authority: Integers
    total: Floats
    kernel: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    total_kernel: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    kernels: Kernels = field(default_factory=lambda: kernels_of([]))
    constrained: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    constrained_total: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def has_bounds(self) -> bool:
        """Whether some are known within bounds."""
        return bool((self.kernel >= 0).any() or (self.total_kernel >= 0).any())


@dataclass(frozen=True, eq=False)
class Population:
    """Draws of what an authority's line is before its own counts: mean and covariance.

    `level` and `slope` (draws, authorities) are those of an authority of its mean deprivation,
    covariates and region; `level_sd`, `slope_sd`, `correlation`, `overdispersion` and `locality_sd`
    (draws,) are zero where the model has none. `covariate` and `area_moderator` are the
    coefficients of area covariates, `departure` those of departures from a log-linear gradient,
    (draws, columns).
    """

    level: Floats
    slope: Floats
    level_sd: Floats
    slope_sd: Floats
    correlation: Floats
    overdispersion: Floats
    covariate: Floats = field(default_factory=lambda: np.zeros((1, 0)))
    area_moderator: Floats = field(default_factory=lambda: np.zeros((1, 0)))
    departure: Floats = field(default_factory=lambda: np.zeros((1, 0)))
    locality_sd: Floats = field(default_factory=lambda: np.zeros(1))

    @property
    def of_areas(self) -> bool:
        """Whether areas of one authority may lie off its line."""
        return _has_columns(self)

    @property
    def spread(self) -> Floats:
        """Coefficient of variation of the gamma factors, of areas or of localities, (draws,)."""
        return self.locality_sd if self.locality_sd.any() else self.overdispersion

    @property
    def factor(self) -> tuple[Floats, Floats, Floats]:
        """Lower factor of the covariance of the effects: level; slope on level; slope alone."""
        r = self.correlation
        return self.level_sd, self.slope_sd * r, self.slope_sd * np.sqrt((1 - r) * (1 + r))


@dataclass(frozen=True, eq=False)
class Lines:
    """Draws of every authority's line: level and slope (draws, authorities), spread (draws,).

    `overdispersion` is zero in a Poisson model, `locality_sd` in one without localities.
    `covariate` and `area_moderator` are the coefficients of area covariates, `departure` those of
    departures from a log-linear gradient, (draws, columns), without columns where there are none.
    """

    level: Floats
    slope: Floats
    overdispersion: Floats
    covariate: Floats = field(default_factory=lambda: np.zeros((1, 0)))
    area_moderator: Floats = field(default_factory=lambda: np.zeros((1, 0)))
    departure: Floats = field(default_factory=lambda: np.zeros((1, 0)))
    locality_sd: Floats = field(default_factory=lambda: np.zeros(1))

    @property
    def of_areas(self) -> bool:
        """Whether areas of one authority may lie off its line."""
        return _has_columns(self)


def counts_by_position(fit: xr.DataTree) -> FittedCounts:
    """Read the counts of a fit.

    Raises
    ------
    EstimandError
        If the fit holds no counts, as one saved without events does; or if it has strata.
    SchemaError
        If its counts are of areas or authorities that the fit does not have.
    """
    labels = stratum_labels(fit)
    if labels:
        raise EstimandError(
            f"This fit has {len(labels)} strata, and a check is of one at a time. Take one out: "
            f"socgrad.stratum(fit, {labels[0]!r}). All years at once are checked by "
            "socgrad.years.check_fit(fit)."
        )
    counts = observed_counts(fit, purpose="A check", takes_bounds=True)
    own, home = counts.coarsened, geography(fit).authority_of_area
    size = len(counts.total_events)
    both = np.bincount(home, counts.within_bounds, minlength=size) > 0
    both &= ~np.isnan(counts.total_events)
    counted = counts.counted.copy()
    if own is not None:
        # Of which nothing is known, nor a total beside it, there is nothing to check.
        counted |= own.is_interval & (own.is_informative | both[home])
    areas, constrained = np.flatnonzero(counted), np.flatnonzero(both)
    whole = counts.coarsened_totals
    totals = np.flatnonzero(~np.isnan(counts.total_bounds[0]) & ~both)
    first = 0 if own is None else len(own.kernels)
    kernel, total_kernel = (np.full(len(at), -1, dtype=np.int64) for at in (areas, totals))
    if own is not None:
        kernel = own.kernel[areas]
    if whole is not None:
        total_kernel = np.where(whole.is_interval, whole.kernel + first, -1)[totals]
    every = [*(own.kernels if own else ()), *(whole.kernels if whole else ())]
    return FittedCounts(
        areas,
        counts.events[areas],
        totals,
        counts.total_events[totals],
        kernel,
        total_kernel,
        kernels_of([xr.Dataset(kernel_variables(every))] if every else []),
        constrained,
        counts.total_events[constrained],
    )


def chosen_draws(terms: Coefficients, draws: int) -> Integers:
    """Positions of at most `draws` draws, evenly spaced over the chains laid end to end.

    Raises
    ------
    EstimandError
        If `draws` is below 1.
    """
    if draws < 1:
        raise EstimandError(f"draws is {draws}; expected the number of draws to use, at least 1.")
    size = terms.intercept.size
    return np.linspace(0, size - 1, min(draws, size)).round().astype(np.int64)


def lines_at(fit: xr.DataTree, at: Integers) -> Lines:
    """Every authority's line, with its own effects, in the draws at these positions."""
    terms = coefficients(fit)
    level, slope = line_draws(terms, geography(fit), own_effects=True)
    spread = _term(fit, "overdispersion", at)
    of_areas = terms.covariate[at], terms.area_moderator[at], terms.departure[at]
    factors = _term(fit, "locality_sd", at)
    return Lines(level[at], slope[at], spread, *of_areas, locality_sd=factors)


def population_at(fit: xr.DataTree, at: Integers) -> Population:
    """What every authority's line is before its own counts, in the draws at these positions."""
    terms = coefficients(fit).without_own_effects
    level, slope = line_draws(terms, geography(fit), own_effects=True)
    return Population(
        level[at],
        slope[at],
        level_sd=_term(fit, "level_sd", at),
        slope_sd=_term(fit, "slope_sd", at),
        correlation=_term(fit, "correlation", at),
        overdispersion=_term(fit, "overdispersion", at),
        covariate=terms.covariate[at],
        area_moderator=terms.area_moderator[at],
        departure=terms.departure[at],
        locality_sd=_term(fit, "locality_sd", at),
    )


def area_blocks(
    lines: Lines, land: Geography, areas: Integers, *, together: Integers | None = None
) -> Iterator[tuple[slice, Floats]]:
    """Expected events (draws, areas of the block), block after block of `areas`.

    Areas of one value of `together` (sorted, one for each area) are in one block.
    """
    size = max(1, _BLOCK // len(lines.level))
    end = 0
    while end < len(areas):
        first, end = end, min(end + size, len(areas))
        if together is not None:
            end = int(np.searchsorted(together, together[end - 1], side="right"))
        rows = slice(first, end)
        at = areas[rows]
        j = land.authority_of_area[at]
        rate = log_rate(
            lines.level[:, j],
            lines.slope[:, j],
            land.within_part[at],
            covariates=_added(lines.covariate, land.covariate_design, at),
            moderators=_added(lines.area_moderator, land.area_moderator_design, at),
            departure=_departed(lines.departure, land, at),
        )
        np.exp(rate, out=rate)
        rate *= land.exposure[at]
        yield rows, rate


def off_line(lines: Lines | Population, land: Geography, areas: Integers) -> Floats:
    """What takes log rates of areas off their authority's line, (draws, areas)."""
    off = log_rate(
        0.0,
        0.0,
        land.within_part[areas],
        covariates=_added(lines.covariate, land.covariate_design, areas),
        moderators=_added(lines.area_moderator, land.area_moderator_design, areas),
        departure=_departed(lines.departure, land, areas),
    )
    return np.broadcast_to(off, (len(lines.level), len(areas)))


def _has_columns(lines: Lines | Population) -> bool:
    columns = (lines.covariate, lines.area_moderator, lines.departure)
    return any(coefficient.shape[1] for coefficient in columns)


def _departed(coefficient: Floats, land: Geography, areas: Integers) -> Floats | float:
    """Departure of areas from a log-linear gradient, (draws, areas); 0 of a line."""
    if land.departures is None or not coefficient.shape[1]:
        return 0.0
    return coefficient @ land.departures.at(land.deprivation[areas]).T


def _added(coefficient: Floats, design: Floats, areas: Integers) -> Floats | float:
    """Sum of coefficient times column over area covariates, (draws, areas); 0 without any."""
    return coefficient @ design[areas].T if design.shape[1] else 0.0


def total_moments(
    lines: Lines, land: Geography, *, among: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Mean of each authority's total over the marked areas, and the variance of its gamma factor.

    Both have shape (draws, authorities). A total is Poisson about its mean M times a gamma factor
    of mean 1 and variance (r (1 + s) sum(mu**2) + s sum(E**2)) / M**2, r = overdispersion**2,
    s = locality_sd**2, E the expected events of localities: exact in mean and variance.
    """
    authority = land.authority_of_area[among]
    number = land.authority_mean.size

    def summed(power: float) -> Floats:
        if lines.of_areas:
            return _by_rows(lines, land, np.flatnonzero(among), power=power)
        return group_sums(
            power * lines.level,
            power * lines.slope,
            authority=authority,
            within_part=land.within_part[among],
            weight=land.exposure[among] ** power,
            group=authority,
            groups=number,
        )

    mean = summed(1.0)
    squares, variance = np.zeros_like(mean), np.zeros_like(mean)
    r, shared = lines.overdispersion[:, None] ** 2, lines.locality_sd[:, None] ** 2
    if r.any():
        squares += r * (1.0 + shared) * summed(2.0)
    if shared.any():
        squares += shared * _locality_squares(lines, land, among)
    np.divide(squares, mean**2, out=variance, where=mean > 0)
    return mean, variance


def _by_rows(lines: Lines, land: Geography, areas: Integers, *, power: float) -> Floats:
    """Sum of the powers of areas' expected events by authority, area by area."""
    number = land.authority_mean.size
    total = np.zeros_like(lines.level)
    for rows, expected in area_blocks(lines, land, areas):
        total += expected**power @ indicator(land.authority_of_area[areas[rows]], number)
    return total


def _locality_squares(lines: Lines, land: Geography, among: npt.NDArray[np.bool_]) -> Floats:
    """Sum over each authority's localities of their expected events, squared."""
    areas = np.flatnonzero(among)
    number = land.authority_mean.size
    if lines.of_areas:
        areas = areas[np.argsort(land.locality_of_area[areas], kind="stable")]
        locality = land.locality_of_area[areas]
        total = np.zeros_like(lines.level)
        for rows, expected in area_blocks(lines, land, areas, together=locality):
            first = np.flatnonzero(np.diff(locality[rows], prepend=-1))
            own = indicator(land.authority_of_area[areas[rows][first]], number)
            total += np.add.reduceat(expected, first, axis=1) ** 2 @ own
        return total
    pairs = area_pairs(land.locality_of_area[areas])
    home = land.authority_of_area[areas][pairs.first]
    return group_sums(
        2.0 * lines.level,
        2.0 * lines.slope,
        authority=home,
        within_part=pairs.mean(land.within_part[areas]),
        weight=pairs.weight(land.exposure[areas]),
        group=home,
        groups=number,
    )


def _term(fit: xr.DataTree, name: str, at: Integers) -> Floats:
    """Draws of a parameter; zeros where the model does not have it."""
    if name not in fit["posterior"].data_vars:
        return np.zeros(len(at))
    values: Floats = fit["posterior"][name].transpose("chain", "draw").to_numpy().ravel()
    return values[at]
