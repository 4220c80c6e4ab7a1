"""The inverse intervention effect in England, from public data alone.

    python examples/public_totals.py --data ../shared/data

The DfE publishes counts for whole local authorities only, so the gradient between neighbourhoods
comes from a published study, as a prior; authority totals and the deprivation of 32,837
neighbourhoods give the rest. Prints, for each stage, the within, between and contextual rate
ratios, how much of each is prior, and how the contextual one moves with the priors that totals
cannot check. Tables go to `out/` as CSV.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

import argparse
import json
import math
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import socgrad as sg
from public_england import DEPRIVATION, England, read_england
from public_priors import GRID, STAGES, Prior, Stage
from public_report import print_report

__all__ = ["areas_of_stage", "main", "ordinary_slope", "run"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the two tables, fit, print the report and write its tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of public data")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the tables")
    parser.add_argument("--seed", type=int, default=2019, help="of the sampler")
    given = parser.parse_args(arguments)
    run(read_england(given.data), given.out, seed=given.seed)


def run(
    england: England,
    out: Path,
    *,
    seed: int,
    stages: Sequence[Stage] = STAGES,
    grid: Sequence[Prior] = GRID,
    draws: int = 1000,
    grid_draws: int = 500,
) -> dict[str, pd.DataFrame]:
    """Fit every stage under every prior, print the report and write its tables.

    Parameters
    ----------
    england
        Matched tables.
    out
        Folder for the CSV files.
    seed
        Of the sampler.
    stages, grid
        What to fit; the first prior is the one reported.
    draws, grid_draws
        Draws kept per chain, of four: for the first prior (NUTS), and for the others (the engine
        without a compiler where it trusts its draws).

    Returns
    -------
    dict of pandas.DataFrame
        The tables written, by name.
    """
    start = time.perf_counter()
    checks: list[str] = []
    between, estimates, cells = [], [], []
    for stage in stages:
        areas = areas_of_stage(england, stage)
        between.append(_crude(england, stage))
        for number, prior in enumerate(grid):
            priors = prior.of(stage)
            model = sg.GradientModel(areas, priors=priors)
            if number == 0:
                fit = sg.fit(model, method="nuts", draws=draws, random_seed=seed)
                estimates.append(_estimates(fit, stage, priors))
                checks.append(f"{stage.name}: {_check(fit)}")
            else:
                fit = _quick_fit(model, draws=grid_draws, seed=seed)
            cells.append(_cell(fit, stage, number, prior))
        seconds = time.perf_counter() - start
        print(f"fitted {stage.name} under {len(grid)} priors ({seconds:.0f} s)", flush=True)
    tables = {
        "matching": england.match.report,
        "crude": pd.DataFrame(between),
        "estimates": pd.concat(estimates, ignore_index=True),
        "grid": pd.DataFrame(cells),
    }
    print_report(england, tables, checks=checks)
    out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(out / f"public_totals_{name}.csv", index=False)
    print(f"\nTables: {out}/public_totals_*.csv. {time.perf_counter() - start:.0f} s in all.")
    return tables


def areas_of_stage(england: England, stage: Stage) -> sg.Areas:
    """Neighbourhoods, and a stage's totals of the authorities that returned one."""
    return sg.Areas.from_frame(
        england.areas,
        area="lsoa11cd",
        authority="authority",
        children="children",
        deprivation=DEPRIVATION,
        totals=england.totals[stage.column].dropna(),
        missing_events="leave out",
        complete=True,
    )


def ordinary_slope(england: England, stage: Stage) -> tuple[float, float, float]:
    """Rate ratio of authority rates per 10 points of mean deprivation, with a 95% interval.

    Ordinary least squares of the log rate, authorities counting equally, as in the earlier trial.
    """
    areas = areas_of_stage(england, stage)
    children = np.bincount(areas.authority_of_area, weights=areas.children)
    with np.errstate(divide="ignore"):
        log_rate = np.log(areas.total_events / children)
    has = np.isfinite(log_rate)
    x, y = areas.authority_mean[has] / 0.10, log_rate[has]
    x = x - x.mean()
    slope = (x @ y) / (x @ x)
    rest = y - y.mean() - slope * x
    error = math.sqrt((rest @ rest) / (len(y) - 2) / (x @ x))
    low, high = slope - 1.96 * error, slope + 1.96 * error
    return math.exp(slope), math.exp(low), math.exp(high)


def _crude(england: England, stage: Stage) -> dict[str, object]:
    """What the totals say before any model."""
    counts = england.totals[stage.column]
    children = england.areas.groupby("authority")["children"].sum()
    names = england.totals.loc[counts.isna(), "la_name"]
    slope, lower, upper = ordinary_slope(england, stage)
    return {
        "stage": stage.name,
        "authorities": int(counts.notna().sum()),
        "events": int(counts.sum()),
        "per_10000": 1e4 * counts.sum() / children[counts.dropna().index].sum(),
        "slope": slope,
        "lower": lower,
        "upper": upper,
        "trial_slope": stage.slope,
        "blank": ", ".join(names),
    }


