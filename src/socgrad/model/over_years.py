"""What a model of years says of them together: years, breaks, drift, national coefficients."""

from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.model.drift import Drift, National
from socgrad.model.priors import PositiveNormal
from socgrad.yearly_covariances import national_covariance, national_step

__all__ = ["OverYears"]


@dataclass(frozen=True, eq=False)
class OverYears:
    """Years that are fitted together.

    Attributes
    ----------
    years : ndarray
        In order.
    breaks : tuple of int
        Of the panel, those after its first year.
    drift : Drift or None
        Of authority effects; None where their covariance is any.
    national : National or None
        How national coefficients are tied; None where those of each year stand for themselves.
    has_slopes : bool
        Whether slopes of authorities vary.
    per : float
        Step of the model, a proportion.
    """

    years: FloatArray
    breaks: tuple[int, ...]
    drift: Drift | None
    national: National | None
    has_slopes: bool
    per: float

    def breaks_of(self, given: Drift | National) -> tuple[int, ...]:
        """Breaks of the drift or of the national coefficients: its own, else the panel's."""
        return self.breaks if given.breaks is None else given.breaks

    def forms(self, drift: Drift) -> tuple[str, ...]:
        """Of the drift of levels, and of slopes where these vary."""
        return (drift.levels, drift.slopes)[: 1 + self.has_slopes]

    def priors(self, drift: Drift, own: dict[str, FloatArray]) -> dict[str, tuple[float, float]]:
        """Prior of each number of the drift, per step of the model: mean and sd, or beta shapes.

        Parameters
        ----------
        drift : Drift
        own : dict
            Priors of level_sd, slope_sd and correlation, per step of the model: those of the
            constant part.
        """
        k = self.per / 0.10

        def pair(prior: PositiveNormal, scale: float = 1.0) -> tuple[float, float]:
            return prior.mean * scale, prior.sd * scale

        def constant(name: str) -> tuple[float, float]:
            first, second = own[name].tolist()
            return first, second

        found = {
            "level_constant_sd": constant("level_sd"),
            "level_drift_sd": pair(drift.level_sd),
            "level_autocorrelation": drift.autocorrelation,
            "level_break_sd": pair(drift.level_break_sd),
        }
        if self.has_slopes:
            found |= {
                "slope_constant_sd": constant("slope_sd"),
                "constant_correlation": constant("correlation"),
                "slope_drift_sd": pair(drift.slope_sd, k),
                "slope_autocorrelation": drift.autocorrelation,
                "slope_break_sd": pair(drift.slope_break_sd, k),
            }
        return found

    def precision(self, name: str, national: National, priors: FloatArray) -> FloatArray:
        """Prior precision of one coefficient over years, (years, years).

        Parameters
        ----------
        name : str
            Of its term.
        national : National
        priors : ndarray, shape (years, 2)
            Mean and sd of each year by itself, per step of the model.
        """
        sd = float(priors[0, 1])
        covariance = national_covariance(
            national.form,
            self.years,
            self.breaks_of(national),
            sd=sd,
            step=national_step(name, vars(national), sd=sd, per=self.per),
        )
        inverse = np.linalg.inv(covariance)
        return 0.5 * (inverse + inverse.T)
