"""A census of a few children, written out, and the tables that go with it."""

import pandas as pd

import socgrad as sg

HEAD = (
    "<Message><Header><CollectionDetails><Collection>CIN</Collection><Year>{year}</Year>"
    "<ReferenceDate>{year}-03-31</ReferenceDate></CollectionDetails>"
    "<Source><LEA>{lea}</LEA></Source></Header><Children>"
)


def child(identifier, *cases, birth="2015-01-01", ethnicity="WBRI"):
    """One child of a census."""
    return (
        f"<Child><ChildIdentifiers><LAchildID>{identifier}</LAchildID>"
        f"<PersonBirthDate>{birth}</PersonBirthDate></ChildIdentifiers><ChildCharacteristics>"
        f"<Ethnicity>{ethnicity}</Ethnicity></ChildCharacteristics>{''.join(cases)}</Child>"
    )


def case(referred, closed=None, *, need="N1", stopped="false", reason="RC7", inside=""):
    """One referral of a child, with whatever blocks are in it."""
    closing = ""
    if closed is not None:
        closing = f"<CINclosureDate>{closed}</CINclosureDate>"
        closing += f"<ReasonForClosure>{reason}</ReasonForClosure>"
    return (
        f"<CINdetails><CINreferralDate>{referred}</CINreferralDate>"
        f"<PrimaryNeedCode>{need}</PrimaryNeedCode>{closing}<ReferralNFA>{stopped}</ReferralNFA>"
        f"{inside}</CINdetails>"
    )


def plan(begin, end=None, *, category="NEG", latest=None, previous=0):
    """One child protection plan."""
    ending = "" if end is None else f"<CPPendDate>{end}</CPPendDate>"
    return (
        f"<ChildProtectionPlans><CPPstartDate>{begin}</CPPstartDate>{ending}"
        f"<InitialCategoryOfAbuse>{category}</InitialCategoryOfAbuse>"
        f"<LatestCategoryOfAbuse>{latest or category}</LatestCategoryOfAbuse>"
        f"<NumberOfPreviousCPP>{previous}</NumberOfPreviousCPP></ChildProtectionPlans>"
    )


def write(folder, *children, year=2023, lea="999", name=None):
    """The file of a census."""
    path = folder / (name or f"cin_{year}.xml")
    path.write_text(
        HEAD.format(year=year, lea=lea) + "".join(children) + "</Children></Message>",
        encoding="utf-8",
    )
    return path


def homes(*rows):
    """A residence table: child, area, and perhaps the first and the last day."""
    frame = pd.DataFrame(
        [(*row, *[None] * (4 - len(row))) for row in rows],
        columns=["child", "lsoa", "from", "to"],
    )
    frame["from"] = frame["from"].fillna("2000-01-01")
    return sg.returns.Residence.from_frame(
        frame, child="child", area="lsoa", start="from", end="to"
    )


#: Three areas of one authority.
PLACES = pd.DataFrame(
    {
        "lsoa": ["A", "B", "C"],
        "authority": "Ashby",
        "deprivation": [0.1, 0.2, 0.4],
        "children": [300, 400, 500],
    }
)


def counted(records, residence, *stages, **options):
    """Counts of the year 2023 in the three areas."""
    return sg.returns.count(
        records, residence, PLACES, area="lsoa", year=2023, stages=list(stages), **options
    )


def totals(counts):
    """The sum over areas of each stage."""
    return {stage: float(counts.frame[stage].sum()) for stage in counts.stages}


def reasons(counts, stage):
    """Amounts of the ledger of a stage, by reason."""
    rows = counts.ledger[counts.ledger["stage"] == stage]
    return {row.reason: row.amount for row in rows.itertuples() if row.amount > 0}
