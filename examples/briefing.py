"""A briefing on child protection and deprivation, from tables of neighbourhoods to findings.

England is simulated here: children flow through the stages, with gradients as published, so that
every estimate can stand beside the truth. Put your own tables in the place of
`sg.stages.simulate_flow` and leave the column `truth` out. Run it with

    python examples/briefing.py                                        # England, a few minutes
    python examples/briefing.py --authorities 20 --areas 1200          # a small one

It prints one table for each of eight findings, and writes one page (briefing.html), tables (.csv),
figures (.png) and fits (.nc) to the folder out/:

F1  rates rise with the deprivation of the neighbourhood
F2  the gradient is steeper at later stages of intervention
F3  more deprived authorities have higher rates
F4  at equal neighbourhood deprivation, more deprived authorities have LOWER rates
F5  the gradient is steeper in affluent authorities
F6  gradients are steepest for younger children, White children and neglect
F7  children from more deprived neighbourhoods have longer involvement, and return more often
F8  at equal neighbourhood deprivation, returns are most frequent in affluent authorities
"""

import argparse
import sys
import textwrap
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pandas as pd

import socgrad as sg
from briefing_figures import draw_figures
from briefing_findings import findings, own_gradients
from briefing_report import write_page
from briefing_tables import Answer, Finding, blocks, covers
from briefing_truth import Outcome
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
# What follows, and what it is counted among.
RETURNS: Final = {
    "closed": ("Closures", "months_open"),
    "rereferral": ("Re-referrals", "closed_last_year"),
    "repeat_plan": ("Repeat plans", "child_protection_plan"),
}
# The stage at which each kind of group is told apart.
GROUPED: Final = {
    "age": "referral",
    "ethnicity": "referral",
    "need": "child_in_need",
    "category": "child_protection_plan",
}


def main() -> int:
    """Simulate, fit, report; 0 if every fit can be trusted."""
    options = read_options()
    options.out.mkdir(parents=True, exist_ok=True)
    say(f"Simulating {options.areas:,} neighbourhoods in {options.authorities} authorities")
    # "centred": all stages share their authorities, so that one unlucky draw of these would move
    # every estimate away from the truth together.
    flow = sg.stages.simulate_flow(
        authorities=options.authorities,
        areas=options.areas,
        effects="centred",
        random_seed=options.seed,
    )
    answers = {}
    for number, (name, (strata, names, outcomes)) in enumerate(questions(flow).items(), start=1):
        together = ", together" if name == "stages" and options.joint else ""
        say(f"Fitting {WORDS[name]}{together}: {', '.join(names.values())}")
        # Each fit has a seed of its own: draws of different fits are combined as independent.
        # The stages share their authorities: fitted together, they say how alike these are.
        joint = name == "stages" and options.joint
        fit = sg.fit(
            sg.StratifiedModel(strata, authority_effects="joint" if joint else "independent"),
            method=options.method,
            draws=options.draws,
            random_seed=options.seed + number,
        )
        answers[name] = Answer(fit, names, outcomes)
        sg.save(fit, options.out / f"{name}.nc")

    say("Computing the findings")
    found = findings(answers, flow)
    for finding in found:
        print_finding(finding)
        finding.table.to_csv(options.out / f"{finding.name}.csv", index=False)
    own = own_gradients(answers["stages"], flow)
    print_own_gradients(own)
    own.to_csv(options.out / "authority_gradients.csv", index=False)

    say("Drawing the figures")
    figures = draw_figures(found, answers, own, options.out)
    say("Checking the sampler")
    statements, converged = check(answers)
    page = write_page(
        options.out / "briefing.html", found, figures, statements, flow, converged=converged
    )
    say(f"The page is {page}; tables, figures and fits are beside it")
    if converged:
        say("Done: the sampler converged in every fit, so the tables can be read.")
        return 0
    say("NOT DONE: the sampler did not converge in every fit. Do not use these tables.")
    return 1


WORDS: Final = {
    "stages": "the stages",
    "chain": "each stage on the one before",
    "returns": "ends and returns",
    "age": "by age",
    "ethnicity": "by ethnicity",
    "need": "by assessed need",
    "category": "by category of abuse",
}


type Question = tuple[sg.Strata, Mapping[str, str], Mapping[str, Outcome]]


