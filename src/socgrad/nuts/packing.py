"""Many small arrays as two vectors, for a graph that compiles in seconds.

nutpie compiles about half a second of code for each shared array of a graph. The graph that a
reader inspects has dozens of named ones; the graph that is sampled has the same arrays as slices of
one vector of numbers and one of positions.
"""

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import xarray as xr

__all__ = ["Layout", "layout", "packed", "unpacked"]

type Variable = Any  # PyTensor's variables carry no useful static types.

#: Name, dtype kind ("f" or "i") and shape of each array, in their order within the vectors.
type Layout = tuple[tuple[str, str, tuple[int, ...]], ...]

_KINDS = {"f": ("numbers", np.float64), "i": ("positions", np.int32)}


def layout(data: xr.Dataset) -> Layout:
    """Where each array of `data` goes."""
    return tuple(
        (str(name), "f" if values.dtype.kind == "f" else "i", values.shape)
        for name, values in data.data_vars.items()
    )


def packed(data: xr.Dataset) -> xr.Dataset:
    """The arrays of `data` end to end, as the vectors `numbers` and `positions`."""
    vectors = {}
    for kind, (vector, dtype) in _KINDS.items():
        its = [
            data[name].to_numpy().ravel() for name, its_kind, _ in layout(data) if its_kind == kind
        ]
        vectors[vector] = ((f"{vector}_place",), np.concatenate([np.zeros(0), *its]).astype(dtype))
    return xr.Dataset(vectors)


def unpacked(vectors: Mapping[str, Variable], places: Layout) -> dict[str, Variable]:
    """Each array again, as a slice of its vector, under its own name."""
    begin = dict.fromkeys(_KINDS, 0)
    arrays: dict[str, Variable] = {}
    for name, kind, shape in places:
        end = begin[kind] + prod(shape)
        piece = vectors[_KINDS[kind][0]][begin[kind] : end]
        # A scalar is an element, not a slice of one.
        arrays[name] = piece.reshape(shape) if shape else piece[0]
        begin[kind] = end
    return arrays
