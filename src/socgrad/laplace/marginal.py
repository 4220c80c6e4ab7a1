"""The authorities' effects integrated out, by adaptive Gauss-Hermite quadrature.

Given the shared parameters, authorities are independent: each has a level and a slope with a normal
prior, and a log-likelihood that is all but quadratic where the counts are large and all but flat
where they are small. Either way their product is close to a normal density, and a Gauss-Hermite
rule centred and scaled at its mode (Liu & Pierce 1994, Biometrika 81(3), doi
10.1093/biomet/81.3.624) integrates it to many digits with few nodes.
"""

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laplace.coordinates import Coordinates
from socgrad.laplace.predictors import Predictors
from socgrad.laplace.surfaces import Given, Surface
from socgrad.predictor import authority_level, authority_slope
from socgrad.processors import processors

__all__ = [
    "Centre",
    "Grid",
    "LinePrior",
    "Marginal",
    "Start",
    "blocks",
    "by_blocks",
    "centre",
    "grid_about",
    "integrand",
    "population",
]

# Numbers in one block of working memory: what a processor's own cache holds.
_BLOCK = 60_000
# Centring stops when no centre moves by more than this share of its standard deviation.
_CLOSE = 0.05
_ROUNDS = 30
# More threads than this wait for the interpreter.
_THREADS = 4
_LOG_2PI = float(np.log(2 * np.pi))

type Start = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, eq=False)
class LinePrior:
    """The normal distribution of some authorities' level and slope, at each point.

    Means have shape (n, j); precisions, their log-determinant and overdispersion (n, 1). Without
    random slopes the slope is its mean, and the precisions that concern it are zero.
    """

    level: FloatArray
    slope: FloatArray
    level_level: FloatArray
    level_slope: FloatArray
    slope_slope: FloatArray
    log_determinant: FloatArray
    overdispersion: FloatArray
    varying: bool


@dataclass(frozen=True, eq=False)
class Centre:
    """Where an authority's posterior lies given the shared parameters, arrays (n, j).

    Slope ~ (slope, slope_sd); given that it is d above its centre, the level ~ (level + tilt * d +
    bend * d**2 / 2, level_sd). The bend matters for totals, which pin a curve, not a point.
    """

    level: FloatArray
    slope: FloatArray
    level_sd: FloatArray
    slope_sd: FloatArray
    tilt: FloatArray
    bend: FloatArray

    def level_along(self, along: FloatArray) -> FloatArray:
        """Likeliest level at slopes `along` above the centre."""
        return self.level + along * (self.tilt + 0.5 * self.bend * along)


def population(values: dict[str, FloatArray], theirs: Predictors, *, varying: bool) -> LinePrior:
    """Population of authorities with these predictors (j,) at parameters `values` (n,)."""
    values = {name: value[:, None] for name, value in values.items()}
    zero = np.zeros_like(values["intercept"])
    b = theirs.between_part
    main = values.get("within", values.get("pooled", zero))
    level = authority_level(
        values["intercept"],
        values.get("between", zero),
        values.get("curvature", zero),
        b,
        0.0,
        covariates=_sum(values, theirs.level),
    )
    slope = authority_slope(
        main, values.get("cross_level", zero), b, 0.0, moderators=_sum(values, theirs.slope)
    )
    one = 1.0 / values["level_sd"] ** 2
    overdispersion = values.get("overdispersion", zero)
    if not varying:
        return LinePrior(level, slope, one, zero, zero, np.log(one), overdispersion, varying)
    two = 1.0 / values["slope_sd"] ** 2
    # 1 - correlation**2 from its factors keeps its digits near the ends.
    rest = (1.0 - values["correlation"]) * (1.0 + values["correlation"])
    across = -values["correlation"] / (values["level_sd"] * values["slope_sd"] * rest)
    return LinePrior(
        level,
        slope,
        one / rest,
        across,
        two / rest,
        np.log(one) + np.log(two) - np.log(rest),
        overdispersion,
        varying,
    )


