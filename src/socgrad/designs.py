"""Design matrices of a model's covariates, centred at child-weighted national means.

One function makes them for the model (left wing) and again from a saved fit (right wing), so that
new rows are transformed as the fitted ones were.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from socgrad.arrays import FloatArray, IntArray
from socgrad.errors import SpecificationError
from socgrad.formulas import Design, design
from socgrad.within_between import weighted_means

__all__ = ["Columns", "Designs", "Formulas", "made_designs"]


@dataclass(frozen=True)
class Formulas:
    """The formulas of a model's covariates; None where there are none.

    Attributes
    ----------
    covariates, area_moderators : str or None
        Of areas: of the level, and of the slope.
    authority_covariates, moderators : str or None
        Of authorities: of the level, and of the slope.
    within_between : tuple of str
        Terms or columns of `covariates` that are split within and between authorities.
    """

    covariates: str | None = None
    authority_covariates: str | None = None
    moderators: str | None = None
    area_moderators: str | None = None
    within_between: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is a covariate at all."""
        return any((self.covariates, *self.of_authorities, self.area_moderators))

    @property
    def of_authorities(self) -> tuple[str | None, str | None]:
        """The formulas that are evaluated on the table of authorities."""
        return self.authority_covariates, self.moderators


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of one design matrix.

    Attributes
    ----------
    names, terms : tuple of str
        Of each column: its name, and the term of its formula.
    matrix : ndarray, shape (rows, columns)
        Centred: one row per area, or per authority.
    centre : ndarray, shape (columns,)
        What was taken off: child-weighted national means.
    design : Design or None
        The formula behind them; None where there is none.
    """

    names: tuple[str, ...]
    terms: tuple[str, ...]
    matrix: FloatArray
    centre: FloatArray
    design: Design | None


@dataclass(frozen=True, eq=False)
class Designs:
    """The design matrices of a model.

    Attributes
    ----------
    covariates, area_moderators : Columns
        One row per area.
    authority_covariates, moderators : Columns
        One row per authority. The former end with the between parts of covariates that are split.
    split : tuple of int
        Positions of the columns of `covariates` that hold within parts alone.
    departures : Columns
        One row per area: departures from a log-linear gradient, which no formula makes.
    """

    covariates: Columns
    authority_covariates: Columns
    moderators: Columns
    area_moderators: Columns
    split: tuple[int, ...]
    departures: Columns = field(
        default_factory=lambda: Columns((), (), np.zeros((0, 0)), np.zeros(0), None)
    )

    @property
    def named(self) -> dict[str, Columns]:
        """The matrices by the dim that names their columns, as in `socgrad.schema`."""
        return {
            "covariate": self.covariates,
            "authority_covariate": self.authority_covariates,
            "moderator": self.moderators,
            "area_moderator": self.area_moderators,
            "departure": self.departures,
        }

    @property
    def variables(self) -> frozenset[str]:
        """Columns of the tables that any formula names."""
        made = [columns.design for columns in self.named.values() if columns.design is not None]
        return frozenset[str]().union(*(each for one in made for each in one.variables))

    @property
    def of_areas(self) -> bool:
        """Whether areas of one authority may lie off its line."""
        return bool(self.covariates.names or self.area_moderators.names or self.departures.names)

    @property
    def of_authorities(self) -> bool:
        """Whether authorities differ by more than mean deprivation."""
        return bool(self.authority_covariates.names or self.moderators.names)


def made_designs(
    formulas: Formulas,
    *,
    area_table: pd.DataFrame,
    authority_table: pd.DataFrame,
    authority_of_area: IntArray,
    children: FloatArray,
) -> Designs:
    """Evaluate a model's formulas on its tables.

    Parameters
    ----------
    formulas : Formulas
    area_table, authority_table : pandas.DataFrame
        Columns that formulas may name. Those of the authority table serve in formulas of areas too.
    authority_of_area : ndarray of int, shape (areas,)
    children : ndarray, shape (areas,)
        The weights of every mean.

    Raises
    ------
    SpecificationError
        If a formula cannot be read, or `within_between` names what `covariates` does not have.

    Notes
    -----
    For a column z of areas with children C: ``z_i - sum(C z) / sum(C)``; split, ``z_i - z_j`` in
    `covariates` and ``z_j - sum(C z) / sum(C)`` in `authority_covariates`, z_j the authority's
    child-weighted mean. The same rule as for deprivation.
    """
    size = len(authority_table)
    weight = np.bincount(authority_of_area, weights=children, minlength=size)
    wide = area_table
    if formulas.covariates or formulas.area_moderators:
        spread = authority_table.iloc[authority_of_area].set_axis(area_table.index)
        wide = pd.concat(
            [area_table, spread[spread.columns.difference(area_table.columns)]], axis=1
        )

    def centred(formula: str | None, table: pd.DataFrame, w: FloatArray, where: str) -> Columns:
        if formula is None:
            none = np.zeros(0)
            return Columns((), (), np.zeros((len(table), 0)), none, None)
        made = design(formula, table, where=where)
        centre = w @ made.matrix / w.sum()
        return Columns(made.names, made.terms, made.matrix - centre, centre, made)

    covariates = centred(formulas.covariates, wide, children, "covariates")
    theirs = centred(formulas.authority_covariates, authority_table, weight, "authority_covariates")
    split = _split_columns(formulas, covariates)
    if split:
        covariates, theirs = _split(
            covariates, theirs, split, authority_of_area=authority_of_area, children=children
        )
    return Designs(
        covariates=covariates,
        authority_covariates=theirs,
        moderators=centred(formulas.moderators, authority_table, weight, "moderators"),
        area_moderators=centred(formulas.area_moderators, wide, children, "area_moderators"),
        split=split,
    )


def _split_columns(formulas: Formulas, covariates: Columns) -> tuple[int, ...]:
    """Positions of the columns whose term, or a column of whose term, is to be split."""
    wanted = formulas.within_between
    if not wanted:
        return ()
    made = covariates.design
    known = sorted({*made.terms, *frozenset().union(*made.variables)}) if made else []
    unknown = [name for name in wanted if name not in known]
    if made is None or unknown:
        raise SpecificationError(
            f"within_between names {', '.join(map(repr, unknown))}, which covariates="
            f"{formulas.covariates!r} does not have (it has {', '.join(map(repr, known)) or 'none'}"
            "). Name a term as written there, or a column in it."
        )
    return tuple(
        k
        for k, (term, variables) in enumerate(zip(made.terms, made.variables, strict=True))
        if term in wanted or variables & set(wanted)
    )


def _split(
    covariates: Columns,
    theirs: Columns,
    split: Sequence[int],
    *,
    authority_of_area: IntArray,
    children: FloatArray,
) -> tuple[Columns, Columns]:
    """Take authority means off the columns to split, and give them to the authorities."""
    values, names = covariates.matrix.copy(), list(covariates.names)
    size = len(theirs.matrix)
    means = np.empty((size, len(split)))
    for column, k in enumerate(split):
        means[:, column] = weighted_means(values[:, k], children, authority_of_area, size)
        values[:, k] -= means[authority_of_area, column]
        names[k] = f"{names[k]} (within)"
    between = tuple(f"{covariates.names[k]} (between)" for k in split)
    return (
        Columns(tuple(names), covariates.terms, values, covariates.centre, covariates.design),
        Columns(
            theirs.names + between,
            theirs.terms + tuple(covariates.terms[k] for k in split),
            np.column_stack([theirs.matrix, means]),
            np.concatenate([theirs.centre, np.zeros(len(split))]),
            theirs.design,
        ),
    )
