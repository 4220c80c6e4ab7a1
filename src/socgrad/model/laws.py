"""The laws of a model's counts: how areas vary about their rates, and what of them is known."""

import numpy as np

from socgrad.model.gradient_model import GradientModel

__all__ = ["laws_of"]


def laws_of(model: GradientModel) -> frozenset[str]:
    """Names of the laws that a model's counts follow.

    A law is a family, "poisson" or "negative_binomial", or "localities" where areas of one locality
    share a factor (both spreads where that is beside a family with a factor of each area), of
    "counts" by area or of "totals" by authority, or of "coarsened counts" or "coarsened totals", of
    which something coarser than their number was published.

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.model.laws import laws_of
    >>> frame = sg.simulate(authorities=8, areas=200, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(frame, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation", complete=True)
    >>> sorted(laws_of(sg.GradientModel(areas, family="negative_binomial")))
    ['negative_binomial counts']
    """
    family = str(model.family)
    if model.localities:
        family = "localities" if family == "poisson" else f"{family} in localities"
    known = {
        "counts": bool(model.areas.counted.any()),
        "totals": bool((~np.isnan(model.areas.total_events)).any()),
        "coarsened counts": bool(model.areas.within_bounds.any()),
        "coarsened totals": bool(model.areas.totals_within_bounds.any()),
    }
    return frozenset(f"{family} {kind}" for kind, there in known.items() if there)
