"""What the levels and slopes of authorities depend on: deprivation and covariates of theirs."""

from dataclasses import dataclass

import numpy as np

from socgrad.arrays import FloatArray, IntArray
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal
from socgrad.schema import COEFFICIENTS

__all__ = ["Predictors", "coefficient_priors", "joined", "predictors"]


@dataclass(frozen=True, eq=False)
class Predictors:
    """Predictors of some authorities (j,).

    Attributes
    ----------
    between_part : ndarray, shape (j,)
        As in `socgrad.schema.CONSTANTS`.
    level, slope : dict of str to ndarray
        By the name of each coefficient, the column that it multiplies, (j,).
    """

    between_part: FloatArray
    level: dict[str, FloatArray]
    slope: dict[str, FloatArray]

    def __len__(self) -> int:
        return len(self.between_part)

    def of(self, authority: IntArray) -> "Predictors":
        """The same for chosen authorities."""
        return Predictors(
            self.between_part[authority],
            {name: column[authority] for name, column in self.level.items()},
            {name: column[authority] for name, column in self.slope.items()},
        )


def predictors(model: GradientModel) -> Predictors:
    """The predictors of a model's authorities."""
    designs = model.designs
    level, slope = (
        {_name(kind, k): column for k, column in enumerate(columns.matrix.T)}
        for kind, columns in (
            ("authority_covariate_coefficient", designs.authority_covariates),
            ("moderator_coefficient", designs.moderators),
        )
    )
    return Predictors(model.between_part, level, slope)


def coefficient_priors(model: GradientModel) -> dict[str, Normal]:
    """The prior of each coefficient of a covariate of authorities, by its name here."""
    given = model.coefficient_priors
    return {
        _name(kind, k): prior
        for kind in ("authority_covariate_coefficient", "moderator_coefficient")
        for k, prior in enumerate(given.get(kind, ()))
    }


def joined(values: dict[str, FloatArray]) -> dict[str, tuple[str | None, FloatArray]]:
    """Put coefficients of one kind side by side: by name, the last dim (or None) and the values."""
    made: dict[str, tuple[str | None, FloatArray]] = {}
    for name, value in values.items():
        kind = name.split("[")[0]
        if kind == name:
            made[name] = (None, value)
        elif kind not in made:
            columns = [column for other, column in values.items() if other.split("[")[0] == kind]
            made[kind] = (COEFFICIENTS[kind][0], np.stack(columns, axis=-1))
    return made


def _name(kind: str, k: int) -> str:
    return f"{kind}[{k}]"
