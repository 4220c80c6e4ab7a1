"""What a gradient that is no line costs; writes docs/results/shapes_speed.csv.

Run from the root of the repository, on a machine with nothing else to do (five minutes):

    python benchmarks/shapes.py

England's size, Poisson, NUTS, 4 x 1,000 draws. "first" is the fit that compiles, "further" one of
another outcome on the same table; "cells" are what the compressed likelihood sums over; the columns
after them are seconds of estimands that sum over all areas in 4,000 draws. "load" is the machine's
load average after the row.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import xarray as xr

import socgrad as sg
from socgrad.model.compression import likelihood_data

FILE = Path(__file__).parents[1] / "docs" / "results" / "shapes_speed.csv"
SHAPES = ("line", "tenths", "spline")
OUTCOMES = ("child_protection_plan", "referral")
AUTHORITIES, AREAS = 151, 32_844


def seconds(function: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def timed(frame: pd.DataFrame, shape: str) -> dict[str, object]:
    """One row of the table."""
    models = [
        sg.GradientModel(
            sg.Areas.from_frame(
                frame,
                area="area",
                authority="authority",
                events=events,
                children="children",
                deprivation="deprivation",
                complete=True,
            ),
            shape=shape,
        )
        for events in OUTCOMES
    ]
    fits: list[xr.DataTree] = []
    first, further = (
        seconds(
            lambda m=model: fits.append(sg.fit(m, method="nuts", random_seed=1, progress=False))
        )
        for model in models
    )
    check = sg.check_sampling(fits[0])
    return {
        "shape": shape,
        "areas": len(models[0].areas.area),
        "cells": likelihood_data(models[0]).sizes["counted_cell"],
        "first": first,
        "further": further,
        "smallest_ess": check.table[["ess_bulk", "ess_tail"]].min().min(),
        "largest_rhat": check.table["rhat"].max(),
        "divergences": check.divergences,
        "rate_by_group": seconds(lambda: sg.rates.rate_by_group(fits[0])),
        "sii_by_authority": seconds(lambda: sg.inequality.sii(fits[0], by="authority")),
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Time the shapes asked for, keep the others of an earlier run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SHAPES, default=SHAPES)
    parser.add_argument("--authorities", type=int, default=AUTHORITIES)
    parser.add_argument("--areas", type=int, default=AREAS)
    parser.add_argument("--out", type=Path, default=FILE)
    given = parser.parse_args()
    frame = sg.simulate(authorities=given.authorities, areas=given.areas, random_seed=2019).frame
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sg.errors.ConvergenceWarning)
        table = pd.DataFrame([timed(frame, shape) for shape in given.only])
    if given.out.exists():
        before = pd.read_csv(given.out)
        table = pd.concat([before[~before["shape"].isin(given.only)], table])
    table.round(3).to_csv(given.out, index=False)
    print(table.round(2).to_string(index=False))


if __name__ == "__main__":
    main()
