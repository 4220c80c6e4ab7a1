"""Where a table came from: publisher, title, year and licence, kept with it."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pandas as pd

from socgrad.table.provenance import SOURCES

__all__ = ["OGL", "noted", "sources"]

OGL: Final = "Open Government Licence v3.0"


def noted(
    frame: pd.DataFrame,
    *,
    title: str,
    publisher: str,
    year: str,
    path: str | Path,
    licence: str = OGL,
) -> pd.DataFrame:
    """Give a table the note of its source, in ``frame.attrs["sources"]``."""
    frame.attrs[SOURCES] = [
        {
            "title": title,
            "publisher": publisher,
            "year": year,
            "licence": licence,
            "file": Path(path).name,
        }
    ]
    return frame


def sources(tables: Iterable[pd.DataFrame | pd.Series[Any]]) -> list[dict[str, str]]:
    """Notes of several tables, each once, in their order."""
    found: list[dict[str, str]] = []
    for table in tables:
        found += [note for note in table.attrs.get(SOURCES, []) if note not in found]
    return found
