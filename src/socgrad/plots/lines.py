"""Figure of every authority's own line over its own neighbourhoods."""

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.estimands.curves import curve_of, rate_at
from socgrad.plots.style import STYLE, axes_or_new, colours, deprivation_axis, rate_axis
from socgrad.ranks import weighted_quantile
from socgrad.reading.posterior import Geography, coefficients, geography, require_deprivation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RATE_PER", "authority_lines", "supported"]

RATE_PER: Final = 10_000
#: A line is drawn where its middle 90% of children live: beyond, a handful of areas would back it.
_SUPPORT: Final = (0.05, 0.95)
_POINTS: Final = 41


def authority_lines(
    fit: xr.DataTree,
    *,
    deprivation: str = "Deprivation",
    events: str = "Events",
    exposure: str = "of exposure",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw every authority's own line over its own neighbourhoods, coloured by its deprivation.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    deprivation
        What deprivation measures, in words, for the labels of the horizontal axis and the colours.
    events, exposure
        What is counted and what it is counted per ("children", say), in words, for the label of the
        vertical axis.
    ax
        Axes to draw on; by default new ones. A colour bar is set beside them.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on, rates per 10,000 on a logarithmic scale; one line per authority, in the
        order of the fit.

    Raises
    ------
    EstimandError
        If the model leaves deprivation out.
    SchemaError
        If `fit` is not a socgrad fit.
    SocgradError
        If matplotlib is not installed.

    Notes
    -----
    Each line is the posterior median of ``expected_rate(fit, target="each")``, from the 5th to the
    95th percentile of the deprivation that the authority's own children live in.

    Interpretation
    --------------
    A line that rises says that within this authority deprived neighbourhoods meet more
    intervention. Where blue lines (affluent authorities) lie above vermilion ones at the same
    neighbourhood deprivation, such a neighbourhood meets more intervention in an affluent
    authority. Intervals are not drawn: do not rank authorities by this figure.

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.reading.example import example_fit
    >>> from matplotlib.figure import Figure
    >>> ax = sg.plots.authority_lines(example_fit(), ax=Figure().subplots())
    >>> len(ax.lines)
    6
    """
    terms, land = coefficients(fit), geography(fit)
    require_deprivation(terms, "authority_lines")
    ax = axes_or_new(ax)
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415 matplotlib is optional
    from matplotlib.colors import Normalize  # noqa: PLC0415

    means = 100 * land.authority_mean.to_numpy()
    scale = ScalarMappable(Normalize(means.min(), means.max()), colours())
    for position, label in enumerate(land.authority_mean["authority"].to_numpy().tolist()):
        x = supported(land, land.authority_of_area == position)
        rates = rate_at(curve_of(terms, land, label, own_effects=True), x)
        ax.plot(
            100 * x,
            RATE_PER * rates.median(("chain", "draw")),
            color=scale.to_rgba(means[position]),
            linewidth=STYLE.thin,
            alpha=0.8,
        )
    bar = ax.figure.colorbar(scale, ax=ax, label=f"{deprivation} in the authority (%)")
    bar.outline.set_visible(False)
    deprivation_axis(ax, f"{deprivation} in the neighbourhood (%)")
    rate_axis(ax, f"{events} per {RATE_PER:,} {exposure}")
    return ax


def supported(land: Geography, among: npt.NDArray[np.bool_]) -> xr.DataArray:
    """Deprivations from the 5th to the 95th percentile of the marked areas' children."""
    low, high = weighted_quantile(land.deprivation[among], land.children[among], _SUPPORT)
    return xr.DataArray(np.linspace(low, high, _POINTS), dims="deprivation")
