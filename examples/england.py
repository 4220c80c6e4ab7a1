"""England in 2022 from public files: five stages jointly, a map, and one page.

    python examples/england.py --data ../shared/data

Authority totals of the Department for Education, deprivation and children of neighbourhoods, and
their lookup to authorities. The gradients within authorities are published ones, as priors: totals
say nothing of them (docs/how-to/public-totals.md). Without File 7 of the Indices of Deprivation
2019 in FOLDER/england/iod2019, the score is RECONSTRUCTED from ranks and rounded numerators.
Writes england.html and england_map.png.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

import socgrad as sg
from socgrad import places

#: Each stage's file and column of the Department, and the kind of its published gradient.
STAGES = {
    "Referrals": ("c1", "Referrals", "referral"),
    "Section 47 enquiries": ("c4", "Section47", "section_47"),
    "Conferences": ("c4", "ICPC", "section_47"),
    "Plan starts": ("d1", "CPP_start", "child_protection_plan"),
    "Plans, 31 March": ("d1", "CPP_At31", "child_protection_plan"),
}
#: City of London and the Isles of Scilly, as the study did: they have next to no children.
LEFT_OUT = ("E09000001", "E06000053")


def scores(data: Path) -> list[pd.DataFrame]:
    """Published scores of neighbourhoods, if their file is there."""
    return [places.read_deprivation(file) for file in data.glob("england/iod2019/File_7*")]


def read(data: Path) -> tuple[sg.Strata, places.AuthorityMatch]:
    """Read files into strata of authority totals, one for each stage."""
    file = data / "england" / "england_lsoa.csv.gz"
    columns = {"pop_0_17_mid2020": "children", "idaci_score_recon": "deprivation"}
    own = pd.read_csv(file).rename(columns={"lsoa11cd": "area"} | columns)
    lookup = places.read_lookup(file, authorities=2019)
    areas = places.join(lookup, *scores(data), own[["area", "children", "deprivation"]])
    totals = {}
    for stage, (stem, column, _) in STAGES.items():
        (path,) = (data / "dfe_cin" / "raw_ees_2022").glob(f"{stem}_*")
        totals[stage] = places.authority_totals(places.read_education(path, year=2022), column)
    areas = areas[~areas["authority"].isin(LEFT_OUT)]
    match = places.match_authorities(areas["authority"], totals)
    names = areas.drop_duplicates("authority").set_index("authority")["authority_name"]
    strata = sg.Strata.from_stages(
        match.areas(areas),
        area="area",
        authority="authority",
        deprivation="deprivation",
        children="children",
        stages=dict.fromkeys(STAGES),
        totals={stage: match.totals(its) for stage, its in totals.items()},
        nested=False,  # plans at 31 March are not among the year's starts
        missing_events="leave out",
        complete=True,
        names={"authority": match.names(names)},
    )
    return strata, match


def fitted(strata: sg.Strata, *, draws: int) -> xr.DataTree:
    """Fit all stages jointly, the gradients within authorities as published."""
    priors = {stage: sg.published.priors(gradient) for stage, (*_, gradient) in STAGES.items()}
    model = sg.StratifiedModel(strata, authority_effects="joint", priors=priors)
    # No divergence at 0.9, where steps are twice as long as by default.
    return sg.fit(model, draws=draws, tune=500, target_accept=0.9, random_seed=2022)


def write(fit: xr.DataTree, match: places.AuthorityMatch, *, data: Path, out: Path) -> None:
    """Write the page of rate ratios, and a map of plan starts."""
    out.mkdir(parents=True, exist_ok=True)
    table = sg.summarise(sg.gradient(fit), sg.between(fit), sg.inverse_intervention(fit))
    caption = (
        "England, 2022: rate ratios per 10 points, from authority totals, gradients as published. "
        f"Deprivation: IDACI 2019{'' if scores(data) else ', RECONSTRUCTED'}"
    )
    page = sg.tables.to_html(sg.tables.journal_table(table, caption=caption), page=True)
    (out / "england.html").write_text(page, encoding="utf-8")
    print(table.iloc[:, :4].round(2).to_string())

    file = data.resolve() / "boundaries" / "utla19_england_generalised.geojson.gz"
    boundaries = gpd.read_file(f"/vsigzip/{file}")
    units = boundaries.assign(unit=boundaries["code"].map(match.of_areas)).dissolve("unit")
    rates = sg.rates.authority_rate(sg.stratum(fit, "Plan starts"))
    figure = Figure(figsize=(7, 7), layout="constrained")
    sg.plots.authority_map(
        rates, units.reset_index(), key="unit", label="Plan starts per 10,000 children, 2022",
        ax=figure.subplots(),
    )  # fmt: skip
    figure.savefig(out / "england_map.png")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read, fit, and write the page and the map."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of public data")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for page and map")
    parser.add_argument("--draws", type=int, default=1000, help="draws in each of four chains")
    given = parser.parse_args(arguments)
    strata, match = read(given.data)
    print(match.report[match.report["what"] != "same code"].to_string(index=False))
    fit = fitted(strata, draws=given.draws)
    print(sg.check_sampling(fit).statement)
    write(fit, match, data=given.data, out=given.out)


if __name__ == "__main__":
    main()
