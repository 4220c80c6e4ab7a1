"""Freed arrays are there for the next ones: no page of them is asked of the system twice."""

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="another C library than glibc"
)

# Blocks that the C library has from the system for one array each (mallinfo's hblks).
_THREADS = """
import ctypes
import numpy as np
from socgrad.processors import by_threads
class Info(ctypes.Structure):
    _fields_ = [(f"number_{k}", ctypes.c_int) for k in range(10)]
mallinfo = ctypes.CDLL(None).mallinfo
mallinfo.restype = Info
held = []
def own_blocks():
    before = mallinfo().number_3
    held.append(np.ones(1_000_000))  # to free it would teach the library its size
    return mallinfo().number_3 - before
outside = own_blocks()
by_threads(lambda item: item, range(2))
print(outside, own_blocks())
"""
_DASK = """
import resource
import numpy as np
from socgrad.freed_memory import freed_memory_kept
def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(200):
        np.ones(100_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
outside = pages()
with freed_memory_kept():
    within = pages()
print(outside, within, pages())
"""


def _printed(script: str, **settings: str) -> list[int]:
    # A process of its own: what others have freed in this one is there for the arrays.
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    numbers = [int(each) for each in run.stdout.split()]
    if numbers[0] == 0:
        pytest.skip("pandas below 3 keeps freed memory in every process: there is nothing to mend")
    return numbers


def test_threads_keep_what_they_free():
    """An array of 8 MB is the system's, which has it back when freed; not where threads work."""
    assert _printed(_THREADS) == [1, 0]


def test_freed_memory_is_kept_where_dask_gives_it_back():
    """Arrays take new pages of the system outside, as a worker of Dask does, and not within."""
    outside, within, again = _printed(_DASK, MALLOC_TRIM_THRESHOLD_="65536")
    assert min(outside, again) > 10 * within
