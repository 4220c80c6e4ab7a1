"""A briefing on child protection and deprivation, from tables of neighbourhoods to one page.

England is simulated here: children flow through the stages, with gradients as published, so that
every estimate can stand beside the truth. Put your own tables in the place of
`sg.stages.simulate_flow`, and leave what names the truth out. Run it with

    python examples/briefing.py                                        # England
    python examples/briefing.py --authorities 20 --areas 1200          # a small one

It writes one page (briefing.html), its numbers beside the truth (findings.csv) and fits (.nc) to
the folder out/, and prints what was found:

F1  rates rise with the deprivation of the neighbourhood
F2  the gradient is steeper at later stages of intervention
F3  more deprived authorities have higher rates
F4  at equal neighbourhood deprivation, more deprived authorities have LOWER rates
F5  the gradient is steeper in affluent authorities
F6  gradients are steepest for younger children, White children and neglect
F7  children from more deprived neighbourhoods have longer involvement, and return more often
F8  at equal neighbourhood deprivation, returns are most frequent in affluent authorities

Rates here bend, steeper among affluent neighbourhoods, as the published ones do: from about 100
referrals per 10,000 children to 1,400. So the stages are fitted twice: by straight lines, which
`socgrad.check_fit` finds not to fit, and by splines. What hangs on that is a section of the page.
"""

import argparse
import multiprocessing
import os
import sys
import textwrap
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pandas as pd
import xarray as xr

import socgrad as sg
from briefing_truth import Outcome, truth_of
from socgrad.simulation.flow import Flow
from socgrad.simulation.groups import GROUPS

STARTED: Final = time.perf_counter()

# Columns of counts, from the first stage of intervention to the last, and their names in print.
STAGES: Final = {
    "referral": "Referrals",
    "child_in_need_plan": "Child in need plans",
    "section_47": "Section 47 enquiries",
    "child_protection_plan": "Child protection plans",
}
# The way to a plan, each stage counted among those at the one before.
CHAIN: Final = {
    "referral": "Referrals",
    "child_in_need": "Episodes of need",
    "section_47": "Section 47 enquiries",
    "conference": "Conferences",
    "child_protection_plan": "Child protection plans",
}
# What follows, and what it is counted among: a column, and its words.
RETURNS: Final = {
    "closed": ("Closures", "months_open", "months open"),
    "rereferral": ("Re-referrals", "closed_last_year", "closed cases"),
    "repeat_plan": ("Repeat plans", "child_protection_plan", "plans"),
}
# Each kind of group: its heading, the stage at which it is told apart, and this stage's words.
GROUPED: Final = {
    "age": ("By age", "referral", "referrals"),
    "ethnicity": ("By ethnicity", "referral", "referrals"),
    "need": ("By assessed need", "child_in_need", "episodes of need"),
    "category": ("By category of abuse", "child_protection_plan", "child protection plans"),
}
# What deprivation is, after "10 percentage points more".
DEPRIVATION: Final = "children in low-income families"
LINES: Final = "Stages of intervention"
SPLINES: Final = "Stages of intervention, with gradients that may bend"


@dataclass(frozen=True, eq=False)
class Study:
    """One table of counts: its strata, what each counts, how it is fitted, what it is asked."""

    strata: sg.Strata
    outcomes: Mapping[str, Outcome]
    questions: Sequence[str]
    events: str = ""
    together: bool = False
    shape: Literal["line", "spline"] = "line"


def main() -> int:
    """Simulate, fit, report; 0 if every fit can be trusted."""
    options = read_options()
    options.out.mkdir(parents=True, exist_ok=True)
    # The processes that fit start while England is simulated.
    with workers() as executor:
        say(f"Simulating {options.areas:,} neighbourhoods in {options.authorities} authorities")
        # "centred": all stages share their authorities, so that one unlucky draw of these would
        # move every estimate away from the truth together.
        flow = sg.stages.simulate_flow(
            authorities=options.authorities,
            areas=options.areas,
            bend=1.0,
            effects="centred",
            random_seed=options.seed,
        )
        say("Fitting tables of counts, several at a time where there are processors")
        made, fits = fitted_tables(studies(flow, together=options.joint), options, executor)
    say("Writing the page")
    found: list[pd.DataFrame] = []

    def sections(tables: Mapping[str, pd.DataFrame]) -> list[sg.pages.Section]:
        """Sections that only this England allows: its numbers beside their truth."""
        found.append(beside_truth(tables, made, flow))
        return [line_or_spline(found[0]), all_beside_truth(found[0])]

    page = page_of(fits, made, flow, sections, figures=options.figures)
    page.save(options.out / "briefing.html")
    findings = found[0]
    findings.to_csv(options.out / "findings.csv", index=False)
    for question, sentences in page.found.items():
        print(f"\n{question}")
        for words in sentences:
            print(textwrap.fill(words, 96, initial_indent="  ", subsequent_indent="    "))
    inside = holds(findings)
    say(f"{inside.sum()} of {len(findings)} intervals hold the truth")
    if page.converged:
        say(f"Done: {options.out / 'briefing.html'} can be read.")
        return 0
    say("NOT DONE: the sampler did not converge in every fit. Do not use these numbers.")
    return 1


