"""Memory that a fit has freed: kept for its next arrays, also where Dask would hand it back.

Dask starts its workers with an environment in which the C library gives every freed array back to
the system. The next array of the same size is then put together anew, page by page: a fit, which
makes and frees many arrays of a megabyte, takes more than twice as long.
"""

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["freed_memory_kept"]

#: By which Dask asks for it; the C library reads it when a process starts.
_VARIABLE: Final = "MALLOC_TRIM_THRESHOLD_"
#: Numbers of the options in malloc.h, and what the C library comes to by itself as arrays are freed
#: (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD in bytes).
_TRIM, _MAP = -1, -3
_KEPT: Final = {_MAP: 2**25, _TRIM: 2**26}
_LEAST_MAPPED: Final = 2**17


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
