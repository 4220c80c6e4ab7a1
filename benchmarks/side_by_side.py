"""Commands run in turn, each a process of its own, and a table of their medians over the first."""

import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from speed import Run, run

__all__ = ["side_by_side"]


def side_by_side(
    commands: Mapping[str, list[str]],
    *,
    repeats: int,
    out: Path,
    reported: Sequence[str],
    cold: bool = False,
) -> pd.DataFrame:
    """Run every command as often as asked, in turn, so that a busy hour meets them all.

    Parameters
    ----------
    commands
        By name of the case; the others' seconds are divided by those of the first.
    repeats
        Runs of each.
    out
        A CSV of the table.
    reported
        Numbers of a process's own report that the table keeps, of its last run.
    cold
        With numba's cache empty, as on a machine's first run.
    """
    runs: dict[str, list[Run]] = {case: [] for case in commands}
    for _ in range(repeats):
        for case, command in commands.items():
            with tempfile.TemporaryDirectory() as empty:
                one = run(command, {"NUMBA_CACHE_DIR": empty} if cold else None)
            runs[case].append(one)
            print(case, round(one.seconds, 1), round(one.cpu, 1), one.report, flush=True)
    rows = []
    for case, own in runs.items():
        row: dict[str, object] = {"case": case}
        for name in ("seconds", "cpu", "peak"):
            row[name] = round(statistics.median(getattr(one, name) for one in own), 2)
        rows.append(row | {n: round(v, 4) for n, v in own[-1].report.items() if n in reported})
    table = pd.DataFrame(rows)
    table.insert(2, "ratio", (table["seconds"] / table["seconds"].iloc[0]).round(2))
    table["load"] = round(os.getloadavg()[0], 1)
    table.to_csv(out, index=False)
    print(table.to_string(index=False, na_rep=""))
    return table
