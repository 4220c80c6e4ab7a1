"""Intervals for an observed count, without a model: what a rate's whiskers in a report are."""

import numpy as np
import numpy.typing as npt

from socgrad.errors import EstimandError

__all__ = ["poisson_interval"]

#: From this many events on Byar's approximation is used, as in England's public health reports.
_BYAR_FROM = 10


def poisson_interval(
    events: npt.ArrayLike, *, prob: float = 0.95
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Compute confidence limits for the mean of a Poisson count: Byar's, or exact below 10.

    Parameters
    ----------
    events
        Observed counts, 0 or more; NaN gives NaN.
    prob
        Coverage of the interval, within 0-1, ends excluded.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper limits, of the shape of `events`.

    Raises
    ------
    EstimandError
        If `prob` is not within 0-1, or a count lies below 0.

    Notes
    -----
    With z the normal quantile of (1 + prob) / 2, for O events from 10 on::

        lower = O (1 - 1 / (9 O) - z / (3 sqrt(O)))**3
        upper = (O + 1) (1 - 1 / (9 (O + 1)) + z / (3 sqrt(O + 1)))**3

    and below 10 the exact limits, quantiles of gamma distributions of shape O and O + 1. These are
    the rules of England's public health indicators.

    Interpretation
    --------------
    How far chance alone may have moved a count. It knows nothing of authorities or of differences
    between neighbourhoods beyond chance: where counts vary more than Poisson ones, it is too
    narrow.

    References
    ----------
    Breslow & Day 1987, Statistical Methods in Cancer Research II, IARC. Garwood 1936, Biometrika
    28(3/4), https://doi.org/10.1093/biomet/28.3-4.437.

    Examples
    --------
    >>> from socgrad.estimands.poisson_intervals import poisson_interval
    >>> lower, upper = poisson_interval([0, 100])
    >>> lower.round(2).tolist(), upper.round(2).tolist()
    ([0.0, 81.36], [3.69, 121.63])
    """
    # SciPy's functions take a moment to import, and only this needs them.
    from scipy.special import gammaincinv, ndtri  # noqa: PLC0415

    if not 0 < prob < 1:
        raise EstimandError(f"prob is {prob:g}; expected a probability between 0 and 1, as 0.95.")
    count = np.asarray(events, dtype=float)
    if (count < 0).any():
        raise EstimandError(
            f"{int((count < 0).sum())} of {count.size} counts lie below 0 (first: "
            f"{count[count < 0].flat[0]:g}). Expected numbers of events."
        )
    tail = (1 - prob) / 2
    is_few = count < _BYAR_FROM
    # Each formula sees only counts that it is for; of no events the exact lower limit is 0.
    few, many = np.where(is_few, count, 1.0), np.where(is_few, _BYAR_FROM, count)
    exact_lower = np.where(few > 0, gammaincinv(np.maximum(few, 1.0), tail), 0.0)
    exact_upper = gammaincinv(few + 1, 1 - tail)
    z = float(ndtri(1 - tail))
    lower = np.where(is_few, exact_lower, _byar(many, -z))
    upper = np.where(is_few, exact_upper, _byar(many + 1, z))
    return lower, upper


def _byar(count: npt.NDArray[np.float64], z: float) -> npt.NDArray[np.float64]:
    limit: npt.NDArray[np.float64] = count * (1 - 1 / (9 * count) + z / (3 * np.sqrt(count))) ** 3
    return limit
