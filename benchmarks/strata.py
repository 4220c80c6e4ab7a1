"""How long independent fits of many strata take; writes docs/results/strata_speed.csv.

Run from the root of the repository, on a machine with nothing else to do (two minutes):

    python benchmarks/strata.py

England's size, by default twenty strata, Poisson, 4 x 1,000 draws. "first" is a fit of two strata,
which compiles (NUTS) or imports; "all" the fit of all strata after it, from the checked table to
the joined tree; "each" the same per stratum. "all_cpu" are processor seconds, which a busy machine
disturbs less.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

import socgrad as sg

FILE = Path(__file__).parents[1] / "docs" / "results" / "strata_speed.csv"
ENGINES = ("laplace", "nuts")
AUTHORITIES, AREAS = 151, 32_844


def strata_of(number: int, authorities: int, areas: int) -> sg.Strata:
    """Thin the referrals of a simulated England to ever rarer groups, children shared out alike."""
    frame = sg.simulate(authorities=authorities, areas=areas, random_seed=2019).frame
    rng = np.random.default_rng(1)
    shares = np.linspace(0.4, 0.05, number)
    columns = {f"group {k + 1}": rng.binomial(frame["referral"], s) for k, s in enumerate(shares)}
    return sg.Strata.from_stages(
        frame.assign(**columns),
        area="area",
        authority="authority",
        deprivation="deprivation",
        children="children",
        stages=list(columns),
        nested=False,
        complete=True,
    )


def timed(strata: sg.Strata, engine: str) -> dict[str, object]:
    """Seconds of a first fit of two strata, and of all strata after it."""
    few = sg.Strata(tables={label: strata[label] for label in strata.labels[:2]})
    start = time.perf_counter()
    sg.fit(sg.StratifiedModel(few), method=engine, random_seed=1, **quiet(engine))
    first = time.perf_counter() - start
    model = sg.StratifiedModel(strata)
    start, cpu = time.perf_counter(), time.process_time()
    tree = sg.fit(model, method=engine, random_seed=2, **quiet(engine))
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    check = sg.check_sampling(tree)
    return {
        "engine": engine,
        "strata": len(strata),
        "areas": len(strata.first.area),
        "first": first,
        "all": seconds,
        "each": seconds / len(strata),
        "all_cpu": cpu,
        "smallest_ess": check.table[["ess_bulk", "ess_tail"]].min().min(),
        "converged": check.converged,
    }


def quiet(engine: str) -> dict[str, bool]:
    """No progress bar, of an engine that has one."""
    return {"progress": False} if engine == "nuts" else {}


def main() -> None:
    """Time the engines asked for, keep the others of an earlier run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=ENGINES, default=ENGINES)
    parser.add_argument("--strata", type=int, default=20)
    parser.add_argument("--authorities", type=int, default=AUTHORITIES)
    parser.add_argument("--areas", type=int, default=AREAS)
    parser.add_argument("--out", type=Path, default=FILE)
    given = parser.parse_args()
    strata = strata_of(given.strata, given.authorities, given.areas)
    table = pd.DataFrame([timed(strata, engine) for engine in given.only]).round(2)
    if given.out.exists():
        before = pd.read_csv(given.out)
        table = pd.concat([before[~before["engine"].isin(given.only)], table])
    table.to_csv(given.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
