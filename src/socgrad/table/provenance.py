"""Notes of the sources of a table, which go with it into the record of a fit."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping
from typing import Final

import pandas as pd

from socgrad.errors import TableError

__all__ = ["SOURCES", "source_notes"]

#: Key of ``frame.attrs`` under which the readers of public files leave their notes.
SOURCES: Final = "sources"


def source_notes(*tables: object) -> tuple[Mapping[str, str], ...]:
    """Notes that tables carry, each once; tables without any are passed over."""
    found: list[dict[str, str]] = []
    for table in tables:
        attrs = table.attrs if isinstance(table, pd.DataFrame | pd.Series) else {}
        notes = attrs.get(SOURCES, [])
        if not isinstance(notes, list) or not all(isinstance(note, Mapping) for note in notes):
            raise TableError(
                f"frame.attrs[{SOURCES!r}] is not a list of notes. Expected what the readers of "
                "socgrad.places leave there, a list of mappings from words to words."
            )
        for note in notes:
            words = {str(key): str(value) for key, value in note.items()}
            if words not in found:
                found.append(words)
    return tuple(found)
