"""Work on many points: in blocks of about one size, on as many threads as there are processors."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from socgrad.processors import processors

__all__ = ["blocks", "by_blocks"]

# Numbers in one block of working memory. In smaller ones threads wait for the interpreter.
_BLOCK = 240_000
# More threads than this wait for the interpreter.
_THREADS = 4


def blocks(points: int, per_point: int) -> list[slice]:
    """Slices of points whose working arrays are of about one size."""
    size = max(1, _BLOCK // per_point)
    return [slice(first, min(first + size, points)) for first in range(0, points, size)]


def by_blocks[Block](work: Callable[[Block], None], each: Sequence[Block]) -> None:
    """Do independent pieces of work on as many threads as there are processors.

    NumPy lets go of the interpreter while it computes. What is computed does not depend on the
    number of threads.
    """
    threads = min(processors(), _THREADS, len(each))
    if threads < 2:
        for block in each:
            work(block)
        return
    with ThreadPoolExecutor(threads) as pool:
        # Reading the results raises what a piece of work raised.
        list(pool.map(work, each))
