"""Polynomials in one variable: evaluation, derivatives, Chebyshev interpolation."""

import numpy as np

from socgrad.arrays import FloatArray

__all__ = ["chebyshev", "horner", "taylor"]


def horner(coefficients: FloatArray, t: FloatArray) -> FloatArray:
    """Polynomial in `t`, coefficients along the first axis."""
    values = np.zeros(np.broadcast_shapes(coefficients.shape[1:], t.shape))
    for coefficient in coefficients[::-1]:
        values *= t
        values += coefficient
    return values


def taylor(coefficients: FloatArray, t: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Value, first and second derivative of a polynomial in `t`, by Horner's rule."""
    value, first, half_second = (
        np.zeros(np.broadcast_shapes(coefficients.shape[1:], t.shape)) for _ in range(3)
    )
    for coefficient in coefficients[::-1]:
        half_second *= t
        half_second += first
        first *= t
        first += value
        value *= t
        value += coefficient
    return value, first, 2.0 * half_second


def chebyshev(number: int) -> tuple[FloatArray, FloatArray]:
    """Chebyshev points, and the matrix from values there to coefficients of powers."""
    angle = np.pi * (np.arange(number) + 0.5) / number
    transform = 2.0 / number * np.cos(np.outer(np.arange(number), angle))
    transform[0] /= 2.0
    powers = np.zeros((number, number))
    for k in range(number):
        powers[: k + 1, k] = np.polynomial.chebyshev.cheb2poly(np.eye(number)[k])[: k + 1]
    return np.cos(angle), powers @ transform
