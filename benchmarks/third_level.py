"""What localities cost at England's size, integrated out or sampled: docs/results/third_level.csv.

Run from the root of the repository, on a machine with nothing else to do:

    python benchmarks/third_level.py
    python benchmarks/third_level.py --only "gamma, laplace" --areas 3000 --authorities 20

150 authorities, 32,844 areas in 6,569 localities whose rates differ by a coefficient of 0.25, some
66,000 events. Every case runs in a process of its own:

* "none, laplace": without localities.
* "gamma, laplace" and "gamma, nuts": a gamma factor of each, integrated out (`localities=True`).
* "normal, nuts": a normal intercept of each, added to `pymc_model` as a term of one's own and
  sampled: 6,569 effects more, non-centred as textbooks write them.

Columns: seconds of the fit, compiling included (and those of compiling), processor seconds, peak
memory in MB, numbers kept per draw, gradients, smallest effective size of the parameters, and the
estimates that all should share. The mean of a log-normal factor is not 1 but exp(sd**2 / 2), so
its intercept lies sd**2 / 2 lower.
"""

import argparse
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats import ess
from cases import RESULTS

import socgrad as sg
from socgrad.model.compression import likelihood_data
from socgrad.peak_memory import peak_memory

FILE = RESULTS / "third_level.csv"
CASES = ("none, laplace", "gamma, laplace", "gamma, nuts", "normal, nuts")
SHARED = ("intercept", "within", "between", "cross_level", "level_sd", "slope_sd", "locality_sd")
TRUTH = sg.Truth(
    intercept=-5.5,
    within=0.5,
    between=0.3,
    cross_level=-0.05,
    level_sd=0.3,
    slope_sd=0.12,
    correlation=-0.2,
    locality_sd=0.25,
)


def areas_of(*, authorities: int, areas: int) -> sg.Areas:
    """A simulated England whose localities differ."""
    frame = sg.simulate(
        stages={"events": TRUTH},
        authorities=authorities,
        areas=areas,
        areas_per_locality=5,
        random_seed=3,
    ).frame
    return sg.Areas.from_frame(
        frame,
        area="area",
        authority="authority",
        events="events",
        children="children",
        deprivation="deprivation",
        locality="locality",
        complete=True,
    )


def with_normal_intercepts(areas: sg.Areas) -> Any:
    """Build the model of areas alone, and give each locality a normal intercept in it.

    The graph's own density holds -E_m for the expected events of each locality; an intercept u_m
    makes that Y_m u_m - exp(u_m) E_m.
    """
    import pymc as pm
    import pytensor.tensor as pt

    data = likelihood_data(sg.GradientModel(areas, localities=True))
    events, of, within, exposure = (
        data[f"locality_{name}"].to_numpy()
        for name in ("events", "authority", "node_within", "node_exposure")
    )
    with sg.pymc_model(sg.GradientModel(areas)) as graph:
        b = graph["between_part"]
        level = graph["intercept"] + graph["between"] * b + graph["level_effect"]
        slope = graph["within"] + graph["cross_level"] * b + graph["slope_effect"]
        sd = pm.HalfNormal("locality_sd", 0.5)
        raw = pm.Normal("locality_raw", size=len(events))
        u = sd * raw
        rates = pt.exp(level[of][:, None] + slope[of][:, None] * within)
        expected = (exposure * rates).sum(axis=1)
        pm.Potential("localities", (events * u - pt.expm1(u) * expected).sum())
    return graph


def sampled(graph: Any, *, draws: int, tune: int, chains: int) -> tuple[xr.DataTree, float]:
    """Draws by nutpie, as `socgrad.fit` makes them, and the seconds that compiling took."""
    import nutpie

    begin = time.perf_counter()
    compiled = nutpie.compile_pymc_model(
        graph, var_names=["locality_raw", "correlation", "level_effect", "slope_effect", *SHARED]
    )
    seconds = time.perf_counter() - begin
    tree = nutpie.sample(
        compiled,
        draws=draws,
        tune=tune,
        chains=chains,
        cores=2,
        seed=1,
        target_accept=0.95,
        progress_bar=False,
        save_warmup=False,
    )
    return tree, seconds


def measured(case: str, *, authorities: int, areas: int, draws: int, chains: int) -> dict[str, Any]:
    """One row of the table."""
    table = areas_of(authorities=authorities, areas=areas)
    kind, engine = case.split(", ")
    begin, cpu = time.perf_counter(), time.process_time()
    compiling = 0.0
    if kind == "normal":
        fit, compiling = sampled(
            with_normal_intercepts(table), draws=draws, tune=500, chains=chains
        )
    else:
        model = sg.GradientModel(table, localities=kind == "gamma")
        if engine == "nuts":
            sg.fit(model, method="nuts", draws=1, tune=1, chains=1, random_seed=1, progress=False)
            compiling = time.perf_counter() - begin
        options = {"progress": False} if engine == "nuts" else {}
        fit = sg.fit(model, method=engine, draws=draws, chains=chains, random_seed=1, **options)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    posterior = fit["posterior"].to_dataset()
    names = [name for name in SHARED if name in posterior]
    steps = fit["sample_stats"].to_dataset().get("n_steps")
    size = float(min(ess(posterior[names]).to_array()))
    return {
        "case": case,
        "localities": len(table.locality),
        "events": int(table.events.sum()),
        "draws": draws * chains,
        "seconds": seconds,
        "compile": compiling,
        "cpu": cpu,
        "peak_mb": peak_memory(),
        "numbers_per_draw": int(sum(v[..., 0, 0].size for v in _last(posterior))),
        "steps": float("nan") if steps is None else float(steps.mean()),
        "ess": min(size, fit.attrs.get("importance_ess", np.inf)),
        **{name: float(posterior[name].mean()) for name in names},
        **{f"{name}_sd": float(posterior[name].std()) for name in ("within", "cross_level")},
    }


def _last(posterior: xr.Dataset) -> list[xr.DataArray]:
    """Draws with chain and draw last."""
    return [value.transpose(..., "chain", "draw") for value in posterior.data_vars.values()]


def main() -> None:
    """Run the cases, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--authorities", type=int, default=150)
    parser.add_argument("--areas", type=int, default=32_844)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--chains", type=int, default=4)
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    size = {name: getattr(arguments, name) for name in ("authorities", "areas", "draws", "chains")}
    if arguments.child:
        warnings.simplefilter("ignore")
        print(json.dumps(measured(arguments.only[0], **size)))
        return
    for case in arguments.only:
        command = [sys.executable, __file__, "--child", "--only", case]
        command += [item for name, value in size.items() for item in (f"--{name}", str(value))]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        row = pd.DataFrame([json.loads(printed.strip().splitlines()[-1])])
        print(row.round(3).T.to_string(header=False), "\n", flush=True)
        if arguments.out.exists():
            before = pd.read_csv(arguments.out)
            row = pd.concat([before[before["case"] != case], row])
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        row.round(4).to_csv(arguments.out, index=False)


if __name__ == "__main__":
    main()
