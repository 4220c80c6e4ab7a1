"""One fit in a folder: kept where it is there, made where it is not."""

import json
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import xarray as xr

from socgrad import errors
from socgrad.errors import ConvergenceWarning, SocgradWarning, StorageError
from socgrad.fit_options import FitOptions
from socgrad.many.fingerprints import Model, fingerprint
from socgrad.many.folder import FitFolder
from socgrad.many.records import FitRecord
from socgrad.peak_memory import peak_memory
from socgrad.tables.diagnostics import check_sampling

__all__ = ["ENDS_THE_PROCESS", "failed", "keep_fit"]

_PACKAGE: Final = (str(Path(__file__).parents[1]),)
#: What is no failure of a fit: whoever runs it wants it to end. A panic of the sampler is neither
#: an `Exception` nor one of these.
ENDS_THE_PROCESS: Final = (KeyboardInterrupt, SystemExit, GeneratorExit)


def keep_fit(
    folder: FitFolder,
    asked: FitRecord,
    model: Model,
    options: FitOptions,
    fit: Callable[[], xr.DataTree],
    *,
    wait: bool = True,
) -> tuple[FitRecord, bool] | None:
    """Fit and keep, unless the folder holds this very fit, whole.

    Parameters
    ----------
    folder : FitFolder
    asked : FitRecord
        Key, seed and what the plan says of the fit.
    model, options
        What is fitted: with the seed they make the fingerprint.
    fit : callable
        Fits the model.
    wait : bool
        Whether to wait where another process is at the same fit.

    Returns
    -------
    tuple of FitRecord and bool, or None
        What is recorded, and whether it was fitted now; None where another process is at it.

    Raises
    ------
    Exception
        What the fit raised, after it was recorded.

    Warns
    -----
    SocgradWarning
        What the fit warned of when it was made, whether that is now or was earlier.
    """
    with folder.claimed(asked.key, wait=wait) as ours:
        if not ours:
            return None
        asked = replace(
            asked, fingerprint=fingerprint(folder.secret, model, options, asked.random_seed)
        )
        known = folder.record(asked.key)
        made = known is None or known.fingerprint != asked.fingerprint or not folder.holds(known)
        if known is None or made:
            try:
                known = _fitted(folder, asked, fit)
            except ENDS_THE_PROCESS:
                raise
            except BaseException as error:
                with suppress(StorageError):  # the error itself says more
                    folder.note(failed(asked, error))
                raise
        elif known.about != asked.about:
            known = replace(known, about=asked.about)
            folder.note(known)
    for category, words in known.warnings:
        warnings.warn(words, getattr(errors, category, SocgradWarning), skip_file_prefixes=_PACKAGE)
    return known, made


def failed(asked: FitRecord, error: BaseException) -> FitRecord:
    """The record of a fit that failed: the error in words, and the lines that it came from."""
    words = "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
    # Lines of code alone: values of data would be in the message, and the words have that.
    lines = "".join(traceback.format_tb(error.__traceback__))
    return replace(asked, state="failed", error=words, traceback=lines, peak_mb=_peak_mb())


def _fitted(folder: FitFolder, asked: FitRecord, fit: Callable[[], xr.DataTree]) -> FitRecord:
    seconds = dict(asked.seconds)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SocgradWarning)
        with _timed(seconds, "fit"):
            tree = fit()
    said = [
        (one.category.__name__, str(one.message))
        for one in caught
        if issubclass(one.category, SocgradWarning)
    ]
    for one in caught:
        if not issubclass(one.category, SocgradWarning):
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    with _timed(seconds, "check"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check = check_sampling(tree)
    doubts = [words for category, words in said if category == ConvergenceWarning.__name__]
    if not check.converged:
        doubts.append(check.statement)
    with _timed(seconds, "save"):
        contents = folder.save(asked.key, tree)
    record = replace(
        asked,
        state="fitted",
        contents=contents,
        sampler=_sampler(tree),
        warnings=said,
        doubt=" ".join(doubts),
        seconds=seconds,
        peak_mb=_peak_mb(),
    )
    folder.note(record)
    return record


def _sampler(tree: xr.DataTree) -> str:
    """Name of the sampler, or of those of the strata where they differ."""
    held = json.loads(tree.attrs["sampler"])
    each = [held] if "name" in held else [json.loads(one) for one in held.values()]
    return "; ".join(sorted({str(one["name"]) for one in each}))


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - began, 4)


def _peak_mb() -> float | None:
    most = peak_memory()
    return None if most is None else round(most, 1)
