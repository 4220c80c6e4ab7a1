"""Inverse intervention in England by stage in one year, from the DfE's public totals.

    python examples/public_stages.py --data ../shared/data                            # 2019
    python examples/public_stages.py --data ../shared/data --year 2022
    python examples/public_stages.py --data ../shared/data --effects independent      # quicker

For each stage, and for plan starts by category of abuse and children in need by need code, the
between and contextual rate ratios per 10 points of deprivation. The stages are fitted jointly: an
authority high at one stage is high at the next, so two stages' ratios are compared within each
draw. Categories and needs are fitted one by one. How a count's ratio changed over ten years is
asked of one model of all years: `public_years.py`.

What totals cannot say. Counts of whole authorities say nothing of the gradient between
neighbourhoods: it comes from a published study of 2018-19, as a prior
(`public_priors.py`; `public_totals.py` says how much of each estimate is prior). A contextual ratio
is the between ratio, which totals do tell, over that gradient: were the true gradient of a stage 5%
steeper than the prior has it, the ratio would be 5% lower. Whether deprived
authorities have flatter gradients, and whether an authority steep at one stage is steep at the
next, no total can say.

Suppressed counts (1-5, shown as c) and those not returned are never zeros: these authorities are
left out of that stage, and named in public_stages_left_out.csv. Where many are, they are
the small ones and those with few events, so that what is left is no fair sample: such rows are
marked. So are two counts of one authority left out that cannot both be right, as 118 conferences
beside 1,291 plans that began at one: see `doubtful`.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

import argparse
import itertools
import math
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

import socgrad as sg
from public_england import DEPRIVATION, read_neighbourhoods, summed
from public_priors import Prior
from socgrad import places

__all__ = ["COUNTS", "Count", "England", "main", "read_years", "run", "strata_of_year"]


@dataclass(frozen=True)
class Count:
    """A published count, and what is known of its gradient between neighbourhoods.

    Attributes
    ----------
    kind, name, column : str
        What it is among (stage, category of abuse, need), in words, and in the DfE's table.
    gradient, sd : float
        Prior of the rate ratio per 10 points, and of its log.
    """

    kind: str
    name: str
    column: str
    gradient: float
    sd: float


#: Gradients of referrals, plans for children in need, section 47 and child protection plans are
#: published (https://doi.org/10.1093/bjsw/bcab255). None is for conferences, which lie between the
#: last two, nor by category and need, which lie about the whole: these priors are wider.
COUNTS = (
    Count("stage", "Referrals", "referrals", 1.62, 0.03),
    Count("stage", "Children in need, 31 March", "at31_episodes", 1.64, 0.03),
    Count("stage", "Section 47 enquiries", "section47", 1.69, 0.03),
    Count("stage", "Conferences", "icpc", 1.74, 0.05),
    Count("stage", "Plan starts", "cpp_start", 1.80, 0.03),
    Count("stage", "Plans, 31 March", "cpp_at31", 1.80, 0.03),
    Count("category", "Plan starts: neglect", "Neglect_Initial", 1.80, 0.10),
    Count("category", "Plan starts: emotional", "Emotional_Initial", 1.80, 0.10),
    Count("category", "Plan starts: physical", "Physical_Initial", 1.80, 0.10),
    Count("category", "Plan starts: sexual", "Sexual_Initial", 1.80, 0.10),
    Count("category", "Plan starts: multiple", "Multiple_Initial", 1.80, 0.10),
    Count("need", "In need: abuse or neglect", "n1_abuse_or_neglect", 1.64, 0.10),
    Count("need", "In need: child's disability", "n2_childs_disability_or_illness", 1.64, 0.10),
    Count("need", "In need: parent's disability", "n3_parents_disability_or_illness", 1.64, 0.10),
    Count("need", "In need: acute stress", "n4_family_in_acute_stress", 1.64, 0.10),
    Count("need", "In need: dysfunction", "n5_family_dysfunction", 1.64, 0.10),
    Count("need", "In need: behaviour", "n6_socially_unacceptable_behaviour", 1.64, 0.10),
    Count("need", "In need: absent parenting", "n8_absent_parenting", 1.64, 0.10),
)
YEARS = range(2013, 2023)
#: Codes that the derived table changed, in the DfE's own files.
HARMONISED = {"E06000048": "E06000057", "E08000020": "E08000037"}
CATEGORIES = "raw_ees_2022/d2_cpps_starting_by_category_of_abuse_2013_to_2022.csv.gz"
#: Share of authorities without a count above which a row is marked.
MANY = 0.10
#: SDs from the country's median beyond which the ratio of two stages is doubted: of the 750 ratios
#: of a year, were they normal, one would be so once in two hundred years.
DOUBTED = 4.5


@dataclass(frozen=True, eq=False)
class England:
    """Neighbourhoods, and the DfE's counts of authorities in every year.

    Attributes
    ----------
    lsoa : pandas.DataFrame
        One row per neighbourhood (2011), with children and deprivation (IDACI 2019).
    counts : pandas.DataFrame
        One row per year and authority; missing where suppressed or not returned.
    """

    lsoa: pd.DataFrame
    counts: pd.DataFrame


def main(arguments: Sequence[str] | None = None) -> None:
    """Read, fit, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of public data")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the tables")
    parser.add_argument("--year", type=int, default=2019, choices=YEARS)
    parser.add_argument(
        "--effects",
        choices=("joint", "independent"),
        default="joint",
        help="of authorities at the stages",
    )
    parser.add_argument("--draws", type=int, default=1000, help="draws in each of four chains")
    parser.add_argument("--seed", type=int, default=2019, help="of everything random")
    given = parser.parse_args(arguments)
    run(
        read_years(given.data),
        given.out,
        year=given.year,
        effects=given.effects,
        draws=given.draws,
        seed=given.seed,
    )


