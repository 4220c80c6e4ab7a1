"""A small simulated table whose authorities lie in regions, and draws of a model of it."""

import dataclasses
import functools

import numpy as np
import xarray as xr

from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, PositiveNormal, Priors
from socgrad.simulation.england import Simulation, simulate
from socgrad.simulation.prior_draws import draw_prior
from socgrad.table.areas import Areas
from tables import TRUTH

#: Narrow, so that draws of the prior look like those of a posterior.
NARROW = Priors(
    intercept=Normal(-4.0, 0.05),
    within=Normal(0.5, 0.05),
    between=Normal(0.3, 0.05),
    cross_level=Normal(-0.05, 0.02),
    level_sd=PositiveNormal(0.25, 0.02),
    slope_sd=PositiveNormal(0.12, 0.02),
    region_sd=PositiveNormal(0.3, 0.03),
)


@functools.cache
def simulated_with_regions(
    authorities: int = 18, areas: int = 360, seed: int = 4, region_sd: float = 0.3
) -> Simulation:
    """One simulated stage named `events`, whose regions differ."""
    truth = dataclasses.replace(TRUTH, region_sd=region_sd)
    return simulate(
        authorities=authorities, areas=areas, stages={"events": truth}, random_seed=seed
    )


def with_regions(simulation: Simulation) -> Areas:
    """Areas of it, all counted."""
    return Areas.from_frame(
        simulation.frame,
        area="area",
        authority="authority",
        events="events",
        children="children",
        deprivation="deprivation",
        region="region",
        complete=True,
    )


@functools.cache
def region_draws() -> xr.DataTree:
    """Four hundred draws of a narrow prior, as a fit with its counts."""
    areas = with_regions(simulated_with_regions())
    tree = draw_prior(GradientModel(areas, regions=True, priors=NARROW), draws=400, random_seed=2)
    tree["observed_data"] = xr.DataTree(
        xr.Dataset(
            {"events": ("counted_area", areas.events.astype(np.int64))},
            coords={"counted_area": areas.area.to_numpy()},
        )
    )
    return tree
