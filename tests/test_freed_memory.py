"""Freed arrays are there for the next ones: no page of them is asked of the system twice."""

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="another C library than glibc"
)

_PAGES = """
import resource
import numpy as np
from socgrad.processors import by_threads
from socgrad.freed_memory import freed_memory_kept
def work(_):
    for _ in range(100):
        [np.ones(100_000) for _ in range(4)]
def pages(threads):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    threads(work, range(2))
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
def in_turn(work, items):
    return [work(each) for each in items]
"""
# What two threads do without socgrad, and with it.
_THREADS = f"""{_PAGES}
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(2) as pool:
    outside = pages(lambda work, items: list(pool.map(work, items)))
print(outside, pages(by_threads))
"""
_DASK = f"""{_PAGES}
outside = pages(in_turn)
with freed_memory_kept():
    within = pages(in_turn)
print(outside, within, pages(in_turn))
"""


def _counted(script: str, **settings: str) -> list[int]:
    # A process of its own: what others have freed in this one is there for the arrays.
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    pages = [int(each) for each in run.stdout.split()]
    if pages[0] < 10_000:
        pytest.skip("pandas below 3 keeps freed memory in every process: there is nothing to mend")
    return pages


def test_threads_keep_what_they_free():
    """Work by threads takes new pages for its first arrays alone."""
    outside, within = _counted(_THREADS)
    assert outside > 10 * within


def test_freed_memory_is_kept_where_dask_gives_it_back():
    """Arrays take new pages of the system outside, as a worker of Dask does, and not within."""
    outside, within, again = _counted(_DASK, MALLOC_TRIM_THRESHOLD_="65536")
    assert min(outside, again) > 10 * within
