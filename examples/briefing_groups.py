"""Findings F6-F8 of `briefing.py`: groups of children, and what follows intervention."""

from collections.abc import Sequence

import pandas as pd

import briefing_truth as true
import socgrad as sg
from briefing_stages import at_equal_deprivation
from briefing_tables import Answer, Finding, change, in_blocks, lower, per_stratum, rows
from socgrad.simulation.flow import Flow

__all__ = ["involvement_and_returns", "returns_at_equal_deprivation", "steepest_groups"]

#: Heading of the block of each kind of group.
GROUP_WORDS = {
    "age": "Referrals by age",
    "ethnicity": "Referrals by ethnicity",
    "need": "Episodes of need by assessed need",
    "category": "Child protection plans by category of abuse",
}

#: Which rate a gradient is of.
RETURN_WORDS = {
    "Closures": "Closures, per month open",
    "Re-referrals": "Re-referrals within 12 months, of closed cases",
    "Repeat plans": "Repeat plans, of plans started",
}


def steepest_groups(groups: Sequence[Answer], flow: Flow) -> Finding:
    """F6: gradients by age, ethnicity, need and category of abuse."""
    average = flow.national_mean
    tables, steepest = [], []
    for answer in groups:
        block = per_stratum(
            answer,
            ["Gradient"],
            sg.gradient(answer.fit),
            lambda outcome: [true.gradient_at(flow, outcome, average)],
        )
        by = next(iter(answer.outcomes.values())).by or ""
        block["quantity"] = block["stage"]
        tables.append(block.assign(stage=GROUP_WORDS[by]))
        tables.append(_ratios(answer, block, GROUP_WORDS[by]))
        top = int(block["estimate"].argmax())
        name = lower(block["quantity"].iloc[top], keep=by)
        steepest.append(f"{name} ({block['estimate'].iloc[top]:.2f})")
    return Finding(
        "F6",
        "Gradients are steepest for younger children, White children and neglect.",
        "Rate ratio per 10 points of neighbourhood deprivation, average authority.",
        f"The steepest gradients are those of {', '.join(steepest[:-1])} and, among plans by "
        f"category of abuse, {steepest[-1]}.",
        pd.concat(tables, ignore_index=True),
    )


def _ratios(answer: Answer, gradients: pd.DataFrame, words: str) -> pd.DataFrame:
    """Each group's gradient over that of the first group."""
    first, *others = answer.strata
    truth = gradients["truth"].to_numpy()
    return rows(
        f"Ratios of gradients: {words[0].lower()}{words[1:]}",
        [f"{answer.names[one]} over {answer.names[first]}" for one in others],
        sg.compare_gradients(answer.fit),
        (truth[1:] / truth[0]).tolist(),
    )


def involvement_and_returns(returns: Answer, flow: Flow) -> Finding:
    """F7: closures, durations, re-referrals and repeat plans."""
    average = flow.national_mean
    draws = sg.gradient(returns.fit)
    table = per_stratum(
        returns, ["Gradient"], draws, lambda outcome: [true.gradient_at(flow, outcome, average)]
    )
    closing = draws.sel(stratum="closed").drop_vars("stratum")
    longer = sg.stages.duration_ratio(closing)
    truth = 1 / true.gradient_at(flow, returns.outcomes["closed"], average)
    table["quantity"] = table["stage"].map(RETURN_WORDS)
    table = pd.concat(
        [
            table,
            rows(
                returns.names["closed"],
                ["Mean duration, at a constant closing rate"],
                longer,
                [truth],
            ),
        ]
    )
    table = in_blocks(table, returns)
    # Closures, durations, re-referrals, repeat plans.
    longer_row, again = table.iloc[1], table.iloc[2]
    return Finding(
        "F7",
        "Children from deprived neighbourhoods have longer involvement, and return more often.",
        "Rate ratio per 10 points of neighbourhood deprivation, average authority.",
        "Per 10 points of neighbourhood deprivation, cases stay open "
        f"{change(longer_row, 'longer', 'shorter')}, and {change(again, 'more', 'fewer')} of the "
        "closed cases are referred again within twelve months.",
        table,
    )


def returns_at_equal_deprivation(returns: Answer, flow: Flow) -> Finding:
    """F8: re-referrals and repeat plans at equal neighbourhood deprivation."""
    table = at_equal_deprivation(returns, flow)
    table = table[table["stage"] != returns.names["closed"]].reset_index(drop=True)
    again, plans = (
        table[table["stage"] == returns.names[name]].iloc[1]
        for name in ("rereferral", "repeat_plan")
    )
    return Finding(
        "F8",
        "At equal neighbourhood deprivation, returns are most frequent in affluent authorities.",
        "Rate ratio of the more over the less deprived authority; below 1: more frequent in\n"
        "affluent ones. Places and pairs of authorities as in F4.",
        "At equal neighbourhood deprivation (the national middle), in the authority that is 10 "
        f"points more deprived re-referrals are {change(again, 'more frequent', 'less frequent')} "
        f"and repeat plans {change(plans, 'more frequent', 'less frequent')}.",
        table,
    )
