"""The covariates of a fit, made again from its own columns, so that new rows can join them."""

import json
from dataclasses import fields

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.designs import Designs, Formulas, made_designs
from socgrad.errors import EstimandError, SchemaError
from socgrad.formula_grammar import read_formula
from socgrad.reading.arguments import check_is_tree
from socgrad.schema import COVARIATE_GROUP, check_tree

__all__ = ["fitted_designs", "stored_formulas"]


def fitted_designs(fit: xr.DataTree) -> Designs:
    """Make the design matrices of a fit again, with all that its formulas remember.

    Parameters
    ----------
    fit
        From `socgrad.fit` or `socgrad.load`.

    Returns
    -------
    Designs
        As the model's. `Columns.design.of(table) - Columns.centre` gives columns for new rows.

    Raises
    ------
    EstimandError
        If the fit has no covariates, or comes without their columns (straight from `pymc.sample`).
    SchemaError
        If the columns do not give the design matrices that the fit holds.
    """
    check_is_tree(fit)
    check_tree(fit)
    if COVARIATE_GROUP not in fit.children:
        raise EstimandError(
            f"This fit has no group {COVARIATE_GROUP!r}, which holds the columns that its formulas "
            "are made of. Expected a fit of a model with covariates, from socgrad.fit or "
            "socgrad.load."
        )
    held = fit[COVARIATE_GROUP].to_dataset()
    constants = fit["constant_data"].to_dataset()
    made = made_designs(
        stored_formulas(fit),
        area_table=_table(held, "area", constants.indexes["area"]),
        authority_table=_table(held, "authority", constants.indexes["authority"]),
        authority_of_area=constants["authority_of_area"].to_numpy().astype(np.int64),
        children=constants["children"].to_numpy().astype(np.float64),
    )
    for name, columns in made.named.items():
        if not columns.names:
            continue
        stored = constants[f"{name}_design"]
        same = tuple(stored[name].to_numpy().tolist()) == columns.names
        if not same or not np.allclose(stored.to_numpy(), columns.matrix, atol=1e-9):
            raise SchemaError(
                f"The columns of this fit no longer give its {name}_design: the library that reads "
                "formulas (formulae) may have changed. Use the version with which it was fitted."
            )
    return made


def stored_formulas(fit: xr.DataTree) -> Formulas:
    """Read the formulas of a fit with covariates, and hold them against the grammar.

    Raises
    ------
    SchemaError
        If they are not what `socgrad.fit` writes, say what no formula may, or name columns that the
        fit does not hold.
    """
    held = fit[COVARIATE_GROUP].to_dataset()
    where = f"Group {COVARIATE_GROUP!r}"
    try:
        given = json.loads(str(held.attrs["formulas"]))
        wanted = {each.name for each in fields(Formulas)}
        if not isinstance(given, dict) or set(given) != wanted:
            raise ValueError(f"expected a mapping with {', '.join(sorted(wanted))}")
        split = given.pop("within_between")
        if not isinstance(split, list) or not all(isinstance(name, str) for name in split):
            raise ValueError("within_between is no list of texts")
        for name, formula in given.items():
            if formula is None:
                continue
            lacking = read_formula(formula, where=name).columns - set(map(str, held.data_vars))
            if lacking:
                raise ValueError(
                    f"{name} names {', '.join(map(repr, sorted(lacking)))}, which it has no column "
                    "of"
                )
    except KeyError:
        raise SchemaError(f"{where} has no attribute 'formulas', which says what it is.") from None
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"{where}: its formulas are not those of a fit: {error}") from error
    return Formulas(**given, within_between=tuple(split))


def _table(held: xr.Dataset, dim: str, labels: pd.Index) -> pd.DataFrame:
    """The columns along one dim, categories restored."""
    table = pd.DataFrame(index=labels)
    for name, values in held.data_vars.items():
        if values.dims != (dim,):
            continue
        levels = values.attrs.get("levels")
        if levels is None:
            table[str(name)] = values.to_numpy().astype(np.float64)
        else:
            table[str(name)] = pd.Categorical.from_codes(
                values.to_numpy().astype(np.int64),
                categories=json.loads(levels),
                ordered=bool(values.attrs["ordered"]),
            )
    return table
