"""How NUTS samples the joint model at England's size; writes docs/results/joint_sampling.csv.

Run from the root of the repository, on a machine with nothing else to do:

    python benchmarks/joint.py                            # all cases, full correlations
    python benchmarks/joint.py --correlations factor

150 authorities, 32,844 areas; 4 chains of 1,000 draws after 1,000 of tuning, two at a time. Every
case runs in a process of its own: "compile" is the time of a first fit of one draw, "seconds" that
of the fit after it, from table to tree.

* common: five strata of 60,000 to 700,000 events; correlations 0.6 of levels, 0.5 of slopes.
* rare: the fifth has some 300 events.
* twelve: strata from 650,000 down to 300 events.
* copies: five common strata whose levels correlate by 0.985 and slopes by 0.97.
* totals: the strata of "common", every authority known by its totals only, with informative priors
  of gradients.
* overdispersed: the strata of "common", areas varying by 40% beyond the model; negative binomial.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats import ess, rhat
from cases import RESULTS

import socgrad as sg
from joint_tables import alike, joint_strata, stage
from socgrad.model.stratified_model import StratifiedModel

FILE = RESULTS / "joint_sampling.csv"
RATES = (431.0, 176.0, 127.0, 40.0, 90.0)
TWELVE = (431.0, 200.0, 127.0, 90.0, 60.0, 40.0, 30.0, 20.0, 10.0, 5.0, 2.0, 0.24)
CASES = {
    "common": (RATES, 0.6, 0.5),
    "rare": ((*RATES[:4], 0.24), 0.6, 0.5),
    "twelve": (TWELVE, 0.6, 0.5),
    "copies": (RATES, 0.985, 0.97),
    "totals": (RATES, 0.6, 0.5),
    "overdispersed": (RATES, 0.6, 0.5),
}
#: What a study of public totals would state beforehand of the gradients.
INFORMED = sg.Priors(
    within=sg.rate_ratio(1.65, interval=(1.5, 1.82)),
    cross_level=sg.Normal(-0.05, 0.05),
    slope_sd=sg.PositiveNormal(0.12, 0.03),
)


def model_of(case: str, correlations: str, *, authorities: int, areas: int) -> StratifiedModel:
    """The simulated strata of a case, and their joint model."""
    rates, level, slope = CASES[case]
    stages = {
        f"stratum {k + 1}": replace(
            stage(rate, within=1.6 + 0.04 * k, level_sd=0.28, slope_sd=0.1 + k / 250),
            overdispersion=0.4 if case == "overdispersed" else 0.0,
        )
        for k, rate in enumerate(rates)
    }
    made = joint_strata(
        stages,
        alike(len(rates), level, slope),
        authorities=authorities,
        areas=areas,
        seed=2019,
        totals="all" if case == "totals" else "none",
    )
    return StratifiedModel(
        made.strata,
        authority_effects="joint",
        correlations=correlations,
        family="negative_binomial" if case == "overdispersed" else "poisson",
        priors=INFORMED if case == "totals" else sg.Priors(),
    )


def worst(draws: xr.DataArray) -> tuple[float, float]:
    """Smallest effective size and largest R-hat of an array of draws; of correlations, below 1."""
    values = draws.transpose("chain", "draw", ...).to_numpy()
    values = values.reshape(*values.shape[:2], -1)
    values = values[:, :, values.std(axis=(0, 1)) > 1e-12]
    data = xr.Dataset({"x": (("chain", "draw", "entry"), values)})
    return float(ess(data)["x"].min()), float(rhat(data)["x"].max())


def measured(case: str, correlations: str, *, authorities: int, areas: int) -> dict[str, object]:
    """One row of the table."""
    model = model_of(case, correlations, authorities=authorities, areas=areas)
    events = [
        float(np.nansum([*one.areas.events, *one.areas.total_events]))
        for one in model.models.values()
    ]
    options = {"method": "nuts", "chains": 4, "cores": 2, "random_seed": 1, "progress": False}
    begin = time.perf_counter()
    sg.fit(model, draws=1, tune=1, **options)
    compiled = time.perf_counter()
    cpu = time.process_time()
    tree = sg.fit(model, draws=1000, tune=1000, **options)
    seconds = time.perf_counter() - compiled
    cpu = time.process_time() - cpu
    posterior, statistics = (tree[name].to_dataset() for name in ("posterior", "sample_stats"))
    found = {str(name): worst(draws) for name, draws in posterior.data_vars.items()}
    sizes = {name: size for name, (size, _) in found.items()}
    least = min(sizes, key=sizes.__getitem__)
    return {
        "case": case,
        "correlations": correlations,
        "strata": len(model.strata),
        "events": f"{min(events):.0f} to {max(events):.0f}",
        "compile": compiled - begin,
        "seconds": seconds,
        "cpu": cpu,
        "divergences": int(statistics["diverging"].sum()),
        "rhat": max(r for _, r in found.values()),
        "ess": sizes[least],
        "ess_of": least,
        "ess_correlations": min(v for n, v in sizes.items() if n.endswith("_correlation")),
        "steps": float(statistics["n_steps"].mean()),
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Run the cases, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--correlations", default="full", choices=("full", "factor"))
    parser.add_argument("--authorities", type=int, default=150)
    parser.add_argument("--areas", type=int, default=32_844)
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    size = {"authorities": arguments.authorities, "areas": arguments.areas}
    if arguments.child:
        warnings.simplefilter("ignore")
        print(json.dumps(measured(arguments.only[0], arguments.correlations, **size)))
        return
    key = ["case", "correlations"]
    for case in arguments.only:
        command = [sys.executable, __file__, "--child", "--only", case]
        command += ["--correlations", arguments.correlations]
        command += [item for name, value in size.items() for item in (f"--{name}", str(value))]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        row = pd.DataFrame([json.loads(printed.strip().splitlines()[-1])])
        print(row.round(3).T.to_string(header=False), "\n", flush=True)
        if arguments.out.exists():
            before = pd.read_csv(arguments.out)
            row = pd.concat([before[(before[key] != row[key].iloc[0]).any(axis=1)], row])
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        row.round(4).to_csv(arguments.out, index=False)


if __name__ == "__main__":
    main()
