"""What models cannot have beside counts that are known within bounds, with the reason."""

from socgrad.errors import SpecificationError
from socgrad.table.areas import Areas

__all__ = ["check_bounds", "refuse_bounds_in_graphs"]


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


def refuse_bounds_in_graphs(areas: Areas, *, totals_alone: bool = False) -> None:
    """Refuse areas or totals known within bounds where a PyMC graph has no term for them.

    Parameters
    ----------
    areas : Areas
    totals_alone : bool
        Whether the graph has a term for areas.

    Raises
    ------
    SpecificationError
        If there are any: without their term they would be left out in silence.
    """
    bounded = int(areas.totals_within_bounds.sum())
    which = "totals"
    if not totals_alone:
        bounded, which = bounded + int(areas.within_bounds.sum()), "areas or totals"
    if bounded:
        raise SpecificationError(
            f"{bounded:,} {which} are known within bounds only (coarsening), and this PyMC graph "
            "has no term for these: it would leave them out, which biases the gradient. "
            "socgrad.fit(model) samples them without a graph."
        )
