"""The top of a smooth log-density, and its shape there, from values alone."""

from collections.abc import Callable

import numpy as np

from socgrad.arrays import FloatArray

__all__ = ["LogDensity", "climb"]

type LogDensity = Callable[[FloatArray], FloatArray]

# Differences are taken half a standard deviation out: the shape wanted is that of the whole top.
_STEP = 0.5
_ROUNDS = 60
_DROP = 200.0
_FLATTEST, _STEEPEST = 0.2, 50.0


def climb(
    log_density: LogDensity, x: FloatArray, scale: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Mode of a log-density, and the Cholesky factor of its inverse curvature.

    Parameters
    ----------
    log_density : callable
        From points (n, d) to values (n,).
    x : ndarray, shape (d,)
        Where to start.
    scale : ndarray, shape (d, d)
        Lower triangular guess of the factor; only the speed depends on it.

    Returns
    -------
    mode : ndarray, shape (d,)
    scale : ndarray, shape (d, d)
        Lower triangular L: near the mode, x = mode + L z with z about standard normal.
    """
    d = len(x)
    i, j = np.triu_indices(d, 1)
    eye = _STEP * np.eye(d)
    pairs = eye[i] + eye[j]
    design = np.concatenate([np.zeros((1, d)), eye, -eye, pairs, -pairs])
    for _ in range(_ROUNDS):
        values = log_density(x + design @ scale.T)
        # A fall of hundreds, or off the edge of arithmetic, says no more than "down".
        values = np.maximum(np.where(np.isnan(values), -np.inf, values), values[0] - _DROP)
        top, plus, minus, both, neither = np.split(values, np.cumsum([1, d, d, len(i)]))
        gradient = (plus - minus) / (2 * _STEP)
        curvature = np.diag((plus + minus - 2 * top) / _STEP**2)
        mixed = both + neither - (plus + minus)[i] - (plus + minus)[j] + 2 * top
        curvature[i, j] = curvature[j, i] = mixed / (2 * _STEP**2)
        size, axes = np.linalg.eigh(-curvature)
        held = np.clip(size, _FLATTEST, _STEEPEST)
        step = axes @ ((axes.T @ gradient) / held)
        length = float(np.sqrt(step @ step))
        step *= min(1.0, 3.0 / max(length, 1e-300))
        shares = np.array([1.0, 0.5, 0.25, 0.1, 0.02])
        reached = np.nan_to_num(log_density(x + (shares[:, None] * step) @ scale.T), nan=-np.inf)
        best = int(np.argmax(reached))
        if reached[best] > top[0]:
            x = x + scale @ (shares[best] * step)
        scale = scale @ np.linalg.cholesky((axes / held) @ axes.T)
        settled = size.min() > 0.5 and size.max() < 2.0
        if settled and (length < 0.1 or reached[best] < top[0] + 1e-3):
            break
    return x, scale
