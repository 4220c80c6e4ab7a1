"""Log-likelihoods of authorities' coarsened counts, at many levels and slopes at once."""

import functools
from typing import Any

import numpy as np

from socgrad.arrays import FloatArray, IntArray
from socgrad.laws import coarsened
from socgrad.laws import compiled_gamma as gamma_functions
from socgrad.laws.coarsened import kernel_terms
from socgrad.laws.kernels import Kernels
from socgrad.nuts.numba_on_disk import on_disk

__all__ = ["kernel_sums", "kernel_values"]


@functools.cache
def _functions() -> tuple[Any, Any]:
    @on_disk(coarsened, gamma_functions)
    def kernel_sums_on_disk(  # type: ignore[no-untyped-def]
        kernels, first, kernel, within, log_exposure, level, slope, r, deep,
        with_means, found,
    ):  # fmt: skip
        one = np.zeros(7)
        points, authorities = level.shape
        for n in range(points):
            for j in range(authorities):
                for i in range(first[j], first[j + 1]):
                    k, w = kernel[i], within[i]
                    eta = log_exposure[i] + level[n, j] + slope[n, j] * w
                    kernel_terms(
                        kernels.low[k], kernels.high[k], kernels.weight, kernels.first_weight[k],
                        eta, r[n], deep, one,
                    )  # fmt: skip
                    if not with_means:
                        mean = np.exp(eta)
                        for k in range(4):
                            one[k] += mean
                    found[0, n, j] += one[0]
                    if deep:
                        found[1, n, j] += one[1]
                        found[2, n, j] += one[1] * w
                        found[3, n, j] += one[2]
                        found[4, n, j] += one[2] * w
                        found[5, n, j] += one[2] * w * w
                        found[6, n, j] += one[3] * w * w

    @on_disk(coarsened, gamma_functions)
    def kernel_values_on_disk(kernels, kernel, eta, r, found):  # type: ignore[no-untyped-def]
        one = np.zeros(7)
        for n in range(len(eta)):
            for j in range(len(kernel)):
                k = kernel[j]
                kernel_terms(
                    kernels.low[k], kernels.high[k], kernels.weight, kernels.first_weight[k],
                    eta[n, j], r[n, j], True, one,
                )  # fmt: skip
                found[0, n, j], found[1, n, j], found[2, n, j] = one[0], one[1], one[2]

    return kernel_sums_on_disk, kernel_values_on_disk


def kernel_values(
    kernels: Kernels, kernel: IntArray, eta: FloatArray, r: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log-likelihood of coarsened counts, one for each kernel named, and two derivatives.

    Parameters
    ----------
    kernels : Kernels
    kernel : ndarray of int, shape (counts,)
    eta : ndarray, shape (..., counts)
        Logs of their means.
    r : ndarray
        Squared coefficients of variation of their gamma factors; 0 of Poisson counts.

    Returns
    -------
    tuple of ndarray
        Value, and derivatives 1 and 2 by `eta`, each of its shape.
    """
    flat = np.ascontiguousarray(eta.reshape(-1, len(kernel)))
    spread = np.ascontiguousarray(np.broadcast_to(r, eta.shape).reshape(flat.shape))
    found = np.zeros((3, *flat.shape))
    _functions()[1](kernels, kernel, flat, spread, found)
    value, first, second = found.reshape(3, *eta.shape)
    return value, first, second


def kernel_sums(
    kernels: Kernels,
    rows: tuple[IntArray, IntArray, FloatArray, FloatArray],
    level: FloatArray,
    slope: FloatArray,
    r: FloatArray,
    *,
    deep: bool,
    with_means: bool = True,
) -> FloatArray:
    """Sum log-likelihoods of coarsened counts by authority.

    Parameters
    ----------
    kernels : Kernels
    rows : tuple of ndarray
        Where each authority's rows begin, (authorities + 1,); then of each row its kernel, w, and
        the log of its exposure.
    level, slope : ndarray, shape (points, authorities)
    r : ndarray, shape (points,)
        Squared coefficient of variation of the counts' gamma factors; 0 of Poisson counts.
    deep : bool
        Derivatives too.
    with_means : bool
        False: of Poisson counts leave out -sum(mu), and its derivatives.

    Returns
    -------
    ndarray, shape (7, points, authorities)
        The value, its derivatives by level, slope, level twice, both, slope twice, and by level and
        slope twice (zeros unless `deep`).
    """
    found = np.zeros((7, *level.shape))
    _functions()[0](kernels, *rows, level, slope, r, deep, with_means, found)
    return found
