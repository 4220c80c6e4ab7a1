"""Log-likelihoods of authorities' coarsened counts, at many levels and slopes at once."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray, IntArray
from socgrad.likelihood import coarsened
from socgrad.likelihood import compiled as gamma_functions
from socgrad.likelihood.coarsened import kernel_terms
from socgrad.nuts.numba_on_disk import on_disk, source_number

__all__ = ["Kernels", "kernel_sums", "kernel_values", "kernels_of"]


class Kernels(NamedTuple):
    """What may have been published of a count.

    Attributes
    ----------
    low, high : ndarray of int, shape (kernels,)
        Counts that each allows; `OPEN` where there is no largest.
    first_weight : ndarray of int, shape (kernels,)
        Where the weights of each begin in `weight`; -1 where all are 1.
    weight : ndarray
        P(published | count), from `low` on.
    """

    low: IntArray
    high: IntArray
    first_weight: IntArray
    weight: FloatArray


def kernels_of(data: Sequence[xr.Dataset]) -> Kernels:
    """Kernels of likelihood data, of every stratum in turn."""
    every = [each for each in data if "kernel_low" in each]
    if not every:
        none = np.zeros(0, dtype=np.int64)
        return Kernels(none, none, none, np.zeros(0))
    low, high = (
        np.concatenate([each[f"kernel_{end}"].to_numpy() for each in every])
        for end in ("low", "high")
    )
    weights = [own[~np.isnan(own)] for each in every for own in each["kernel_weight"].to_numpy()]
    size = np.array([len(own) for own in weights])
    first = np.where(size > 0, np.cumsum(size) - size, -1).astype(np.int64)
    return Kernels(low, high, first, np.concatenate([np.zeros(0), *weights]))


@functools.cache
def _functions() -> tuple[Any, Any]:
    number = source_number(coarsened, gamma_functions)

    @on_disk
    def kernel_sums_on_disk(  # type: ignore[no-untyped-def]
        kernels, first, kernel, within, log_exposure, level, slope, r, deep,
        with_means, found,
    ):  # fmt: skip
        one = np.zeros(7) * number
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

    @on_disk
    def kernel_values_on_disk(kernels, kernel, eta, r, found):  # type: ignore[no-untyped-def]
        one = np.zeros(7) * number
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