def workers() -> ProcessPoolExecutor:
    """Processes that fit, each of which has begun to import what it needs."""
    number = os.cpu_count() or 1
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(number, mp_context=context)
    for _ in range(number):
        executor.submit(os.getpid)
    return executor


def fitted_tables(
    tables: Iterable[tuple[str, Study]],
    options: argparse.Namespace,
    executor: ProcessPoolExecutor,
) -> tuple[dict[str, Study], dict[str, xr.DataTree]]:
    """Fit every table as soon as it is made, in processes of their own; by heading."""
    made, fits = {}, {}
    for number, (heading, study) in enumerate(tables, start=1):
        made[heading] = study
        fits[heading] = executor.submit(fitted, study, options, number)
    return made, {heading: fit.result() for heading, fit in fits.items()}


def fitted(study: Study, options: argparse.Namespace, number: int) -> xr.DataTree:
    """Fit one table, and keep the fit in a file, which `sg.load` reads again."""
    model = sg.StratifiedModel(
        study.strata,
        authority_effects="joint" if study.together else "independent",
        shape=study.shape,
    )
    # Each fit has a seed of its own: draws of different fits are combined as independent.
    fit = sg.fit(
        model, method=options.method, draws=options.draws, random_seed=options.seed + number
    )
    sg.save(fit, options.out / f"study_{number}.nc")
    return fit


def studies(flow: Flow, *, together: bool) -> Iterator[tuple[str, Study]]:
    """Tables of counts, each with the heading of its chapter."""
    before = ["children", *CHAIN][:-1]
    ends = [*STAGES][:: len(STAGES) - 1]
    with warnings.catch_warnings():
        # Child in need plans and section 47 enquiries both follow an episode of need: neither is
        # part of the other, so that one may exceed the other. Both are stages all the same.
        warnings.simplefilter("ignore", sg.errors.StageOrderWarning)
        stages = of_stages(flow, list(STAGES))
    # The stages share their authorities: fitted together, they say how alike these are.
    yield LINES, Study(
        stages,
        {stage: Outcome(stage) for stage in STAGES},
        ["rates", "gradient", "comparison", "between", "contextual", "steepening",
         "own_gradients", "alike", "fit"],
        together=together,
    )  # fmt: skip
    yield (
        SPLINES,
        Study(
            of_stages(flow, ends),
            {stage: Outcome(stage) for stage in ends},
            ["rates", "shape", "contextual", "fit"],
            shape="spline",
        ),
    )
    yield (
        "Each stage on the one before",
        Study(
            of_stages(flow, list(CHAIN), exposure="previous stage"),
            {stage: Outcome(stage, of) for stage, of in zip(CHAIN, before, strict=True)},
            ["steps"],
        ),
    )
    yield (
        "Ends and returns",
        Study(
            of_stages(
                flow, list(RETURNS), {name: column for name, (_, column, _) in RETURNS.items()}
            ),
            {name: Outcome(name, column) for name, (_, column, _) in RETURNS.items()},
            ["gradient", "contextual"],
        ),
    )
    for by, (heading, stage, events) in GROUPED.items():
        yield heading, Study(
            sg.Strata.from_long(
                flow.long(by), area="area", authority="authority", deprivation="deprivation",
                stratum=by, events=stage, exposure="group_children", children="children",
                children_of="area", zero_exposure="leave out", complete=True,
            ),
            {group: Outcome(stage, by=by, group=group) for group in GROUPS[by]},
            ["gradient", "comparison"],
            events,
        )  # fmt: skip


def of_stages(
    flow: Flow,
    stages: list[str],
    exposure: dict[str, str] | Literal["previous stage"] | None = None,
) -> sg.Strata:
    """Stages of the table; those that have exposures of their own are not nested."""
    return sg.Strata.from_stages(
        flow.frame, area="area", authority="authority", deprivation="deprivation",
        children="children", stages=stages, exposure=exposure,
        nested=not isinstance(exposure, dict),
        zero_exposure="refuse" if exposure is None else "leave out", complete=True,
    )  # fmt: skip


