"""Nodes along the curve in level and slope to which a total ties an authority.

A total says little of the slope, and the posterior may have two tops: slopes are equally spaced
over all that matter (the trapezoidal rule, Trefethen & Weideman 2014, SIAM Review 56(3), doi
10.1137/130932132). What matters is looked at closely at a few points only, and placed at others by
a straight line that touches the curve.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.laplace.levels import by_prior, precision_of_level, slope_sd, without_levels
from socgrad.laplace.line_priors import LinePrior
from socgrad.laplace.nodes import (
    LOG_2PI,
    BySlope,
    Grid,
    NodePlaces,
    Nodes,
    gauss_hermite,
    integrand,
)
from socgrad.laplace.surfaces import AtSlopes, Curved

__all__ = ["AlongCurve", "SlopeRange", "slopes_that_matter"]

# How far slopes are looked at, in standard deviations of the prior, at how many, and what is too
# small to matter, in log density.
_FAR, _LOOKS, _LEAST = 6.0, 121, 8.0
# Before that, and what is spared for other points, as a share of the range.
_FIRST, _SPARE = 5.0, 0.05
# Nodes for the mean and standard deviation of slopes.
_NODES = 13
# Of slopes, for a derivative; and the information of a total that says nothing.
_STEP, _NOTHING = 1e-4, 1e-8


@dataclass(frozen=True, eq=False)
class SlopeRange:
    """Slopes that matter for authorities with totals, arrays (j,).

    About one place of the curve a total is as good as a normal observation of the log of the events
    expected, which is linear in level and slope there: that tells about where posteriors lie at
    any other parameters.

    Attributes
    ----------
    level, slope : ndarray
        A place on the curve.
    log_expected, observed, information, tilt : ndarray
        There: the log of the events expected, its value as good as observed, with what precision,
        and its derivative by the slope.
    low, high : ndarray
        Slopes that matter, in standard deviations from the mean by that observation.
    """

    level: FloatArray
    slope: FloatArray
    log_expected: FloatArray
    observed: FloatArray
    information: FloatArray
    tilt: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def about(cls, given: Curved, level: FloatArray, slope: FloatArray) -> Self:
        """About one level and slope for each authority, (j,); some way to both sides."""
        steps = np.array([-_STEP, 0.0, _STEP])[:, None, None]
        before, there, after = given.at(slope + steps).log_sums[:, 0]
        log_expected = level + there
        at = given.at(slope[None])
        by_level, information = (each.mean(axis=0) for each in at.by_level(log_expected[None]))
        # "Ten or more" says nothing where hundreds are expected.
        information = np.maximum(information, _NOTHING)
        return cls(
            level,
            slope,
            log_expected,
            log_expected + np.clip(by_level / information, -1.0, 1.0),
            information,
            (after - before) / (2.0 * _STEP),
            np.full(level.shape, -_FIRST),
            np.full(level.shape, _FIRST),
        )

    def wider(self) -> "SlopeRange":
        """The same with a little to spare."""
        spare = _SPARE * (self.high - self.low)
        return replace(self, low=self.low - spare, high=self.high + spare)

    def about_slopes(self, prior: LinePrior) -> tuple[FloatArray, FloatArray]:
        """About the mean and standard deviation of each slope, (n, j)."""
        tilt, known = self.tilt, self.information
        expected = self.log_expected + prior.level - self.level + tilt * (prior.slope - self.slope)
        one = prior.level_level + known
        across = prior.level_slope + known * tilt
        precision = prior.slope_slope + known * tilt * tilt - across * across / one
        rest = known * (self.observed - expected)
        return prior.slope + rest * (tilt - across / one) / precision, 1.0 / np.sqrt(precision)

    def slopes(self, prior: LinePrior) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest slope at the points of a prior, (j,) each."""
        mean, sd = self.about_slopes(prior)
        return (mean + sd * self.low).min(axis=0), (mean + sd * self.high).max(axis=0)


