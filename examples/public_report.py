"""The printed report of `public_totals.py`: tables in words, at most 100 columns wide."""

from __future__ import annotations  # pandas' own classes are not generic at run time

import math
import textwrap
from collections.abc import Mapping, Sequence

import pandas as pd

from public_england import DEPRIVATION, England

__all__ = ["print_report"]

WIDTH = 100


def print_report(
    england: England, tables: Mapping[str, pd.DataFrame], *, checks: Sequence[str]
) -> None:
    """Print the tables with what is needed to read them.

    Parameters
    ----------
    england
        Matched tables.
    tables
        `matching`, `crude`, `estimates` and `grid`, as `public_totals.run` makes them.
    checks
        One statement per stage on whether the sampler converged.
    """
    _matching(england, tables["crude"])
    _crude(tables["crude"])
    _estimates(tables["estimates"])
    _trial(tables["grid"])
    _grid(tables["grid"])
    _reading(tables["estimates"], tables["grid"])
    _heading("6. Did the sampler converge?")
    for check in checks:
        _say(check)
    short = tables["grid"].query("prior > 0")
    if len(short):
        _say(f"""Grid: {len(short)} fits with method="auto", of which
            {(short["engine"] == "laplace").sum()} needed no sampler; largest Monte Carlo error of a
            ratio {short["mcse"].max():.3f}.""")


def _heading(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}")


def _say(text: str) -> None:
    print(textwrap.fill(" ".join(text.split()), WIDTH))


def _interval(low: float, high: float) -> str:
    return f"{low:.2f}-{high:.2f}"


def _intervals(rows: pd.DataFrame, lower: str, upper: str) -> list[str]:
    pairs = zip(rows[lower].astype(float), rows[upper].astype(float), strict=True)
    return ["" if math.isnan(low) else _interval(low, high) for low, high in pairs]


def _matching(england: England, crude: pd.DataFrame) -> None:
    _heading("1. Authorities")
    _say(f"""{len(england.areas):,} LSOAs (2011) in {len(england.totals)} authorities, of which
        those that were reorganised together are one; City of London and the Isles of Scilly are
        left out, as in the study. {england.areas["children"].sum():,.0f} children 0-17: the mean of
        mid-2017 and mid-2019, since the DfE divides its 2019 counts by mid-2018. Deprivation:
        column {DEPRIVATION}, RECONSTRUCTED from official ranks and rounded numerators (error about
        0.001), not the published IDACI score.""")
    report = england.match.report
    others = report[report["what"] != "same code"]
    print(f"\nNot matched by one code ({len(others)} of {len(report)}):")
    for row in others.to_dict("records"):
        print(f"  {row['table']:>6}  {row['code']}  {row['what']}: {row['unit']}")
    print()
    agree = england.checked - england.differing
    print()
    _say(f"""Children of mid-2017 summed over these LSOAs against the DfE's own population of the
        year before: {agree} of {england.checked} agree to the child.""")
    if england.differing:
        _say("For the others LSOAs and totals are not of the same place: do not trust them.")
    blanks = crude[crude["blank"] != ""]
    for row in blanks.to_dict("records"):
        _say(f"Total blank (suppressed or not returned), left out: {row['stage']}: {row['blank']}.")
    if blanks.empty:
        print("Totals that are blank (suppressed or not returned): none in these authorities.")


def _crude(crude: pd.DataFrame) -> None:
    _heading("2. Before any model: slope of authority rates on authority deprivation")
    _say("Rate ratio per 10 points of mean IDACI, least squares of log rates, authorities equal.")
    table = pd.DataFrame(
        {
            "stage": crude["stage"],
            "authorities": crude["authorities"],
            "events": crude["events"].map("{:,}".format),
            "per 10,000": crude["per_10000"].map("{:.0f}".format),
            "slope": crude["slope"].map("{:.2f}".format),
            "95%": _intervals(crude, "lower", "upper"),
            "earlier trial": ["" if math.isnan(x) else f"{x:.2f}" for x in crude["trial_slope"]],
        }
    )
    print(table.to_string(index=False))
    trial = crude["trial_slope"].fillna(crude["slope"])
    outside = crude.loc[~trial.between(crude["lower"], crude["upper"]), "stage"]
    beyond = f", {', '.join(outside)} by more than this interval" if len(outside) else ""
    _say(f"""The earlier trial's slopes are lower{beyond}. Which authorities it had is not recorded.
        Keeping City of London and the Isles of Scilly would lower CIN episodes to about 1.34 and
        referrals to 1.35: part of the difference, not all.""")


LABELS = {
    ("within", ""): "within an authority (gradient)",
    ("between", ""): "between, at the authority's mean",
    ("between, rates", ""): "whole authorities' rates",
    ("contextual", "national mean"): "CONTEXTUAL, at national mean IDACI",
    ("contextual", "P10"): "  at P10 of neighbourhoods",
    ("contextual", "P50"): "  at P50",
    ("contextual", "P90"): "  at P90",
    ("steepening", ""): "steepening (ratio of gradients)",
}


