"""Figure of the prior of every parameter beside its posterior."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from socgrad.errors import EstimandError
from socgrad.plots.style import STYLE, across_axis, new_panels
from socgrad.plots.words import in_plain_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["prior_and_posterior"]

_COLUMNS: Final = frozenset(
    {
        "scale",
        "prior",
        "prior_lower",
        "prior_upper",
        "posterior",
        "posterior_lower",
        "posterior_upper",
        "learned",
    }
)
_WIDTH: Final = 7.6  # inches
_ROW: Final = 0.34
_PANEL: Final = 0.62
#: Above this share, "100%" would say more than is known.
_ALL: Final = 0.995
#: Scales that are ratios, or rates: on logarithmic axes.
_LOGARITHMIC: Final = ("ratio ", "rate ratio", "ratio of", "events per")


def prior_and_posterior(table: pd.DataFrame, *, ax: "Sequence[Axes] | None" = None) -> "list[Axes]":
    """Draw the prior of every parameter beside its posterior, and how much the counts said.

    Parameters
    ----------
    table
        From `socgrad.prior_checks.compare_prior`; rows may be selected.
    ax
        Axes to draw on, one for each scale of `table` in the order of its first row; by default new
        ones, one below the other.

    Returns
    -------
    list of matplotlib.axes.Axes
        The axes drawn on: a row for each parameter, the prior's interval in grey, the posterior's
        in blue. Ratios and rates stand on logarithmic scales.

    Raises
    ------
    EstimandError
        If `table` is not from `compare_prior`, or has no rows; if `ax` are not as many as scales.
    SocgradError
        If matplotlib is not installed.

    Interpretation
    --------------
    Where the blue line is much shorter than the grey bar, the counts decide; where both are alike,
    the estimate is the prior's. The number on the right is the share of the prior variance that the
    counts took away.

    Examples
    --------
    >>> import socgrad as sg
    >>> from matplotlib.figure import Figure
    >>> table = sg.simulate(authorities=30, areas=600, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation",
    ...                             complete=True)
    >>> fit = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1)
    >>> compared = sg.prior_checks.compare_prior(fit).loc[["within", "between"]]
    >>> (ax,) = sg.plots.prior_and_posterior(compared, ax=[Figure().subplots()])
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['Within', 'Between']
    """
    if not isinstance(table, pd.DataFrame) or not set(table.columns) >= _COLUMNS or table.empty:
        raise EstimandError(
            "table is not what socgrad.prior_checks.compare_prior(fit) returned, with one row or "
            "more and all columns. Pass that table, or some of its rows."
        )
    parts = [(str(scale), rows) for scale, rows in table.groupby("scale", sort=False)]
    axes = _new_axes([len(rows) for _, rows in parts]) if ax is None else list(ax)
    if len(axes) != len(parts):
        raise EstimandError(
            f"ax holds {len(axes)} axes, and the table has {len(parts)} scales "
            f"({', '.join(scale for scale, _ in parts)}): one is needed for each."
        )
    for panel, (scale, rows) in zip(axes, parts, strict=True):
        _draw(panel, scale, rows)
    axes[0].legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize="small"
    )
    return axes


def _new_axes(rows: Sequence[int]) -> "list[Axes]":
    """Panels one below the other, as high as their rows need."""
    heights = [_PANEL + _ROW * number for number in rows]
    return new_panels(heights, size=(_WIDTH, sum(heights) + 0.4), stacked=True)


def _draw(ax: "Axes", scale: str, rows: pd.DataFrame) -> None:
    """Priors as bars, posteriors as points with their intervals."""
    y = np.arange(len(rows))
    width = 9
    ax.hlines(
        y,
        rows["prior_lower"],
        rows["prior_upper"],
        color=STYLE.grid,
        linewidth=width,
        label="Prior",
    )
    ax.hlines(
        y,
        rows["posterior_lower"],
        rows["posterior_upper"],
        color=STYLE.affluent,
        linewidth=STYLE.line,
        label="Posterior",
    )
    ax.plot(rows["posterior"], y, "o", color=STYLE.affluent, markersize=4.5)
    for place, learned in zip(y, rows["learned"], strict=True):
        ax.annotate(
            f"learned {max(learned, 0):.0%}" if learned < _ALL else "learned > 99%",
            (1, place),
            xytext=(6, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize="small",
        )
    is_logarithmic = scale.startswith(_LOGARITHMIC)
    across_axis(ax, is_ratio=is_logarithmic)
    if is_logarithmic:
        _few_ticks(ax)
    ax.set_yticks(y, [in_plain_words(name) for name in rows.index])
    ax.set_ylim(len(y) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(in_plain_words(scale), fontsize="small")


def _few_ticks(ax: "Axes") -> None:
    """Ticks at 1, 2 and 5 times powers of ten where priors span more than one."""
    from matplotlib.ticker import LogLocator  # noqa: PLC0415 matplotlib is optional

    low, high = ax.get_xlim()
    if high / low > 5:
        subs = (1.0, 2.0, 5.0) if high / low < 100 else (1.0,)
        ax.xaxis.set_major_locator(LogLocator(subs=subs))
