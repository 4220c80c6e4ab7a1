"""Figure of the contextual effect: the rate ratio of two authorities over neighbourhoods."""

from collections.abc import Hashable
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import xarray as xr

from socgrad.estimands.contrasts import contrast, log_ratio_at
from socgrad.estimands.curves import exponential
from socgrad.plots.style import (
    STYLE,
    axes_or_new,
    band,
    deprivation_axis,
    draw_band,
    make_room,
    ratio_axis,
)
from socgrad.ranks import weighted_quantile
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients, require_split
from socgrad.reading.support import FEW, count_near

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["inverse_intervention_curve"]

#: Shares of all children between which the curve is drawn.
_RANGE: Final = (0.01, 0.99)
_POINTS: Final = 101
_TENTH: Final = (0.1, 0.9)


def inverse_intervention_curve(
    fit: xr.DataTree,
    *,
    authority_means: tuple[float, float] | None = None,
    authority_quantiles: tuple[float, float] | None = None,
    authorities: tuple[Hashable, Hashable] | None = None,
    effects: Literal["equal", "own"] = "equal",
    prob: float = 0.95,
    deprivation: str = "Deprivation",
    ax: "Axes | None" = None,
) -> "Axes":
    r"""Draw the rate ratio of two authorities at equal neighbourhood deprivation, all along it.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    authority_means, authority_quantiles, authorities, effects
        Which two authorities, the less deprived first, as of `socgrad.inverse_intervention`. By
        default those at the 10th and the 90th percentile of authority means.
    prob
        Probability of the band, between 0 and 1.
    deprivation
        What deprivation measures, in words, for the label of the horizontal axis.
    ax
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on, ratios on a logarithmic scale; shaded where both sides have
        neighbourhoods.

    Raises
    ------
    EstimandError
        If the model leaves deprivation or the split out, or the two authorities or `prob` are out
        of range.
    SchemaError
        If `fit` is not a socgrad fit.
    SocgradError
        If matplotlib is not installed.

    Notes
    -----
    The line is the posterior median of ``inverse_intervention`` from the 1st to the 99th percentile
    of the deprivation that all children live in. Common support, shaded, is where 10 or more
    neighbourhoods with data lie within a quarter step on either side: in authorities within a
    quarter step of the mean, or in the named authority.

    Interpretation
    --------------
    Below the line at 1, neighbourhoods of that deprivation have lower rates in the more deprived
    authority (the inverse intervention effect). Outside the shading one of the two sides has hardly
    any such neighbourhoods: there the curve is the model's line drawn on, not something seen.

    Examples
    --------
    >>> import socgrad as sg
    >>> from matplotlib.figure import Figure
    >>> from socgrad.reading.example import example_fit
    >>> ax = sg.plots.inverse_intervention_curve(example_fit(), ax=Figure().subplots())
    >>> ax.get_ylabel()
    'Rate ratio at equal neighbourhood deprivation,\nauthority 26% over 15%'
    """
    terms, land = coefficients(fit), geography(fit)
    require_split(terms, "inverse_intervention_curve")
    if authority_means is None and authorities is None and authority_quantiles is None:
        authority_quantiles = _TENTH
    pair = contrast(
        terms,
        land,
        authority_means=authority_means,
        authority_quantiles=authority_quantiles,
        authorities=authorities,
        effects=effects,
        per=None,
    )
    first, last = weighted_quantile(land.deprivation, land.children, _RANGE).tolist()
    x = np.linspace(first, last, _POINTS)
    ratio = exponential(log_ratio_at(pair, xr.DataArray(x, dims="deprivation")))
    # Without a cross-level term the ratio has no dim of its own: the same everywhere.
    line = band(ratio * xr.ones_like(xr.DataArray(x, dims="deprivation")), x, prob=prob)
    ax = axes_or_new(ax)
    both = np.minimum(*(count_near(land, among, x) for among in pair.areas)) >= FEW
    ax.fill_between(
        100 * x,
        0,
        1,
        where=both.tolist(),
        transform=ax.get_xaxis_transform(),
        color=STYLE.support,
        linewidth=0,
        zorder=0,
        label=f"Both have {FEW} or more such neighbourhoods",
    )
    ax.axhline(1, color=STYLE.ink, linewidth=STYLE.thin)
    interval = f"Rate ratio, with its {100 * prob:g}% interval"
    draw_band(ax, line, colour=STYLE.affluent, label=interval)
    deprivation_axis(ax, f"{deprivation} in the neighbourhood (%)")
    more, less = (f"{100 * float(curve.origin):.0f}%" for curve in (pair.second, pair.first))
    if authorities is not None:
        more, less = (land.authority_words[land.position(each)] for each in authorities[::-1])
    ratio_axis(ax, f"Rate ratio at equal neighbourhood deprivation,\nauthority {more} over {less}")
    ax.set_xlim(100 * x[0], 100 * x[-1])
    make_room(ax, rows=2)
    ax.legend(loc="upper left", edgecolor="none", framealpha=1, fontsize="small")
    return ax
