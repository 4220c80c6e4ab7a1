"""Small simulated tables that several test files share."""

import dataclasses
import functools
from collections.abc import Sequence

import pandas as pd

from socgrad.simulation.england import Simulation, simulate
from socgrad.simulation.truth import Truth
from socgrad.table.areas import Areas

TRUTH = Truth(
    intercept=-4.0,
    within=0.5,
    between=0.3,
    curvature=0.0,
    cross_level=-0.05,
    level_sd=0.3,
    slope_sd=0.12,
    correlation=-0.2,
    overdispersion=0.0,
)


@functools.cache
def simulated(
    authorities: int = 12, areas: int = 240, seed: int = 3, **changes: float
) -> Simulation:
    """One simulated stage named `events`; `changes` replace parameters of the truth."""
    truth = dataclasses.replace(TRUTH, **changes)
    return simulate(
        authorities=authorities, areas=areas, stages={"events": truth}, random_seed=seed
    )


def simulated_areas(
    frame: pd.DataFrame,
    *,
    totals: dict[str, float] | None = None,
    missing_events: str = "refuse",
    per: float = 0.10,
    covariates: Sequence[str] = (),
) -> Areas:
    """Areas of a simulated frame; authorities in `totals` are known only by their total."""
    frame = frame.astype({"events": "float64"})
    if totals is not None:
        frame.loc[frame["authority"].isin(list(totals)), "events"] = float("nan")
    return Areas.from_frame(
        frame,
        area="area",
        authority="authority",
        events="events" if frame["events"].notna().any() else None,
        children="children",
        deprivation="deprivation",
        totals=totals,
        missing_events=missing_events,
        per=per,
        covariates=covariates,
        complete=True,
    )


def small_areas(kind: str = "counts", **changes: float) -> Areas:
    """Twelve authorities: all with counts, all with totals, or half and half ("mixture")."""
    return areas_of(simulated(**changes), kind)


def areas_of(simulation: Simulation, kind: str) -> Areas:
    """Areas of a simulation of which "counts", "totals", or half and half ("mixture") are known."""
    frame = simulation.frame
    sums = frame.groupby("authority")["events"].sum().astype(float)
    chosen = {"counts": sums.index[:0], "totals": sums.index, "mixture": sums.index[::2]}[kind]
    return simulated_areas(frame, totals=sums[chosen].to_dict() if len(chosen) else None)
