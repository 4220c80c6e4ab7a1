"""Figures of many estimates side by side, each with its interval: authorities, stages, strata."""

import textwrap
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import xarray as xr

from socgrad.arrays import BoolArray, FloatArray
from socgrad.errors import EstimandError
from socgrad.estimands.curves import points
from socgrad.estimands.gradients import gradient
from socgrad.plots.draws import one_dim, reference_of
from socgrad.plots.style import (
    STYLE,
    across_axis,
    axes_or_new,
    check_prob,
    colours,
    make_room,
    panels_or_new,
    quiet_frame,
    ratio_axis,
)
from socgrad.ranks import weighted_quantile
from socgrad.reading.arguments import check_choice
from socgrad.reading.by_stratum import stratum, stratum_labels
from socgrad.reading.posterior import geography
from socgrad.schema import is_stratified

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

__all__ = ["caterpillar", "gradient_ladder"]

#: Rows of one panel of new figures: as many names as can be read one below the other on a page.
_ROWS: Final = 50
_ROW_HEIGHT: Final = 0.155  # inches
_PANEL_WIDTH: Final = 3.7  # inches, of several; one alone has room for the key
_WIDTH: Final = 6.0


@dataclass(frozen=True, eq=False)
class _Rows:
    """Estimates with their intervals, and on which side of the reference they surely lie."""

    names: list[str]
    low: FloatArray
    middle: FloatArray
    high: FloatArray
    above: BoolArray
    below: BoolArray


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
        compared draw by draw, or a number. By default the null value of `draws`, if it has one.
    reference_name
        What the reference is, in words, for the key.
    order
        What stands at the top: the "largest" estimate, the "smallest" (for ranks, of which 1 is the
        first), or the first "given" in `draws` (for stages).
    names
        Words for labels, such as ``{"E06000001": "Hartlepool"}``; labels not in it stand as they
        are.
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
    Points are posterior medians, intervals equal-tailed. A row is coloured where the posterior
    probability of lying above (vermilion) or below (blue) the reference exceeds (1 + prob) / 2.

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
        panel.set_xlabel(label or textwrap.fill(str(draws.attrs["units"]), 38))
    if middle is not None:
        known = f"{middle:.3g}" if not isinstance(centre, xr.DataArray) else "the reference"
        _key(axes[0], reference_name or known, prob)
    return axes[0].figure


