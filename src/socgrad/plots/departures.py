"""Figure of departures from a log-linear gradient: whether a straight line is good enough."""

from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.estimands.curves import bend_of, exponential
from socgrad.estimands.deprivation_ratios import of_tenths
from socgrad.plots.style import (
    STYLE,
    axes_or_new,
    band,
    deprivation_axis,
    draw_band,
    ratio_axis,
)
from socgrad.ranks import weighted_quantile
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["departure_curve"]

#: Shares of all children between which the curve is drawn.
_RANGE: Final = (0.005, 0.995)
_POINTS: Final = 201


def departure_curve(
    fit: xr.DataTree,
    *,
    prob: float = 0.95,
    deprivation: str = "Deprivation",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw how far rates lie off the log-linear line, all along deprivation.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`, of a
        model with shape "tenths" or "spline".
    prob
        Probability of the intervals, between 0 and 1.
    deprivation
        What deprivation measures, in words, for the label of the horizontal axis.
    ax
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on, ratios on a logarithmic scale.

    Raises
    ------
    EstimandError
        If the gradient of the model is a line by construction, or `prob` lies outside 0-1.
    SchemaError
        If `fit` is not a socgrad fit.
    SocgradError
        If matplotlib is not installed.

    Notes
    -----
    The numbers are those of `socgrad.shapes.departure_from_line`, for 99% of children. Of steps,
    each tenth of neighbourhoods is drawn over the deprivation that it covers, at the height of its
    mean deprivation.

    Interpretation
    --------------
    Where the band runs along the line at 1, one gradient describes all neighbourhoods. A curve that
    falls below it at both ends belongs to a gradient that is steep where deprivation is low and
    flattens where it is high.

    Examples
    --------
    >>> import socgrad as sg
    >>> from matplotlib.figure import Figure
    >>> from socgrad.reading.departure_example import bent_example_fit
    >>> ax = sg.plots.departure_curve(bent_example_fit(), ax=Figure().subplots())
    >>> ax.get_ylabel()
    'Rate over that of a straight line'
    """
    terms, land = coefficients(fit), geography(fit)
    bend = bend_of(terms, land)
    if bend is None:
        raise EstimandError(
            "departure_curve has nothing to draw: this model's gradient is a line. Fit one with "
            "GradientModel(areas, shape='spline') or shape='tenths'."
        )
    first, last = weighted_quantile(land.deprivation, land.children, _RANGE).tolist()
    x = at = np.linspace(first, last, _POINTS)
    if not bend.departures.is_spline:
        # Each step from its own edge to the next one's: two points apiece.
        edges = np.concatenate([[first], bend.departures.places, [last]])
        x = np.stack([edges[:-1], edges[1:]], axis=1).ravel()
        at = np.repeat(of_tenths(land, bend.departures), 2)
    ratio = exponential(bend.at(xr.DataArray(at, dims="deprivation")))
    ax = axes_or_new(ax)
    ax.axhline(1, color=STYLE.ink, linewidth=STYLE.thin)
    draw_band(
        ax,
        band(ratio, x, prob=prob),
        colour=STYLE.deprived,
        label=f"Departure from the line, {100 * prob:g}% interval",
    )
    deprivation_axis(ax, f"{deprivation} in the neighbourhood (%)")
    ratio_axis(ax, "Rate over that of a straight line")
    ax.set_xlim(100 * first, 100 * last)
    ax.legend(loc="best", edgecolor="none", framealpha=1, fontsize="small")
    return ax
