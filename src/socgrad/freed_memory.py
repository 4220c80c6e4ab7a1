"""Memory that arrays have freed: kept for the next ones.

The C library hands a freed array back to the system, and the next of the same size is put together
anew, page by page, unless the process has freed larger ones: it then takes it that more will come.
Threads that make and free arrays of a megabyte wait for one another's pages, and two take as long
as one. Where a worker of Dask starts, the environment says that it shall learn nothing, and a fit
takes twice as long.
"""

import ctypes
import functools
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np

__all__ = ["freed_memory_kept", "keep_freed_memory"]

#: By which Dask asks for it; the C library reads it when a process starts.
_VARIABLE: Final = "MALLOC_TRIM_THRESHOLD_"
#: Numbers of the options in malloc.h, and the most that the C library comes to by itself as arrays
#: are freed (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD in bytes).
_TRIM, _MAP = -1, -3
_KEPT: Final = {_MAP: 2**25, _TRIM: 2**26}
_LEAST_MAPPED: Final = 2**17


@functools.cache
def keep_freed_memory() -> None:
    """Keep what this process frees from now on, arrays of megabytes too, where it may be kept.

    An array of a size that the C library learns from (less than `_KEPT`) is made and freed.
    """
    np.empty(_KEPT[_MAP] // 2, np.uint8)


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Keep what is freed within; afterwards the process does again as it was started to do."""
    asked = os.environ.get(_VARIABLE, "")
    if not asked.isdigit() or platform.libc_ver()[0] != "glibc":
        yield
        return
    _set(_KEPT)
    try:
        yield
    finally:
        _set({_MAP: _LEAST_MAPPED, _TRIM: int(asked)})


def _set(options: dict[int, int]) -> None:
    library = ctypes.CDLL(None)
    for option, size in options.items():
        library.mallopt(option, size)
