"""Coverage of models of years, without drift, and where something jumps.

Writes docs/results/coverage_years.csv. Run by hand, from the root of the repository (some three
seconds of one core for each fit; with `--into` every fit is kept in that folder and none is made
twice, so that the study may be run in pieces):

    PYTHONPATH=src:tests python tests/years_study.py --replicates 100 --into FOLDER

Each replicate is a table of 80 authorities of 20 areas in six years, fitted with the default
priors of `Drift()` and `National()`, both of which are autoregressive or walks:

- "drifting": as the model has it, and the national gradient flattens by 2% a year.
- "still": authorities keep their level and slope, and nothing changes in the nation.
- "jump": as "drifting", and in the fourth year the level of every second authority rises by 0.4 at
  once, which is named nowhere.
- "jump, named": the same with the year named as a break.

Columns: the share of 95% intervals that hold the truth (of what has a value in each year or
authority, of all of them), their number, and the mean error in posterior sds; or, of "claimed", the
share of authorities whose gradient is said to have changed (its probability beyond 0.975 either
way). Draws that the engine doubts count as they are.
"""

import argparse
import tempfile
import time
import warnings
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import socgrad as sg
from socgrad.errors import ConvergenceWarning
from socgrad.model.drift import Drift, National
from socgrad.model.stratified_model import StratifiedModel
from socgrad.simulation.years import DriftTruth, YearsSimulation, simulate
from years_tables import TRUTH, panel_of

FILE = Path(__file__).parents[1] / "docs" / "results" / "coverage_years.csv"
YEARS = range(2014, 2020)
KINDS = ("drifting", "still", "jump", "jump, named")
DRIFT = DriftTruth(level_sd=0.08, slope_sd=0.05, autocorrelation=0.6)
DRIFT_NUMBERS = ("level_drift_sd", "slope_drift_sd", "level_autocorrelation",
                 "slope_autocorrelation")  # fmt: skip
CHANGES = {"intercept": 0.02, "within": -0.02, "between": 0.01}


def table_of(kind: str, number: int) -> YearsSimulation:
    """The simulated table of a replicate; of both jumps the same."""
    rng = np.random.default_rng([2026, 16, KINDS.index(kind.partition(",")[0]), number])
    drift = DRIFT if kind != "still" else DriftTruth(level_sd=0.0, slope_sd=0.0)
    if kind.startswith("jump"):
        drift = DriftTruth(level_sd=0.08, slope_sd=0.05, autocorrelation=0.6, jumps={YEARS[3]: 0.4})
    return simulate(
        years=YEARS,
        truth=TRUTH,
        a_year={} if kind == "still" else CHANGES,
        drift=drift,
        authorities=80,
        areas=1600,
        random_seed=int(rng.integers(2**31)),
    )


def model_of(kind: str, number: int) -> StratifiedModel:
    """The model of a replicate."""
    breaks = (YEARS[3],) if kind == "jump, named" else ()
    panel = panel_of(table_of(kind, number), breaks=breaks)
    return StratifiedModel(panel, authority_effects=Drift(), national=National())


def truths(kind: str, number: int, tree: xr.DataTree) -> dict[str, np.ndarray | float]:
    """True values by name: of each year, of each authority in the order of the fit, or one."""
    made = table_of(kind, number)
    own = made.effects.pivot_table(
        index="year", columns="authority", values=["level", "slope"], observed=True
    )
    order = tree["constant_data"]["authority"].to_numpy()
    level, slope = (own[name][order].to_numpy() for name in ("level", "slope"))
    found: dict[str, np.ndarray | float] = {
        name: made.truth[name].to_numpy() for name in ("within", "between", "cross_level")
    }
    found["contextual"] = made.truth["contextual"].to_numpy()
    found |= {f"change of {name}": found[name][-1] - found[name][0] for name in tuple(found)}
    if kind.startswith("jump"):
        # Half of the authorities rose by 0.4: so did the mean of all by 0.2.
        found = {}
    found["change of authorities' levels"] = level[-1] - level[0]
    found["change of authorities' slopes"] = slope[-1] - slope[0]
    if kind == "drifting":
        found |= {"level_drift_sd": DRIFT.level_sd, "slope_drift_sd": DRIFT.slope_sd}
        found |= {f"{name}_autocorrelation": DRIFT.autocorrelation for name in ("level", "slope")}
    return found


