"""Child protection plans in England in 2022, from public files to a page: the tutorial's script.

    python examples/public_plans.py --data ../shared/data

Authority totals of the Department for Education with the deprivation and children of every
neighbourhood. Without File 7 of the Indices of Deprivation 2019, deprivation is RECONSTRUCTED from
official ranks, rounded numerators and averages of districts. Writes plans.png, plans_map.png and
plans.html.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd
from matplotlib.figure import Figure

import socgrad as sg
from socgrad import places


def main(arguments: Sequence[str] | None = None) -> None:
    """Read, match, fit, check, answer and draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of public data")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for page and figures")
    given = parser.parse_args(arguments)
    data, out = given.data.resolve(), given.out
    out.mkdir(parents=True, exist_ok=True)

    # [read]
    file = data / "england" / "england_lsoa.csv.gz"
    lookup = places.read_lookup(file, authorities=2019)
    columns = {
        "lsoa11cd": "area",
        "pop_0_17_mid2020": "children",
        "idaci_score_recon": "deprivation",
    }
    own = pd.read_csv(file).rename(columns=columns)[list(columns.values())]
    areas = places.join(lookup, own)
    areas = areas[~areas["authority"].isin(["E09000001", "E06000053"])]  # London's City, Scilly
    print(areas.iloc[0].to_string(), "\n")

    published = places.read_education(
        data / "dfe_cin" / "raw_ees_2022" / "d1_child_protection_plans_2013_to_2022.csv.gz",
        year=2022,
    )
    plans = places.authority_totals(published, "CPP_start")
    print(plans.head(3).to_string(), "\n")

    # [match]
    match = places.match_authorities(areas["authority"], plans)
    print(match.report[match.report["what"] != "same code"].to_string(index=False), "\n")
    print(match.balance(plans).to_string(), "\n")

    # [model]
    names = areas.drop_duplicates("authority").set_index("authority")["authority_name"]
    england = sg.Areas.from_frame(
        match.areas(areas),
        area="area",
        authority="authority",
        deprivation="deprivation",
        children="children",
        totals=match.totals(plans),
        missing_events="leave out",
        names={"authority": match.names(names)},
        complete=True,
    )
    print(england, "\n")
    priors = sg.published.priors("child_protection_plan")
    fit = sg.fit(sg.GradientModel(england, priors=priors), random_seed=2022)

    # [check]
    print(sg.check_sampling(fit).statement, "\n")
    compared = sg.prior_checks.compare_prior(fit)
    print(compared[["prior", "posterior", "learned"]].astype(float).round(2).to_string(), "\n")

    # [answers]
    answers = sg.summarise(
        sg.between(fit, scale="rates"),
        sg.inverse_intervention(fit, deprivation=[0.1, 0.2, 0.3]),
        prob=0.95,
    )
    print(answers.iloc[:, :4].round(2).to_string(), "\n")
    page = sg.tables.to_html(
        sg.tables.journal_table(answers, caption="Plan starts, England, 2022"), page=True
    )
    (out / "plans.html").write_text(page, encoding="utf-8")

    # [figures]
    figure = Figure(figsize=(7.0, 4.6), layout="constrained")
    sg.plots.inverse_intervention_lines(
        fit, events="Plan starts", exposure="children", ax=figure.subplots()
    )
    figure.savefig(out / "plans.png", dpi=110)

    shapes = gpd.read_file(f"/vsigzip/{data}/boundaries/utla19_england_generalised.geojson.gz")
    shapes["unit"] = shapes["code"].map(match.of_areas)
    figure = Figure(figsize=(6.4, 6.6), layout="constrained")
    sg.plots.authority_map(
        sg.rates.authority_rate(fit),
        shapes.dissolve("unit").reset_index(),
        key="unit",
        label="Plan starts per 10,000 children, 2022",
        ax=figure.subplots(),
    )
    figure.savefig(out / "plans_map.png", dpi=110)

    # [page]
    sg.report(
        fit,
        title="Child protection plans and deprivation, England 2022",
        events="child protection plan starts",
        deprivation="children in low-income families",
    ).save(out / "plans_page.html")
    # [end]


if __name__ == "__main__":
    main()
