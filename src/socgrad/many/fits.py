"""Many fits from one plan, each in a file of its own."""

import os
import secrets
import sys
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import pandas as pd

from socgrad.errors import (
    ConvergenceWarning,
    SocgradWarning,
    SpecificationError,
    details_withheld,
)
from socgrad.fit_options import check_seed
from socgrad.many.folder import FitFolder
from socgrad.many.plan import Makes, Options, Plan, planned_fits, seed_of
from socgrad.many.running import check_executor, check_travels, in_turn, on_executor
from socgrad.many.work import FitEnding, FitTask
from socgrad.progress import stage

__all__ = ["fit_many"]

_PACKAGE: Final = (str(Path(__file__).parents[1]),)


def fit_many(
    plan: Plan,
    *,
    into: str | os.PathLike[str],
    model_of: Makes | None = None,
    executor: Executor | None = None,
    random_seed: int | None = None,
    options: Options | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Fit many models and keep each in a file of its own; again, to go on where a run ended.

    Parameters
    ----------
    plan : mapping or pandas.DataFrame
        A mapping from a name to a model, or to a function without arguments that makes one
        (`functools.partial`). Or a table, one row per fit, its names as the index: with a column
        `model` of models or functions, or with `model_of`. Columns named as options of
        `socgrad.fit` (`method`, `draws` ...) are those of the row, where not blank; the others say
        what the fit is of, and stand in the tables of results. Names are text; capitals do not tell
        two apart.
    into : path
        The folder, made if it is not there, for its owner alone (mode 700). Each fit is a file
        named by its name (%XX for what file names may not hold), with a record beside it.
    model_of : callable, optional
        Makes the model of a row from its columns, by name, options left out. It runs in the worker,
        which then reads the tables: so plans of thousands of fits stay small.
    executor : concurrent.futures.Executor, optional
        Where to fit: `ProcessPoolExecutor(2)`, `loky.get_reusable_executor()`,
        `client.get_executor()` of Dask, `MPIPoolExecutor` of mpi4py. By default one fit after
        another, here. It is yours to shut down. Threads of one process take turns, so that a pool
        of threads gains nothing: give Dask processes of one thread.
    random_seed : int, optional
        At least 0; each fit has a seed spawned from it by its name, whatever the executor, the
        order and the other fits. By default the folder has one, drawn when it is made.
    options : mapping, optional
        Options of `socgrad.fit` for all fits of the plan, other than the seed and `progress`.
    threads : int, optional
        Threads that a fit may take: by default 1 with an executor, all processors without.
    progress : bool, optional
        Whether to say how far it is: by a bar where standard error is a terminal, in plain lines
        elsewhere, in notebooks and logs too. False says nothing.

    Returns
    -------
    pandas.DataFrame
        One row per fit, indexed `fit`: the plan's columns; `state` ("fitted"; "kept", from an
        earlier run; "failed"; "lost", with the process that was to fit it); `doubted`, whether it
        or `check_sampling` doubts the draws, and `doubt`, why; `error`; `sampler`; `seconds` (of
        the fit, without reading, checking and saving); `peak_mb`, the largest memory of its process
        until then; `random_seed`; `file`.

    Raises
    ------
    SpecificationError
        Before anything is fitted: if the plan, a name, an option or the executor will not do, or a
        fit cannot be sent to another process.
    StorageError, FileNotFoundError, NotADirectoryError
        If the folder cannot be made or written to, or belongs to another.
    KeyboardInterrupt
        If you stop it: finished fits are in the folder.

    Warns
    -----
    SocgradWarning
        If fits have no result, or are doubted (a `ConvergenceWarning`): how many, and the first.

    Notes
    -----
    A fit that is there is kept if its fingerprint is that of its data, model, options, seed and
    version of socgrad, and its file is byte for byte as it was recorded; otherwise, as one that
    failed, it is made anew. The fingerprint is an HMAC with a secret of the folder, which its owner
    alone may read: a plain hash of small counts can be guessed. Files are written whole or not at
    all, so that whatever is killed, at any time, loses the fits under way and no other; a second
    run on the same folder, at the same time, takes what the first is not at. Memory does not grow
    with the number of fits: what comes back from a worker is a record of some hundred bytes.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import socgrad as sg
    >>> frame = sg.simulate(authorities=8, areas=200, random_seed=1).frame
    >>> def model_of(outcome):
    ...     areas = sg.Areas.from_frame(frame, area="area", authority="authority", events=outcome,
    ...                                 children="children", deprivation="deprivation",
    ...                                 complete=True)
    ...     return sg.GradientModel(areas)
    >>> plan = pd.DataFrame({"outcome": ["referral", "section_47"]}, index=["first", "second"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = sg.many.fit_many(plan, model_of=model_of, into=folder, random_seed=1)
    ...     again = sg.many.fit_many(plan, model_of=model_of, into=folder, random_seed=1)
    ...     table = sg.many.summarise_many(folder, sg.gradient)
    >>> first["state"].tolist(), again["state"].tolist()
    (['fitted', 'fitted'], ['kept', 'kept'])
    >>> table.loc["first", "outcome"].item()
    'referral'
    """
    check_executor(executor)
    check_seed(random_seed)
    if threads is not None and (isinstance(threads, bool) or threads < 1):
        raise SpecificationError(f"threads must be a whole number of at least 1; got {threads!r}.")
    planned = planned_fits(plan, model_of, options)
    folder = FitFolder(into, create=True)
    seed = folder.default_seed() if random_seed is None else random_seed
    run = secrets.token_hex(8)
    each = 1 if threads is None and executor is not None else threads

    def tasks() -> Iterator[FitTask]:
        for one in planned:
            yield FitTask(
                planned=one,
                folder=folder.path.resolve(),
                random_seed=seed_of(seed, one.key),
                threads=each,
                wait=False,
                withhold=details_withheld(),
                run=run,
            )

    if executor is not None:
        check_travels(tasks())
    found: dict[str, FitEnding] = {}
    outcomes = in_turn(tasks()) if executor is None else on_executor(executor, tasks())
    with _shown(found, len(planned), progress) as advance:
        try:
            for outcome in outcomes:
                found[outcome.record.key] = outcome
                advance()
        finally:
            outcomes.close()
    table = _table([found[one.key] for one in planned], folder)
    _warn(table)
    return table


def _table(outcomes: list[FitEnding], folder: FitFolder) -> pd.DataFrame:
    rows = []
    for outcome in outcomes:
        record = outcome.record
        has_fit = outcome.state in ("fitted", "kept")
        rows.append(
            {
                "fit": record.key,
                **record.about,
                "state": outcome.state,
                "doubted": bool(record.doubt),
                "doubt": record.doubt,
                "error": record.error,
                "sampler": record.sampler,
                "seconds": record.seconds.get("fit"),
                "peak_mb": record.peak_mb,
                "random_seed": record.random_seed,
                "file": str(folder.file(record.key)) if has_fit else "",
            }
        )
    return pd.DataFrame(rows).set_index("fit")


def _warn(table: pd.DataFrame) -> None:
    def say(rows: pd.DataFrame, what: str, column: str, then: str, kind: type[Warning]) -> None:
        if len(rows):
            first = f"{rows.index[0]!r}: {rows[column].iloc[0]}"
            words = f"{len(rows)} of {len(table)} fits {what} (first {first}). {then}"
            warnings.warn(words, kind, skip_file_prefixes=_PACKAGE)

    without = table[table["file"] == ""]
    say(without, "have no result", "error", "Run again to try these once more.", SocgradWarning)
    then = "Do not report them before you know why."
    say(table[table["doubted"]], "are doubted", "doubt", then, ConvergenceWarning)


@contextmanager
def _shown(found: Mapping[str, FitEnding], number: int, progress: bool | None) -> Iterator[Any]:
    """Say how far it is, by a bar or in lines; gives what is to be called after each fit."""
    # In a notebook a bar of rich needs widgets, and leaves a warning at each step without them.
    has_bar = progress is not False and sys.stderr.isatty()

    def words() -> str:
        failed = sum(outcome.state in ("failed", "lost") for outcome in found.values())
        return f"{len(found)} of {number} fits" + (f", {failed} without result" if failed else "")

    bar = _bar(number) if has_bar else nullcontext(_nothing)
    with stage("" if has_bar else words, lines=progress is not False), bar as advance:
        yield advance


def _bar(number: int) -> AbstractContextManager[Any]:
    from rich.console import Console  # noqa: PLC0415 only where there is a bar
    from rich.progress import (  # noqa: PLC0415 as above
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TimeRemainingColumn,
    )

    @contextmanager
    def shown() -> Iterator[Any]:
        columns = ("fits", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("fits", total=number)
            yield lambda: bar.advance(task)

    return shown()


def _nothing() -> None:
    """Show nothing."""
