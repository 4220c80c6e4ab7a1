"""England in 2022 from public files: five stages jointly, a map, and one page.

    python examples/england.py --data ../shared/data

Authority totals of the Department for Education, deprivation and children of neighbourhoods, and
their lookup to authorities. The gradients within authorities are published ones, as priors: totals
say nothing of them (docs/how-to/public-totals.md). Without File 7 of the Indices of Deprivation
2019 in FOLDER/england/iod2019, the score is RECONSTRUCTED from ranks and rounded numerators.
Writes england.html and england_map.png.
"""

import argparse
from pathlib import Path

import geopandas as gpd
import pandas as pd
from matplotlib.figure import Figure

import socgrad as sg
from socgrad import places

STAGES = {
    "Referrals": ("c1", "Referrals", "referral"),
    "Section 47 enquiries": ("c4", "Section47", "section_47"),
    "Conferences": ("c4", "ICPC", "section_47"),
    "Plan starts": ("d1", "CPP_start", "child_protection_plan"),
    "Plans, 31 March": ("d1", "CPP_At31", "child_protection_plan"),
}
#: As the study did: they have next to no children.
LEFT_OUT = ("E09000001", "E06000053")


def read_areas(england: Path) -> pd.DataFrame:
    """Neighbourhoods with authority, children of mid-2020 and deprivation."""
    lookup = places.read_lookup(england / "england_lsoa.csv.gz", authorities=2019)
    own = pd.read_csv(england / "england_lsoa.csv.gz").rename(columns={"lsoa11cd": "area"})
    own = own.rename(columns={"pop_0_17_mid2020": "children", "idaci_score_recon": "deprivation"})
    scores = [places.read_deprivation(file) for file in (england / "iod2019").glob("File_7*")]
    deprivation = [table[["area", "deprivation"]] for table in scores]
    areas = places.join(lookup, *deprivation, own[["area", "children", "deprivation"]])
    return areas[~areas["authority"].isin(LEFT_OUT)]


def main() -> None:
    """Read, fit, and write the page and the map."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of public data")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for page and map")
    parser.add_argument("--draws", type=int, default=500, help="draws in each of four chains")
    given = parser.parse_args()
    areas = read_areas(given.data / "england")
    totals, priors = {}, {}
    for stage, (file, column, gradient) in STAGES.items():
        (path,) = (given.data / "dfe_cin" / "raw_ees_2022").glob(f"{file}_*")
        table = places.read_education(path, year=2022)
        totals[stage] = places.authority_totals(table[~table["authority"].isin(LEFT_OUT)], column)
        priors[stage] = sg.published.priors(gradient)
    match = places.match_authorities(areas["authority"], totals["Referrals"])
    print(match.report[match.report["what"] != "same code"].to_string(index=False))
    strata = sg.Strata.from_stages(
        match.areas(areas),
        area="area",
        authority="authority",
        deprivation="deprivation",
        children="children",
        stages=dict.fromkeys(STAGES),
        totals={stage: match.totals(its) for stage, its in totals.items()},
        nested=False,
        missing_events="leave out",
        complete=True,
    )
    model = sg.StratifiedModel(strata, authority_effects="joint", priors=priors)
    fit = sg.fit(model, draws=given.draws, target_accept=0.95, random_seed=2022)
    table = sg.summarise(sg.gradient(fit), sg.between(fit), sg.inverse_intervention(fit))
    print(sg.check_sampling(fit).statement, table.iloc[:, :4].round(2), sep="\n")

    given.out.mkdir(parents=True, exist_ok=True)
    caption = "England, 2022: rate ratios per 10 points, from authority totals"
    page = sg.to_html(sg.journal_table(table, caption=caption), page=True)
    (given.out / "england.html").write_text(page, encoding="utf-8")
    boundaries = gpd.read_file(
        f"/vsigzip/{given.data.resolve()}/boundaries/utla19_england_generalised.geojson.gz"
    )
    boundaries["unit"] = boundaries["utla19cd"].map(match.of_areas)
    rates = sg.authority_rate(sg.stratum(fit, "Plan starts"))
    figure = Figure(figsize=(7, 7))
    whole = boundaries.dissolve("unit").reset_index()
    sg.plots.authority_map(rates, whole, key="unit", ax=figure.subplots())
    figure.savefig(given.out / "england_map.png")


if __name__ == "__main__":
    main()
