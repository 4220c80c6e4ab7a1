"""Map of an estimate by authority, on boundaries that the caller brings."""

from collections.abc import Hashable
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.arrays import BoolArray, FloatArray, IntArray
from socgrad.errors import EstimandError, SocgradError
from socgrad.plots.draws import one_dim, reference_of
from socgrad.plots.style import STYLE, colours, panels_or_new, plain_ticks
from socgrad.reading.arguments import check_choice
from socgrad.reading.data_marks import NO_DATA_SHORT, without_data

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize

__all__ = ["authority_map"]

_NAMED: Final = 5
#: England is taller than wide.
_SIZE: Final = (6.4, 6.6)


def authority_map(
    draws: xr.DataArray,
    boundaries: "GeoDataFrame",
    *,
    key: str,
    show: Literal["estimate", "probability"] = "estimate",
    reference: "xr.DataArray | float | None" = None,
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
        default the null value of `draws` for a probability; estimates are coloured about it, by
        default about the middle one.
    label
        Words for the colour bar; by default the units of `draws`, or the probability.
    ax
        Axes to draw on; by default new ones. A colour bar is set beside them.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on. Authorities of `boundaries` without an estimate are hatched, those none
        of whose events are known dotted, and a line below the map says how many there are.

    Raises
    ------
    EstimandError
        If labels of `draws` are not in `boundaries`, or twice; if `key` is no column; if `draws`
        have not one named dim; if there is no reference for a probability.
    SocgradError
        If geopandas or matplotlib is not installed.

    Notes
    -----
    Colours run from blue (below the reference) by pale to vermilion (above), on a logarithmic scale
    for ratios, as far to one side as to the other. The colour bar ends where the estimates do.

    Interpretation
    --------------
    A map shows where, not how surely: large rural authorities fill it, and neighbours may differ by
    chance. Set the map of probabilities beside it before speaking of a pattern.

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
    dim = one_dim(draws)
    centre = reference_of(draws, reference)
    is_ratio = show == "estimate" and draws.attrs.get("null") == 1
    if show == "probability":
        if centre is None:
            raise EstimandError(
                "show='probability' needs a reference to lie above, and these draws have no null "
                "value. Give reference=..., a number or draws such as socgrad.gradient(fit)."
            )
        values = (draws > centre).mean(("chain", "draw"))
    else:
        values = draws.median(("chain", "draw"))
    unknown = without_data(draws, dim)
    place, left_out = _places(draws[dim].to_numpy().tolist(), boundaries, key)

    ax = panels_or_new(ax, number=1, size=_SIZE)[0]
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415 matplotlib is optional

    middle = None if reference is None else float(xr.DataArray(centre).median())
    shades = ScalarMappable(
        _scale(values.to_numpy(), show, middle, is_ratio=is_ratio), colours(STYLE.paper)
    )
    edge = {"edgecolor": STYLE.quiet, "linewidth": 0.25}
    if left_out.any():
        boundaries[left_out].plot(ax=ax, facecolor="white", hatch="//////", **edge)
    filled = [tuple(colour) for colour in shades.to_rgba(values.to_numpy())]
    boundaries.iloc[place].plot(ax=ax, color=filled, **edge)
    default = str(draws.attrs["units"]) if show == "estimate" else "Probability of lying above"
    bar = ax.figure.colorbar(shades, ax=ax, label=label or default, shrink=0.6)
    bar.outline.set_visible(False)
    least, most = float(values.min()), float(values.max())
    if show == "estimate" and least < most:
        # Colours go as far to either side, where a rate may be below zero; estimates do not.
        bar.ax.set_ylim(least, most)
    if is_ratio:
        plain_ticks(bar.ax.yaxis)
    ax.set_axis_off()
    said = [f"Hatched: {left_out.sum()} without an estimate"] if left_out.any() else []
    if unknown.any():
        boundaries.iloc[place[unknown]].plot(ax=ax, facecolor="none", hatch="....", **edge)
        said.append(f"Dotted: {unknown.sum()} with {NO_DATA_SHORT} of their own")
    if said:
        ax.set_title("\n".join(said), loc="left", fontsize="small", y=0)
    return ax


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


def _scale(values: FloatArray, show: str, middle: float | None, *, is_ratio: bool) -> "Normalize":
    """Colours as far to one side of the middle as to the other."""
    from matplotlib.colors import LogNorm, Normalize  # noqa: PLC0415 matplotlib is optional

    if show == "probability":
        return Normalize(0, 1)
    centre = float(np.median(values)) if middle is None else middle
    if is_ratio:
        reach = max(float(np.exp(np.abs(np.log(values / centre)).max())), 1 + 1e-6)
        return LogNorm(centre / reach, centre * reach)
    reach = max(float(np.abs(values - centre).max()), 1e-12)
    return Normalize(centre - reach, centre + reach)
