"""From rows of text, as returns have them, to `Records`: dates read, repeats found.

Returns of several years hold an open case several times. It is one record: the last return's, which
may know its end. A case that an earlier return had open, and a later one does not have, is known to
have been open until the end of the return that had it, and no longer.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from socgrad.arrays import BoolArray
from socgrad.errors import TableError
from socgrad.returns.dates import DayArray, read_dates, unreadable_dates
from socgrad.returns.identifiers import Identifiers, as_identifiers
from socgrad.returns.records import Records

__all__ = ["RawTables", "Unreadable", "assembled", "check_unreadable"]

type Unreadable = Literal["refuse", "leave out"]

#: Columns of a table of records, and what they are where a return does not have them.
_ABSENT: Final = {"need": None, "category": None, "latest_category": None, "previous": None}
#: Reasons for closure of a case that was assessed and not in need: no further action, early help.
_NOT_IN_NEED: Final = ("RC8", "RC9")
_TRUE, _FALSE = frozenset({"1", "true", "y", "yes"}), frozenset({"0", "false", "n", "no"})


@dataclass(frozen=True, eq=False, kw_only=True)
class RawTables:
    """Rows of text of one return.

    Parameters
    ----------
    children
        Columns child, birth, expected_birth, ethnicity.
    tables
        By kind: columns child, begin, end, and those of need, category, latest_category, previous,
        no_further_action, closure (reason for it) and started that the return has.
    end
        Last day of the return.
    names
        What the return calls the fields, by kind and column, for messages: ``{"children": {"birth":
        "PersonBirthDate"}}``.
    """

    children: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    end: np.datetime64
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def check_unreadable(unreadable: object) -> None:
    """Refuse what is neither of the two ways with a date that cannot be read."""
    if unreadable not in ("refuse", "leave out"):
        raise TableError(f'unreadable={unreadable!r} is unknown. Expected "refuse" or "leave out".')


def assembled(
    raw: list[RawTables],
    *,
    source: str,
    authority: str | None,
    start: np.datetime64,
    unreadable: Unreadable,
) -> Records:
    """Join returns of one authority, in the order of their years."""
    check_unreadable(unreadable)
    notes: list[tuple[str, str, int]] = []
    kinds = list(dict.fromkeys(kind for one in raw for kind in one.tables))
    known = pd.concat([one.children for one in raw], ignore_index=True)
    known["child"] = as_identifiers(known["child"], where="The identifiers of children")
    _refuse_nameless(known["child"], "children")
    of: dict[str, list[pd.DataFrame]] = {kind: [] for kind in kinds}
    for one in raw:
        for kind, table in one.tables.items():
            of[kind].append(_dated(table, kind, one, unreadable, notes))
    tables = {kind: pd.concat(parts, ignore_index=True) for kind, parts in of.items()}
    strangers = pd.concat([table["child"] for table in tables.values()], ignore_index=True)
    values = pd.Index(pd.unique(pd.concat([known["child"], strangers], ignore_index=True)))
    absent = ~values.isin(known["child"])
    if absent.any():
        notes.append(
            ("children", "no row of their own: age and ethnicity not known", int(absent.sum()))
        )
    children = _children(known, values, raw, unreadable, notes)
    for kind, table in tables.items():
        table["child"] = values.get_indexer(pd.Index(table["child"]))
        tables[kind] = _once(table)
        again = int(tables[kind]["repeated"].sum())
        if again:
            notes.append((kind, "the same record again (child and date): one record", again))
    return Records(
        source=source,
        authority=authority,
        start=start,
        end=raw[-1].end,
        identifiers=Identifiers(values),
        children=children,
        tables=tables,
        notes=pd.DataFrame(notes, columns=["table", "note", "records"]),
    )


def _dated(
    table: pd.DataFrame,
    kind: str,
    of: RawTables,
    unreadable: Unreadable,
    notes: list[tuple[str, str, int]],
) -> pd.DataFrame:
    """One table of a return with its dates read and all columns there."""
    child = as_identifiers(table["child"], where=f"The children of {kind}")
    _refuse_nameless(child, kind)
    made = pd.DataFrame({"child": child})
    bad = np.zeros(len(table), dtype=bool)
    for column in ("begin", "end"):
        if column in table:
            made[column], wrong = _days(table[column], kind, column, of, unreadable)
            bad |= wrong
        else:
            made[column] = np.full(len(table), np.datetime64("NaT", "s"))
    for column, absent in _ABSENT.items():
        made[column] = table[column].to_numpy(dtype=object) if column in table else absent
        made[column] = made[column].astype(object)
    made["previous"] = pd.to_numeric(made["previous"], errors="coerce").astype(float)
    made["started"] = table["started"].to_numpy(dtype=bool) if "started" in table else True
    made["no_further_action"] = False
    if "no_further_action" in table:
        said = table["no_further_action"].astype(object).map(_yes)
        silent = int(said.isna().sum())
        if silent:
            notes.append(
                (kind, "not said whether there was no further action: taken as no", silent)
            )
        made["no_further_action"] = [one is True for one in said]
    made["not_in_need"] = False
    if "closure" in table:
        made["not_in_need"] = table["closure"].isin(_NOT_IN_NEED).to_numpy(dtype=bool)
    made["unreadable"] = bad
    made["seen_until"] = pd.Series(np.full(len(table), of.end)).astype("datetime64[s]")
    return made


def _children(
    known: pd.DataFrame,
    values: pd.Index[Any],
    raw: list[RawTables],
    unreadable: Unreadable,
    notes: list[tuple[str, str, int]],
) -> pd.DataFrame:
    """One row per child: the last return's word, unless one return gives two dates of birth."""
    made = pd.DataFrame({"child": values.get_indexer(pd.Index(known["child"]))})
    sizes = [len(one.children) for one in raw]
    made["of"] = np.repeat(np.arange(len(raw)), sizes)
    for column in ("birth", "expected_birth"):
        made[column], wrong = _days(known[column], "children", column, raw[0], unreadable)
        if wrong.any():
            notes.append(("children", "a date of birth that cannot be read", int(wrong.sum())))
    made["birth"] = made["birth"].fillna(made.pop("expected_birth"))
    made["ethnicity"] = known["ethnicity"].to_numpy(dtype=object)
    births = made.dropna(subset="birth").groupby(["child", "of"])["birth"].nunique()
    doubtful = births.index[births > 1].get_level_values("child").unique()
    one = made.groupby("child")[["birth", "ethnicity"]].last().reindex(range(len(values)))
    if len(doubtful):
        one.loc[doubtful, "birth"] = pd.NaT
        notes.append(("children", "two dates of birth in one return: age not known", len(doubtful)))
    return one.reset_index(drop=True)