def _estimates(estimates: pd.DataFrame) -> None:
    _heading("3. Rate ratios per 10 percentage points, and how much of each is prior")
    _say("""CONTEXTUAL: an equally deprived neighbourhood in an authority 10 points more deprived;
        below 1, rates are higher in affluent authorities. Priors: within, the published gradient
        with sd 0.03 of its log (6% either way); steepening exp(Normal(-0.05, 0.05)); sd of
        gradients between authorities 0.12, fixed;
        between exp(Normal(0, 0.5)).""")
    _say("""prior share: (posterior sd / prior sd) squared, on the log scale, at most 100%: 100% =
        the totals taught nothing, 0% = the prior hardly matters. carried: share of the contextual
        ratio's posterior variance that moves with within and steepening (R² over the draws), that
        is with what the priors decide. The prior share is low, since totals settle the between
        part; carried shows that most of what is left is the gradient's and the steepening's.""")
    for stage, rows in estimates.groupby("stage", sort=False):
        print(f"\n{str(stage).upper()}")
        table = pd.DataFrame(
            {
                "": [LABELS[key] for key in zip(rows["estimand"], rows["at"], strict=True)],
                "ratio": rows["estimate"].map("{:.2f}".format),
                "95%": _intervals(rows, "lower", "upper"),
                "prior 95%": _intervals(rows, "prior_lower", "prior_upper"),
                "prior share": _percent(rows["prior_share"]),
                "carried": _percent(rows["carried"]),
            }
        )
        table[""] = table[""].str.ljust(36)
        print(table.to_string(index=False))


def _percent(shares: pd.Series[float]) -> list[str]:
    return ["" if math.isnan(share) else f"{share:.0%}" for share in shares.astype(float)]


def _trial(grid: pd.DataFrame) -> None:
    _heading("4. Against the earlier trial on the same sources")
    rows = grid[grid["trial"].notna()]
    table = pd.DataFrame(
        {
            "stage": rows["stage"],
            "priors": ["section 3" if prior == 0 else "wider" for prior in rows["prior"]],
            "here": rows["contextual"].map("{:.2f}".format),
            "95%": _intervals(rows, "lower", "upper"),
            "trial": rows["trial"].map("{:.2f}".format),
            "trial 95%": _intervals(rows, "trial_lower", "trial_upper"),
        }
    )
    print(table.sort_values("priors", kind="stable").to_string(index=False))
    inside = rows["contextual"].between(rows["trial_lower"], rows["trial_upper"])
    _say(f"""{inside.sum()} of {len(rows)} lie within the trial's interval. Wider: the last row of
        section 5; the trial's own wider priors are not recorded in full. The ratio is taken at the
        national mean. Each total is one Poisson count whose spread the authority's level takes up,
        so that a negative binomial changes nothing (tried: 0.84 for referrals, 0.71 for plan
        starts).""")


def _grid(grid: pd.DataFrame) -> None:
    _heading("5. The contextual ratio (at national mean IDACI) under other priors")
    _say("""γ: change of the log gradient per 10 points of authority deprivation; sd1: sd of log
        gradients between authorities (hn: half-normal 0.25, free); βw sd: of the log gradient about
        the published one. First row: section 3; last: every prior wider.""")
    cells = grid.assign(
        cell=[
            f"{row['contextual']:.2f} {_interval(row['lower'], row['upper'])}"
            for row in grid.to_dict("records")
        ],
        label=[
            f"{row['cross_level_mean']:+.2f}±{row['cross_level_sd']:.2f} "
            f"{str(row['slope_sd']).replace('half-normal 0.25', 'hn'):>4} {row['within_sd']:.2f}"
            for row in grid.to_dict("records")
        ],
    )
    table = cells.pivot_table(
        index=["prior", "label"], columns="stage", values="cell", aggfunc="first"
    )
    table = table[list(grid["stage"].unique())].reset_index("prior", drop=True).reset_index()
    table.columns.name = None
    print(table.rename(columns={"label": "γ        sd1 βw sd"}).to_string(index=False))


def _reading(estimates: pd.DataFrame, grid: pd.DataFrame) -> None:
    _heading("Reading")
    contextual = estimates.query("estimand == 'contextual' and at == 'national mean'")
    smaller = [1 - 1.1 ** float(power) for power in contextual["per_within"]]
    ratios = contextual.set_index("stage").to_dict("index")
    gradients = estimates.query("estimand == 'within'").set_index("stage").to_dict("index")
    for stage, cells in grid.groupby("stage", sort=False):
        row, within = ratios[str(stage)], gradients[str(stage)]
        published = (within["prior_lower"] * within["prior_upper"]) ** 0.5
        low, high = cells["contextual"].min(), cells["contextual"].max()
        above = (cells["upper"] >= 1).sum()
        _say(f"""* {stage}: {1 - row["estimate"]:.0%} lower in an equally deprived neighbourhood of
            an authority 10 points more deprived ({_interval(row["lower"], row["upper"])}); other
            priors give {low:.2f} to {high:.2f}, and {above} of {len(cells)} intervals reach 1.
            Totals moved the gradient from {published:.2f} to {within["estimate"]:.2f}.""")
    _say(f"""Data: the slope of rates between authorities, and how deprivation is spread within
        them. Prior: the gradient between neighbourhoods. If it were 10% larger, the contextual
        ratios would be {min(smaller):.0%} to {max(smaller):.0%} smaller. It was measured on
        school-aged children in 2018-19; the totals count children of 0 to 17, and gradients are
        steeper among the younger, so the ratios here may be a little too near 1. CIN episodes at
        31 March are not quite the study's child in need plans.""")
    _say("""What the totals seem to say about the gradient itself, they say through a curve: an
        authority's rate is a mean of exponentials, so it also depends on the spread of deprivation
        within it. That holds if rates are log-linear in deprivation and spread has no effect of its
        own. Neither is shown here, so a gradient moved by totals is weak evidence.""")
    _say("""All is ecological: no child's or neighbourhood's outcome is in these data. Thresholds,
        need and supply of services that go with authority deprivation are all in the contextual
        ratio. The stages count the same children again and share authorities: do not read
        differences between their ratios as independent.""")
