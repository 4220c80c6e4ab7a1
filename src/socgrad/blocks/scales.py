"""Standard deviations and correlations on scales without bounds, their priors, and derivatives.

Arguments may be complex, where derivatives are taken by complex steps.
"""

from typing import Any

import numpy as np

from socgrad.arrays import FloatArray

__all__ = [
    "bounded",
    "bounded_derivative",
    "log_cosh",
    "positive",
    "positive_derivative",
    "positive_distance",
    "positive_prior",
    "positive_prior_derivative",
]

# Complex where derivatives are taken.
type Array = Any

#: Standard deviations below this are not told from it: effects so small change no count.
_SMALLEST = 1e-5
# A sinh further out would overflow.
_FARTHEST = 40.0


def positive(x: Array, bend: Array) -> Array:
    """Standard deviations bend sinh |x|: logarithmic far above bend, mirrored at zero."""
    if not x.size:
        return x
    if np.iscomplexobj(x):
        size = _magnitude(x)
        size = np.where(np.real(size) > _FARTHEST, _FARTHEST, size)
    else:
        size = np.minimum(np.abs(x), _FARTHEST)
    return _SMALLEST + bend * np.sinh(size)


def positive_derivative(x: FloatArray, bend: FloatArray) -> FloatArray:
    """Derivatives of `positive` by x."""
    size = np.abs(x)
    slope: FloatArray = bend * np.cosh(np.minimum(size, _FARTHEST)) * np.sign(x)
    return np.where(size > _FARTHEST, 0.0, slope)


def positive_prior(x: Array, bend: Array, mean: Array, sd: Array) -> Array:
    """Log density of x where `positive` is normal above zero, up to a constant."""
    away = (positive(x, bend) - mean) / sd
    return -0.5 * away * away + log_cosh(x)


def positive_prior_derivative(
    x: FloatArray, bend: FloatArray, mean: FloatArray, sd: FloatArray
) -> FloatArray:
    """Derivatives of `positive_prior` by x."""
    found: FloatArray = np.tanh(x) - (positive(x, bend) - mean) / sd**2 * positive_derivative(
        x, bend
    )
    return found


def positive_distance(sds: FloatArray, bend: FloatArray) -> FloatArray:
    """Where standard deviations stand: x of `positive`, not below zero."""
    found: FloatArray = np.arcsinh(np.maximum(sds - _SMALLEST, 0.0) / bend)
    return found


def bounded(x: Array, shape: Array) -> Array:
    """Log density of x where (tanh x + 1) / 2 ~ Beta(shape, shape), up to a constant."""
    return -2.0 * shape * log_cosh(x)


def bounded_derivative(x: FloatArray, shape: FloatArray) -> FloatArray:
    """Derivatives of `bounded` by x."""
    found: FloatArray = -2.0 * shape * np.tanh(x)
    return found


def log_cosh(x: Array) -> Array:
    """Log of cosh x, without overflow."""
    size = _magnitude(x)
    return size + np.log1p(np.exp(-2.0 * size)) - np.log(2.0)


def _magnitude(x: Array) -> Array:
    """|x|, analytic on each side of zero."""
    return np.where(np.real(x) < 0, -x, x) if np.iscomplexobj(x) else np.abs(x)
