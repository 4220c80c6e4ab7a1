"""Threads of a fit among others: as many as it is to have, whichever library starts them."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from threadpoolctl import threadpool_limits

from socgrad.processors import limited_to

__all__ = ["limited_threads"]

#: Read by libraries when they are loaded, which may be in the middle of a fit.
_VARIABLES: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@contextmanager
def limited_threads(threads: int | None) -> Iterator[None]:
    """Run what is within on a number of threads; None takes all processors that there are.

    BLAS and OpenMP have one thread in either case: the models here multiply no large matrices, and
    the order in which threads add up changes the last digits of draws.
    """
    before = {name: os.environ.get(name) for name in _VARIABLES}
    os.environ.update(dict.fromkeys(_VARIABLES, "1"))
    if threads is not None:
        _limit_numba(threads)
    try:
        with threadpool_limits(1), limited_to(threads):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _limit_numba(threads: int) -> None:
    """Limit numba's threads for good: it refuses another number once they run."""
    numba = sys.modules.get("numba")
    if numba is None:
        os.environ.setdefault("NUMBA_NUM_THREADS", str(threads))
    else:
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
