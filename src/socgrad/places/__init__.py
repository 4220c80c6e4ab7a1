"""Places and the public files that speak of them: from what people have to a table of areas.

Each ``read_...`` takes a file as its office publishes it and returns a tidy table, whose columns
`Areas.from_frame` takes as they are, with a note of its source. `join` sets tables side by side,
`Crosswalk` and `match_authorities` bring codes of different dates together, and what cannot be
brought together is named. Nothing is downloaded.
"""

from socgrad.places.area_lookups import read_lookup
from socgrad.places.authorities import AuthorityMatch, authority_changes, match_authorities
from socgrad.places.crosswalks import Crosswalk, read_crosswalk
from socgrad.places.deprivation_files import read_deprivation
from socgrad.places.education_files import authority_totals, read_education
from socgrad.places.joins import join
from socgrad.places.population_files import read_populations
from socgrad.places.postcodes import Postcodes, read_postcodes
from socgrad.places.years import YearsMatch, match_years

__all__ = [
    "AuthorityMatch",
    "Crosswalk",
    "Postcodes",
    "YearsMatch",
    "authority_changes",
    "authority_totals",
    "join",
    "match_authorities",
    "match_years",
    "read_crosswalk",
    "read_deprivation",
    "read_education",
    "read_lookup",
    "read_populations",
    "read_postcodes",
]


def __dir__() -> list[str]:
    """Public names alone: modules are where they are found, not what is called."""
    return sorted(__all__)
