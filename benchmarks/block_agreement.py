"""Whether the block engine and NUTS give the same posterior, for each kind of model once.

Run from the root of the repository, on a machine with nothing else to do:

    python benchmarks/block_agreement.py                       # all kinds
    python benchmarks/block_agreement.py --only regions joint  # kinds with these in their names

Writes docs/results/block_agreement.csv: for each kind the largest difference of posterior means of
any parameter, in posterior standard deviations of NUTS and in Monte Carlo standard errors of both,
the range of the ratios of standard deviations, and what vouches for either.
"""

import argparse
import time
import warnings

import arviz_stats
import numpy as np
import pandas as pd
import xarray as xr
from cases import RESULTS
from joint import CASES, model_of

import socgrad as sg
from socgrad.engines.blocks import BLOCKS
from socgrad.engines.choice import ENGINES, sampled
from socgrad.engines.task import Task
from socgrad.errors import ConvergenceWarning
from socgrad.fitted_trees import joint_tree, tree_of
from socgrad.model.compression import likelihood_data
from socgrad.model.stratified_model import StratifiedModel
from socgrad.nuts.options import NutsOptions
from socgrad.terms import TERMS

FILE = RESULTS / "block_agreement.csv"
INFORMED = sg.Priors(
    within=sg.rate_ratio(1.65, interval=(1.5, 1.82)),
    cross_level=sg.Normal(-0.05, 0.05),
    slope_sd=sg.PositiveNormal(0.12, 0.03),
)
KINDS: dict[str, dict[str, object]] = {
    "area covariates": {"covariates": "~ density + rural"},
    "area covariates, overdispersed": {
        "covariates": "~ density + rural",
        "family": "negative_binomial",
    },
    "area moderators": {"covariates": "~ density", "area_moderators": "~ density"},
    "spline": {"shape": "spline"},
    "tenths, overdispersed": {"shape": "tenths", "family": "negative_binomial"},
    "regions": {"regions": True},
    "no slopes, area covariates": {"covariates": "~ density", "random_slopes": False},
    "localities, area covariates": {"covariates": "~ density", "localities": True},
    "mixture of totals, area covariates": {"covariates": "~ density", "priors": INFORMED},
    "mixture of totals, overdispersed, regions": {
        "regions": True,
        "family": "negative_binomial",
        "priors": INFORMED,
    },
}


def model_named(name: str) -> sg.GradientModel:
    """The model of one kind on a simulated table of 100 authorities and 5,000 areas."""
    frame = sg.simulate(authorities=100, areas=5_000, random_seed=7).frame
    rng = np.random.default_rng(7)
    density = rng.normal(size=len(frame))
    rural = rng.choice(["no", "yes"], size=len(frame), p=[0.8, 0.2])
    factor = rng.gamma(8.0, 1 / 8.0, len(frame))
    plans = rng.poisson(frame["child_protection_plan"] * factor * np.exp(0.1 * density))
    locality = frame["authority"] + "/" + (frame.groupby("authority").cumcount() // 5).astype(str)
    frame = frame.assign(density=density, rural=rural, locality=locality, plans=plans.astype(float))
    known = frame.groupby("authority")["plans"].sum()
    totals = known.iloc[::3] if "totals" in name else None
    if totals is not None:
        frame.loc[frame["authority"].isin(totals.index), "plans"] = np.nan
    areas = sg.Areas.from_frame(
        frame,
        area="area",
        authority="authority",
        events="plans",
        children="children",
        deprivation="deprivation",
        region="region",
        locality="locality",
        covariates=["density", "rural"],
        totals=totals,
        complete=True,
    )
    return sg.GradientModel(areas, **KINDS[name])


def fitted(model: sg.GradientModel | StratifiedModel, method: str) -> xr.DataTree:
    """Fit by the block engine alone, or by the first engine of NUTS that has the model."""
    strata = model if isinstance(model, StratifiedModel) else None
    models = (model,) if strata is None else tuple(strata.models.values())
    options = NutsOptions(
        draws=1000, tune=1000, chains=4, cores=2, target_accept=0.95, random_seed=1, progress=False
    )
    task = Task(models, tuple(likelihood_data(one) for one in models), options, strata=strata)
    engines = (BLOCKS,) if method == "laplace" else ENGINES
    drawn = sampled(task, method, engines)
    return tree_of(task, drawn) if strata is None else joint_tree(strata, task, drawn)


def compared(name: str) -> dict[str, object]:
    """One row of the table."""
    if name.startswith("joint"):
        _, case, correlations = name.split(", ")
        model = model_of(case, correlations, authorities=150, areas=32_844)
    else:
        model = model_named(name)
    seconds, trees = {}, {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for method in ("laplace", "nuts"):
            start = time.perf_counter()
            trees[method] = fitted(model, method)
            seconds[method] = time.perf_counter() - start
    doubt = "; ".join(str(w.message) for w in caught if w.category is ConvergenceWarning)
    ours, theirs = (tree["posterior"].to_dataset() for tree in trees.values())
    vouched = trees["laplace"].attrs
    if "importance_ess" not in vouched:
        vouched = {
            k: float(v[0])
            for k, v in trees["laplace"]["sample_stats"].items()
            if v.dims == ("stratum",)
        }
    apart, standard, ratios, worst = [], [], [], np.inf
    names = [n for n in (*TERMS, "level_correlation", "slope_correlation") if n in theirs]
    for each in names:
        a, b = ours[each], theirs[each]
        dims = ("chain", "draw")
        sd = b.std(dims)
        varies = sd > 1e-9
        difference = ((a.mean(dims) - b.mean(dims)) / sd).where(varies)
        ess = arviz_stats.ess(b.to_dataset(name="x"), method="bulk")["x"].where(varies)
        error = np.sqrt(1 / float(vouched["importance_ess"]) + 1 / ess)
        apart.append(float(np.abs(difference).max()))
        standard.append(float((np.abs(difference) / error).max()))
        ratio = (a.std(dims) / sd).where(varies)
        ratios += [float(ratio.min()), float(ratio.max())]
        worst = min(worst, float(ess.min()))
    return {
        "kind": name,
        "largest_apart_sd": max(apart),
        "largest_apart_errors": max(standard),
        "of": names[int(np.argmax(apart))],
        "least_sd_ratio": min(ratios),
        "most_sd_ratio": max(ratios),
        "pareto_k": float(vouched["pareto_k"]),
        "importance_ess": float(vouched["importance_ess"]),
        "laplace_error": float(vouched["laplace_error"]),
        "least_ess_nuts": worst,
        "divergences": int(trees["nuts"]["sample_stats"]["diverging"].sum()),
        "seconds_blocks": seconds["laplace"],
        "seconds_nuts": seconds["nuts"],
        "doubt": doubt,
    }


def main() -> None:
    """Compare the kinds that are asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", default=None)
    only = parser.parse_args().only
    joint = [f"joint, {case}, {kind}" for kind in ("full", "factor") for case in CASES]
    names = [n for n in (*KINDS, *joint) if only is None or any(word in n for word in only)]
    for name in names:
        row = compared(name)
        kept = pd.read_csv(FILE) if FILE.exists() else pd.DataFrame({"kind": []})
        table = pd.concat([kept[kept["kind"] != name], pd.DataFrame([row])])
        table.round(4).to_csv(FILE, index=False)
        print({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()}, flush=True)


if __name__ == "__main__":
    main()
