"""How long a fit of suppressed counts takes, beside glmmTMB on the counts that they hide.

Run from the root of the repository, on a machine with nothing else to do (R with glmmTMB):

    python benchmarks/published.py --repeats 3

The table is a simulated England of child protection plans (151 authorities, 32,844 areas). Each fit
runs in a process of its own, from a file to saved draws; cases are run in turn, as often as asked,
and the medians are written to docs/results/published_speed.csv with their ratio to glmmTMB's
Poisson fit of the complete counts in the same run.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import pandas as pd
from side_by_side import side_by_side
from speed import AREAS, AUTHORITIES, HERE, run, write_table

FILE = HERE.parent / "docs" / "results" / "published_speed.csv"
#: Counts that are hidden, and whether totals of authorities are known.
CASES: dict[str, tuple[tuple[int, int] | None, bool]] = {
    "all known": (None, False),
    "1-5 hidden": ((1, 5), False),
    "1-5 hidden, totals known": ((1, 5), True),
    "0-4 hidden": ((0, 4), False),
    "0-9 hidden": ((0, 9), False),
}


def child(case: str, table: Path) -> dict[str, float]:
    """Read, hide, fit, save."""
    import socgrad as sg
    from socgrad.coarsening import Suppressed

    hidden, totals = CASES[case]
    frame = pd.read_csv(table)
    door: dict[str, object] = {}
    if totals:
        door["totals"] = frame.groupby("authority")["poisson"].sum()
    if hidden is not None:
        shown = frame["poisson"].astype(str).mask(frame["poisson"].between(*hidden), "c")
        frame = frame.assign(poisson=shown)
        door["coarsening"] = Suppressed({"c": hidden})
    areas = sg.Areas.from_frame(
        frame, area="area", authority="authority", events="poisson", children="children",
        deprivation="deprivation", complete=True, **door,
    )  # fmt: skip
    fit = sg.fit(sg.GradientModel(areas), random_seed=1)
    with tempfile.TemporaryDirectory() as folder:
        sg.save(fit, Path(folder) / "fit.nc")
    draws = fit["posterior"]
    return {
        "within": float(draws["within"].mean()),
        "within_sd": float(draws["within"].std()),
        "pareto_k": float(fit.attrs.get("pareto_k", float("nan"))),
    }


def main() -> None:
    """Run the cases in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(child(arguments.child[0], Path(arguments.child[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "england.csv"
        write_table(table, authorities=AUTHORITIES, areas=AREAS)
        reference = ["Rscript", str(HERE / "speed.R"), "glmmTMB", "poisson", str(table), "poisson"]
        commands = {"glmmTMB, all known": reference}
        for case in CASES:
            commands[case] = [sys.executable, __file__, "--child", case, str(table)]
        run(commands["1-5 hidden, totals known"])  # compiled code goes to disk
        side_by_side(commands, repeats=arguments.repeats, out=FILE, reported=_REPORTED)


_REPORTED = ("within", "within_sd", "pareto_k")

if __name__ == "__main__":
    main()
