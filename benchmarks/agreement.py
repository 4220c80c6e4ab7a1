"""Whether the two engines give the same posterior; prints one table, writes docs/results.

Run from the root of the repository:

    python benchmarks/agreement.py                      # what docs/results/agreement.csv lacks
    python benchmarks/agreement.py --only totals --anew # cases with "totals" in their name, again

Every parameter and some estimands of `method="laplace"` are compared with those of `method="nuts"`
on the simulated tables of cases.py. Differences of means and of 95% limits are in posterior SDs of
NUTS; authority effects have the difference of their means in Monte Carlo standard errors of both.
"""

import argparse
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import arviz_stats
import numpy as np
import pandas as pd
import xarray as xr
from cases import CASES, RESULTS, Case, table_and_model

import socgrad as sg
from socgrad.errors import ConvergenceWarning, SupportWarning
from socgrad.schema import EFFECTS, PARAMETERS

FILE = RESULTS / "agreement.csv"
CHAINS = 4
# Draws per chain: at least, and at most (with the effective size then stated as it is).
FEWEST, MOST = 250, 16_000
MEAN, SD, LIMIT, EFFECT = 0.05, 0.03, 0.08, 4.5


def quantities(tree: xr.DataTree, model: sg.GradientModel) -> dict[str, xr.DataArray]:
    """Parameters and estimands of a fit, dims (chain, draw)."""
    posterior = tree["posterior"].to_dataset()
    drawn = {name: posterior[name] for name in PARAMETERS if name in posterior}
    # Ratios are compared on the log scale, where "posterior SD" means something.
    drawn["log gradient"] = np.log(sg.gradient(tree))
    rates = np.log(sg.rates.rate_by_group(tree, groups=10))
    drawn["log rate, least deprived tenth"] = rates.isel(group=0)
    drawn["log rate, most deprived tenth"] = rates.isel(group=-1)
    first = np.log(sg.rates.authority_rate(tree).isel(authority=0))
    drawn["log rate, first authority"] = first
    if model.deprivation == "split":
        drawn["log between, rates"] = np.log(sg.between(tree, scale="rates"))
        with warnings.catch_warnings():
            # Whether areas back a number is beside the point here.
            warnings.simplefilter("ignore", SupportWarning)
            ratio = np.log(sg.inverse_intervention(tree))
        drawn["log inverse intervention, P10"] = ratio.isel(deprivation=0)
        drawn["log inverse intervention, P90"] = ratio.isel(deprivation=-1)
    if model.random_slopes:
        drawn["log gradient, new authority"] = np.log(sg.gradient(tree, target="new"))
    return {
        name: draws.drop_vars(set(draws.coords) - {"chain", "draw"})
        for name, draws in drawn.items()
        # A parameter without random slopes to have it is held fixed.
        if float(draws.std()) > 0
    }


@dataclass(frozen=True)
class Summary:
    """Mean, SD and limits of one quantity, and the effective sizes of its mean and its tails."""

    mean: float
    sd: float
    lower: float
    upper: float
    ess: float
    tail: float

    @classmethod
    def of(cls, draws: xr.DataArray, importance: float | None) -> "Summary":
        """Summarise draws; those of an importance sampler are worth what it says."""
        ess = float(arviz_stats.ess(draws, method="bulk")) if importance is None else importance
        tail = float(arviz_stats.ess(draws, method="tail")) if importance is None else importance
        lower, upper = np.quantile(draws, [0.025, 0.975])
        return cls(float(draws.mean()), float(draws.std()), lower, upper, ess, tail)


def compared(case: Case, *, effective: int, random_seed: int) -> pd.DataFrame:
    """One row per quantity of one case."""
    _, model = table_and_model(case, random_seed=random_seed)
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        draws = max(FEWEST, int(1.3 * effective / CHAINS))
        laplace = sg.fit(model, method="laplace", draws=draws, random_seed=random_seed)
    doubt = "; ".join(str(w.message) for w in caught if w.category is ConvergenceWarning)
    seconds_laplace = time.perf_counter() - start
    if not doubt and laplace.attrs["importance_ess"] < effective:
        more = min(MOST, int(1.1 * draws * effective / laplace.attrs["importance_ess"]))
        laplace = sg.fit(model, method="laplace", draws=more, random_seed=random_seed + 1)
    ours = quantities(laplace, model)
    start = time.perf_counter()
    nuts = enough(model, effective=effective, random_seed=random_seed)
    seconds_nuts = time.perf_counter() - start
    theirs = quantities(nuts, model)
    importance = float(laplace.attrs["importance_ess"])
    rows = []
    for name, draws_nuts in theirs.items():
        a, b = Summary.of(ours[name], importance), Summary.of(draws_nuts, None)
        row = {"quantity": name, "mean_laplace": a.mean, "mean_nuts": b.mean}
        row |= {"sd_laplace": a.sd, "sd_nuts": b.sd, "mean_apart": (a.mean - b.mean) / b.sd}
        row |= {"sd_ratio": a.sd / b.sd, "lower_apart": (a.lower - b.lower) / b.sd}
        row |= {"upper_apart": (a.upper - b.upper) / b.sd, "ess_nuts": b.ess}
        row |= {"tail_ess_nuts": b.tail}
        row["agrees"] = (
            abs(row["mean_apart"]) < MEAN
            and abs(row["sd_ratio"] - 1) < SD
            and max(abs(row["lower_apart"]), abs(row["upper_apart"])) < LIMIT
        )
        rows.append(row)
    for name in (n for n in EFFECTS if n in nuts["posterior"]):
        z, ess = effects_apart(laplace["posterior"][name], nuts["posterior"][name], importance)
        worst = float(np.abs(z).max())
        row = {"quantity": name, "largest_z": worst, "rms_z": float(np.sqrt(np.mean(z**2)))}
        rows.append(row | {"ess_nuts": ess, "agrees": worst < EFFECT})
    table = pd.DataFrame(rows)
    table.insert(0, "case", case.name)
    return table.assign(
        ess_laplace=importance,
        pareto_k=laplace.attrs["pareto_k"],
        divergences=int(nuts["sample_stats"]["diverging"].sum()),
        refused=bool(doubt),
        seconds_laplace=seconds_laplace,
        seconds_nuts=seconds_nuts,
    )


