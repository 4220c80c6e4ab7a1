"""Real England for the examples beside it: neighbourhoods, and the DfE's totals of authorities.

Authorities of both tables are matched by `socgrad.places`; what was joined, recoded or left out is
in `England.match.report`.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from socgrad import places

__all__ = ["DEPRIVATION", "LEFT_OUT", "England", "read_england", "read_neighbourhoods", "summed"]

#: RECONSTRUCTED from official ranks, rounded numerators and district averages.
DEPRIVATION = "idaci_score_recon"
#: City of London and the Isles of Scilly, as the study did: they have next to no children.
LEFT_OUT = ("E09000001", "E06000053")


@dataclass(frozen=True, eq=False)
class England:
    """Neighbourhoods and authority totals that speak of the same authorities.

    Attributes
    ----------
    areas : pandas.DataFrame
        One row per LSOA: `lsoa11cd`, `authority` (a unit of both tables), `children` (0-17,
        mid-2018, the mean of mid-2017 and mid-2019), and deprivation.
    totals : pandas.DataFrame
        The DfE's counts, index unit, with `la_name`; missing where the DfE's table is blank
        (suppressed or not returned), never zero.
    match : socgrad.places.AuthorityMatch
        How authorities of the two are the same ground.
    checked, differing : int
        Units whose children of mid-2017, summed over the LSOAs assigned to them, were held
        against the DfE's own population, and how many of them differ by a child or more.
    """

    areas: pd.DataFrame
    totals: pd.DataFrame
    match: places.AuthorityMatch
    checked: int
    differing: int


def read_neighbourhoods(data: Path) -> pd.DataFrame:
    """Read the table of LSOAs, `authority` as of 2019, `children` of mid-2018."""
    lsoa = pd.read_csv(data / "england" / "england_lsoa.csv.gz")
    # The DfE divides by the children of the previous mid-year, mid-2018 for 2019.
    children = (lsoa["pop_0_17_mid2017"] + lsoa["pop_0_17_mid2019"]) / 2
    lsoa = lsoa.assign(children=children, authority=lsoa["utla19cd"])
    return lsoa[~lsoa["authority"].isin(LEFT_OUT)]


def summed(match: places.AuthorityMatch, table: pd.DataFrame) -> pd.DataFrame:
    """Columns of numbers of a table by authority, summed over units, with their names."""
    numbers = table.select_dtypes("number")
    found = pd.DataFrame({name: match.totals(column) for name, column in numbers.items()})
    return found.assign(la_name=pd.Series(match.names(table["la_name"])))


def read_england(data: Path, *, year: int = 2019) -> England:
    """Read both tables and match their authorities.

    Parameters
    ----------
    data
        Folder with `england/england_lsoa.csv.gz` and `dfe_cin/cin_la_year_stage_2013_2022.csv.gz`.
    year
        Year of the DfE's returns, to 31 March.
    """
    lsoa = read_neighbourhoods(data)
    every_year = pd.read_csv(data / "dfe_cin" / "cin_la_year_stage_2013_2022.csv.gz")
    every_year = every_year.set_index("new_la_code")
    every_year = every_year.drop([code for code in LEFT_OUT if code in every_year.index])
    dfe = every_year[every_year["time_period"] == year]
    match = places.match_authorities(lsoa["authority"], dfe["pop_0_17_prev_mid_year"])
    areas = match.areas(lsoa)

    # Its population for the year before is mid-2017, which the LSOA table holds too: a check.
    before = every_year[every_year["time_period"] == year - 1]
    population = match.totals(before["pop_0_17_prev_mid_year"].reindex(dfe.index))
    difference = (areas.groupby("authority")["pop_0_17_mid2017"].sum() - population).dropna()
    return England(
        areas=areas[["lsoa11cd", "authority", "children", DEPRIVATION]],
        totals=summed(match, dfe).reindex(population.index),
        match=match,
        checked=len(difference),
        differing=int((difference != 0).sum()),
    )