@dataclass(frozen=True, eq=False)
class AlongCurve:
    """Where the posteriors of authorities with totals lie, given the shared parameters.

    `middle` and `slope_sd` (n, j) are about the mean and standard deviation of slopes.
    """

    given: Curved
    prior: LinePrior
    slopes: SlopeRange
    middle: FloatArray
    slope_sd: FloatArray

    @classmethod
    def of(cls, given: Curved, prior: LinePrior, slopes: SlopeRange) -> Self:
        """Place slopes by a range of them."""
        return cls(given, prior, slopes, *slopes.about_slopes(prior))

    def places(self, z_slope: FloatArray, z_level: FloatArray) -> NodePlaces:  # noqa: D102
        slope = self.middle + self.slope_sd * z_slope
        there = self.given.at(slope)
        log_expected, precision = self._sought(there, self._by_prior(slope, there))
        level_sd = 1.0 / np.sqrt(precision)
        step = level_sd[:, None] * z_level
        values = there.grid(log_expected, step)
        return NodePlaces(log_expected - there.log_sums, step, slope, np.log(level_sd), values)

    def likely_slopes(self) -> tuple[FloatArray, FloatArray]:  # noqa: D102
        z, _ = self._spaced(_NODES)
        mass = self.by_slope(_NODES).values
        mass -= mass.max(axis=0)
        np.exp(mass, out=mass)
        mass /= mass.sum(axis=0)
        mean = (mass * z).sum(axis=0)
        return mean, np.sqrt(np.maximum((mass * z**2).sum(axis=0) - mean**2, 0.0))

    def grid(self, nodes: Nodes) -> Grid:  # noqa: D102
        (z_level, of_level), slopes = gauss_hermite(nodes[1]), nodes[0]
        z_slope, spacing = self._spaced(slopes)
        there = self.places(z_slope, z_level)
        weight = np.broadcast_to(of_level - 0.5 * LOG_2PI, (slopes, nodes[1]))[:, :, None, None]
        scale = there.log_scale + np.log(spacing)
        return Grid(
            there.level, there.step, there.slope, scale, there.log_likelihood,
            z_slope, z_level, weight,
        )  # fmt: skip

    def by_slope(self, slopes: int) -> BySlope:  # noqa: D102
        z_slope, spacing = self._spaced(slopes)
        slope = self.middle + self.slope_sd * z_slope
        there = self.given.at(slope)
        expected = self._by_prior(slope, there)
        log_expected, _ = self._sought(there, expected)
        slope -= self.prior.slope
        above = log_expected - expected
        values = without_levels(there.expansion(log_expected), above, slope, self.prior)
        return BySlope(values, np.full((slopes, 1, 1), -0.5 * LOG_2PI), spacing)

    def _spaced(self, slopes: int) -> tuple[FloatArray, FloatArray]:
        """Equally spaced slopes in standard deviations (a, 1, j), and what is between two."""
        low, width = self.slopes.low, self.slopes.high - self.slopes.low
        z_slope = low + width * np.linspace(0.0, 1.0, slopes)[:, None, None]
        return z_slope, self.slope_sd * (width / (slopes - 1))

    def _by_prior(self, slope: FloatArray, there: AtSlopes) -> FloatArray:
        """Log of the events expected by the prior of levels at slopes."""
        found = by_prior(self.prior, slope - self.prior.slope)
        found += there.log_sums
        return found

    def _sought(self, there: AtSlopes, expected: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Log of the events expected at the likeliest level, and the precision there.

        `expected` is what the prior alone expects.
        """
        one, known = self.prior.level_level, self.slopes.information
        # As observed at the place of the range, then one Newton step.
        share = known / (one + known)
        log_expected = expected * (1.0 - share) + self.slopes.observed * share
        gradient, curvature = there.by_level(log_expected)
        gradient = gradient - one * (log_expected - expected)
        precision = precision_of_level(curvature, self.prior)
        gradient /= precision
        log_expected += np.clip(gradient, -1.0, 1.0, out=gradient)
        return log_expected, precision


def slopes_that_matter(given: Curved, prior: LinePrior, before: SlopeRange) -> SlopeRange:
    """Slopes that matter at any of the points of a prior, looked at closely."""
    # Levels are sought from the place of a range, which may be far from those of the first look.
    return _looked(given, prior, _looked(given, prior, before)).wider()


def _looked(given: Curved, prior: LinePrior, before: SlopeRange) -> SlopeRange:
    sd = slope_sd(prior)
    # To both sides of the prior mean, and of where a total far from what is expected may pull.
    pulled = (before.about_slopes(prior)[0] - prior.slope) / sd
    low = np.minimum(pulled.min(axis=0), 0.0) - _FAR
    high = np.maximum(pulled.max(axis=0), 0.0) + _FAR
    curve = AlongCurve(given, prior, replace(before, low=low, high=high), prior.slope, sd)
    grid = curve.grid((_LOOKS, 1))
    values = integrand(given, prior, grid)[:, 0]
    top = np.argmax(values, axis=0)[None]
    level, slope = (np.take_along_axis(each, top, axis=0)[0] for each in (grid.level, grid.slope))
    now = SlopeRange.about(given, level.mean(axis=0), slope.mean(axis=0))
    counts = values > values.max(axis=0) - _LEAST
    spacing = (high - low) / (_LOOKS - 1) * sd
    lowest = np.where(counts, grid.slope, np.inf).min(axis=0) - spacing
    highest = np.where(counts, grid.slope, -np.inf).max(axis=0) + spacing
    middle, sd = now.about_slopes(prior)
    low, high = ((end - middle) / sd for end in (lowest, highest))
    return replace(now, low=low.min(axis=0), high=high.max(axis=0))