def _sum(values: dict[str, FloatArray], columns: dict[str, FloatArray]) -> FloatArray | float:
    """Sum of coefficient times column over covariates, (n, j); 0 where there are none."""
    return sum((values[name] * column for name, column in columns.items()), start=0.0)


def centre(given: Given, prior: LinePrior, start: Start | None = None) -> Centre:
    """Mode and curvature of each authority's posterior, by damped Newton steps.

    `start` is a level and a slope for each authority, (j,) or (n, j); by default the prior mean.
    """
    # A start without points costs one point's derivatives for the first step of all of them.
    level, slope = (prior.level, prior.slope) if start is None else start
    if not prior.varying:
        slope = prior.slope
    for _ in range(_ROUNDS):
        at = given.derivatives(level, slope)
        up, along = level - prior.level, slope - prior.slope
        gradient = at.level - prior.level_level * up
        # Precisions are kept positive where a log-likelihood is not concave.
        a = np.maximum(at.level_level + prior.level_level, 0.25 * prior.level_level)
        if not prior.varying:
            # Newton steps on exp(level) overshoot from below: one unit at most.
            move = np.clip(gradient / a, -1.0, 1.0)
            level = level + move
            if np.all(move * move * a < _CLOSE**2):
                break
            continue
        gradient = gradient - prior.level_slope * along
        gradient_slope = at.slope - prior.level_slope * up - prior.slope_slope * along
        b = at.level_slope + prior.level_slope
        # The precision of the slope with the level integrated out.
        least = 0.25 * (prior.slope_slope - prior.level_slope**2 / prior.level_level)
        c = np.maximum(at.slope_slope + prior.slope_slope - b * b / a, least)
        move_slope = np.clip((gradient_slope - b / a * gradient) / c, -0.5, 0.5)
        move = np.clip((gradient - b * move_slope) / a, -1.0, 1.0)
        level, slope = level + move, slope + move_slope
        if np.all(move * move * a + move_slope * move_slope * c < _CLOSE**2):
            break
    if not prior.varying:
        none = np.zeros_like(level)
        return Centre(level, slope, 1.0 / np.sqrt(a), none, none, none)
    tilt = -b / a
    bend = -(at.level_slope_slope + tilt * (2.0 * at.level_slope + tilt * at.level_level)) / a
    return Centre(level, slope, 1.0 / np.sqrt(a), 1.0 / np.sqrt(c), tilt, bend)


@dataclass(frozen=True, eq=False)
class Grid:
    """Quadrature nodes about a centre: `level` and `slope` (a, n, j), `step` (b, n, j).

    `z_slope` (a,) and `z_level` (b,) are the nodes in standard deviations; `log_weight` has shape
    (a, b, 1, 1).
    """

    level: FloatArray
    step: FloatArray
    slope: FloatArray
    z_slope: FloatArray
    z_level: FloatArray
    log_weight: FloatArray


def grid_about(at: Centre, nodes: int, *, varying: bool) -> Grid:
    """Gauss-Hermite nodes about a centre, and the weights that their log-integrands need."""
    z, log_weight = _rule(nodes)
    # A slope that does not vary is its own single node.
    z_slope, log_weight_slope = (z, log_weight) if varying else (np.zeros(1), np.zeros(1))
    along = at.slope_sd * z_slope[:, None, None]
    return Grid(
        level=at.level_along(along),
        step=at.level_sd * z[:, None, None],
        slope=at.slope + along,
        z_slope=z_slope,
        z_level=z,
        log_weight=(log_weight_slope[:, None] + log_weight)[:, :, None, None],
    )


@functools.cache
def _rule(nodes: int) -> tuple[FloatArray, FloatArray]:
    """Gauss-Hermite nodes, and the log weights of integrands that hold the normal density."""
    z, weight = np.polynomial.hermite_e.hermegauss(nodes)
    return z, np.log(weight) + 0.5 * (z * z - _LOG_2PI)