def _estimates(fit: xr.DataTree, stage: Stage, priors: sg.Priors) -> pd.DataFrame:
    """Rate ratios per 10 points, and how much of each is prior."""
    land = fit["constant_data"]
    mean, per = float(land["national_mean"]), float(land["per"])
    contextual = sg.inverse_intervention(fit)
    at = [mean, *contextual["deprivation"].to_numpy().tolist()]
    contextual = sg.inverse_intervention(fit, deprivation=at)
    table = sg.summarise(
        sg.gradient(fit),
        sg.between(fit),
        sg.between(fit, scale="rates"),
        contextual,
        sg.steepening(fit),
        names=["within", "between", "between, rates", "contextual", "steepening"],
    ).reset_index()
    names = ["national mean", "P10", "P50", "P90"]
    table.loc[table["estimand"] == "contextual", "at"] = names

    # log contextual = between - within + cross_level X, all with normal priors.
    x = [(value - mean) / per for value in at]
    within, between, cross = priors.within, priors.between, priors.cross_level
    contrasts = [
        sg.Normal(
            between.mean - within.mean + cross.mean * X,
            math.sqrt(between.sd**2 + within.sd**2 + (cross.sd * X) ** 2),
        )
        for X in x
    ]
    # The slope of rates has no prior of its own: it follows from all the others.
    prior = [within, between, None, *contrasts, cross]
    draws = [fit["posterior"][name] for name in ("within", "between", "cross_level")]
    logs = [draws[0], draws[1], None, *(draws[1] - draws[0] + draws[2] * X for X in x), draws[2]]
    table["prior_lower"] = [math.nan if p is None else p.interval()[0] for p in prior]
    table["prior_upper"] = [math.nan if p is None else p.interval()[1] for p in prior]
    table["prior_share"] = [
        math.nan if p is None or d is None else min(1.0, (float(d.std()) / p.sd) ** 2)
        for p, d in zip(prior, logs, strict=True)
    ]
    given = np.stack([draws[0].to_numpy().ravel(), draws[2].to_numpy().ravel()], axis=1)
    carried = [
        _carried(d.to_numpy().ravel(), given)
        if name == "contextual" and d is not None
        else (math.nan, math.nan)
        for name, d in zip(table["estimand"], logs, strict=True)
    ]
    table["carried"], table["per_within"] = zip(*carried, strict=True)
    table.insert(0, "stage", stage.name)
    return table


def _carried(draws: np.ndarray, given: np.ndarray) -> tuple[float, float]:
    """Share of the variance of draws that moves with others (R²), and how much with the first."""
    others, centred = given - given.mean(axis=0), draws - draws.mean()
    coefficient = np.linalg.lstsq(others, centred, rcond=None)[0]
    return float(np.var(others @ coefficient) / np.var(centred)), float(coefficient[0])


def _cell(fit: xr.DataTree, stage: Stage, number: int, prior: Prior) -> dict[str, object]:
    """Contextual ratio at the national mean deprivation, under one prior."""
    mean = float(fit["constant_data"]["national_mean"])
    row = sg.summarise(sg.inverse_intervention(fit, deprivation=mean)).iloc[0]
    trial = {GRID[0]: stage.trial, GRID[-1]: stage.wide_trial}.get(prior) or (math.nan,) * 3
    return {
        "stage": stage.name,
        "prior": number,
        "cross_level_mean": prior.cross_level.mean,
        "cross_level_sd": prior.cross_level.sd,
        "slope_sd": "half-normal 0.25" if prior.slope_sd.mean == 0 else f"{prior.slope_sd.mean}",
        "within_sd": prior.within_sd,
        "contextual": row["estimate"],
        "lower": row["lower"],
        "upper": row["upper"],
        "mcse": row["mcse"],
        "trial": trial[0],
        "trial_lower": trial[1],
        "trial_upper": trial[2],
        "within": math.exp(fit["posterior"]["within"].median()),
        "cross_level": float(fit["posterior"]["cross_level"].median()),
        "engine": json.loads(fit.attrs["sampler"])["method"],
    }


def _quick_fit(model: sg.GradientModel, *, draws: int, seed: int) -> xr.DataTree:
    """Fit without the sampler, or with it where that engine doubts its draws."""
    with warnings.catch_warnings():
        # How often that happens is printed with the report.
        warnings.filterwarnings("ignore", message="method='auto' goes on with NUTS")
        return sg.fit(model, method="auto", draws=draws, random_seed=seed)


def _check(fit: xr.DataTree) -> str:
    with warnings.catch_warnings():
        # The statement is printed with the report, which is where it is read.
        warnings.simplefilter("ignore", sg.errors.ConvergenceWarning)
        return sg.check_sampling(fit).statement


if __name__ == "__main__":
    main()
