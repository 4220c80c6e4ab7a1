"""The inverse intervention effect in England over years, from the DfE's public totals, 2013-2022.

    python examples/public_years.py --data ../shared/data
    python examples/public_years.py --data ../shared/data --count referrals

One model of all years: an authority's level goes on from year to year, so that the change of the
contextual ratio is known better than two years by themselves. (`public_stages.py` fits all stages
of one year.)

What totals cannot say. They say nothing of the gradient between neighbourhoods: it comes from a
study of 2018-19, as a prior. A contextual ratio is the between ratio, which totals tell, over that
gradient, so its change rests on what the prior says of the gradient's: here that from one year to
the next it moves by 1% (one standard deviation), which is printed beside the change.
"""

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

import socgrad as sg
from public_england import DEPRIVATION, LEFT_OUT, read_neighbourhoods
from public_priors import FIXED, STAGES

__all__ = ["main", "panel_of", "run"]

YEARS = range(2013, 2023)
#: Standard deviation of a year's step of the log gradient: what no total tells.
STEP = 0.01


def main(arguments: Sequence[str] | None = None) -> None:
    """Read, fit, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of public data")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for table and figure")
    parser.add_argument("--count", default="cpp_start", choices=[one.column for one in STAGES])
    parser.add_argument("--draws", type=int, default=1000, help="draws in each of four chains")
    parser.add_argument("--seed", type=int, default=2022, help="of everything random")
    given = parser.parse_args(arguments)
    run(given.data, given.out, count=given.count, draws=given.draws, seed=given.seed)


def panel_of(data: Path, count: str, years: Sequence[int] = YEARS) -> sg.years.Panel:
    """Neighbourhoods of 2011 with each year's children, and the totals of every year."""
    lsoa = read_neighbourhoods(data)
    dfe = pd.read_csv(data / "dfe_cin" / "cin_la_year_stage_2013_2022.csv.gz")
    dfe = dfe[~dfe["new_la_code"].isin(LEFT_OUT)]
    by_year = {year: dfe[dfe["time_period"] == year].set_index("new_la_code") for year in years}
    events, children = (
        sg.places.match_years(lsoa["authority"], {year: by_year[year][name] for year in years})
        for name in (count, "pop_0_17_prev_mid_year")
    )
    areas = events.areas(lsoa)
    tables = []
    for year in years:
        summed = areas.groupby("authority")["children"].sum()
        factor = (children.totals[year].astype(float) / summed).fillna(1.0)
        own = areas["children"] * areas["authority"].map(factor)
        tables.append(areas.assign(year=year, children=own))
    print(events.report.groupby("what")["code"].nunique().to_string())
    return sg.years.Panel.from_frame(
        pd.concat(tables, ignore_index=True),
        year="year",
        area="lsoa11cd",
        authority="authority",
        deprivation=DEPRIVATION,
        children="children",
        totals={year: events.totals[year].dropna() for year in years},
        missing_events="leave out",
        complete=True,
    )


def run(
    data: Path, out: Path, *, count: str, draws: int, seed: int, years: Sequence[int] = YEARS
) -> pd.DataFrame:
    """Fit, print and write; the contextual ratio of each year and its change."""
    start = time.perf_counter()
    stage = next(one for one in STAGES if one.column == count)
    panel = panel_of(data, count, years)
    print(panel)
    priors = sg.Priors(
        within=sg.Normal(math.log(stage.gradient), 0.044),
        cross_level=sg.Normal(-0.05, 0.05),
        slope_sd=sg.PositiveNormal(0.12, FIXED),
    )
    model = sg.StratifiedModel(
        panel,
        priors=priors,
        authority_effects=sg.years.Drift(
            levels="autoregressive", slopes="none", level_sd=sg.PositiveNormal(0.0, 0.2)
        ),
        national=sg.years.National(level=0.2, gradient=STEP, bend=0.01),
    )
    fit = sg.fit(model, draws=draws, random_seed=seed)
    print(f"Fitted: {time.perf_counter() - start:.0f} s. {fit.attrs['sampler']}")
    contextual = sg.inverse_intervention(fit, deprivation=0.2)
    table = sg.summarise(
        contextual, sg.years.change(contextual), sg.years.trend(contextual), sg.years.drift(fit),
        prob=0.95,
    )  # fmt: skip
    print(table.iloc[:, :4].round(3).to_string())
    span = years[-1] - years[0]
    print(
        f"Of the change, the prior alone allows a log ratio of sd {STEP * math.sqrt(span):.3f}: "
        f"gradients that move by {STEP:.0%} a year. No total tells how they moved."
    )
    out.mkdir(parents=True, exist_ok=True)
    table.to_csv(out / f"public_years_{count}.csv")
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    sg.plots.over_years(contextual.isel(deprivation=0), ax=figure.subplots())
    figure.savefig(out / f"public_years_{count}.png", dpi=130)
    return table


if __name__ == "__main__":
    main()
