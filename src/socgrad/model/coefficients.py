"""The coefficients of levels and slopes, one after the other, with what each multiplies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray
from socgrad.model.terms import Term

__all__ = ["Coefficient", "by_column", "coefficients_of"]


@dataclass(frozen=True, eq=False)
class Coefficient:
    """A coefficient that every stratum has.

    Attributes
    ----------
    name : str
        Of its term.
    place : int
        Which of the term's columns it multiplies.
    of_slope, of_areas : bool
        What it acts on: slopes (or levels), of areas (or authorities).
    column : ndarray, shape (strata, authorities or areas)
    prior : ndarray, shape (strata, 2)
    """

    name: str
    place: int
    of_slope: bool
    of_areas: bool
    column: FloatArray
    prior: FloatArray


def coefficients_of(
    terms: Sequence[Mapping[str, Term]],
) -> tuple[tuple[Coefficient, ...], tuple[Coefficient, ...]]:
    """Coefficients of authorities and of areas, those of each term in the order of its columns."""
    made: tuple[list[Coefficient], list[Coefficient]] = ([], [])
    for name, term in terms[0].items():
        if term.columns is None:
            continue
        acts_on = term.kind.acts_on
        of_areas = acts_on.startswith("area")
        priors = np.stack([np.atleast_2d(each[name].prior) for each in terms], axis=1)
        own = [each[name].columns for each in terms]
        columns = np.stack([held.T for held in own if held is not None], axis=1)
        for place, (column, prior) in enumerate(zip(columns, priors, strict=True)):
            of_slope = acts_on.endswith("slope")
            made[of_areas].append(Coefficient(name, place, of_slope, of_areas, column, prior))
    return tuple(made[0]), tuple(made[1])


def by_column(coefficients: Sequence[Coefficient]) -> list[list[Coefficient]]:
    """The coefficients that multiply the same column together, in the order of their columns."""
    groups: list[list[Coefficient]] = []
    for one in coefficients:
        alike = [its for its in groups if np.array_equal(its[0].column, one.column)]
        if alike:
            alike[0].append(one)
        else:
            groups.append([one])
    return groups