def gradient_ladder(
    fits: "xr.DataTree | Mapping[str, xr.DataTree]",
    *,
    authority_quantiles: Sequence[float] | None = None,
    prob: float = 0.95,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the gradient of every stage or stratum, from the first to the last.

    Parameters
    ----------
    fits
        A fit of several strata, or fits by name, in the order to be drawn.
    authority_quantiles
        Child-weighted quantiles of authority means, shares within 0-1, such as (0.1, 0.9): whose
        gradients are drawn. By default an authority of the national mean.
    prob
        Probability of the intervals, between 0 and 1.
    ax
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: rate ratios per step of the fit on a logarithmic scale.

    Raises
    ------
    EstimandError
        If there are no fits, a fit without strata was given by itself, their steps differ, or an
        option is out of range.
    SchemaError
        If a fit is not a socgrad fit.
    SocgradError
        If matplotlib is not installed.

    Notes
    -----
    Points and intervals are ``gradient(fit)``, or ``gradient(fit, authority_mean=...)`` at the
    quantiles of each fit's own authorities.

    Interpretation
    --------------
    A ladder that rises says that deprivation matters more the further intervention goes. Intervals
    of two stages may overlap and the stages yet differ: the same children are counted at both. Ask
    for the ratio of the two gradients, draw by draw.

    Examples
    --------
    >>> import socgrad as sg
    >>> from matplotlib.figure import Figure
    >>> from socgrad.reading.example import example_fit_of_stages
    >>> ax = sg.plots.gradient_ladder(example_fit_of_stages(), ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_xticklabels()]
    ['referral', 'assessment', 'plan']
    """
    check_prob(prob)
    named = _by_name(fits)
    steps = {geography(fit).per for fit in named.values()}
    if len(steps) > 1:
        raise EstimandError(
            f"The fits have {len(steps)} steps of deprivation ({', '.join(map(str, steps))}), so "
            "their gradients are per different steps. Fit them with one value of per."
        )
    shares: list[float | None] = [None] if authority_quantiles is None else [*authority_quantiles]
    ax = axes_or_new(ax)
    tails = [(1 - prob) / 2, 0.5, (1 + prob) / 2]
    across = np.linspace(-0.1, 0.1, len(shares)) if len(shares) > 1 else np.zeros(1)
    interval = f"{100 * prob:g}% interval"
    for number, (share, off) in enumerate(zip(shares, across, strict=True)):
        low, middle, high = np.transpose(
            [_gradient_at(fit, share).quantile(tails).to_numpy() for fit in named.values()]
        )
        colour = STYLE.ink if share is None else _side(number, len(shares))
        x = np.arange(len(named)) + off
        ax.plot(x, middle, color=colour, linewidth=STYLE.thin, alpha=0.5)
        ax.vlines(x, low, high, color=colour, linewidth=STYLE.line)
        whose = "Average authority"
        if share is not None:
            whose = f"Authority at the {_ordinal(share)} of deprivation"
        ax.plot(x, middle, "o", color=colour, markersize=6, label=f"{whose}, {interval}")
        if share is None:
            for place, value in zip(x, middle, strict=True):
                ax.annotate(
                    f"{value:.2f}",
                    (place, value),
                    xytext=(8, 0),
                    textcoords="offset points",
                    va="center",
                    color=colour,
                )
    quiet_frame(ax)
    ax.set_xticks(range(len(named)), [textwrap.fill(name, 16) for name in named])
    ax.set_xlim(-0.5, len(named) - 0.5)
    ratio_axis(ax, f"Gradient: rate ratio per {points(steps.pop())} of\nneighbourhood deprivation")
    make_room(ax, rows=len(shares))
    ax.legend(loc="upper left", frameon=False, fontsize="small")
    return ax


def _rows(
    draws: xr.DataArray,
    dim: Hashable,
    reference: "xr.DataArray | float | None",
    names: Mapping[Hashable, str],
    prob: float,
) -> _Rows:
    tails = [(1 - prob) / 2, 0.5, (1 + prob) / 2]
    values = draws.transpose("chain", "draw", dim)
    low, middle, high = values.quantile(tails, dim=("chain", "draw")).to_numpy()
    labels = draws[dim].to_numpy().tolist()
    if reference is None:
        above = below = np.zeros(len(labels), dtype=bool)
    else:
        above = (values > reference).mean(("chain", "draw")).to_numpy() > tails[2]
        below = (values < reference).mean(("chain", "draw")).to_numpy() > tails[2]
    return _Rows([str(names.get(one, one)) for one in labels], low, middle, high, above, below)


def _in_order(rows: _Rows, *, falls: bool) -> _Rows:
    """Largest estimate first, or the smallest."""
    order = np.argsort(-rows.middle if falls else rows.middle, kind="stable")
    return _Rows(
        [rows.names[k] for k in order],
        *(getattr(rows, name)[order] for name in ("low", "middle", "high", "above", "below")),
    )


def _draw_rows(ax: "Axes", rows: _Rows, part: slice, reference: float | None) -> None:
    """Draw some of the rows from top to bottom, names as large as the panel allows."""
    names = rows.names[part]
    y = np.arange(len(names))
    sides = np.where(rows.above[part], STYLE.deprived, STYLE.quiet)
    colours = np.where(rows.below[part], STYLE.affluent, sides)
    if reference is not None:
        ax.axvline(reference, color=STYLE.ink, linewidth=STYLE.thin)
    ax.hlines(y, rows.low[part], rows.high[part], color=colours.tolist(), linewidth=1.2)
    ax.scatter(rows.middle[part], y, s=12, c=colours.tolist(), zorder=3)
    inches = ax.get_position().height * ax.figure.bbox.height / ax.figure.dpi
    size = float(np.clip(0.85 * 72 * inches / max(len(names), 1), 3.5, 9))
    ax.set_yticks(y, names, fontsize=size)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)


def _limits(rows: _Rows, reference: float | None, *, is_ratio: bool) -> tuple[float, float]:
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


def _by_name(fits: "xr.DataTree | Mapping[str, xr.DataTree]") -> dict[str, xr.DataTree]:
    """Fits by the name of their stage, from a mapping or the strata of one fit."""
    if not isinstance(fits, xr.DataTree):
        if not fits:
            raise EstimandError("There are no fits to draw. Expected one or more, by name.")
        return dict(fits)
    if not is_stratified(fits):
        raise EstimandError(
            "This fit has no strata to make a ladder of. Give fits by name, "
            "{'Referrals': first, 'Plans': second}, or a fit of a StratifiedModel."
        )
    return {str(label): stratum(fits, label) for label in stratum_labels(fits)}


def _gradient_at(fit: xr.DataTree, share: float | None) -> xr.DataArray:
    """Draws of the gradient in an authority at a quantile of the fit's means."""
    if share is None:
        return gradient(fit)
    land = geography(fit)
    mean = weighted_quantile(land.authority_mean, land.authority_children, share).item()
    return gradient(fit, authority_mean=mean).isel(authority_mean=0)


def _side(number: int, of: int) -> "str | tuple[float, ...]":
    """Colour of one of several authorities, from affluent to deprived."""
    return colours()(number / (of - 1)) if of > 1 else STYLE.ink


def _ordinal(share: float) -> str:
    """Words for a quantile: 0.1 is the 10th percentile."""
    percent = 100 * share
    whole = round(percent)
    ending = (
        {1: "st", 2: "nd", 3: "rd"}.get(whole % 10, "th") if whole not in (11, 12, 13) else "th"
    )
    return f"{percent:g}{ending} percentile"
