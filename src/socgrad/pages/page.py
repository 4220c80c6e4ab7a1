"""The page itself: what `report` returns, and what a writer may add to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from socgrad.errors import SpecificationError
from socgrad.reading.file_writing import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Page", "Section"]


@dataclass(frozen=True, eq=False)
class Section:
    """A section of your own, for `socgrad.report`.

    Attributes
    ----------
    heading : str
        Its heading.
    text : str or sequence of str
        A paragraph, or several. Text, not HTML: it is escaped.
    table : pandas.DataFrame, optional
        Shown with its columns in their order and without its index.
    figure : matplotlib.figure.Figure, optional
        Embedded as SVG.
    shows : str
        What the figure shows, in words; required with a figure, for those who cannot see it.

    Raises
    ------
    SpecificationError
        If there is a figure and `shows` is empty.

    Examples
    --------
    >>> import socgrad as sg
    >>> sg.pages.Section("What we did next", "We asked the authorities.").heading
    'What we did next'
    """

    heading: str
    text: str | Sequence[str] = ""
    table: pd.DataFrame | None = None
    figure: "Figure | None" = None
    shows: str = ""

    def __post_init__(self) -> None:
        if self.figure is not None and not self.shows:
            raise SpecificationError(
                f"The figure of section {self.heading!r} has no words. Say what it shows with "
                "shows='...', for readers who cannot see it."
            )


@dataclass(frozen=True, eq=False, repr=False)
class Page:
    """A report of one fit or several, made by `socgrad.report`.

    Attributes
    ----------
    title : str
        Its title.
    html : str
        The page, whole: styles and figures are within it, and nothing is fetched.
    found : dict of str to tuple of str
        By question, the sentences that answer it; of several fits, "fit: question".
    tables : dict of str to pandas.DataFrame
        By question, its numbers: columns of (what rows are of), quantity, estimate, lower, upper
        and, of rates, observed where they may be shown.
    refused : dict of str to str
        By question, why it is not answered.
    converged : bool
        Whether the sampler converged in every fit.
    """

    title: str
    html: str = field(repr=False)
    found: Mapping[str, Sequence[str]]
    tables: Mapping[str, pd.DataFrame]
    refused: Mapping[str, str]
    converged: bool

    def __repr__(self) -> str:
        """Title, and how many questions it answers."""
        return (
            f"Page({self.title!r}, {len(self.found)} questions answered, {len(self.refused)} not; "
            ".save(path), .found, .tables, .refused)"
        )

    def _repr_html_(self) -> str:
        """The findings: the page itself would bring its styles into a notebook."""
        said = "".join(
            f"<li>{escape(sentence)}</li>" for words in self.found.values() for sentence in words
        )
        return f"<p><strong>{escape(self.title)}</strong></p><ul>{said}</ul>"

    def save(self, path: str | Path) -> Path:
        """Write the page to a file, whole or not at all.

        Parameters
        ----------
        path
            Of the file, usually .html. One that exists is replaced.

        Returns
        -------
        pathlib.Path
            The path.
        """
        path = Path(path)
        write_whole(path, self.html.encode("utf-8"))
        return path
