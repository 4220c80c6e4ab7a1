"""Sampled fits that several test files share: compiling their graphs is what costs."""

import functools
from dataclasses import dataclass

import xarray as xr

from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, PositiveNormal, Priors, rate_ratio
from socgrad.simulation.england import Simulation
from tables import areas_of, simulated

# Totals carry little on the slopes: their priors say about as much as the literature does.
INFORMED = Priors(
    within=rate_ratio(1.65, interval=(1.5, 1.82)),
    cross_level=Normal(-0.05, 0.05),
    slope_sd=PositiveNormal(0.12, 0.03),
)

KINDS = ("poisson counts", "negative_binomial counts", "poisson totals", "poisson mixture")


@dataclass(frozen=True, eq=False)
class Sampled:
    """A simulated table, the model of it and its sampled posterior."""

    simulation: Simulation
    model: GradientModel
    tree: xr.DataTree


@functools.cache
def sampled(kind: str) -> Sampled:
    """Forty authorities of about forty areas, sampled by NUTS with a fixed seed."""
    family, known = kind.split()
    spread = 0.4 if family == "negative_binomial" else 0.0
    simulation = simulated(authorities=40, areas=1600, seed=11, overdispersion=spread)
    priors = Priors() if known == "counts" else INFORMED
    model = GradientModel(areas_of(simulation, known), family=family, priors=priors)
    tree = fit(model, method="nuts", draws=1000, tune=1000, chains=4, random_seed=5, progress=False)
    return Sampled(simulation, model, tree)
