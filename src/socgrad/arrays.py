"""The kinds of NumPy array that the library passes about."""

import numpy as np
import numpy.typing as npt

__all__ = ["BoolArray", "FloatArray", "IntArray", "TextArray"]

type BoolArray = npt.NDArray[np.bool_]
type FloatArray = npt.NDArray[np.float64]
type IntArray = npt.NDArray[np.int64]
#: Texts, or any other Python objects.
type TextArray = npt.NDArray[np.object_]
