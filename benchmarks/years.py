"""How long fits of ten and of twenty years of England take, beside glmmTMB on one of the years.

Run from the root of the repository, on a machine with nothing else to do (R with glmmTMB):

    python benchmarks/years.py --repeats 3

The table is simulated: 149 authorities, 32,837 areas, plans of ten or twenty years, authorities
that drift. Each fit runs in a process of its own, from a file to saved draws (imports, the door and
the likelihood included); cases are run in turn, as often as asked, and the medians are written to
docs/results/years_speed.csv with their ratio to glmmTMB's fit of the first year in the same run.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import pandas as pd
from side_by_side import side_by_side
from speed import HERE, run

__all__ = ["main"]

FILE = HERE.parent / "docs" / "results" / "years_speed.csv"
AUTHORITIES, AREAS = 149, 32_837
FIRST = 2003


def child(table: Path, draws: int) -> dict[str, float]:
    """Read, fit, save."""
    import socgrad as sg

    panel = sg.years.Panel.from_frame(
        pd.read_csv(table),
        year="year",
        area="area",
        authority="authority",
        deprivation="deprivation",
        children="children",
        events="events",
        complete=True,
    )
    model = sg.StratifiedModel(
        panel, authority_effects=sg.years.Drift(), national=sg.years.National()
    )
    fit = sg.fit(model, method="laplace", draws=draws, random_seed=1, progress=False)
    with tempfile.TemporaryDirectory() as folder:
        sg.save(fit, Path(folder) / "fit.nc")
    change = sg.years.change(sg.inverse_intervention(fit, deprivation=0.126))
    quality = fit["sample_stats"].to_dataset().isel(stratum=0)
    names = ("importance_ess", "pareto_k", "laplace_error")
    return {name: float(quality[name]) for name in names} | {
        "change": float(change.mean()),
        "change_sd": float(change.std()),
    }


def write_tables(folder: Path, years: list[int]) -> dict[int, Path]:
    """Tables of the first years of one simulated England, by their number."""
    import socgrad as sg

    made = sg.years.simulate(
        years=range(FIRST, FIRST + max(years)),
        a_year={"intercept": 0.01, "within": -0.01, "between": 0.01},
        authorities=AUTHORITIES,
        areas=AREAS,
        random_seed=3,
    ).frame
    paths = {}
    for number in years:
        paths[number] = folder / f"{number}.csv"
        made[made["year"] < FIRST + number].to_csv(paths[number], index=False)
    return paths


def main(arguments: list[str] | None = None) -> None:
    """Run the cases in turn."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--years", type=int, nargs="+", default=[10, 20])
    parser.add_argument("--draws", type=int, default=500, help="draws in each of four chains")
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child:
        print(json.dumps(child(given.child, given.draws)))
        return
    with tempfile.TemporaryDirectory() as folder:
        tables = write_tables(Path(folder), [1, *given.years])
        reference = ["Rscript", str(HERE / "speed.R"), "glmmTMB", "poisson", str(tables[1]),
                     "events"]  # fmt: skip
        commands = {"glmmTMB, one year": reference}
        for number in given.years:
            commands[f"{number} years"] = [
                sys.executable, __file__, "--child", str(tables[number]),
                "--draws", str(given.draws),
            ]  # fmt: skip
        run(commands[f"{given.years[0]} years"])  # compiled code goes to disk
        side_by_side(commands, repeats=given.repeats, out=given.out, reported=_REPORTED)


_REPORTED = ("importance_ess", "pareto_k", "laplace_error", "change", "change_sd")

if __name__ == "__main__":
    main()
