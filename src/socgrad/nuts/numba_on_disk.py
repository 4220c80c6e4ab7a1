"""numba, and functions for callers in C that it keeps on disk for the next process."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numba as _numba

__all__ = ["compiled", "for_c", "kept", "numbers_at", "source_number"]

#: Half typed: what numba compiles carries no useful static types.
numba: Any = _numba

_POINTER = numba.types.CPointer(numba.types.float64)
_SIZE, _DATA = numba.types.uint64, numba.types.voidptr

# What nutpie calls: a density (size, point, gradient, value, data), and what makes draws of a point
# (size, number of draws, point, draws, data).
_SIGNATURES: Final = {
    "density": numba.types.int64(_SIZE, _POINTER, _POINTER, _POINTER, _DATA),
    "draws": numba.types.int64(_SIZE, _SIZE, _POINTER, _POINTER, _DATA),
}

#: The array of given shape at a pointer.
numbers_at: Any = numba.carray


def compiled[Function: Callable[..., Any]](function: Function) -> Function:
    """Compile a function when it is first called."""
    made: Function = numba.njit(error_model="numpy")(function)
    return made


def for_c(kind: str) -> Callable[[Callable[..., int]], Any]:
    """Compile a function for callers in C, or take it from disk.

    numba takes a function from disk when its own file is as it was, whatever has become of those it
    calls. Let it refer to the `source_number` of their modules from the function around it: numba
    tells functions apart by that, too.
    """
    signature = _SIGNATURES[kind]
    return lambda function: kept(
        numba.cfunc(signature, cache=True), numba.cfunc(signature), function
    )


def source_number(*modules: ModuleType) -> int:
    """A positive number that changes with the source of modules."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update(Path(str(module.__file__)).read_bytes())
    return int.from_bytes(digest.digest()[:7], "big") + 1


def kept(keeping: Any, forgetting: Any, function: Any) -> Any:
    """Compile with the first of two decorators, or the second where no disk can be written."""
    try:
        return keeping(function)
    except RuntimeError:
        # Neither the package's folder nor the user's cache is ours to write.
        return forgetting(function)
