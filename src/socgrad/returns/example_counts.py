"""Known counts of drawn children: told off one by one, in plain loops, apart from `count`.

The tests hold the two against each other: nothing here is shared with what counts the files.
"""

from __future__ import annotations  # the type of a counter is not generic at run time

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import pandas as pd

from socgrad.returns.example_children import Case, Person, Span

__all__ = ["known_counts_of"]

#: A day on which something happened, and which child it happened to.
type Happening = tuple[str, date]


def known_counts_of(
    people: list[Person], areas: list[str], year: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts of a year, in all and by area.

    Parameters
    ----------
    people
        As drawn.
    areas
        Those that are asked for.
    year
        By the 31 March on which it ends.

    Returns
    -------
    known, by_area
        By stage: counted, no_row (the child is not in the table of addresses), no_area (not on that
        day), outside; and by area a column for each stage.
    """
    inside = set(areas)
    placed: Counter[tuple[str, str]] = Counter()
    lost: Counter[tuple[str, str]] = Counter()
    months: Counter[tuple[str, str]] = Counter()
    first, last = date(year - 1, 4, 1), date(year, 3, 31)
    share = 12 / ((last - first).days + 1)
    for person in people:
        for stage, day in _happenings(person, first, last):
            where = _home(person, day)
            if where in inside:
                placed[where, stage] += 1
            else:
                lost[stage, _why(person, where)] += 1
        for stage, spans in (
            ("months_open", [Span(c.begin, c.end) for c in person.cases if _in_need(c)]),
            ("months_on_plan", [plan for case in person.cases for plan in case.protection]),
            ("months_looked_after", person.care),
        ):
            for span in spans:
                day = max(span.begin, first)
                while day <= min(span.end or last, last):
                    where = _home(person, day)
                    until = _stays_until(person, day, min(span.end or last, last))
                    days = (until - day).days + 1
                    if where in inside:
                        months[where, stage] += days  # whole days, so that sums are exact
                    else:
                        lost[stage, _why(person, where)] += days
                    day = until + timedelta(days=1)
    stages = sorted({stage for _, stage in placed} | {stage for _, stage in months})
    by_area = pd.DataFrame(0.0, index=pd.Index(areas, name="lsoa"), columns=stages)
    for (where, stage), number in placed.items():
        by_area.loc[where, stage] = number
    for (where, stage), number in months.items():
        by_area.loc[where, stage] = number * share
    known = pd.DataFrame(
        {
            "counted": by_area.sum(),
            **{
                why: pd.Series(
                    {s: lost[s, why] * (share if s.startswith("months") else 1) for s in stages}
                )
                for why in ("no_row", "no_area", "outside")
            },
        }
    )
    return known.rename_axis("stage"), by_area


def _happenings(person: Person, first: date, last: date) -> Iterator[Happening]:
    """Everything that counts in the year, with the day that its area is of."""
    year_before = (first.replace(year=first.year - 1), first - timedelta(days=1))
    referred: list[date] = []
    for case in person.cases:
        yield from _of_referral(case, referred, (first, last), year_before)
        referred.append(case.begin)
        yield from _begun("child_in_need_plan", case.plans, first, last)
        yield from _begun("section_47", case.enquiries, first, last)
        yield from _begun("conference", case.conferences, first, last)
        yield from _begun("child_protection_plan", case.protection, first, last)
        again = [span for span in case.protection if span.earlier > 0]
        yield from _begun("repeat_plan", again, first, last)
        for span in case.assessments:
            if span.end is not None and first <= span.end <= last:
                yield "assessment", span.end
        yield from _ended("plan", case.protection, first, last)
    yield from _begun("looked_after", person.care, first, last)
    yield from _ended("looked_after", person.care, first, last)


def _begun(stage: str, spans: list[Span], first: date, last: date) -> Iterator[Happening]:
    for span in spans:
        if first <= span.begin <= last:
            yield stage, span.begin


def _ended(stage: str, spans: list[Span], first: date, last: date) -> Iterator[Happening]:
    for span in spans:
        if span.end is not None and first <= span.end <= last:
            yield f"{stage}_ended", span.end
        if span.begin <= last and (span.end is None or span.end > last):
            yield f"{stage}_at_31_march", last


def _of_referral(
    case: Case, referred: list[date], year: tuple[date, date], before: tuple[date, date]
) -> Iterator[Happening]:
    first, last = year
    if first <= case.begin <= last:
        yield "referral", case.begin
        if _in_need(case):
            yield "child_in_need", case.begin
        else:
            yield ("no_further_action" if case.stopped else "not_in_need"), case.begin
        back = case.begin - timedelta(days=365 if _is_common(case.begin) else 366)
        if any(back <= day < case.begin for day in referred):
            yield "rereferral", case.begin
    if _in_need(case):
        if case.end is not None and first <= case.end <= last:
            yield "closed", case.end
        if case.end is not None and before[0] <= case.end <= before[1]:
            yield "closed_last_year", case.end
        if case.begin <= last and (case.end is None or case.end > last):
            yield "open_at_31_march", last


def _in_need(case: Case) -> bool:
    return not (case.stopped or case.needless)


def _is_common(day: date) -> bool:
    """Whether no 29 February lies in the twelve months up to a day."""
    leap = next(
        (y for y in (day.year, day.year - 1) if y % 4 == 0 and (y % 100 or y % 400 == 0)), None
    )
    return leap is None or not day - timedelta(days=366) < date(leap, 2, 29) <= day


def _home(person: Person, day: date) -> str | None:
    """The last address that began by a day and had not ended before it."""
    found = None
    for address in person.addresses:
        if address.begin <= day and (address.end is None or day <= address.end):
            found = address.area
    return found


def _stays_until(person: Person, day: date, last: date) -> date:
    """The last day, up to a given one, that is spent where the child is on a day."""
    edges = [address.begin for address in person.addresses if address.begin > day]
    return min([edge - timedelta(days=1) for edge in edges] + [last])


def _why(person: Person, where: str | None) -> str:
    if not person.addresses:
        return "no_row"
    return "no_area" if where is None else "outside"
