"""Tables of the same places side by side, every place in both."""

from __future__ import annotations  # pandas' own classes are not generic at run time

import pandas as pd

from socgrad.door.table_checks import as_pandas, column, refuse
from socgrad.errors import TableError
from socgrad.places.codes import refuse_unmatched
from socgrad.places.sources import sources
from socgrad.table.provenance import SOURCES

__all__ = ["join"]


def join(*tables: pd.DataFrame, on: str = "area") -> pd.DataFrame:
    """Set tables of the same places side by side, refusing places that one of them lacks.

    Parameters
    ----------
    tables
        Two or more, one row per place. A column that an earlier table has already is taken from
        the earlier one.
    on
        Column of codes that all of them have.

    Returns
    -------
    pandas.DataFrame
        Rows as in the first table; ``attrs["sources"]`` holds the notes of all.

    Raises
    ------
    TableError
        If a code is in one table only (as of LSOA 2011 and 2021), or twice in one.

    Examples
    --------
    >>> import pandas as pd
    >>> from socgrad import places
    >>> children = pd.DataFrame({"area": ["E01000001", "E01000002"], "children": [310, 402]})
    >>> deprivation = pd.DataFrame({"area": ["E01000002", "E01000001"], "deprivation": [0.2, 0.1]})
    >>> places.join(children, deprivation)
            area  children  deprivation
    0  E01000001       310          0.1
    1  E01000002       402          0.2
    """
    if len(tables) < 2:
        raise TableError("join needs two tables or more, with one row per place in each.")
    frames = [as_pandas(table) for table in tables]
    for number, frame in enumerate(frames, start=1):
        key = column(frame, on, role="on")
        refuse(
            key.duplicated().to_numpy(dtype=bool),
            pd.Index(key),
            f"Table {number} of join has places more than once",
            "Expected one row per place: take one year, one measure or one category.",
        )
    joined = frames[0]
    first = pd.Index(joined[on])
    for number, frame in enumerate(frames[1:], start=2):
        names = {"first": "the first table", "second": f"table {number}"}
        refuse_unmatched(first, pd.Index(frame[on]), **names)
        names = {"first": f"table {number}", "second": "the first table"}
        refuse_unmatched(pd.Index(frame[on]), first, **names)
        new = [name for name in frame.columns if name == on or name not in joined.columns]
        joined = joined.merge(frame[new], on=on, how="left", validate="one_to_one")
    joined.attrs = {SOURCES: sources(frames)}
    return joined
