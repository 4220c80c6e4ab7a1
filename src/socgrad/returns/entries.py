"""From records to what a rule counts: entries, each with its day, its amount and its reason."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from typing import Final

import numpy as np
import pandas as pd

from socgrad.arrays import BoolArray
from socgrad.returns.dates import DayArray, as_days, birthdays, financial_year, twelve_months_before
from socgrad.returns.ledger import COUNTED, reason
from socgrad.returns.records import Records
from socgrad.returns.rules import Rule
from socgrad.returns.stretches import Stretches

__all__ = ["entries_of", "months_by_stretch"]

_ONE: Final = np.timedelta64(1, "D")


def entries_of(records: Records, rule: Rule, year: int) -> pd.DataFrame:
    """One row for each record of the rule's kind.

    Parameters
    ----------
    records
        Of a return.
    rule
        What is counted.
    year
        By the 31 March on which it ends.

    Returns
    -------
    pandas.DataFrame
        Columns child, on (the day that area and age are of; NaT where it is not in the year), first
        and after (days of the year open, for months), amount, reason, need, category,
        latest_category.
    """
    first, last = financial_year(year - rule.years_back)
    table = records.tables[rule.kind]
    begin, end, seen = (as_days(table[name]) for name in ("begin", "end", "seen_until"))
    sure = ~table["unreadable"].to_numpy() & ~table["repeated"].to_numpy()
    flow = rule.dated in ("begin", "end")
    if flow:
        on = begin if rule.dated == "begin" else end
        before, beyond = on < first, on > last  # a missing day is neither
    else:
        on = np.where(np.isnat(begin), begin, last)
        before = end <= last if rule.dated == "open" else end < first
        beyond = begin > last
    # What is not seen again without an end is over, nobody knows since when.
    vanished = np.isnat(end) & (seen < last)
    spans = rule.dated != "begin"
    reasons = np.select(
        [
            table["unreadable"].to_numpy(),
            table["repeated"].to_numpy(),
            np.isnat(on),
            spans & (end < begin),
            beyond,
            vanished & (not flow),
            before,
            ~_is_what_counts(records, rule, sure),
        ],
        [
            reason("a date that cannot be read"),
            reason("the same record again"),
            reason("without a date"),
            reason("ends before it begins"),
            reason("after the year"),
            reason("absent from the later return"),
            reason("not open on 31 March" if rule.dated == "open" else "before the year"),
            reason("not what the rule counts"),
        ],
        COUNTED,
    )
    until = np.where(np.isnat(end), last, np.minimum(end, last))
    return pd.DataFrame(
        {
            "child": table["child"].to_numpy(),
            "on": on,
            "begin": begin,
            "first": np.fmax(begin, first),
            "after": until + _ONE,
            "amount": 1.0,
            "reason": reasons,
            "need": table["need"].to_numpy(),
            "category": table["category"].to_numpy(),
            "latest_category": table["latest_category"].to_numpy(),
        }
    )


def months_by_stretch(
    entries: pd.DataFrame,
    where: Stretches,
    birth: DayArray,
    band_begins: tuple[int, ...],
    year: int,
) -> pd.DataFrame:
    """Entries of months divided where the child moves or enters another age band.

    A day counts once for a child, whatever is open. `amount` becomes months: days times 12 over the
    days of the year; `on` the first day of each part.
    """
    idle = entries[entries["reason"] != COUNTED].assign(amount=0.0)
    mine = _each_day_once(entries[entries["reason"] == COUNTED])
    idle = pd.concat([idle, mine[mine["reason"] != COUNTED].assign(amount=0.0)])
    mine = mine[mine["reason"] == COUNTED]
    # Edges of a child's stretches inside an entry divide it; so do birthdays.
    edges = [
        pd.DataFrame({"child": where.child, "edge": edge.astype("datetime64[s]")})
        for edge in (where.first, where.after)
    ]
    of = mine["child"].to_numpy()
    for age in (0, *band_begins):
        edges.append(pd.DataFrame({"child": of, "edge": birthdays(birth[of], age)}))
    cuts = pd.concat(edges, ignore_index=True).dropna().drop_duplicates()
    mine = mine.assign(entry=np.arange(len(mine)))
    inside = mine[["entry", "child", "first", "after"]].merge(cuts, on="child")
    inside = inside[(inside["edge"] > inside["first"]) & (inside["edge"] < inside["after"])]
    starts = pd.concat(
        [
            mine[["entry", "first"]],
            inside[["entry", "edge"]].rename(columns={"edge": "first"}),
        ]
    ).drop_duplicates()
    starts = starts.sort_values(["entry", "first"])
    after = starts.groupby("entry")["first"].shift(-1)
    parts = mine.drop(columns="first").merge(starts.assign(following=after), on="entry")
    parts["after"] = parts["following"].fillna(parts["after"])
    opening, closing = financial_year(year)
    days = (as_days(parts["after"]) - as_days(parts["first"])) / _ONE
    parts["amount"] = days * 12 / ((closing - opening) / _ONE + 1)
    parts["on"] = parts["first"]
    return pd.concat([parts[entries.columns], idle[entries.columns]], ignore_index=True)


def _each_day_once(mine: pd.DataFrame) -> pd.DataFrame:
    """Begin each entry after what the child has open already; what lies within it counts once."""
    mine = mine.sort_values(["child", "first", "after"], kind="stable")
    reach = mine.groupby("child")["after"].cummax().groupby(mine["child"]).shift()
    first = mine["first"].where(reach.isna() | (reach < mine["first"]), reach)
    again = first >= mine["after"]
    return mine.assign(
        first=first, reason=mine["reason"].mask(again, reason("the child counts once"))
    )


def _is_what_counts(records: Records, rule: Rule, sure: BoolArray) -> BoolArray:
    """Say which records are what the rule counts, whatever their dates."""
    table = records.tables[rule.kind]
    if rule.only in ("no further action", "not in need", "in need"):
        stopped: BoolArray = table["no_further_action"].to_numpy(dtype=bool)
        needless: BoolArray = ~stopped & table["not_in_need"].to_numpy(dtype=bool)
        of = {"no further action": stopped, "not in need": needless}
        return of.get(rule.only, ~stopped & ~needless)
    if rule.only == "started":
        return table["started"].to_numpy(dtype=bool)
    if rule.only == "within 12 months":
        before = _previous(table, sure)
        return ~np.isnat(before) & (before >= twelve_months_before(as_days(table["begin"])))
    if rule.only == "not the first":
        said = table["previous"].to_numpy(dtype=np.float64)
        seen = ~np.isnat(_previous(table, sure))
        return np.where(np.isnan(said), seen, said > 0).astype(bool)
    return np.ones(len(table), dtype=bool)


def _previous(table: pd.DataFrame, sure: BoolArray) -> DayArray:
    """The day on which the child's record before this one began, NaT if there is none."""
    rows = table.loc[sure & table["begin"].notna().to_numpy(), ["child", "begin"]]
    rows = rows.sort_values(["child", "begin"], kind="stable")
    before = rows.groupby("child")["begin"].shift()
    return as_days(before.reindex(table.index))
