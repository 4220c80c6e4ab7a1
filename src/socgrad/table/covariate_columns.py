"""Covariates at the door: columns of areas and of authorities, complete, under plain names.

Which of them enter a model, and how, is for its formulas to say.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from socgrad.errors import TableError
from socgrad.table.table_checks import as_pandas, column, name_some, refuse

__all__ = ["area_covariates", "authority_covariate_table", "constant_within"]


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
    if isinstance(names, str):
        raise TableError(
            f"covariates={names!r} is one text. Expected a list of columns: [{names!r}]. Formulas "
            "go into GradientModel."
        )
    taken = {
        _named(name): _plain(
            column(table, name, role="covariate").iloc[order], keys, f"Column {name!r} (covariate)"
        )
        for name in dict.fromkeys(names)
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
    table = as_pandas(given)
    if authority in table.columns:
        table = table.set_index(authority)
    labels = table.index
    doubled = labels[labels.duplicated()]
    if len(doubled):
        raise TableError(
            f"authority_covariates has {len(doubled)} authorities more than once "
            f"({name_some(doubled.unique())}). Expected one row each: choose a year, or sum up."
        )
    missing = authorities.difference(labels)
    if len(missing):
        raise TableError(
            f"authority_covariates has no row for {len(missing)} of {len(authorities)} authorities "
            f"({name_some(missing)}). Expected one row each, labelled by its index or by a column "
            f"{authority!r} as in the table of areas; its first labels are "
            f"{name_some(labels, limit=3)}."
        )
    both = [name for name in table.columns if name in taken]
    if both:
        raise TableError(
            f"{name_some(both)}: named both in covariates and in authority_covariates. Rename one, "
            "so that a formula says which is meant."
        )
    table = table.loc[authorities.to_numpy()]
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
    if not isinstance(name, str) or not name.strip() or "/" in name:
        raise TableError(
            f"{name!r} cannot be the name of a covariate: expected text without '/', which a saved "
            "fit can hold and a formula can name. Rename the column."
        )
    return name


def _plain(
    values: pd.Series[Any], keys: pd.Index[Any], where: str, *, complete: bool = True
) -> pd.Series[Any]:
    """Numbers as floats, all else as categories in sorted (or, if ordered, in their own) order."""
    values = pd.Series(values.array, index=keys)
    if complete:
        refuse(
            values.isna().to_numpy(dtype=bool),
            keys,
            f"{where} is missing",
            "Every row needs a value, also where events are not known, because means are taken "
            "over all: fill it in, or leave those rows out of the table.",
        )
    if types.is_bool_dtype(values.dtype) or types.is_numeric_dtype(values.dtype):
        number = values.astype(np.float64)
        refuse(np.isinf(number.to_numpy()), keys, f"{where} is infinite", "Expected numbers.")
        return number
    if isinstance(values.dtype, pd.CategoricalDtype) and values.dtype.ordered:
        return values.cat.remove_unused_categories()
    kind = types.infer_dtype(values, skipna=True)
    if kind not in {"string", "categorical"}:
        raise TableError(
            f"{where} holds {kind} values. Expected numbers, text or categories; convert dates to "
            "numbers and mixed values with .astype(str)."
        )
    found = sorted(values.dropna().unique().tolist())
    return values.astype(pd.CategoricalDtype(found))
