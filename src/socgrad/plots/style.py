"""One look for all figures: colours, axes in the reader's units, lines with their bands.

Colours run from blue (affluent authorities) by grey to vermilion (deprived ones), the pair of
Okabe & Ito that is told apart with every kind of colour vision. matplotlib's settings are read,
never changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.errors import EstimandError, SocgradError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.colors import Colormap
    from matplotlib.ticker import Locator

__all__ = [
    "STYLE",
    "WITHOUT_MATPLOTLIB",
    "Band",
    "across_axis",
    "axes_or_new",
    "band",
    "check_prob",
    "colours",
    "deprivation_axis",
    "draw_band",
    "make_room",
    "new_panels",
    "panels_or_new",
    "plain_ticks",
    "quiet_frame",
    "rate_axis",
    "ratio_axis",
]

type Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Style:
    """Sizes in inches and points, colours as matplotlib names them."""

    size: tuple[float, float] = (7.0, 4.6)
    affluent: str = "#0072B2"
    middle: str = "#8A8A8A"
    deprived: str = "#D55E00"
    ink: str = "#222222"
    quiet: str = "#8C8C8C"
    grid: str = "#E4E4E4"
    paper: str = "#F5F2EC"
    support: str = "#F1EFE8"
    bar: str = "#BFD3E2"
    band_opacity: float = 0.18
    line: float = 2.0
    thin: float = 0.8


STYLE: Final = _Style()

#: To be followed by what can be done without it.
WITHOUT_MATPLOTLIB: Final = (
    "Figures need matplotlib, which is not installed here. It comes with the optional extra "
    "'plots': pip install 'socgrad[plots]'."
)


@dataclass(frozen=True, eq=False)
class Band:
    """Posterior median and equal-tailed interval along an axis."""

    x: Floats
    low: Floats
    middle: Floats
    high: Floats


def axes_or_new(ax: "Axes | None") -> "Axes":
    """Return the axes given, or new ones.

    Raises
    ------
    SocgradError
        If matplotlib is not installed.
    """
    return panels_or_new(ax, number=1, size=STYLE.size)[0]


def panels_or_new(
    ax: "Axes | Sequence[Axes] | None", *, number: int, size: tuple[float, float]
) -> "list[Axes]":
    """Return the axes given, or new ones side by side on a figure of a size in inches.

    Raises
    ------
    SocgradError
        If matplotlib is not installed.
    EstimandError
        If the sequence is empty.
    """
    if ax is not None:
        axes = list(np.ravel(np.asarray(ax, dtype=object)))
        if not axes:
            raise EstimandError("ax holds no axes to draw on. Give one or more, or leave it out.")
        return axes
    return new_panels([1.0] * number, size=size)


def new_panels(
    shares: Sequence[float], *, size: tuple[float, float], stacked: bool = False
) -> "list[Axes]":
    """Make a figure of a size in inches, with panels of some shares of its width, or its height.

    Raises
    ------
    SocgradError
        If matplotlib is not installed.
    """
    try:
        # pyplot, not a bare Figure: only its figures appear in a notebook and in show(). Imported
        # here because it picks a backend, which `import socgrad` must not do.
        from matplotlib import pyplot  # noqa: PLC0415
    except ImportError as error:
        raise SocgradError(f"{WITHOUT_MATPLOTLIB} Everything else works without it.") from error
    figure = pyplot.figure(figsize=size, layout="constrained")
    if stacked:
        return list(figure.subplots(len(shares), 1, height_ratios=shares, squeeze=False)[:, 0])
    return list(figure.subplots(1, len(shares), width_ratios=shares, squeeze=False)[0])


def colours(middle: str = STYLE.middle) -> "Colormap":
    """Give colours from affluent (0) by average (0.5) to deprived (1).

    Lines need a middle that is seen on white; areas with edges one that is paler than the ends.
    """
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415 matplotlib is optional

    return LinearSegmentedColormap.from_list("socgrad", (STYLE.affluent, middle, STYLE.deprived))


def check_prob(prob: float) -> None:
    """Refuse what is no probability of an interval.

    Raises
    ------
    EstimandError
        If `prob` does not lie between 0 and 1.
    """
    if not 0 < prob < 1:
        raise EstimandError(f"prob is {prob:g}; expected a probability between 0 and 1, as 0.95.")


def band(draws: xr.DataArray, x: Floats, *, prob: float) -> Band:
    """Collapse draws (chain, draw and one more dim, along which `x` runs) to median and interval.

    Raises
    ------
    EstimandError
        If `prob` does not lie between 0 and 1.
    """
    check_prob(prob)
    tails = [(1 - prob) / 2, 0.5, (1 + prob) / 2]
    low, middle, high = draws.quantile(tails, dim=("chain", "draw")).to_numpy()
    return Band(np.asarray(x, dtype=float), low, middle, high)


def draw_band(ax: "Axes", values: Band, *, colour: "str | tuple[float, ...]", label: str) -> None:
    """Draw a median line and its interval over proportions, shown as percentages."""
    percent = 100 * values.x
    ax.fill_between(
        percent, values.low, values.high, color=colour, alpha=STYLE.band_opacity, linewidth=0
    )
    ax.plot(percent, values.middle, color=colour, linewidth=STYLE.line, label=label)


def deprivation_axis(ax: "Axes", label: str) -> None:
    """Label the horizontal axis, in percent, and quieten the frame."""
    ax.set_xlabel(label)
    quiet_frame(ax)


def quiet_frame(ax: "Axes", *, across: Literal["x", "y"] = "y") -> None:
    """Leave of the frame what is read, with light lines across the axis of values."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(visible=True, axis=across, color=STYLE.grid, linewidth=0.8)
    ax.set_axisbelow(True)


def across_axis(ax: "Axes", *, is_ratio: bool) -> None:
    """Make the horizontal axis that of values, logarithmic with plain numbers for ratios."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 matplotlib is optional

    quiet_frame(ax, across="x")
    ax.spines["left"].set_visible(False)
    if is_ratio:
        _log_scale(ax, "x", MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))


def rate_axis(ax: "Axes", label: str) -> None:
    """Make the vertical axis logarithmic, with plain numbers at 1, 2 and 5 times powers of ten."""
    from matplotlib.ticker import LogLocator  # noqa: PLC0415 matplotlib is optional

    _log_axis(ax, label, LogLocator(subs=(1.0, 2.0, 5.0)))


def ratio_axis(ax: "Axes", label: str) -> None:
    """Make the vertical axis logarithmic, with plain, evenly spaced numbers."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 matplotlib is optional

    # Ratios span less than a power of ten, where a logarithmic locator finds one tick or none.
    _log_axis(ax, label, MaxNLocator(nbins=10, steps=[1, 2, 5, 10]))


def make_room(ax: "Axes", *, rows: int) -> None:
    """Lift the top of a logarithmic axis, so that a key of some rows has a strip of its own."""
    share = 0.05 * rows + 0.02
    low, high = ax.get_ylim()
    ax.set_ylim(top=high * (high / low) ** (share / (1 - share)))


def _log_axis(ax: "Axes", label: str, locator: "Locator") -> None:
    _log_scale(ax, "y", locator)
    ax.set_ylabel(label)


def plain_ticks(axis: "Axis") -> None:
    """Give a logarithmic axis that spans less than a power of ten plain, evenly spaced numbers."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator  # noqa: PLC0415

    axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def _log_scale(ax: "Axes", which: Literal["x", "y"], locator: "Locator") -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator  # noqa: PLC0415 matplotlib is optional

    (ax.set_xscale if which == "x" else ax.set_yscale)("log")
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(locator)
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