def page_of(
    fits: Mapping[str, xr.DataTree],
    made: Mapping[str, Study],
    flow: Flow,
    sections: Callable[[Mapping[str, pd.DataFrame]], list[sg.pages.Section]],
    *,
    figures: bool,
) -> sg.pages.Page:
    """Write the page that a reader of policy is given."""
    areas, authorities = len(flow.frame), flow.frame["authority"].nunique()
    groups = [group for by in GROUPED for group in GROUPS[by]]
    return sg.report(
        fits,
        title="The social gradient in children's social care: a simulated England",
        introduction=(
            "These are not data about England. Children were simulated to flow through the stages "
            f"of intervention in {areas:,} neighbourhoods of {authorities:,} local authorities, as "
            "published totals and gradients say, so that each estimate can be held against the "
            "truth."
        ),
        events={heading: study.events for heading, study in made.items()},
        exposure=dict.fromkeys([*STAGES, *CHAIN, *groups], "children")
        | {name: words for name, (_, _, words) in RETURNS.items()},
        deprivation=DEPRIVATION,
        names=STAGES | CHAIN | {name: words for name, (words, _, _) in RETURNS.items()},
        questions={heading: study.questions for heading, study in made.items()},
        sections=sections,
        figures=figures,
    )


def beside_truth(
    tables: Mapping[str, pd.DataFrame], made: Mapping[str, Study], flow: Flow
) -> pd.DataFrame:
    """Every number of the page beside its truth, where this England has one."""
    found = []
    for heading, study in made.items():
        for question in study.questions:
            truth = truth_of(flow, question, study.outcomes, bends=study.shape == "spline")
            table = tables.get(f"{heading}: {question}")
            if truth and table is not None:
                table = table.drop(columns="observed", errors="ignore")
                found.append(table.assign(study=heading, question=question, truth=truth))
    return pd.concat(found, ignore_index=True)


def holds(findings: pd.DataFrame) -> "pd.Series[bool]":
    """Whether each interval holds the truth."""
    return findings["truth"].between(findings["lower"], findings["upper"])


def line_or_spline(findings: pd.DataFrame) -> sg.pages.Section:
    """What a straight line gets wrong where rates bend, and how near a spline comes."""
    said = findings.assign(
        said=[
            f"{row.estimate:,.{digits}f} ({row.lower:,.{digits}f} to {row.upper:,.{digits}f})"
            for row in findings.itertuples()
            for digits in [1 if row.question == "rates" else 2]
        ]
    )
    line, spline = (said[said["study"] == study] for study in (LINES, SPLINES))
    both = spline.merge(line, on=["question", "of", "quantity"], suffixes=("", "_line"))
    both = both[both["quantity"].str.contains(r"\(|deprivation")]  # ends of tenths, and places
    return sg.pages.Section(
        "Straight line or spline?",
        [
            "Rates in this England bend: they rise more steeply among affluent neighbourhoods, and "
            "the check of the stages below says so. A straight line then puts the rate of the "
            "least deprived tenth far too high. It also hides that the contrast of authorities at "
            "equal deprivation changes with the neighbourhood: it is large among affluent "
            "neighbourhoods, and need not be there among deprived ones.",
            "A spline comes near both. Its intervals allow for chance, not for its own form, so "
            "that rates of tenths may lie a few percent outside them. With data like these, report "
            "rates, gradients and contextual findings from the spline; lines serve to compare "
            "stages, which bend alike.",
        ],
        pd.DataFrame(
            {
                "Of": both["of"],
                "Quantity": both["quantity"],
                "Line": both["said_line"],
                "Spline": both["said"],
                "Truth": both["truth"].round(2),
            }
        ),
    )


def all_beside_truth(findings: pd.DataFrame) -> sg.pages.Section:
    """How often the intervals of each study hold the truth."""
    inside = holds(findings).groupby([findings["study"], findings["question"]], sort=False)
    table = inside.agg(["sum", "size"]).reset_index()
    return sg.pages.Section(
        "How near the truth?",
        "Of a hundred intervals, 95 should hold the truth; more may, because they allow for other "
        "authorities than these, while the truth is that of these. Where rates bend, the truth of "
        "a straight line's gradients and contrasts is the line that ever more data would come to; "
        "its rates miss the truth of the tenths.",
        table.set_axis(["Study", "Question", "Intervals that hold it", "Intervals"], axis=1),
    )


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--authorities", type=int, default=150, help="number of authorities")
    parser.add_argument("--areas", type=int, default=32_844, help="number of neighbourhoods")
    parser.add_argument("--draws", type=int, default=1000, help="draws in each of four chains")
    parser.add_argument("--method", choices=["auto", "nuts", "laplace"], default="auto")
    parser.add_argument(
        "--joint", action=argparse.BooleanOptionalAction, default=True,
        help="fit the stages together, for correlations between them",
    )  # fmt: skip
    parser.add_argument(
        "--figures", action=argparse.BooleanOptionalAction, default=True,
        help="draw figures, which needs matplotlib",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=2019, help="seed of everything random")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder to write to")
    return parser.parse_args()


def say(text: str) -> None:
    """Print what happens now, and when."""
    words = f"[{time.perf_counter() - STARTED:5.1f} s] {text}"
    print(textwrap.fill(words, 98, subsequent_indent=" " * 10), flush=True)


if __name__ == "__main__":
    sys.exit(main())
