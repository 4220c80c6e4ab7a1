"""Whether priors were stated for what authority totals tell by the form of the model alone."""

import warnings
from pathlib import Path
from typing import Final

import numpy as np

from socgrad.errors import PriorWarning, SpecificationError
from socgrad.model.priors import Priors
from socgrad.table.areas import Areas

__all__ = ["check_totals_priors"]

_PACKAGE: Final = (str(Path(__file__).parents[1]),)
_ADVICE: Final = (
    "Totals say nothing directly of gradients within authorities. State all that they cannot tell "
    "from the literature: priors=socgrad.published.priors('child_protection_plan'), or with a "
    "gradient of your own, socgrad.published.priors(rate_ratio(1.80, interval=(1.65, 1.96)))"
)


def check_totals_priors(
    areas: Areas, priors: Priors, *, has_cross_level: bool, has_slopes: bool
) -> None:
    """Refuse, or warn of, default priors where totals leave a gradient to them.

    Parameters
    ----------
    areas, priors
        Of a model in which deprivation is.
    has_cross_level, has_slopes
        Whether the gradient changes with authority deprivation, and varies between authorities.

    Raises
    ------
    SpecificationError
        If no area is counted and `within` has its default prior.

    Warns
    -----
    PriorWarning
        If most authorities are known only as totals, and `within`, `cross_level` or `slope_sd` has
        its default prior.
    """
    totals = int(areas.totals_known.sum())
    with_counts = len(np.unique(areas.authority_of_area[areas.known]))
    if totals <= with_counts:
        return
    default = Priors()
    present = {"within": True, "cross_level": has_cross_level, "slope_sd": has_slopes}
    left = [
        name
        for name, there in present.items()
        if there and getattr(priors, name) == getattr(default, name)
    ]
    if not left:
        return
    if "within" in left and with_counts == 0:
        raise SpecificationError(
            "Every authority is known only as a total, and within has its default prior, which "
            f"would decide. {_ADVICE}; or leave deprivation out (deprivation='none')."
        )
    others = " and ".join(left) if len(left) < 3 else "within, cross_level and slope_sd"
    known = f", and {with_counts} by their neighbourhoods" if with_counts else ""
    warnings.warn(
        f"{totals} authorities are known only as totals{known}, and {others} "
        f"{'has its default prior' if len(left) == 1 else 'have their default priors'}. Totals "
        "move them by the form of the model alone: a bend of rates over authority deprivation, "
        "which curvature would explain as well, is read as steeper or flatter gradients, and the "
        f"contextual ratio moves with it. {_ADVICE}.",
        PriorWarning,
        skip_file_prefixes=_PACKAGE,
    )
