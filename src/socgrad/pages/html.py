"""Pieces of a page in HTML; every word that came from outside is escaped here."""

from collections.abc import Iterable, Sequence
from html import escape

import pandas as pd

from socgrad.pages.words import number

__all__ = ["figure", "figures", "folded", "found", "paragraphs", "plain_table", "table"]


def paragraphs(words: Iterable[str], kind: str = "") -> str:
    """Paragraphs, of a class if they have one."""
    mark = f' class="{kind}"' if kind else ""
    return "\n".join(f"<p{mark}>{escape(one)}</p>" for one in words if one)


def found(words: Sequence[str]) -> str:
    """What was found: the sentences that a reader takes away."""
    return f'<div class="found">\n{paragraphs(words)}\n</div>' if words else ""


def figure(address: str, shows: str, says: str) -> str:
    """A figure, with what it shows below it and what it says for those who cannot see it."""
    alternative = escape(f"Figure: {shows} {says}".strip(), quote=True)
    return (
        f'<figure><img src="{address}" alt="{alternative}">'
        f"<figcaption>{escape(shows)}</figcaption></figure>"
    )


def figures(pictures: Sequence[str]) -> str:
    """Figures side by side where there is room, else one below the other."""
    return f'<div class="figures">\n{"".join(pictures)}\n</div>' if pictures else ""


def folded(summary: str, inner: str, *, short: bool) -> str:
    """A part that readers unfold, and that is printed; a short one is kept on one page."""
    kind = ' class="short"' if short else ""
    return f"<details{kind}><summary>{escape(summary)}</summary>\n{inner}\n</details>"


def table(rows: pd.DataFrame, caption: str, *, interval: str) -> str:
    """A table of answers: a block of rows under each heading.

    Parameters
    ----------
    rows
        Columns of, quantity, estimate, lower and upper; others are shown after these.
    caption
        What the numbers are.
    interval
        Heading of the column of intervals.
    """
    own = [name for name in rows if name not in ("of", "quantity", "estimate", "lower", "upper")]
    header = ["", "Estimate", interval, *(str(name).capitalize() for name in own)]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    body = []
    heading = ""
    for row in rows.to_dict("records"):
        if row["of"] != heading:
            heading = row["of"]
            body.append(
                f'<tr><th scope="colgroup" colspan="{len(header)}">{escape(str(heading))}</th></tr>'
            )
        cells = [number(row["estimate"]), f"{number(row['lower'])} to {number(row['upper'])}"]
        cells += [one if isinstance(one := row[name], str) else number(one) for name in own]
        inner = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        body.append(f'<tr><th scope="row">{escape(str(row["quantity"]))}</th>{inner}</tr>')
    return (
        f"<table>{_caption(caption)}<thead><tr>{head}</tr></thead>\n<tbody>"
        + "\n".join(body)
        + "</tbody></table>"
    )


def plain_table(frame: pd.DataFrame, caption: str) -> str:
    """A table as somebody made it: its columns in their order, its index left out."""
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in frame.columns)
    body = [
        "<tr>" + "".join(f"<td>{escape(_cell(value))}</td>" for value in row) + "</tr>"
        for row in frame.itertuples(index=False, name=None)
    ]
    return (
        f"<table>{_caption(caption)}<thead><tr>{head}</tr></thead>\n<tbody>"
        + "\n".join(body)
        + "</tbody></table>"
    )


def _caption(words: str) -> str:
    return f"<caption>{escape(words)}</caption>" if words else ""


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "" if pd.isna(value) else number(value)
    return f"{value:,}" if isinstance(value, int) else str(value)
