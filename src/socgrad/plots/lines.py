"""Figures of authorities' own lines over their own neighbourhoods: of all, and of one."""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from socgrad.estimands.curves import curve_of, rate_at
from socgrad.estimands.observed_rates import observed_rate_by_group
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
from socgrad.plots.words import rate_words
from socgrad.ranks import weighted_quantile
from socgrad.reading.data_marks import NO_DATA_SHORT
from socgrad.reading.geography import Geography, geography
from socgrad.reading.posterior import coefficients, require_deprivation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "RATE_PER",
    "authority_curve",
    "authority_lines",
    "draw_observed",
    "rates_in_words",
    "supported",
    "without_events",
]

RATE_PER: Final = 10_000
#: A line is drawn where its middle 90% of children live: beyond, a handful of areas would back it.
_SUPPORT: Final = (0.05, 0.95)
_POINTS: Final = 41


def authority_lines(
    fit: xr.DataTree,
    *,
    highlight: Sequence[Hashable] = (),
    deprivation: str = "Deprivation",
    events: str | None = None,
    exposure: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw every authority's own line over its own neighbourhoods, coloured by its deprivation.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    highlight
        Labels of authorities whose lines stand out and are named; the others are fainter the more
        there are.
    deprivation
        What deprivation measures, in words, for the labels of the horizontal axis and the colours.
    events, exposure
        What is counted and what it is counted per ("children", say), in words, for the label of the
        vertical axis; by default the stage and the columns that the fit was made from.
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
        If the model leaves deprivation out, or an authority of `highlight` is not in the fit.
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

    means, known = 100 * land.authority_mean.to_numpy(), land.authority_has_data
    chosen = {land.position(label) for label in highlight}
    faint = float(np.clip(4 / np.sqrt(len(means)), 0.25, 0.8))
    scale = ScalarMappable(Normalize(means.min(), means.max()), colours())
    for position, label in enumerate(land.authority_mean["authority"].to_numpy().tolist()):
        x = supported(land, land.authority_of_area == position)
        rates = rate_at(curve_of(terms, land, label, own_effects=True), x)
        middle = RATE_PER * rates.median(("chain", "draw")).to_numpy()
        stands_out = position in chosen
        ax.plot(
            100 * x,
            middle,
            color=scale.to_rgba(means[position]),
            linewidth=STYLE.line if stands_out else STYLE.thin,
            linestyle="-" if known[position] else ":",
            alpha=1.0 if stands_out else faint,
            zorder=3 if stands_out else 2,
        )
        if stands_out:
            ax.annotate(
                land.authority_words[position],
                (100 * float(x[-1]), middle[-1]),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize="small",
            )
    if not known.all():
        words = f"Dotted: {(~known).sum()} with {NO_DATA_SHORT} of their own"
        ax.set_title(words, loc="left", fontsize="small")
    bar = ax.figure.colorbar(scale, ax=ax, label=f"{deprivation} in the authority (%)")
    bar.outline.set_visible(False)
    deprivation_axis(ax, f"{deprivation} in the neighbourhood (%)")
    rate_axis(ax, rate_words(fit, events, exposure, per=RATE_PER))
    return ax


def authority_curve(
    fit: xr.DataTree,
    *,
    authority: Hashable,
    observed: int | None = None,
    name: str = "",
    prob: float = 0.95,
    deprivation: str = "Deprivation",
    events: str | None = None,
    exposure: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw one authority's own line beside that of an average authority as deprived as it is.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    authority
        Its label.
    observed
        Number of national groups of neighbourhoods, 2 or more (10 for tenths): the observed rate of
        the authority's own neighbourhoods in each is set over the line as a point. By default none.
    name
        Words for the authority in the key; by default its official name, or its label.
    prob
        Probability of the bands, and of the intervals of observed rates, between 0 and 1.
    deprivation
        What deprivation measures, in words, for the label of the horizontal axis.
    events, exposure
        What is counted and what it is counted per ("children", say), in words, for the label of the
        vertical axis; by default the stage and the columns that the fit was made from.
    ax
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on, rates per 10,000 on a logarithmic scale.

    Raises
    ------
    EstimandError
        If the model leaves deprivation out; if `authority` is not in the fit; if `prob` is out of
        range; if `observed` is given for a fit without events.
    SchemaError
        If `fit` is not a socgrad fit.
    SocgradError
        If matplotlib is not installed.

    Notes
    -----
    The lines are ``expected_rate(fit, target="each")`` of the authority and ``expected_rate(fit,
    authority_mean=...)`` at its mean, from the 5th to the 95th percentile of the deprivation that
    its own children live in. Points are ``observed_rate_by_group(fit, authority=...)`` at the mean
    deprivation of their neighbourhoods, with intervals of Poisson counts. A rate of zero has no
    place on a logarithmic axis: a group without events is a hollow triangle at the upper limit of
    its interval, and the key says how many there are.

    Interpretation
    --------------
    Where the authority's line lies above the grey one, its neighbourhoods meet more intervention
    than equally deprived ones in an average authority of its kind; where it is steeper, deprivation
    matters more. Points about the line say how well a straight line describes this authority.

    Examples
    --------
    >>> import socgrad as sg
    >>> from matplotlib.figure import Figure
    >>> from socgrad.reading.example import example_fit
    >>> ax = sg.plots.authority_curve(
    ...     example_fit(events=True), authority="Ashby", observed=5, ax=Figure().subplots()
    ... )
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['Average authority as deprived (15%)', 'Ashby']
    """
    terms, land = coefficients(fit), geography(fit)
    require_deprivation(terms, "authority_curve")
    position = land.position(authority)
    x = supported(land, land.authority_of_area == position)
    counted = None
    if observed is not None:
        counted = observed_rate_by_group(
            fit, groups=observed, authority=authority, prob=prob, rate_per=RATE_PER
        )
    ax = axes_or_new(ax)
    mean = 100 * float(land.authority_mean[position])
    unknown = "" if land.authority_has_data[position] else f" ({NO_DATA_SHORT} of its own)"
    for own, colour, words in (
        (False, STYLE.quiet, f"Average authority as deprived ({mean:.0f}%)"),
        (True, STYLE.affluent, (name or land.authority_words[position]) + unknown),
    )[terms.is_alone :]:
        rate = rate_at(curve_of(terms, land, authority, own_effects=own), x)
        line = band(RATE_PER * rate, x.to_numpy(), prob=prob)
        draw_band(ax, line, colour=colour, label=words)
    if counted is not None:
        without_events(ax, *draw_observed(ax, counted, STYLE.affluent), colour=STYLE.affluent)
    deprivation_axis(ax, f"{deprivation} in the neighbourhood (%)")
    rate_axis(ax, rate_words(fit, events, exposure, per=RATE_PER))
    make_room(ax, rows=1 + len(ax.get_legend_handles_labels()[1]))
    ax.legend(
        loc="upper left",
        edgecolor="none",
        framealpha=1,
        labelcolor="linecolor",
        fontsize="small",
        title=rates_in_words(prob, counted),
        title_fontsize="small",
        alignment="left",
    )
    return ax


def draw_observed(
    ax: "Axes", cells: pd.DataFrame, colour: "str | tuple[float, ...]"
) -> tuple[int, int]:
    """Draw points with their intervals, and groups without events by the upper limit of theirs.

    Returns
    -------
    tuple of int
        How many groups have no events, and how many there are.
    """
    counted = cells[cells["areas"] > 0]
    # Where some counts are known within bounds, so is the rate: a bar between them.
    bounded = counted[counted["rate"].isna()]
    none = counted[counted["events"] == 0]
    if len(none):
        ax.plot(
            100 * none["deprivation"],
            none["upper"],
            "v",
            color=colour,
            markersize=5,
            markerfacecolor="white",
        )
    seen = counted[counted["events"] > 0]
    x = 100 * seen["deprivation"]
    ax.vlines(x, seen["lower"], seen["upper"], color=colour, linewidth=STYLE.thin)
    ax.plot(x, seen["rate"], "o", color=colour, markersize=4, markeredgecolor="white")
    if len(bounded):
        draw_bounds(ax, 100 * bounded["deprivation"], bounded, colour)
    return len(none), len(counted)


def draw_bounds(
    ax: "Axes", x: "pd.Series[float]", cells: pd.DataFrame, colour: "str | tuple[float, ...]"
) -> None:
    """Draw observed rates that are known within bounds: bars between them, with their intervals."""
    ends = cells[["lower", "least_rate", "most_rate", "upper"]].to_numpy(dtype=float)
    shown = ends[np.isfinite(ends) & (ends > 0)]
    # What has no upper bound, or no place on a logarithmic axis, ends where the others do.
    ends = np.clip(ends, shown.min(initial=np.inf), shown.max(initial=0.0)).T
    ax.vlines(x, ends[0], ends[3], color=colour, linewidth=STYLE.thin)
    ax.vlines(x, ends[1], ends[2], color=colour, linewidth=4, alpha=0.5)


def without_events(ax: "Axes", none: int, groups: int, *, colour: str) -> None:
    """Say in the key how many groups of observed rates have no events, if any has none."""
    if none:
        ax.plot(
            [],
            [],
            "v",
            color=colour,
            markersize=5,
            markerfacecolor="none",
            label=f"No events in {none} of {groups} groups: upper limit",
        )


def rates_in_words(prob: float, counted: pd.DataFrame | None) -> str:
    """What a key of lines with bands says of them, and of observed rates beside them."""
    words = f"Expected rate, shaded its {100 * prob:g}% interval"
    if counted is None:
        return words
    words += "; points: observed rates with theirs"
    if "least_rate" in counted:
        words += ",\nthick bars: the least and the most that they may be"
    return words


def supported(land: Geography, among: npt.NDArray[np.bool_]) -> xr.DataArray:
    """Deprivations from the 5th to the 95th percentile of the marked areas' children."""
    low, high = weighted_quantile(land.deprivation[among], land.children[among], _SUPPORT)
    return xr.DataArray(np.linspace(low, high, _POINTS), dims="deprivation")
