"""The children in need census of one authority, of one year or several, to `Records`."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from socgrad.errors import TableError
from socgrad.returns.assembling import RawTables, Unreadable, assembled, check_unreadable
from socgrad.returns.cin_xml import Block, census_children, census_header, open_census
from socgrad.returns.dates import check_year, financial_year
from socgrad.returns.records import Records

__all__ = ["read_cin_census"]

_CHILDREN: Final = ("child", "birth", "expected_birth", "ethnicity")
_COLUMNS: Final = MappingProxyType(
    {
        "referral": ("child", "begin", "end", "need", "no_further_action", "closure"),
        "assessment": ("child", "begin", "end", "need"),
        "child_in_need_plan": ("child", "begin", "end", "need"),
        "section_47": ("child", "begin", "need"),
        "conference": ("child", "begin", "need"),
        "child_protection_plan": (
            *("child", "begin", "end", "need"),
            *("category", "latest_category", "previous"),
        ),
    }
)
_NAMES: Final = MappingProxyType(
    {
        "children": {"birth": "PersonBirthDate", "expected_birth": "ExpectedPersonBirthDate"},
        "referral": {"begin": "CINreferralDate", "end": "CINclosureDate"},
        "assessment": {
            "begin": "AssessmentActualStartDate",
            "end": "AssessmentAuthorisationDate",
        },
        "child_in_need_plan": {"begin": "CINPlanStartDate", "end": "CINPlanEndDate"},
        "section_47": {"begin": "S47ActualStartDate"},
        "conference": {"begin": "DateOfInitialCPC"},
        "child_protection_plan": {"begin": "CPPstartDate", "end": "CPPendDate"},
    }
)
#: Elements that are read; whatever else a census has is passed over.
_WANTED: Final = frozenset(
    {name for fields in _NAMES.values() for name in fields.values()}
    | {"CollectionDetails", "Collection", "Year", "ReferenceDate", "Source", "LEA"}
    | {"ChildIdentifiers", "LAchildID", "ChildCharacteristics", "Ethnicity"}
    | {"CINdetails", "PrimaryNeedCode", "ReferralNFA", "ReasonForClosure"}
    | {"Assessments", "CINPlanDates"}
    | {"Section47", "ChildProtectionPlans", "InitialCategoryOfAbuse", "LatestCategoryOfAbuse"}
    | {"NumberOfPreviousCPP"}
)


def read_cin_census(
    files: str | Path | Sequence[str | Path],
    *,
    years: int | Sequence[int] | None = None,
    unreadable: Unreadable = "refuse",
) -> Records:
    """Read the XML of the children in need census, of one year or of several.

    Parameters
    ----------
    files
        The file that was sent to the department, or those of several years of one authority, in any
        order: plain XML or gzipped. Read child by child; needs the extra ``returns`` (lxml).
    years
        The year of each file, by the 31 March on which it ends, in place of what its header says.
    unreadable
        Refuse dates that cannot be read, or leave out their records, which the ledger counts.

    Returns
    -------
    Records
        Complete from the first day of the first year to the last day of the last one.

    Raises
    ------
    TableError
        If a file is no census, is not well-formed, declares a document type, is of another
        authority or of a year that another file has or leaves out; if its header contradicts
        itself; or if dates cannot be read.

    Notes
    -----
    A census of a year holds the referrals of that year, and earlier ones that were open on its
    first day. What was referred and closed the year before is in the census of that year alone, so
    that re-referrals need both: ``read_cin_census([this_year, last_year])``.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import socgrad as sg
    >>> with TemporaryDirectory() as folder:
    ...     made = sg.returns.example_returns(folder, children=200, random_seed=1)
    ...     sg.returns.read_cin_census([made.census[2022], made.census[2023]])
    ... # doctest: +ELLIPSIS
    Records(CIN census, 2021-04-01 to 2023-03-31: ... children; ... referrals, ...)
    """
    check_unreadable(unreadable)
    paths = [Path(one) for one in ([files] if isinstance(files, str | Path) else files)]
    if not paths:
        raise TableError("No file was given. Expected the XML of one or more censuses.")
    given = [None] * len(paths) if years is None else _given_years(years, len(paths))
    headers = [_header(path) for path in paths]
    found = [
        _year(header, path.name) if year is None else year
        for header, path, year in zip(headers, paths, given, strict=True)
    ]
    order = sorted(range(len(paths)), key=found.__getitem__)
    _refuse_gaps([found[k] for k in order], [paths[k].name for k in order])
    authorities = {header.each("Source")[0].fields.get("LEA", "") for header in headers}
    if len(authorities) > 1:
        raise TableError(
            f"The files are of {len(authorities)} authorities (LEA {', '.join(sorted(authorities))}"
            "). Identifiers of children are an authority's own: read each authority by itself, "
            "count it, and put the tables of counts together."
        )
    raw = [_read(paths[k], financial_year(found[k])[1]) for k in order]
    return assembled(
        raw,
        source="CIN census",
        authority=authorities.pop() or None,
        start=financial_year(found[order[0]])[0],
        unreadable=unreadable,
    )


def _read(path: Path, end: np.datetime64) -> RawTables:
    """Rows of text of one file. Each text is kept once, however many children have it."""
    same: dict[str, str] = {}
    rows: dict[str, list[tuple[str | None, ...]]] = {"children": [], **{k: [] for k in _COLUMNS}}

    def add(kind: str, *values: str | None) -> None:
        rows[kind].append(tuple([None if v is None else same.setdefault(v, v) for v in values]))

    with open_census(path) as file:
        for child in census_children(file, name=path.name, wanted=_WANTED):
            _add_child(child, add)
    if not rows["children"]:
        raise TableError(f"{path.name} holds no Child. Expected the census of an authority.")
    return RawTables(
        children=pd.DataFrame(rows.pop("children"), columns=_CHILDREN, dtype=object),
        tables={
            kind: pd.DataFrame(each, columns=_COLUMNS[kind], dtype=object)
            for kind, each in rows.items()
        },
        end=end,
        names=_NAMES,
    )


def _add_child(child: Block, add: Callable[..., None]) -> None:
    who = _fields(child, "ChildIdentifiers")
    name = who.get("LAchildID")
    ethnicity = _fields(child, "ChildCharacteristics").get("Ethnicity")
    add("children", name, who.get("PersonBirthDate"), who.get("ExpectedPersonBirthDate"), ethnicity)
    for case in child.each("CINdetails"):
        of = case.fields.get
        need = of("PrimaryNeedCode")
        dates = map(of, _NAMES["referral"].values())
        add("referral", name, *dates, need, of("ReferralNFA"), of("ReasonForClosure"))
        for one in case.each("Assessments"):
            dates = map(one.fields.get, _NAMES["assessment"].values())
            add("assessment", name, *dates, need)
        for one in case.each("CINPlanDates"):
            dates = map(one.fields.get, _NAMES["child_in_need_plan"].values())
            add("child_in_need_plan", name, *dates, need)
        for one in [*case.each("Section47"), case]:
            if "DateOfInitialCPC" in one.fields:
                add("conference", name, one.fields["DateOfInitialCPC"], need)
        for one in case.each("Section47"):
            add("section_47", name, one.fields.get("S47ActualStartDate"), need)
        for one in case.each("ChildProtectionPlans"):
            dates = map(one.fields.get, _NAMES["child_protection_plan"].values())
            rest = ("InitialCategoryOfAbuse", "LatestCategoryOfAbuse", "NumberOfPreviousCPP")
            add("child_protection_plan", name, *dates, need, *map(one.fields.get, rest))


def _fields(child: Block, name: str) -> Mapping[str, str]:
    blocks = child.each(name)
    return blocks[0].fields if blocks else {}


def _header(path: Path) -> Block:
    with open_census(path) as file:
        header = census_header(file, name=path.name, wanted=_WANTED)
    collection = _fields(header, "CollectionDetails").get("Collection")
    if collection != "CIN" or not header.each("Source"):
        raise TableError(
            f"{path.name} is no children in need census: its header says Collection "
            f"{collection!r} and has {'a' if header.each('Source') else 'no'} Source. Expected CIN."
        )
    return header


def _year(header: Block, name: str) -> int:
    """The year that both the header's Year and its ReferenceDate say."""
    details = header.each("CollectionDetails")[0].fields
    said, reference = details.get("Year", ""), details.get("ReferenceDate", "")
    if said != reference[:4]:
        raise TableError(
            f"The header of {name} says Year {said or 'nothing'} and ReferenceDate "
            f"{reference or 'nothing'}. Expected the year of the 31 March that is the reference "
            "date. Say which it is: years=2023 for 1 April 2022 to 31 March 2023."
        )
    return check_year(int(said) if said.isdigit() else said)


def _given_years(years: int | Sequence[int], files: int) -> list[int | None]:
    given: list[Any] = [years] if isinstance(years, int) else list(years)
    if len(given) != files:
        raise TableError(
            f"years names {len(given)} years for {files} files. Expected one for each."
        )
    return [check_year(year) for year in given]


def _refuse_gaps(years: list[int], names: list[str]) -> None:
    """Refuse a year given twice, and years with a gap, in which cases would be lost unseen."""
    for (one, name), (other, other_name) in pairwise(zip(years, names, strict=True)):
        if one == other:
            raise TableError(
                f"{name} and {other_name} are both of the year that ends in March {one}: the same "
                "children would count twice. Leave one out, or say years= if a header is wrong."
            )
        if other > one + 1:
            raise TableError(
                f"The files leave out {other - one - 1} of the years between March {one} and March "
                f"{other}. What was opened and closed in between is not known: read them all, or "
                "each run of years by itself."
            )
