"""Fits of a folder, read one at a time, and one table of them all."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

import pandas as pd
import xarray as xr

from socgrad.errors import EstimandError, SchemaError, SocgradError, SpecificationError
from socgrad.gathered_warnings import GatheredWarnings
from socgrad.many.folder import FitFolder
from socgrad.many.records import FitRecord
from socgrad.progress import stage
from socgrad.tables.summaries import summarise

__all__ = ["Estimand", "read_many", "summarise_many"]

type Estimand = Callable[[xr.DataTree], xr.DataArray | xr.Dataset]

_INDEX: Final = ("fit", "estimand", "at")
_ADDED: Final = ("doubted", "error")
_LAST: Final = ("units", "reference")


def read_many(
    folder: str | os.PathLike[str], *, keys: Sequence[str] | None = None
) -> Iterator[tuple[str, xr.DataTree]]:
    """Read the fits of a folder one after another.

    Parameters
    ----------
    folder : path
        That `fit_many` has filled.
    keys : sequence of str, optional
        Which, in this order; by default all that are there, in alphabetical order. Fits that failed
        are left out.

    Yields
    ------
    tuple of str and xarray.DataTree
        Name and fit. Let go of one before you ask for the next, and memory holds one.

    Raises
    ------
    FileNotFoundError
        If it is no folder of fits.
    SchemaError
        If a file is not as it was recorded, with its name: run `fit_many` again.
    SpecificationError
        If there is no fit of one of the keys.

    Examples
    --------
    See `socgrad.many.fit_many`; a loop over all fits is

    >>> def largest(folder):
    ...     for name, fit in read_many(folder):
    ...         print(name, fit["posterior"]["within"].max().item())
    """
    opened = FitFolder(folder, create=False)
    for key in opened.keys() if keys is None else list(keys):
        record = opened.record(key)
        if record is None or record.state != "fitted":
            if keys is None:
                continue
            raise SpecificationError(f"There is no fit {key!r} in {opened.path}.")
        yield key, _read(opened, record)


def summarise_many(
    folder: str | os.PathLike[str],
    *estimands: Estimand,
    prob: float = 0.95,
    keys: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Summarise the same estimands of every fit of a folder in one tidy table.

    Parameters
    ----------
    folder : path
        That `fit_many` has filled.
    *estimands : callable
        Functions that take a fit and return draws: `socgrad.gradient`, or
        ``functools.partial(socgrad.inverse_intervention, deprivation=0.2)``.
    prob : float
        Probability of the intervals, within 0-1, ends excluded.
    keys : sequence of str, optional
        Which fits, in this order; by default all of the folder's records, in alphabetical order.

    Returns
    -------
    pandas.DataFrame
        The rows of `socgrad.summarise` for each fit, indexed by `fit`, `estimand` and `at`, with
        its columns and those of the plan (called `plan_...` where both have one of a name), and

        * `doubted`: whether its draws are doubted, as `fit_many` found;
        * `error`: why a row has no numbers, empty where it has: the fit failed, is not there or is
          damaged, or the estimand is not defined for it.

    Raises
    ------
    FileNotFoundError
        If it is no folder of fits.
    EstimandError
        If no estimand is given, one is no function, or `prob` is not within 0-1.

    Warns
    -----
    SocgradWarning
        What the estimands warn of, once for all fits and by their names.

    Notes
    -----
    Files are read one at a time, so that memory holds one fit, however many there are.

    Examples
    --------
    See `socgrad.many.fit_many`.
    """
    if not estimands or not all(map(callable, estimands)):
        raise EstimandError(
            "Expected functions that take a fit, such as socgrad.gradient or functools.partial("
            "socgrad.inequality.rii, scope='authority'), one at least: each is asked of every fit."
        )
    opened = FitFolder(folder, create=False)
    asked = opened.keys() if keys is None else list(keys)
    rows: list[dict[Any, Any]] = []
    # Refuses what is no probability before a file is read.
    columns = dict.fromkeys([*_INDEX, *summarise(prob=prob).columns, *_ADDED])
    said = GatheredWarnings()
    done = 0
    with stage(lambda: f"{done} of {len(asked)} fits read"):
        for key in asked:
            with said.of(key):
                rows += _rows(opened, key, estimands, prob)
            done += 1
    said.say(len(asked), "fits")
    found = dict.fromkeys(name for row in rows for name in row)
    table = pd.DataFrame(rows, columns=list(columns | found))
    plan = {name: name[1] for name in table if isinstance(name, tuple)}
    table = table.rename(
        columns={n: f"plan_{own}" if own in table else own for n, own in plan.items()}
    )
    last = [*_ADDED, *_LAST]
    first = [name for name in table if name not in (*_INDEX, *last)]
    table = table[[*_INDEX, *first, *last]].set_index(list(_INDEX))
    table.attrs = {"prob": prob}
    return table


def _read(opened: FitFolder, record: FitRecord) -> xr.DataTree:
    if not opened.holds(record):
        raise SchemaError(
            f"{opened.file(record.key)} is not as it was recorded: damaged, changed or removed. "
            "Run fit_many again, which fits it anew."
        )
    return opened.load(record.key)


def _rows(
    opened: FitFolder, key: str, estimands: Sequence[Estimand], prob: float
) -> list[dict[Any, Any]]:
    """Rows of one fit; its tree is let go of when they are there."""
    record = opened.record(key)
    if record is None:
        return [_without(key, "", {}, "There is no fit of this name in the folder.")]
    # By pairs, so that they cannot be taken for columns of the summaries.
    about: dict[Any, Any] = {("plan", name): value for name, value in record.about.items()}
    if record.state != "fitted":
        return [_without(key, "", about, record.error)]
    try:
        tree = _read(opened, record)
    except SchemaError as error:
        return [_without(key, "", about, str(error))]
    draws, failed = [], []
    for estimand in estimands:
        try:
            draws.append(estimand(tree))
        except SocgradError as error:
            failed.append(_without(key, _name(estimand), about, str(error)))
    try:
        summary = summarise(*draws, prob=prob).reset_index()
    except EstimandError as error:
        return [_without(key, "", about, str(error)), *failed]
    shared: dict[Any, Any] = {"fit": key, **about, "doubted": bool(record.doubt), "error": ""}
    return [{**shared, **row} for row in summary.to_dict("records")] + failed


def _without(key: str, estimand: str, about: dict[Any, Any], error: str) -> dict[Any, Any]:
    row: dict[Any, Any] = {"fit": key, "estimand": estimand, "at": ""}
    row.update(about)
    row.update(doubted=False, error=error)
    return row


def _name(estimand: Estimand) -> str:
    inner = estimand.func if isinstance(estimand, partial) else estimand
    return str(getattr(inner, "__name__", type(inner).__name__))
