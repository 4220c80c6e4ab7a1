"""How long a fit takes, beside other engines, on an England-sized simulated table.

Run from the root of the repository, on a machine with nothing else to do:

    python benchmarks/speed.py                       # all of it: about ten minutes
    python benchmarks/speed.py --only laplace nuts   # some engines
    python benchmarks/speed.py --only laplace nuts --totals    # authority totals of the same table
    python benchmarks/speed.py --only nuts graph    # what the density written out saves
    python benchmarks/speed.py --only nuts --cold      # numba's cache empty, as on a fresh machine
    python benchmarks/speed.py --only bambi --bambi /path/to/its/environment/bin/python

It prints one table and writes docs/results/speed.csv. Every engine runs in a process of its own,
from a file of counts: "whole" is the wall time from the start of that process to its saved fit (or
printed estimates), "cpu" its processor seconds (which a busy machine disturbs less), "peak" its
largest resident memory in MB. "first" is the first fit once everything is
imported, "further" the fit of another outcome after it (table to posterior in both), and "ess/s"
the smallest effective size of a parameter or authority effect per second of a further fit.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
FILE = HERE.parent / "docs" / "results" / "speed.csv"
ENGINES = ("laplace", "nuts", "graph", "plain", "bambi", "lme4", "glmmTMB")
# On the density that is written out, and on the PyMC graph, which other models take.
NUTS = ("nuts", "graph")
FAMILIES = ("poisson", "negative_binomial")
TERMS = ("intercept", "within", "between", "cross_level", "level_sd", "slope_sd")
AUTHORITIES, AREAS = 151, 32_844


@dataclass(frozen=True)
class Run:
    """One process: wall and processor seconds, peak memory in MB, and what it printed of itself."""

    seconds: float
    cpu: float
    peak: float
    report: dict[str, float]


# ---------------------------------------------------------------- the tables


def write_table(path: Path, *, authorities: int, areas: int) -> None:
    """Write a simulated table with two Poisson and two negative binomial outcomes."""
    from dataclasses import replace

    from socgrad.simulation.england import simulate
    from socgrad.simulation.truth import PUBLISHED_STAGES

    plan, need = (
        PUBLISHED_STAGES[name] for name in ("child_protection_plan", "child_in_need_plan")
    )
    stages = {
        "poisson": plan,
        "poisson_further": need,
        "negative_binomial": replace(plan, overdispersion=0.4),
        "negative_binomial_further": replace(need, overdispersion=0.4),
    }
    table = simulate(authorities=authorities, areas=areas, stages=stages, random_seed=2019)
    table.frame.to_csv(path, index=False)


# ---------------------------------------------------------------- one process for each engine


def run(command: list[str], environment: dict[str, str] | None = None) -> Run:
    """Run a process; its last line of JSON, or its lines of names and numbers, are its report."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, env={**os.environ, **(environment or {})})
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        out.seek(0)
        text = out.read().decode()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{text}")
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if text.strip().startswith("{"):
        report = json.loads(text.strip().splitlines()[-1])
    else:
        report = {name: float(value) for name, value in (line[:2] for line in lines)}
    cpu = usage.ru_utime + usage.ru_stime
    return Run(seconds, cpu, usage.ru_maxrss / 1024, report)


def child(
    engine: str, family: str, table: Path, *, whole: bool, short: bool, totals: bool
) -> dict[str, float]:
    """What a process of its own does for the Python engines."""
    if engine == "plain":
        return plain(family, table, short=short)
    if engine == "bambi":
        return bambi(family, table, short=short)
    begin = time.perf_counter()
    import pandas as pd

    import socgrad as sg

    sg.fit, sg.save  # noqa: B018 these are imported on first use
    if engine in NUTS:
        import socgrad.nuts.density_sampling

        if engine == "graph":
            socgrad.nuts.density_sampling.NUTPIE_IS_KNOWN = False
    else:
        import socgrad.laplace
    imported = time.perf_counter()
    frame = pd.read_csv(table)
    report = {"import": imported - begin, "read": time.perf_counter() - imported}
    outcomes = [family, f"{family}_further"]
    priors = sg.Priors()
    if totals:
        # Known by authority alone; slopes have the priors that totals call for.
        sums = frame.groupby("authority")[outcomes].sum().astype(float)
        frame[outcomes] = float("nan")
        priors = sg.Priors(
            within=sg.rate_ratio(1.65, interval=(1.5, 1.82)),
            cross_level=sg.Normal(-0.05, 0.05),
            slope_sd=sg.PositiveNormal(0.12, 0.03),
        )

    def fitted(column: str) -> tuple[object, float, float]:
        start = time.perf_counter()
        areas = sg.Areas.from_frame(
            frame,
            area="area",
            authority="authority",
            events=column,
            children="children",
            deprivation="deprivation",
            complete=True,
            totals=sums[column] if totals else None,
        )
        model = sg.GradientModel(areas, family=family, priors=priors)
        ready = time.perf_counter()
        method = "nuts" if engine in NUTS else engine
        tree = sg.fit(model, method=method, random_seed=1, progress=False)
        return tree, ready - start, time.perf_counter() - ready

    tree, report["prepare"], report["fit"] = fitted(family)
    posterior = tree["posterior"].to_dataset()
    report |= {name: float(posterior[name].mean()) for name in TERMS}
    if whole:
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            sg.save(tree, Path(folder) / "fit.nc")
            report["save"] = time.perf_counter() - start
        return report
    report["first"] = report["prepare"] + report["fit"]
    again = [fitted(f"{family}_further") for _ in range(3)]
    report["further"] = statistics.median(a + b for _, a, b in again)
    report["ess"] = smallest_ess(again[-1][0])
    report["ess/s"] = report["ess"] / report["further"]
    if engine in NUTS:
        statistics_ = again[-1][0]["sample_stats"].to_dataset()
        report["divergences"] = int(statistics_["diverging"].sum())
    return report


