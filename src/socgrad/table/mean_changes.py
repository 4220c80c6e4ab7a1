"""How far authorities' own mean deprivation moved, as a covariate of theirs."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from socgrad.errors import TableError
from socgrad.table.areas import Areas
from socgrad.within_between import weighted_means

__all__ = ["with_mean_change"]


def with_mean_change(tables: Mapping[int, Areas], name: str, means: str) -> dict[int, Areas]:
    """The same tables with an authority covariate: the year's own mean less the anchor, in steps.

    Parameters
    ----------
    tables : mapping
        `Areas` of each year, their anchors set.
    name : str
        Of the covariate.
    means : str
        Where within parts are measured from.

    Raises
    ------
    TableError
        If within parts are measured from each year's mean, the name is taken, or no authority's
        mean changes in some year.
    """
    if means != "period":
        raise TableError(
            f"mean_change={name!r} is how far an authority's mean is from that of the period, and "
            "means='year' measures from each year's own. Choose means='period'."
        )
    made = {}
    for year, areas in tables.items():
        taken = [*areas.covariates, *areas.authority_covariates, *areas.names.values()]
        if name in taken:
            raise TableError(
                f"mean_change={name!r} is the name of a column that the table has already. Choose "
                "another."
            )
        own = weighted_means(
            areas.deprivation, areas.children, areas.authority_of_area, len(areas.authority)
        )
        change = (own - areas.authority_mean) / areas.per
        if float(np.ptp(change)) < 1e-9:
            raise TableError(
                f"mean_change={name!r}: in {year} no authority's mean deprivation is another than "
                "that of the period (of one index), so nothing can be said of its change. Leave it "
                "out."
            )
        theirs = areas.authority_covariates.reindex(areas.authority)
        made[year] = replace(areas, authority_covariates=theirs.assign(**{name: change}))
    return made
