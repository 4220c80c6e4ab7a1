"""How an outcome of authorities goes with their gradients (F10)."""

import json
from typing import Literal

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.reading.arguments import check_choice
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients, labelled

__all__ = ["outcome_association"]


def outcome_association(
    fit: xr.DataTree, *, steeper: float = 0.10, scale: Literal["ratio", "sd"] = "ratio"
) -> xr.DataArray:
    """Compare the outcome of authorities that are alike but for the steepness of their gradients.

    Parameters
    ----------
    fit
        From `socgrad.fit` on a `socgrad.OutcomeModel`.
    steeper
        How much steeper the one gradient is, as a share of the other's rate ratio, above 0: 0.10
        compares 1.98 with 1.80 (rate ratios per step of the fit).
    scale
        "ratio" compares gradients that differ by `steeper`; "sd" gradients one standard deviation
        of the authorities' slopes apart.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw, in the outcome's unit. Attrs estimand, units, per, reference, null (0).

    Raises
    ------
    EstimandError
        If the fit has no outcome, an option is unknown, or `steeper` is not above 0.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    With theta the regression coefficient of the outcome on the log gradient::

        ratio  theta * log(1 + steeper)
        sd     theta * slope_sd

    Interpretation
    --------------
    0.3 with an outcome in percentage points: where the gradient is a tenth steeper, the outcome is
    0.3 points higher, among authorities equal in what the model adjusts for. Zero is no
    association; whether higher is better depends on the outcome. It is about authorities, not
    children, and no effect of changing a gradient.

    Examples
    --------
    >>> from socgrad.estimands.outcome_association import outcome_association
    >>> from socgrad.reading.example import example_fit
    >>> fit = example_fit()  # draws of a regression are put in by hand: the example has none
    >>> theta = 5.0 + 0.0 * fit["posterior"]["within"].expand_dims(outcome_term=["gradient"])
    >>> fit["posterior"] = fit["posterior"].to_dataset().assign(outcome_coefficient=theta)
    >>> fit.attrs["outcome"] = '{"name": "absence, %", "terms": ["gradient"], "authorities": 6}'
    >>> outcome_association(fit).median().round(3).item()
    0.477
    """
    check_choice("scale", scale, ("ratio", "sd"))
    if not 0 < steeper < np.inf:
        raise EstimandError(f"steeper must be above 0 (0.10 is a tenth steeper); got {steeper}.")
    terms, land = coefficients(fit), geography(fit)
    if "outcome_coefficient" not in fit["posterior"] or "outcome" not in fit.attrs:
        raise EstimandError(
            "This fit has no outcome of authorities. Fit OutcomeModel(model, outcome=..., "
            "name=...), which estimates gradients and association at once; regressing on "
            "estimated gradients afterwards is biased or overconfident."
        )
    about = json.loads(fit.attrs["outcome"])
    every = fit["posterior"].to_dataset()["outcome_coefficient"]
    theta = every.sel(outcome_term="gradient", drop=True)
    by_ratio = scale == "ratio"
    difference = theta * (np.log1p(steeper) if by_ratio else terms.slope_sd)
    others = ", ".join(name for name in about["terms"] if name != "gradient") or "nothing else"
    step = f"a gradient {100 * steeper:g}% steeper" if by_ratio else "one SD of log gradients more"
    return labelled(
        difference,
        fit,
        estimand="outcome_association",
        units=f"difference of {about['name']}, for {step}",
        per=land.per,
        reference=f"authorities with the shallower gradient; adjusted for {others}",
        null=0.0,
    )
