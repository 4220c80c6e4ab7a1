"""Figures of gradients: how steep, in whose authority."""

from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr

from socgrad.estimands.curves import curve_at, exponential, points
from socgrad.estimands.gradients import gradient
from socgrad.plots.style import (
    STYLE,
    axes_or_new,
    band,
    deprivation_axis,
    draw_band,
    make_room,
    ratio_axis,
)
from socgrad.reading.data_marks import NO_DATA_SHORT
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients, require_split

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["gradients_by_deprivation"]

_POINTS: Final = 41


def gradients_by_deprivation(
    fit: xr.DataTree,
    *,
    prob: float = 0.95,
    deprivation: str = "Deprivation",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw each authority's gradient against its mean deprivation, with the model's line.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    prob
        Probability of the intervals and of the band, between 0 and 1.
    deprivation
        What deprivation measures, in words, for the label of the horizontal axis.
    ax
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: rate ratios per step of the fit on a logarithmic scale.

    Raises
    ------
    EstimandError
        If the model leaves deprivation or the split out, or `prob` lies outside 0-1.
    SchemaError
        If `fit` is not a socgrad fit.
    SocgradError
        If matplotlib is not installed.

    Notes
    -----
    Points and their intervals are ``gradient(fit, target="each")``; the line and its band are
    ``gradient(fit, authority_mean=...)`` from the least to the most deprived authority.

    Interpretation
    --------------
    A line that falls to the right says that gradients are steeper in affluent authorities. The band
    says how well the average authority's gradient is known; authorities spread more widely about it
    by as much as they differ for other reasons. An interval that is wide belongs to an authority
    with few events, which the model draws towards the line.

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.reading.example import example_fit
    >>> from matplotlib.figure import Figure
    >>> ax = sg.plots.gradients_by_deprivation(example_fit(), ax=Figure().subplots())
    >>> ax.get_xlabel()
    'Deprivation in the authority (%)'
    """
    terms, land = coefficients(fit), geography(fit)
    require_split(terms, "gradients_by_deprivation")
    ax = axes_or_new(ax)
    own = band(gradient(fit, target="each"), land.authority_mean.to_numpy(), prob=prob)
    ax.vlines(100 * own.x, own.low, own.high, color=STYLE.quiet, linewidth=STYLE.thin, alpha=0.5)
    interval = f"{100 * prob:g}% interval"
    known = land.authority_has_data
    for among, face, words in (
        (known, STYLE.ink, f"One authority, with its {interval}"),
        (~known, "white", f"Authority with {NO_DATA_SHORT} of its own"),
    ):
        if among.any():
            ax.plot(
                100 * own.x[among],
                own.middle[among],
                linestyle="none",
                marker="o",
                markersize=3.5,
                color=STYLE.ink,
                markerfacecolor=face,
                markeredgewidth=0 if face == STYLE.ink else STYLE.thin,
                label=words,
            )

    mean = np.linspace(own.x.min(), own.x.max(), _POINTS)
    at = xr.DataArray(mean, dims="authority_mean")
    # Without a cross-level term the slope has no dim of its own: the same at every mean.
    slope = curve_at(terms, land, at).slope * xr.ones_like(at)
    draw_band(
        ax,
        band(exponential(slope), mean, prob=prob),
        colour=STYLE.deprived,
        label=f"Average authority of that deprivation, with {interval}",
    )

    deprivation_axis(ax, f"{deprivation} in the authority (%)")
    step = points(land.per)
    ratio_axis(ax, f"Gradient: rate ratio per {step} of\nneighbourhood deprivation")
    make_room(ax, rows=2 + int(not known.all()))
    ax.legend(loc="upper right", edgecolor="none", framealpha=1, fontsize="small")
    return ax
