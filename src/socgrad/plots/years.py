"""Figures over years: a national number with its interval, and authorities that changed."""

import textwrap
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr

from socgrad.arrays import BoolArray, FloatArray, IntArray, TextArray
from socgrad.errors import EstimandError
from socgrad.plots.draws import one_dim
from socgrad.plots.style import STYLE, axes_or_new, check_prob, plain_ticks, quiet_frame
from socgrad.reading.data_marks import HAS_DATA
from socgrad.reading.labels import are_labelled
from socgrad.reading.official_names import in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["changed_authorities", "over_years"]

#: Names on one side of a slope chart that can be read.
_NAMES: Final = 12
#: Between their middles, as a part of the figure's height.
_APART: Final = 0.05


def over_years(
    draws: xr.DataArray, *, prob: float = 0.95, label: str = "", ax: "Axes | None" = None
) -> "Axes":
    """Draw an estimand over years, with its interval; broken where years are not comparable.

    Parameters
    ----------
    draws
        What an estimand gives of a fit of years, with dim year alone, such as ``gradient(fit)`` or
        ``inverse_intervention(fit)``.
    prob
        Probability of the intervals, between 0 and 1.
    label
        Of the vertical axis; by default the estimand's units.
    ax
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: medians joined by a line, which stops at a break; ratios on a logarithmic
        scale with their null value as a line.

    Raises
    ------
    EstimandError
        If `draws` have another named dim than year, or `prob` is out of range.
    SocgradError
        If matplotlib is not installed.

    Interpretation
    --------------
    Intervals of two years overlap even where the change between them is certain, because years have
    much of their uncertainty in common: ask `years.change` for that.

    Examples
    --------
    >>> import socgrad as sg
    >>> from matplotlib.figure import Figure
    >>> from socgrad.reading.years_example import example_fit_of_years
    >>> ax = sg.plots.over_years(sg.gradient(example_fit_of_years()), ax=Figure().subplots())
    >>> len(ax.lines[0].get_xdata())
    3
    """
    if one_dim(draws) != "year":
        raise EstimandError(
            f"These draws have dim {one_dim(draws)!r}; expected year, of a fit of years."
        )
    check_prob(prob)
    ax = axes_or_new(ax)
    years = draws["year"].to_numpy()
    tails = [(1 - prob) / 2, 0.5, (1 + prob) / 2]
    low, middle, high = draws.quantile(tails, dim=("chain", "draw")).to_numpy()
    for start, end in pairwise(_stretches(years, draws.attrs.get("breaks", ()))):
        at = slice(start, end)
        ax.plot(years[at], middle[at], color=STYLE.affluent, linewidth=STYLE.line)
    ax.errorbar(
        years,
        middle,
        yerr=[middle - low, high - middle],
        fmt="o",
        color=STYLE.affluent,
        elinewidth=STYLE.line,
    )
    _value_axis(ax, draws, label)
    _year_axis(ax, years)
    return ax


