"""Plans of many small fits; at the top of a module, so that workers can import what makes them."""

import functools
import json
import os
import signal
from pathlib import Path

import pandas as pd
import xarray as xr

from socgrad.model.gradient_model import GradientModel
from socgrad.reading.example import example_fit
from tables import areas_of, simulated

#: Small enough to be fitted in a tenth of a second, where the machine is idle.
QUICK = {"method": "laplace", "draws": 300, "chains": 2}


@functools.cache
def model_of(number: int) -> GradientModel:
    """The model of a table of six authorities, another for every number."""
    return GradientModel(areas_of(simulated(authorities=6, areas=120, seed=number), "counts"))


def plan_of(*keys: str) -> pd.DataFrame:
    """A table of one fit for each name, numbered."""
    return pd.DataFrame({"number": range(1, len(keys) + 1)}, index=list(keys))


def killed_once(number: int, *, marker: str, kill: int | None = None) -> GradientModel:
    """As `model_of`; the second ends a process, its own or another, where no file says it did."""
    if number == 2 and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid() if kill is None else kill, signal.SIGKILL)
    return model_of(number)


def quick_fit() -> xr.DataTree:
    """The example fit, with what `fit` records of its sampler."""
    tree = example_fit()
    tree.attrs["sampler"] = json.dumps({"name": "none"})
    return tree


class Converged:
    """What `check_sampling` says of a fit that nobody doubts."""

    converged = True
