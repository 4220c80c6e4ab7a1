"""Whether a line bends, and what of its conclusions the bend has made, without another fit.

A spline is added to the fitted lines in one step of Fisher's scoring. Every authority keeps a level
and a slope of its own, so that what is tested is curvature alone, whatever authorities' lines are.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from socgrad.checks.area_residuals import AreaResiduals
from socgrad.departures import Departures, smooth_departures
from socgrad.errors import SpecificationError
from socgrad.reading.geography import Geography

__all__ = ["Bend", "bend_of"]

type Floats = npt.NDArray[np.float64]

_KNOTS: Final = (4, 3)
_NOTHING: Final = 1e-12
#: With fewer, the bend of one authority may look like that of all deprived ones.
_ENOUGH: Final = 20


@dataclass(frozen=True, eq=False)
class Bend:
    """A smooth departure from authorities' lines, as one step from the fitted lines estimates it.

    Attributes
    ----------
    statistic, probability : float
        Chi-squared of the common departure, and how often chance gives as much.
    columns : int
        Its degrees of freedom, and those of `apart`.
    apart, probability_apart : float
        The same of a departure that changes with authorities' mean deprivation, beside it; NaN
        where fewer than 20 authorities have counts.
    size : float
        Root mean square over children of the common departure, log rate.
    within, cross_level : float
        What the departure would add to the line's coefficients, per step of the fit.
    """

    statistic: float
    probability: float
    columns: int
    apart: float
    probability_apart: float
    size: float
    within: float
    cross_level: float


def bend_of(
    residuals: AreaResiduals,
    land: Geography,
    *,
    slope_sd: float,
    others: Floats | None = None,
    locality: npt.NDArray[np.int64] | None = None,
) -> Bend | None:
    """Test for a bend of the fitted lines.

    Parameters
    ----------
    residuals, land
        Of one fit.
    slope_sd
        Standard deviation of authorities' slopes, per step of the fit.
    others
        Further columns of the model, (counted, columns), which the bend is taken beside.
    locality
        Locality of each counted area, where areas of one locality share a factor.

    Returns
    -------
    Bend or None
        None where deprivation has too few values for a spline.

    Notes
    -----
    With mu the expected events, weights ``omega = mu / (1 + spread mu)`` and P the columns of a
    natural spline less their regression, within each authority and with these weights, on 1 and w::

        U = P' (y - mu) / (1 + spread mu),    I = P' omega P,    departure = I^-1 U

    ``U' I^-1 U / phi`` is chi-squared; phi, at least 1, is the mean squared Pearson residual that
    the departure leaves, so that overdispersion is not taken for a bend. Where areas share factors
    of localities, the variance of U is the sum over localities of squares of their parts instead.
    The regression that was taken off is what the departure adds to each authority's slope; its own
    regression on authorities' mean deprivation is what it adds to `within` and `cross_level`.
    """
    spline = _spline(land)
    if spline is None:
        return None
    x = land.deprivation[residuals.area]
    w, j = land.within_part[residuals.area], residuals.authority
    b = land.between_part.to_numpy()
    shrunk = 1.0 + residuals.spread * residuals.mean
    omega = residuals.mean / shrunk
    curves = spline.at(x)
    both = np.hstack([curves, curves * b[j][:, None]])
    own = _Lines(w, j, omega, len(b))
    bent = own.residual(both)
    if others is not None and others.shape[1]:
        beside = own.residual(others)
        root = np.sqrt(omega)[:, None]
        bent = bent - beside @ np.linalg.lstsq(beside * root, bent * root, rcond=None)[0]
    work = (residuals.events - residuals.mean) / shrunk
    score, information = bent.T @ work, bent.T @ (omega[:, None] * bent)
    k = curves.shape[1]
    if locality is None:
        pearson = residuals.squares / residuals.variance
        left = float(np.sum(pearson) - _quadratic(score, information)) / len(x)
        variance = information * max(left, 1.0)
    else:
        parts = np.zeros((locality.max() + 1, 2 * k))
        np.add.at(parts, locality, bent * work[:, None])
        variance = parts.T @ parts
    statistic = _quadratic(score[:k], variance[:k, :k])
    apart = _quadratic(score, variance) - statistic
    if len(np.unique(j)) < _ENOUGH:
        apart = np.nan
    coefficient = np.linalg.solve(information[:k, :k], score[:k])
    slope = own.slopes(curves @ coefficient)
    within, cross_level = _across(slope, b, 1.0 / (slope_sd**2 + 1.0 / own.information))
    national = spline.at(land.deprivation) @ coefficient
    return Bend(
        statistic,
        float(chi2.sf(statistic, k)),
        k,
        apart,
        float(chi2.sf(apart, k)),
        float(np.sqrt(np.average(national**2, weights=land.children))),
        -within,
        -cross_level,
    )


@dataclass(frozen=True, eq=False)
class _Lines:
    """Weighted regression on 1 and w within each authority."""

    w: Floats
    j: npt.NDArray[np.int64]
    omega: Floats
    number: int

    def _sums(self, values: Floats) -> Floats:
        sums: Floats = np.bincount(self.j, self.omega * values, minlength=self.number)
        return sums

    @property
    def centred(self) -> Floats:
        """The within part about its weighted mean in each authority."""
        total = np.maximum(self._sums(np.ones_like(self.w)), np.finfo(float).tiny)
        return self.w - (self._sums(self.w) / total)[self.j]

    @property
    def information(self) -> Floats:
        """What the areas tell of each authority's slope; a tiny number where nothing."""
        told: Floats = np.maximum(self._sums(self.centred**2), _NOTHING)
        return told

    def slopes(self, values: Floats) -> Floats:
        """Slope of one column on w in each authority; 0 where w does not vary."""
        slope: Floats = self._sums(self.centred * values) / self.information
        return slope

    def residual(self, columns: Floats) -> Floats:
        """What each authority's line leaves of columns (areas, columns)."""
        total = np.maximum(self._sums(np.ones_like(self.w)), np.finfo(float).tiny)
        left = [
            column
            - (self._sums(column) / total)[self.j]
            - self.slopes(column)[self.j] * self.centred
            for column in columns.T
        ]
        return np.column_stack(left)


def _spline(land: Geography) -> Departures | None:
    """A spline with as many knots as deprivation has room for."""
    for knots in _KNOTS:
        try:
            return smooth_departures(land.deprivation, land.children, knots=knots)
        except SpecificationError:
            continue
    return None


def _quadratic(score: Floats, variance: Floats) -> float:
    return float(score @ np.linalg.lstsq(variance, score, rcond=None)[0])


def _across(slope: Floats, b: Floats, weight: Floats) -> tuple[float, float]:
    """Weighted regression of authorities' slopes on their mean deprivation: level and slope."""
    centre = np.average(b, weights=weight)
    spread = np.sum(weight * (b - centre) ** 2)
    tilt = float(np.sum(weight * (b - centre) * slope) / spread) if spread > 0 else 0.0
    return float(np.average(slope, weights=weight) - tilt * centre), tilt
