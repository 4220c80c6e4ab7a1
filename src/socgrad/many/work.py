"""What is done for one fit of many, in whatever process: make the model, fit, keep, and report.

What goes back is a record of words and numbers: fits stay in their files.
"""

import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from socgrad.errors import SocgradWarning, details_withheld, withhold_details
from socgrad.fitting import fit
from socgrad.freed_memory import freed_memory_kept
from socgrad.many.folder import FitFolder, one_at_a_time
from socgrad.many.keeping import ENDS_THE_PROCESS, failed, keep_fit
from socgrad.many.plan import PlannedFit
from socgrad.many.records import FitRecord
from socgrad.many.threads import limited_threads

__all__ = ["FitEnding", "FitTask", "work"]

type State = Literal["fitted", "kept", "failed", "elsewhere", "lost"]


@dataclass(frozen=True, eq=False)
class FitTask:
    """One fit to be made.

    Attributes
    ----------
    planned : PlannedFit
    folder : Path
        Absolute, since workers may stand elsewhere.
    random_seed : int
        Of this fit.
    threads : int or None
        That it may take; None for all processors.
    wait : bool
        Whether to wait where another process is at the same fit.
    withhold : bool
        Whether messages go without values and labels of the data.
    run : str
        Of the run that asks: some executors give the result of an equal task again, without a look
        at the folder.
    """

    planned: PlannedFit
    folder: Path
    random_seed: int
    threads: int | None
    wait: bool
    withhold: bool
    run: str


@dataclass(frozen=True, eq=False)
class FitEnding:
    """What became of a fit.

    Attributes
    ----------
    record : FitRecord
    state : {"fitted", "kept", "failed", "elsewhere", "lost"}
        "kept" is one that was there, "elsewhere" one that another process is at; "lost" one that
        did not come back, as where its process was killed.
    """

    record: FitRecord
    state: State


def work(task: FitTask) -> FitEnding:
    """Make one fit, or keep the one that is there. No error of a fit leaves this.

    Threads of one process take turns: limits of threads, what becomes of freed memory and filters
    of warnings are the process's.
    """
    with one_at_a_time:
        return _worked(task)


def _worked(task: FitTask) -> FitEnding:
    planned = task.planned
    asked = FitRecord(
        key=planned.key, state="failed", random_seed=task.random_seed, about=planned.about
    )
    before = details_withheld()
    withhold_details(task.withhold)
    try:
        with limited_threads(task.threads), freed_memory_kept(), warnings.catch_warnings():
            # They are in the record, and would be lost in a worker.
            warnings.simplefilter("ignore", SocgradWarning)
            return _made(task, asked)
    except ENDS_THE_PROCESS:
        raise
    except BaseException as error:
        return FitEnding(failed(asked, error), "failed")
    finally:
        withhold_details(before)


def _made(task: FitTask, asked: FitRecord) -> FitEnding:
    folder = FitFolder(task.folder, create=False)
    options = task.planned.options
    began = time.perf_counter()
    try:
        model = task.planned.model()
    except ENDS_THE_PROCESS:
        raise
    except BaseException as error:
        # A table that cannot be read now says nothing against the fit that there may be.
        if folder.record(asked.key) is None:
            folder.note(failed(asked, error))
        raise
    asked = replace(asked, seconds={"model": round(time.perf_counter() - began, 4)})
    done = keep_fit(
        folder,
        asked,
        model,
        options,
        lambda: fit(
            model,
            method=options.method,
            draws=options.draws,
            tune=options.tune,
            chains=options.chains,
            cores=options.cores,
            target_accept=options.target_accept,
            random_seed=task.random_seed,
            progress=False,
        ),
        wait=task.wait,
    )
    if done is None:
        return FitEnding(asked, "elsewhere")
    record, made = done
    return FitEnding(record, "fitted" if made else "kept")
