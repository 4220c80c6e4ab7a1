"""How wide contrasts of nested stages are; writes docs/results/nested_contrasts.csv.

Run from the root of the repository (about three minutes for each share on one core):

    python benchmarks/nested_contrasts.py --replicates 60

Each replicate simulates referrals in 60 authorities of 60 areas, and lets a share of them go on to
assessment: a binomial draw whose log probability rises with deprivation, with effects of each
authority. The log ratio of the two gradients of the average authority is known. It is estimated
from two independent fits on children, and from the fit of assessments on referrals (the chain). The
standard deviation that a fit reports is set against that of its estimates over the replicates.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import socgrad as sg
from socgrad.errors import ConvergenceWarning
from socgrad.simulation.truth import Truth

FILE = Path(__file__).parents[1] / "docs" / "results" / "nested_contrasts.csv"
# With more, the share would reach 1 in the most deprived areas, and the log ratio be no constant.
SHARES = (0.3, 0.6)
AUTHORITIES, AREAS = 60, 3600
#: Log ratio of the gradients, per ten points; standard deviations of authorities' own shares.
STEEPER, LEVEL_SD, SLOPE_SD = 0.05, 0.05, 0.02
REFERRAL = Truth(
    intercept=-3.0,
    within=0.5,
    between=0.3,
    curvature=0.0,
    cross_level=-0.05,
    level_sd=0.3,
    slope_sd=0.12,
    correlation=-0.2,
    overdispersion=0.0,
)


def table_of(share: float, authorities: int, areas: int, seed: int) -> pd.DataFrame:
    """Referrals and the assessments that come of them."""
    simulation = sg.simulate(
        authorities=authorities, areas=areas, stages={"referral": REFERRAL}, random_seed=seed
    )
    frame = simulation.frame
    rng = np.random.default_rng([seed, 1])
    own, labels = pd.factorize(frame["authority"])
    means = simulation.effects.set_index("authority")["authority_mean"].loc[labels].to_numpy()[own]
    level = LEVEL_SD * rng.standard_normal(len(labels))[own]
    slope = SLOPE_SD * rng.standard_normal(len(labels))[own]
    within = (frame["deprivation"] - means) / 0.1
    between = (means - simulation.national_mean) / 0.1
    log_share = np.log(share) + level + STEEPER * between + (STEEPER + slope) * within
    return frame.assign(
        assessment=rng.binomial(frame["referral"], np.minimum(np.exp(log_share), 1))
    )


def log_ratio(fit: object) -> tuple[float, float]:
    """Mean and standard deviation of the log ratio of gradients, assessment over referral."""
    draws = np.log(sg.compare_gradients(fit).to_numpy())
    return float(draws.mean()), float(draws.std())


def replicate(share: float, authorities: int, areas: int, seed: int) -> list[dict[str, object]]:
    """Estimates of one simulated table, independent and along the chain."""
    frame = table_of(share, authorities, areas, seed)
    rows = []
    for method, exposure in (("independent", None), ("chain", "previous stage")):
        strata = sg.Strata.from_stages(
            frame,
            area="area",
            authority="authority",
            deprivation="deprivation",
            children="children",
            stages=["referral", "assessment"],
            exposure=exposure,
            complete=True,
        )
        with warnings.catch_warnings():
            # A share of tables has a doubtful tail, which moves no mean or sd to speak of.
            warnings.simplefilter("ignore", ConvergenceWarning)
            fit = sg.fit(sg.StratifiedModel(strata), method="laplace", draws=250, random_seed=seed)
        mean, sd = log_ratio(fit)
        rows.append({"share": share, "method": method, "seed": seed, "mean": mean, "sd": sd})
    return rows


def summary(raw: pd.DataFrame) -> pd.DataFrame:
    """One row for each share and method."""
    rows = []
    for (share, method), one in raw.groupby(["share", "method"], sort=False):
        true_sd = one["mean"].std(ddof=1)
        inside = (one["mean"] - STEEPER).abs() <= 1.96 * one["sd"]
        rows.append(
            {
                "share": share,
                "method": method,
                "replicates": len(one),
                "truth": STEEPER,
                "mean_estimate": one["mean"].mean(),
                "reported_sd": one["sd"].mean(),
                "sd_of_estimates": true_sd,
                "ratio": one["sd"].mean() / true_sd,
                "inside_95": inside.mean(),
            }
        )
    return pd.DataFrame(rows).round(4)


def main() -> None:
    """Run the shares asked for, keep the others of an earlier run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=60)
    parser.add_argument("--share", type=float, nargs="*", default=SHARES)
    parser.add_argument("--authorities", type=int, default=AUTHORITIES)
    parser.add_argument("--areas", type=int, default=AREAS)
    parser.add_argument("--out", type=Path, default=FILE)
    given = parser.parse_args()
    rows = [
        row
        for share in given.share
        for seed in range(given.replicates)
        for row in replicate(share, given.authorities, given.areas, seed)
    ]
    table = summary(pd.DataFrame(rows))
    if given.out.exists():
        before = pd.read_csv(given.out)
        table = pd.concat([before[~before["share"].isin(given.share)], table])
    table = table.sort_values(["share", "method"], kind="stable")
    table.to_csv(given.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
