"""How authorities drift over years: standard deviations of a year, and autocorrelations."""

from typing import Final

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.curves import points
from socgrad.reading.by_stratum import years_facts
from socgrad.reading.posterior import labelled
from socgrad.schema import DRIFT

__all__ = ["drift"]

_CONSTANT: Final = "given authority deprivation"


def drift(fit: xr.DataTree, *, per: float | None = None) -> xr.Dataset:
    """Give what a fit of years says of its authorities' drift, of the population of authorities.

    Parameters
    ----------
    fit
        From `socgrad.fit` on a `StratifiedModel` with ``authority_effects=years.Drift(...)``.
    per
        Step of deprivation of slopes, proportion; by default the fit's own.

    Returns
    -------
    xarray.Dataset
        Of what the model has, dims chain, draw: `level_constant_sd`, `slope_constant_sd` and
        `constant_correlation` of the constant part; `level_drift_sd` and `slope_drift_sd` of a
        year's innovation (or trend); `level_autocorrelation` and `slope_autocorrelation`;
        `level_break_sd` and `slope_break_sd`.

    Raises
    ------
    EstimandError
        If the authorities of this fit do not drift.
    SchemaError
        If `fit` is no fit of years.

    Interpretation
    --------------
    A `level_drift_sd` of 0.08 of a random walk: from one year to the next, the rate of two in three
    authorities moves by up to 8% beside what the nation does. An autoregressive level moves by
    ``sqrt(2 / (1 + autocorrelation))`` times as much, a trend by so much every year. An
    autocorrelation of 0.8: of where an authority stands beside its constant part, four fifths are
    there a year later. With fewer than six years an autocorrelation is hardly more than its prior.

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.reading.years_example import example_fit_of_years
    >>> sg.years.drift(example_fit_of_years())["level_drift_sd"].median().round(2).item()
    0.1
    """
    facts = years_facts(fit)
    draws = fit["posterior"].to_dataset()
    there = [name for name in DRIFT if name in draws]
    if not there:
        raise EstimandError(
            "The authorities of this fit have no drift: their years were fitted by themselves, or "
            "with any correlations (socgrad.stages.stratum_correlations says which). Fit "
            "StratifiedModel(panel, authority_effects=socgrad.years.Drift())."
        )
    own = float(fit["constant_data"]["per"])
    step = own if per is None else per
    if not 0 < step <= 1:
        raise EstimandError(f"per={per} is no step of deprivation. Expected a proportion, as 0.10.")
    forms = {"level": facts["drift"]["levels"], "slope": facts["drift"]["slopes"]}
    made = {}
    for name in there:
        of_slope = name.startswith("slope")
        is_sd = name.endswith("_sd")
        kind = "log gradient per " + points(step) if of_slope else "log rate"
        values = draws[name] * (step / own if of_slope and is_sd else 1.0)
        form = forms["slope" if of_slope else "level"]
        made[name] = labelled(
            values,
            fit,
            estimand=name,
            units=(f"{kind}, standard deviation" if is_sd else "correlation"),
            per=step,
            reference=f"{DRIFT[name][0].split(',')[0]}, {_CONSTANT}"
            + (f"; {form}" if "drift" in name or "auto" in name else ""),
            null=None if is_sd else 0.0,
        )
    if any(not np.isfinite(one.to_numpy()).all() for one in made.values()):
        raise EstimandError("Draws of the drift are not finite. Look at check_sampling first.")
    return xr.Dataset(made)
