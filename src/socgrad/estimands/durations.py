"""Durations: ratios of closure rates, read as ratios of how long involvement lasts."""

import xarray as xr

from socgrad.errors import EstimandError
from socgrad.reading.labels import are_labelled, label_draws

__all__ = ["duration_ratio"]


def duration_ratio(closures: xr.DataArray) -> xr.DataArray:
    """Turn ratios of closure rates into ratios of mean durations.

    Parameters
    ----------
    closures
        Ratios as the estimands return them (`gradient`, `inverse_intervention`, `between` ...) from
        a fit whose events are closures and whose exposure is the time open, such as child-months.

    Returns
    -------
    xarray.DataArray
        One over each draw; the same dims. Attrs estimand (``duration_`` and the ratio's own name),
        units, reference, null (1), per.

    Raises
    ------
    EstimandError
        If `closures` are no ratios, or not as an estimand returned them.

    Notes
    -----
    ::

        mean duration = 1 / closure rate,    duration ratio = 1 / ratio of closure rates

    This assumes that a case is as likely to close in its tenth month as in its first (a constant
    hazard), or a steady state: as many cases open as close, and the case mix does not change over
    the period. Where early months close most cases, and more so in some neighbourhoods, the ratio
    of closure rates still stands; that of durations is then only roughly its inverse.

    Interpretation
    --------------
    A rate ratio of closures of 0.9 per ten points says that cases close a tenth more slowly in the
    more deprived of two neighbourhoods: involvement lasts 1.11 times as long there.

    References
    ----------
    Little 1961, Operations Research 9(3), https://doi.org/10.1287/opre.9.3.383 (the steady state).

    Examples
    --------
    >>> from socgrad.estimands.durations import duration_ratio
    >>> from socgrad.estimands.gradients import gradient
    >>> from socgrad.reading.example import example_fit
    >>> duration_ratio(gradient(example_fit())).median().round(2).item()
    0.58
    """
    if not are_labelled(closures) or closures.attrs.get("null") != 1:
        raise EstimandError(
            f"{closures.name} is no ratio as an estimand returned it (its null is "
            f"{closures.attrs.get('null', 'not known')}; a ratio's is 1). Expected ratios of "
            "closure rates, such as socgrad.gradient(fit) of a fit of closures on child-months."
        )
    name = str(closures.attrs["estimand"])
    made = label_draws(
        1 / closures,
        estimand=f"duration_{name}",
        units=f"ratio of mean durations, inverse of: {closures.attrs['units']}",
        reference=f"{closures.attrs['reference']}; constant hazard or steady state",
        null=1.0,
    )
    if "importance_ess" in closures.attrs:
        made.attrs["importance_ess"] = closures.attrs["importance_ess"]
    if "per" in closures.attrs:
        made.attrs["per"] = closures.attrs["per"]
    return made