def read_years(data: Path) -> England:
    """Read the neighbourhoods, the DfE's totals and its plans by category of abuse."""
    lsoa = read_neighbourhoods(data)
    folder = data / "dfe_cin"
    counts = pd.read_csv(folder / "cin_la_year_stage_2013_2022.csv.gz")
    raw = pd.read_csv(folder / CATEGORIES, dtype=str)
    raw = raw[raw["geographic_level"] == "Local authority"]
    columns = [count.column for count in COUNTS if count.kind == "category"]
    plans = raw[columns].apply(pd.to_numeric, errors="coerce")  # c, x and z are not numbers
    plans["time_period"] = raw["time_period"].astype(int)
    plans["new_la_code"] = raw["new_la_code"].replace(HARMONISED)
    keys = ["time_period", "new_la_code"]
    return England(lsoa, counts.merge(plans, on=keys, how="left", validate="one_to_one"))


def run(
    england: England,
    out: Path,
    *,
    seed: int,
    year: int = 2019,
    counts: Sequence[Count] = COUNTS,
    effects: Literal["joint", "independent"] = "joint",
    draws: int = 1000,
) -> pd.DataFrame:
    """Fit every count of a year; print, write and return the table.

    Parameters
    ----------
    england
        From `read_years`.
    out
        Folder for the tables.
    seed
        Of everything random; each year and kind has a seed of its own.
    year, counts
        What to fit.
    effects
        Of authorities at the stages; at categories and needs they are independent.
    draws
        Kept per chain, of four, of joint stages; twice as many of the others.

    Returns
    -------
    pandas.DataFrame
        One row per count: see `estimates`.
    """
    start = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    tables, absent, checks, exceeding = [], [], [], []
    for place, kind in enumerate(dict.fromkeys(count.kind for count in counts)):
        some = {count.name: count for count in counts if count.kind == kind}
        areas, totals, names = year_of(england, year)
        for count in some.values():
            blank = names[totals[count.column].isna()]
            absent += [(year, count.name, code, at, "no count") for code, at in blank.items()]
        for name, code, why in doubtful(totals, list(some.values())):
            totals.loc[code, some[name].column] = math.nan
            absent.append((year, name, code, names[code], why))
        strata, words = strata_of_year(areas, totals, list(some.values()))
        exceeding += [(year, words)] if words else []
        together = effects if kind == "stage" and len(some) > 1 else "independent"
        fit, check = fitted(
            strata, some, seed=seed + 10 * year + place, effects=together, draws=draws
        )
        checks.append((year, kind, check))
        tables.append(estimates(fit, some, totals, year))
    table = pd.concat(tables, ignore_index=True)
    columns = ["year", "count", "code", "authority", "why"]
    left_out = pd.DataFrame(absent, columns=columns).drop_duplicates(columns[:3])
    report(table, left_out, checks, exceeding)
    table.to_csv(out / "public_stages.csv", index=False)
    left_out.to_csv(out / "public_stages_left_out.csv", index=False)
    print(f"\nTables: {out}/public_stages*. {time.perf_counter() - start:.0f} s in all.")
    return table


def year_of(england: England, year: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series[str]]:
    """Neighbourhoods with that year's children, counts by authority, and names of authorities.

    Children of mid-2018 are scaled to the DfE's number for each authority in the year; where that
    is missing they stay as they are.
    """
    dfe = england.counts[england.counts["time_period"] == year].set_index("new_la_code")
    match = places.match_authorities(england.lsoa["authority"], dfe["pop_0_17_prev_mid_year"])
    areas, totals = match.areas(england.lsoa), summed(match, dfe)
    children = areas.groupby("authority")["children"].sum()
    totals = totals.reindex(children.index)
    factor = (totals["pop_0_17_prev_mid_year"] / children).fillna(1.0)
    areas = areas.assign(children=areas["children"] * areas["authority"].map(factor))
    return areas, totals, totals["la_name"]


