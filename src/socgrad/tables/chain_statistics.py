"""R-hat and effective sizes in the bulk and in the tails, of many quantities at once.

They are ArviZ's (`arviz_stats.rhat` and `ess`, to which tests hold them), which takes one quantity
after another, and with thousands of authorities' effects longer than all else that is asked of a
fit. Each takes draws of shape (quantities, chains, draws) and gives an array of shape
(quantities,): NaN where a draw is NaN, or a chain has fewer than four draws. Chains are halved.

References
----------
Vehtari et al. 2021, Bayesian Analysis 16(2), https://doi.org/10.1214/20-BA1221.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from scipy import fft
from scipy.special import ndtri

from socgrad.arrays import FloatArray
from socgrad.processors import processors

__all__ = ["ess_bulk", "ess_tail", "rhat"]

#: Ends of the interval whose quantiles are the tails: of ArviZ's default interval of 0.89.
_TAILS: Final = (0.11, 0.89)
#: Fewer draws of a chain say nothing.
_LEAST_DRAWS: Final = 4
#: Quantities whose draws stay in the processor's cache together.
_BLOCK: Final = 16


def ess_bulk(draws: FloatArray) -> FloatArray:
    """Effective size of the normal scores of all draws' ranks.

    Examples
    --------
    >>> import numpy as np
    >>> from socgrad.tables.chain_statistics import ess_bulk
    >>> steps = np.random.default_rng(1).standard_normal((1, 4, 1000))
    >>> ess_bulk(steps).round(-2).tolist()
    [4000.0]
    """
    return _by_blocks(lambda block: _sizes(_normal_scores(_halves(block))), draws)


def ess_tail(draws: FloatArray) -> FloatArray:
    """Smaller effective size of indicators of draws up to each of two quantiles."""

    def of_block(block: FloatArray) -> FloatArray:
        ends = np.quantile(block, _TAILS, axis=(1, 2), keepdims=True)
        sizes = [_sizes(_halves((block <= end).astype(float))) for end in ends]
        return np.min(sizes, axis=0)

    return _by_blocks(of_block, draws)


def rhat(draws: FloatArray) -> FloatArray:
    """Larger R-hat of the normal scores of ranks: of draws, and of their distances from the median.

    NaN of a single chain, too.
    """

    def of_block(block: FloatArray) -> FloatArray:
        halves = _halves(block)
        apart = np.abs(halves - np.median(halves, axis=(1, 2), keepdims=True))
        bulk, tail = (_disagreement(_normal_scores(values)) for values in (halves, apart))
        return np.where(tail > bulk, tail, bulk)

    if draws.shape[1] < 2:
        return np.full(len(draws), np.nan)
    return _by_blocks(of_block, draws)


def _by_blocks(of_block: Callable[[FloatArray], FloatArray], draws: FloatArray) -> FloatArray:
    """Statistic of all quantities, a few at a time on every processor."""
    found = np.full(len(draws), np.nan)
    if draws.shape[-1] < _LEAST_DRAWS:
        return found
    known = ~np.isnan(draws).any(axis=(1, 2))
    some = draws if known.all() else draws[known]
    blocks = [some[first : first + _BLOCK] for first in range(0, len(some), _BLOCK)]
    with ThreadPoolExecutor(processors()) as pool:
        found[known] = np.concatenate([np.zeros(0), *pool.map(of_block, blocks)])
    return found


def _halves(draws: FloatArray) -> FloatArray:
    """Halves of chains as chains of their own, without the middle draw of an odd number."""
    half = draws.shape[-1] // 2
    return np.concatenate([draws[..., :half], draws[..., -half:]], axis=1)


def _normal_scores(draws: FloatArray) -> FloatArray:
    """Normal scores of ranks among all draws of a quantity; equal draws share their mean rank."""
    flat = draws.reshape(len(draws), -1)
    number = flat.shape[1]
    order = np.argsort(flat, axis=1)
    ordered = np.take_along_axis(flat, order, axis=1)
    differs = np.ones(flat.shape, dtype=bool)
    differs[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    first = np.flatnonzero(differs)
    equal = np.diff(first, append=flat.size)
    rank = first % number + (equal + 1) / 2
    scores = np.empty_like(flat)
    score = np.repeat(ndtri((rank - 3 / 8) / (number + 1 / 4)), equal)
    np.put_along_axis(scores, order, score.reshape(flat.shape), axis=1)
    return scores.reshape(draws.shape)


def _disagreement(chains: FloatArray) -> FloatArray:
    """R-hat of each quantity; NaN of one that never moves."""
    length = chains.shape[2]
    between = length * chains.mean(axis=2).var(axis=1, ddof=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = between / chains.var(axis=2, ddof=1).mean(axis=1)
    apart: FloatArray = np.sqrt((ratio + length - 1) / length)
    return apart


def _sizes(chains: FloatArray) -> FloatArray:
    """Effective size of the mean of each quantity, (quantities,), by Geyer's monotone sequence."""
    number, length = chains.shape[1:]
    mean = chains.mean(axis=2, keepdims=True)
    padded = fft.next_fast_len(2 * length, real=True)
    waves = fft.rfft(chains - mean, padded)
    power = (waves.real**2 + waves.imag**2).mean(axis=1)
    covariance = fft.irfft(power, padded)[:, :length] / length
    within = covariance[:, :1] * length / (length - 1)
    total = covariance[:, :1] + mean.var(axis=1, ddof=1)
    constant = np.ptp(chains, axis=(1, 2)) < np.finfo(float).resolution
    correlation = 1 - (within - covariance) / np.where(constant[:, None], 1.0, total)
    correlation[:, 0] = 1.0
    # Pairs of lags, of which the last of all is looked at only by itself.
    pairs = max((length - 3) // 2, 0) + 1
    even, odd = (correlation[:, lag : 2 * pairs : 2] for lag in (0, 1))
    pair = even + odd
    ended = pair <= 0
    stop = np.where(ended.any(axis=1), ended.argmax(axis=1), pairs - 1)
    before = np.arange(pairs) < stop[:, None]
    time = 2 * np.minimum.accumulate(pair, axis=1).sum(axis=1, where=before) - 1
    at = np.arange(len(stop)), stop
    time += np.where((even[at] > 0) | (pair[at] >= 0), even[at], 0.0)
    size = number * length
    sizes: FloatArray = size / np.maximum(time, 1 / np.log10(size))
    sizes[constant] = size
    return sizes
