"""Coverage of 95% intervals by simulation; writes docs/results/coverage_METHOD.csv.

Run by hand, from the root of the repository (the slow tier asserts what it finds):

    python tests/coverage_study.py --replicates 200
    python tests/coverage_study.py --method laplace --replicates 500 --raw laplace.csv

With `--raw`, every replicate is kept in that file and none is fitted twice, so that a long study
may be run in pieces. Each replicate simulates 60 authorities of 60 areas, fits the model, and asks
which truths lie in their equal-tailed 95% intervals. Counts have one fixed truth and the default
priors; totals and mixtures have informative priors, from which their truths are drawn.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from socgrad.errors import ConvergenceWarning
from socgrad.fitting import fit
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


def replicate(kind: str, number: int, *, method: str) -> pd.DataFrame:
    """One row per term: truth, posterior mean, interval, and whether the interval holds it."""
    rng = np.random.default_rng([2026, KINDS.index(kind), number])
    truth, priors = truth_of(kind, rng)
    simulation = simulate(
        authorities=60,
        areas=3600,
        sizes="equal",
        stages={"events": truth},
        random_seed=int(rng.integers(2**31)),
    )
    family, known = kind.split()
    model = GradientModel(areas_of(simulation, known), family=family, priors=priors)
    options = {"draws": 600, "tune": 500, "chains": 2, "progress": False}
    with warnings.catch_warnings():
        # Draws that the engine doubts count as they are: leaving them out would flatter it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        tree = fit(
            model, method=method, random_seed=number, **(options if method == "nuts" else {})
        )
    posterior = tree["posterior"].to_dataset()
    posterior["contextual"] = posterior["between"] - posterior["within"]
    rows = []
    for term in TERMS:
        low, high = np.quantile(posterior[term], [0.025, 0.975])
        true = truth.contextual if term == "contextual" else getattr(truth, term)
        row = {"kind": kind, "replicate": number, "term": term, "truth": true, "lower": low}
        row |= {"upper": high, "mean": float(posterior[term].mean()), "inside": low <= true <= high}
        rows.append(row)
    return pd.DataFrame(rows)


def study(
    kind: str, replicates: int, *, method: str, done: pd.DataFrame | None = None
) -> pd.DataFrame:
    """All replicates of one kind; those in `done` are not fitted again."""
    parts = [] if done is None else [done[done["kind"] == kind]]
    known = set(parts[0]["replicate"]) if parts else set()
    parts += [replicate(kind, k, method=method) for k in range(replicates) if k not in known]
    return pd.concat(parts)


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
    parser.add_argument("--raw", type=Path, help="file of single replicates, to go on from")
    arguments = parser.parse_args()
    kept = pd.read_csv(arguments.raw) if arguments.raw and arguments.raw.exists() else None
    RESULTS.mkdir(parents=True, exist_ok=True)
    tables = []
    for kind in arguments.kinds:
        start = time.perf_counter()
        results = study(kind, arguments.replicates, method=arguments.method, done=kept)
        if arguments.raw:
            others = [] if kept is None else [kept[kept["kind"] != kind]]
            kept = pd.concat([*others, results])
            kept.to_csv(arguments.raw, index=False)
        tables.append(coverage(results))
        print(tables[-1].round(4).to_string(index=False))
        print(f"{kind}: {time.perf_counter() - start:.0f} s\n", flush=True)
        table = pd.concat(tables).round(4)
        table.to_csv(RESULTS / f"coverage_{arguments.method}.csv", index=False)


if __name__ == "__main__":
    main()
