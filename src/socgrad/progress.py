"""How far a long computation is, in plain lines: for logs, notebooks and terminals alike.

A computation says what it is at (`stage`), stages lie within one another, and the outermost one
writes the lines. Nothing is written in the first seconds, so that short fits stay silent.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

__all__ = ["duration", "in_notebook", "stage"]

_FIRST: Final = 10.0  # seconds until the first line
_EVERY: Final = 30.0  # seconds from one line to the next

#: What each of the stages that lie within one another says, outermost first; None without lines.
_STAGES: ContextVar[list[Callable[[], str]] | None] = ContextVar("stages", default=None)


@contextmanager
def stage(words: str | Callable[[], str], *, lines: bool = True) -> Iterator[None]:
    """Say what goes on within, in a line on standard error from time to time.

    Parameters
    ----------
    words
        What goes on, or what gives these words when a line is due. Without words there is no line:
        a progress bar of its own speaks.
    lines
        Of the outermost stage alone: whether there are to be lines.
    """
    say = words if callable(words) else lambda: words
    stages = _STAGES.get()
    if stages is not None:
        stages.append(say)
        try:
            yield
        finally:
            stages.pop()
        return
    stages = [say]
    token = _STAGES.set(stages)
    ended = threading.Event()
    arguments = (stages, ended, threading.get_ident())
    writer = threading.Thread(target=_write, args=arguments, daemon=True)
    if lines:
        writer.start()
    try:
        yield
    finally:
        ended.set()
        if lines:
            # A line that is being written is written before what comes next.
            writer.join()
        _STAGES.reset(token)


def _write(stages: list[Callable[[], str]], ended: threading.Event, thread: int) -> None:
    """Write a line when one is due, until the stage of a thread has ended."""
    began = time.monotonic()
    wait = _FIRST
    while not ended.wait(wait):
        words = [say() for say in tuple(stages)]
        if all(words) and not ended.is_set():
            elapsed = duration(time.monotonic() - began)
            if not any("compiling" in one for one in words):
                words += _compiling(thread)
            print(f"socgrad, after {elapsed}: {'; '.join(words)}", file=sys.stderr, flush=True)
        wait = _EVERY


def _compiling(thread: int) -> list[str]:
    """Whether a thread is compiling: who waits for a first fit is to know that others are quick.

    What PyMC compiles, of which nothing is kept on disk, has a stage of its own.
    """
    frame = sys._current_frames().get(thread)
    names = set()
    while frame is not None:
        names.add(str(frame.f_globals.get("__name__", "")))
        frame = frame.f_back
    compiles = any(name.startswith("numba.core.compiler") for name in names)
    for_pymc = any(name.startswith("pytensor") for name in names)
    return ["compiling, once on this machine"] if compiles and not for_pymc else []


def duration(seconds: float) -> str:
    """Give a time as people say it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def in_notebook() -> bool:
    """Whether a notebook shows what is displayed."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")