def enough(model: sg.GradientModel, *, effective: int, random_seed: int) -> xr.DataTree:
    """NUTS until the smallest effective size of parameters is reached, as far as `MOST` goes."""
    draws = FEWEST if effective < 1000 else 1000
    while True:
        tree = sg.fit(
            model, method="nuts", draws=draws, chains=CHAINS, random_seed=random_seed,
            progress=False,
        )  # fmt: skip
        sizes = [
            float(arviz_stats.ess(each, method="bulk")) for each in quantities(tree, model).values()
        ]
        if min(sizes) >= effective or draws >= MOST:
            return tree
        draws = min(MOST, int(1.2 * draws * effective / min(sizes)))


def effects_apart(
    ours: xr.DataArray, theirs: xr.DataArray, importance: float
) -> tuple[np.ndarray, float]:
    """Differences of the authorities' means in standard errors, and the smallest ESS of NUTS."""
    ess = arviz_stats.ess(theirs, method="mean").to_numpy()
    error = ours.var(("chain", "draw")).to_numpy() / importance
    error = error + theirs.var(("chain", "draw")).to_numpy() / ess
    apart = ours.mean(("chain", "draw")) - theirs.mean(("chain", "draw"))
    return apart.to_numpy() / np.sqrt(error), float(ess.min())


def overview(results: pd.DataFrame) -> pd.DataFrame:
    """One row per case: the largest differences, effective sizes, and the verdict."""
    rows = []
    for name, part in results.groupby("case", sort=False):
        globals_ = part[part["mean_apart"].notna()]
        limits = globals_[["lower_apart", "upper_apart"]].abs().to_numpy()
        agrees = bool(part["agrees"].all())
        refused = bool(part["refused"].iloc[0])
        failed = part.loc[~part["agrees"].astype(bool), "quantity"]
        rows.append(
            {
                "case": name,
                "mean": globals_["mean_apart"].abs().max(),
                "sd_ratio": globals_["sd_ratio"].iloc[(globals_["sd_ratio"] - 1).abs().argmax()],
                "limit": limits.max(),
                "effect_z": part["largest_z"].max(),
                "ess_laplace": round(part["ess_laplace"].iloc[0]),
                "ess_nuts": round(globals_["ess_nuts"].min()),
                "pareto_k": part["pareto_k"].iloc[0],
                "divergences": part["divergences"].iloc[0],
                "seconds": f"{part['seconds_laplace'].iloc[0]:.1f}/"
                f"{part['seconds_nuts'].iloc[0]:.0f}",
                "verdict": "refused" if refused else "agree" if agrees else ", ".join(failed),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Compare the cases that are not on file yet and print what is on file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases with this in their name")
    parser.add_argument("--anew", action="store_true", help="also those already on file")
    parser.add_argument("--effective", type=int, default=20_000, help="effective size, each side")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, default=FILE)
    arguments = parser.parse_args()
    done = pd.read_csv(arguments.out) if arguments.out.exists() else pd.DataFrame({"case": []})
    # Small tables first.
    for number, case in sorted(enumerate(CASES), key=lambda each: each[1].areas):
        if arguments.only not in case.name:
            continue
        if case.name in set(done["case"]) and not arguments.anew:
            continue
        seed = arguments.seed + number
        new = compared(case, effective=arguments.effective, random_seed=seed)
        print(overview(new).round(3).to_string(index=False, header=False), flush=True)
        done = pd.concat([done[done["case"] != case.name], new.round(5)])
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        done.to_csv(arguments.out, index=False)
    print(overview(done).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
