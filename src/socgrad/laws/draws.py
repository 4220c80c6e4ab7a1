"""Gamma factors, and counts about what is expected: Poisson, or Poisson with such a factor."""

import numpy as np

from socgrad.arrays import FloatArray

__all__ = ["drawn_counts", "drawn_factors"]


def drawn_factors(
    variance: FloatArray, shape: tuple[int, ...], rng: np.random.Generator
) -> FloatArray:
    """Gamma factors of mean 1 and a variance that broadcasts to `shape`; 1 where it is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from socgrad.laws.draws import drawn_factors
    >>> factor = drawn_factors(np.array([0.0, 0.25]), (10_000, 2), np.random.default_rng(1))
    >>> factor.mean(axis=0).round(1).tolist(), factor.var(axis=0).round(2).tolist()
    ([1.0, 1.0], [0.0, 0.25])
    """
    variance = np.broadcast_to(variance, shape)
    positive = variance > 0
    factor = np.ones(shape)
    factor[positive] = rng.gamma(1.0 / variance[positive], variance[positive])
    return factor


def drawn_counts(mean: FloatArray, variance: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Counts about `mean`, Poisson with a gamma factor of mean 1 and a variance.

    Examples
    --------
    >>> import numpy as np
    >>> from socgrad.laws.draws import drawn_counts
    >>> counts = drawn_counts(np.full(10_000, 3.0), np.array(0.5), np.random.default_rng(1))
    >>> counts.mean().round(1).item(), bool(abs(counts.var() - (3 + 0.5 * 9)) < 0.5)
    (3.0, True)
    """
    if np.any(variance > 0):
        mean = mean * drawn_factors(variance, mean.shape, rng)
    return rng.poisson(mean).astype(np.float64)