def integrand(
    given: Given, prior: LinePrior, level: FloatArray, step: FloatArray, slope: FloatArray
) -> FloatArray:
    """Log of likelihood times prior on a grid, as `Given.grid`.

    The factor (2 pi)**-0.5 of each normal density is left to the weights of the nodes.
    """
    up, along = level - prior.level, slope - prior.slope
    one, across = prior.level_level, prior.level_slope
    quadratic = up * (one * up + 2.0 * across * along) + prior.slope_slope * along**2
    values = given.grid(level, step, slope)
    # Few passes over the whole grid: the rest on one of its sides.
    values -= (0.5 * (quadratic - prior.log_determinant))[:, None]
    rest = (-one * up - across * along)[:, None] - 0.5 * one * step
    rest *= step
    values += rest
    return values


@dataclass(frozen=True, eq=False)
class Marginal:
    """The posterior of the shared parameters, authorities integrated out.

    Attributes
    ----------
    coordinates : Coordinates
        The parameters and their priors.
    surfaces : tuple of Surface
        The likelihood, by kind of count.
    predictors : Predictors
        Of all authorities.
    starts : tuple of (ndarray, ndarray)
        For each surface, a level and a slope per authority (j,) from which centres are sought.
    varying : bool
        Whether slopes vary at random.
    """

    coordinates: Coordinates
    surfaces: tuple[Surface, ...]
    predictors: Predictors
    starts: tuple[Start, ...]
    varying: bool

    def log_density(self, x: FloatArray, *, nodes: int) -> FloatArray:
        """Log of likelihood times prior at points `x`, with `nodes` nodes for each effect.

        Constants that do not depend on any parameter are left out. Shape (points,).
        """
        total = self.coordinates.log_prior(x)
        for surface, start in zip(self.surfaces, self.starts, strict=True):
            per_point = len(surface.authority) * nodes * (nodes if self.varying else 1)

            def add(rows: slice, surface: Surface = surface, start: Start = start) -> None:
                values = self.coordinates.parameters(x[rows])
                prior = population(
                    values, self.predictors.of(surface.authority), varying=self.varying
                )
                given = surface.given(prior.overdispersion)
                total[rows] += surface.shared(prior.overdispersion)
                total[rows] += _log_integrals(given, prior, start, nodes).sum(axis=1)

            by_blocks(add, blocks(len(x), per_point))
        total[np.isnan(total)] = -np.inf
        return total


def _log_integrals(given: Given, prior: LinePrior, start: Start, nodes: int) -> FloatArray:
    """Log of each authority's integral, (n, j)."""
    at = centre(given, prior, start)
    grid = grid_about(at, nodes, varying=prior.varying)
    values = integrand(given, prior, grid.level, grid.step, grid.slope)
    highest = values.max(axis=(0, 1))
    values -= highest
    np.exp(values, out=values)
    values *= np.exp(grid.log_weight)
    result: FloatArray = np.log(values.sum(axis=(0, 1)) * at.level_sd)
    result += highest
    if prior.varying:
        result += np.log(at.slope_sd)
    return result


def blocks(points: int, per_point: int) -> list[slice]:
    """Slices of points whose working arrays stay within the processor's cache."""
    size = max(1, _BLOCK // per_point)
    return [slice(first, min(first + size, points)) for first in range(0, points, size)]


def by_blocks[Block](work: Callable[[Block], None], each: Sequence[Block]) -> None:
    """Do independent pieces of work on as many threads as there are processors.

    NumPy lets go of the interpreter while it computes. What is computed does not depend on the
    number of threads.
    """
    threads = min(processors(), _THREADS, len(each))
    if threads < 2:
        for block in each:
            work(block)
        return
    with ThreadPoolExecutor(threads) as pool:
        # Reading the results raises what a piece of work raised.
        list(pool.map(work, each))
