"""Counted neighbourhoods beside what a fit expects of them, draws averaged.

Counts drawn again show what a statistic may be; some need not be drawn, because their distribution
under the model is known. They all start from these numbers, one per area.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import gamma

from socgrad.checks.counts import FittedCounts, Lines, area_blocks
from socgrad.reading.geography import Geography

__all__ = ["AreaResiduals", "area_residuals", "overdispersion_test", "residuals_about"]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class AreaResiduals:
    """Counts of areas, and their expectation in the mean of the draws; arrays (counted,).

    Attributes
    ----------
    area, authority : ndarray
        Position of each counted area, and of its authority.
    events, mean : ndarray
        Those of hidden counts are means over draws.
    hidden : ndarray or float
        Variance over draws of hidden counts; 0 of those that are known.
    uncertainty : ndarray
        Variance over draws of the expected events.
    spread : float
        Squared coefficient of variation of the gamma factors, of areas and localities together.
    """

    area: Integers
    authority: Integers
    events: Floats
    mean: Floats
    uncertainty: Floats
    spread: float
    hidden: Floats | float = 0.0

    @property
    def variance(self) -> Floats:
        """Variance of each count about its expectation."""
        return self.mean * (1.0 + self.spread * self.mean)

    @property
    def pearson(self) -> Floats:
        """Distance of each count from its expectation, in standard deviations."""
        return (self.events - self.mean) / np.sqrt(self.variance)

    @property
    def squares(self) -> Floats:
        """Squared distances, with what the fit has taken of them given back.

        In a linear model the variance of a residual is that of the datum less the posterior
        variance of its mean.
        """
        return (self.events - self.mean) ** 2 + self.uncertainty + self.hidden


def area_residuals(counts: FittedCounts, lines: Lines, land: Geography) -> AreaResiduals:
    """Average the expected events of every counted area over draws, block after block.

    Parameters
    ----------
    counts, lines, land
        Of one fit; `counts` has counted areas.
    """
    mean, uncertainty = np.zeros((2, len(counts.area)))
    for rows, expected in area_blocks(lines, land, counts.area):
        mean[rows], uncertainty[rows] = expected.mean(axis=0), expected.var(axis=0)
    return residuals_about(counts, lines, land, mean=mean, uncertainty=uncertainty)


def residuals_about(
    counts: FittedCounts, lines: Lines, land: Geography, *, mean: Floats, uncertainty: Floats
) -> AreaResiduals:
    """The same where mean and variance of the expected events are known."""
    r, shared = lines.overdispersion**2, lines.locality_sd**2
    spread = float(np.mean(r * (1.0 + shared) + shared))
    home = land.authority_of_area[counts.area]
    events, hidden = counts.events, np.zeros(len(counts.area))
    if events.ndim == 2:
        events, hidden = events.mean(axis=0), events.var(axis=0)
    return AreaResiduals(counts.area, home, events, mean, uncertainty, spread, hidden)


def overdispersion_test(residuals: AreaResiduals) -> tuple[float, float]:
    """Score test of Poisson counts against counts that vary more; statistic and probability.

    Parameters
    ----------
    residuals
        Of a model without gamma factors.

    Returns
    -------
    statistic, probability : float
        In standard deviations above chance, and how often chance gives as much.

    Notes
    -----
    ``T = sum((y - mu)**2 + var(mu) - y) / sqrt(2 sum(mu**2))``. It weighs areas by their expected
    events, where the mean squared Pearson residual gives much weight to areas that expect few and
    tell little. Under the model T has mean 0, variance 1 and third moment
    ``sum(8 mu**3 + 4 mu**2) / (2 sum(mu**2))**1.5``; the gamma distribution with these moments
    gives the probability.

    References
    ----------
    Dean 1992, Journal of the American Statistical Association 87(418),
    https://doi.org/10.1080/01621459.1992.10475225.
    """
    mu = residuals.mean
    scale = np.sqrt(2.0 * np.sum(mu**2))
    statistic = float(np.sum(residuals.squares - residuals.events) / scale)
    skewness = float(np.sum(8.0 * mu**3 + 4.0 * mu**2) / scale**3)
    shape = 4.0 / skewness**2
    return statistic, float(gamma.sf(shape + statistic * np.sqrt(shape), shape))
