"""The counts of a fit, by label: of neighbourhoods, and of authorities known as totals.

A file saved without events has none; what describes the data refuses it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.errors import EstimandError, SchemaError
from socgrad.reading.arguments import check_is_tree
from socgrad.schema import check_tree

__all__ = ["ObservedCounts", "observed_counts"]


@dataclass(frozen=True, eq=False)
class ObservedCounts:
    """What was counted, NaN where it was not.

    `events` has one number per area, `total_events` one per authority (those known only as a
    total), both in the order of the fit.
    """

    events: npt.NDArray[np.float64]
    total_events: npt.NDArray[np.float64]

    @property
    def counted(self) -> npt.NDArray[np.bool_]:
        """Which areas have a count of their own."""
        return ~np.isnan(self.events)


def observed_counts(fit: xr.DataTree, *, purpose: str) -> ObservedCounts:
    """Read the counts that a fit was made from.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    purpose
        What needs them, for the message.

    Returns
    -------
    ObservedCounts
        Joined to the fit's areas and authorities by label.

    Raises
    ------
    EstimandError
        If the fit holds no events, or if some of its counts are known within bounds only.
    SchemaError
        If `fit` is not a socgrad fit, or its counts belong to other areas.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.reading.observed import observed_counts
    >>> counts = observed_counts(example_fit(events=True), purpose="This example")
    >>> int(counts.counted.sum())
    600
    """
    check_is_tree(fit)
    check_tree(fit)
    held = fit["observed_data"].to_dataset() if "observed_data" in fit.children else xr.Dataset()
    names = {"events": "counted_area", "total_events": "total_authority"}
    if "within_bounds" in held and int(held["within_bounds"].sum()):
        raise EstimandError(
            f"{purpose} needs counts, and {int(held['within_bounds'].sum()):,} areas or totals of "
            "this fit are known within bounds only (coarsening). Those that are shown are not like "
            "the others, so nothing is said of them alone. Rates, gradients and ratios of the fit "
            "(rate_by_group, gradient, ...) use all of the counts."
        )
    if not set(names) & set(held.data_vars):
        raise EstimandError(
            f"{purpose} needs the observed events, and this fit holds none: it was saved with "
            "include_events=False, or made without group 'observed_data'. Ask where the counts "
            "are, with the fit as it was sampled, and share the table instead."
        )
    constants = fit["constant_data"].to_dataset()
    areas, authorities = constants.indexes["area"], constants.indexes["authority"]
    places = {"events": areas, "total_events": authorities}
    filled = {name: np.full(len(index), np.nan) for name, index in places.items()}
    for name in set(names) & set(held.data_vars):
        labels = held.indexes[names[name]]
        position = places[name].get_indexer(labels)
        foreign = labels[position < 0].tolist()
        if foreign:
            raise SchemaError(
                f"Group 'observed_data' has {name} for {len(foreign)} of {len(labels)} labels that "
                f"group 'constant_data' does not have (first: {foreign[0]!r}). The two groups come "
                "from different fits: use the tree as it was returned or saved."
            )
        filled[name][position] = held[name].to_numpy()
    return ObservedCounts(filled["events"], filled["total_events"])
