"""Figures of rates: how many events, in neighbourhoods of which deprivation, in whose authority."""

from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.estimands.curves import curve_at, curve_of, rate_at
from socgrad.plots.style import (
    STYLE,
    axes_or_new,
    band,
    colours,
    deprivation_axis,
    draw_band,
    make_room,
    rate_axis,
)
from socgrad.ranks import quantile_groups, weighted_quantile
from socgrad.reading.arguments import check_choice
from socgrad.reading.posterior import (
    Geography,
    coefficients,
    geography,
    require_deprivation,
    require_split,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["authority_lines", "inverse_intervention_lines"]

_GROUPS: Final = {
    2: ("More affluent half", "More deprived half"),
    3: ("Most affluent third", "Middle third", "Most deprived third"),
    5: (
        "Most affluent fifth",
        "Second fifth",
        "Middle fifth",
        "Fourth fifth",
        "Most deprived fifth",
    ),
}
#: A line is drawn where its middle 90% of children live: beyond, a handful of areas would back it.
_SUPPORT: Final = (0.05, 0.95)
_RATE_PER: Final = 10_000
_POINTS: Final = 41


def inverse_intervention_lines(
    fit: xr.DataTree,
    *,
    groups: Literal[2, 3, 5] = 3,
    prob: float = 0.95,
    deprivation: str = "Deprivation",
    events: str = "Events",
    exposure: str = "of exposure",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw expected rates against neighbourhood deprivation, one line per group of authorities.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    groups
        Number of groups of authorities by mean deprivation, each with the same number of children
        as far as whole authorities allow: 2, 3 or 5.
    prob
        Probability of the bands, between 0 and 1.
    deprivation
        What deprivation measures, in words, for the label of the horizontal axis.
    events, exposure
        What is counted and what it is counted per ("children", say), in words, for the label of the
        vertical axis.
    ax
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on, rates per 10,000 on a logarithmic scale.

    Raises
    ------
    EstimandError
        If the model leaves deprivation or the split out, if `groups` or `prob` is none of the
        values above, or if there are too few authorities to make the groups.
    SchemaError
        If `fit` is not a socgrad fit.
    SocgradError
        If matplotlib is not installed.

    Notes
    -----
    Each line is ``expected_rate`` of an authority without effects of its own, at the child-weighted
    median of the mean deprivations of its group, from the 5th to the 95th percentile of the
    deprivation that the group's own children live in.

    Interpretation
    --------------
    Read it upwards: at one and the same neighbourhood deprivation, where the line of affluent
    authorities lies above that of deprived ones, equally deprived neighbourhoods meet more
    intervention in affluent authorities (the inverse intervention effect). Read it to the right:
    the steeper a line, the steeper the gradient within such authorities.

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.reading.example import example_fit
    >>> from matplotlib.figure import Figure
    >>> ax = sg.plots.inverse_intervention_lines(example_fit(), ax=Figure().subplots())
    >>> ax.get_ylabel(), len(ax.lines)
    ('Events per 10,000 of exposure', 3)
    """
    terms, land = coefficients(fit), geography(fit)
    require_split(terms, "inverse_intervention_lines")
    check_choice("groups", groups, tuple(_GROUPS))
    ax = axes_or_new(ax)
    group = quantile_groups(land.authority_mean, land.authority_children, groups)
    for number, name in enumerate(_GROUPS[groups]):
        members = group == number + 1
        mean = float(
            weighted_quantile(
                land.authority_mean[members], land.authority_children[members], 0.5
            ).item()
        )
        x = _supported(land, members[land.authority_of_area])
        line = band(_RATE_PER * rate_at(curve_at(terms, land, mean), x), x.to_numpy(), prob=prob)
        colour = colours()(number / (groups - 1))
        draw_band(
            ax,
            line,
            colour=colour,
            label=f"{name} of authorities (median authority: {100 * mean:.0f}%)",
        )
    deprivation_axis(ax, f"{deprivation} in the neighbourhood (%)")
    rate_axis(ax, f"{events} per {_RATE_PER:,} {exposure}")
    # The names stand in the order of the lines.
    make_room(ax, rows=groups + 1)
    ax.legend(
        loc="upper left",
        edgecolor="none",
        framealpha=1,
        labelcolor="linecolor",
        fontsize="small",
        title=f"Expected rate, shaded its {100 * prob:g}% interval",
        title_fontsize="small",
        alignment="left",
    )
    return ax


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
        x = _supported(land, land.authority_of_area == position)
        rates = rate_at(curve_of(terms, land, label, own_effects=True), x)
        ax.plot(
            100 * x,
            _RATE_PER * rates.median(("chain", "draw")),
            color=scale.to_rgba(means[position]),
            linewidth=STYLE.thin,
            alpha=0.8,
        )
    bar = ax.figure.colorbar(scale, ax=ax, label=f"{deprivation} in the authority (%)")
    bar.outline.set_visible(False)
    deprivation_axis(ax, f"{deprivation} in the neighbourhood (%)")
    rate_axis(ax, f"{events} per {_RATE_PER:,} {exposure}")
    return ax


def _supported(land: Geography, among: npt.NDArray[np.bool_]) -> xr.DataArray:
    """Deprivations from the 5th to the 95th percentile of the marked areas' children."""
    low, high = weighted_quantile(land.deprivation[among], land.children[among], _SUPPORT)
    return xr.DataArray(np.linspace(low, high, _POINTS), dims="deprivation")
