"""Figure of the gradients of stages or strata, from the first to the last."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.errors import EstimandError
from socgrad.estimands.curves import points
from socgrad.estimands.gradients import gradient
from socgrad.plots.style import (
    STYLE,
    axes_or_new,
    check_prob,
    colours,
    make_room,
    quiet_frame,
    ratio_axis,
)
from socgrad.plots.words import in_lines
from socgrad.ranks import weighted_quantile
from socgrad.reading.by_stratum import stratum, stratum_labels
from socgrad.reading.geography import geography
from socgrad.schema import is_stratified

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["fits_by_name", "gradient_ladder"]


def gradient_ladder(
    fits: "xr.DataTree | Mapping[str, xr.DataTree]",
    *,
    authority_quantiles: Sequence[float] | None = None,
    prob: float = 0.95,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the gradient of every stage or stratum, from the first to the last.

    Parameters
    ----------
    fits
        A fit of several strata, or fits by name, in the order to be drawn.
    authority_quantiles
        Child-weighted quantiles of authority means, shares within 0-1, such as (0.1, 0.9): whose
        gradients are drawn. By default an authority of the national mean.
    prob
        Probability of the intervals, between 0 and 1.
    ax
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: rate ratios per step of the fit on a logarithmic scale.

    Raises
    ------
    EstimandError
        If there are no fits, a fit without strata was given by itself, their steps differ, or an
        option is out of range.
    SchemaError
        If a fit is not a socgrad fit.
    SocgradError
        If matplotlib is not installed.

    Notes
    -----
    Points and intervals are ``gradient(fit)``, or ``gradient(fit, authority_mean=...)`` at the
    quantiles of each fit's own authorities.

    Interpretation
    --------------
    A ladder that rises says that deprivation matters more the further intervention goes. Intervals
    of two stages may overlap and the stages yet differ: the same children are counted at both. Ask
    for the ratio of the two gradients, draw by draw.

    Examples
    --------
    >>> import socgrad as sg
    >>> from matplotlib.figure import Figure
    >>> from socgrad.reading.example import example_fit_of_stages
    >>> ax = sg.plots.gradient_ladder(example_fit_of_stages(), ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_xticklabels()]
    ['Referral', 'Assessment', 'Plan']
    """
    check_prob(prob)
    named = fits_by_name(fits, "gradient_ladder")
    steps = {geography(fit).per for fit in named.values()}
    if len(steps) > 1:
        raise EstimandError(
            f"The fits have {len(steps)} steps of deprivation ({', '.join(map(str, steps))}), so "
            "their gradients are per different steps. Fit them with one value of per."
        )
    shares: list[float | None] = [None] if authority_quantiles is None else [*authority_quantiles]
    ax = axes_or_new(ax)
    tails = [(1 - prob) / 2, 0.5, (1 + prob) / 2]
    across = np.linspace(-0.1, 0.1, len(shares)) if len(shares) > 1 else np.zeros(1)
    interval = f"{100 * prob:g}% interval"
    for number, (share, off) in enumerate(zip(shares, across, strict=True)):
        low, middle, high = np.transpose(
            [_gradient_at(fit, share).quantile(tails).to_numpy() for fit in named.values()]
        )
        colour = STYLE.ink if share is None else _side(number, len(shares))
        x = np.arange(len(named)) + off
        ax.plot(x, middle, color=colour, linewidth=STYLE.thin, alpha=0.5)
        ax.vlines(x, low, high, color=colour, linewidth=STYLE.line)
        whose = "Average authority"
        if share is not None:
            whose = f"Authority at the {_ordinal(share)} of deprivation"
        ax.plot(x, middle, "o", color=colour, markersize=6, label=f"{whose}, {interval}")
        if share is None:
            _values(ax, x, middle)
    quiet_frame(ax)
    ax.set_xticks(range(len(named)), [in_lines(name, 16) for name in named])
    ax.set_xlim(-0.5, len(named) - 0.5)
    ratio_axis(ax, f"Gradient: rate ratio per {points(steps.pop())} of\nneighbourhood deprivation")
    make_room(ax, rows=len(shares))
    ax.legend(loc="upper left", frameon=False, fontsize="small")
    return ax


def fits_by_name(
    fits: "xr.DataTree | Mapping[str, xr.DataTree]", figure: str
) -> dict[str, xr.DataTree]:
    """Fits by the name of their stage, from a mapping or the strata of one fit.

    Raises
    ------
    EstimandError
        If there are none, or a fit without strata was given by itself; the message names `figure`.
    """
    if not isinstance(fits, xr.DataTree | Mapping):
        raise EstimandError(
            f"{figure} got a {type(fits).__name__}. Expected a fit of several strata, or "
            "fits by name; for draws of any estimand there is caterpillar."
        )
    if not isinstance(fits, xr.DataTree):
        if not fits:
            raise EstimandError("There are no fits to draw. Expected one or more, by name.")
        return dict(fits)
    if not is_stratified(fits):
        raise EstimandError(
            f"This fit has no strata, and {figure} draws several. Give fits by name, "
            "{'Referrals': first, 'Plans': second}, or a fit of a StratifiedModel."
        )
    return {str(label): stratum(fits, label) for label in stratum_labels(fits)}


def _gradient_at(fit: xr.DataTree, share: float | None) -> xr.DataArray:
    """Draws of the gradient in an authority at a quantile of the fit's means."""
    if share is None:
        return gradient(fit)
    land = geography(fit)
    mean = weighted_quantile(land.authority_mean, land.authority_children, share).item()
    return gradient(fit, authority_mean=mean).isel(authority_mean=0)


def _values(ax: "Axes", x: FloatArray, middle: FloatArray) -> None:
    """Write each value right of its point, on the side of it that the line to the next leaves."""
    rises = np.append(np.diff(middle) >= 0, [True])
    for place, value, is_above in zip(x, middle, rises, strict=True):
        ax.annotate(
            f"{value:.2f}",
            (place, value),
            xytext=(7, -3 if is_above else 3),
            textcoords="offset points",
            va="top" if is_above else "bottom",
            color=STYLE.ink,
        )


def _side(number: int, of: int) -> "str | tuple[float, ...]":
    """Colour of one of several authorities, from affluent to deprived."""
    return colours()(number / (of - 1)) if of > 1 else STYLE.ink


def _ordinal(share: float) -> str:
    """Words for a quantile: 0.1 is the 10th percentile."""
    percent = 100 * share
    whole = round(percent)
    ending = (
        {1: "st", 2: "nd", 3: "rd"}.get(whole % 10, "th") if whole not in (11, 12, 13) else "th"
    )
    return f"{percent:g}{ending} percentile"
