"""Whether authorities' effects have the tails of a normal distribution."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.reading.posterior import Coefficients

__all__ = ["Tails", "tails_of"]

type Floats = npt.NDArray[np.float64]

#: An effect of which the counts tell less than this share of its variance tells nothing of tails.
_TOLD: Final = 0.3
_FEWEST: Final = 8
_AGAIN: Final = 4000
_BLOCK: Final = 2_000_000


@dataclass(frozen=True, eq=False)
class Tails:
    """Kurtosis of authorities' effects against that of as many normal ones.

    Attributes
    ----------
    kurtosis : float
        Mean over effects (levels, slopes) of the kurtosis of their standardised posterior means; 3
        in a large sample of normal effects.
    again : ndarray
        The same of normal effects.
    """

    kurtosis: float
    again: Floats


def tails_of(terms: Coefficients, rng: np.random.Generator) -> Tails | None:
    """Hold the kurtosis of authorities' effects against the model's.

    Parameters
    ----------
    terms
        Of one fit.
    rng
        Source of randomness.

    Returns
    -------
    Tails or None
        None where fewer than eight authorities have effects of which the counts tell something.

    Notes
    -----
    Under the model the posterior mean of an effect has variance ``sd**2 - posterior variance``. So
    ``z = mean / sqrt(sd**2 - posterior variance)`` is standard normal, whatever the counts tell of
    each authority. The kurtosis of z, averaged over levels and slopes, is compared with that of
    normal draws of the same number and correlation.

    References
    ----------
    Lange & Ryan 1989, Annals of Statistics 17(2), https://doi.org/10.1214/aos/1176347130.
    """
    scores = []
    effects = [(terms.level_effect - terms.level_place, terms.level_sd)]
    if terms.has_slopes:
        effects.append((terms.slope_effect - terms.slope_covariates, terms.slope_sd))
    for effect, sd in effects:
        if not effect.dims or "authority" not in effect.dims:
            continue
        scores.append(_standardised(effect, sd))
    z = np.array(scores)
    told = np.isfinite(z)
    z = z[told.sum(axis=1) >= _FEWEST] if len(z) else z
    if not len(z):
        return None
    together = np.isfinite(z).all(axis=0)
    r = (
        float(np.corrcoef(z[0, together], z[1, together])[0, 1])
        if len(z) == 2 and together.sum() > 2
        else 0.0
    )
    again = np.concatenate([_kurtosis(block) for block in _drawn(z, r, rng)])
    return Tails(float(_kurtosis(z)), again)


def _standardised(effect: xr.DataArray, sd: xr.DataArray) -> Floats:
    """Posterior means in standard deviations; NaN where the counts tell next to nothing."""
    dims = ("chain", "draw")
    variance = float((sd**2).mean())
    told = variance - effect.var(dims).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        z = effect.mean(dims).to_numpy() / np.sqrt(told)
    result: Floats = np.where(told > _TOLD * variance, z, np.nan)
    return result


def _drawn(z: Floats, r: float, rng: np.random.Generator) -> Iterator[Floats]:
    """Normal effects, as many and as correlated, with the same ones missing."""
    size = max(1, _BLOCK // z.size)
    for first in range(0, _AGAIN, size):
        new = rng.standard_normal((min(size, _AGAIN - first), *z.shape))
        if len(z) == 2:
            new[:, 1] = r * new[:, 0] + np.sqrt(1 - r * r) * new[:, 1]
        yield np.where(np.isnan(z), np.nan, new)


def _kurtosis(z: Floats) -> Floats:
    """Mean over effects of the kurtosis over authorities, the last axis."""
    about = z - np.nanmean(z, axis=-1, keepdims=True)
    squares = np.nanmean(about**2, axis=-1)
    value: Floats = np.mean(np.nanmean(about**4, axis=-1) / squares**2, axis=-1)
    return value
