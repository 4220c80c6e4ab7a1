"""A coherent England: children flow through the stages, and cases close and come back."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from socgrad.errors import SpecificationError
from socgrad.simulation.cases import Cases, draw_closures, draw_episodes, draw_new, draw_stages
from socgrad.simulation.expected import Expected
from socgrad.simulation.flow import OUTCOMES, SOURCES, Flow, count
from socgrad.simulation.flow_lines import Effects, calibrated_lines, correlations, drawn_lines
from socgrad.simulation.geography import Sizes, area_counts, simulated_areas
from socgrad.simulation.groups import AGES, ETHNICITIES, GROUPS, NEEDS, children_by_group
from socgrad.simulation.parts import parts_of
from socgrad.simulation.pathway import PATHWAY, RETURNS, Return, Step

__all__ = ["simulate_flow"]


def simulate_flow(
    *,
    pathway: Mapping[str, Step] = PATHWAY,
    returns: Mapping[str, Return] = RETURNS,
    groups: bool = True,
    bend: float = 0.0,
    effects: Effects = "random",
    authorities: int = 150,
    areas: int = 32_844,
    sizes: Sizes = "unequal",
    authority_mean: float = 0.180,
    authority_sd: float = 0.060,
    within_sd: float = 0.108,
    per: float = 0.10,
    random_seed: int,
) -> Flow:
    """Simulate a year of an England whose children flow through the stages, with its truth.

    Parameters
    ----------
    pathway, returns
        Stages, and what follows closed cases, plans and months open: `PATHWAY` and `RETURNS`, or
        the same names with other numbers.
    groups
        Whether gradients and rates differ by age, ethnicity and need.
    bend
        How far log rates bend over neighbourhood deprivation, 0 or more: see Notes.
    effects
        "random": of authorities drawn from all that could be, as the model has it, so that the
        average of those drawn departs from the truth by luck, the same luck in all stages.
        "centred": these authorities' effects have mean 0 and do not go with their deprivation, so
        that the truth is that of this England; intervals, which allow for other authorities, then
        hold it more often than they say.
    authorities, areas, sizes, authority_mean, authority_sd, within_sd, per
        As in `simulate`; with the same seed, the areas are the same.
    random_seed
        Whole number, 0 or more.

    Returns
    -------
    Flow
        The table of areas, tables by group on request, single cases, and the truth.

    Raises
    ------
    SpecificationError
        If a number is outside its range or a stage is missing or out of place.

    Notes
    -----
    Over all children, rates of area i in authority j are, with w the within part of deprivation x,
    in steps, and c its national mean::

        log rate_i = level_j + slope_j w_i + bend g(x_i)
        g(x) = log(x / c) - (x - c) / c,  below 0 except at c

    Every case has an age, an ethnicity and a need, which divide this number: a group's rate per
    child is relative to the others' ``exp(group level + group slope X)`` with X = (x - c) / step.
    Each case of a stage goes on to the next with the ratio of the two rates of its group as its
    probability. Cases of need open as the stages
    say and close at a constant rate per month; those open when the year begins are as many as a
    steady state has. A case closed in the year before comes back with a probability of its own,
    and is then one of the referrals. So the table adds up: open before, plus started, less closed,
    is open after.

    Intercepts are such that expected events (with these authorities' effects) are the published
    rate. With a bend, gradients and contextual effects of the lines are set such that their
    projection is what the `Step` says (see `Flow.truth_of`).

    Examples
    --------
    >>> import socgrad as sg
    >>> flow = sg.stages.simulate_flow(authorities=10, areas=300, random_seed=2019)
    >>> bool((flow.frame["section_47"] <= flow.frame["child_in_need"]).all())
    True
    >>> flow.truth.loc[["referral", "child_protection_plan"], "within"].round(3).tolist()
    [0.482, 0.588]
    >>> flow.long("age").columns[4:7].tolist()
    ['children', 'age', 'group_children']
    """
    _check(pathway, returns, bend, effects)
    geography, people, events = (
        np.random.default_rng([random_seed, stream]) for stream in (0, 3, 4)
    )
    frame = simulated_areas(
        area_counts(sizes, authorities=authorities, areas=areas),
        authority_mean=authority_mean,
        authority_sd=authority_sd,
        within_sd=within_sd,
        rng=geography,
    )
    parts = parts_of(frame, per)
    children = children_by_group(
        frame["children"].to_numpy(), parts.steps, parts.authority_of_area, people
    )
    relative = frame["deprivation"].to_numpy() / parts.national_mean
    expected = Expected(
        parts=parts,
        children=children,
        relief=np.exp(bend * (np.log(relative) - (relative - 1))),
        previous={name: step.of for name, step in pathway.items()},
        stages=drawn_lines(pathway, parts, random_seed, effects=effects),
        returns=drawn_lines(returns, parts, random_seed, effects=effects),
        grouped=groups,
    )
    expected = calibrated_lines(expected, pathway, returns)

    closures, back = draw_closures(expected, events)
    referrals = draw_new(expected, events).with_more(closures.keep(back))
    reached, category, capped = draw_stages(expected, referrals, events)
    episodes = draw_episodes(expected, referrals.keep(reached["child_in_need"]), events)
    tables = {
        "referrals": _table(referrals, frame).assign(
            category=pd.Categorical.from_codes(category, pd.Index(GROUPS["category"])), **reached
        ),
        "closures": _table(closures, frame).assign(closed_last_year=True, rereferral=back),
        "episodes": _table(episodes.cases, frame).assign(
            open_before=episodes.open_before,
            months_open=episodes.months_open,
            closed=episodes.closed,
            open_after=~episodes.closed,
        ),
    }
    for name, source in SOURCES.items():
        code = tables[source]["area"].cat.codes.to_numpy().astype(np.int64)
        frame[name] = count(tables[source], name, code, len(frame))
    flow = Flow(
        frame=frame,
        **tables,
        truth=pd.DataFrame(),
        effects=pd.DataFrame(),
        expected=expected,
        correlations=correlations(pathway),
        capped=capped,
        national_mean=parts.national_mean,
        per=per,
        random_seed=random_seed,
    )
    truths = [flow.truth_of(name, exposure=exposure) for name, exposure in OUTCOMES.items()]
    own = [
        flow.effects_of(name, exposure=exposure).assign(stage=name)
        for name, exposure in OUTCOMES.items()
    ]
    truth = pd.concat(truths).rename_axis("stage")
    truth.insert(0, "exposure", list(OUTCOMES.values()))
    return replace(flow, truth=truth, effects=pd.concat(own, ignore_index=True))


def _check(
    pathway: Mapping[str, Step], returns: Mapping[str, Return], bend: float, effects: str
) -> None:
    """Refuse other stages than the simulation knows what to do with."""
    places = {name: step.of for name, step in pathway.items()}
    if places != {name: step.of for name, step in PATHWAY.items()} or list(places) != list(PATHWAY):
        raise SpecificationError(
            f"pathway has the stages {', '.join(pathway)}. Expected those of PATHWAY, in its order "
            f"and each with its own `of`: {', '.join(PATHWAY)}."
        )
    if list(returns) != list(RETURNS):
        raise SpecificationError(
            f"returns has {', '.join(returns)}. Expected {', '.join(RETURNS)}, in this order."
        )
    if effects not in ("random", "centred"):
        raise SpecificationError(f"effects is {effects!r}. Expected 'random' or 'centred'.")
    if not (np.isfinite(bend) and bend >= 0):
        raise SpecificationError(f"bend is {bend}. Expected a number of 0 or more.")


def _table(cases: Cases, frame: pd.DataFrame) -> pd.DataFrame:
    """One row per case, with labels."""
    groups = {"age": AGES, "ethnicity": ETHNICITIES, "need": NEEDS}
    labels = {"area": pd.Index(frame["area"])} | {name: pd.Index(g) for name, g in groups.items()}
    return pd.DataFrame(
        {
            name: pd.Categorical.from_codes(getattr(cases, name), labels[name])
            for name in ("area", *groups)
        }
    )
