"""Simulated panels that the tests of years share."""

import functools

from socgrad.model.drift import Drift, National
from socgrad.model.stratified_model import StratifiedModel
from socgrad.simulation.truth import Truth
from socgrad.simulation.years import DriftTruth, YearsSimulation, simulate
from socgrad.table.panel import Panel

TRUTH = Truth(
    intercept=-3.2,
    within=0.55,
    between=0.25,
    cross_level=-0.05,
    level_sd=0.25,
    slope_sd=0.10,
    correlation=-0.2,
)


def panel_of(simulation: YearsSimulation, **options) -> Panel:
    """The panel of a simulated table."""
    return Panel.from_frame(
        simulation.frame,
        year="year",
        area="area",
        authority="authority",
        deprivation="deprivation",
        children="children",
        **({"events": "events", "complete": True} | options),
    )


@functools.cache
def small() -> tuple[YearsSimulation, Panel]:
    """Four years of 12 authorities whose mean deprivation moves."""
    made = simulate(
        years=range(2018, 2022),
        truth=TRUTH,
        mean_step_sd=0.01,
        authorities=12,
        areas=240,
        random_seed=4,
    )
    return made, panel_of(made)


@functools.cache
def drifting() -> tuple[YearsSimulation, Panel]:
    """Six years of 80 authorities: a rising rate, gradients that become flatter, a random walk."""
    made = simulate(
        years=range(2014, 2020),
        truth=TRUTH,
        a_year={"intercept": 0.03, "within": -0.02, "between": 0.01},
        drift=DriftTruth(form="random walk", level_sd=0.08, slope_sd=0.03),
        mean_step_sd=0.004,
        authorities=80,
        areas=3200,
        random_seed=9,
    )
    return made, panel_of(made)


def walking(panel: Panel) -> StratifiedModel:
    """Authorities on random walks, national coefficients tied by another."""
    drift = Drift(levels="random walk", slopes="random walk")
    return StratifiedModel(panel, authority_effects=drift, national=National())
