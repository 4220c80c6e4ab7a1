"""Files of an authority that is not there: census, SSDA903, standard dataset, addresses, areas."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from socgrad.errors import SpecificationError
from socgrad.returns.example_children import LAST_DAY, Case, Person, draw_people
from socgrad.returns.example_counts import known_counts_of

__all__ = ["ExampleReturns", "example_returns"]

_YEARS: Final = (2022, 2023)
_AUTHORITY: Final = "E06999999"
_FACTORS: Final = (
    "<FactorsIdentifiedAtAssessment><AssessmentFactors>3B</AssessmentFactors>"
    "<AssessmentFactors>4B</AssessmentFactors></FactorsIdentifiedAtAssessment>"
)


@dataclass(frozen=True, kw_only=True)
class ExampleReturns:
    """Files of an example authority, and what counting them must give.

    Parameters
    ----------
    census
        Children in need census by year: XML.
    episodes, header
        SSDA903 of the last year: CSV.
    safeguarding
        Folder of the standard safeguarding dataset's tables.
    residence
        Addresses: CSV of child, lsoa, from, to.
    places
        Areas: CSV of lsoa, authority, deprivation, children.
    known
        By stage, for the year to March 2023: counted, and records of children who are not in the
        table of addresses (no_row), not on that day (no_area), or elsewhere (outside).
    known_by_area
        Counts by area, a column for each stage.
    """

    census: Mapping[int, Path]
    episodes: Path
    header: Path
    safeguarding: Path
    residence: Path
    places: Path
    known: pd.DataFrame
    known_by_area: pd.DataFrame


def example_returns(
    folder: str | Path, *, children: int = 2_000, areas: int | None = None, random_seed: int
) -> ExampleReturns:
    """Write the returns of an authority that is not there, with known counts.

    Parameters
    ----------
    folder
        Where the files go; made if it is not there.
    children
        Children with at least one referral in the three years to March 2023.
    areas
        Areas of the authority; by default one for every 45 children, 25 to 900.
    random_seed
        Seed of all that is drawn.

    Returns
    -------
    ExampleReturns
        Paths of the files, and what is known.

    Notes
    -----
    Referrals rise with deprivation, 1.6 times for every ten points. One child in eight moves, one
    in forty is unborn when referred, one in seventy has no address, one in fifty lives elsewhere,
    and of one in fifty the address begins after the referral. Identifiers begin with zeros. Known
    counts are told off child by child, by other means than `count`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import socgrad as sg
    >>> with TemporaryDirectory() as folder:
    ...     made = sg.returns.example_returns(folder, children=200, random_seed=1)
    ...     made.census[2023].read_text()[:9]
    '<Message>'
    """
    if not isinstance(children, int) or children < 20:
        raise SpecificationError(f"children={children!r} is too few. Expected 20 or more.")
    rng = np.random.default_rng(random_seed)
    size = min(max(children // 45, 25), 900) if areas is None else areas
    labels = [f"E01{k + 1:06d}" for k in range(size)]
    deprivation = np.round(rng.beta(1.6, 6.0, size), 3)
    living = rng.poisson(340, size) + 40
    people = draw_people(children, labels, living * np.exp(np.log(1.6) * deprivation / 0.1), rng)
    known, by_area = known_counts_of(people, labels, _YEARS[-1])
    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    places = pd.DataFrame(
        {"lsoa": labels, "authority": _AUTHORITY, "deprivation": deprivation, "children": living}
    )
    places.to_csv(home / "places.csv", index=False)
    pd.DataFrame(
        [(p.identifier, a.area, a.begin, a.end) for p in people for a in p.addresses],
        columns=["child", "lsoa", "from", "to"],
    ).to_csv(home / "residence.csv", index=False)
    census = {year: home / f"cin_{year}.xml" for year in _YEARS}
    for year, path in census.items():
        with path.open("w", encoding="utf-8") as file:
            file.writelines(_census(people, year))
    _write_ssda903(people, home)
    (home / "ssd").mkdir(exist_ok=True)
    for name, table in _safeguarding(people).items():
        table.to_csv(home / "ssd" / f"{name}.csv", index=False)
    return ExampleReturns(
        census=census,
        episodes=home / "episodes.csv",
        header=home / "header.csv",
        safeguarding=home / "ssd",
        residence=home / "residence.csv",
        places=home / "places.csv",
        known=known,
        known_by_area=by_area,
    )


# ---------------------------------------------------------------- the census


def _census(people: list[Person], year: int) -> Iterator[str]:
    """Text of the census of a year: cases referred in it, or open on its first day."""
    first, last = date(year - 1, 4, 1), date(year, 3, 31)
    yield (
        "<Message><Header><CollectionDetails><Collection>CIN</Collection>"
        f"<Year>{year}</Year><ReferenceDate>{last}</ReferenceDate></CollectionDetails>"
        "<Source><SourceLevel>L</SourceLevel><LEA>999</LEA><SoftwareCode>example</SoftwareCode>"
        "<Release>1</Release><SerialNo>001</SerialNo></Source></Header><Children>\n"
    )
    for person in people:
        cases = [
            case
            for case in person.cases
            if case.begin <= last and (case.begin >= first or case.end is None or case.end >= first)
        ]
        if cases:
            yield "".join(_child(person, cases, last))
    yield "</Children></Message>\n"


def _child(person: Person, cases: list[Case], last: date) -> Iterator[str]:
    yield f"<Child><ChildIdentifiers><LAchildID>{person.identifier}</LAchildID>"
    name = "PersonBirthDate" if person.birth <= last else "ExpectedPersonBirthDate"
    sex = "FM"[int(person.identifier) % 2]
    yield f"<UPNunknown>UN1</UPNunknown>{_tag(name, person.birth)}{_tag('Sex', sex)}"
    yield f"</ChildIdentifiers><ChildCharacteristics>{_tag('Ethnicity', person.ethnicity)}"
    yield "<Disabilities><Disability>NONE</Disability></Disabilities></ChildCharacteristics>"
    for case in cases:
        yield f"<CINdetails>{_tag('CINreferralDate', case.begin)}<ReferralSource>6</ReferralSource>"
        yield _tag("PrimaryNeedCode", case.need) + _ended("CINclosureDate", case.end, last)
        if case.end is not None and case.end <= last:
            yield _tag("ReasonForClosure", "RC8" if case.stopped or case.needless else "RC7")
        for span in case.assessments:
            if span.begin <= last:
                yield f"<Assessments>{_tag('AssessmentActualStartDate', span.begin)}"
                yield _ended("AssessmentAuthorisationDate", span.end, last) + _FACTORS
                yield "</Assessments>"
        for span in case.plans:
            if span.begin <= last:
                yield f"<CINPlanDates>{_tag('CINPlanStartDate', span.begin)}"
                yield f"{_ended('CINPlanEndDate', span.end, last)}</CINPlanDates>"
        for span in case.enquiries:
            if span.begin <= last:
                yield f"<Section47>{_tag('S47ActualStartDate', span.begin)}"
                for held in case.conferences:
                    yield _ended("DateOfInitialCPC", held.begin, last)
                yield "<ICPCnotRequired>false</ICPCnotRequired></Section47>"
        yield f"<ReferralNFA>{'true' if case.stopped else 'false'}</ReferralNFA>"
        for span in case.protection:
            if span.begin <= last:
                yield f"<ChildProtectionPlans>{_tag('CPPstartDate', span.begin)}"
                yield _ended("CPPendDate", span.end, last)
                yield _tag("InitialCategoryOfAbuse", span.code)
                yield _tag("LatestCategoryOfAbuse", span.code)
                yield _tag("NumberOfPreviousCPP", span.earlier)
                seen = _ended("CPPreviewDate", span.begin + timedelta(days=80), span.end or last)
                yield f"<Reviews>{seen}</Reviews></ChildProtectionPlans>"
        yield "</CINdetails>"
    yield "</Child>\n"


def _tag(name: str, value: object) -> str:
    return f"<{name}>{value}</{name}>"


def _ended(name: str, day: date | None, last: date) -> str:
    return "" if day is None or day > last else _tag(name, day)


# ---------------------------------------------------------------- tables


def _write_ssda903(people: list[Person], home: Path) -> None:
    """Episodes of the last year, in two where a placement changed, and their children."""
    first = date(_YEARS[-1] - 1, 4, 1)
    rows, header = [], []
    for person in people:
        spans = [span for span in person.care if span.end is None or span.end >= first]
        for span in spans:
            middle = span.begin + timedelta(days=100)
            ended = "E4A" if span.end is not None else None
            if middle > (span.end or LAST_DAY) or middle <= span.begin:
                rows.append((person, span.begin, "S", span.code, span.end, ended))
                continue
            if middle >= first:  # an episode that was over before the year is not in its return
                rows.append((person, span.begin, "S", span.code, middle, "X1"))
            rows.append((person, middle, "P", span.code, span.end, ended))
        if spans:
            header.append((person.identifier, 1, _british(person.birth), person.ethnicity))
    pd.DataFrame(
        [
            (p.identifier, _british(begin), rne, "C2", need, "U5", "PR1", _british(end), rec)
            for p, begin, rne, need, end, rec in rows
        ],
        columns=["CHILD", "DECOM", "RNE", "LS", "CIN", "PLACE", "PLACE_PROVIDER", "DEC", "REC"],
    ).to_csv(home / "episodes.csv", index=False)
    pd.DataFrame(header, columns=["CHILD", "SEX", "DOB", "ETHNIC"]).to_csv(
        home / "header.csv", index=False
    )


def _british(day: date | None) -> str | None:
    return None if day is None else f"{day:%d/%m/%Y}"


def _safeguarding(people: list[Person]) -> dict[str, pd.DataFrame]:
    """Tables of the standard dataset: the whole of the three years."""
    cases = [(p, f"{p.identifier}-{k}", c) for p in people for k, c in enumerate(p.cases)]

    def spans(kind: str) -> list[tuple[str, str, date, date | None, str]]:
        return [
            (p.identifier, key, span.begin, span.end, span.code)
            for p, key, case in cases
            for span in getattr(case, kind)
        ]

    def table(kind: str, *names: str) -> pd.DataFrame:
        return pd.DataFrame([row[: len(names)] for row in spans(kind)], columns=names)

    return {
        "ssd_person": pd.DataFrame(
            [(p.identifier, p.birth, p.ethnicity) for p in people],
            columns=["pers_person_id", "pers_dob", "pers_ethnicity"],
        ),
        "ssd_cin_episodes": pd.DataFrame(
            [
                (key, p.identifier, c.begin, c.need, "NY"[c.stopped], c.end, f"RC{7 + c.needless}")
                for p, key, c in cases
            ],
            columns=[
                *("cine_referral_id", "cine_person_id", "cine_referral_date"),
                *("cine_cin_primary_need_code", "cine_referral_nfa", "cine_close_date"),
                "cine_close_reason",
            ],
        ),
        "ssd_cin_assessments": table(
            "assessments", "cina_person_id", "cina_referral_id", "cina_assessment_start_date",
            "cina_assessment_auth_date",
        ),
        "ssd_cin_plans": table(
            "plans", "cinp_person_id", "cinp_referral_id", "cinp_cin_plan_start_date",
            "cinp_cin_plan_end_date",
        ),
        "ssd_s47_enquiry": table(
            "enquiries", "s47e_person_id", "s47e_referral_id", "s47e_s47_start_date"
        ),
        "ssd_initial_cp_conference": table(
            "conferences", "icpc_person_id", "icpc_referral_id", "icpc_icpc_date"
        ),
        "ssd_cp_plans": table(
            "protection", "cppl_person_id", "cppl_referral_id", "cppl_cp_plan_start_date",
            "cppl_cp_plan_end_date", "cppl_cp_plan_initial_category",
        ).assign(cppl_cp_plan_latest_category=lambda made: made["cppl_cp_plan_initial_category"]),
    }  # fmt: skip
