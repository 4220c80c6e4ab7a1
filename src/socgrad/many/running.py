"""Running many fits: in turn, or on an executor that keeps as many under way as it can take."""

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field, replace
from typing import Final

import cloudpickle

from socgrad.errors import SpecificationError
from socgrad.many.keeping import ENDS_THE_PROCESS
from socgrad.many.records import FitRecord
from socgrad.many.work import FitEnding, FitTask, work

__all__ = ["check_executor", "check_travels", "in_turn", "on_executor"]

#: Bytes of tasks that wait or run at a time. Tasks with functions have some hundreds of bytes, so
#: that thousands wait; of models of England's size, with their tables, it is some 250.
_MOST_BYTES: Final = 512_000_000


def check_executor(executor: object) -> None:
    """Refuse what is no executor.

    Raises
    ------
    SpecificationError
        With what to ask of a Dask client, if it is one.
    """
    if executor is None or isinstance(executor, Executor):
        return
    words = f"executor is a {type(executor).__name__}; expected a concurrent.futures.Executor"
    if hasattr(executor, "get_executor"):
        raise SpecificationError(f"{words}. Of a Dask client it is client.get_executor().")
    raise SpecificationError(
        f"{words}, such as concurrent.futures.ProcessPoolExecutor(2), loky.get_reusable_executor() "
        "or client.get_executor() of Dask; or None, to fit in turn."
    )


def check_travels(tasks: Iterable[FitTask]) -> None:
    """Refuse a plan of which a fit cannot be sent to another process, before any is begun.

    Raises
    ------
    SpecificationError
        Which, and what of it stands in the way.
    """
    for task in tasks:
        try:
            cloudpickle.dumps(task)
        except Exception as error:
            raise SpecificationError(
                f"Fit {task.planned.key!r} cannot be sent to a worker ({error}). Models can; a "
                "function must not hold on to what belongs to one process, such as an open file, a "
                "database connection or a lock: open it within the function. Nothing was fitted."
            ) from error


def in_turn(tasks: Iterable[FitTask]) -> Generator[FitEnding]:
    """Fit one after another in this process; what other processes are at comes last."""
    held_elsewhere = []
    for task in tasks:
        outcome = work(task)
        if outcome.state == "elsewhere":
            held_elsewhere.append(task)
        else:
            yield outcome
    for task in held_elsewhere:
        yield work(replace(task, wait=True))


@dataclass(eq=False)
class _UnderWay:
    """Tasks that wait or run, and how many bytes they are."""

    tasks: dict[Future[FitEnding], tuple[FitTask, int]] = field(default_factory=dict)
    size: int = 0

    def add(self, future: Future[FitEnding], task: FitTask, size: int) -> None:
        self.tasks[future] = task, size
        self.size += size

    def finished(self) -> list[tuple[FitTask, Future[FitEnding]]]:
        """Wait until some have ended, and take these out."""
        ended, _ = wait_for(self.tasks, return_when=FIRST_COMPLETED)
        taken = []
        for future in ended:
            task, size = self.tasks.pop(future)
            self.size -= size
            taken.append((task, future))
        return taken


def on_executor(executor: Executor, tasks: Iterable[FitTask]) -> Generator[FitEnding]:
    """Fit on an executor, outcomes as they come; what other processes are at comes last.

    Whoever stops asking for outcomes calls off the fits that have not begun.
    """
    under_way = _UnderWay()
    held_elsewhere: list[FitTask] = []

    def outcomes() -> Iterator[FitEnding]:
        for task, future in under_way.finished():
            outcome = _outcome(task, future)
            if outcome.state == "elsewhere":
                held_elsewhere.append(task)
            else:
                yield outcome

    def submitted(each: Iterable[FitTask]) -> Iterator[FitEnding]:
        for task in each:
            content = cloudpickle.dumps(task)
            while under_way.tasks and under_way.size + len(content) > _MOST_BYTES:
                yield from outcomes()
            try:
                future = executor.submit(_unpacked, content)
            except Exception as error:  # the pool is broken, or was shut down
                yield _lost(task, error)
                continue
            under_way.add(future, task, len(content))
        while under_way.tasks:
            yield from outcomes()

    try:
        yield from submitted(tasks)
        yield from submitted(replace(task, wait=True) for task in held_elsewhere)
    finally:
        for future in under_way.tasks:
            future.cancel()


def _unpacked(content: bytes) -> FitEnding:
    """Do a task that was packed by value, so that functions of a notebook can be sent, too."""
    task: FitTask = cloudpickle.loads(content)
    return work(task)


def _outcome(task: FitTask, future: Future[FitEnding]) -> FitEnding:
    try:
        return future.result()
    except ENDS_THE_PROCESS:
        raise
    except BaseException as error:
        return _lost(task, error)


def _lost(task: FitTask, error: BaseException) -> FitEnding:
    words = f"{type(error).__name__}: {error} (what was to fit it did not come back)"
    planned = task.planned
    record = FitRecord(
        key=planned.key,
        state="failed",
        random_seed=task.random_seed,
        about=planned.about,
        error=words,
    )
    return FitEnding(record, "lost")
