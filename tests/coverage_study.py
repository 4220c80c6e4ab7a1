"""Coverage of 95% intervals by simulation; writes docs/results/coverage_METHOD.csv.

Run by hand, from the root of the repository (the slow tier asserts what it finds):

    python tests/coverage_study.py --replicates 200
    python tests/coverage_study.py --method laplace --replicates 500 --workers 2 --into FOLDER

With `--into`, every fit is kept in that folder and none is made twice, so that a long study may be
run in pieces (`socgrad.many`). Each replicate simulates 60 authorities of 60 areas, fits the model,
and asks which truths lie in their equal-tailed 95% intervals. Counts have one fixed truth and the
default priors; totals and mixtures have informative priors, from which their truths are drawn.
"""

import argparse
import multiprocessing
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import socgrad as sg
from socgrad.errors import ConvergenceWarning
from socgrad.model.gradient_model import GradientModel
from socgrad.model.priors import Normal, PositiveNormal, Priors
from socgrad.simulation.england import simulate
from socgrad.simulation.truth import Truth
from tables import TRUTH, areas_of

KINDS = ("poisson counts", "negative_binomial counts", "poisson totals", "poisson mixture")
TERMS = ("within", "between", "cross_level", "level_sd", "slope_sd", "contextual")
RESULTS = Path(__file__).parents[1] / "docs" / "results"

# What a study of public totals would state beforehand; truths are drawn from it.
INFORMATIVE = Priors(
    within=Normal(0.5, 0.05),
    between=Normal(0.3, 0.15),
    cross_level=Normal(-0.05, 0.05),
    level_sd=PositiveNormal(0.3, 0.1),
    slope_sd=PositiveNormal(0.12, 0.04),
)


def truth_of(kind: str, rng: np.random.Generator) -> tuple[Truth, Priors]:
    """The truth of one replicate, and the priors it is fitted with."""
    values = {name: getattr(TRUTH, name) for name in TRUTH.__dataclass_fields__}
    family, known = kind.split()
    if family == "negative_binomial":
        values["overdispersion"] = 0.4
    if known == "counts":
        return Truth(**values), Priors()
    for name in ("within", "between", "cross_level"):
        prior = getattr(INFORMATIVE, name)
        values[name] = rng.normal(prior.mean, prior.sd)
    for name in ("level_sd", "slope_sd"):
        prior = getattr(INFORMATIVE, name)
        values[name] = _positive(prior, rng)
    values["correlation"] = 2 * rng.beta(2, 2) - 1
    return Truth(**values), INFORMATIVE


def _positive(prior: PositiveNormal, rng: np.random.Generator) -> float:
    while (value := rng.normal(prior.mean, prior.sd)) <= 0:
        pass
    return value


def drawn_truth(kind: str, number: int) -> tuple[Truth, Priors, int]:
    """The truth of a replicate, the priors it is fitted with, and the seed of its table."""
    rng = np.random.default_rng([2026, KINDS.index(kind), number])
    truth, priors = truth_of(kind, rng)
    return truth, priors, int(rng.integers(2**31))


def model_of(kind: str, number: int) -> GradientModel:
    """The model of a replicate."""
    truth, priors, seed = drawn_truth(kind, number)
    simulation = simulate(
        authorities=60, areas=3600, sizes="equal", stages={"events": truth}, random_seed=seed
    )
    family, known = kind.split()
    return GradientModel(areas_of(simulation, known), family=family, priors=priors)


def rows_of(kind: str, number: int, tree: xr.DataTree) -> list[dict[str, object]]:
    """One row per term: truth, posterior mean, interval, and whether the interval holds it."""
    truth, _, _ = drawn_truth(kind, number)
    posterior = tree["posterior"].to_dataset()
    posterior["contextual"] = posterior["between"] - posterior["within"]
    rows: list[dict[str, object]] = []
    for term in TERMS:
        low, high = np.quantile(posterior[term], [0.025, 0.975])
        true = truth.contextual if term == "contextual" else getattr(truth, term)
        row = {"kind": kind, "replicate": number, "term": term, "truth": true, "lower": low}
        row |= {"upper": high, "mean": float(posterior[term].mean()), "inside": low <= true <= high}
        rows.append(row)
    return rows


def study(
    kind: str, replicates: int, *, method: str, into: Path | None = None, workers: int = 1
) -> pd.DataFrame:
    """All replicates of one kind; those that are in the folder `into` are not fitted again."""
    plan = pd.DataFrame({"kind": kind, "number": range(replicates)})
    plan.index = pd.Index([f"{method} {kind} {number}" for number in plan["number"]])
    sampler = {"draws": 600, "tune": 500, "chains": 2} if method == "nuts" else {}
    options = {"method": method, **sampler}
    rows: list[dict[str, object]] = []
    with ExitStack() as stack:
        folder = into or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pool = None
        if workers > 1:
            context = multiprocessing.get_context("spawn")
            pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=context))
        # Draws that the engine doubts count as they are: leaving them out would flatter it.
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore", ConvergenceWarning)
        sg.many.fit_many(
            plan,
            model_of=model_of,
            into=folder,
            executor=pool,
            options=options,
            random_seed=2026,
            threads=1,
        )
        for name, tree in sg.many.read_many(folder, keys=plan.index.tolist()):
            rows += rows_of(kind, int(plan.loc[name, "number"]), tree)
    return pd.DataFrame(rows)


def coverage(results: pd.DataFrame) -> pd.DataFrame:
    """Share of replicates whose interval holds the truth, with its simulation error, and bias."""
    results = results.assign(error=results["mean"] - results["truth"])
    grouped = results.groupby(["kind", "term"], sort=False)
    table = grouped["inside"].agg(coverage="mean", replicates="size")
    table["standard_error"] = np.sqrt(table["coverage"] * (1 - table["coverage"]))
    table["standard_error"] /= np.sqrt(table["replicates"])
    table["bias"] = grouped["error"].mean()
    return table.reset_index()


def main() -> None:
    """Run the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--method", default="nuts")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--into", type=Path, help="folder of single fits, to go on from")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    tables = []
    for kind in arguments.kinds:
        start = time.perf_counter()
        results = study(
            kind,
            arguments.replicates,
            method=arguments.method,
            into=arguments.into,
            workers=arguments.workers,
        )
        tables.append(coverage(results))
        print(tables[-1].round(4).to_string(index=False))
        print(f"{kind}: {time.perf_counter() - start:.0f} s\n", flush=True)
        table = pd.concat(tables).round(4)
        table.to_csv(RESULTS / f"coverage_{arguments.method}.csv", index=False)


if __name__ == "__main__":
    main()
