"""Map of an estimate by authority, on boundaries that the caller brings."""

from collections.abc import Hashable
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.errors import EstimandError, SocgradError
from socgrad.plots.draws import AVERAGE, one_dim, reference_of
from socgrad.plots.style import STYLE, check_prob, colours, panels_or_new, plain_ticks
from socgrad.reading.arguments import check_choice
from socgrad.reading.data_marks import NO_DATA_SHORT, without_data

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.colors import Normalize

__all__ = ["authority_map"]

_NAMED: Final = 5
#: Tails of the intervals whose mean width the colours reach at least.
_INTERVAL: Final = (0.025, 0.975)
#: England is taller than wide.
_SIZE: Final = (6.4, 6.6)
_EDGE: Final = {"edgecolor": STYLE.quiet, "linewidth": 0.25}


def authority_map(
    draws: xr.DataArray,
    boundaries: "GeoDataFrame",
    *,
    key: str,
    show: Literal["estimate", "probability"] = "estimate",
    reference: "xr.DataArray | float | None" = None,
    prob: float = 0.95,
    label: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a map of an estimate of every authority, or of how surely it lies above a reference.

    Parameters
    ----------
    draws
        An estimand with one named dim, such as ``gradient(fit, target="each")``, dims chain, draw
        and authority.
    boundaries
        One row for each authority, with its polygons.
    key
        Column of `boundaries` with the labels of the authorities, as they are in `draws`.
    show
        "estimate": posterior medians; "probability": the posterior probability of lying above
        `reference`.
    reference
        Draws without a named dim, such as ``gradient(fit)``, compared draw by draw, or a number. By
        default the average of the authorities in each draw (of ratios their geometric mean).
        Colours run about it.
    prob
        Authorities are outlined where the posterior probability of lying on one side of the
        reference exceeds (1 + prob) / 2; between 0 and 1.
    label
        Words for the colour bar; by default the units of `draws`, or the probability.
    ax
        Axes to draw on; by default new ones. A colour bar is set beside them.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on. Authorities that are told apart from the reference are outlined, those of
        `boundaries` without an estimate hatched, those none of whose events are known dotted; lines
        above the map say how many there are of each.

    Raises
    ------
    EstimandError
        If labels of `draws` are not in `boundaries`, or twice; if `key` is no column; if `draws`
        have not one named dim; if there is no reference for a probability; if `prob` is out of
        range.
    SocgradError
        If geopandas or matplotlib is not installed.

    Notes
    -----
    Colours run from blue (below the reference) by pale to vermilion (above), on a logarithmic scale
    for ratios, as far to one side as to the other: to the estimate furthest out, and at least by
    half the width of an average 95% interval, so that estimates which differ by less than their own
    uncertainty are pale. The colour bar ends where the estimates do.

    Interpretation
    --------------
    Only outlined authorities differ surely from the reference; the colour of others may be chance.
    Large rural authorities fill a map whatever their number of children.

    Examples
    --------
    >>> import geopandas
    >>> import socgrad as sg
    >>> from matplotlib.figure import Figure
    >>> from shapely.geometry import box
    >>> from socgrad.reading.example import example_fit
    >>> gradients = sg.gradient(example_fit(), target="each")
    >>> squares = geopandas.GeoDataFrame(
    ...     {"name": gradients["authority"].values},
    ...     geometry=[box(k, 0, k + 1, 1) for k in range(6)],
    ... )
    >>> ax = sg.plots.authority_map(gradients, squares, key="name", ax=Figure().subplots())
    >>> ax.figure.axes[1].get_ylabel()
    'rate ratio per 10 points of neighbourhood deprivation'
    """
    try:
        from geopandas import GeoDataFrame  # noqa: PLC0415 geopandas is optional
    except ImportError as error:
        raise SocgradError(
            "Maps need geopandas, which is not installed here. It comes with the optional extra "
            "'maps': pip install 'socgrad[maps]'. Everything else works without it."
        ) from error
    check_choice("show", show, ("estimate", "probability"))
    if not isinstance(boundaries, GeoDataFrame):
        raise EstimandError(
            f"boundaries is a {type(boundaries).__name__}; expected a geopandas.GeoDataFrame, such "
            "as geopandas.read_file('boundaries.geojson')."
        )
    from matplotlib.colors import Normalize  # noqa: PLC0415 matplotlib is optional

    dim = one_dim(draws)
    check_prob(prob)
    centre = reference_of(draws, reference)
    above = None if centre is None else (draws > centre).mean(("chain", "draw")).to_numpy()
    place, left_out = _places(draws[dim].to_numpy().tolist(), boundaries, key)
    ax = panels_or_new(ax, number=1, size=_SIZE)[0]
    if left_out.any():
        boundaries[left_out].plot(ax=ax, facecolor="white", hatch="//////", **_EDGE)
    own = boundaries.iloc[place]
    said = []
    if show == "probability":
        if above is None:
            raise EstimandError(
                "show='probability' needs a reference to lie above, and these draws have no null "
                "value. Give reference=..., a number or draws such as socgrad.gradient(fit)."
            )
        _fill(ax, own, above, Normalize(0, 1), label or "Probability of lying above")
    else:
        _draw_estimates(ax, own, draws, centre, label or str(draws.attrs["units"]))
        if above is not None:
            said.append(_outlines(ax, own, above, prob, is_default=reference is None))
    ax.set_axis_off()
    unknown = without_data(draws, dim)
    if left_out.any():
        said.append(f"Hatched: {left_out.sum()} without an estimate")
    if unknown.any():
        own[unknown].plot(ax=ax, facecolor="none", hatch="....", **_EDGE)
        said.append(f"Dotted: {unknown.sum()} with {NO_DATA_SHORT} of their own")
    ax.set_title("\n".join(said), loc="left", fontsize="small")
    return ax


def _draw_estimates(
    ax: "Axes",
    polygons: "GeoDataFrame",
    draws: xr.DataArray,
    centre: "xr.DataArray | float | None",
    label: str,
) -> None:
    """Colour polygons by posterior medians, about the reference or the middle one."""
    values = draws.median(("chain", "draw")).to_numpy()
    middle = float(np.median(values) if centre is None else xr.DataArray(centre).median())
    is_ratio = draws.attrs.get("null") == 1
    bar = _fill(ax, polygons, values, _scale(draws, values, middle, is_ratio=is_ratio), label)
    if values.min() < values.max():
        # Colours go as far to either side, where a rate may be below zero; estimates do not.
        bar.ax.set_ylim(values.min(), values.max())
    if is_ratio:
        plain_ticks(bar.ax.yaxis)


def _fill(
    ax: "Axes", polygons: "GeoDataFrame", values: FloatArray, scale: "Normalize", label: str
) -> "Colorbar":
    """Colour polygons by their values, and set the colour bar beside them."""
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415 matplotlib is optional

    shades = ScalarMappable(scale, colours(STYLE.paper))
    polygons.plot(ax=ax, color=[tuple(colour) for colour in shades.to_rgba(values)], **_EDGE)
    bar: Colorbar = ax.figure.colorbar(shades, ax=ax, label=label, shrink=0.6)
    bar.outline.set_visible(False)
    return bar


def _outlines(
    ax: "Axes", polygons: "GeoDataFrame", above: FloatArray, prob: float, *, is_default: bool
) -> str:
    """Outline those that surely lie on one side of the reference, and say how many do."""
    sure = (1 + prob) / 2
    certain = np.maximum(above, 1 - above) > sure
    if certain.any():
        polygons[certain].plot(ax=ax, facecolor="none", edgecolor=STYLE.ink, linewidth=0.9)
    of = AVERAGE if is_default else "the reference"
    return (
        f"Outlined: {certain.sum()} of {len(certain)} that lie above or below {of} "
        f"with Pr > {sure:g}"
    )


def _places(
    labels: list[Hashable], boundaries: "GeoDataFrame", key: str
) -> tuple[IntArray, BoolArray]:
    """Row of each label among the boundaries, and which rows no label has."""
    if key not in boundaries.columns:
        raise EstimandError(
            f"boundaries has no column {key!r}; it has {', '.join(map(str, boundaries.columns))}. "
            "Name the one that holds the labels of the authorities."
        )
    found = pd.Index(boundaries[key])
    missing = [label for label in labels if label not in found]
    if missing:
        raise EstimandError(
            f"{len(missing)} of {len(labels)} authorities are not in column {key!r} of boundaries "
            f"(first: {_some(missing)}). The column has {_some(found.tolist())} ... Use boundaries "
            "of the same year, and the column with the same kind of label (codes or names)."
        )
    twice = found[found.duplicated() & found.isin(labels)].unique().tolist()
    if twice:
        raise EstimandError(
            f"{len(twice)} authorities stand more than once in column {key!r} of boundaries "
            f"(first: {_some(twice)}). Expected one row each: boundaries.dissolve(by={key!r}, "
            "as_index=False) joins their polygons."
        )
    return found.get_indexer(pd.Index(labels)), ~found.isin(labels)


def _some(labels: list[Hashable]) -> str:
    return ", ".join(map(repr, labels[:_NAMED]))


def _scale(
    draws: xr.DataArray, values: FloatArray, middle: float, *, is_ratio: bool
) -> "Normalize":
    """Colours as far to one side of the middle as to the other, and beyond what is uncertain."""
    from matplotlib.colors import LogNorm, Normalize  # noqa: PLC0415 matplotlib is optional

    ends = draws.quantile(_INTERVAL, dim=("chain", "draw")).to_numpy()
    if is_ratio:
        within = float(np.log(ends[1] / ends[0]).mean()) / 2
        reach = np.exp(max(float(np.abs(np.log(values / middle)).max()), within, 1e-6))
        return LogNorm(middle / reach, middle * reach)
    within = float((ends[1] - ends[0]).mean()) / 2
    reach = max(float(np.abs(values - middle).max()), within, 1e-12)
    return Normalize(middle - reach, middle + reach)
