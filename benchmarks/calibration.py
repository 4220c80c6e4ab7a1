"""Simulation-based calibration of the compile-free engine; writes docs/results/calibration.csv.

Run from the root of the repository:

    python benchmarks/calibration.py --replicates 500
    python benchmarks/calibration.py --replicates 500 --workers 2 --into FOLDER

With `--into`, every fit is kept in that folder (1 MB each) and none is made twice, so that a long
study may be run in pieces.

Each replicate draws a truth from the priors, simulates 60 authorities of 60 areas from it, fits the
model with the same priors, and takes the rank of each truth among independent draws. Where draws
are the posterior's, ranks are uniform: chi-square over 20 bins, one test per quantity. The
log-likelihood is ranked too; it sees what no single parameter shows. (Coverage of intervals under
one fixed truth: python tests/coverage_study.py --method laplace --replicates 500.)

Talts, Betancourt, Simpson, Vehtari & Gelman 2018, doi 10.48550/arXiv.1804.06788; Modrák et al.
2023, Bayesian Analysis, doi 10.1214/23-BA1404.
"""

import argparse
import dataclasses
import multiprocessing
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from cases import RESULTS, areas_of
from scipy.special import gammaln
from scipy.stats import chi2

import socgrad as sg
from socgrad.errors import ConvergenceWarning
from socgrad.model.priors import Normal, PositiveNormal, Priors
from socgrad.schema import PARAMETERS
from socgrad.simulation.england import Simulation, simulate
from socgrad.simulation.truth import Truth

FILE = RESULTS / "calibration.csv"
FAMILIES = ("poisson", "negative_binomial")
AUTHORITIES, AREAS = 60, 3600
# 999 draws give 1,000 ranks, 50 to each of 20 bins.
DRAWS, BINS = 1000, 20

#: Wide enough to matter, narrow enough that every truth is a table somebody might have.
PRIORS = Priors(
    intercept=Normal(-4.5, 0.4),
    within=Normal(0.5, 0.15),
    between=Normal(0.3, 0.2),
    cross_level=Normal(-0.05, 0.08),
    level_sd=PositiveNormal(0.3, 0.12),
    slope_sd=PositiveNormal(0.12, 0.06),
)
OVERDISPERSION = PositiveNormal(0.4, 0.15)


def priors_of(family: str) -> Priors:
    """`PRIORS`, and that of the overdispersion where the model has one."""
    if family == "poisson":
        return PRIORS
    return dataclasses.replace(PRIORS, overdispersion=OVERDISPERSION)


#: Parameters of terms that the models here leave out.
_ABSENT = ("curvature", "locality_sd", "region_sd")


def truth_from_priors(family: str, rng: np.random.Generator) -> Truth:
    """Draw a truth from the priors."""
    values = {}
    for name in PARAMETERS:
        prior = getattr(priors_of(family), name, None)
        if name in _ABSENT or (name == "overdispersion" and family == "poisson"):
            continue
        if isinstance(prior, Normal):
            values[name] = rng.normal(prior.mean, prior.sd)
        elif isinstance(prior, PositiveNormal):
            drawn = rng.normal(prior.mean, prior.sd, size=100)
            values[name] = drawn[drawn > 0][0]
        elif name == "correlation":
            values[name] = 2 * rng.beta(PRIORS.correlation, PRIORS.correlation) - 1
    return Truth(**{name: float(value) for name, value in values.items() if name != "pooled"})


def simulated(family: str, number: int, areas: int, authorities: int) -> tuple[Truth, Simulation]:
    """Draw a truth from the priors, and a table from it."""
    rng = np.random.default_rng([2026, FAMILIES.index(family), number])
    truth = truth_from_priors(family, rng)
    return truth, simulate(
        authorities=authorities,
        areas=areas,
        sizes="equal",
        stages={"events": truth},
        random_seed=int(rng.integers(2**31)),
    )


def model_of(family: str, number: int, areas: int, authorities: int) -> sg.GradientModel:
    """The model of a replicate, with the priors that its truth is drawn from."""
    _, simulation = simulated(family, number, areas, authorities)
    table = areas_of(simulation, "counts")
    return sg.GradientModel(table, family=family, priors=priors_of(family))


def ranks_of(truth: Truth, simulation: Simulation, tree: xr.DataTree) -> dict[str, int]:
    """Rank of the truth among `DRAWS` - 1 draws, by quantity."""
    drawn = tree["posterior"].to_dataset().isel(chain=0, draw=slice(DRAWS - 1))
    effects = simulation.effects.set_index("authority").loc[drawn["authority"].to_numpy()]
    quantities = {
        name: (drawn[name].to_numpy(), getattr(truth, name)) for name in PARAMETERS if name in drawn
    }
    quantities["contextual"] = ((drawn["between"] - drawn["within"]).to_numpy(), truth.contextual)
    for name in ("level_effect", "slope_effect"):
        quantities[f"{name}, first"] = (drawn[name].to_numpy()[:, 0], effects[name].iloc[0])
    exact = effects.reset_index()[["level_effect", "slope_effect"]].to_xarray()
    at_truth = xr.Dataset(
        {name: ("draw", [getattr(truth, name)]) for name in PARAMETERS if name in drawn}
        | {name: (("draw", "authority"), exact[name].to_numpy()[None]) for name in exact}
    )
    fixed = tree["constant_data"].to_dataset()
    counts = tree["observed_data"]["events"].to_numpy()
    quantities["log likelihood"] = (
        log_likelihood(drawn, fixed, counts),
        float(log_likelihood(at_truth, fixed, counts)[0]),
    )
    return {name: int(np.sum(values < true)) for name, (values, true) in quantities.items()}


