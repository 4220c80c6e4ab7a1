"""How long reading and counting a return takes, and how much memory, on generated files.

Run from the root of the repository (needs the extra `returns`):

    python benchmarks/returns.py                      # two censuses that hold 100,000 children
    python benchmarks/returns.py --children 20000

It prints one table and writes docs/results/returns.csv. Files are written by a process of their
own; "read" is seconds from the files to `Records`, "count" from these to counts of 18 stages by
area, "whole" the wall time of the process with its imports, "cpu" its processor seconds (which a
busy machine disturbs less), "peak" its largest resident memory in MB, "file" the size of the XML in
MB. "wrong" is how many counts of areas differ from what is known.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
FILE = HERE.parent / "docs" / "results" / "returns.csv"

#: Of the children drawn, those whom the two censuses hold: others were referred and closed before.
_IN_CENSUS = 0.81


def make(folder: Path, children: int) -> None:
    """Write the files and what is known of them."""
    import socgrad as sg

    made = sg.returns.example_returns(folder, children=children, random_seed=1)
    made.known_by_area.to_csv(folder / "known.csv")


def measure(folder: Path) -> dict[str, float | None]:
    """Read and count, with the seconds of each."""
    import time

    whole = time.perf_counter()
    import pandas as pd

    import socgrad as sg
    from socgrad.peak_memory import peak_memory

    census = sorted(folder.glob("cin_*.xml"))
    begin = time.perf_counter()
    records = sg.returns.read_cin_census(census)
    read = time.perf_counter()
    residence = sg.returns.Residence.from_frame(
        pd.read_csv(folder / "residence.csv", dtype=str),
        child="child",
        area="lsoa",
        start="from",
        end="to",
    )
    places = pd.read_csv(folder / "places.csv")
    known = pd.read_csv(folder / "known.csv", index_col="lsoa")
    rules = sg.returns.counting_rules()
    stages = [stage for stage in rules.index if "looked_after" not in stage]
    counts = sg.returns.count(records, residence, places, area="lsoa", year=2023, stages=stages)
    done = time.perf_counter()
    found = counts.frame.set_index("lsoa")[stages]
    wrong = int(((found - known[stages]).abs() > 1e-6).sum().sum())
    return {
        "children": len(records.identifiers),
        "file": sum(path.stat().st_size for path in census) / 1e6,
        "read": read - begin,
        "count": done - read,
        "whole": done - whole,
        "cpu": time.process_time(),
        "peak": peak_memory(),
        "wrong": wrong,
    }


def main() -> None:
    """Write, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--children", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--step", choices=("make", "measure"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step == "make":
        make(given.folder, round(given.children / _IN_CENSUS))
        return
    if given.step == "measure":
        print(json.dumps(measure(given.folder)))
        return
    import pandas as pd

    with tempfile.TemporaryDirectory() as folder:
        own = [sys.executable, __file__, "--folder", folder, "--children", str(given.children)]
        subprocess.run([*own, "--step", "make"], check=True)
        told = subprocess.run(
            [*own, "--step", "measure"], check=True, capture_output=True, text=True
        )
    table = pd.DataFrame([json.loads(told.stdout)]).round(1)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(given.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
