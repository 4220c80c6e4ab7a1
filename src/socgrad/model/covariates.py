"""The covariates of a specification: its design matrices, refused where nothing could be learnt."""

import warnings

import numpy as np
import pandas as pd

from socgrad.arrays import BoolArray, FloatArray
from socgrad.designs import Columns, Designs, Formulas, made_designs
from socgrad.errors import SocgradWarning, SpecificationError
from socgrad.formulas import named_in
from socgrad.model.priors import Normal, Priors
from socgrad.table.areas import Areas
from socgrad.table.covariate_columns import constant_within
from socgrad.within_between import weighted_means

__all__ = ["authority_table", "check_covariate_priors", "checked_designs", "coefficient_priors"]

# Below this share of a column's own size what the others leave of it is rounding error.
_NOTHING_LEFT = 1e-8
# Prior sd of the effect of a whole standard deviation of a column, on the log scale, below which
# the prior decides: a rare category of 1% has an sd of 0.1.
_NARROW = 0.015


def authority_table(areas: Areas) -> pd.DataFrame:
    """Columns that formulas of authorities may name: given for them, or constant in each."""
    constant, _ = constant_within(areas.covariates, areas.authority_of_area, areas.authority)
    return pd.concat([areas.authority_covariates.reindex(areas.authority), constant], axis=1)


def checked_designs(
    areas: Areas,
    formulas: Formulas,
    *,
    within_part: FloatArray,
    departures: FloatArray,
    authority_terms: FloatArray,
) -> Designs:
    """Design matrices of a model.

    Parameters
    ----------
    areas : Areas
    formulas : Formulas
    within_part : ndarray, shape (areas,)
        The within part of deprivation; zeros in a null model.
    departures : ndarray, shape (areas, columns)
        Departures from a log-linear gradient; without columns where it is a line.
    authority_terms : ndarray, shape (authorities, terms)
        What the level depends on besides: powers of the between part.

    Raises
    ------
    SpecificationError
        If a formula cannot be read, or a column is constant, collinear, missing in some rows or at
        the wrong level.

    Warns
    -----
    SocgradWarning
        If areas moderate a gradient by a column that the level does not depend on.
    """
    _refuse_deprivation(areas, formulas)
    _refuse_varying(areas, formulas)
    made = made_designs(
        formulas,
        area_table=areas.covariates.reindex(areas.area),
        authority_table=authority_table(areas),
        authority_of_area=areas.authority_of_area,
        children=areas.children,
    )
    one = np.ones((len(areas.authority), 1))
    for where, columns in (
        ("authority_covariates", made.authority_covariates),
        ("moderators", made.moderators),
    ):
        _refuse_constant(columns, where, areas.authority)
        beside = np.column_stack([one, authority_terms])
        _refuse_collinear(columns, columns.matrix, beside, where, "deprivation of authorities")
    for where, columns in (
        ("covariates", made.covariates),
        ("area_moderators", made.area_moderators),
    ):
        _refuse_constant(columns, where, areas.area)
        inside = _inside(columns.matrix, areas)
        _refuse_level(columns, inside, where)
        if where == "covariates":
            beside = np.column_stack([within_part, _inside(departures, areas)])
            _refuse_collinear(columns, inside, beside, where, "deprivation of areas")
        else:
            _refuse_collinear(columns, inside, np.zeros((len(inside), 0)), where, "")
    _warn_of_orphans(made)
    return made


def coefficient_priors(
    priors: Priors, made: Designs, *, per: float
) -> dict[str, tuple[Normal, ...]]:
    """Priors of the coefficients, per step `per`, by name as in `socgrad.schema.COEFFICIENTS`.

    Only of those that there are.
    """
    found = {
        f"{name}_coefficient": priors.of_moderators(columns.names, columns.terms, per=per)
        if "moderator" in name
        else priors.of_covariates(columns.names, columns.terms)
        for name, columns in made.named.items()
        if name != "departure"
    }
    found["departure_coefficient"] = (priors.departure,) * len(made.departures.names)
    return {name: chosen for name, chosen in found.items() if chosen}


def check_covariate_priors(priors: Priors, made: Designs) -> None:
    """Refuse priors of columns that are not there, and doubt defaults that would decide.

    Raises
    ------
    SpecificationError
        If a prior names no column and no term.

    Warns
    -----
    SocgradWarning
        If a default prior allows a standard deviation of its column almost no effect.
    """
    narrow: list[str] = []
    for kind, default in (("covariates", 0.5), ("moderators", 0.2)):
        given = getattr(priors, kind)
        columns = [
            columns
            for name, columns in made.named.items()
            if name != "departure" and ("moderator" in name) == (kind == "moderators")
        ]
        known = {name for one in columns for name in (*one.names, *one.terms)}
        idle = [name for name in given if name not in known]
        if idle:
            raise SpecificationError(
                f"Priors.{kind} names {', '.join(map(repr, idle))}, which this model does not have "
                f"(it has {', '.join(map(repr, sorted(known))) or 'none'})."
            )
        narrow += [
            f"{name!r} (SD {spread:.2g})"
            for one in columns
            for name, term, spread in zip(one.names, one.terms, one.matrix.std(axis=0), strict=True)
            if not {name, term} & set(given) and spread * default < _NARROW
        ]
    if narrow:
        warnings.warn(
            f"The default priors are per unit of a column, and {', '.join(narrow)} hardly varies "
            "by a unit: its effect would be held near none. scale() it in the formula, or give it "
            "a prior of its own in Priors.covariates or Priors.moderators.",
            SocgradWarning,
            stacklevel=4,
        )


