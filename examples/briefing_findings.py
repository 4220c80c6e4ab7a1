"""The findings F1-F8 of the briefing, each a table: estimate, 95% interval, and the truth.

Every finding is read from fits through `socgrad`'s estimands alone. For a table of your own, leave
the column `truth` out.
"""

from collections.abc import Mapping

import pandas as pd

import briefing_groups as groups
import briefing_stages as stages
import briefing_truth as true
import socgrad as sg
from briefing_tables import Answer, Finding, per_stratum
from socgrad.simulation.flow import Flow

__all__ = ["findings", "own_gradients"]


def findings(answers: Mapping[str, Answer], flow: Flow) -> list[Finding]:
    """Compute every finding."""
    every, chain, returns = answers["stages"], answers["chain"], answers["returns"]
    grouped = [answers[name] for name in ("age", "ethnicity", "need", "category")]
    return [
        stages.rates(every, flow),
        stages.gradients_by_stage(every, chain, flow),
        stages.between_authorities(every, flow),
        stages.inverse_intervention(every, flow),
        stages.steepening(every, flow),
        groups.steepest_groups(grouped, flow),
        groups.involvement_and_returns(returns, flow),
        groups.returns_at_equal_deprivation(returns, flow),
    ]


def own_gradients(answer: Answer, flow: Flow) -> pd.DataFrame:
    """Each authority's own gradient at each stage, with the truth."""
    own = sg.gradient(answer.fit, target="each")
    labels = own["authority"].to_numpy().tolist()
    table = per_stratum(
        answer,
        labels,
        own,
        lambda outcome: true.own_gradients(flow, outcome).loc[labels].tolist(),
    )
    return table.rename(columns={"quantity": "authority"})