def smallest_ess(tree: object) -> float:
    """Smallest bulk effective size over parameters and effects, or the importance sampler's."""
    if "importance_ess" in tree.attrs:
        return float(tree.attrs["importance_ess"])
    import arviz_stats

    posterior = tree["posterior"].to_dataset()
    sizes = arviz_stats.ess(posterior, method="bulk")
    return float(min(sizes[name].min() for name in sizes.data_vars))


def parts(table: Path) -> tuple[object, object]:
    """The table with within and between parts, as a researcher would compute them."""
    import numpy as np
    import pandas as pd

    frame = pd.read_csv(table)
    sums = frame.assign(x=frame["children"] * frame["deprivation"]).groupby("authority")
    mean = sums["x"].transform("sum") / sums["children"].transform("sum")
    national = np.average(frame["deprivation"], weights=frame["children"])
    frame["within"] = (frame["deprivation"] - mean) / 0.1
    frame["between"] = (mean - national) / 0.1
    return frame, pd.factorize(frame["authority"])[0]


def plain(family: str, table: Path, *, short: bool) -> dict[str, float]:
    """PyMC row by row, non-centred, LKJCholeskyCov: one chain, few draws; the report scales them.

    `sampling` are the seconds of 4 chains of 2,000 iterations on two processors, at the pace of the
    draws after tuning. So few draws estimate nothing, and no estimate is reported.
    """
    import numpy as np
    import pymc as pm

    begin = time.perf_counter()
    frame, of = parts(table)
    count = int(of.max()) + 1
    crude = np.log(frame[family].sum() / frame["children"].sum())
    with pm.Model() as model:
        intercept = pm.Normal("intercept", crude, 1.5)
        within, between = pm.Normal("within", 0, 0.5), pm.Normal("between", 0, 0.5)
        cross_level = pm.Normal("cross_level", 0, 0.2)
        factor, _, _ = pm.LKJCholeskyCov(
            "sd", n=2, eta=2.0, sd_dist=pm.HalfNormal.dist(np.array([0.5, 0.25]))
        )
        z = pm.Normal("z", 0, 1, shape=(2, count))
        effect = pm.math.dot(factor, z)
        w, b = frame["within"].to_numpy(), frame["between"].to_numpy()
        slope = within + cross_level * b + effect[1][of]
        log_mean = intercept + between * b + effect[0][of] + slope * w
        mean = pm.math.exp(log_mean + np.log(frame["children"].to_numpy()))
        if family == "poisson":
            pm.Poisson("events", mean, observed=frame[family])
        else:
            overdispersion = pm.HalfNormal("overdispersion", 0.5)
            pm.NegativeBinomial("events", mu=mean, alpha=overdispersion**-2, observed=frame[family])
    return paced(model, begin, short=short)


def paced(model: object, begin: float, *, short: bool) -> dict[str, float]:
    """Time one chain of few draws by PyMC's own sampler."""
    import pymc as pm

    tune, draws = (10, 10) if short else (100, 30)
    times: list[float] = []
    with model, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = pm.sample(
            draws,
            tune=tune,
            chains=1,
            cores=1,
            random_seed=1,
            progressbar=False,
            compute_convergence_checks=False,
            nuts_sampler="pymc",
            callback=lambda trace, draw: times.append(time.perf_counter()),  # noqa: ARG005
        )
    pace = (times[-1] - times[tune - 1]) / draws
    steps = float(tree["sample_stats"]["n_steps"].mean())
    report = {"compile": times[0] - begin, "pace": pace, "steps": steps}
    return report | {"sampling": pace * 4 * 2000 / 2, "first": pace * 4000 + times[0] - begin}


