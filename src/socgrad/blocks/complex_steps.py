"""Exact derivatives by complex steps (Squire & Trapp 1998, doi 10.1137/S003614459631241X).

A function that takes complex numbers has its derivative in the imaginary part, without the rounding
of differences.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from socgrad.arrays import FloatArray

__all__ = ["by_each"]

# Complex where derivatives are taken.
type Array = Any

_STEP = 1e-30


def by_each(function: Callable[[Array], Array], x: FloatArray) -> FloatArray:
    """Derivatives of a function of a point by each of its numbers, along the first axis."""
    found: FloatArray = np.imag(function(x + 1j * _STEP * np.eye(len(x)))) / _STEP
    return found
