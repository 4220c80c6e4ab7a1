"""Tables of returns from CSV files or frames, every value as text, columns by their own names."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from socgrad.errors import TableError

__all__ = ["TableFile", "read_table"]

type TableFile = str | Path | pd.DataFrame


def read_table(
    given: TableFile, *, name: str, needed: Sequence[str], known: Sequence[str] = ()
) -> pd.DataFrame:
    """Read the named columns of a table as they are, whatever the case of their names.

    Parameters
    ----------
    given
        A CSV file (UTF-8, with or without a byte order mark, or gzipped), or a frame.
    name
        What the table is, for messages.
    needed, known
        Columns that must be there, and columns that are read if they are: absent ones are None.
    """
    if isinstance(given, pd.DataFrame):
        table = given
    else:
        path = Path(given)
        try:
            table = pd.read_csv(path, dtype=str, encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise TableError(
                f"{path.name} ({name}) is not UTF-8. Read it yourself and pass the frame: "
                'pd.read_csv(..., dtype=str, encoding="cp1252") for a file of Windows.'
            ) from None
        except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise TableError(
                f"{path.name} ({name}) cannot be read as a CSV table: {type(error).__name__}."
            ) from None
    found = {str(column).strip().casefold(): column for column in table.columns}
    absent = [column for column in needed if column.casefold() not in found]
    if absent:
        # Not the columns themselves: of a file without a header they are a child's row.
        close = (name for one in absent for name in get_close_matches(one.casefold(), found))
        alike = dict.fromkeys(close)
        advice = f" Alike are {', '.join(map(repr, alike))}." if alike else ""
        raise TableError(
            f"{name} has no column {', '.join(absent)} among its {len(table.columns)} columns."
            f"{advice} Expected the names of columns in its first row."
        )
    made = {
        column: table[found[column.casefold()]].reset_index(drop=True)
        if column.casefold() in found
        else pd.Series([None] * len(table), dtype=object)
        for column in (*needed, *known)
    }
    return pd.DataFrame(made)
