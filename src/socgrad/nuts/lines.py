"""Levels and slopes of authorities, in one stratum or several, and of areas off these lines."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["AuthorityLines", "Shifts"]

type Variable = Any  # PyTensor's variables carry no useful static types.


@dataclass(frozen=True, eq=False)
class Shifts:
    """Coefficients of columns of areas, of strata a row for each; None where there are none.

    Of covariates that change the level, of those that change the slope, and of departures from a
    log-linear gradient.
    """

    covariate: Variable | None = None
    area_moderator: Variable | None = None
    departure: Variable | None = None

    @property
    def of_level(self) -> bool:
        """Whether areas lie off their authority's line by a level of their own."""
        return self.covariate is not None or self.departure is not None

    @property
    def of_slope(self) -> bool:
        """Whether areas have slopes of their own."""
        return self.area_moderator is not None


@dataclass(frozen=True, eq=False)
class AuthorityLines:
    """What a likelihood needs of parameters.

    Attributes
    ----------
    level, slope
        Of every stratum and authority, one vector each.
    spread
        Of the gamma factors, if there are any: of one stratum a number, of several a vector.
    shifts
        Coefficients of columns of areas.
    strata
        How many there are.
    """

    level: Variable
    slope: Variable
    spread: Variable | None = None
    shifts: Shifts = field(default_factory=Shifts)
    strata: int = 1

    def own(self, values: Variable, cells: Variable) -> Variable:
        """What strata have, for rows by their places of stratum and authority; of one, itself."""
        if self.strata == 1:
            return values
        return values[cells // (self.level.shape[0] // self.strata)]

    def along(self, values: Variable, cells: Variable) -> Variable:
        """The same, for rows with nodes of their own."""
        own = self.own(values, cells)
        return own if self.strata == 1 else own[:, None]

    def shifted(self, data: dict[str, Variable], kind: str) -> tuple[Variable, Variable]:
        """What columns of areas add to level and slope of cells, rows or nodes; 0 where nothing.

        Parameters
        ----------
        data
            The graph's data, by name.
        kind
            Beginning of the names of the columns.
        """
        cells = data[f"{kind.removesuffix('_node').replace('square', 'sum')}_authority"]
        of = self.along if kind.endswith("_node") else self.own
        level, slope, departure = (
            (data[f"{kind}_{name}"] * of(coefficient, cells)).sum(axis=-1)
            if coefficient is not None and f"{kind}_{name}" in data
            else 0.0
            for name, coefficient in (
                ("covariate", self.shifts.covariate),
                ("area_moderator", self.shifts.area_moderator),
                ("departure", self.shifts.departure),
            )
        )
        if self.shifts.departure is not None and f"{kind}_departure_slope" in data:
            steeper = (data[f"{kind}_departure_slope"] * self.shifts.departure).sum(axis=-1)
            slope += self.own(steeper, cells)
        return level + departure, slope
