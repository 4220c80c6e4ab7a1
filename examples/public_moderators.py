"""What makes a gradient steep? What England's public totals can say of it, and what not.

    python examples/public_moderators.py --data ../shared/data

Authority covariates of 2019 (region; inequality of pay, the mean over the median) beside the DfE's
totals of plan starts. Prints what each does to the level of plan starts and to the gradient between
neighbourhoods, and next to it how much of that the totals taught and how much is prior.

How to read it (plan starts, year to March 2019, 130 authorities). At equal deprivation,
authorities where pay is more unequal start fewer plans: 0.87 (0.81-0.93) per standard deviation of
the log ratio, 0.90 (0.85-0.96) without the one authority whose ratio is beyond 1.9. Pay and region
together take the standard deviation of authority levels from 0.32 to 0.26, and leave the contextual
ratio below 1: 0.68 (0.57-0.80), after 0.73 (0.62-0.85).

Nothing can be said of what moderates the gradient. The ratios of gradients, 0.94 (0.84-1.05) for
pay and 0.89 (0.65-1.26) for elsewhere against London, hold 1; and they are no observations of
gradients, since no count of a neighbourhood is in the data. What `learned` shows of them comes from
the model's form alone: a steeper gradient would raise the total of an authority, the more so the
wider its neighbourhoods differ, and that cannot be told from a higher level for other reasons. It
takes counts of neighbourhoods. Authorities without published pay (20) are left out, which need not
be harmless; and pay differs between places in much else that no model here holds constant.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd
import xarray as xr

import socgrad as sg
from public_england import DEPRIVATION, England, read_england

__all__ = ["authority_covariates", "main", "run"]

#: Published gradient of plans per 10 points (Goldacre & Hood 2022, school-aged children, 2018-19),
#: with room for other ages; and how far gradients are thought to vary. Totals inform neither.
PRIORS = sg.Priors(
    within=sg.Normal(math.log(1.80), 0.05),
    cross_level=sg.Normal(-0.05, 0.05),
    slope_sd=sg.PositiveNormal(0.12, 0.03),
)
#: By name, the formulas of levels and of gradients.
MODELS: dict[str, tuple[str | None, str | None]] = {
    "deprivation alone": (None, None),
    "levels": ("~ scale(log(pay)) + region", None),
    "levels and gradients": ("~ scale(log(pay)) + region", "~ scale(log(pay)) + london"),
}
_EFFECTS: tuple[tuple[Literal["level", "gradient"], str], ...] = (
    ("level", "authority_covariate"),
    ("gradient", "moderator"),
)


def authority_covariates(data: Path, *, year: int = 2019) -> pd.DataFrame:
    """Inequality of pay and region of each authority; index its code.

    Parameters
    ----------
    data
        Folder with `dfe_cin/ipse_merged_la_year_2010_2022.csv.gz`.
    year
        Year of the DfE's returns, to 31 March.
    """
    table = pd.read_csv(data / "dfe_cin" / "ipse_merged_la_year_2010_2022.csv.gz")
    table = table[table["time_period"] == year].set_index("new_la_code")
    london = table["region_name"].str.contains("London")
    return pd.DataFrame(
        {
            # The codebook says median to mean; all values are above 1, so it is mean to median.
            "pay": table["mm_ginc_ratio"],
            "region": table["region_name"],
            "london": london.map({True: "London", False: "elsewhere"}),
        }
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the tables, fit the three models and print what they say."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of public data")
    parser.add_argument("--seed", type=int, default=2019, help="of the engine")
    given = parser.parse_args(arguments)
    run(read_england(given.data), authority_covariates(given.data), seed=given.seed)


def run(
    england: England,
    covariates: pd.DataFrame,
    *,
    seed: int,
    models: Mapping[str, tuple[str | None, str | None]] = MODELS,
) -> dict[str, pd.DataFrame]:
    """Fit every model and print its ratios.

    Parameters
    ----------
    england
        Matched tables.
    covariates
        As from `authority_covariates`.
    seed
        Of the engine.
    models
        By name, the formulas of levels and of gradients.

    Returns
    -------
    dict of pandas.DataFrame
        By model, one row per ratio.
    """
    totals = england.totals["cpp_start"].dropna()
    known = covariates.reindex(totals.index).dropna()
    left_out = england.totals.loc[totals.index.difference(known.index), "la_name"].tolist()
    print(f"{len(known)} authorities; {len(left_out)} without the ratio of pay left out.")
    areas = sg.Areas.from_frame(
        england.areas[england.areas["authority"].isin(known.index)],
        area="lsoa11cd",
        authority="authority",
        children="children",
        deprivation=DEPRIVATION,
        totals=totals[known.index],
        complete=True,
        authority_covariates=known,
    )
    tables = {}
    for name, (levels, gradients) in models.items():
        model = sg.GradientModel(
            areas, priors=PRIORS, authority_covariates=levels, moderators=gradients
        )
        fit = sg.fit(model, method="auto", random_seed=seed)
        tables[name] = _table(fit)
        print(f"\n{name}\n{tables[name].round(2).to_string()}")
    return tables


def _table(fit: xr.DataTree) -> pd.DataFrame:
    """Ratios with their intervals, and what the totals taught of each, of the prior's variance."""
    mean = float(fit["constant_data"]["national_mean"])
    ratios = [sg.gradient(fit), sg.inverse_intervention(fit, deprivation=mean)]
    names = ["gradient", "contextual ratio at the national mean"]
    learned = sg.prior_checks.compare_prior(fit)["learned"]
    taught = [float(learned["within"]), math.nan]
    for effect, kind in _EFFECTS:
        if f"{kind}_coefficient" not in fit["posterior"]:
            continue
        ratio = sg.covariates.covariate_ratio(fit, effect=effect)
        ratios.append(ratio)
        columns = ratio["covariate"].to_numpy().tolist()
        names += [f"{effect}: {column}" for column in columns]
        taught += [float(learned[f"{kind}[{column}]"]) for column in columns]
    table = sg.summarise(*ratios)[["estimate", "lower", "upper"]]
    table.index = pd.Index(names, name="ratio")
    return table.assign(learned=taught, level_sd=float(fit["posterior"]["level_sd"].median()))


if __name__ == "__main__":
    main()
