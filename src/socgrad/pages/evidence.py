"""What was counted: neighbourhoods or authorities, for certain or within bounds."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import pandas as pd
import xarray as xr

__all__ = ["Evidence", "evidence"]


@dataclass(frozen=True)
class Evidence:
    """How much of a set of counts is known.

    Attributes
    ----------
    areas, hidden_areas
        Areas whose count is known, and areas of which it is known within bounds.
    by_total
        Labels of authorities of which no more than the total is known.
    hidden_totals
        How many of these totals are known within bounds.
    beside
        How many totals are known beside counts of neighbourhoods.
    events
        Events that are known for certain, once each: those of totals, and of areas of authorities
        whose total is not known.
    only_totals
        Whether nothing was counted of neighbourhoods, only totals of whole authorities. A fit kept
        without its events still says so.
    """

    areas: int
    hidden_areas: int
    by_total: frozenset[Hashable]
    hidden_totals: int
    beside: int
    events: float
    only_totals: bool


def evidence(fit: xr.DataTree) -> Evidence:
    """Count what a fit was made from; nothing of a fit kept without its events."""
    observed = fit.children.get("observed_data")
    held = xr.Dataset() if observed is None else observed.to_dataset()
    counted, bounded, totals, bounded_totals = (
        held[dim].to_numpy().tolist() if dim in held.coords else []
        for dim in ("counted_area", "bounded_area", "total_authority", "bounded_authority")
    )
    of_counted, of_bounded = (_authorities(fit, areas) for areas in (counted, bounded))
    by_total = frozenset((*totals, *bounded_totals)).difference(of_counted, of_bounded)
    known = [held[name].to_numpy() for name in ("total_events",) if name in held]
    if counted:
        in_no_total = ~pd.Index(of_counted).isin(totals)
        known.append(held["events"].to_numpy()[in_no_total])
    no_areas = bool(by_total) and not (counted or bounded)
    return Evidence(
        len(counted),
        len(bounded),
        by_total,
        len(by_total.intersection(bounded_totals)),
        len(totals) + len(bounded_totals) - len(by_total),
        float(sum(one.sum() for one in known)),
        fit.attrs.get("counts_of") == "authorities" if observed is None else no_areas,
    )


def _authorities(fit: xr.DataTree, areas: Sequence[Hashable]) -> list[Hashable]:
    """Label of the authority that each area lies in."""
    places = fit["constant_data"].to_dataset()
    rows = places.indexes["area"].get_indexer(pd.Index(areas, dtype=object))
    of = places["authority_of_area"].to_numpy()[rows]
    labels: list[Hashable] = places["authority"].to_numpy()[of].tolist()
    return labels