def _days(
    values: pd.Series[Any], kind: str, column: str, of: RawTables, unreadable: Unreadable
) -> tuple[DayArray, BoolArray]:
    """Days, as pandas keeps them, and which are unreadable; refused unless they may be left out."""
    days, wrong = read_dates(values)
    if wrong.any() and unreadable == "refuse":
        name = of.names.get(kind, {}).get(column, column)
        raise unreadable_dates(values, wrong, where=f"{name} ({kind})")
    return days.astype("datetime64[s]"), wrong


def _once(table: pd.DataFrame) -> pd.DataFrame:
    """Mark all but the last of records of one child with one date, the ended ones being last."""
    key = table["begin"].fillna(table["end"])
    order = np.lexsort((table["end"].notna(), table["seen_until"]))
    sorted_keys = pd.DataFrame({"child": table["child"], "key": key}).iloc[order]
    again = sorted_keys.duplicated(keep="last") & sorted_keys["key"].notna()
    return table.assign(repeated=again.reindex(table.index).to_numpy(dtype=bool))


def _refuse_nameless(child: pd.Series[Any], kind: str) -> None:
    nameless = int(child.isna().sum())
    if nameless:
        raise TableError(
            f"{nameless:,} of {len(child):,} rows of {kind} have no identifier of a child. Every "
            "record belongs to a child: complete the return, or take out rows that are no records."
        )


def _yes(value: object) -> bool | None:
    text = str(value).strip().casefold()
    return True if text in _TRUE else False if text in _FALSE else None
