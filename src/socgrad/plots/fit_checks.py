"""Figure of what `check_fit` found: tenths of neighbourhoods, and every statistic in its range."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from socgrad.arrays import FloatArray
from socgrad.checks.fit_check import FitCheck
from socgrad.errors import EstimandError
from socgrad.plots.style import STYLE, across_axis, panels_or_new, quiet_frame
from socgrad.plots.words import in_plain_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["checked_counts"]

_SIZE: Final = (9.6, 4.2)
#: Statistics so far outside that their distance is only shown to be large.
_FAR: Final = 2.5


def checked_counts(check: FitCheck, *, ax: "Sequence[Axes] | None" = None) -> "list[Axes]":
    """Draw what `check_fit` found: counts of tenths, and where each statistic lies.

    Parameters
    ----------
    check
        From `socgrad.check_fit`.
    ax
        Two axes to draw on; by default new ones side by side. Without counts of neighbourhoods the
        first stays empty but for a line that says so.

    Returns
    -------
    list of matplotlib.axes.Axes
        The axes drawn on. First: events over those expected in national tenths of neighbourhoods,
        with the central 95% of counts drawn again. Second: each statistic within the range that the
        model expects.

    Raises
    ------
    EstimandError
        If `check` is not from `check_fit`, or `ax` are not two axes.
    SocgradError
        If matplotlib is not installed.

    Notes
    -----
    A statistic is drawn at ``(observed - expected) / (upper - expected)``, or over ``(expected -
    lower)`` where it is below what is expected: 0 is the median of counts drawn again, -1 and 1 are
    the ends of their central 99%. Beyond 2.5 it is drawn at 2.5, as a triangle. The largest count
    is left out, since it is one area's.

    Interpretation
    --------------
    Points within the shading are as the model expects. Vermilion statistics are not: `check`'s
    statement says what to do about each.

    Examples
    --------
    >>> import socgrad as sg
    >>> from matplotlib.figure import Figure
    >>> from socgrad.reading.example import example_fit
    >>> check = sg.check_fit(example_fit(events=True), draws=50)
    >>> left, right = sg.plots.checked_counts(check, ax=Figure().subplots(1, 2))
    >>> right.get_yticklabels()[0].get_text()
    'Dispersion'
    """
    if not isinstance(check, FitCheck):
        raise EstimandError(
            f"check is a {type(check).__name__}; expected what socgrad.check_fit(fit) returned."
        )
    axes = panels_or_new(ax, number=2, size=_SIZE)
    if len(axes) != 2:
        raise EstimandError(f"ax holds {len(axes)} axes; expected two, for tenths and statistics.")
    if len(check.groups):
        _draw_groups(axes[0], check.groups)
    else:
        axes[0].text(0.5, 0.5, "No counts of neighbourhoods", ha="center", color=STYLE.quiet)
        axes[0].set_axis_off()
    _draw_statistics(axes[1], check.statistics.drop(index="largest", errors="ignore"))
    return axes


def _draw_groups(ax: "Axes", groups: pd.DataFrame) -> None:
    """Events over expected ones, with the band of counts drawn again."""
    x = groups.index.to_numpy()
    over = groups.div(groups["expected"], axis=0)
    ax.bar(
        x,
        over["upper"] - over["lower"],
        bottom=over["lower"],
        width=0.7,
        color=STYLE.bar,
        label="Counts drawn again, central 95%",
    )
    ax.plot(x, over["events"], "o", color=STYLE.ink, markersize=5, label="Counted")
    ax.axhline(1, color=STYLE.ink, linewidth=STYLE.thin)
    quiet_frame(ax)
    ends = {1: "1\nleast deprived", int(x[-1]): f"{x[-1]}\nmost deprived"}
    ax.set_xticks(x, [ends.get(int(group), str(group)) for group in x])
    ax.set_xlabel("Groups of neighbourhoods by deprivation")
    ax.set_ylabel("Events over those expected")
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.22 * (high - low))
    ax.legend(loc="upper left", frameon=False, fontsize="small")


def _draw_statistics(ax: "Axes", statistics: pd.DataFrame) -> None:
    """Each statistic between the ends of what is expected."""
    observed, expected = statistics["observed"], statistics["expected"]
    side = np.where(
        observed >= expected, statistics["upper"] - expected, expected - statistics["lower"]
    )
    at: FloatArray = ((observed - expected) / np.maximum(side, 1e-12)).to_numpy()
    good = statistics["as_expected"].to_numpy(dtype=bool)
    y = np.arange(len(at))
    ax.axvspan(-1, 1, color=STYLE.support, linewidth=0, zorder=0)
    ax.axvline(0, color=STYLE.ink, linewidth=STYLE.thin)
    for number, (place, is_good) in enumerate(zip(at, good, strict=True)):
        ax.plot(
            np.clip(place, -_FAR, _FAR),
            number,
            "o" if abs(place) < _FAR else (">" if place > 0 else "<"),
            color=STYLE.ink if is_good else STYLE.deprived,
            markersize=6,
        )
    ax.set_yticks(y, [in_plain_words(name) for name in statistics.index])
    ax.set_ylim(len(y) - 0.4, -0.6)
    ax.set_xlim(-_FAR - 0.2, _FAR + 0.2)
    across_axis(ax, is_ratio=False)
    ax.tick_params(axis="y", length=0)
    ax.set_xticks([-1, 0, 1], ["lower\nend", "expected", "upper\nend"])
    ax.set_xlabel("Shaded: central 99% of what the model expects")