def _refuse_deprivation(areas: Areas, formulas: Formulas) -> None:
    """Refuse functions of deprivation among area covariates: the gradient would be two things."""
    name = areas.names.get("deprivation")
    for where in ("covariates", "area_moderators"):
        formula = getattr(formulas, where)
        if formula is not None and name in named_in(formula, where=where):
            raise SpecificationError(
                f"{where}={formula!r} names {name!r}, the column of deprivation: the slope would "
                "no longer be the gradient, and no summary could say what is. A gradient that is "
                "non-linear is asked for by GradientModel(shape='spline') or shape='tenths'."
            )


def _refuse_varying(areas: Areas, formulas: Formulas) -> None:
    """Refuse columns of areas in a formula of authorities, unless they are constant in each."""
    _, varying = constant_within(areas.covariates, areas.authority_of_area, areas.authority)
    for where in ("authority_covariates", "moderators"):
        formula = getattr(formulas, where)
        if formula is None:
            continue
        for name in sorted(named_in(formula, where=where) & set(varying)):
            inside = varying[name]
            instead = "covariates" if where == "authority_covariates" else "area_moderators"
            raise SpecificationError(
                f"{where}={formula!r}: {name!r} varies inside {len(inside)} of "
                f"{len(areas.authority)} authorities (first: {inside[0]}). Expected one value in "
                f"each: use it in {instead}=, or pass its authority means in "
                "Areas.from_frame(authority_covariates=...)."
            )


def _refuse_constant(columns: Columns, where: str, labels: pd.Index) -> None:
    for name, values in zip(columns.names, columns.matrix.T, strict=True):
        if np.ptp(values) <= _NOTHING_LEFT * max(1.0, float(np.abs(values).max())):
            raise SpecificationError(
                f"{where}: {name!r} is the same in all {len(labels)} rows, so nothing can be said "
                "of it. Leave it out."
            )


def _inside(values: FloatArray, areas: Areas) -> FloatArray:
    """What of each column varies inside authorities."""
    at, size = areas.authority_of_area, len(areas.authority)
    means = [weighted_means(column, areas.children, at, size) for column in values.T]
    return values - (np.column_stack(means)[at] if means else 0.0)


def _refuse_level(columns: Columns, inside: FloatArray, where: str) -> None:
    """Refuse columns of areas that are one value in each authority."""
    size = np.abs(columns.matrix).max(axis=0, initial=0.0)
    flat: BoolArray = np.abs(inside).max(axis=0, initial=0.0) <= _NOTHING_LEFT * size
    if flat.any():
        name = columns.names[int(np.flatnonzero(flat)[0])]
        instead = "authority_covariates" if where == "covariates" else "moderators"
        raise SpecificationError(
            f"{where}: {name!r} is at the wrong level: it does not vary inside any authority. Use "
            f"it in {instead}=."
        )


def _refuse_collinear(
    columns: Columns, values: FloatArray, beside: FloatArray, where: str, what: str
) -> None:
    """Refuse a column that the model's own terms and the columns before it already make up."""
    basis: list[FloatArray] = []

    def left(column: FloatArray) -> FloatArray:
        for _ in range(2):  # twice is enough for orthogonality to rounding error
            for direction in basis:
                column = column - (direction @ column) * direction
        return column

    for column in beside.T:
        rest = left(column)
        if np.linalg.norm(rest) > _NOTHING_LEFT * np.linalg.norm(column):
            basis.append(rest / np.linalg.norm(rest))
    for k, column in enumerate(values.T):
        rest = left(column)
        if np.linalg.norm(rest) <= _NOTHING_LEFT * np.linalg.norm(column):
            others = [*([what] if what else []), *(repr(name) for name in columns.names[:k])]
            raise SpecificationError(
                f"{where}: {columns.names[k]!r} is collinear: it follows exactly from "
                f"{', '.join(others) or 'the intercept'} ({len(values)} rows), so its coefficient "
                "cannot be told from theirs. Leave one of them out."
            )
        basis.append(rest / np.linalg.norm(rest))


def _warn_of_orphans(made: Designs) -> None:
    """Warn of moderators of areas whose own effect on the level is left out."""
    of_level = frozenset[str]()
    if made.covariates.design is not None:
        of_level = of_level.union(*made.covariates.design.variables)
    moderators = made.area_moderators.design
    if moderators is None:
        return
    orphans = sorted(frozenset[str]().union(*moderators.variables) - of_level)
    if orphans:
        warnings.warn(
            f"area_moderators names {', '.join(map(repr, orphans))}, which covariates does not: a "
            "difference in rates would then pass for one in gradients. Put the same columns into "
            "covariates=.",
            SocgradWarning,
            stacklevel=5,
        )