def changed_authorities(
    draws: xr.DataArray,
    *,
    start: int | None = None,
    end: int | None = None,
    sure: float = 0.95,
    label: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw every authority's estimand in two years, joined, and name those that surely changed.

    Parameters
    ----------
    draws
        What an estimand gives of a fit of years with dims year and authority, such as
        ``gradient(fit, target="each")``.
    start, end
        Years; by default the first and the last.
    sure
        Probability above which a rise (or a fall) is coloured, above one half and below 1.
    label
        Of the vertical axis; by default the estimand's units.
    ax
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: a line from median to median for each authority, grey but for those whose
        change has this probability; of these, at most twelve are named on the right, the largest
        changes first, apart from one another.

    Raises
    ------
    EstimandError
        If `draws` lack dim year or authority, years are not among them, or `sure` is out of range.
    SocgradError
        If matplotlib is not installed.

    Notes
    -----
    Authorities none of whose events are known in one of the two years are left out.

    Interpretation
    --------------
    Grey lines that cross are mostly chance. Of 150 authorities that did not change, a few are
    coloured by chance at 0.95.

    Examples
    --------
    >>> import socgrad as sg
    >>> from matplotlib.figure import Figure
    >>> from socgrad.reading.years_example import example_fit_of_years
    >>> own = sg.gradient(example_fit_of_years(), target="each")
    >>> ax = sg.plots.changed_authorities(own, ax=Figure().subplots())
    >>> len(ax.lines)
    6
    """
    if not isinstance(draws, xr.DataArray) or set(draws.dims) != {
        "chain",
        "draw",
        "year",
        "authority",
    }:
        raise EstimandError(
            "changed_authorities needs draws with dims year and authority, such as "
            "socgrad.gradient(fit, target='each') of a fit of years."
        )
    if not are_labelled(draws):
        raise EstimandError(
            "These draws were computed from an estimand. Pass it as it is, and choose years by "
            "start= and end=."
        )
    if not 0.5 < sure < 1:
        raise EstimandError(f"sure is {sure:g}; expected a probability above one half, as 0.95.")
    years = draws["year"].to_numpy().tolist()
    first, last = (years[0] if start is None else start), (years[-1] if end is None else end)
    if first not in years or last not in years or first == last:
        raise EstimandError(
            f"start={first!r} and end={last!r} are not two years of these draws, which have "
            f"{', '.join(map(str, years))}."
        )
    ax = axes_or_new(ax)
    pair = draws.sel(year=[first, last])
    known = pair.notnull().all(("chain", "draw", "year"))
    if HAS_DATA in pair.coords:
        has = pair[HAS_DATA].astype(bool)
        known &= (has.all("year") if "year" in has.dims else has).drop_vars(HAS_DATA)
    pair = pair.isel(authority=np.flatnonzero(known.to_numpy()))
    rises = (pair.isel(year=1, drop=True) > pair.isel(year=0, drop=True)).mean(("chain", "draw"))
    middle = pair.median(("chain", "draw")).transpose("year", "authority").to_numpy()
    share = rises.to_numpy()
    colour = np.where(share > sure, STYLE.deprived, STYLE.affluent)
    certain = np.maximum(share, 1 - share) > sure
    for at in np.argsort(certain, kind="stable"):
        ax.plot(
            [first, last],
            middle[:, at],
            color=colour[at] if certain[at] else STYLE.quiet,
            linewidth=STYLE.line if certain[at] else STYLE.thin,
            alpha=1.0 if certain[at] else 0.5,
        )
    _value_axis(ax, draws, label)
    _year_axis(ax, np.array([first, last]))
    _name(
        ax,
        last,
        words=in_words(pair, "authority"),
        middle=middle,
        certain=certain,
        colour=colour,
    )
    return ax


def _name(
    ax: "Axes",
    last: int,
    *,
    words: list[str],
    middle: FloatArray,
    certain: BoolArray,
    colour: TextArray,
) -> None:
    """Name the largest of the sure changes, apart from one another."""
    size = np.abs(np.log(middle[1] / middle[0])) if (middle > 0).all() else np.ptp(middle, axis=0)
    chosen = np.flatnonzero(certain)
    chosen = chosen[np.argsort(-size[chosen])][:_NAMES]
    to_axes = ax.transData + ax.transAxes.inverted()
    height = np.array([to_axes.transform((last, value))[1] for value in middle[1, chosen]])
    # From the lowest up, and down again where the highest would leave the figure.
    at, reached = height.copy(), -np.inf
    for k in np.argsort(height):
        at[k] = reached = max(height[k], reached + _APART)
    limit = 1.0 + _APART
    for k in np.argsort(-height):
        at[k] = limit = min(at[k], limit - _APART)
    for own, place in zip(chosen, at, strict=True):
        ax.annotate(
            words[own],
            xy=(last, middle[1, own]),
            xytext=(1.03, place),
            textcoords="axes fraction",
            color=colour[own],
            fontsize="small",
            va="center",
            annotation_clip=False,
        )


def _stretches(years: IntArray, breaks: Iterable[int]) -> list[int]:
    """Where stretches of comparable years begin, and the end."""
    first = {int(np.searchsorted(years, year)) for year in breaks}
    return sorted({0, len(years), *first})


def _value_axis(ax: "Axes", draws: xr.DataArray, label: str) -> None:
    units = str(draws.attrs["units"]).split(";")[0]
    if draws.attrs.get("null") == 1.0:
        ax.set_yscale("log")
        plain_ticks(ax.yaxis)
    if "null" in draws.attrs and _in_view(ax, float(draws.attrs["null"])):
        ax.axhline(float(draws.attrs["null"]), color=STYLE.quiet, linewidth=STYLE.thin, zorder=0)
    quiet_frame(ax)
    ax.set_ylabel(label or textwrap.fill(units[:1].upper() + units[1:], 42))


def _in_view(ax: "Axes", value: float) -> bool:
    low, high = ax.get_ylim()
    return low <= value <= high


def _year_axis(ax: "Axes", years: IntArray) -> None:
    ax.set_xticks(years if len(years) <= 12 else years[:: len(years) // 10])
    ax.set_xticklabels([str(int(year)) for year in ax.get_xticks()])
