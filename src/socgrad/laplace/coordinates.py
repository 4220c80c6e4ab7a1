"""The hyperparameters and coefficients on a scale without bounds, and their prior there.

Importance sampling wants a posterior that looks normal. Standard deviations enter as
sd = c sinh(x), x >= 0: logarithmic where the data hold an sd well away from zero (sd >> c), and
linear, mirrored at zero, where zero is possible (sd << c), because the marginal likelihood is an
even and smooth function of an sd. The correlation enters as 2 Phi(x) - 1, which makes its beta
prior all but normal. Coefficients enter as they are.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import betaln, log_ndtr, ndtr

from socgrad.arrays import BoolArray, FloatArray
from socgrad.laplace.predictors import coefficient_priors
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, PositiveNormal

__all__ = ["Coordinates", "coordinates", "factor_name"]

#: Standard deviations below this are not told from it: effects so small change no count.
SMALLEST_SD: Final = 1e-5

_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The parameters that authorities share: names, priors, and the scale without bounds.

    Attributes
    ----------
    names : tuple of str
        As in `socgrad.schema.PARAMETERS`, hyperparameters first.
    priors : tuple of Normal, PositiveNormal or float
        Of each; the correlation's is the concentration of its beta distribution.
    bend : ndarray, shape (parameters,)
        The c of each standard deviation; 1 elsewhere.
    """

    names: tuple[str, ...]
    priors: tuple[Normal | PositiveNormal | float, ...]
    bend: FloatArray

    @property
    def mirrored(self) -> BoolArray:
        """Coordinates that are at least 0, where they may be reflected."""
        return np.array([isinstance(prior, PositiveNormal) for prior in self.priors])

    def parameters(self, x: FloatArray) -> dict[str, FloatArray]:
        """Parameters by name at the points `x`, shape (points, parameters)."""
        values = {}
        for name, prior, column, bend in zip(self.names, self.priors, x.T, self.bend, strict=True):
            if isinstance(prior, PositiveNormal):
                values[name] = np.maximum(bend * np.sinh(_size(column)), SMALLEST_SD)
            elif isinstance(prior, Normal):
                values[name] = column
            else:
                # Nearer to -1 or 1 than a billionth the two effects are one.
                values[name] = 2 * ndtr(np.clip(column, -6.0, 6.0)) - 1
        return values

    def point(self, values: dict[str, float]) -> FloatArray:
        """Coordinates of named parameters (the correlation at 0)."""
        return np.array(
            [
                np.arcsinh(values[name] / bend) if isinstance(prior, PositiveNormal) else
                values[name] if isinstance(prior, Normal) else 0.0
                for name, prior, bend in zip(self.names, self.priors, self.bend, strict=True)
            ]
        )  # fmt: skip

    def log_prior(self, x: FloatArray) -> FloatArray:
        """Log prior density of the points `x`, the change of scale included, shape (points,)."""
        total = np.zeros(len(x))
        for prior, column, bend in zip(self.priors, x.T, self.bend, strict=True):
            if isinstance(prior, PositiveNormal):
                size = _size(column)
                total += _log_normal(bend * np.sinh(size), prior.mean, prior.sd)
                total -= log_ndtr(prior.mean / prior.sd)
                total += np.log(bend * np.cosh(size))
            elif isinstance(prior, Normal):
                total += _log_normal(column, prior.mean, prior.sd)
            else:
                total += (prior - 1) * (log_ndtr(column) + log_ndtr(-column))
                total += _log_normal(column, 0.0, 1.0) - betaln(prior, prior)
        return total


def _size(column: FloatArray) -> FloatArray:
    """Distance from the mirror, held where a sinh would overflow."""
    return np.minimum(np.abs(column), 50.0)


def _log_normal(value: FloatArray, mean: float, sd: float) -> FloatArray:
    result: FloatArray = -0.5 * ((value - mean) / sd) ** 2 - np.log(sd) - 0.5 * _LOG_2PI
    return result


def factor_name(model: GradientModel) -> str | None:
    """Name of the spread of a model's gamma factors, which is "overdispersion" in this engine."""
    if model.family == "negative_binomial":
        return "overdispersion"
    return "locality_sd" if model.localities else None


def coordinates(model: GradientModel, intercept: Normal, bend: dict[str, float]) -> Coordinates:
    """Coordinates of a model's parameters.

    Parameters
    ----------
    model : GradientModel
        The specification.
    intercept : Normal
        The prior that `socgrad.model.compression.likelihood_data` gives it.
    bend : dict
        The c of `level_sd`, `slope_sd` and `overdispersion`: about the largest standard deviation
        that the data cannot tell from zero.
    """
    given = model.step_priors
    spread = factor_name(model)
    main = "pooled" if model.deprivation == "pooled" else "within"
    present: dict[str, tuple[bool | None, Normal | PositiveNormal | float]] = {
        "level_sd": (True, given.level_sd),
        "slope_sd": (model.random_slopes, given.slope_sd),
        "correlation": (model.random_slopes, given.correlation),
        "overdispersion": (spread is not None, getattr(given, spread or "overdispersion")),
        "intercept": (True, intercept),
        main: (model.deprivation != "none", given.within),
        "between": (model.deprivation == "split", given.between),
        "cross_level": (model.cross_level, given.cross_level),
        "curvature": (model.curvature, given.curvature),
    }
    present |= {name: (True, prior) for name, prior in coefficient_priors(model).items()}
    names = tuple(name for name, (there, _) in present.items() if there)
    priors = tuple(present[name][1] for name in names)
    return Coordinates(names, priors, np.array([bend.get(name, 1.0) for name in names]))