def questions(flow: Flow) -> dict[str, Question]:
    """Tables of counts: strata, their names in print, and what each counts."""
    before = ["children", *CHAIN][:-1]
    with warnings.catch_warnings():
        # Child in need plans and section 47 enquiries both follow an episode of need: neither is
        # part of the other, so that one may exceed the other. Both are stages all the same.
        warnings.simplefilter("ignore", sg.errors.StageOrderWarning)
        stages = sg.Strata.from_stages(
            flow.frame, area="area", authority="authority", deprivation="deprivation",
            children="children", stages=list(STAGES), complete=True,
        )  # fmt: skip
    asked: dict[str, Question] = {
        "stages": (
            stages,
            STAGES,
            {stage: Outcome(stage) for stage in STAGES},
        ),
        "chain": (
            sg.Strata.from_stages(
                flow.frame, area="area", authority="authority", deprivation="deprivation",
                children="children", stages=list(CHAIN), exposure="previous stage", complete=True,
            ),
            CHAIN,
            {
                stage: Outcome(stage, previous)
                for stage, previous in zip(CHAIN, before, strict=True)
            },
        ),
        "returns": (
            sg.Strata.from_stages(
                flow.frame, area="area", authority="authority", deprivation="deprivation",
                children="children", stages=list(RETURNS), nested=False,
                exposure={name: exposure for name, (_, exposure) in RETURNS.items()},
                zero_exposure="leave out", complete=True,
            ),
            {name: words for name, (words, _) in RETURNS.items()},
            {name: Outcome(name, exposure) for name, (_, exposure) in RETURNS.items()},
        ),
    }  # fmt: skip
    for by, events in GROUPED.items():
        asked[by] = (
            sg.Strata.from_long(
                flow.long(by), area="area", authority="authority", deprivation="deprivation",
                stratum=by, events=events, exposure="group_children", children="children",
                children_of="area", zero_exposure="leave out", complete=True,
            ),
            {group: group for group in GROUPS[by]},
            {group: Outcome(events, by=by, group=group) for group in GROUPS[by]},
        )  # fmt: skip
    return asked


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--authorities", type=int, default=150, help="number of authorities")
    parser.add_argument("--areas", type=int, default=32_844, help="number of neighbourhoods")
    parser.add_argument("--draws", type=int, default=1000, help="draws in each of four chains")
    parser.add_argument("--method", choices=["auto", "nuts", "laplace"], default="auto")
    parser.add_argument(
        "--joint", action=argparse.BooleanOptionalAction, default=True,
        help="fit the stages together, by NUTS, for correlations between them",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=2019, help="seed of everything random")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder to write to")
    return parser.parse_args()


def say(text: str) -> None:
    """Print what happens now, and when."""
    words = f"[{time.perf_counter() - STARTED:5.1f} s] {text}"
    print(textwrap.fill(words, 98, subsequent_indent=" " * 10), flush=True)


def print_finding(finding: Finding) -> None:
    """Print a finding within 100 columns, a block of rows for each stage."""
    print(f"\n{finding.name}  {finding.claim}")
    print(textwrap.indent(finding.question, "    "))
    print(f"\n{'':56}{'Estimate':>8}{'95% interval':^22}{'Truth':>6}")
    held, decimals = covers(finding.table), finding.decimals
    for stage, block in blocks(finding.table):
        print(stage)
        for row in block:
            interval = f"{row.lower:>9.{decimals}f} to {row.upper:<8.{decimals}f}"
            print(
                f"  {row.quantity:<54}{row.estimate:>8.{decimals}f}{interval:^22}"
                f"{row.truth:>6.{decimals}f}{'' if row.held else ' *'}"
            )
    print(f"\n  {held.sum()} of {len(held)} intervals hold the truth", end="")
    print("." if held.all() else "; * marks those that do not.")
    print(textwrap.indent(textwrap.fill(finding.found, 94), "  "), flush=True)


def print_own_gradients(own: pd.DataFrame) -> None:
    """Say how often the authorities' own intervals hold the truth."""
    print("\n    Each authority's own gradient is in authority_gradients.csv.\n")
    for stage, block in own.groupby("stage", sort=False):
        print(f"  {stage}: {covers(block).sum()} of {len(block)} intervals hold the truth")
    print(flush=True)


def check(answers: Mapping[str, Answer]) -> tuple[list[str], bool]:
    """Say whether the sampler converged in every fit, and whether it did."""
    statements, converged = [], True
    for name, answer in answers.items():
        with warnings.catch_warnings():
            # The statement is printed here, whichever way it goes.
            warnings.simplefilter("ignore", sg.errors.ConvergenceWarning)
            result = sg.check_sampling(answer.fit)
        statements.append(f"{WORDS[name][0].upper()}{WORDS[name][1:]}: {result.statement}")
        print(textwrap.fill(statements[-1], 98, initial_indent="  ", subsequent_indent="    "))
        converged = converged and result.converged
    return statements, converged


if __name__ == "__main__":
    sys.exit(main())
