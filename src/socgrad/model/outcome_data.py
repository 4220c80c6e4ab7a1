"""The outcome of a model and its predictors, in standard deviations about their means."""

import numpy as np
import xarray as xr

from socgrad.model.outcome_model import OutcomeModel

__all__ = ["COEFFICIENT_SD", "CONSTANT_SD", "NOISE_SD", "outcome_data"]

#: Standard deviations of the priors, in those of the outcome: of the constant and of coefficients,
#: which are normal about 0, and of the half-normal prior of the outcome's own.
CONSTANT_SD, COEFFICIENT_SD, NOISE_SD = 1.0, 0.5, 1.0


def outcome_data(model: OutcomeModel) -> xr.Dataset:
    """What the regression reads, standardised; `outcome_unit` is the outcome's mean and SD."""
    known = model.known
    outcome = model.values[known]
    centre, unit = outcome.mean(), outcome.std(ddof=1)
    columns = [model.control_values[known]]
    if model.adjust_for_deprivation:
        areas = model.gradient_model.areas
        columns.insert(0, ((areas.authority_mean - areas.national_mean) / areas.per)[known, None])
    given = np.hstack(columns)
    scale = given.std(axis=0, ddof=1)
    return xr.Dataset(
        {
            "outcome_value": ("outcome_authority", (outcome - centre) / unit),
            "outcome_error": ("outcome_authority", model.errors[known] / unit),
            "outcome_row": ("outcome_authority", np.flatnonzero(known)),
            "outcome_predictors": (
                ("outcome_authority", "outcome_given"),
                (given - given.mean(axis=0)) / scale,
            ),
            "outcome_predictor_scale": ("outcome_given", scale),
            "outcome_unit": ("moment", np.array([centre, unit])),
        }
    )
