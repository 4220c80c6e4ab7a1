"""Many arrays as two vectors, and back."""

import numpy as np
import xarray as xr

from socgrad.nuts.packing import layout, packed, unpacked


def test_every_array_comes_back_under_its_name():
    """Numbers and positions of any shape, scalars too, are slices of the two vectors."""
    data = xr.Dataset(
        {
            "one": (("a",), np.array([1.0, 2.0])),
            "of": (("a",), np.array([7, 9])),
            "number": ((), 3.5),
            "table": (("a", "b"), np.arange(6.0).reshape(2, 3)),
        }
    )
    vectors = packed(data)
    np.testing.assert_array_equal(vectors["numbers"], [1, 2, 3.5, 0, 1, 2, 3, 4, 5])
    np.testing.assert_array_equal(vectors["positions"], [7, 9])
    again = unpacked({name: vectors[name].to_numpy() for name in vectors}, layout(data))
    assert list(again) == list(data)
    for name, values in data.items():
        np.testing.assert_array_equal(again[name], values, err_msg=name)


def test_without_positions_their_vector_is_empty():
    """A kind of array that there is none of leaves an empty vector, not an error."""
    vectors = packed(xr.Dataset({"one": (("a",), np.ones(2))}))
    assert vectors["positions"].size == 0


def test_layouts_differ_where_lengths_do():
    """Two tables share a layout only if every array has the same shape."""
    one, two = (xr.Dataset({"one": (("a",), np.ones(n))}) for n in (2, 3))
    assert layout(one) != layout(two)
    assert layout(one) == layout(2.0 * one)
