"""The equation written out for every area and draw, against which sums are held."""

import numpy as np
import xarray as xr


def area_rates(fit: xr.DataTree, *, own_effects: bool) -> np.ndarray:
    """Write the equation out for every area and draw, in NumPy, shape (chain, draw, area)."""
    data, draws = fit["constant_data"].to_dataset(), fit["posterior"].to_dataset()
    j = data["authority_of_area"].to_numpy()
    b = data["between_part"].to_numpy()[j]
    w = data["within_part"].to_numpy()

    def term(name):
        return draws[name].to_numpy()[..., None] if name in draws else 0.0

    def effect(name):
        return draws[name].to_numpy()[..., j] if own_effects and name in draws else 0.0

    slope = term("within") + term("pooled") + term("cross_level") * b + effect("slope_effect")
    level = term("between") * b + term("curvature") * b**2 + effect("level_effect")
    return np.exp(term("intercept") + level + slope * w)
