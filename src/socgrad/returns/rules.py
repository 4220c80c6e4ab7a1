"""The counting rules, one by one: which records, dated by what, each record or each child."""

from __future__ import annotations  # pandas' own classes are not generic at run time

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from socgrad.errors import TableError
from socgrad.returns.records import KINDS, Records

__all__ = ["RULES", "Only", "Rule", "check_stages", "counting_rules"]

#: What is asked of a record besides its date.
type Only = Literal[
    "all",
    "no further action",
    "not in need",
    "in need",
    "within 12 months",
    "not the first",
    "started",
]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How one column of counts comes out of records.

    Parameters
    ----------
    kind
        Kind of record.
    dated
        By which date a record falls into the year: its beginning, its end; or it is counted when
        open on the last day, or by the months for which it was open.
    only
        What else a record must be.
    years_back
        0 for the year itself, 1 for the year before it.
    words
        The rule as a sentence.
    """

    kind: str
    dated: Literal["begin", "end", "open", "months"]
    words: str
    only: Only = "all"
    years_back: int = 0

    @property
    def unit(self) -> str:
        """What a count of this rule is in."""
        return {"months": "child-months", "open": "children"}.get(self.dated, "records")

    @property
    def looks_back(self) -> bool:
        """Whether records of the year before are needed."""
        return self.years_back > 0 or self.only == "within 12 months"


_OPEN: Final = (
    "Begun on or before 31 March and not ended on or before it. A child counts once. One that an "
    "earlier return had open and a later one does not have is not counted as open."
)
_IN_NEED: Final = (
    "Episodes of need: referrals whose ReferralNFA is not true and whose ReasonForClosure is not "
    "RC8 or RC9 (closed after assessment)."
)
_MONTHS: Final = (
    "Days of the year on which one was open, the first and the last included, times 12 over the "
    "days of the year. Overlapping ones of a child count once. A move, and a birthday that changes "
    "the age band, divide them."
)

RULES: Final[dict[str, Rule]] = {
    "referral": Rule(
        kind="referral",
        dated="begin",
        words="CINreferralDate in the year. Each referral, not each child; those that led to no "
        "further action too.",
    ),
    "no_further_action": Rule(
        kind="referral",
        dated="begin",
        only="no further action",
        words="CINreferralDate in the year, and ReferralNFA true.",
    ),
    "not_in_need": Rule(
        kind="referral",
        dated="begin",
        only="not in need",
        words="CINreferralDate in the year, ReferralNFA not true, and ReasonForClosure RC8 or RC9: "
        "assessed, and closed without being in need. Those that are still open are not known yet.",
    ),
    "rereferral": Rule(
        kind="referral",
        dated="begin",
        only="within 12 months",
        words="CINreferralDate in the year, and another referral of the child before it, on or "
        "after the same day of the year before; whatever either led to. Needs the records of the "
        "year before.",
    ),
    "child_in_need": Rule(
        kind="referral",
        dated="begin",
        only="in need",
        words=f"CINreferralDate in the year. {_IN_NEED}",
    ),
    "closed": Rule(
        kind="referral",
        dated="end",
        only="in need",
        words=f"CINclosureDate in the year. {_IN_NEED}",
    ),
    "closed_last_year": Rule(
        kind="referral",
        dated="end",
        only="in need",
        years_back=1,
        words="As closed, in the year before: who may come back. Needs the records of that year.",
    ),
    "open_at_31_march": Rule(
        kind="referral",
        dated="open",
        only="in need",
        words=f"{_IN_NEED} {_OPEN}",
    ),
    "months_open": Rule(
        kind="referral",
        dated="months",
        only="in need",
        words=f"{_IN_NEED} {_MONTHS}",
    ),
    "assessment": Rule(
        kind="assessment",
        dated="end",
        words="AssessmentAuthorisationDate in the year: assessments completed.",
    ),
    "child_in_need_plan": Rule(
        kind="child_in_need_plan", dated="begin", words="CINPlanStartDate in the year."
    ),
    "section_47": Rule(
        kind="section_47", dated="begin", words="S47ActualStartDate in the year. Each enquiry."
    ),
    "conference": Rule(
        kind="conference",
        dated="begin",
        words="DateOfInitialCPC in the year, of a section 47 enquiry or of the case; the same day "
        "in both is one conference.",
    ),
    "child_protection_plan": Rule(
        kind="child_protection_plan",
        dated="begin",
        words="CPPstartDate in the year: plans that start, not plans that are open. A child with "
        "two counts twice.",
    ),
    "repeat_plan": Rule(
        kind="child_protection_plan",
        dated="begin",
        only="not the first",
        words="CPPstartDate in the year, and NumberOfPreviousCPP above 0, however long ago. Where "
        "the records do not say the number: an earlier plan of the child is among them, which "
        "misses those from before they begin.",
    ),
    "plan_ended": Rule(kind="child_protection_plan", dated="end", words="CPPendDate in the year."),
    "plan_at_31_march": Rule(
        kind="child_protection_plan", dated="open", words=f"Child protection plans. {_OPEN}"
    ),
    "months_on_plan": Rule(
        kind="child_protection_plan", dated="months", words=f"Child protection plans. {_MONTHS}"
    ),
    "looked_after": Rule(
        kind="looked_after",
        dated="begin",
        only="started",
        words="DECOM of an episode with RNE S in the year, short breaks (V3, V4) left out.",
    ),
    "looked_after_ended": Rule(
        kind="looked_after",
        dated="end",
        words="DEC in the year of an episode whose REC starts with E, short breaks left out.",
    ),
    "looked_after_at_31_march": Rule(
        kind="looked_after", dated="open", words=f"Periods of being looked after. {_OPEN}"
    ),
    "months_looked_after": Rule(
        kind="looked_after", dated="months", words=f"Periods of being looked after. {_MONTHS}"
    ),
}


def counting_rules() -> pd.DataFrame:
    """The rules by which `count` counts, one row for each stage that it knows.

    Returns
    -------
    pandas.DataFrame
        Index stage; columns unit (records, children or child-months), kind of record, rule (in
        words, with the census's names of fields).

    Notes
    -----
    They follow the department's published definitions [1]_ where it gives one: a re-referral is a
    referral within 12 months of a previous one, an episode of need is a referral that led to
    further action and was not closed after assessment, plans are counted when they start. Its own
    tables [2]_ agree: in each year from 2016 to 2022 episodes of need that started in England are
    referrals less those without further action and those not in need, to 2 in 1,000. What it does
    with records that contradict each other is not published in full; here the ledger of `count`
    says what became of them.

    References
    ----------
    .. [1] Department for Education, Children in need: methodology,
       https://explore-education-statistics.service.gov.uk/methodology/children-in-need
    .. [2] Department for Education, Characteristics of children in need 2022, files b1 and c1.

    Examples
    --------
    >>> import socgrad as sg
    >>> sg.returns.counting_rules().loc["assessment", "rule"]
    'AssessmentAuthorisationDate in the year: assessments completed.'
    """
    return pd.DataFrame(
        {
            "unit": [rule.unit for rule in RULES.values()],
            "kind": [KINDS[rule.kind] for rule in RULES.values()],
            "rule": [rule.words for rule in RULES.values()],
        },
        index=pd.Index(RULES, name="stage"),
    )


def check_stages(
    stages: Sequence[str], records: Records, year: int, left_censored: str
) -> dict[str, Rule]:
    """The rules of the stages asked for, or a refusal of those that the records cannot answer."""
    asked = [stages] if isinstance(stages, str) else list(stages)
    unknown = [stage for stage in asked if stage not in RULES]
    able = [stage for stage, rule in RULES.items() if rule.kind in records.tables]
    if unknown or not asked:
        raise TableError(
            f"stages names {', '.join(map(repr, unknown)) or 'nothing'} to count. Expected some of "
            f"{', '.join(able)}; counting_rules() says what each is."
        )
    unable = [stage for stage in asked if stage not in able]
    if unable:
        raise TableError(
            f"{', '.join(unable)} cannot be counted: the records ({records.source}) have no "
            f"{KINDS[RULES[unable[0]].kind]}. They have what is needed for {', '.join(able)}."
        )
    blind = [stage for stage in asked if RULES[stage].looks_back]
    if blind and not records.covers(year - 1) and left_censored == "refuse":
        raise TableError(
            f"{', '.join(blind)} needs the records of the year that ends in March {year - 1}, and "
            f"these begin on {records.start}: what was referred or closed before then is not in "
            "them. Read the return of that year too, as in read_cin_census([last_year, "
            'this_year]); or pass left_censored="count", knowing that the count is too low, most '
            "so early in the year."
        )
    return {stage: RULES[stage] for stage in dict.fromkeys(asked)}
