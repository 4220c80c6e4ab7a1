"""Figure of rates by group of neighbourhoods: what was counted beside what was fitted."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.plots.style import STYLE, axes_or_new, quiet_frame
from socgrad.plots.words import rate_words
from socgrad.reading.posterior import coefficients
from socgrad.tables.rate_tables import rate_table

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = ["rate_bars"]

_NAMES: Final = {
    2: "Halves",
    3: "Thirds",
    4: "Quarters",
    5: "Fifths",
    10: "Tenths",
    20: "Twentieths",
}
_RATE_PER: Final = 10_000
#: Least part of the axis that an interval must take to be seen beside a point.
_SEEN: Final = 0.03


def rate_bars(
    fit: xr.DataTree,
    *,
    groups: int = 10,
    observed: bool = True,
    prob: float = 0.95,
    deprivation: str = "deprivation",
    events: str | None = None,
    exposure: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the rate in each group of neighbourhoods by deprivation, observed and fitted.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    groups
        Number of national groups of neighbourhoods with equal children, 2 or more.
    observed
        Whether the bars are observed rates, with fitted ones as points. False is for a fit saved
        without events: the bars then are the fitted rates.
    prob
        Probability of all intervals, between 0 and 1.
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
        The axes drawn on, rates per 10,000 from zero.

    Raises
    ------
    EstimandError
        If the fit holds no events of neighbourhoods (with `observed`), or an option is out of
        range.
    SchemaError
        If `fit` is not a socgrad fit, or has several strata.
    SocgradError
        If matplotlib is not installed.

    Notes
    -----
    The numbers are those of `socgrad.tables.rate_table`: observed intervals are of Poisson counts,
    fitted ones posterior.

    Interpretation
    --------------
    How much more often the most deprived children meet intervention. Where points leave the bars by
    more than their intervals in several groups, the model's straight line does not hold there.

    Examples
    --------
    >>> import socgrad as sg
    >>> from matplotlib.figure import Figure
    >>> from socgrad.reading.example import example_fit
    >>> ax = sg.plots.rate_bars(example_fit(events=True), groups=5, ax=Figure().subplots())
    >>> [round(bar.get_height()) for bar in ax.patches]
    [41, 68, 107, 157, 232]
    """
    coefficients(fit)  # one stratum: bars of several would lie upon each other
    table = rate_table(fit, groups=groups, observed=observed, prob=prob, rate_per=_RATE_PER)
    ax = axes_or_new(ax)
    x = table["group"].to_numpy()
    bars = "observed" if observed else "fitted"
    values = table[bars].to_numpy()
    ax.bar(
        x,
        values,
        width=0.8,
        color=STYLE.bar,
        label=f"{bars.capitalize()} rate, {_interval(table, bars, prob)}",
    )
    within = observed and "least_rate" in table
    if within:
        _bounds(ax, table)
    low, high = table[f"{bars}_lower"].to_numpy(), table[f"{bars}_upper"].to_numpy()
    aside = 0.15 if observed else 0.0
    ax.vlines(x - aside, low, high, color=STYLE.ink, linewidth=1.2)
    if observed:
        low, high = table["fitted_lower"].to_numpy(), table["fitted_upper"].to_numpy()
        ax.vlines(x + aside, low, high, color=STYLE.deprived, linewidth=1.6)
        ax.plot(
            x + aside,
            table["fitted"],
            "o",
            color=STYLE.deprived,
            markersize=5,
            label=f"Fitted rate, {_interval(table, 'fitted', prob)}",
        )
    quiet_frame(ax)
    ends = {1: "1\nleast deprived", groups: f"{groups}\nmost deprived"}
    ax.set_xticks(x, [ends.get(int(group), str(group)) for group in x])
    ax.set_xlabel(f"{_NAMES.get(groups, 'Groups')} of all children by neighbourhood {deprivation}")
    ax.set_ylabel(rate_words(fit, events, exposure, per=_RATE_PER))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    tops = table[[f"{bars}_upper", "fitted_upper"]].to_numpy(dtype=float)
    highest = np.max(tops[np.isfinite(tops)])
    ax.set_ylim(0, float(highest) * 1.05)
    ax.legend(*_bars_first(ax), loc="upper left", frameon=False, fontsize="small")
    return ax


def _interval(table: pd.DataFrame, of: str, prob: float) -> str:
    """Words for the intervals in the key; where they are too narrow to be seen, how wide."""
    ends = table[[f"{of}_lower", of, f"{of}_upper"]].to_numpy(dtype=float)
    low, middle, high = ends[np.isfinite(ends).all(axis=1) & (ends[:, 1] > 0)].T
    words = f"{100 * prob:g}% interval"
    if not low.size or np.max(high - low) > _SEEN * np.max(high):
        return words
    return f"{words}: at most {np.max((high - low) / 2 / middle):.1%} to either side"


def _bounds(ax: "Axes", table: pd.DataFrame) -> None:
    """Bars to the least rate that groups may have, paler ones from there to the most."""
    between = table[table["observed"].isna()]
    x, least = between["group"].to_numpy(), between["least_rate"].to_numpy()
    ax.bar(x, least, width=0.8, color=STYLE.bar)
    most = between["most_rate"].to_numpy()
    ax.bar(
        x,
        np.where(np.isfinite(most), most, between["fitted_upper"] * 10) - least,
        bottom=least,
        width=0.8,
        color=STYLE.bar,
        alpha=0.4,
        label="May be more: counts known within bounds",
    )


def _bars_first(ax: "Axes") -> tuple[list["Artist"], list[str]]:
    """Handles and words of the key, bars before points; matplotlib gives lines first."""
    handles, words = ax.get_legend_handles_labels()
    return handles[::-1], words[::-1]
