"""What shortcuts do to an association of an outcome with gradients; writes docs/results.

Run by hand, from the root of the repository, for common and for rare events:

    python tests/outcome_study.py --replicates 100
    python tests/outcome_study.py --replicates 100 --intercept -6

Each replicate simulates 60 authorities of 40 areas (Poisson counts, SD of slopes 0.12) and an
outcome of which theta, in the outcome's SDs per slope SD, is 0.5 (and the same with 0: no
association). Then it estimates theta five ways and asks which 95% intervals hold the truth:

- raw: ordinary least squares on slopes estimated one authority at a time (Poisson regressions);
- draws: least squares on each posterior draw of the slopes, the draws of the coefficient pooled
  (each with the sampling error of its own regression);
- means: least squares on posterior mean slopes, taken as known;
- joint: `socgrad.OutcomeModel`;
- known: least squares on the true slopes, which nobody has.
"""

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np
import pandas as pd

from socgrad.fitting import fit
from socgrad.model.gradient_model import GradientModel
from socgrad.model.outcome_model import OutcomeModel
from socgrad.simulation.england import simulate
from tables import TRUTH, areas_of

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "outcome_shortcuts.csv"
AUTHORITIES, AREAS = 60, 2400
#: Outcome = theta * slope effect / slope SD - 0.3 * mean deprivation (SDs) + Normal(0, 0.8).
NOISE, DEPRIVATION = 0.8, -0.3


def least_squares(slopes, outcome, deprivation):
    """Coefficient of the slopes, and its standard error, adjusted for deprivation."""
    design = np.column_stack([slopes, np.ones_like(slopes), deprivation])
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ outcome
    residual = outcome - design @ beta
    variance = residual @ residual / (len(outcome) - design.shape[1])
    return beta[0], np.sqrt(variance * inverse[0, 0])


def raw_slopes(frame):
    """Poisson regression of each authority's counts on deprivation, by Newton steps."""
    slopes = []
    for _, rows in frame.groupby("authority", sort=True):
        x = np.column_stack([np.ones(len(rows)), (rows["deprivation"] - 0.18) / 0.1])
        y, n = rows["events"].to_numpy(), rows["children"].to_numpy()
        beta = np.array([np.log(max(y.sum(), 0.5) / n.sum()), 0.4])
        for _ in range(50):
            mean = n * np.exp(x @ beta)
            step = np.linalg.solve(x.T @ (mean[:, None] * x), x.T @ (y - mean))
            beta += np.clip(step, -1, 1)
        slopes.append(beta[1])
    return np.array(slopes)


def replicate(number, theta, intercept):
    """One row per method: estimate and interval of theta in outcome units per log gradient."""
    rng = np.random.default_rng([2026, number])
    simulation = simulate(
        authorities=AUTHORITIES,
        areas=AREAS,
        sizes="equal",
        stages={"events": dataclasses.replace(TRUTH, intercept=intercept)},
        random_seed=int(rng.integers(2**31)),
    )
    effects = simulation.effects.set_index("authority").sort_index()
    own = effects["slope_effect"].to_numpy()
    mean = effects["authority_mean"].to_numpy()
    deprivation = (mean - mean.mean()) / mean.std(ddof=1)
    truth = theta / TRUTH.slope_sd
    noise = rng.normal(0, NOISE, AUTHORITIES)
    outcome = truth * own + DEPRIVATION * deprivation + noise
    areas = areas_of(simulation, "counts")
    model = GradientModel(areas)

    rows = {}

    def normal(name, estimate, error):
        rows[name] = (estimate, estimate - 2.003 * error, estimate + 2.003 * error)  # t, 57 df

    normal("known", *least_squares(own, outcome, deprivation))
    normal("raw", *least_squares(raw_slopes(simulation.frame), outcome, deprivation))
    posterior = fit(model, method="laplace", random_seed=number)["posterior"].to_dataset()
    slopes = posterior["slope_effect"].to_numpy().reshape(-1, AUTHORITIES)
    normal("means", *least_squares(slopes.mean(axis=0), outcome, deprivation))
    chosen = slopes[:: len(slopes) // 400]
    pooled = [least_squares(draw, outcome, deprivation) for draw in chosen]
    drawn = np.array([rng.normal(estimate, error) for estimate, error in pooled])
    rows["draws"] = (np.mean([e for e, _ in pooled]), *np.quantile(drawn, [0.025, 0.975]))
    given = dict(zip(effects.index, outcome, strict=True))
    tree = fit(
        OutcomeModel(model, outcome=given, name="outcome"),
        method="nuts",
        draws=500,
        tune=500,
        chains=2,
        random_seed=number,
        progress=False,
    )
    joint = tree["posterior"]["outcome_coefficient"].sel(outcome_term="gradient").to_numpy()
    rows["joint"] = (joint.mean(), *np.quantile(joint, [0.025, 0.975]))
    return pd.DataFrame(
        [
            {
                "replicate": number,
                "events": int(simulation.frame["events"].sum()),
                "theta": theta,
                "method": name,
                "relative": estimate / truth if theta else np.nan,
                "estimate": estimate * TRUTH.slope_sd,
                "width": (upper - lower) * TRUTH.slope_sd,
                "covered": lower <= truth <= upper,
            }
            for name, (estimate, lower, upper) in rows.items()
        ]
    )


def main():
    """Run the replicates and write a table of means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=100)
    parser.add_argument("--intercept", type=float, default=TRUTH.intercept, help="log rate")
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after these")
    options = parser.parse_args()
    started, parts = time.time(), []
    for number in range(options.replicates):
        parts += [replicate(number, theta, options.intercept) for theta in (0.0, 0.5)]
        if time.time() - started > 60 * options.minutes:
            break
    every = pd.concat(parts)
    keys = ["intercept", "theta", "method"]
    table = (
        every.assign(intercept=options.intercept)
        .groupby(keys)
        .agg(
            replicates=("replicate", "nunique"),
            events=("events", "mean"),
            estimate=("estimate", "mean"),
            relative=("relative", "mean"),
            width=("width", "mean"),
            coverage=("covered", "mean"),
        )
        .round(3)
    )
    print(table.to_string())
    if RESULTS.exists():  # keep the other settings
        before = pd.read_csv(RESULTS).set_index(keys)
        table = pd.concat([before.drop(options.intercept, errors="ignore"), table])
    RESULTS.parent.mkdir(exist_ok=True)
    table.sort_index().to_csv(RESULTS)


if __name__ == "__main__":
    main()
