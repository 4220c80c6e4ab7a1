"""Columns of a design matrix from a formula, and the same columns for new rows.

The language is that of the library formulae (as in R: ``rural + scale(log(density))``, ``a * b``,
``C(grade)``, ``bs(x, df=4)``), with functions from a fixed list and names from the
table alone. What a formula says is held against `socgrad.formula_grammar` before anything of it is
evaluated.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

import contextlib
import io
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype

from socgrad.arrays import FloatArray
from socgrad.comparisons import Comparison, comparisons
from socgrad.door.number_checks import numbers
from socgrad.door.table_checks import column, refuse_cells
from socgrad.errors import SpecificationError
from socgrad.formula_functions import NUMPY_FUNCTIONS, Component
from socgrad.formula_grammar import ALLOWED, Formula, read_formula

__all__ = ["Design", "design", "named_in"]

_FUNCTIONS: Final = {name: getattr(np, name) for name in NUMPY_FUNCTIONS}
_NAMESPACE: Final = _FUNCTIONS | {"np": SimpleNamespace(**_FUNCTIONS)}
#: No model has more, and matrices of more would fill the memory.
_MOST_COLUMNS: Final = 1_000
#: Functions that give a column for each value.
_BY_LEVEL: Final = ("C", "S", "T")


@dataclass(frozen=True, eq=False)
class Design:
    """Columns of a formula, without the intercept, and how they were made.

    Attributes
    ----------
    names, terms : tuple of str
        Of each column: its name, and the term of the formula that it belongs to.
    variables : tuple of frozenset
        Columns of the table that each column is made of.
    matrix : ndarray, shape (rows, columns)
    comparisons : tuple of Comparison
        Of each column: what a unit of it is, and what it is compared with.
    ranges : dict
        Of each column of numbers in the table: its least and largest value and standard deviation.
    """

    names: tuple[str, ...]
    terms: tuple[str, ...]
    variables: tuple[frozenset[str], ...]
    matrix: FloatArray
    comparisons: tuple[Comparison, ...]
    ranges: dict[str, tuple[float, float, float]]
    _fitted: Any = field(repr=False)
    _levels: dict[str, frozenset[Any]] = field(repr=False)
    _example: pd.DataFrame = field(repr=False)

    def of_some(self, table: pd.DataFrame) -> FloatArray:
        """Give the columns that are made of the table's alone, and NaN for the others.

        Raises
        ------
        SpecificationError
            If a column is made of some that the table has and some that it has not; and as `of`.
        """
        given = frozenset(table.columns)
        for name, variables in zip(self.names, self.variables, strict=True):
            if variables & given and variables - given:
                raise SpecificationError(
                    f"{name!r} is made of {', '.join(map(repr, sorted(variables)))}, of which only "
                    f"{', '.join(map(repr, sorted(variables & given)))} has a value. Give the "
                    "others one too."
                )
        whole = table[[name for name in self._example if name in given]].copy()
        for name in self._example.columns.difference(table.columns):
            whole[name] = self._example[name].iloc[0]
        values = self.of(whole)
        values[:, [not variables <= given for variables in self.variables]] = np.nan
        return values

    def of(self, table: pd.DataFrame) -> FloatArray:
        """Give the same columns for other rows, transformed as the first ones were.

        Raises
        ------
        SpecificationError
            If a column is absent or missing in some rows, or has a level that the fitted rows have
            not; or if a transform of it is not finite.
        TableError
            If a column appears twice, or holds what is no number where the fitted rows have them.
        """
        needed = sorted(frozenset().union(*self.variables))
        absent = [name for name in needed if name not in table]
        if absent:
            raise SpecificationError(
                f"The new rows have no column {', '.join(map(repr, absent))}. Expected "
                f"{', '.join(map(repr, needed))}, as in the table that was fitted."
            )
        read = pd.DataFrame({name: self._read(table, name) for name in needed}, index=table.index)
        with _understood("formula", " + ".join(dict.fromkeys(self.terms))):
            made = self._fitted.evaluate_new_data(read).design_matrix
        values = np.asarray(made, dtype=np.float64)[:, 1:]
        bad = ~np.isfinite(values)
        if bad.any():
            row, name = bad.any(axis=1), self.names[int(bad.any(axis=0).argmax())]
            raise SpecificationError(
                f"{name!r} is not finite in {int(row.sum())} of {len(row)} new rows (first: "
                f"{table.index[row].tolist()[0]!r}), as the log of 0 or of a number below it. "
                "Expected values that its transform takes, as in the fitted rows."
            )
        return values

    def _read(self, table: pd.DataFrame, name: str) -> pd.Series[Any]:
        """Take one column of new rows, of the kind that the fitted rows have."""
        where = f"Column {name!r} (covariate)"
        given = column(table, name, role="covariate")
        if name in self.ranges and not is_bool_dtype(given.dtype):
            given = pd.Series(numbers(given, table.index, where=where, most=1e100), table.index)
        if (blank := int(given.isna().sum())) > 0:
            raise SpecificationError(
                f"Column {name!r} is missing in {blank} of {len(table)} new rows. Fill it in, or "
                "leave those rows out."
            )
        if name in self.ranges:
            return given.astype(np.float64)
        refuse_cells(
            given,
            table.index,
            where=where,
            allowed=(str, int, float, np.integer, np.floating),
            expected="Expected levels of the fitted rows.",
        )
        known = self._levels[name]
        unseen = sorted(set(given) - known, key=str)
        if unseen:
            raise SpecificationError(
                f"Column {name!r} has {len(unseen)} levels that the fitted rows have not "
                f"(first: {unseen[0]!r}), so no coefficient. Fitted levels: "
                f"{', '.join(map(repr, sorted(known, key=str)))}."
            )
        return given


def design(formula: str, table: pd.DataFrame, *, where: str) -> Design:
    """Evaluate a formula on a table.

    Parameters
    ----------
    formula : str
        Right-hand side, with or without a leading ~.
    table : pandas.DataFrame
        Numbers and categoricals, none missing.
    where : str
        The argument that the formula came in, for messages.

    Raises
    ------
    SpecificationError
        If the formula does not keep to the grammar (`socgrad.formula_grammar`), names an unknown
        column, or gives values that are not finite, or more than 1,000 columns.

    Examples
    --------
    >>> table = pd.DataFrame({"rural": pd.Categorical(["no", "yes", "no"]), "x": [1.0, 2.0, 3.0]})
    >>> made = design("~ rural + scale(x)", table, where="covariates")
    >>> made.names
    ('rural[yes]', 'scale(x)')
    >>> made.of(pd.DataFrame({"rural": ["yes"], "x": [2.0]})).tolist()
    [[1.0, 0.0]]
    """
    from formulae import design_matrices  # noqa: PLC0415
    from formulae.environment import Environment  # noqa: PLC0415

    read = read_formula(formula, where=where)
    named = read.columns
    _check_named(named, table, f"{where}={formula!r}")
    _check_size(read, table, f"{where}={formula!r}")
    with _understood(where, formula):
        common = design_matrices(
            read.text, table, na_action="error", env=Environment([]), extra_namespace=_NAMESPACE
        ).common
    terms = {name: term for name, term in common.terms.items() if name != "Intercept"}
    columns = [(label, name) for name, term in terms.items() for label in _labels(term)]
    values = np.asarray(common.design_matrix, dtype=np.float64)[:, 1:]
    finite = np.isfinite(values)
    if not finite.all():
        bad = ~finite.all(axis=1)
        column = columns[int(np.flatnonzero(~finite.all(axis=0))[0])][0]
        raise SpecificationError(
            f"{where}={formula!r}: {column!r} is not finite in {int(bad.sum())} of {len(bad)} rows "
            f"(first: {table.index[bad][0]!r}). A log of 0, perhaps: log1p(x) and sqrt(x) take it."
        )
    variables = {name: frozenset(term.var_names) & named for name, term in terms.items()}
    levels = {
        name: frozenset(table[name].unique())
        for name in sorted(named)
        if isinstance(table[name].dtype, pd.CategoricalDtype)
    }
    return Design(
        names=tuple(label for label, _ in columns),
        terms=tuple(name for _, name in columns),
        variables=tuple(variables[name] for _, name in columns),
        matrix=values,
        comparisons=tuple(one for term in terms.values() for one in comparisons(term)),
        ranges={
            name: (float(table[name].min()), float(table[name].max()), float(table[name].std()))
            for name in sorted(named)
            if name not in levels
        },
        _fitted=common,
        _levels=levels,
        _example=table[sorted(named)].iloc[:1],
    )


def named_in(formula: str, *, where: str) -> frozenset[str]:
    """Columns that a formula names."""
    return read_formula(formula, where=where).columns


def _check_named(named: frozenset[str], table: pd.DataFrame, where: str) -> None:
    """Refuse columns that the table lacks, or that are missing in some rows."""
    unknown = sorted(named - set(table.columns))
    if unknown:
        close = get_close_matches(unknown[0], [str(name) for name in table.columns], n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise SpecificationError(
            f"{where} names {', '.join(map(repr, unknown))}, which no column of the table for it "
            f"is called (it has {', '.join(map(repr, table.columns)) or 'none'}).{hint} Pass "
            "columns through Areas.from_frame(covariates=..., authority_covariates=...)."
        )
    for name in sorted(named):
        missing = table[name].isna().to_numpy(dtype=bool)
        if missing.any():
            first = ", ".join(map(str, table.index[missing][:5]))
            raise SpecificationError(
                f"{where}: {name!r} is missing in {missing.sum()} of {len(missing)} rows (first: "
                f"{first}). Every row needs a value: fill it in, or leave the covariate out."
            )


def _check_size(read: Formula, table: pd.DataFrame, where: str) -> None:
    """Refuse more columns than a model can have, before they are made."""

    def levels(part: Component) -> int:
        kinds = [isinstance(table[name].dtype, pd.CategoricalDtype) for name in part.columns]
        if part.function in _BY_LEVEL or any(kinds):
            return max(int(table[name].nunique()) for name in part.columns)
        return part.size

    sizes = {term: math.prod(map(levels, term)) for term in read.terms}
    if sum(sizes.values()) > _MOST_COLUMNS:
        widest = max(sizes, key=sizes.__getitem__)
        raise SpecificationError(
            f"{where} would have some {sum(sizes.values()):,} columns, {sizes[widest]:,} of them "
            f"from {':'.join(sorted(part.text for part in widest))!r}. Expected at most "
            f"{_MOST_COLUMNS:,}: use a column as a number, or join its levels."
        )


def _labels(term: Any) -> list[str]:
    return [str(label) for label in term.labels]


class _Remarks(logging.Handler):
    """Keep what the library only remarks upon: such a formula means less than it says."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.made: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.made.append(record.getMessage().replace("\n", " "))


@contextlib.contextmanager
def _understood(where: str, formula: str) -> Iterator[None]:
    """Turn whatever the library raises or remarks into our own error; it also prints some of it."""
    remarks, logger = _Remarks(), logging.getLogger("formulae")
    kept = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [remarks], False
    reason = ""
    try:
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            yield
    except Exception as error:
        reason = f"unknown function {error}" if isinstance(error, KeyError) else str(error)
        raise SpecificationError(
            f"{where}={formula!r} cannot be read: {reason.rstrip('.')}. {ALLOWED}"
        ) from error
    finally:
        logger.handlers, logger.propagate = kept
    if remarks.made:
        raise SpecificationError(f"{where}={formula!r} is not what it seems: {remarks.made[0]}")
