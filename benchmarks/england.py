"""How near the simulated England is to the published one; writes docs/results/england.csv.

Run from the root of the repository (half a minute):

    python benchmarks/england.py

Numbers of each stage, shares of categories of abuse, and rates of referrals over neighbourhood
deprivation (finding F1: from 100 per 10,000 children in the least deprived neighbourhoods to over
1,370 in the most deprived): the middle of some seeds, the lowest and the highest.
"""

import argparse
from pathlib import Path

import pandas as pd
from cases import RESULTS

from socgrad.ranks import quantile_groups
from socgrad.simulation.flow import Flow
from socgrad.simulation.flow_simulation import simulate_flow

FILE = RESULTS / "england.csv"

#: Department for Education, Characteristics of children in need 2018 to 2019, England.
NUMBERS = {
    "referral": 650_930,
    "assessment": 644_710,
    "child_in_need": 408_880,
    "child_in_need_plan": 269_100,
    "section_47": 201_170,
    "conference": 77_440,
    "child_protection_plan": 66_680,
    "repeat_plan": 13_870,
    "open_after": 399_510,
    "closed": 362_830,
    "rereferral": 147_150,
}
#: Percent of plans started, by first category of abuse, 2018-19; of children in need at 31 March.
CATEGORIES = {
    "Neglect": 47.6, "Emotional": 35.5, "Physical": 9.0, "Sexual": 4.4, "Multiple": 3.6
}  # fmt: skip
#: Rates of referrals per 10,000 children, least and most deprived (study's briefing).
RANGE = (100.0, 1370.0)


def measured(flow: Flow) -> dict[tuple[str, str], float]:
    """Every quantity of one simulated England."""
    scale = 11_955_000 / flow.frame["children"].sum()  # to England's children of mid-2018
    found = {("number", name): flow.frame[name].sum() * scale for name in NUMBERS}
    plans = flow.referrals[flow.referrals["child_protection_plan"]]
    shares = 100 * plans["category"].value_counts(normalize=True)
    return found | {("percent of plans", name): shares[name] for name in CATEGORIES}


def referral_range(flow: Flow) -> tuple[float, float]:
    """Expected referrals per 10,000 children in the first and the last tenth of neighbourhoods."""
    children = flow.frame["children"]
    tenth = quantile_groups(flow.frame["deprivation"], children, 10)
    events = pd.Series(flow.expected.column("referral")).groupby(tenth).sum()
    rates = 10_000 * (events / children.groupby(tenth).sum()).to_numpy()
    return float(rates[0]), float(rates[-1])


def main() -> None:
    """Simulate, compare, write, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=7, help="how many Englands")
    parser.add_argument("--authorities", type=int, default=150)
    parser.add_argument("--areas", type=int, default=32_844)
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    published = {("number", name): float(value) for name, value in NUMBERS.items()}
    published |= {("percent of plans", name): value for name, value in CATEGORIES.items()}
    found = []
    for seed in range(1, options.seeds + 1):
        one: dict[tuple[str, str], float] = {}
        for bend, words in ((0.0, "log-linear"), (1.0, "bend 1")):
            flow = simulate_flow(
                authorities=options.authorities,
                areas=options.areas,
                bend=bend,
                random_seed=seed,
            )
            one |= measured(flow) if bend == 0 else {}
            for end, value, target in zip(
                ("least", "most"), referral_range(flow), RANGE, strict=True
            ):
                key = (f"referrals per 10,000, {words}", f"{end} deprived tenth")
                one[key], published[key] = value, target
        found.append(one)
        print(f"England {seed} of {options.seeds}", flush=True)
    labels = pd.MultiIndex.from_tuples(list(published), names=["quantity", "of"])
    table = pd.DataFrame([[one[key] for one in found] for key in labels], index=labels)
    summary = pd.DataFrame(
        {
            "published": list(published.values()),
            "simulated": table.median(axis=1),
            "lowest": table.min(axis=1),
            "highest": table.max(axis=1),
        }
    )
    summary["gap_percent"] = 100 * (summary["simulated"] / summary["published"] - 1)
    summary = summary.round(1)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    summary.to_csv(options.out)
    print(summary.to_string())


if __name__ == "__main__":
    main()
