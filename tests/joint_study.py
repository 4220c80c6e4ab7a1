"""Coverage of the joint model, and its negative control; writes docs/results/joint_coverage.csv.

Run by hand, from the root of the repository (the slow tier asserts what it finds):

    python tests/joint_study.py --replicates 100
    python tests/joint_study.py --replicates 100 --kinds alike --correlations factor
    python tests/joint_study.py --replicates 100 --raw joint.csv --minutes 4

With `--raw`, every replicate is kept in that file and none is fitted twice, so that a long study
may be run in pieces. Each replicate simulates three strata in 60 authorities of 60 areas, the last
with few events, fits the joint model (one compilation for all), and asks which truths lie in their
equal-tailed 95% intervals.

- alike: levels of any two strata correlate by 0.8, slopes by 0.6. One fixed truth, which the prior
  draws towards zero: where events are few, intervals need not hold it in 95 of 100 tables.
- drawn: the correlations of each replicate are a draw from the model's prior.
- independent: no correlations at all. 90-99% of the intervals of correlations should hold zero.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from joint_tables import alike, joint_strata, stage
from socgrad.estimands.stratum_correlations import stratum_correlations
from socgrad.fitting import fit
from socgrad.model.priors import Priors
from socgrad.model.stratified_model import StratifiedModel

KINDS = ("alike", "drawn", "independent")
STAGES = {
    "common": stage(400, within=1.6),
    "less": stage(60, within=1.7),
    "few": stage(4, within=1.8),
}
TERMS = ("within", "between", "cross_level", "level_sd", "slope_sd")
CORRELATIONS = ("level_correlation", "slope_correlation")
RESULTS = Path(__file__).parents[1] / "docs" / "results" / "joint_coverage.csv"


def truth_of(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Correlations of effects, levels of all strata and then slopes, of one replicate."""
    if kind == "alike":
        return alike(len(STAGES), 0.8, 0.6)
    effects = 2 * len(STAGES)
    return np.eye(effects) if kind == "independent" else lkj(effects, Priors().correlation, rng)


def lkj(size: int, concentration: float, rng: np.random.Generator) -> np.ndarray:
    """Draw a correlation matrix by the onion method: one row after another.

    Lewandowski, Kurowicka & Joe 2009, doi 10.1016/j.jmva.2009.04.008, section 3.2.
    """
    matrix = np.eye(size)
    shape = concentration + (size - 2) / 2
    matrix[0, 1] = matrix[1, 0] = 2 * rng.beta(shape, shape) - 1
    for k in range(2, size):
        shape -= 0.5
        direction = rng.standard_normal(k)
        direction *= np.sqrt(rng.beta(k / 2, shape)) / np.linalg.norm(direction)
        matrix[k, :k] = matrix[:k, k] = np.linalg.cholesky(matrix[:k, :k]) @ direction
    return matrix


def replicate(kind: str, number: int, structure: str) -> pd.DataFrame:
    """One row per term and stratum, or pair: truth, posterior mean, and whether it is inside."""
    rng = np.random.default_rng([2026, KINDS.index(kind), number])
    correlations = truth_of(kind, rng)
    made = joint_strata(
        STAGES, correlations, authorities=60, areas=3600, seed=int(rng.integers(2**31))
    )
    model = StratifiedModel(made.strata, authority_effects="joint", correlations=structure)
    tree = fit(
        model, method="nuts", draws=500, tune=500, chains=2, random_seed=number, progress=False
    )
    draws = tree["posterior"].to_dataset()
    values = [
        (term, name, draws[term].sel(stratum=name), getattr(truth, term))
        for term in TERMS
        for name, truth in STAGES.items()
    ]
    place = {name: k for k, name in enumerate(STAGES)}
    for offset, (term, each) in zip(
        (0, len(STAGES)), stratum_correlations(tree).data_vars.items(), strict=True
    ):
        for pair in each["pair"].to_numpy():
            one, other = (offset + place[name] for name in pair.split(", "))
            values.append((term, pair, each.sel(pair=pair), correlations[one, other]))
    rows = []
    for term, at, drawn, truth in values:
        low, high = np.quantile(drawn, [0.025, 0.975])
        row = {"kind": kind, "correlations": structure, "replicate": number}
        row |= {"term": term, "at": at, "truth": truth}
        row |= {"mean": float(drawn.mean()), "width": high - low, "inside": low <= truth <= high}
        rows.append(row | {"divergences": int(tree["sample_stats"]["diverging"].sum())})
    return pd.DataFrame(rows)


def study(
    kind: str,
    replicates: int,
    *,
    correlations: str = "full",
    done: pd.DataFrame | None = None,
    minutes: float = np.inf,
) -> pd.DataFrame:
    """All replicates of one kind, or those that begin in time; none of `done` is fitted again."""
    begin = time.perf_counter()
    parts = [] if done is None else [done[is_of(done, kind, correlations)]]
    known = set(parts[0]["replicate"]) if parts else set()
    for number in range(replicates):
        if number not in known and time.perf_counter() - begin < 60 * minutes:
            parts.append(replicate(kind, number, correlations))
    return pd.concat(parts)


def is_of(rows: pd.DataFrame, kind: str, correlations: str) -> pd.Series:
    """Whether rows are of this kind and structure."""
    return (rows["kind"] == kind) & (rows["correlations"] == correlations)


def coverage(results: pd.DataFrame) -> pd.DataFrame:
    """Share of intervals that hold the truth, by term, those of few events apart, and bias.

    The standard error is that over replicates, whose intervals belong together.
    """
    few = np.where(results["at"].str.contains("few"), "few", "common")
    results = results.assign(events=few, error=results["mean"] - results["truth"])
    key = ["kind", "correlations", "term", "events"]
    each = results.groupby([*key, "replicate"], sort=False)["inside"].mean()
    table = each.groupby(key, sort=False).agg(
        coverage="mean", replicates="size", standard_error="sem"
    )
    grouped = results.groupby(key, sort=False)
    table["bias"], table["width"] = grouped["error"].mean(), grouped["width"].mean()
    table["most_divergences"] = grouped["divergences"].max()
    return table.reset_index()


def main() -> None:
    """Run the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=np.inf, help="for each kind")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--correlations", default="full", choices=("full", "factor"))
    parser.add_argument("--raw", type=Path, help="file of single replicates, to go on from")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    kept = pd.read_csv(arguments.raw) if arguments.raw and arguments.raw.exists() else None
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    for kind in arguments.kinds:
        start = time.perf_counter()
        results = study(
            kind,
            arguments.replicates,
            correlations=arguments.correlations,
            done=kept,
            minutes=arguments.minutes,
        )
        if arguments.raw:
            others = [] if kept is None else [kept[~is_of(kept, kind, arguments.correlations)]]
            kept = pd.concat([*others, results])
            kept.to_csv(arguments.raw, index=False)
        table = coverage(results).round(4)
        print(table.to_string(index=False))
        print(f"{kind}: {time.perf_counter() - start:.0f} s\n", flush=True)
        if RESULTS.exists():  # keep the others
            before = pd.read_csv(RESULTS)
            table = pd.concat([before[~is_of(before, kind, arguments.correlations)], table])
        table.to_csv(RESULTS, index=False)


if __name__ == "__main__":
    main()
