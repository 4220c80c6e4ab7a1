"""Tables of the standard safeguarding dataset to `Records`."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from socgrad.errors import TableError
from socgrad.returns.assembling import RawTables, Unreadable, assembled
from socgrad.returns.dates import read_dates
from socgrad.returns.identifiers import as_identifiers
from socgrad.returns.records import Records
from socgrad.returns.table_files import TableFile, read_table

__all__ = ["read_safeguarding"]


@dataclass(frozen=True, kw_only=True)
class _Table:
    """Where a kind of record is: its table, and the table's own names of the columns."""

    name: str
    kind: str
    child: str
    begin: str
    end: str | None = None
    referral: str | None = None
    others: Mapping[str, str] = MappingProxyType({})


_PERSON: Final = ("pers_person_id", "pers_dob", "pers_expected_dob", "pers_ethnicity")
_TABLES: Final = (
    _Table(
        name="ssd_cin_episodes",
        kind="referral",
        child="cine_person_id",
        begin="cine_referral_date",
        end="cine_close_date",
        referral="cine_referral_id",
        others={
            "need": "cine_cin_primary_need_code",
            "no_further_action": "cine_referral_nfa",
            "closure": "cine_close_reason",
        },
    ),
    _Table(
        name="ssd_cin_assessments",
        kind="assessment",
        child="cina_person_id",
        begin="cina_assessment_start_date",
        end="cina_assessment_auth_date",
        referral="cina_referral_id",
    ),
    _Table(
        name="ssd_cin_plans",
        kind="child_in_need_plan",
        child="cinp_person_id",
        begin="cinp_cin_plan_start_date",
        end="cinp_cin_plan_end_date",
        referral="cinp_referral_id",
    ),
    _Table(
        name="ssd_s47_enquiry",
        kind="section_47",
        child="s47e_person_id",
        begin="s47e_s47_start_date",
        referral="s47e_referral_id",
    ),
    _Table(
        name="ssd_initial_cp_conference",
        kind="conference",
        child="icpc_person_id",
        begin="icpc_icpc_date",
        referral="icpc_referral_id",
    ),
    _Table(
        name="ssd_cp_plans",
        kind="child_protection_plan",
        child="cppl_person_id",
        begin="cppl_cp_plan_start_date",
        end="cppl_cp_plan_end_date",
        referral="cppl_referral_id",
        others={
            "category": "cppl_cp_plan_initial_category",
            "latest_category": "cppl_cp_plan_latest_category",
        },
    ),
)


def read_safeguarding(
    tables: str | Path | Mapping[str, TableFile],
    *,
    start: str,
    end: str,
    unreadable: Unreadable = "refuse",
) -> Records:
    """Read tables of the standard safeguarding dataset.

    Parameters
    ----------
    tables
        A folder of CSV files named as the tables (``ssd_person.csv``), or files or frames by
        table. ``ssd_person`` and ``ssd_cin_episodes`` are needed; of the others, those that are
        there are read: ``ssd_cin_assessments``, ``ssd_cin_plans``, ``ssd_s47_enquiry``,
        ``ssd_initial_cp_conference``, ``ssd_cp_plans``.
    start, end
        First day from which every record is in the tables, and the day of the extract, as
        2018-04-01. The tables do not say it: an extract of cases that were open in a year holds
        some older ones too, and is complete for that year alone.
    unreadable
        Refuse dates that cannot be read, or leave out their records, which the ledger counts.

    Returns
    -------
    Records
        Needs of later stages are those of their referral.

    Raises
    ------
    TableError
        If a table or a column is missing, or dates cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> import socgrad as sg
    >>> tables = {
    ...     "ssd_person": pd.DataFrame(
    ...         {"pers_person_id": ["1"], "pers_dob": ["2015-01-01"], "pers_ethnicity": ["WBRI"]}
    ...     ),
    ...     "ssd_cin_episodes": pd.DataFrame(
    ...         {
    ...             "cine_referral_id": ["r1"], "cine_person_id": ["1"],
    ...             "cine_referral_date": ["2022-05-01"], "cine_close_date": [None],
    ...             "cine_cin_primary_need_code": ["N1"], "cine_referral_nfa": ["N"],
    ...             "cine_close_reason": [None],
    ...         }
    ...     ),
    ... }
    >>> sg.returns.read_safeguarding(tables, start="2021-04-01", end="2023-03-31")
    Records(standard safeguarding dataset, 2021-04-01 to 2023-03-31: 1 children; 1 referrals)
    """
    (first, last), wrong = read_dates(pd.Series([start, end]))
    if wrong.any() or np.isnat(first) or np.isnat(last) or first > last:
        raise TableError(
            f"start={start!r} and end={end!r} are no period. Expected two dates, as 2018-04-01."
        )
    given = _given(tables)
    people = read_table(
        given["ssd_person"],
        name="ssd_person",
        needed=["pers_person_id", "pers_dob"],
        known=["pers_expected_dob", "pers_ethnicity"],
    )[list(_PERSON)]
    people.columns = pd.Index(["child", "birth", "expected_birth", "ethnicity"])
    found: dict[str, pd.DataFrame] = {}
    names: dict[str, dict[str, str]] = {"children": {"birth": "pers_dob"}}
    needs: pd.Series[Any] | None = None
    for table in _TABLES:
        if table.name not in given:
            continue
        dates = {"begin": table.begin} | ({} if table.end is None else {"end": table.end})
        columns = {"child": table.child, **dates, **table.others}
        known = [] if table.referral is None else [table.referral]
        rows = read_table(
            given[table.name], name=table.name, needed=list(columns.values()), known=known
        )
        made = pd.DataFrame({column: rows[name] for column, name in columns.items()})
        referral = as_identifiers(rows[str(table.referral)], where=str(table.referral))
        if needs is None:
            needs = made["need"].groupby(referral.to_numpy()).last()
        made["need"] = made.get("need", referral.map(needs))
        found[table.kind] = made
        names[table.kind] = dates
    raw = RawTables(children=people, tables=found, end=last, names=names)
    return assembled(
        [raw],
        source="standard safeguarding dataset",
        authority=None,
        start=first,
        unreadable=unreadable,
    )


def _given(tables: str | Path | Mapping[str, TableFile]) -> Mapping[str, TableFile]:
    known = ["ssd_person", *(table.name for table in _TABLES)]
    if isinstance(tables, str | Path):
        folder = Path(tables)
        tables = {name: folder / f"{name}.csv" for name in known}
        tables = {name: path for name, path in tables.items() if Path(str(path)).exists()}
    absent = [name for name in ("ssd_person", "ssd_cin_episodes") if name not in tables]
    if absent:
        raise TableError(
            f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not among the tables "
            f"({', '.join(tables) or 'none'}). Expected a folder with ssd_person.csv and "
            "ssd_cin_episodes.csv, or a mapping from these names to files or frames."
        )
    strangers = [name for name in tables if name not in known]
    if strangers:
        raise TableError(
            f"tables names {', '.join(strangers)}, of which nothing is counted. Expected some of "
            f"{', '.join(known)}."
        )
    return tables