def bambi(family: str, table: Path, *, short: bool) -> dict[str, float]:
    """Bambi as its users write it; its group effects are independent. Scaled as `plain` is."""
    import bambi as bmb
    import numpy as np

    begin = time.perf_counter()
    frame, _ = parts(table)
    frame["log_children"] = np.log(frame["children"])
    kind = "poisson" if family == "poisson" else "negativebinomial"
    formula = f"{family} ~ within * between + (within | authority) + offset(log_children)"
    model = bmb.Model(formula, frame, family=kind)
    model.build()
    return paced(model.backend.model, begin, short=short)


# ---------------------------------------------------------------- the comparison


def measured(
    engine: str, family: str, table: Path, *, repeats: int, size: str, options: argparse.Namespace
) -> dict[str, object]:
    """One row of the table: medians over repeats."""
    python = options.bambi if engine == "bambi" else sys.executable
    here = [python, str(HERE / "speed.py"), "--child", engine, family, str(table)]
    here += [f"--{name}" for name in ("short", "totals") if getattr(options, name)]
    if engine in ("lme4", "glmmTMB"):
        here = ["Rscript", str(HERE / "speed.R"), engine, family, str(table), family]
    else:
        here += ["--whole"]
    runs = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as empty:
            runs.append(run(here, {"NUMBA_CACHE_DIR": empty} if options.cold else None))
    row: dict[str, object] = {"table": size, "family": family, "engine": engine, "runs": repeats}
    row["whole"] = statistics.median(each.seconds for each in runs)
    row["cpu"] = statistics.median(each.cpu for each in runs)
    row["peak"] = statistics.median(each.peak for each in runs)
    names = runs[0].report.keys()
    row |= {name: statistics.median(each.report[name] for each in runs) for name in names}
    if engine in ("laplace", *NUTS) and not options.cold:
        warm = run([each for each in here if each != "--whole"]).report
        row |= {name: warm[name] for name in ("first", "further", "ess", "ess/s")}
        row["divergences"] = warm.get("divergences")
    if engine in NUTS and not options.cold:
        # What the first fit has and a further one has not.
        row["compile"] = warm["first"] - warm["further"]
    return row


def available(engine: str, python: str) -> bool:
    """Whether an engine is installed."""
    if engine in ("lme4", "glmmTMB"):
        return shutil.which("Rscript") is not None
    if engine == "bambi":
        asked = [python, "-c", "import bambi"]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0
    return True


def main() -> None:
    """Time the engines, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=list(ENGINES), choices=ENGINES)
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=FAMILIES)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--authorities", type=int, default=AUTHORITIES)
    parser.add_argument("--areas", type=int, default=AREAS)
    parser.add_argument("--tenfold", action="store_true", help="ten times the areas, Poisson only")
    parser.add_argument("--totals", action="store_true", help="authority totals: laplace, nuts")
    parser.add_argument("--cold", action="store_true", help="numba's cache empty: nuts")
    parser.add_argument("--bambi", default=sys.executable, help="a Python that has bambi")
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--whole", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--short", action="store_true", help="plain PyMC: hardly any draws")
    arguments = parser.parse_args()
    if arguments.child:
        engine, family, table = arguments.child
        report = child(
            engine,
            family,
            Path(table),
            whole=arguments.whole,
            short=arguments.short,
            totals=arguments.totals,
        )
        print(json.dumps(report))
        return
    import pandas as pd

    key = ["table", "family", "engine"]
    areas = arguments.areas * (10 if arguments.tenfold else 1)
    size = f"{arguments.authorities} totals" if arguments.totals else f"{areas} areas"
    size += ", cold caches" * arguments.cold
    if arguments.totals and not {"laplace", "nuts"} >= set(arguments.only):
        parser.error("--totals is for --only laplace nuts: the others have no such model")
    families = arguments.families[:1] if arguments.tenfold else arguments.families
    done = pd.read_csv(arguments.out) if arguments.out.exists() else pd.DataFrame(columns=key)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.csv"
        write_table(table, authorities=arguments.authorities, areas=areas)
        for family in families:
            for engine in arguments.only:
                if not available(engine, arguments.bambi) or (engine, family) == (
                    "lme4",
                    "negative_binomial",
                ):
                    continue
                # The slow ones once: their order of magnitude is the point.
                slow = engine in ("plain", "bambi") or (engine, family) == (
                    "glmmTMB",
                    "negative_binomial",
                )
                row = measured(
                    engine, family, table, repeats=1 if slow else arguments.repeats,
                    size=size, options=arguments,
                )  # fmt: skip
                row["load"] = os.getloadavg()[0]
                new = pd.DataFrame([row])
                print(new.round(2).to_string(index=False), flush=True)
                if len(done):
                    same = (done[key] == new[key].iloc[0]).all(axis=1)
                    new = pd.concat([done[~same], new])
                done = new
                arguments.out.parent.mkdir(parents=True, exist_ok=True)
                done.round(4).to_csv(arguments.out, index=False)
    print(done.round(2).to_string(index=False, na_rep=""))


if __name__ == "__main__":
    main()
