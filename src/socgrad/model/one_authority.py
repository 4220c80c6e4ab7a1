"""What a specification may ask of one authority alone: nothing of how authorities differ."""

from socgrad.errors import SpecificationError
from socgrad.table.areas import Areas

__all__ = ["check_one_authority"]

_BESIDE = (
    "one authority alone has a level and a gradient of its own, and nothing to compare them with. "
    "Leave it out; or pass the neighbourhoods of other authorities too, with their counts or "
    "their totals (docs/how-to/one-authority.md)."
)


def check_one_authority(
    areas: Areas,
    *,
    random_slopes: bool | None,
    cross_level: bool | None,
    curvature: bool,
    regions: bool,
    authority_covariates: str | None,
    moderators: str | None,
) -> None:
    """Refuse terms that say how authorities differ where there is one.

    Parameters
    ----------
    areas : Areas
    random_slopes, cross_level : bool or None
        As the caller gave them.
    curvature, regions : bool
    authority_covariates, moderators : str or None
        The formulas of covariates of authorities.

    Raises
    ------
    SpecificationError
        If the areas are of one authority, and one of these is asked for.
    """
    if len(areas.authority) > 1:
        return
    asked = {
        "random_slopes": random_slopes,
        "cross_level": cross_level,
        "curvature": curvature,
        "regions": regions,
        "authority_covariates": authority_covariates,
        "moderators": moderators,
    }
    for name, value in asked.items():
        if value:
            raise SpecificationError(
                f"{name}={value!r} says how authorities differ, and these areas are of a single "
                f"authority ({areas.authority[0]}): {_BESIDE}"
            )
