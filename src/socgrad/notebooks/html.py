"""Pieces of HTML that notebooks show: headings, paragraphs, lines of text and tables."""

from collections.abc import Collection, Iterable, Sequence
from html import escape

import pandas as pd

__all__ = ["block", "cells_table", "frame_table", "heading", "paragraph"]

_LEFT, _RIGHT = "text-align: left", "text-align: right"


def heading(words: str) -> str:
    """A line in bold: notebooks have headings of their own."""
    return f"<p><strong>{escape(words)}</strong></p>"


def paragraph(words: str) -> str:
    """A paragraph."""
    return f"<p>{escape(words)}</p>"


def block(lines: Iterable[str]) -> str:
    """Lines as they are, in a fixed width."""
    return f"<pre>{escape(chr(10).join(lines))}</pre>"


def cells_table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Collection[int] = (),
    caption: str = "",
) -> str:
    """A table of words and numbers that are text already.

    Parameters
    ----------
    header, rows
        Headings of columns, and cells, as many in each row.
    numbers
        Positions of columns that hold numbers, which stand to the right.
    caption
        What the table shows, if that is to be said.
    """
    sides = [_RIGHT if k in numbers else _LEFT for k in range(len(header))]

    def row(cells: Sequence[str], tag: str) -> str:
        inner = "".join(
            f'<{tag} style="{side}">{escape(cell)}</{tag}>'
            for cell, side in zip(cells, sides, strict=True)
        )
        return f"<tr>{inner}</tr>"

    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    body = "".join(row(cells, "td") for cells in rows)
    return f"<table>{title}<thead>{row(header, 'th')}</thead><tbody>{body}</tbody></table>"


def frame_table(frame: pd.DataFrame, *, caption: str = "") -> str:
    """A data frame: its index and text to the left, numbers in three digits to the right."""
    index = frame.index.names if frame.index.names != [None] else []
    flat = frame.reset_index() if index else frame
    kinds = enumerate(flat.dtypes)
    numbers = [k for k, kind in kinds if pd.api.types.is_numeric_dtype(kind)]
    rows = ([_cell(value) for value in row] for row in flat.itertuples(index=False, name=None))
    return cells_table(list(map(str, flat.columns)), rows, numbers=numbers, caption=caption)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.3g}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)
