"""Published gradients, and priors made of them for authority totals.

Totals say nothing directly of how rates rise inside an authority, so the gradient, how it changes
with authority deprivation and how it varies between authorities have to be stated together. Of the
three, England's gradients are published; of the others the direction alone is. `table` says which
is which.
"""

import math
from dataclasses import dataclass
from typing import Final

import pandas as pd

from socgrad.errors import SpecificationError
from socgrad.model.priors import Normal, PositiveNormal, Priors

__all__ = ["priors", "table"]

_STUDY: Final = "Goldacre & Hood 2022, https://doi.org/10.1093/bjsw/bcab255"


@dataclass(frozen=True)
class _Gradient:
    """A published rate ratio per 10 points in an average authority, and of what."""

    ratio: float
    events: str


#: School-aged children of England, 2018-19.
_GRADIENTS: Final = {
    "referral": _Gradient(1.62, "referrals"),
    "child_in_need_plan": _Gradient(1.64, "children in need"),
    "section_47": _Gradient(1.69, "section 47 enquiries"),
    "child_protection_plan": _Gradient(1.80, "child protection plans"),
}
_CROSS_LEVEL: Final = Normal(-0.05, 0.05)
_SLOPE_SD: Final = PositiveNormal(0.12, 0.03)


def priors(
    gradient: str | Normal,
    *,
    within_sd: float = 0.03,
    cross_level: Normal = _CROSS_LEVEL,
    slope_sd: PositiveNormal = _SLOPE_SD,
) -> Priors:
    """State what totals cannot tell: the gradient, how it changes, and how it varies.

    Parameters
    ----------
    gradient : str or Normal
        "referral", "child_in_need_plan", "section_47" or "child_protection_plan", for the published
        gradient of England; or a prior of the log gradient from another study, such as
        ``rate_ratio(1.7, interval=(1.5, 1.93))``.
    within_sd : float
        Standard deviation of the log gradient about the published one, above 0: 0.03 (6% either
        way) leaves room for children of other ages and for other years. Not used with a prior of
        your own.
    cross_level : Normal
        Change of the log gradient per 10 points of authority mean deprivation.
    slope_sd : PositiveNormal
        Standard deviation of log gradients between authorities of one mean deprivation.

    Returns
    -------
    Priors
        With these as `within`, `cross_level` and `slope_sd`; the others are the defaults. Change
        them with `dataclasses.replace`.

    Raises
    ------
    SpecificationError
        If `gradient` is neither one of the names nor a Normal, or `within_sd` is not above 0.

    Notes
    -----
    Published are the gradients, and that affluent authorities have the steeper ones. The size of
    `cross_level` and that of `slope_sd` were not found in print: the defaults are assumptions, and
    what rests on them has to be shown under others, as `examples/public_totals.py` does.

    Interpretation
    --------------
    With ``priors("child_protection_plan")`` the gradient of plans is 1.70 to 1.91 per 10 points,
    0.86 to 1.05 times that in an authority 10 points more deprived (95%).

    References
    ----------
    Goldacre & Hood 2022, British Journal of Social Work 52(6), https://doi.org/10.1093/bjsw/bcab255.

    Examples
    --------
    >>> import socgrad as sg
    >>> chosen = sg.published.priors("child_protection_plan")
    >>> [round(ratio, 2) for ratio in chosen.within.interval()]
    [1.7, 1.91]
    >>> chosen.cross_level, chosen.slope_sd
    (Normal(mean=-0.05, sd=0.05), PositiveNormal(mean=0.12, sd=0.03))
    """
    if isinstance(gradient, Normal):
        return Priors(within=gradient, cross_level=cross_level, slope_sd=slope_sd)
    if gradient not in _GRADIENTS:
        raise SpecificationError(
            f"gradient is {gradient!r}; expected {', '.join(map(repr, _GRADIENTS))}, whose "
            "gradients are published, or a prior from another study: rate_ratio(1.7, "
            "interval=(1.5, 1.93))."
        )
    within = Normal(math.log(_GRADIENTS[gradient].ratio), within_sd)
    return Priors(within=within, cross_level=cross_level, slope_sd=slope_sd)


def table() -> pd.DataFrame:
    """Tabulate what `priors` states, and on what authority.

    Returns
    -------
    pandas.DataFrame
        One row per prior: index `prior` ("within" of each kind of events, "cross_level",
        "slope_sd") and `events`; columns `value` (rate ratio per 10 points; ratio of gradients per
        10 points of authority deprivation; standard deviation of log gradients), `lower` and
        `upper` (95% of the prior, within_sd=0.03) and `source`.

    Examples
    --------
    >>> import socgrad as sg
    >>> stated = sg.published.table()
    >>> stated.loc[("within", "referrals"), "value"]
    np.float64(1.62)
    >>> stated.loc[("slope_sd", "all"), "source"]
    'no published size was found: an assumption, to be varied'
    """
    rows: list[tuple[str, str, float, float, float, str]] = []
    for name, one in _GRADIENTS.items():
        low, high = priors(name).within.interval()
        words = f"{_STUDY}: school-aged children, England 2018-19, average authority"
        rows.append(("within", one.events, one.ratio, low, high, words))
    low, high = _CROSS_LEVEL.interval()
    direction = (
        f"{_STUDY}: flatter in deprived authorities; the size is an assumption, to be varied"
    )
    rows.append(("cross_level", "all", math.exp(_CROSS_LEVEL.mean), low, high, direction))
    half = 1.96 * _SLOPE_SD.sd
    rows.append(
        (
            "slope_sd",
            "all",
            _SLOPE_SD.mean,
            _SLOPE_SD.mean - half,
            _SLOPE_SD.mean + half,
            "no published size was found: an assumption, to be varied",
        )
    )
    columns = ["prior", "events", "value", "lower", "upper", "source"]
    return pd.DataFrame(rows, columns=columns).set_index(["prior", "events"])
