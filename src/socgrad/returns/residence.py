"""Where each child lived when: the caller's table of children, days and areas."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from socgrad.door.label_checks import labels
from socgrad.door.table_checks import as_pandas
from socgrad.errors import TableError
from socgrad.returns.dates import DayArray, read_dates, unreadable_dates
from socgrad.returns.identifiers import Identifiers, as_identifiers, positions
from socgrad.returns.stretches import EVER, NO_AREA, Stretches, stretches_of
from socgrad.returns.table_files import read_table

__all__ = ["Residence"]

_ALWAYS: Final = np.datetime64("1900-01-01", "D")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Residence:
    """Which area each child lived in, and when. Make one with `Residence.from_frame`.

    What it prints has no child in it.

    Parameters
    ----------
    identifiers
        Identifier of each row's child, whose text is hidden.
    area
        Area of each row; None where it is blank.
    first, after
        First day of each row, and first day that no longer belongs to it.
    name
        The caller's column of children, for messages.
    """

    identifiers: Identifiers
    area: pd.Series[Any]
    first: DayArray
    after: DayArray
    name: str

    def __repr__(self) -> str:
        return (
            f"Residence({len(self.area):,} rows, {self.identifiers.text.nunique():,} children, "
            f"{self.area.nunique():,} areas)"
        )

    @classmethod
    def from_frame(
        cls,
        frame: object,
        *,
        child: str,
        area: str,
        start: str | None = None,
        end: str | None = None,
    ) -> Self:
        """Take the table that says where children live.

        The census has no address: this table comes from the authority's own system, from postcodes
        looked up in the NSPL or ONSPD. Read identifiers as text, or leading zeros are lost.

        Parameters
        ----------
        frame
            One row per child and address, in any order: pandas, or what has ``to_pandas``.
        child
            Column of identifiers, as in the return.
        area
            Column of areas, such as LSOA codes; blank where the address is in none.
        start
            Column of the first day of each address; without it a row holds always.
        end
            Column of the last day of each address, which belongs to it unless another begins on it.
            Blank, or no column: the address holds until another begins.

        Returns
        -------
        Residence
            Rows as given, dates read.

        Raises
        ------
        TableError
            If a column is missing, a row has no child or ends before it begins, or dates cannot be
            read.

        Examples
        --------
        >>> import pandas as pd
        >>> import socgrad as sg
        >>> addresses = pd.DataFrame(
        ...     {
        ...         "child": ["0017", "0017", "0044"],
        ...         "lsoa": ["E01000001", "E01000002", "E01000002"],
        ...         "from": ["2019-02-01", "2022-09-15", "2020-01-01"],
        ...     }
        ... )
        >>> sg.returns.Residence.from_frame(addresses, child="child", area="lsoa", start="from")
        Residence(3 rows, 2 children, 2 areas)
        """
        named = [name for name in (child, area, start, end) if name is not None]
        table = read_table(as_pandas(frame), name="The residence table", needed=named)
        who = as_identifiers(table[child], where=f"Column {child!r} (child)")
        nameless = int(who.isna().sum())
        if nameless:
            raise TableError(
                f"Column {child!r} (child) is blank in {nameless:,} of {len(table):,} rows. Every "
                "row needs the identifier of its child: fill it in, or drop rows that have none."
            )
        size = len(table)
        first, after = np.full(size, _ALWAYS), np.full(size, EVER)
        if start is not None:
            first = _dates(table, start, "start")
            if np.isnat(first).any():
                raise TableError(
                    f"Column {start!r} (start) is blank in {int(np.isnat(first).sum()):,} of "
                    f"{size:,} rows. Since when the child lived there must be said: for ever is "
                    "1990-01-01."
                )
        if end is not None:
            last = _dates(table, end, "end")
            after = np.where(np.isnat(last), EVER, last + np.timedelta64(1, "D"))
        backwards = int((after <= first).sum())
        if backwards:
            raise TableError(
                f"{backwards:,} of {size:,} rows end before they begin (columns {start!r} and "
                f"{end!r}). Expected the first and the last day of each address."
            )
        return cls(
            identifiers=Identifiers(pd.Index(who, dtype=object)),
            area=_areas(table[area], where=f"Column {area!r} (area)"),
            first=first,
            after=after,
            name=child,
        )

    def stretches(self, known: Identifiers, areas: pd.Index[Any]) -> Stretches:
        """Days of the records' children in areas, of which those outside `areas` are numbered on.

        Raises
        ------
        TableError
            If no child of the records is in the table, or identifiers differ by zeros or case.
        """
        child = positions(
            known, pd.Series(self.identifiers.text), where=f"Column {self.name!r} (child)"
        )
        if not (child >= 0).any():
            raise TableError(
                f"None of the {len(known):,} children of the records is in column {self.name!r} "
                f"(child) of the residence table, which has "
                f"{self.identifiers.text.nunique():,} others. Expected the identifiers of the "
                "return (LAchildID, CHILD, or the person of the standard dataset)."
            )
        code, found = pd.factorize(self.area)
        position = areas.get_indexer(found)
        position = np.where(position < 0, len(areas) + np.arange(len(found)), position)
        place = np.where(code < 0, NO_AREA, np.append(position, NO_AREA)[code])
        mine = child >= 0
        return stretches_of(
            child[mine], place[mine], self.first[mine], self.after[mine], children=len(known)
        )


def _areas(values: pd.Series[Any], *, where: str) -> pd.Series[Any]:
    """Labels of areas, None where they are blank."""
    there = values.notna() & (values.astype(str).str.strip() != "")
    made = pd.Series(np.full(len(values), None, dtype=object))
    if there.any():
        made.loc[there] = labels(values[there].infer_objects(), where=where)
    return made


def _dates(table: pd.DataFrame, name: str, role: str) -> DayArray:
    values = table[name]
    days, wrong = read_dates(values)
    if wrong.any():
        raise unreadable_dates(values, wrong, where=f"Column {name!r} ({role})")
    return days