def draws_of(tree: xr.DataTree) -> dict[str, np.ndarray]:
    """Draws by name, (draws, years or authorities) or (draws,)."""
    posterior = tree["posterior"].to_dataset()

    def flat(name: str, *dims: str) -> np.ndarray:
        values = posterior[name].transpose("chain", "draw", *dims).to_numpy()
        return values.reshape(-1, *values.shape[2:])

    made = {name: flat(name, "stratum") for name in ("within", "between", "cross_level")}
    made["contextual"] = made["between"] - made["within"]
    for name in tuple(made):
        made[f"change of {name}"] = made[name][:, -1] - made[name][:, 0]
    part = tree["constant_data"]["between_part"].to_numpy()
    for kind, first, second in (
        ("levels", "intercept", "between"),
        ("slopes", "within", "cross_level"),
    ):
        line = flat(first, "stratum")[..., None] + flat(second, "stratum")[..., None] * part
        line = line + flat(f"{kind[:-1]}_effect", "stratum", "authority")
        made[f"change of authorities' {kind}"] = line[:, -1] - line[:, 0]
    for name in DRIFT_NUMBERS:
        made[name] = flat(name)
    return made


def rows_of(kind: str, number: int, tree: xr.DataTree) -> list[dict[str, object]]:
    """One row per term: how many intervals, how many hold the truth, and the mean error."""
    draws = draws_of(tree)
    rows: list[dict[str, object]] = []
    for term, true in truths(kind, number, tree).items():
        low, high = np.quantile(draws[term], [0.025, 0.975], axis=0)
        inside = (low <= true) & (true <= high)
        error = (draws[term].mean(axis=0) - true) / draws[term].std(axis=0)
        rows.append(
            {"kind": kind, "replicate": number, "term": term, "inside": float(np.mean(inside)),
             "intervals": int(np.size(inside)), "error": float(np.mean(error))}
        )  # fmt: skip
    if kind == "still":
        above = (draws["change of authorities' slopes"] > 0).mean(axis=0)
        claimed = (above > 0.975) | (above < 0.025)
        rows.append(
            {"kind": kind, "replicate": number, "term": "claimed", "inside": float(claimed.mean()),
             "intervals": len(claimed), "error": np.nan}
        )  # fmt: skip
    return rows


def study(kind: str, replicates: int, into: Path | None = None) -> pd.DataFrame:
    """All replicates of one kind; those that are in the folder `into` are not fitted again."""
    plan = pd.DataFrame({"kind": kind, "number": range(replicates)})
    plan.index = pd.Index([f"{kind} {number}" for number in plan["number"]])
    rows: list[dict[str, object]] = []
    with ExitStack() as stack:
        folder = into or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore", ConvergenceWarning)
        sg.many.fit_many(
            plan,
            model_of=model_of,
            into=folder,
            options={"method": "laplace", "draws": 250},
            random_seed=2026,
            threads=1,
        )
        for name, tree in sg.many.read_many(folder, keys=plan.index.tolist()):
            rows += rows_of(kind, int(plan.loc[name, "number"]), tree)
    return pd.DataFrame(rows)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Coverage by kind and term, over replicates."""
    grouped = rows.groupby(["kind", "term"], sort=False)
    table = grouped.agg(
        share=("inside", "mean"), error=("error", "mean"), replicates=("inside", "size"),
        intervals=("intervals", "sum"),
    ).reset_index()  # fmt: skip
    table["standard_error"] = grouped["inside"].std().to_numpy() / np.sqrt(table["replicates"])
    return table


def main() -> None:
    """Run the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replicates", type=int, default=100)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--into", type=Path, help="folder of single fits, to go on from")
    given = parser.parse_args()
    tables = []
    for kind in given.kinds:
        start = time.perf_counter()
        tables.append(summary(study(kind, given.replicates, given.into)))
        print(tables[-1].round(3).to_string(index=False))
        print(f"{kind}: {time.perf_counter() - start:.0f} s\n", flush=True)
        pd.concat(tables).round(4).to_csv(FILE, index=False)


if __name__ == "__main__":
    main()
