"""Threads: as many as a process has processors of its own, or fewer.

A scheduler gives a process some of a machine's processors (its affinity), and several fits at a
time share what there is. Whatever starts threads asks here.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from socgrad.freed_memory import keep_freed_memory

__all__ = ["by_threads", "limited_to", "processors"]

# More threads than this wait for the interpreter.
_THREADS = 4

_most: int | None = None


def processors() -> int:
    """Threads that may run at a time in this process, at least 1."""
    has_affinity = hasattr(os, "sched_getaffinity")
    own = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    return own if _most is None else min(own, _most)


@contextmanager
def limited_to(threads: int | None) -> Iterator[None]:
    """Let what runs within take this many threads at most; None, or more, leaves what there is.

    The limit is the process's, because engines ask from threads of their own.
    """
    global _most  # noqa: PLW0603 one limit for the process
    before = _most
    if threads is not None:
        _most = threads if before is None else min(before, threads)
    try:
        yield
    finally:
        _most = before


def by_threads[Item, Result](work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Results of independent pieces of work, in order, on as many threads as there are processors.

    NumPy and compiled functions let go of the interpreter while they compute. What is computed does
    not depend on the number of threads.
    """
    keep_freed_memory()
    threads = min(processors(), _THREADS, len(items))
    if threads < 2:
        return [work(each) for each in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))
