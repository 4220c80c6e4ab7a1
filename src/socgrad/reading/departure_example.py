"""The small example fit with a gradient that is non-linear, to try the summaries on."""

from typing import Literal

import numpy as np
import xarray as xr

from socgrad.departures import departures_by_tenth, smooth_departures
from socgrad.reading.example import example_fit
from socgrad.schema import DEPARTURE_SCHEMA_VERSION, DEPARTURES

__all__ = ["bent_example_fit"]

#: Mean of the draws of the first coefficient, which bends, and standard deviation of all.
_BEND = -0.25
_SD = 0.04


def bent_example_fit(
    shape: Literal["tenths", "spline"] = "spline", *, events: bool = False
) -> xr.DataTree:
    """Make the example fit of a model whose gradient flattens towards the most deprived.

    Parameters
    ----------
    shape
        "tenths" or "spline" (of 5 knots), as of `socgrad.GradientModel`.
    events
        As of `socgrad.reading.example.example_fit`, whose counts they are: of no bend.

    Returns
    -------
    xarray.DataTree
        `socgrad.reading.example.example_fit` with departures from the line. The draws are
        independent normal numbers around chosen values, not the posterior of any data.

    Examples
    --------
    >>> from socgrad.reading.departure_example import bent_example_fit
    >>> dict(bent_example_fit()["posterior"].sizes)
    {'chain': 2, 'draw': 50, 'authority': 6, 'departure': 3}
    """
    tree = example_fit(events=events)
    draws, constants = tree["posterior"].to_dataset(), tree["constant_data"].to_dataset()
    x, children = (constants[name].to_numpy() for name in ("deprivation", "children"))
    if shape == "spline":
        made, places = smooth_departures(x, children, knots=5), "departure_knots"
    else:
        made, places = departures_by_tenth(x, children), "departure_edges"
    names = np.array(made.names, dtype=object)
    noise = np.random.default_rng(11).standard_normal((2, 50, len(names)))
    values = _BEND * (np.arange(len(names)) == 0) * np.sqrt(len(names)) + _SD * noise
    tree["posterior"] = xr.DataTree(
        draws.assign(departure_coefficient=(("chain", "draw", "departure"), values)).assign_coords(
            departure=names
        )
    )
    tree["constant_data"] = xr.DataTree(
        constants.assign(
            {
                places: (DEPARTURES[places][0], made.places),
                "departure_weights": (DEPARTURES["departure_weights"][0], made.weights),
            }
        ).assign_coords(departure=names)
    )
    tree.attrs["socgrad_schema"] = DEPARTURE_SCHEMA_VERSION
    return tree
