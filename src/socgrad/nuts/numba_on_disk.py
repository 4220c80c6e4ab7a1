"""numba, and functions that it keeps on disk for the next process.

What is on disk may be damaged, half written by a process that was killed, or in a place that is
full. Then functions are compiled anew, and a warning says so: no fit hangs on a file that only
saves time.
"""

import contextlib
import hashlib
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numba as _numba
from numba.core import sigutils
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.ccallback import CFunc

from socgrad.errors import SocgradWarning

__all__ = ["compiled", "for_c", "kept", "numbers_at", "on_disk", "source_number"]

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


def for_c(kind: str, *modules: ModuleType) -> Callable[[Callable[..., int]], Any]:
    """Compile a function for callers in C, or take it from disk.

    `modules` are those whose functions it calls: what is on disk is of their source, too.
    """
    signature = sigutils.normalize_signature(_SIGNATURES[kind])

    def compile_it(function: Callable[..., int]) -> Any:
        made = kept(CFunc(function, signature, locals={}, options={}), *modules)
        made.compile()
        return made

    return compile_it


def on_disk(*modules: ModuleType) -> Callable[[Callable[..., Any]], Any]:
    """Compile, or take from disk, a function that lets go of the interpreter.

    `modules` are those whose functions it calls: what is on disk is of their source, too.
    """

    def compile_it(function: Callable[..., Any]) -> Any:
        return kept(numba.njit(error_model="numpy", nogil=True)(function), *modules)

    return compile_it


def source_number(*modules: ModuleType) -> int:
    """A positive number that changes with the source of modules."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update(Path(str(module.__file__)).read_bytes())
    return int.from_bytes(digest.digest()[:7], "big") + 1


def kept(made: Any, *modules: ModuleType) -> Any:
    """Keep on disk what a function of numba compiles to, where that can be written and read.

    Parameters
    ----------
    made
        From `numba.njit` without ``cache=True``, or a function for C that is not compiled yet.
    *modules
        Those whose functions it calls. numba itself takes a function from disk when its own file
        is as it was, whatever has become of those.

    Warns
    -----
    SocgradWarning
        When it is compiled: if what is on disk cannot be read, or nothing can be written there.
    """
    # Neither the package's folder nor the user's cache may be ours to write.
    with contextlib.suppress(RuntimeError):
        made._cache = _Kept(made.__wrapped__, source_number(*modules))
    return made


class _CheckedFiles(IndexDataCacheFile):
    """Files of compiled code, each ending in a hash: damaged code would end the process."""

    def _save_data(self, name: str, data: Any) -> None:
        content = self._dump(data)
        with self._open_for_write(self._data_path(name)) as file:
            file.write(content + hashlib.sha256(content).digest())

    def _load_data(self, name: str) -> Any:
        whole = Path(self._data_path(name)).read_bytes()
        content, digest = whole[:-32], whole[-32:]
        if hashlib.sha256(content).digest() != digest:
            raise EOFError(f"{name} is not as it was written")
        return pickle.loads(content)  # as numba reads its own


class _Kept(FunctionCache):
    """Compiled functions on disk, or none where the disk fails."""

    def __init__(self, function: Callable[..., Any], source: int) -> None:
        super().__init__(function)
        self._cache_file = _CheckedFiles(
            cache_path=self._cache_path,
            filename_base=f"{self._impl.filename_base}.checked",
            source_stamp=(self._impl.locator.get_source_stamp(), source),
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:
            self._say(
                error,
                "Compiled code of socgrad that is kept on disk cannot be read",
                "It is compiled anew, which takes some seconds, and written again",
            )
        try:
            self.flush()
        except OSError:
            self.disable()
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except Exception as error:
            self._say(
                error,
                "Compiled code of socgrad cannot be kept on disk",
                "Every process compiles it anew, which takes some seconds, until it can",
            )

    def _say(self, error: Exception, what: str, then: str) -> None:
        warnings.warn(
            f"{what} ({type(error).__name__}: {error}; in {self.cache_path}). {then}. Results are "
            "the same. numba keeps it in the folder that NUMBA_CACHE_DIR names, if it does.",
            SocgradWarning,
            stacklevel=3,
        )
