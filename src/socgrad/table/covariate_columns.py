"""Covariates at the door: columns of areas and of authorities, complete, under plain names.

Which of them enter a model, and how, is for its formulas to say.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas.api import types

from socgrad.door.by_authority import rows_by_authority, spelling_hint
from socgrad.door.number_checks import numbers, share_of_numbers
from socgrad.door.spelling import is_unreadable
from socgrad.door.table_checks import column, column_names, name_some, refuse, refuse_cells
from socgrad.errors import TableError

__all__ = ["area_covariates", "authority_covariate_table", "constant_within"]

#: Covariates have any unit, but their squares stay finite.
_MOST: Final = 1e100
#: Where more than this share of the cells are numbers, so is what the column measures.
_MOSTLY: Final = 0.5
#: What a fit calls the dimensions along which covariates lie.
_TAKEN: Final = ("area", "authority")
_LEVELS: Final = (str, int, float, bool, np.integer, np.floating, np.bool_)


def area_covariates(
    table: pd.DataFrame, names: Sequence[str], *, keys: pd.Index[Any], order: Any
) -> pd.DataFrame:
    """Take the named columns of the table of areas, in the order of the areas.

    Parameters
    ----------
    table
        The caller's table.
    names
        Columns to take.
    keys, order
        Labels of the areas as sorted, and the position of each in the table.
    """
    listed = column_names(names, argument="covariates")
    doubled = [name for k, name in enumerate(listed) if name in listed[:k]]
    if doubled:
        raise TableError(f"covariates names {name_some(doubled)} twice. Expected each once.")
    taken = {
        _named(name): _plain(
            column(table, name, role="covariate").iloc[order], keys, f"Column {name!r} (covariate)"
        )
        for name in listed
    }
    return pd.DataFrame(taken, index=keys)


def authority_covariate_table(
    given: object, authorities: pd.Index[Any], *, authority: str, taken: Sequence[str]
) -> pd.DataFrame:
    """Take the table of authorities, one row each, in the order of the authorities.

    Parameters
    ----------
    given
        A table whose index, or whose column `authority`, holds the labels. Authorities that have no
        areas are left out. Values may be missing in columns that no formula names.
    authorities
        Labels wanted.
    authority
        Name of the column of authority labels in the table of areas.
    taken
        Names that area covariates have.
    """
    table = rows_by_authority(
        given, authorities, authority=authority, argument="authority_covariates"
    )
    refuse(
        ~authorities.isin(table.index),
        authorities,
        "authority_covariates has no row for authorities",
        f"Expected one row each, labelled by its index or by a column {authority!r} as in the "
        f"table of areas; its first labels are {name_some(table.index, limit=3)}."
        + spelling_hint(table.index, authorities[~authorities.isin(table.index)]),
    )
    both = [name for name in table.columns if name in taken]
    if both:
        raise TableError(
            f"{name_some(both)}: named both in covariates and in authority_covariates. Rename one, "
            "so that a formula says which is meant."
        )
    table = table.iloc[table.index.get_indexer(authorities)]
    values = {
        _named(name): _plain(
            column(table, name, role="authority covariate"),
            authorities,
            f"Column {name!r} (authority covariate)",
            complete=False,
        )
        for name in table.columns
    }
    return pd.DataFrame(values, index=authorities)


def constant_within(
    frame: pd.DataFrame, authority_of_area: Any, authorities: pd.Index[Any]
) -> tuple[pd.DataFrame, Mapping[str, pd.Index[Any]]]:
    """Tell area columns that are one value in each authority from those that vary inside some.

    Returns
    -------
    constant : pandas.DataFrame
        One row per authority.
    varying : dict
        For each other column, the authorities inside which it varies.
    """
    constant: dict[str, Any] = {}
    varying: dict[str, pd.Index[Any]] = {}
    first = np.unique(authority_of_area, return_index=True)[1]
    for name in frame.columns:
        values = frame[name]
        own = values.iloc[first[authority_of_area]].to_numpy()
        differs = values.to_numpy() != own
        if differs.any():
            varying[str(name)] = authorities[np.unique(authority_of_area[differs])]
        else:
            constant[str(name)] = values.iloc[first].array
    return pd.DataFrame(constant, index=authorities), varying


def _named(name: object) -> str:
    """Refuse names that a file cannot hold."""
    if not isinstance(name, str) or not name.strip() or "/" in name or is_unreadable(name):
        raise TableError(
            f"{name_some([name])!r} cannot be the name of a covariate: expected text without '/', "
            "which a saved fit can hold and a formula can name. Rename the column."
        )
    if name in _TAKEN:
        raise TableError(
            f"A covariate cannot be called {name!r}, as a fit calls its own {name} labels. Rename "
            f"the column, as with frame.rename(columns={{{name!r}: '{name}_measure'}})."
        )
    return name


def _plain(
    values: pd.Series[Any], keys: pd.Index[Any], where: str, *, complete: bool = True
) -> pd.Series[Any]:
    """Numbers as floats, all else as categories: in the caller's order, or sorted if text."""
    values = values.set_axis(keys).rename(None)
    own = isinstance(values.dtype, pd.CategoricalDtype)
    if not types.is_bool_dtype(values.dtype) and not own:
        given, values = values, _read(values, keys, where)
        marks = given[values.isna() & given.notna()].astype(str).unique()
        where = f"{where}, where {name_some(marks)} is no number," if len(marks) else where
    if complete:
        refuse(
            values.isna().to_numpy(dtype=bool),
            keys,
            f"{where} is missing",
            "Every row needs a value, also where events are not known, because means are taken "
            "over all: fill it in, or leave those rows out of the table.",
        )
    if types.is_bool_dtype(values.dtype) or types.is_numeric_dtype(values.dtype):
        return values.astype(np.float64)
    if not own:
        found = sorted(values.dropna().unique().tolist())
        values = values.astype(pd.CategoricalDtype(found))
    elif not all(isinstance(level, _LEVELS) for level in values.cat.categories):
        kind = values.cat.categories.inferred_type
        raise TableError(
            f"{where} has categories of {kind} values. Expected text or numbers: name them, as "
            "with .astype(str)."
        )
    # The library that reads formulas sorts categories without an order of their own.
    return values.cat.remove_unused_categories().cat.as_ordered()


def _read(values: pd.Series[Any], keys: pd.Index[Any], where: str) -> pd.Series[Any]:
    """Numbers where most cells are numbers, also as text; text as it is."""
    refuse_cells(
        values,
        keys,
        where=where,
        allowed=(str, int, float, Decimal, np.integer, np.floating),
        expected="Expected numbers, text or categories; convert dates to numbers.",
    )
    if types.is_numeric_dtype(values.dtype) or share_of_numbers(values) > _MOSTLY:
        number = numbers(values, keys, where=where, most=_MOST)
        return pd.Series(number, index=keys)
    kind = types.infer_dtype(values, skipna=True)
    if kind not in {"string", "empty"}:
        raise TableError(
            f"{where} holds {kind} values. Expected numbers, text or categories; convert dates to "
            "numbers and mixed values with .astype(str)."
        )
    return values
