"""Figure of many estimates one below the other, each with its interval."""

import textwrap
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import xarray as xr

from socgrad.arrays import BoolArray, FloatArray
from socgrad.plots.draws import AVERAGE, one_dim, reference_of
from socgrad.plots.style import (
    STYLE,
    across_axis,
    check_prob,
    panels_or_new,
)
from socgrad.reading.arguments import check_choice
from socgrad.reading.data_marks import NO_DATA_SHORT, without_data
from socgrad.reading.official_names import in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

__all__ = ["caterpillar"]

#: Rows of one panel of new figures: as many names as can be read one below the other on a page.
_ROWS: Final = 50
_ROW_HEIGHT: Final = 0.155  # inches
_PANEL_WIDTH: Final = 3.7  # inches, of several; one alone has room for the key
_WIDTH: Final = 6.0


@dataclass(frozen=True, eq=False)
class _IntervalRows:
    """Estimates with their intervals, and on which side of the reference they surely lie."""

    names: list[str]
    low: FloatArray
    middle: FloatArray
    high: FloatArray
    above: BoolArray
    below: BoolArray
    unknown: BoolArray


def caterpillar(
    draws: xr.DataArray,
    *,
    reference: "xr.DataArray | float | None" = None,
    reference_name: str = "",
    order: Literal["largest", "smallest", "given"] = "largest",
    names: Mapping[Hashable, str] | None = None,
    prob: float = 0.95,
    label: str = "",
    ax: "Axes | Sequence[Axes] | None" = None,
) -> "Figure | SubFigure":
    """Draw an estimate of every authority with its interval, and which differ from a reference.

    Parameters
    ----------
    draws
        An estimand with one named dim, such as ``gradient(fit, target="each")``,
        ``authority_ranks(fit)["gradient_rank"]`` or ``sii(fit, by="authority")``, dims chain, draw
        and authority.
    reference
        What the estimates are held against: draws without a named dim, such as ``gradient(fit)``,
        compared draw by draw, or a number. By default, of authorities, the average of those shown
        in each draw (of ratios their geometric mean); of other dims the null value, if there is
        one. Of what has no null value, such as ranks, nothing.
    reference_name
        What the reference is, in words, for the key.
    order
        What stands at the top: the "largest" estimate, the "smallest" (for ranks, of which 1 is the
        first), or the first "given" in `draws` (for stages).
    names
        Words for labels, such as ``{"E06000001": "Hartlepool"}``; others have their official names,
        if the table gave them, or stand as they are.
    prob
        Probability of the intervals, between 0 and 1.
    label
        Words for the horizontal axis; by default the units of `draws`.
    ax
        Axes to draw on: one, or several that share the rows in order. By default new ones, a panel
        for each 50 rows side by side.

    Returns
    -------
    matplotlib.figure.Figure
        The figure drawn on. Where the null value is 1 the axis is logarithmic.

    Raises
    ------
    EstimandError
        If `draws` are no draws as an estimand returns them, or have not one named dim; if
        `reference` has named dims; if an option is out of range.
    SocgradError
        If matplotlib is not installed.

    Notes
    -----
    Points are posterior medians, intervals equal-tailed. A hollow point, its name with "(no data)",
    is an authority none of whose events are known: what the model expects of one like it. A row is
    coloured where the posterior probability of lying above (vermilion) or below (blue) the
    reference exceeds (1 + prob) / 2.

    Interpretation
    --------------
    Coloured rows differ from the reference; of grey ones the data do not say. Neighbours in the
    order are not to be ranked: their intervals overlap. Rows at both ends are extreme partly by
    chance, though less than raw rates would be, since the model draws small authorities inwards.

    References
    ----------
    Goldstein & Spiegelhalter 1996, JRSS A 159(3), https://doi.org/10.2307/2983325.

    Examples
    --------
    >>> import socgrad as sg
    >>> from matplotlib.figure import Figure
    >>> from socgrad.reading.example import example_fit
    >>> fit = example_fit()
    >>> figure = sg.plots.caterpillar(
    ...     sg.gradient(fit, target="each"), reference=sg.gradient(fit), ax=Figure().subplots()
    ... )
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()][:2]
    ['Ashby', 'Denwick']
    """
    check_prob(prob)
    check_choice("order", order, ("largest", "smallest", "given"))
    dim, centre = one_dim(draws), reference_of(draws, reference)
    rows = _rows(draws, dim, centre, names or {}, prob)
    if order != "given":
        rows = _in_order(rows, falls=order == "largest")
    count = len(rows.names)
    number = -(-count // _ROWS)
    each = -(-count // number)
    axes = panels_or_new(
        ax,
        number=number,
        size=(max(number * _PANEL_WIDTH, _WIDTH), 1.6 + _ROW_HEIGHT * max(each, 8)),
    )
    each = -(-count // len(axes))
    middle = None
    if centre is not None:
        middle = float(centre.median()) if isinstance(centre, xr.DataArray) else float(centre)
    for k, panel in enumerate(axes):
        _draw_rows(panel, rows, slice(k * each, (k + 1) * each), middle)
    low, high = _limits(rows, middle, is_ratio=draws.attrs.get("null") == 1)
    for panel in axes:
        across_axis(panel, is_ratio=draws.attrs.get("null") == 1)
        panel.set_xlim(low, high)
    words = label or str(draws.attrs["units"])
    if len(axes) > 1 and ax is None:
        # One label for all panels: names leave a panel too little room for its own.
        axes[0].figure.supxlabel(words, fontsize="medium")
    else:
        for panel in axes:
            panel.set_xlabel(words if label else textwrap.fill(words, 38))
    if middle is not None:
        known = "the reference" if reference is not None else AVERAGE
        if not isinstance(centre, xr.DataArray):
            known = f"{middle:.3g}"
        _key(axes[0], reference_name or known, prob)
    return axes[0].figure


def _rows(
    draws: xr.DataArray,
    dim: Hashable,
    reference: "xr.DataArray | float | None",
    names: Mapping[Hashable, str],
    prob: float,
) -> _IntervalRows:
    tails = [(1 - prob) / 2, 0.5, (1 + prob) / 2]
    values = draws.transpose("chain", "draw", dim)
    low, middle, high = values.quantile(tails, dim=("chain", "draw")).to_numpy()
    labels = draws[dim].to_numpy().tolist()
    if reference is None:
        above = below = np.zeros(len(labels), dtype=bool)
    else:
        above = (values > reference).mean(("chain", "draw")).to_numpy() > tails[2]
        below = (values < reference).mean(("chain", "draw")).to_numpy() > tails[2]
    unknown = without_data(draws, dim)
    words = [
        f"{names.get(one, known)} ({NO_DATA_SHORT})" if no_data else str(names.get(one, known))
        for one, known, no_data in zip(labels, in_words(draws, dim), unknown, strict=True)
    ]
    return _IntervalRows(words, low, middle, high, above, below, unknown)


def _in_order(rows: _IntervalRows, *, falls: bool) -> _IntervalRows:
    """Largest estimate first, or the smallest."""
    order = np.argsort(-rows.middle if falls else rows.middle, kind="stable")
    return _IntervalRows(
        [rows.names[k] for k in order],
        *(
            getattr(rows, name)[order]
            for name in ("low", "middle", "high", "above", "below", "unknown")
        ),
    )


def _draw_rows(ax: "Axes", rows: _IntervalRows, part: slice, reference: float | None) -> None:
    """Draw some of the rows from top to bottom, names as large as the panel allows."""
    names = rows.names[part]
    y = np.arange(len(names))
    sides = np.where(rows.above[part], STYLE.deprived, STYLE.quiet)
    colours = np.where(rows.below[part], STYLE.affluent, sides)
    if reference is not None:
        ax.axvline(reference, color=STYLE.ink, linewidth=STYLE.thin)
    ax.hlines(y, rows.low[part], rows.high[part], color=colours.tolist(), linewidth=1.2)
    # Hollow where no data back the point.
    faces = np.where(rows.unknown[part], "white", colours)
    ax.scatter(rows.middle[part], y, s=12, c=faces.tolist(), edgecolors=colours.tolist(), zorder=3)
    inches = ax.get_position().height * ax.figure.bbox.height / ax.figure.dpi
    size = float(np.clip(0.85 * 72 * inches / max(len(names), 1), 3.5, 9))
    ax.set_yticks(y, names, fontsize=size)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)


def _limits(rows: _IntervalRows, reference: float | None, *, is_ratio: bool) -> tuple[float, float]:
    """Ends of the axis that hold all intervals and the reference, with a little room."""
    also = [] if reference is None else [reference]
    low, high = min([rows.low.min(), *also]), max([rows.high.max(), *also])
    if is_ratio:
        room = (high / low) ** 0.03
        return float(low / room), float(high * room)
    room = 0.03 * (high - low)
    return float(low - room), float(high + room)


def _key(ax: "Axes", reference: str, prob: float) -> None:
    from matplotlib.lines import Line2D  # noqa: PLC0415 matplotlib is optional

    sure = f"Pr > {(1 + prob) / 2:g}"
    handles = [
        Line2D([], [], color=colour, marker="o", markersize=3.5, label=words)
        for colour, words in (
            (STYLE.deprived, f"above {reference}, {sure}"),
            (STYLE.quiet, "not told apart from it"),
            (STYLE.affluent, f"below {reference}, {sure}"),
        )
    ]
    wide = ax.figure.bbox.width / ax.figure.dpi > _WIDTH
    ax.figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=3 if wide else 1,
        frameon=False,
        fontsize="small",
    )
