"""For which slopes and curves a fit's compressed likelihood is exact, recorded in its tree."""

import warnings
from typing import Final

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray
from socgrad.errors import QuadratureWarning
from socgrad.model.compression import curve_error, quadrature_error
from socgrad.model.gradient_model import GradientModel
from socgrad.predictor import authority_slope

__all__ = ["record_quadrature"]

# Relative error of an authority's expected events that no count of children could show.
_NEGLIGIBLE: Final = 1e-6
# A log beyond which a number has too many digits to be one.
_LARGEST: Final = 700.0
# Draws of a curve for which its sums are taken over all areas, too.
_CURVES_CHECKED: Final = 20


def record_quadrature(model: GradientModel, tree: xr.DataTree, data: xr.Dataset) -> None:
    """Record for which slopes the compression is exact, and check that the draws stayed there.

    Parameters
    ----------
    model : GradientModel
        The model that was fitted.
    tree : xarray.DataTree
        Its fit; attrs `slope_range`, `slopes_drawn` and `quadrature_error` are added.
    data : xarray.Dataset
        Its likelihood data.

    Warns
    -----
    QuadratureWarning
        If draws left the range, and the error there is not negligible.
    """
    low, high = data.attrs["slope_range"]
    tree.attrs["slope_range"] = np.array([low, high])
    tree.attrs["quadrature_error"] = data.attrs["quadrature_error"]
    posterior = tree["posterior"].to_dataset()
    within = posterior.get("within", posterior.get("pooled"))
    if within is None:
        return
    slopes = authority_slope(
        within,
        posterior.get("cross_level", 0.0),
        tree["constant_data"]["between_part"],
        posterior.get("slope_effect", 0.0),
        moderators=_sum(posterior, tree["constant_data"].to_dataset(), "moderator"),
    )
    _check_curve(model, tree, data, slopes)
    slopes = slopes + _extremes(posterior, model.designs.area_moderators.matrix)
    drawn = float(slopes.min()), float(slopes.max())
    tree.attrs["slopes_drawn"] = np.array(drawn)
    if low <= drawn[0] and drawn[1] <= high:
        return
    error = quadrature_error(model, data, drawn)
    tree.attrs["quadrature_error"] = max(error, tree.attrs["quadrature_error"])
    if error > _NEGLIGIBLE:
        warnings.warn(
            f"Drawn slopes run from {_ratio(drawn[0])} to {_ratio(drawn[1])} (rate ratios "
            f"per {model.areas.per:g}), outside {np.exp(low):.3g} to {np.exp(high):.3g}, for which "
            f"the compressed exposures are exact; the relative error there is {error:.1g}. Such "
            "slopes are no social gradient: check the data, or tighten Priors.within and "
            "Priors.slope_sd.",
            QuadratureWarning,
            stacklevel=4,
        )


def _ratio(slope: float) -> str:
    return f"{np.exp(slope):.3g}" if slope < _LARGEST else f"more than {np.exp(_LARGEST):.0g}"


def _check_curve(
    model: GradientModel, tree: xr.DataTree, data: xr.Dataset, slopes: xr.DataArray
) -> None:
    """Record how well exposures were compressed along a spline, in some of its draws."""
    if model.departures is None:
        return
    posterior = tree["posterior"].to_dataset()
    coefficient = posterior["departure_coefficient"].transpose("chain", "draw", ...)
    bent = coefficient.to_numpy().reshape(-1, coefficient.shape[-1])
    dims = ("chain", "draw", "authority")
    steep = slopes.broadcast_like(posterior["intercept"]).transpose(*dims).to_numpy()
    some = np.linspace(0, len(bent) - 1, min(len(bent), _CURVES_CHECKED)).round().astype(int)
    error = curve_error(model, data, steep.reshape(len(bent), -1)[some], bent[some])
    tree.attrs["quadrature_error"] = max(error, tree.attrs["quadrature_error"])
    if error > _NEGLIGIBLE:
        warnings.warn(
            f"Along the curves that were drawn, the compressed exposures have a relative error of "
            f"{error:.1g}. Such curves are no social gradient: check the data, or tighten "
            "Priors.departure.",
            QuadratureWarning,
            stacklevel=5,
        )


def _sum(posterior: xr.Dataset, constants: xr.Dataset, name: str) -> xr.DataArray | float:
    """Sum of coefficient times column over the covariates of one kind; 0 where there are none."""
    if f"{name}_coefficient" not in posterior:
        return 0.0
    summed: xr.DataArray = xr.dot(
        posterior[f"{name}_coefficient"], constants[f"{name}_design"], dim=name
    )
    return summed


def _extremes(posterior: xr.Dataset, columns: FloatArray) -> xr.DataArray | float:
    """The least and the most that area moderators could add to a slope, dim extreme."""
    if "area_moderator_coefficient" not in posterior:
        return 0.0
    ends = xr.DataArray(
        np.stack([columns.min(axis=0), columns.max(axis=0)]), dims=("extreme", "area_moderator")
    )
    added = posterior["area_moderator_coefficient"] * ends
    least, most = added.min("extreme"), added.max("extreme")
    return xr.concat([least, most], dim="extreme").sum("area_moderator")