def doubtful(totals: pd.DataFrame, counts: Sequence[Count]) -> list[tuple[str, str, str]]:
    """Counts of an authority that cannot both be right: name, code of the authority, and why.

    Of each stage and the next one of `COUNTS`, the log ratio of an authority's counts is held
    against the country's median; SDs are from the median absolute deviation, with the chance in the
    two counts. Which of the two is wrong the table does not say, so both are left out. A normal
    model of authorities has no room for such a pair: it takes the gradient at one stage to be five
    SDs steeper or five flatter, and no sampler passes from the one to the other.
    """
    found = []
    stages = [count for count in COUNTS if count.kind == "stage"]
    for one, other in itertools.pairwise(stages):
        if not {one, other} <= set(counts):
            continue
        pair = totals[[one.column, other.column]].astype(float)
        pair = pair[(pair > 0).all(axis=1)]
        off = (pair[one.column] / pair[other.column]).map(math.log)
        off -= off.median()
        spread = 1.4826 * off.abs().median()
        z = off / np.sqrt(spread**2 + (1 / pair).sum(axis=1))
        for code, (first, second) in pair[z.abs() > DOUBTED].iterrows():
            why = f"{one.name} {first:,.0f} beside {other.name} {second:,.0f}"
            found += [(each.name, str(code), why) for each in (one, other)]
    return found


