"""Fits whose areas were not all counted."""

import numpy as np
import xarray as xr


def without_counts(tree: xr.DataTree, uncounted: np.ndarray) -> xr.DataTree:
    """Make areas, by a mask, ones whose events were not known when the model was fitted."""
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    observed, constants = groups["observed_data"], groups["constant_data"]
    gone = constants["area"].to_numpy()[uncounted]
    among = np.isin(observed["counted_area"].to_numpy(), gone)
    groups["observed_data"] = observed.isel(counted_area=~among)
    groups["constant_data"] = constants.assign(has_data=constants["has_data"].where(~uncounted, 0))
    return xr.DataTree.from_dict(groups)


def without_last(tree: xr.DataTree, areas: int) -> xr.DataTree:
    """Make the last areas ones that were not counted."""
    number = tree["constant_data"].sizes["area"]
    return without_counts(tree, np.arange(number) >= number - areas)
