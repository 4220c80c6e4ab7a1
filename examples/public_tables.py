"""Real England for `public_totals.py`: DfE totals of authorities, deprivation of neighbourhoods.

The two tables name authorities at different dates. Everything that their codes do not match is
listed by name, with what was done about it; no neighbourhood changes hands silently.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

__all__ = ["DEPRIVATION", "England", "match_authorities", "read_england"]

#: RECONSTRUCTED from official ranks, rounded numerators and district averages.
DEPRIVATION = "idaci_score_recon"

#: As the study did: they have next to no children.
LEFT_OUT = {"E09000001": "City of London", "E06000053": "Isles of Scilly"}

#: Authorities of April 2019, and the code in the DfE's 2019 table of each 2011 district that formed
#: them. An LSOA (2011) is named after its district of 2011, so the old authorities can be rebuilt.
REORGANISED = ("E06000058", "E06000059")
OLD_AUTHORITY = {
    "Bournemouth": "E06000028",
    "Poole": "E06000029",
    "Christchurch": "E10000009",
    "East Dorset": "E10000009",
    "North Dorset": "E10000009",
    "Purbeck": "E10000009",
    "West Dorset": "E10000009",
    "Weymouth and Portland": "E10000009",
}


@dataclass(frozen=True, eq=False)
class England:
    """Neighbourhoods and authority totals that speak of the same authorities.

    Attributes
    ----------
    areas : pandas.DataFrame
        One row per LSOA: `lsoa11cd`, `authority` (the DfE's code), `children` (0-17, mid-2018, the
        mean of mid-2017 and mid-2019), and deprivation.
    totals : pandas.DataFrame
        The DfE's counts, index authority code, with `la_name`; missing where the DfE's table is
        blank (suppressed or not returned), never zero.
    matching : pandas.DataFrame
        One row per authority that was left out or not matched by code: code, authority, table,
        what was done.
    checked, differing : int
        Authorities whose children of mid-2017, summed over the LSOAs assigned to them, were held
        against the DfE's own population, and how many of them differ by a child or more.
    """

    areas: pd.DataFrame
    totals: pd.DataFrame
    matching: pd.DataFrame
    checked: int
    differing: int


def read_england(data: Path, *, year: int = 2019) -> England:
    """Read both tables and match their authorities.

    Parameters
    ----------
    data
        Folder with `england/england_lsoa.csv.gz` and `dfe_cin/cin_la_year_stage_2013_2022.csv.gz`.
    year
        Year of the DfE's returns, to 31 March.

    Returns
    -------
    England
        Without City of London and Isles of Scilly.
    """
    lsoa = pd.read_csv(data / "england" / "england_lsoa.csv.gz")
    every_year = pd.read_csv(data / "dfe_cin" / "cin_la_year_stage_2013_2022.csv.gz")
    every_year = every_year.set_index("new_la_code")
    dfe = every_year[every_year["time_period"] == year]
    # The DfE divides by the children of the previous mid-year, mid-2018 for 2019.
    lsoa["children"] = (lsoa["pop_0_17_mid2017"] + lsoa["pop_0_17_mid2019"]) / 2
    lsoa, matching = match_authorities(lsoa, dfe)

    # Its population for the year before is mid-2017, which the LSOA table holds too: a check.
    population = every_year.loc[every_year["time_period"] == year - 1, "pop_0_17_prev_mid_year"]
    summed = lsoa.groupby("authority")["pop_0_17_mid2017"].sum()
    difference = (summed - population.reindex(summed.index)).dropna()
    return England(
        areas=lsoa[["lsoa11cd", "authority", "children", DEPRIVATION]].reset_index(drop=True),
        totals=dfe.loc[summed.index],
        matching=matching,
        checked=len(difference),
        differing=int((difference != 0).sum()),
    )


def match_authorities(lsoa: pd.DataFrame, dfe: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give each LSOA the code that its authority has in the DfE's table.

    By the authority of 2019; else by that of 2021; else, in Dorset, by the district of 2011 in the
    LSOA's name.

    Parameters
    ----------
    lsoa
        One row per LSOA, with `lsoa11nm`, `utla19cd`, `utla19nm` and `utla21cd`.
    dfe
        One row per authority, index its code, with `la_name`.

    Returns
    -------
    areas : pandas.DataFrame
        The LSOAs that have a DfE authority and are not left out, with column `authority`.
    matching : pandas.DataFrame
        Every authority of either table that the code alone did not match, or that was left out.
    """
    district = lsoa["lsoa11nm"].str.rsplit(n=1).str[0]
    rebuilt = district.map(OLD_AUTHORITY).where(lsoa["utla19cd"].isin(REORGANISED))
    ways = {
        "matched by its code of 2021 (utla21cd)": lsoa["utla21cd"],
        "rebuilt from the 2011 districts in the LSOA names": rebuilt,
    }
    authority = lsoa["utla19cd"].where(lsoa["utla19cd"].isin(dfe.index))
    way = pd.Series("", index=lsoa.index)
    for words, other in ways.items():
        now = authority.isna() & other.isin(dfe.index)
        authority, way = authority.where(~now, other), way.where(~now, words)

    rows: list[tuple[str, str, str, str]] = []
    for code, place in LEFT_OUT.items():
        if code in dfe.index or (lsoa["utla19cd"] == code).any():
            rows.append((code, place, "both", "left out, as in the study"))
    names = {str(code): str(name) for code, name in dfe["la_name"].items()}
    codes = {str(code) for code in lsoa["utla19cd"].unique()}
    for code in sorted({*names} - codes - {*LEFT_OUT}):
        its = authority == code
        what = f"{way[its].iloc[0]}, {its.sum()} LSOAs" if its.any() else "LEFT OUT: no LSOAs"
        rows.append((code, names[code], "DfE", what))
    for code in sorted(codes - {*names} - {*LEFT_OUT}):
        its = lsoa["utla19cd"] == code
        parts = [
            f"{count} LSOAs to {names[str(to)]} ({to})"
            for to, count in authority[its].value_counts().items()
        ]
        if lost := int(authority[its].isna().sum()):
            parts.append(f"{lost} LSOAs LEFT OUT: no DfE total")
        rows.append((code, str(lsoa.loc[its, "utla19nm"].iloc[0]), "LSOA", "; ".join(parts)))
    kept = authority.notna() & ~authority.isin([*LEFT_OUT])
    matching = pd.DataFrame(rows, columns=["code", "authority", "table", "what was done"])
    return lsoa.assign(authority=authority)[kept], matching
