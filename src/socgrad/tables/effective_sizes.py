"""Effective numbers of draws of many quantities at once."""

from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtri
from scipy.stats import rankdata

__all__ = ["bulk_and_tail"]

type Floats = npt.NDArray[np.float64]

#: Probabilities of the tails whose effective sizes count: the ends of ArviZ's own interval.
_TAILS: Final = (0.11, 0.89)
#: Numbers that are held at once.
_MOST: Final = 2_000_000
#: Offset of ranks by Blom (1958).
_BLOM: Final = 3 / 8
_LEAST_DRAWS: Final = 4


def bulk_and_tail(draws: xr.DataArray) -> tuple[Floats, Floats]:
    """Compute the effective sizes in the bulk and in the tails of every quantity of a variable.

    These are `arviz_stats.ess` of methods "bulk" and "tail", which takes quantities one by one:
    this takes half the time, and needs no ArviZ, whose import takes seconds.

    Parameters
    ----------
    draws
        Dims chain, draw and any others.

    Returns
    -------
    tuple of ndarray
        Effective sizes in the bulk and in the tails, one for each combination of the other dims;
        NaN where a draw is not finite or there are fewer than four.

    References
    ----------
    Vehtari et al. 2021, Bayesian Analysis 16(2), https://doi.org/10.1214/20-BA1221.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.tables.effective_sizes import bulk_and_tail
    >>> bulk, tail = bulk_and_tail(example_fit()["posterior"]["level_effect"])
    >>> bulk.shape, bool((bulk > 40).all())
    ((6,), True)
    """
    values = draws.transpose(..., "chain", "draw").to_numpy().astype(np.float64)
    values = values.reshape(-1, *values.shape[-2:])
    bulk, tail = np.full((2, len(values)), np.nan)
    if values.shape[-1] < _LEAST_DRAWS:
        return bulk, tail
    whole = np.isfinite(values).all(axis=(1, 2))
    together = max(1, _MOST // values[0].size)
    for first in range(0, len(values), together):
        own = np.flatnonzero(whole[first : first + together]) + first
        if own.size:
            bulk[own], tail[own] = _sizes(values[own])
    return bulk, tail


def _sizes(values: Floats) -> tuple[Floats, Floats]:
    """Both sizes of quantities, dims (quantity, chain, draw)."""
    flat = values.reshape(len(values), -1)
    tails = [
        _effective(_halves((values <= at[:, None, None]).astype(np.float64)))
        for at in np.quantile(flat, _TAILS, axis=1)
    ]
    halves = _halves(values)
    ranks = rankdata(halves.reshape(len(values), -1), axis=1).reshape(halves.shape)
    scaled = ndtri((ranks - _BLOM) / (halves[0].size - 2 * _BLOM + 1))
    return _effective(scaled), np.minimum(*tails)


def _halves(values: Floats) -> Floats:
    """Each chain as two: its first half and its last."""
    half = values.shape[-1] // 2
    return np.concatenate([values[..., :half], values[..., -half:]], axis=1)


def _effective(values: Floats) -> Floats:
    """Draws over their integrated autocorrelation time, by Geyer's initial monotone sequence."""
    draws = values.shape[-1]
    covariance = _autocovariance(values).mean(axis=1)
    within = covariance[:, 0] * draws / (draws - 1.0)
    total = covariance[:, 0] + values.mean(axis=2).var(axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # of constants, below
        correlation = 1.0 - (within[:, None] - covariance) / total[:, None]
    correlation[:, 0] = 1.0
    # Lags in pairs, of which each sum would be positive and falling but for chance.
    pairs = correlation[:, : 2 * (draws // 2)].reshape(len(values), -1, 2)
    sums = pairs.sum(axis=2)
    # The first pair that is not positive, or the last that there can be.
    ends = sums <= 0
    ends[:, max((draws - 3) // 2, 0)] = True
    end = ends.argmax(axis=1)
    falling = np.minimum.accumulate(sums, axis=1)
    rows = np.arange(len(values))
    up_to = np.where(end > 0, np.cumsum(falling, axis=1)[rows, end - 1], 0.0)
    even, both = pairs[rows, end, 0], sums[rows, end]
    tail = np.where((even > 0) | ((both >= 0) & (end > 0)), even, 0.0)
    tail = np.where(end == 0, 1.0, tail)
    size = values[0].size
    time = np.maximum(-1.0 + 2.0 * up_to + tail, 1 / np.log10(size))
    constant = np.ptp(values, axis=(1, 2)) < np.finfo(float).resolution
    return np.asarray(np.where(constant, size, size / time))


def _autocovariance(values: Floats) -> Floats:
    """Autocovariance of every chain at every lag."""
    draws = values.shape[-1]
    length = next_fast_len(2 * draws, real=True)
    moved = rfft(values - values.mean(axis=-1, keepdims=True), n=length, axis=-1)
    power = moved.real**2 + moved.imag**2
    return np.asarray(irfft(power, n=length, axis=-1)[..., :draws] / draws)
