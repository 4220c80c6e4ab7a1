"""What a specification may say of levels between areas, authorities and the nation."""

import numpy as np

from socgrad.errors import SpecificationError
from socgrad.table.areas import Areas

__all__ = ["check_levels"]


def check_levels(
    areas: Areas, *, localities: bool, family: str, area_moderators: str | None
) -> None:
    """Refuse levels that are not there, or that nothing can tell from another.

    Parameters
    ----------
    areas : Areas
    localities : bool
        Whether localities are in the model.
    family : str
        The model's family.
    area_moderators : str or None
        The formula of area covariates of the slope.

    Raises
    ------
    SpecificationError
        If localities are asked for, and the areas have none, no authority has two of them, the
        family has a gamma factor of its own, or areas of authorities known as totals moderate the
        gradient.
    """
    if not isinstance(localities, bool):
        raise SpecificationError(f"localities={localities!r} is not True or False.")
    if localities:
        _check_localities(areas, family)
        totals = int((~np.isnan(areas.total_events)).sum())
        if totals and area_moderators is not None:
            raise SpecificationError(
                f"localities=True with area_moderators={area_moderators!r}: the variance of a "
                f"total of localities (there are {totals} totals) has no compressed form where "
                "areas of one locality have different gradients. Leave out area_moderators, about "
                "which totals say nothing, or localities."
            )


def _check_localities(areas: Areas, family: str) -> None:
    if not len(areas.locality):
        raise SpecificationError(
            "localities=True needs the locality of each area, and these areas have none. Name its "
            "column at the door, for example Areas.from_frame(..., locality='msoa11cd')."
        )
    if family != "poisson":
        raise SpecificationError(
            f"localities=True with family={family!r}: a gamma factor of each locality times one of "
            "each area has no closed form, so some 40,000 factors would have to be sampled for "
            "England. Choose family='poisson' with localities, or the negative binomial without, "
            "and compare the two with leave_out(fit, unit='area')."
        )
    held = np.bincount(areas.authority_of_locality, minlength=len(areas.authority))
    if held.max() < 2:
        raise SpecificationError(
            f"localities=True, but each of {len(held):,} authorities has one locality only, so a "
            "locality's factor cannot be told from its authority's level. Expected several in each "
            "(England's authorities have 45 MSOAs on average): check the column named in "
            "Areas.from_frame(locality=...), or leave localities out."
        )
