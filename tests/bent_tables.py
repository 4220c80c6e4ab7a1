"""Simulated tables whose gradient is non-linear, and fits of them."""

import functools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, Priors
from socgrad.ranks import quantile_groups
from socgrad.table.areas import Areas
from tables import simulated, simulated_areas

#: Log rate per squared 10 points of neighbourhood deprivation from the national mean.
BEND = -0.06
#: Log ratio of each tenth of children to the line.
STEPS = (-0.25, 0.0, 0.1, 0.1, 0.1, 0.1, 0.05, 0.0, -0.05, -0.2)
WITHIN, BETWEEN, LEVEL_SD, SLOPE_SD = 0.6, 0.4, 0.2, 0.08

type Truth = Literal["line", "tenths", "parabola"]


@dataclass(frozen=True, eq=False)
class Bent:
    """A table, and what its log rates have that authorities' lines have not."""

    areas: Areas
    bend: np.ndarray


@functools.cache
def bent_table(truth: Truth) -> Bent:
    """Forty authorities of forty areas, whose slopes do not change with authority deprivation."""
    frame = simulated(authorities=40, areas=1600, seed=11).frame.copy()
    rng = np.random.default_rng(12)
    labels = np.array(sorted(frame["authority"].unique()))
    j = np.searchsorted(labels, frame["authority"])
    x, children = (frame[name].to_numpy() for name in ("deprivation", "children"))
    own = np.bincount(j, weights=children * x) / np.bincount(j, weights=children)
    centre = np.average(x, weights=children)
    bend = {
        "line": np.zeros(len(x)),
        "tenths": np.array(STEPS)[quantile_groups(x, children, 10) - 1],
        "parabola": BEND * ((x - centre) / 0.10) ** 2,
    }[truth]
    level = -3.5 + BETWEEN * (own - centre) / 0.10 + LEVEL_SD * rng.standard_normal(len(labels))
    slope = WITHIN + SLOPE_SD * rng.standard_normal(len(labels))
    log_rate = level[j] + slope[j] * (x - own[j]) / 0.10 + bend
    frame["events"] = rng.poisson(children * np.exp(log_rate)).astype(float)
    areas = simulated_areas(frame)
    return Bent(areas, bend[frame.set_index("area").index.get_indexer(areas.area)])


@functools.cache
def bent_fit(
    truth: Truth, shape: str, *, prior_sd: float = 0.2, method: str = "laplace"
) -> xr.DataTree:
    """With a fixed seed."""
    priors = Priors(departure=Normal(0.0, prior_sd))
    model = GradientModel(bent_table(truth).areas, shape=shape, priors=priors)
    return fit(model, method=method, draws=1000, chains=4, random_seed=5, progress=False)


def main() -> None:
    """Write the parabola with the columns of each shape, for `golden/shapes.R`."""
    folder = Path(sys.argv[1])
    areas = bent_table("parabola").areas
    for shape in ("line", "tenths", "spline"):
        model = GradientModel(areas, shape=shape)
        columns = model.designs.departures
        frame = pd.DataFrame(
            {
                "events": areas.events,
                "children": areas.exposure,
                "authority": areas.authority_of_area,
                "w": model.within_part,
                "b": model.between_part[areas.authority_of_area],
            }
            | {f"departure{name}": columns.matrix[:, k] for k, name in enumerate(columns.names)}
        )
        frame.to_csv(folder / f"{shape}.csv", index=False)


if __name__ == "__main__":
    main()
