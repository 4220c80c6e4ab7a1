"""Children of an authority that is not there: who they are, where they live, what was recorded.

Everything is drawn; nobody's record is in it. Numbers are roughly those of an authority: three in
ten referrals lead to no further action, two in ten are closed after assessment, a third of episodes
of need have a section 47 enquiry, and one child in eight moves.
"""

from __future__ import annotations  # the classes name each other

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import numpy as np

__all__ = ["FIRST_DAY", "LAST_DAY", "Address", "Case", "Person", "Span", "draw_people"]

#: What is drawn, from the first day to the day of the extract: the years to March 2021 to 2023.
FIRST_DAY: Final = date(2020, 4, 1)
LAST_DAY: Final = date(2023, 3, 31)

_ETHNICITIES: Final = ("WBRI", "WOTH", "MWBC", "APKN", "BAFR", "OOTH", "NOBT")
_ETHNICITY_SHARES: Final = (0.68, 0.05, 0.06, 0.07, 0.06, 0.03, 0.05)
_NEEDS: Final = ("N1", "N2", "N3", "N4", "N5", "N6", "N9")
_NEED_SHARES: Final = (0.55, 0.1, 0.03, 0.1, 0.14, 0.05, 0.03)
_CATEGORIES: Final = ("NEG", "EMO", "PHY", "SAB", "MUL")
_CATEGORY_SHARES: Final = (0.48, 0.37, 0.08, 0.04, 0.03)


@dataclass(frozen=True)
class Span:
    """First day and last day; no last day where it is still open at the extract."""

    begin: date
    end: date | None = None
    code: str = ""
    earlier: int = 0


@dataclass(frozen=True)
class Address:
    """An area, and the days of it."""

    area: str
    begin: date
    end: date | None


@dataclass
class Case:
    """A referral and what came of it."""

    begin: date
    end: date | None
    need: str
    stopped: bool
    needless: bool = False
    assessments: list[Span] = field(default_factory=list)
    plans: list[Span] = field(default_factory=list)
    enquiries: list[Span] = field(default_factory=list)
    conferences: list[Span] = field(default_factory=list)
    protection: list[Span] = field(default_factory=list)


@dataclass
class Person:
    """A child: dates of birth, addresses as the authority knows them, cases, periods of care."""

    identifier: str
    birth: date
    ethnicity: str
    addresses: list[Address]
    cases: list[Case]
    care: list[Span]


def draw_people(
    children: int, areas: list[str], weights: np.ndarray, rng: np.random.Generator
) -> list[Person]:
    """Draw children with at least one referral in the three years.

    Parameters
    ----------
    children
        How many.
    areas, weights
        Labels of areas, and the share of children who live in each.
    rng
        Where chance comes from.
    """
    homes = rng.choice(len(areas), size=(children, 2), p=weights / weights.sum())
    chance = rng.random((children, 8))
    return [
        _person(number, [areas[k] for k in homes[number]], chance[number], rng)
        for number in range(children)
    ]


def _person(number: int, homes: list[str], chance: np.ndarray, rng: np.random.Generator) -> Person:
    first = FIRST_DAY + timedelta(days=int(chance[0] * (LAST_DAY - FIRST_DAY).days))
    # Most children are up to 17 when referred; one in forty is not yet born.
    age = 120 - 10_000 * chance[1] / 0.975 if chance[1] < 0.025 else -6_500 * chance[1]
    birth = first + timedelta(days=int(age))
    cases = _cases(first, rng)
    addresses: list[Address] = []
    if chance[2] > 0.015:
        since = first - timedelta(days=int(1_500 * chance[3]) + 30)
        if chance[4] < 0.02:  # the system knows the address from a month after the referral only
            since = first + timedelta(days=30)
        if chance[5] < 0.02:
            homes = ["E01999999", homes[1]]  # another authority's area
        if chance[6] < 0.12:
            moved = since + timedelta(days=int(chance[7] * 1_200) + 1)
            addresses = [Address(homes[0], since, moved), Address(homes[1], moved, None)]
        else:
            addresses = [Address(homes[0], since, None)]
    return Person(
        identifier=f"{number + 1:07d}",
        birth=birth,
        ethnicity=_pick(_ETHNICITIES, _ETHNICITY_SHARES, rng.random()),
        addresses=addresses,
        cases=cases,
        care=_care(cases, rng),
    )


def _cases(first: date, rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    begin = first
    earlier = int(rng.random() < 0.22)  # a plan from before all records
    while begin <= LAST_DAY:
        case = _case(begin, earlier, rng)
        cases.append(case)
        earlier += len(case.protection)
        if case.end is None or rng.random() > 0.35:
            break
        begin = case.end + timedelta(days=1 + int(rng.exponential(250)))
    return cases


def _case(begin: date, earlier: int, rng: np.random.Generator) -> Case:
    chance = rng.random(9)
    stopped = bool(chance[0] < 0.3)
    needless = not stopped and bool(rng.random() < 0.28)
    length = int(rng.exponential(3 if stopped else 200))
    if needless:
        length = 12 + int(35 * chance[2])
    end = begin + timedelta(days=length)
    need = _pick(_NEEDS, _NEED_SHARES, chance[1])
    case = Case(
        begin, end if end <= LAST_DAY else None, need, stopped, needless and end <= LAST_DAY
    )
    if stopped:
        return case

    def within(after: float) -> date | None:
        day = begin + timedelta(days=int(after))
        return day if day <= min(end, LAST_DAY) else None

    if (done := within(10 + 40 * chance[2])) is not None:
        case.assessments.append(Span(begin, done))
    if needless:
        return case
    if chance[3] < 0.4 and (day := within(30 + 30 * chance[4])) is not None:
        case.plans.append(Span(day, case.end))
    if chance[5] < 0.33 and (day := within(10 * chance[6])) is not None:
        case.enquiries.append(Span(day))
        held = within(10 * chance[6] + 15)
        if chance[7] < 0.5 and held is not None:
            case.conferences.append(Span(held))
            if chance[8] < 0.85:
                over = held + timedelta(days=1 + int(rng.exponential(250)))
                over = min(over, end)
                ended = over if over <= LAST_DAY else None
                code = _pick(_CATEGORIES, _CATEGORY_SHARES, rng.random())
                case.protection.append(Span(held, ended, code, earlier))
    return case


def _care(cases: list[Case], rng: np.random.Generator) -> list[Span]:
    """Periods of being looked after, one at most in a case that has a plan."""
    made = []
    for case in cases:
        if case.protection and rng.random() < 0.3:
            begin = case.protection[0].begin
            end = begin + timedelta(days=1 + int(rng.exponential(400)))
            stop = min(end, case.end) if case.end is not None else end
            made.append(Span(begin, stop if stop <= LAST_DAY else None, case.need))
    return made


def _pick(names: tuple[str, ...], shares: tuple[float, ...], chance: float) -> str:
    for name, share in zip(names, shares, strict=True):
        chance -= share
        if chance < 0:
            return name
    return names[-1]
