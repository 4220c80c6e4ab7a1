"""Figures of a page as SVG: small enough to be read on a telephone, and the same everywhere."""

import base64
import io
from typing import Any

from socgrad.errors import SocgradError
from socgrad.pages.answers import Picture
from socgrad.plots.style import WITHOUT_MATPLOTLIB

__all__ = ["drawn", "embedded"]

#: Points. Drawn 5 inches wide and shown 3.7 wide on a telephone, letters stay 7 points high.
_TYPE = 10.0


def drawn(picture: Picture) -> bytes:
    """Draw a figure as SVG.

    Raises
    ------
    SocgradError
        If matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context  # noqa: PLC0415 matplotlib is optional
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise SocgradError(
            f"{WITHOUT_MATPLOTLIB} report(..., figures=False) makes a page without figures."
        ) from error
    # Letters as outlines look alike on every machine; a fixed salt makes equal figures equal bytes.
    settings: dict[Any, object] = {
        "font.size": _TYPE,
        "svg.fonttype": "path",
        "svg.hashsalt": "socgrad",
    }
    with rc_context(settings):
        figure = Figure(figsize=picture.size, layout="constrained")
        picture.draw(figure.subplots())
        return _svg(figure)


def _svg(figure: object) -> bytes:
    """The bytes of a matplotlib figure."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})  # type: ignore[attr-defined]
    return file.getvalue()


def embedded(figure: object) -> str:
    """The address of an image that is carried by the page itself.

    Parameters
    ----------
    figure
        A matplotlib figure, or the bytes of an SVG.
    """
    svg = figure if isinstance(figure, bytes) else _svg(figure)
    # As an image an SVG runs no scripts, and its ids stay its own.
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode('ascii')}"
