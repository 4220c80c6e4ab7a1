"""How long each kind of model takes on England, beside glmmTMB: docs/results/kinds_speed.csv.

Run from the root of the repository, on a machine with nothing else to do (R with glmmTMB):

    python benchmarks/kinds.py --repeats 3
    python benchmarks/kinds.py --only "one stratum" "five strata"
    python benchmarks/kinds.py --cold --repeats 1 --out docs/results/kinds_cold.csv

150 authorities, 32,844 areas, five stages of 60,000 to 620,000 events whose authorities' levels
correlate by 0.6 and slopes by 0.5; of the overdispersed, areas vary by 40% beyond the model. Each
fit runs in a process of its own, from a file to saved draws (4 × 1,000), by the default engine;
cases are run in turn, as often as asked, and the medians are written with their ratio to glmmTMB's
Poisson fit of the first stage in the same run.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from cases import RESULTS
from side_by_side import side_by_side
from speed import HERE, run

import socgrad as sg
from joint_tables import alike, joint_strata, stage

FILE = RESULTS / "kinds_speed.csv"
RATES = (40.0, 431.0, 176.0, 127.0, 90.0)
STAGES = tuple(f"stage_{k + 1}" for k in range(len(RATES)))
#: What a study of public totals would state beforehand of the gradients.
INFORMED = sg.Priors(
    within=sg.rate_ratio(1.65, interval=(1.5, 1.82)),
    cross_level=sg.Normal(-0.05, 0.05),
    slope_sd=sg.PositiveNormal(0.12, 0.03),
)
CASES = (
    "one stratum",
    "negative binomial",
    "two area covariates",
    "spline",
    "regions",
    "totals",
    "an outcome of authorities",
    "five strata",
    "five strata, negative binomial",
)
_REPORTED = ("within", "within_sd", "importance_ess", "pareto_k", "laplace_error")


def write_table(path: Path, *, overdispersion: float, authorities: int, areas: int) -> None:
    """Write areas with the counts of five stages, two covariates, and a region."""
    stages = {
        name: replace(
            stage(rate, within=1.6 + 0.04 * k, level_sd=0.28, slope_sd=0.1 + k / 250),
            overdispersion=overdispersion,
        )
        for k, (name, rate) in enumerate(zip(STAGES, RATES, strict=True))
    }
    made = joint_strata(
        stages, alike(len(RATES), 0.6, 0.5), authorities=authorities, areas=areas, seed=2019
    )
    frame, rng = made.frame, np.random.default_rng(1)
    code, _ = pd.factorize(frame["authority"])
    frame = frame.assign(
        region=[f"R{k % 9}" for k in code],
        rural=np.where(rng.random(len(code)) < 0.2, "rural", "urban"),
        density=rng.gamma(2.0, 20.0, len(code)),
    )
    frame.to_csv(path, index=False)


def model_of(case: str, table: Path) -> object:
    """Read a table through the door, for the model of a case."""
    frame = pd.read_csv(table)
    door = {
        "area": "area",
        "authority": "authority",
        "deprivation": "deprivation",
        "children": "children",
        "complete": True,
    }
    if case.startswith("five strata"):
        family = "negative_binomial" if case.endswith("negative binomial") else "poisson"
        strata = sg.Strata.from_stages(frame, **door, stages=STAGES, nested=False)
        return sg.StratifiedModel(strata, authority_effects="joint", family=family)
    first = STAGES[0]
    if case == "totals":
        sums = frame.groupby("authority")[first].sum()
        areas = sg.Areas.from_frame(frame.drop(columns=first), **door, totals=sums)
        return sg.GradientModel(areas, priors=INFORMED)
    columns = {"two area covariates": ["rural", "density"]}.get(case, [])
    region = "region" if case == "regions" else None
    areas = sg.Areas.from_frame(frame, **door, events=first, covariates=columns, region=region)
    if case == "an outcome of authorities":
        values = np.random.default_rng(2).normal(5, 1, len(areas.authority))
        absence = dict(zip(areas.authority, values, strict=True))
        return sg.OutcomeModel(sg.GradientModel(areas), outcome=absence, name="absence, %")
    options = {
        "negative binomial": {"family": "negative_binomial"},
        "two area covariates": {"covariates": "~ rural + scale(log(density))"},
        "spline": {"shape": "spline"},
        "regions": {"regions": True},
    }
    return sg.GradientModel(areas, **options.get(case, {}))


def child(case: str, table: Path) -> dict[str, float]:
    """Read, fit, save."""
    fit = sg.fit(model_of(case, table), random_seed=1, progress=False)
    with tempfile.TemporaryDirectory() as folder:
        sg.save(fit, Path(folder) / "fit.nc")
    within = fit["posterior"]["within"]
    report = {"within": float(within.mean()), "within_sd": float(within.std(("chain", "draw"))[0])
              if within.ndim > 2 else float(within.std())}  # fmt: skip
    held = {**fit["posterior"].attrs, **fit.attrs}
    for name in _REPORTED[2:]:
        if name in held:
            report[name] = float(held[name])
    return report


def main() -> None:
    """Run the cases in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cold", action="store_true", help="numba's cache empty, no first run")
    parser.add_argument("--authorities", type=int, default=150)
    parser.add_argument("--areas", type=int, default=32_844)
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(child(given.child[0], Path(given.child[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        tables = {}
        for name, overdispersion in (("poisson", 0.0), ("negative binomial", 0.4)):
            tables[name] = Path(folder) / f"{name.replace(' ', '_')}.csv"
            size = {"authorities": given.authorities, "areas": given.areas}
            write_table(tables[name], overdispersion=overdispersion, **size)
        script = ["Rscript", str(HERE / "speed.R"), "glmmTMB"]
        varied = tables["negative binomial"]
        commands = {"glmmTMB": [*script, "poisson", str(tables["poisson"]), STAGES[0]]}
        if any("negative binomial" in case for case in given.only):
            commands["glmmTMB, negative binomial"] = [
                *script, "negative_binomial", str(varied), STAGES[0],
            ]  # fmt: skip
        for case in given.only:
            table = varied if case.endswith("negative binomial") else tables["poisson"]
            commands[case] = [sys.executable, __file__, "--child", case, str(table)]
        if not given.cold:
            for case in given.only:
                run(commands[case])  # compiled code goes to disk
        side_by_side(
            commands, repeats=given.repeats, out=given.out, reported=_REPORTED, cold=given.cold
        )


if __name__ == "__main__":
    main()
