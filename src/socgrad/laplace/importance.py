"""Importance weights that can be trusted: their effective size, their tail, and draws from them."""

from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray, IntArray

__all__ = ["Weights", "effective_size", "resampled", "smoothed"]

#: Of the largest weight. Where no weight of the tail exceeds the others by more, the shape of what
#: is in excess is that of rounding errors, or of no consequence.
_NO_TAIL = 0.01


@dataclass(frozen=True, eq=False)
class Weights:
    """Smoothed importance weights (summing to 1), and the shape of the tail before smoothing."""

    weight: FloatArray
    pareto_k: float

    @property
    def effective_size(self) -> float:
        """Independent draws that would say as much, 1 / sum of squared weights."""
        return effective_size(self.weight)


def effective_size(weight: FloatArray) -> float:
    """Effective number of draws of weights on any scale."""
    return float(weight.sum() ** 2 / np.sum(weight**2))


def smoothed(log_ratio: FloatArray) -> Weights:
    """Pareto-smoothed importance weights.

    Parameters
    ----------
    log_ratio : ndarray, shape (n,)
        Log target minus log proposal, up to a constant.

    Returns
    -------
    Weights
        `pareto_k` below 0.7: the weights describe the target well enough for its means. Above, the
        proposal misses part of it. Minus infinity where the weights are as good as equal.

    References
    ----------
    Vehtari, Simpson, Gelman, Yao & Gabry 2024, Journal of Machine Learning Research 25(72).
    """
    weight = np.exp(log_ratio - log_ratio.max())
    n = len(weight)
    tail = int(min(0.2 * n, 3.0 * np.sqrt(n)))
    order = np.argsort(weight)
    largest = order[-tail:]
    cutoff = weight[order[-tail - 1]]
    excess = weight[largest] - cutoff
    if excess[-1] < _NO_TAIL:
        return Weights(weight / weight.sum(), -np.inf)
    shape, scale = _generalised_pareto(excess)
    if np.isfinite(shape):
        at = (np.arange(tail) + 0.5) / tail
        # Quantiles of the fitted tail in place of its order statistics, none above the largest.
        stretch = -np.log1p(-at) if abs(shape) < 1e-9 else np.expm1(-shape * np.log1p(-at)) / shape
        weight[largest] = np.minimum(cutoff + scale * stretch, 1.0)
    return Weights(weight / weight.sum(), shape)


def _generalised_pareto(excess: FloatArray) -> tuple[float, float]:
    """Shape and scale of sorted positive excesses, by the posterior mean of their profile.

    Zhang & Stephens 2009, Technometrics 51(3), doi 10.1198/tech.2009.08017, with the weak prior on
    the shape that Vehtari et al. add (0.5, worth ten excesses).
    """
    n = len(excess)
    if excess[0] <= 0:
        excess = excess + np.finfo(float).tiny + 1e-12 * excess[-1]
    grid = 30 + int(np.sqrt(n))
    b = 1.0 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))
    b = b / (3.0 * excess[int(n / 4 + 0.5) - 1]) + 1.0 / excess[-1]
    k = np.log1p(-b[:, None] * excess).mean(axis=1)
    profile = n * (np.log(-b / k) - k - 1.0)
    weight = np.exp(profile - profile.max())
    b_mean = float(np.sum(b * weight) / weight.sum())
    shape = float(np.log1p(-b_mean * excess).mean())
    scale = -shape / b_mean
    return (n * shape + 10 * 0.5) / (n + 10), scale


def resampled(weight: FloatArray, number: int, rng: np.random.Generator) -> IntArray:
    """Positions drawn with probability `weight`, systematically, in random order.

    Systematic resampling repeats a draw only where its weight is above 1 / `number`, so that with
    several times as many draws as are kept, ties are rare.
    """
    at = (np.arange(number) + rng.random()) / number
    positions = np.searchsorted(np.cumsum(weight) / weight.sum(), at)
    rng.shuffle(positions)
    return positions.astype(np.int64)