def study(plan: pd.DataFrame, into: Path, workers: int) -> pd.DataFrame:
    """Fit all replicates; one row of ranks for each, and whether its draws are doubted."""
    given = {"into": into, "random_seed": 2026, "threads": 1}
    given["options"] = {"method": "laplace", "draws": DRAWS, "chains": 1}
    with warnings.catch_warnings():
        # Draws that the engine doubts count as they are: leaving them out would flatter it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        if workers == 1:
            fits = sg.many.fit_many(plan, model_of=model_of, **given)
        else:
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(workers, mp_context=context) as pool:
                fits = sg.many.fit_many(plan, model_of=model_of, executor=pool, **given)
    rows = []
    for name, tree in sg.many.read_many(into, keys=plan.index.tolist()):
        truth, simulation = simulated(**plan.loc[name].to_dict())
        doubted = {"doubted": bool(fits.loc[name, "doubted"])}
        rows.append(ranks_of(truth, simulation, tree) | doubted)
    return pd.DataFrame(rows)


def log_likelihood(drawn: xr.Dataset, fixed: xr.Dataset, events: np.ndarray) -> np.ndarray:
    """Row by row, without constants, one number per draw."""
    b, of = fixed["between_part"].to_numpy(), fixed["authority_of_area"].to_numpy()
    value = {name: drawn[name].to_numpy()[:, None] for name in PARAMETERS if name in drawn}
    level = value["intercept"] + value["between"] * b + drawn["level_effect"].to_numpy()
    slope = value["within"] + value["cross_level"] * b + drawn["slope_effect"].to_numpy()
    logs = level[:, of] + slope[:, of] * fixed["within_part"].to_numpy()
    logs += np.log(fixed["exposure"].to_numpy())
    if "overdispersion" not in value:
        return (events * logs - np.exp(logs)).sum(axis=1)
    phi = value["overdispersion"] ** -2.0
    # The gamma functions depend on the distinct counts only.
    kinds, times = np.unique(events, return_counts=True)
    constant = (times * (gammaln(kinds + phi) - gammaln(phi))).sum(axis=1)
    return constant + (events * (logs - np.log(phi))
                       - (events + phi) * np.log1p(np.exp(logs) / phi)).sum(axis=1)  # fmt: skip


def uniformity(ranks: pd.DataFrame, family: str) -> pd.DataFrame:
    """Chi-square of each quantity's ranks, its probability, and counts of the bins."""
    rows = []
    for name in ranks.columns.drop("doubted"):
        bins = np.bincount(ranks[name] * BINS // DRAWS, minlength=BINS)
        expected = len(ranks) / BINS
        statistic = float(np.sum((bins - expected) ** 2) / expected)
        rows.append(
            {
                "family": family,
                "quantity": name,
                "replicates": len(ranks),
                "doubted": int(ranks["doubted"].sum()),
                "mean_rank": float(ranks[name].mean() / (DRAWS - 1)),
                "chi_square": statistic,
                "p": float(chi2.sf(statistic, BINS - 1)),
                "inside_95": float(
                    ((ranks[name] >= 0.025 * DRAWS) & (ranks[name] < 0.975 * DRAWS)).mean()
                ),
                "bins": " ".join(map(str, bins)),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Run the replicates, print progress and the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=FAMILIES)
    parser.add_argument("--authorities", type=int, default=AUTHORITIES)
    parser.add_argument("--areas", type=int, default=AREAS)
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--into", type=Path, help="folder of single fits, to go on from")
    arguments = parser.parse_args()
    size = {"areas": arguments.areas, "authorities": arguments.authorities}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    for family in arguments.families:
        start = time.perf_counter()
        plan = pd.DataFrame({"family": family, "number": range(arguments.replicates), **size})
        plan.index = [f"{family} {number}" for number in plan["number"]]
        with tempfile.TemporaryDirectory() as folder:
            ranks = study(plan, arguments.into or Path(folder), arguments.workers)
        print(f"{family}: {len(ranks)} replicates, {time.perf_counter() - start:.0f} s")
        table = uniformity(ranks, family).round(4)
        print(table.drop(columns="bins").to_string(index=False), flush=True)
        if arguments.out.exists():
            before = pd.read_csv(arguments.out)
            table = pd.concat([before[before["family"] != family], table])
        table.to_csv(arguments.out, index=False)


if __name__ == "__main__":
    main()
