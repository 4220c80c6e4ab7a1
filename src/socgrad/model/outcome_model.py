"""An outcome of authorities beside the gradients of neighbourhoods, as one specification."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from socgrad.arrays import FloatArray
from socgrad.door.by_authority import given_measure, rows_by_authority
from socgrad.door.table_checks import column
from socgrad.equality import ComparedAsAWhole
from socgrad.errors import SpecificationError
from socgrad.model.gradient_model import GradientModel

__all__ = ["OutcomeModel"]

#: Fewer authorities than this for each term of the regression leave nothing to learn from.
_PER_TERM = 3


@dataclass(frozen=True, eq=False)
class OutcomeModel(ComparedAsAWhole):
    """Do authorities with steeper gradients have better outcomes? Both parts in one model.

    Parameters
    ----------
    gradient_model : GradientModel
        The model of the events, with random slopes.
    outcome : mapping or Series
        A number for each authority, by label, in any unit: a continuous outcome of the authority.
    name : str
        What it is, for labels, with its unit: "persistent absence, %".
    controls : pandas.DataFrame, optional
        Further predictors, one numeric column each: a pandas DataFrame, or any table with a
        ``to_pandas`` method, whose index, or whose column named as the areas' own, holds the labels
        of authorities.
    standard_errors : mapping or Series, optional
        Standard error of each authority's outcome, in its unit, if it is itself an estimate.
    adjust_for_deprivation : bool
        Whether the authority's mean deprivation is a predictor too. By default it is: deprived
        authorities have shallower gradients and, for other reasons, other outcomes.
    adjust_for_level : bool
        Whether the authority's level effect (its rate, compared with authorities as deprived) is a
        predictor too.
    missing_outcomes : {"refuse", "leave out"}
        Refuse authorities without an outcome or a control, or leave them out of the regression;
        their events count all the same.

    Raises
    ------
    SpecificationError
        If the gradient model has no random slopes, the outcome or a control is constant, controls
        depend on one another, or too few authorities have an outcome.
    TableError
        If labels are unknown or given twice, or values are missing or no numbers.

    Notes
    -----
    With s_j = slope_effect_j (adjusted for deprivation b_j) or cross_level * b_j + slope_effect_j
    (not adjusted), and with the outcome z, b and the controls c in standard deviations about their
    means::

        z_j ~ Normal(mu_j, sqrt(sigma^2 + se_j^2))
        mu_j = intercept + theta s_j / slope_sd [+ eta level_effect_j / level_sd] [+ delta b_j]
               + kappa . c_j
        intercept ~ Normal(0, 1); theta, eta, delta, kappa ~ Normal(0, 0.5); sigma ~ HalfNormal(1)

    Draws are in natural units again: of the outcome per unit of log gradient, of log rate, per step
    of deprivation and per unit of a control. The slopes and the regression are estimated
    at once, so the slopes' uncertainty is carried through. Two stages are not the same: regressing
    on slopes estimated one authority at a time, or on each posterior draw in turn, pulls the
    association towards zero; regressing on posterior means takes the slopes as known (measured in
    ``docs/validation.md``).

    An association of authorities says nothing of children, nor of causes.

    References
    ----------
    Carroll, Ruppert, Stefanski & Crainiceanu 2006, Measurement Error in Nonlinear Models, 2nd ed.,
    doi 10.1201/9781420010138 (why a noisy predictor attenuates).

    Examples
    --------
    >>> import socgrad as sg
    >>> frame = sg.simulate(authorities=20, areas=400, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(frame, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation", complete=True)
    >>> absence = {name: 4.0 + 0.1 * k for k, name in enumerate(areas.authority)}
    >>> model = sg.OutcomeModel(sg.GradientModel(areas), outcome=absence, name="absence, %")
    >>> int(model.known.sum()), model.terms
    (20, ('gradient', 'deprivation'))
    """

    gradient_model: GradientModel
    outcome: Mapping[Any, float] | pd.Series[Any] = field(kw_only=True)
    name: str = field(kw_only=True)
    controls: object = field(default=None, kw_only=True)
    standard_errors: Mapping[Any, float] | pd.Series[Any] | None = field(default=None, kw_only=True)
    adjust_for_deprivation: bool = field(default=True, kw_only=True)
    adjust_for_level: bool = field(default=False, kw_only=True)
    missing_outcomes: Literal["refuse", "leave out"] = field(default="refuse", kw_only=True)
    #: By authority: the outcome, its standard error, the controls; and which authorities count.
    values: FloatArray = field(init=False, repr=False)
    errors: FloatArray = field(init=False, repr=False)
    control_values: FloatArray = field(init=False, repr=False)
    known: np.ndarray[Any, np.dtype[np.bool_]] = field(init=False, repr=False)
    _control_names: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.gradient_model, GradientModel):
            raise SpecificationError(
                f"OutcomeModel needs a GradientModel, got {type(self.gradient_model).__name__}."
            )
        if not self.gradient_model.random_levels:
            raise SpecificationError(
                "OutcomeModel relates an outcome of authorities to their gradients, and this model "
                "is of one authority alone: one point has no regression."
            )
        if not self.gradient_model.random_slopes:
            raise SpecificationError(
                "OutcomeModel relates an outcome to the authorities' own gradients, but this "
                "gradient model has random_slopes=False: all share one. Leave random_slopes out."
            )
        if self.gradient_model.formulas.any:
            raise SpecificationError(
                "OutcomeModel takes the authorities' gradients from a model of deprivation alone: "
                "with covariates, what is left of a gradient would stand for the whole. Leave the "
                "covariates out of the gradient model, and give them as controls."
            )
        if self.missing_outcomes not in ("refuse", "leave out"):
            raise SpecificationError(
                f"missing_outcomes={self.missing_outcomes!r} is not 'refuse' or 'leave out'."
            )
        if self.adjust_for_deprivation and self.gradient_model.deprivation != "split":
            raise SpecificationError(
                "adjust_for_deprivation=True needs the authorities' mean deprivation, but the "
                f"gradient model has deprivation={self.gradient_model.deprivation!r}. Choose "
                "deprivation='split', or adjust_for_deprivation=False."
            )
        self._read_numbers()
        self._check_design()

    @property
    def control_names(self) -> tuple[str, ...]:
        """Names of the controls, in their order."""
        return self._control_names

    @property
    def terms(self) -> tuple[str, ...]:
        """What the outcome is related to, beside a constant."""
        return (
            "gradient",
            *(("level",) if self.adjust_for_level else ()),
            *(("deprivation",) if self.adjust_for_deprivation else ()),
            *self.control_names,
        )

    def _read_numbers(self) -> None:
        """Match every number to the authorities, by label."""
        authority = self.gradient_model.areas.authority
        needed = self.missing_outcomes == "refuse"
        values = given_measure(self.outcome, authority, argument="outcome", needed=needed)
        errors = np.zeros(len(authority))
        if self.standard_errors is not None:
            errors = given_measure(
                self.standard_errors, authority, argument="standard_errors", needed=needed
            )
            if (errors < 0).any():
                raise SpecificationError("standard_errors has negative values; expected 0 or more.")
        names: tuple[str, ...] = ()
        columns = []
        if self.controls is not None:
            table = rows_by_authority(
                self.controls,
                authority,
                authority=self.gradient_model.areas.names["authority"],
                argument="controls",
            )
            names = tuple(map(str, table.columns))
            columns = [
                given_measure(
                    column(table, name, role="control"),
                    authority,
                    argument=f"controls[{name!r}]",
                    needed=needed,
                )
                for name in table.columns
            ]
        object.__setattr__(self, "_control_names", names)
        controls = np.column_stack(columns) if columns else np.empty((len(authority), 0))
        known = ~(np.isnan(values) | np.isnan(errors) | np.isnan(controls).any(axis=1))
        for attribute, array in (
            ("values", values),
            ("errors", errors),
            ("control_values", controls),
            ("known", known),
        ):
            array.setflags(write=False)
            object.__setattr__(self, attribute, array)

    def _check_design(self) -> None:
        known = int(self.known.sum())
        least = _PER_TERM * (1 + len(self.terms))
        if known < least:
            raise SpecificationError(
                f"{known} authorities have an outcome and all controls; a regression on "
                f"{len(self.terms)} terms ({', '.join(self.terms)}) needs at least {least}. Leave "
                "terms out, or give more authorities an outcome."
            )
        columns = {self.name: self.values[self.known]}
        columns |= {
            name: self.control_values[self.known, k] for k, name in enumerate(self.control_names)
        }
        for name, values in columns.items():
            if np.ptp(values) == 0:
                raise SpecificationError(
                    f"{name!r} is {values[0]:g} in all {known} authorities: a constant neither "
                    "varies with the gradients nor explains anything. Leave it out."
                )
        design = [np.ones(known), *list(columns.values())[1:]]
        if self.adjust_for_deprivation:
            design.append(self.gradient_model.areas.authority_mean[self.known])
        scaled = np.column_stack(design)
        scaled = scaled / np.linalg.norm(scaled, axis=0)
        if np.linalg.matrix_rank(scaled, tol=1e-8) < len(design):
            raise SpecificationError(
                f"The controls ({', '.join(self.control_names)}) depend on one another, on a "
                "constant or on the authorities' mean deprivation: their coefficients cannot be "
                "told apart. Leave one out."
            )
