"""What models cannot have beside counts that are known within bounds, with the reason."""

from socgrad.errors import SpecificationError
from socgrad.table.areas import Areas

__all__ = ["check_bounds"]


def check_bounds(areas: Areas, *, family: str, localities: bool, of_areas: bool) -> None:
    """Refuse terms and families that counts within bounds, or totals beside them, cannot have.

    Parameters
    ----------
    areas
        Of the model.
    family, localities
        As in `GradientModel`.
    of_areas
        Whether areas may lie off their authority's line, by covariates of their own or a shape.

    Raises
    ------
    SpecificationError
        If totals are known beside counts within bounds in a model whose chance of a total depends
        on more than each authority's gradient.
    """
    both = int(areas.has_both.sum())
    if not both:
        return
    advice = "Leave out the totals: the bounds of their areas alone are a valid likelihood"
    if areas.totals_within_bounds[areas.has_both].any():
        raise SpecificationError(
            "Some totals are known within bounds beside areas that are, too: what both say "
            f"together is a sum over all totals. {advice}."
        )
    if family != "poisson" or localities or of_areas:
        what = "localities" if localities else "covariates or a shape of areas"
        what = f"family={family!r}" if family != "poisson" else what
        raise SpecificationError(
            f"{both:,} authorities have a total beside areas known within bounds, and the model "
            f"has {what}: the chance of the hidden counts given their sum then depends on more "
            f"than the authority's gradient. {advice}."
        )