def strata_of_year(
    areas: pd.DataFrame, totals: pd.DataFrame, counts: Sequence[Count]
) -> tuple[sg.Strata, str]:
    """Strata of authority totals; an authority without a count stays in the means alone.

    Also returns which stages exceed the stage before them, in words: those at 31 March are of
    children whose referral may be years back, so they may.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        strata = sg.Strata.from_stages(
            areas,
            area="lsoa11cd",
            authority="authority",
            deprivation=DEPRIVATION,
            children="children",
            stages=dict.fromkeys(count.name for count in counts),
            totals={count.name: totals[count.column].dropna() for count in counts},
            nested=counts[0].kind == "stage",
            missing_events="leave out",
            complete=True,
        )
    words = ""
    for one in caught:
        if issubclass(one.category, sg.errors.StageOrderWarning):
            words = str(one.message).partition(": ")[2].partition(". Episodes")[0]
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    return strata, words


def fitted(
    strata: sg.Strata,
    counts: Mapping[str, Count],
    *,
    seed: int,
    effects: Literal["joint", "independent"],
    draws: int,
) -> tuple[xr.DataTree, str]:
    """Fit all strata of a year; return the fit and whether it can be trusted."""
    priors = {}
    for name, count in counts.items():
        base = Prior()
        priors[name] = sg.Priors(
            within=sg.Normal(math.log(count.gradient), count.sd),
            cross_level=base.cross_level,
            slope_sd=base.slope_sd,
        )
    model = sg.StratifiedModel(strata, authority_effects=effects, priors=priors)
    with warnings.catch_warnings():
        # Whether the draws can be trusted is printed with the report.
        warnings.filterwarnings("ignore", message=".*goes on with NUTS")
        warnings.simplefilter("ignore", sg.errors.ConvergenceWarning)
        if effects == "joint":
            # Of 2019, six stages: no divergence at 0.9 or 0.95, at half the cost of the default.
            fit = sg.fit(model, draws=draws, tune=500, target_accept=0.95, random_seed=seed)
        else:
            # Correlations of rare counts, many of them hidden, mix slowly; and these fits are fast.
            fit = sg.fit(model, draws=2 * draws, random_seed=seed)
        check = sg.check_sampling(fit)
    return fit, "" if check.converged else check.statement


def estimates(
    fit: xr.DataTree, counts: Mapping[str, Count], totals: pd.DataFrame, year: int
) -> pd.DataFrame:
    """Ratios per 10 points of every count: between, of whole authorities' rates, contextual.

    Of a joint fit also the contextual ratio over that of the first count, draw by draw, with the
    probability that it is below 1, and the correlation of authorities' levels with the first's.
    """
    mean = float(fit["constant_data"]["national_mean"])
    draws = {
        "between": sg.between(fit),
        "between_rates": sg.between(fit, scale="rates"),
        "contextual": sg.inverse_intervention(fit, deprivation=mean),
    }
    first, *others = counts
    alike = {}
    if "level_correlation" in fit["posterior"]:
        levels = sg.stages.stratum_correlations(fit)["level_correlation"]
        alike = {name: levels.sel(pair=f"{first}, {name}", drop=True) for name in others}
    rows = []
    for name, count in counts.items():
        column = totals[count.column]
        row: dict[str, object] = {
            "year": year,
            "kind": count.kind,
            "count": name,
            "events": int(column.sum()),
            "authorities": int(column.notna().sum()),
            "left_out": int(column.isna().sum()),
            "many_left_out": bool(column.isna().mean() > MANY),
        }
        for what, values in draws.items():
            own = values.sel(stratum=name).drop_vars("stratum")
            summary = sg.summarise(own, prob=0.95).iloc[0]
            row[what] = summary["estimate"]
            row[f"{what}_lower"] = summary["lower"]
            row[f"{what}_upper"] = summary["upper"]
        if name in alike:
            contextual = draws["contextual"]
            over = contextual.sel(stratum=name) / contextual.sel(stratum=first)
            for what, values in (("over_first", over), ("level_correlation", alike[name])):
                ends = np.quantile(values, [0.5, 0.025, 0.975])
                row |= dict(zip((what, f"{what}_lower", f"{what}_upper"), ends, strict=True))
            row["over_first_below_one"] = float((over < 1).mean())
        rows.append(row)
    return pd.DataFrame(rows)


def report(
    table: pd.DataFrame,
    left_out: pd.DataFrame,
    checks: Sequence[tuple[int, str, str]],
    exceeding: Sequence[tuple[int, str]] = (),
) -> None:
    """Print the ratios of every count by year, what was left out, and what was odd."""
    print(
        "\nAUTHORITY RATES: ratio of whole authorities' rates per 10 points of mean deprivation.\n"
    )
    print(by_year(table, "between_rates"))
    print("\nCONTEXTUAL rate ratio, an authority 10 points more deprived over another, at equal")
    print("neighbourhood deprivation (the national mean). Below 1: higher in affluent authorities.")
    print("The gradient between neighbourhoods is from the literature: if it was 5% steeper, the")
    print("ratios are 5% lower. + over a tenth of the authorities left out: few events are hidden")
    print("there, so what is left is no fair sample.\n")
    print(by_year(table, "contextual"))
    if "over_first" in table:
        together = table[table["over_first"].notna()]
        first = table.loc[table["kind"] == "stage", "count"].iloc[0]
        print(f"\nOver the contextual ratio of {first.lower()}, in the same draw of the joint fit")
        print("(below 1: leans further towards affluent authorities); * 95% interval excludes 1.\n")
        print(by_year(together, "over_first"))
        print(f"\nCORRELATION of authorities' levels with those of {first.lower()}, given their")
        print("deprivation. Of their gradients totals say nothing.\n")
        print(by_year(together, "level_correlation"))
    last = table[table["year"] == table["year"].max()]
    print(f"\nWith 95% intervals, {int(last['year'].iloc[0])}:")
    for row in last.to_dict("records"):
        print(
            f"  {row['count']:<30}{row['events']:>9,} events {row['left_out']:>4} left out"
            f"   authority rates {row['between_rates']:.2f} ({row['between_rates_lower']:.2f}-"
            f"{row['between_rates_upper']:.2f})   contextual {row['contextual']:.2f} "
            f"({row['contextual_lower']:.2f}-{row['contextual_upper']:.2f})"
        )
    stages = left_out[left_out["count"].isin(table.loc[table["kind"] == "stage", "count"])]
    if len(stages):
        print("\nStages: authorities left out, without a count (suppressed or not returned), or")
        print(f"with two that go ill together (over {DOUBTED} SDs off the country's ratio):")
        missing = stages["why"] == "no count"
        for (year, name), rows in stages[missing].groupby(["year", "count"]):
            print(f"  {year} {name}: {', '.join(rows['authority'])}")
        for (year, authority), rows in stages[~missing].groupby(["year", "authority"]):
            print(f"  {year} {authority}, doubted: {'; '.join(rows['why'].unique())}")
    print(f"\n{len(left_out)} left out in all, each by name in public_stages_left_out.csv")
    if exceeding:
        print("\nStages that exceed the stage before them. Those at 31 March count children whose")
        print("referral may be years back, so they may; the same children cannot.")
        for year, words in exceeding:
            print(f"  {year}: {words}")
    bad = [f"  {year}, {kind}: {words}" for year, kind, words in checks if words]
    print("\n" + ("\n".join(["NOT CONVERGED:", *bad]) if bad else "All fits converged."))


def by_year(table: pd.DataFrame, what: str) -> str:
    """One estimate of every count, a column for each year, marked as the report says."""
    cells = []
    for row in table.to_dict("records"):
        apart = what == "over_first" and not row["over_first_lower"] < 1 < row["over_first_upper"]
        mark = ("+" if row["many_left_out"] else "") + ("*" if apart else "")
        cells.append(f"{row[what]:.2f}{mark:<2}")
    marked = table.assign(cell=cells)
    wide = marked.pivot_table(index="count", columns="year", values="cell", aggfunc="first")
    return str(wide.loc[list(dict.fromkeys(table["count"]))].fillna("").to_string())


if __name__ == "__main__":
    main()
