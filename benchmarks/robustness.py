"""Whether one sampler's settings do for common and very rare outcomes; one table, docs/results.

Run from the root of the repository (about eight minutes, most of it compiling):

    python benchmarks/robustness.py                     # what docs/results/robustness.csv lacks
    python benchmarks/robustness.py --only "300" --anew # cases with "300" in their name, again

The graph that `method="nuts"` samples is held against two of the same model as textbooks write its
authority effects: centred, and non-centred. All three have the same priors and the same compressed
likelihood, and nutpie samples them with the same settings and seed: only the free variables behind
the effects differ. "per_thousand" is the smallest bulk effective size of a parameter or authority
effect per thousand gradients, those of tuning included, which wall time cannot blur.
"""

import argparse
import os
from pathlib import Path

import arviz_stats
import nutpie
import pandas as pd
from cases import CASES, RESULTS, Case, table_and_model

import socgrad as sg
from socgrad.model.compression import constants, likelihood_data
from socgrad.nuts.counts import observe_counts
from socgrad.nuts.graph import compact_model, full_data
from socgrad.nuts.lines import AuthorityLines
from socgrad.nuts.pymc_quietly import pm, pt
from socgrad.predictor import authority_level, authority_slope
from socgrad.schema import EFFECTS, PARAMETERS

FILE = RESULTS / "robustness.csv"
GRAPHS = ("socgrad", "centred", "non-centred")
SETTINGS = {"draws": 1000, "tune": 500, "chains": 4, "target_accept": 0.9}
NAMED = ("England, 60,000 events", "England, 3,000 events", "20 authorities of 5 areas")
ROBUST = (
    *(case for case in CASES if case.name in NAMED),
    Case(name="England, 300 events", events=300, authorities=151, areas=32_844),
)


def plain_model(model: sg.GradientModel, *, centred: bool) -> pm.Model:
    """Poisson counts with random slopes, the effects written as textbooks do."""
    priors = model.step_priors
    arrays = {**likelihood_data(model).data_vars, **constants(model).data_vars}
    data = {str(name): pt.constant(values.to_numpy()) for name, values in arrays.items()}
    b = data["between_part"]
    names = {
        "authority": model.areas.authority,
        "counted_area": model.areas.area[model.areas.counted],
    }
    with pm.Model(coords=names) as graph:
        fixed = {
            name: pm.Normal(name, getattr(priors, name).mean, getattr(priors, name).sd)
            for name in ("within", "between", "cross_level")
        }
        intercept = pm.Normal("intercept", data["prior_intercept"][0], data["prior_intercept"][1])
        level_sd, slope_sd = (
            pm.TruncatedNormal(name, getattr(priors, name).mean, getattr(priors, name).sd, lower=0)
            for name in ("level_sd", "slope_sd")
        )
        unit = pm.Beta("correlation_unit", priors.correlation, priors.correlation)
        correlation = pm.Deterministic("correlation", 2.0 * unit - 1.0)
        rest = slope_sd * pt.sqrt(1.0 - correlation**2)  # SD of a slope effect, given the level's
        if centred:
            level = pm.Normal("level_effect", 0.0, level_sd, dims="authority")
            expected = correlation * slope_sd / level_sd * level
            slope = pm.Normal("slope_effect", expected, rest, dims="authority")
        else:
            one, two = (pm.Normal(f"{n}_raw", dims="authority") for n in ("level", "slope"))
            level = pm.Deterministic("level_effect", level_sd * one, dims="authority")
            turned = correlation * slope_sd * one + rest * two
            slope = pm.Deterministic("slope_effect", turned, dims="authority")
        lines = AuthorityLines(
            authority_level(intercept, fixed["between"], 0.0, b, level),
            authority_slope(fixed["within"], fixed["cross_level"], b, slope),
        )
        observe_counts(data, lines, model.areas.events[model.areas.counted])
    return graph


def measured(case: Case, graph: str, *, random_seed: int, draws: int) -> dict[str, object]:
    """Sample one graph of one case; what it gave and what it cost."""
    _, model = table_and_model(case, random_seed=random_seed)
    if graph == "socgrad":
        built = compact_model(model, full_data(model, [likelihood_data(model)]))
    else:
        built = plain_model(model, centred=graph == "centred")
    compiled = nutpie.compile_pymc_model(built, var_names=[*PARAMETERS, *EFFECTS])
    settings = SETTINGS | {"draws": draws, "seed": random_seed}
    tree = nutpie.sample(
        compiled,
        **settings,
        cores=min(4, os.cpu_count() or 1),
        progress_bar=False,
        save_warmup=True,
    )
    posterior = tree["posterior"].to_dataset()
    sizes, rhats = (
        {name: float(values.to_numpy().min() if least else values.to_numpy().max())
         for name, values in statistic.data_vars.items()}
        for statistic, least in (
            (arviz_stats.ess(posterior, method="bulk"), True),
            (arviz_stats.rhat(posterior), False),
        )
    )  # fmt: skip
    worst = min(sizes, key=sizes.__getitem__)
    gradients, tuning = (
        int(tree[group]["n_steps"].sum()) for group in ("sample_stats", "warmup_sample_stats")
    )
    return {
        "case": case.name,
        "graph": graph,
        "events": int(model.areas.events.sum()),
        "ess": sizes[worst],
        "of": worst,
        "gradients": gradients,
        "tuning": tuning,
        "per_thousand": 1000 * sizes[worst] / (gradients + tuning),
        "divergences": int(tree["sample_stats"]["diverging"].sum()),
        "rhat": max(rhats.values()),
        **{name: float(posterior[name].mean()) for name in ("within", "level_sd", "slope_sd")},
    }


def compared(results: pd.DataFrame) -> pd.DataFrame:
    """Add how each graph does against the better of the textbook ones, as a ratio."""
    plain = results[results["graph"] != "socgrad"].groupby("case")["per_thousand"].max()
    return results.assign(ratio=results["per_thousand"] / results["case"].map(plain))


def main() -> None:
    """Sample the graphs that are not on file yet and print what is on file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases with this in their name")
    parser.add_argument("--anew", action="store_true", help="also those already on file")
    parser.add_argument("--draws", type=int, default=SETTINGS["draws"], help="of each chain")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, default=FILE)
    arguments = parser.parse_args()
    key = ["case", "graph"]
    done = pd.read_csv(arguments.out) if arguments.out.exists() else pd.DataFrame(columns=key)
    for case in (each for each in ROBUST if arguments.only in each.name):
        for graph in GRAPHS:
            same = (done["case"] == case.name) & (done["graph"] == graph)
            if same.any() and not arguments.anew:
                continue
            row = measured(case, graph, random_seed=arguments.seed, draws=arguments.draws)
            new = pd.DataFrame([row])
            done = pd.concat([done[~same], new]) if len(done) else new
            arguments.out.parent.mkdir(parents=True, exist_ok=True)
            compared(done).round(4).to_csv(arguments.out, index=False)
    print(compared(done).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
