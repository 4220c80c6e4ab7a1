"""Small simulated tables with localities, and fits of them that several test files share."""

import dataclasses
import functools

import pandas as pd
import xarray as xr

from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, PositiveNormal, Priors, rate_ratio
from socgrad.simulation.england import Simulation, simulate
from socgrad.table.areas import Areas
from tables import TRUTH

# Totals carry little on the slopes: their priors say about as much as the literature does.
INFORMED = Priors(
    within=rate_ratio(1.65, interval=(1.5, 1.82)),
    cross_level=Normal(-0.05, 0.05),
    slope_sd=PositiveNormal(0.12, 0.03),
)


@functools.cache
def simulated_with_localities(
    authorities: int = 12, areas: int = 240, seed: int = 3, locality_sd: float = 0.4
) -> Simulation:
    """One simulated stage named `events`, whose localities of five areas differ."""
    truth = dataclasses.replace(TRUTH, locality_sd=locality_sd)
    return simulate(
        authorities=authorities,
        areas=areas,
        stages={"events": truth},
        areas_per_locality=5,
        random_seed=seed,
    )


def with_localities(
    frame: pd.DataFrame, kind: str = "counts", *, covariates: tuple[str, ...] = ()
) -> Areas:
    """Areas of which "counts", "totals", or half and half ("mixture") are known."""
    frame = frame.astype({"events": "float64"})
    sums = frame.groupby("authority")["events"].sum()
    chosen = {"counts": sums.index[:0], "totals": sums.index, "mixture": sums.index[::2]}[kind]
    frame.loc[frame["authority"].isin(chosen), "events"] = float("nan")
    return Areas.from_frame(
        frame,
        area="area",
        authority="authority",
        events=None if kind == "totals" else "events",
        children="children",
        deprivation="deprivation",
        locality="locality",
        totals=sums[chosen].to_dict() if len(chosen) else None,
        covariates=covariates,
        complete=True,
    )


def small_localities(kind: str = "counts") -> Areas:
    """Twelve authorities of four localities on average."""
    return with_localities(simulated_with_localities().frame, kind)


@functools.cache
def locality_fit(kind: str = "counts") -> xr.DataTree:
    """A fit of these by the compile-free engine."""
    model = GradientModel(small_localities(kind), localities=True, priors=INFORMED)
    return fit(model, method="laplace", draws=200, chains=2, random_seed=3)
