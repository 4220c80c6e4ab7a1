"""Sampled fits that several tests share: compiling their graphs is what costs."""

import functools
from dataclasses import dataclass

import xarray as xr

from locality_tables import INFORMED, simulated_with_localities, with_localities
from region_tables import simulated_with_regions, with_regions
from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Priors
from socgrad.simulation.england import Simulation
from tables import areas_of, simulated

#: Their density is written out, so NUTS compiles once for all of them.
WRITTEN_OUT = (
    "poisson counts",
    "negative_binomial counts",
    "poisson totals",
    "poisson mixture",
)
#: What NUTS samples by its graph alone.
IN_GRAPHS = ("localities mixture", "regions counts")
KINDS = (*WRITTEN_OUT, *IN_GRAPHS)


@dataclass(frozen=True, eq=False)
class Sampled:
    """A simulated table, the model of it and its sampled posterior."""

    simulation: Simulation
    model: GradientModel
    tree: xr.DataTree


@functools.cache
def sampled(kind: str, method: str | None = None) -> Sampled:
    """Forty authorities of about forty areas, with a fixed seed.

    By NUTS where the density is written out, else by the default engine: a graph takes a minute.
    """
    if method is None:
        return sampled(kind, "nuts" if kind in WRITTEN_OUT else "laplace")
    family, known = kind.split()
    if family == "localities":
        simulation = simulated_with_localities(authorities=40, areas=1600, seed=11)
        areas = with_localities(simulation.frame, known)
        model = GradientModel(areas, localities=True, priors=INFORMED)
        return _of(simulation, model, method)
    if family == "regions":
        simulation = simulated_with_regions(authorities=60, areas=1800, seed=12)
        return _of(simulation, GradientModel(with_regions(simulation), regions=True), method)
    spread = 0.4 if family == "negative_binomial" else 0.0
    simulation = simulated(authorities=40, areas=1600, seed=11, overdispersion=spread)
    priors = Priors() if known == "counts" else INFORMED
    model = GradientModel(areas_of(simulation, known), family=family, priors=priors)
    return _of(simulation, model, method)


def _of(simulation: Simulation, model: GradientModel, method: str) -> Sampled:
    tune = {"tune": 1000} if method == "nuts" else {}
    tree = fit(model, method=method, draws=1000, **tune, chains=4, random_seed=5, progress=False)
    return Sampled(simulation, model, tree)
