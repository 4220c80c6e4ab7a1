"""Which numbers a prior decides: every draw weighed as if its prior were half as strong."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from socgrad.checks.prior_density import (
    log_density,
    parameter_label,
    parameters_of,
    recorded_priors,
)
from socgrad.errors import EstimandError
from socgrad.terms import TERMS

__all__ = ["about_priors", "prior_weights"]

#: Power to which each prior is raised.
_POWER: Final = 0.5
#: Shift in posterior SDs, and growth of the SD, from which a prior is said to decide: where it
#: holds about half of what is known, the SD grows by 15%.
_SHIFT: Final = 0.3
_GROWTH: Final = 1.15


def prior_weights(fit: xr.DataTree) -> pd.DataFrame:
    """Move every parameter's posterior to a prior half as strong, by weighing draws.

    Parameters
    ----------
    fit
        From `socgrad.fit`; no counts are needed.

    Returns
    -------
    pandas.DataFrame
        One row per parameter: `shift` of its mean, in posterior SDs; `growth` of its SD, as a
        ratio; and whether its prior `decides`: a shift of 0.3 or a growth of 1.15. Empty where
        the fit does not record its priors.

    Notes
    -----
    Each parameter by itself: draws weigh ``p(theta)**(0.5 - 1)``, p its own prior. Where the
    likelihood is normal and r is the posterior variance over the prior's, the SD grows by
    ``1 / sqrt(1 - r / 2)``.

    References
    ----------
    Kallioinen et al. 2024, Statistics and Computing 34,
    https://doi.org/10.1007/s11222-023-10366-5.
    """
    try:
        priors = recorded_priors(fit)
    except EstimandError:
        priors = {}
    draws = fit["posterior"].to_dataset()
    rows = {}
    for name, column, values in parameters_of(draws):
        kind = TERMS[name]
        prior = priors.get(kind.prior_name or name)
        if prior is None or not np.ptp(values) > 0:
            continue
        chosen = prior if column is None else prior[column]
        log_weight = (_POWER - 1.0) * log_density(kind.prior, chosen, values)
        rows[parameter_label(draws, name, column)] = _moved(values, log_weight)
    columns = ["shift", "growth", "decides"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns[:2])
    table["decides"] = (table["shift"].abs() >= _SHIFT) | (table["growth"] >= _GROWTH)
    return table.rename_axis("parameter")


def about_priors(table: pd.DataFrame) -> str:
    """Say which numbers their priors decide; empty where none does.

    Parameters
    ----------
    table
        From `prior_weights`.
    """
    decided = table[table["decides"].astype(bool)]
    if decided.empty:
        return ""
    named = "; ".join(
        f"{name} (a prior half as strong {_what_it_does(row['shift'], row['growth'])})"
        for name, row in decided.iterrows()
    )
    return (
        f"The prior decides on {named}: say so where such a number is reported, hold it against "
        "socgrad.prior_checks.compare_prior(fit), and fit again with a wider prior."
    )


def _what_it_does(shift: float, growth: float) -> str:
    """In words; what rounds to nothing is not said."""
    moves, widens = f"{abs(shift):.1f}", round(100 * (growth - 1))
    words = [f"moves it by {moves} of its sd"] if moves != "0.0" else []
    if widens:
        words.append(f"{'widens' if widens > 0 else 'narrows'} it by {abs(widens)}%")
    return " and ".join(words)


def _moved(values: npt.NDArray[np.float64], log_weight: npt.NDArray[np.float64]) -> list[float]:
    """Shift of the mean in SDs and growth of the SD under weights."""
    weight = np.exp(log_weight - log_weight.max())
    mean, sd = values.mean(), values.std()
    new = np.average(values, weights=weight)
    wider = np.sqrt(np.average((values - new) ** 2, weights=weight))
    return [float((new - mean) / sd), float(wider / sd)]
