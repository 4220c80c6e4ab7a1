"""Sixty fits of England's size in turn and on two workers; writes docs/results/many.csv.

Run from the root of the repository, on a machine with nothing else to do (seven minutes):

    python benchmarks/many.py

Four stages of fifteen simulated years, each year a CSV that the worker reads; Poisson, 4 x 1,000
draws, one thread per fit. "sum" adds up the seconds of all steps within fits (table, fit, check,
file) as the workers clocked them, "fit" those of the fit alone; "wall" is from the call of
`fit_many` to its table, the start of the workers included. "speed_up" compares with the fits in
turn. "apart" is the time of the workers that went into no fit (their start, sending, waiting), and
"driver_cpu" the processor seconds of the driver, which holds Dask's scheduler, too; both are shares
of "sum". In turn the driver does the fits, and has no share of its own. "worker_mb" is the largest
memory of a worker.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

import socgrad as sg
from socgrad.many.folder import FitFolder

FILE = Path(__file__).parents[1] / "docs" / "results" / "many.csv"
AUTHORITIES, AREAS, YEARS = 151, 32_844, 15
STAGES = ("referral", "child_in_need_plan", "section_47", "child_protection_plan")


def model_of(year: int, outcome: str, *, folder: str) -> sg.GradientModel:
    """Read a year's table, and state the model of one of its outcomes."""
    areas = sg.Areas.from_frame(
        pd.read_csv(Path(folder) / f"{year}.csv"),
        area="area",
        authority="authority",
        events=outcome,
        children="children",
        deprivation="deprivation",
        complete=True,
    )
    return sg.GradientModel(areas)


@contextmanager
def in_turn(_: int) -> Iterator[None]:
    """No executor."""
    yield None


@contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """A pool of the standard library, of processes that are no copies of this one."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield pool


@contextmanager
def by_loky(workers: int) -> Iterator[Executor]:
    """A pool of loky."""
    import loky

    pool = loky.ProcessPoolExecutor(workers)
    try:
        yield pool
    finally:
        pool.shutdown()


@contextmanager
def by_dask(workers: int) -> Iterator[Executor]:
    """A cluster of Dask on this machine."""
    from distributed import Client, LocalCluster

    given = {"threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(workers, **given) as cluster, Client(cluster) as client:
        yield client.get_executor()


EXECUTORS = {"in turn": in_turn, "processes": processes, "loky": by_loky, "Dask": by_dask}


def timed(name: str, plan: pd.DataFrame, tables: str, workers: int) -> dict[str, object]:
    """Fit the plan into a new folder, and say what it took."""
    make = partial(model_of, folder=tables)
    with tempfile.TemporaryDirectory() as folder:
        start, cpu = time.perf_counter(), time.process_time()
        with EXECUTORS[name](workers) as executor:
            table = sg.many.fit_many(
                plan, model_of=make, into=folder, random_seed=2019, executor=executor, threads=1,
                progress=False,
            )  # fmt: skip
            wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        opened = FitFolder(folder, create=False)
        each = pd.DataFrame([dict(opened.record(key).seconds) for key in table.index])
    taken = float(each.sum(axis=None))
    own = 1 if name == "in turn" else workers
    return {
        "executor": name,
        "workers": own,
        "fits": int(table["state"].eq("fitted").sum()),
        "doubted": int(table["doubted"].sum()),
        "sum": taken,
        **{step: float(each[step].sum()) for step in each},
        "wall": wall,
        "apart": own * wall / taken - 1,
        "driver_cpu": np.nan if name == "in turn" else cpu / taken,
        "worker_mb": float(table["peak_mb"].max()),
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Time the executors asked for, keep the others of an earlier run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=EXECUTORS, default=EXECUTORS)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--years", type=int, default=YEARS)
    parser.add_argument("--authorities", type=int, default=AUTHORITIES)
    parser.add_argument("--areas", type=int, default=AREAS)
    parser.add_argument("--out", type=Path, default=FILE)
    given = parser.parse_args()
    years = range(2008, 2008 + given.years)
    plan = pd.DataFrame(
        [{"year": year, "outcome": outcome} for year in years for outcome in STAGES]
    )
    plan.index = [
        f"{outcome} {year}" for year, outcome in zip(plan["year"], plan["outcome"], strict=True)
    ]
    rows = []
    with tempfile.TemporaryDirectory() as tables:
        for year in years:
            size = {"authorities": given.authorities, "areas": given.areas}
            frame = sg.simulate(random_seed=year, **size).frame
            frame.to_csv(Path(tables) / f"{year}.csv", index=False)
        for name in given.only:
            rows.append(timed(name, plan, tables, given.workers))
            print(pd.DataFrame(rows[-1:]).round(3).to_string(index=False), flush=True)
    table = pd.DataFrame(rows)
    if given.out.exists():
        before = pd.read_csv(given.out)
        table = pd.concat([before[~before["executor"].isin(given.only)], table])
    alone = table.loc[table["executor"] == "in turn", "wall"]
    table["speed_up"] = alone.squeeze() / table["wall"] if len(alone) else np.nan
    table.round(3).to_csv(given.out, index=False)
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
