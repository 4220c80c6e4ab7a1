"""A checksum over all that a file holds, which finds damage.

It is written when a fit is saved, and held against what is read. Whoever changes a file on purpose
can write a checksum that fits: it says nothing of where a file comes from.
"""

import hashlib
import json
from typing import Any, Final

import numpy as np
import xarray as xr

from socgrad.errors import SchemaError

__all__ = ["check_checksum", "with_checksum"]

_NAME: Final = "socgrad_checksum"


def with_checksum(tree: xr.DataTree) -> xr.DataTree:
    """Give a tree, as it is to be stored, the checksum of its contents."""
    made = tree.copy()
    made.attrs = {**tree.attrs, _NAME: _checksum(tree)}
    return made


def check_checksum(tree: xr.DataTree) -> xr.DataTree:
    """Give a tree that was read without its checksum, if that is the one of its contents.

    Raises
    ------
    SchemaError
        If it has none, or that of other contents.
    """
    recorded = tree.attrs.get(_NAME)
    if recorded is None:
        raise SchemaError(
            "It has no checksum, which socgrad.save writes: it is damaged, or of another program. "
            "Expected a file that socgrad.save has written."
        )
    bare = tree.copy()
    bare.attrs = {name: value for name, value in tree.attrs.items() if name != _NAME}
    if _checksum(bare) != recorded:
        raise SchemaError(
            "Its contents do not have the checksum that was saved with them: they were damaged, or "
            "changed by other means than socgrad.save. Copy the file again from where it came from."
        )
    return bare


def _checksum(tree: xr.DataTree) -> str:
    """SHA-256 of names, dims, types, values and attributes."""
    digest = hashlib.sha256()

    def add(*words: Any) -> None:
        digest.update(json.dumps(words).encode() + b"\n")

    for node in sorted(tree.subtree, key=lambda each: each.path):
        data = node.to_dataset(inherit=False)
        add("group", node.path, _plain(data.attrs))
        for name in sorted(map(str, data.variables)):
            variable = data.variables[name]
            add("variable", name, name in data.coords, variable.dims, _plain(variable.attrs))
            values = variable.to_numpy()
            if values.dtype.kind in "OUT":
                add("texts", values.shape, [str(value) for value in values.ravel().tolist()])
            else:
                stored = values.astype(values.dtype.newbyteorder("<"))
                add("numbers", values.shape, stored.dtype.str)
                digest.update(np.ascontiguousarray(stored).tobytes())
    return f"sha256:{digest.hexdigest()}"


def _plain(attrs: dict[Any, Any]) -> list[Any]:
    """Attributes as a file gives them back: numbers of NumPy's, a single one without its array."""
    return [
        (str(name), [each if isinstance(each, int | float) else str(each) for each in values])
        for name, values in sorted(
            (str(name), np.asarray(value).ravel().tolist()) for name, value in attrs.items()
        )
    ]
