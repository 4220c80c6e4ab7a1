"""The counts of a fit, by label: of neighbourhoods, and of authorities known as totals.

A file saved without events has none; what describes the data refuses it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.coarsening.kernels import CoarsenedCounts
from socgrad.coarsening.stored import BOUNDED, has_stored_bounds, stored_bounds
from socgrad.errors import EstimandError, SchemaError
from socgrad.reading.arguments import check_is_tree
from socgrad.schema import check_tree

__all__ = ["ObservedCounts", "observed_counts"]


@dataclass(frozen=True, eq=False)
class ObservedCounts:
    """What was counted, NaN where it was not.

    `events` has one number per area, `total_events` one per authority (those known only as a
    total), both in the order of the fit; `coarsened` and `coarsened_totals` say what is known of
    those that are known within bounds, None where none is.
    """

    events: npt.NDArray[np.float64]
    total_events: npt.NDArray[np.float64]
    coarsened: CoarsenedCounts | None = None
    coarsened_totals: CoarsenedCounts | None = None

    @property
    def has_bounds(self) -> bool:
        """Whether some are known within bounds only."""
        return self.coarsened is not None or self.coarsened_totals is not None

    @property
    def within_bounds(self) -> npt.NDArray[np.bool_]:
        """Which areas' counts are known within bounds."""
        if self.coarsened is None:
            return np.zeros(len(self.events), dtype=bool)
        return self.coarsened.is_interval

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Areas of whose own count anything is known: a number, or bounds that say something."""
        if self.coarsened is None:
            return self.counted
        return self.counted | (self.coarsened.is_interval & self.coarsened.is_informative)

    @property
    def event_bounds(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Least and most events of each area; equal where counted, NaN where nothing is known."""
        return _bounds(self.events, self.coarsened)

    @property
    def total_bounds(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Least and most events of each authority, as its total says; NaN without one."""
        return _bounds(self.total_events, self.coarsened_totals)

    @property
    def counted(self) -> npt.NDArray[np.bool_]:
        """Which areas have a count of their own."""
        return ~np.isnan(self.events)


def _bounds(
    counts: npt.NDArray[np.float64], coarsened: CoarsenedCounts | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    if coarsened is None:
        return counts, counts
    within = coarsened.is_interval
    return np.where(within, coarsened.low, counts), np.where(within, coarsened.high, counts)


def observed_counts(
    fit: xr.DataTree, *, purpose: str, takes_bounds: bool = False
) -> ObservedCounts:
    """Read the counts that a fit was made from.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    purpose
        What needs them, for the message.
    takes_bounds
        Whether it can do with counts that are known within bounds.

    Returns
    -------
    ObservedCounts
        Joined to the fit's areas and authorities by label.

    Raises
    ------
    EstimandError
        If the fit holds no events, or not those of all areas that were fitted; if some of its
        counts are known within bounds only, and the purpose needs numbers.
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
    dims = names | dict(BOUNDED.values())
    if has_stored_bounds(held) and not takes_bounds:
        bounded = sum(held[name].size for name, _ in BOUNDED.values() if name in held)
        raise EstimandError(
            f"{purpose} needs counts, and {bounded:,} areas or totals of "
            "this fit are known within bounds only (coarsening). Those that are shown are not like "
            "the others, so nothing is said of them alone. Rates, gradients and ratios of the fit "
            "(rate_by_group, gradient, ...) use all of the counts."
        )
    present = [name for name in dims if name in held]
    if not present:
        raise EstimandError(
            f"{purpose} needs the observed events, and this fit holds none: it was saved with "
            "include_events=False, or made without group 'observed_data'. Ask where the counts "
            "are, with the fit as it was sampled, and share the table instead."
        )
    constants = fit["constant_data"].to_dataset()
    position = {name: _positions(held, name, dims[name], constants) for name in present}
    filled = {}
    for name, own in (("events", "area"), ("total_events", "authority")):
        filled[name] = np.full(constants.sizes[own], np.nan)
        if name in position:
            filled[name][position[name]] = held[name].to_numpy()
    bounds = {
        name: stored_bounds(held, name, position[variable], filled[name].size)
        for name, (variable, _) in BOUNDED.items()
        if variable in position
    }
    found = ObservedCounts(
        filled["events"], filled["total_events"], bounds.get("events"), bounds.get("total_events")
    )
    _refuse_lost(found, constants, purpose)
    return found


def _refuse_lost(found: ObservedCounts, constants: xr.Dataset, purpose: str) -> None:
    """Refuse counts without those that the fit was made from, too: bounds that a graph dropped."""
    if "has_data" not in constants:
        return
    own = constants["authority_of_area"].to_numpy()
    held = found.counted | found.within_bounds | ~np.isnan(found.total_bounds[0])[own]
    lost = int(((constants["has_data"].to_numpy() > 0) & ~held).sum())
    if lost:
        raise EstimandError(
            f"{purpose} needs the counts, and those of {lost:,} of {len(own):,} areas that were "
            "fitted are not in this fit, as after pymc.sample on a graph with counts known within "
            "bounds: those that are there are not like the others. socgrad.fit keeps all of them."
        )


def _positions(
    held: xr.Dataset, name: str, dim: str, constants: xr.Dataset
) -> npt.NDArray[np.int64]:
    """Where the rows of a variable stand among the areas or authorities of the fit."""
    labels = held.indexes[dim]
    place = constants.indexes["authority" if dim.endswith("authority") else "area"]
    position: npt.NDArray[np.int64] = place.get_indexer(labels).astype(np.int64)
    foreign = labels[position < 0].tolist()
    if foreign:
        raise SchemaError(
            f"Group 'observed_data' has {name} for {len(foreign)} of {len(labels)} labels that "
            f"group 'constant_data' does not have (first: {foreign[0]!r}). The two groups come "
            "from different fits: use the tree as it was returned or saved."
        )
    return position
