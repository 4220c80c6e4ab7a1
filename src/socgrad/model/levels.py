"""What a specification may say of levels between areas, authorities and the nation."""

import warnings

import numpy as np

from socgrad.designs import Designs
from socgrad.errors import SocgradWarning, SpecificationError
from socgrad.table.areas import Areas

__all__ = ["check_levels", "check_regions_apart"]


#: Fewer regions than these say nothing, or little, of their standard deviation.
_LEAST_REGIONS, _FEW_REGIONS = 3, 6


def check_levels(
    areas: Areas, *, localities: bool, regions: bool, family: str, area_moderators: str | None
) -> None:
    """Refuse levels that are not there, or that nothing can tell from another.

    Parameters
    ----------
    areas : Areas
    localities : bool
        Whether localities are in the model.
    regions : bool
        Whether regions are.
    family : str
        The model's family.
    area_moderators : str or None
        The formula of area covariates of the slope.

    Raises
    ------
    SpecificationError
        If localities are asked for, and the areas have none, no authority has two of them, areas
        have factors of their own and counts cannot tell them from those of localities, or areas of
        authorities known as totals moderate the gradient; if regions are asked for, and there are
        none, fewer than three, or none with two authorities.

    Warns
    -----
    SocgradWarning
        If there are fewer than six regions.
    """
    for name, value in (("localities", localities), ("regions", regions)):
        if not isinstance(value, bool):
            raise SpecificationError(f"{name}={value!r} is not True or False.")
    if regions:
        _check_regions(areas)
    if localities:
        _check_localities(areas, family)
        totals = int(areas.totals_known.sum())
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
            "column, for example Areas.from_frame(..., locality='msoa11cd')."
        )
    if family != "poisson":
        _check_both_spreads(areas)
    held = np.bincount(areas.authority_of_locality, minlength=len(areas.authority))
    if held.max() < 2:
        raise SpecificationError(
            f"localities=True, but each of {len(held):,} authorities has one locality only, so a "
            "locality's factor cannot be told from its authority's level. Expected several in each "
            "(England's authorities have 45 MSOAs on average): check the column named in "
            "Areas.from_frame(locality=...), or leave localities out."
        )


def _check_both_spreads(areas: Areas) -> None:
    """Refuse factors of areas beside factors of localities where counts tell them not apart."""
    if totals := int(areas.totals_known.sum()):
        raise SpecificationError(
            f"localities=True with family='negative_binomial', and {totals} authorities known by "
            "their total: a total tells factors of areas from those of localities in no way, and "
            "which chance it has depends on both. Choose one of the two spreads, or leave these "
            "authorities out."
        )
    held = np.bincount(areas.locality_of_area[areas.known], minlength=len(areas.locality))
    if held.max(initial=0) < 2:
        raise SpecificationError(
            f"localities=True with family='negative_binomial', but each of {len(held):,} "
            "localities has one area with counts, so its factor cannot be told from the area's. "
            "Expected several in each (England's MSOAs have five LSOAs on average): check the "
            "column named in Areas.from_frame(locality=...), or choose one of the two spreads."
        )


def check_regions_apart(areas: Areas, designs: Designs, *, regions: bool) -> None:
    """Refuse random regions beside fixed ones: columns that tell every region from the others.

    Parameters
    ----------
    areas : Areas
    designs : Designs
        The model's columns.
    regions : bool
        Whether regions are in the model.

    Raises
    ------
    SpecificationError
        If the columns of authorities make up the indicator of every region.
    """
    columns = designs.authority_covariates
    if not regions or not columns.names:
        return
    own = np.column_stack([np.ones(len(areas.authority)), columns.matrix])
    lies_in = (areas.region_of_authority[:, None] == np.arange(len(areas.region))).astype(float)
    left = lies_in - own @ np.linalg.lstsq(own, lies_in, rcond=None)[0]
    if np.abs(left).max() < 1e-8:
        raise SpecificationError(
            f"regions=True beside authority_covariates ({', '.join(map(repr, columns.names))}) "
            f"that tell all {len(areas.region)} regions apart: nothing is left for a random "
            "effect. Leave one of them out: fixed regions for their contrasts, random ones for "
            "their spread."
        )


def _check_regions(areas: Areas) -> None:
    number = len(areas.region)
    if not number:
        raise SpecificationError(
            "regions=True needs the region of each authority, and these areas have none. Name its "
            "column, for example Areas.from_frame(..., region='rgn19nm')."
        )
    fixed = "Regions as fixed effects need no spread: authority_covariates='~ region'."
    if number < _LEAST_REGIONS:
        raise SpecificationError(
            f"regions=True with {number} regions: a standard deviation cannot be learnt from "
            f"fewer than {_LEAST_REGIONS}. {fixed}"
        )
    if np.bincount(areas.region_of_authority).max() < 2:
        raise SpecificationError(
            f"regions=True, but each of {number} regions has one authority only, so a region "
            "cannot be told from its authority. Check the column named in "
            "Areas.from_frame(region=...), or leave regions out."
        )
    if number < _FEW_REGIONS:
        warnings.warn(
            f"regions=True with {number} regions: their standard deviation rests on its prior "
            f"(Priors.region_sd) about as much as on them. {fixed}",
            SocgradWarning,
            stacklevel=5,
        )
