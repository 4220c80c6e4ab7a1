"""What each authority's own events say of its level and slope, roughly: it steers the sampler only.

NUTS draws authority effects standardised by their approximate conditional posteriors
(`socgrad.nuts.effects`). The estimates here, and the information behind each, are what that needs.
"""

import numpy as np
import xarray as xr

from socgrad.arrays import FloatArray, IntArray
from socgrad.model.gradient_model import GradientModel
from socgrad.quadrature import gauss_rules

__all__ = ["centring"]


def centring(
    model: GradientModel, data: xr.Dataset, within_part: FloatArray
) -> dict[str, xr.DataArray]:
    """Rough estimates of each authority's log events and slope, and the information on each.

    Y events carry information Y on the log of an authority's expected events and, independently,
    Y times the variance of w over events on its slope; a total carries none on the slope.

    Parameters
    ----------
    model : GradientModel
        The specification.
    data : xarray.Dataset
        Its likelihood data.
    within_part : ndarray, shape (areas,)
        The within part of each area.

    Returns
    -------
    dict
        Dim authority: `centring_at` and `centring_spread`, mean and variance of w over events;
        `centring_level` and `centring_slope`, the estimates; `centring_log_sum`, the log of the sum
        of exposure times exp(slope w) at that slope; `level_information` and
        `slope_information`; `shared_slope_information`, of areas that share a gamma factor;
        `events_per_factor`, events of an area, or of a locality; and, where areas lie off their
        authority's line, `centring_covariate`, `centring_area_moderator` and `centring_departure`,
        the means of these columns over events.
    """
    areas = model.areas
    n = len(areas.authority)
    at, spread, slope, information, total, log_sum = (np.zeros(n) for _ in range(6))
    if "count_events" in data:
        authority, events, sums, within, exposure = _counts_by_authority(data)
        own = _own_slopes(
            events, sums, within, exposure, steps=areas.per / 0.10, slopes=data.attrs["slope_range"]
        )
        log_sum[authority], at[authority], variance = _event_moments(own, within, exposure)
        total[authority], slope[authority], spread[authority] = events, own, variance
        information[authority] = events * variance
    if "sum_events" in data:
        authority, events, within, exposure = (
            data[f"sum_{name}"].to_numpy()
            for name in ("authority", "events", "node_within", "node_exposure")
        )
        total[authority], slope[authority] = events, model.step_priors.within.mean
        log_sum[authority], at[authority], spread[authority] = _event_moments(
            slope[authority], within, exposure
        )
    known = areas.known | areas.totals_known[areas.authority_of_area]
    home = areas.authority_of_area[known]
    number = np.bincount(home, minlength=n)
    shared = np.zeros(n)
    if model.localities:
        its = np.unique(areas.locality_of_area[known])
        number = np.bincount(areas.authority_of_locality[its], minlength=n)
        if "count_events" in data:
            shared = information * _share_inside(model, within_part)
    values = {
        "centring_at": at,
        "centring_spread": spread,
        "centring_level": np.log(np.maximum(total, 0.5)) - log_sum,
        "centring_log_sum": log_sum,
        "centring_slope": slope,
        # An authority known to have no events is as if it had half of one; one not known has none.
        "level_information": np.where(number > 0, np.maximum(total, 0.5), 0.0),
        "slope_information": information - shared,
        "shared_slope_information": shared,
        "events_per_factor": total / np.maximum(number, 1),
    }
    made = {name: xr.DataArray(value, dims="authority") for name, value in values.items()}
    group = areas.authority_of_area
    expected = areas.exposure * np.exp(slope[group] * (within_part - at[group]))
    for name in ("covariate", "area_moderator", "departure"):
        columns = model.designs.named[name]
        if columns.names:
            mean = [_means(column, expected, group, n) for column in columns.matrix.T]
            made[f"centring_{name}"] = xr.DataArray(
                np.stack(mean, axis=1), dims=("authority", name)
            )
    return made


def _share_inside(model: GradientModel, within_part: FloatArray) -> FloatArray:
    """Share of the variance of w over each authority's exposure that lies inside localities."""
    areas = model.areas
    rows = areas.counted
    weight, w = areas.exposure[rows], within_part[rows]
    group, n = areas.authority_of_area[rows], len(areas.authority)
    locality, m = areas.locality_of_area[rows], len(areas.locality)
    inside, whole = (
        np.bincount(group, weight * (w - _means(w, weight, of, size)[of]) ** 2, minlength=n)
        for of, size in ((locality, m), (group, n))
    )
    return inside / np.where(whole > 0, whole, 1.0)


def _means(values: FloatArray, weights: FloatArray, group: IntArray, size: int) -> FloatArray:
    """Weighted mean of each authority, 0 where nothing weighs."""
    total = np.bincount(group, weights=weights, minlength=size)
    summed = np.bincount(group, weights=weights * values, minlength=size)
    return summed / np.where(total > 0, total, 1.0)


def _counts_by_authority(
    data: xr.Dataset,
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Authority, events, events times w, nodes and exposure at nodes, a row per authority."""
    cells, events, sums, within, exposure = (
        data[f"count_{name}"].to_numpy()
        for name in ("authority", "events", "events_within", "node_within", "node_exposure")
    )
    authority, of = np.unique(cells, return_inverse=True)
    if len(authority) == len(cells):
        return authority, events, sums, within, exposure
    row = np.repeat(of, within.shape[1])
    within, exposure = gauss_rules(
        row, within.ravel(), exposure.ravel(), cells=len(authority), nodes=10
    )
    return authority, np.bincount(of, events), np.bincount(of, sums), within, exposure


def _own_slopes(
    events: FloatArray,
    sums: FloatArray,
    within: FloatArray,
    exposure: FloatArray,
    *,
    steps: float,
    slopes: tuple[float, float],
) -> FloatArray:
    """Each authority's slope, by Newton steps on its counts given their total.

    First one slope for all; then each its own, pulled towards that one (sd 0.3 per 10 points, of
    which there are `steps` in a step) so that few events cannot say what they do not know.
    """
    common = np.zeros(len(events))
    for _ in range(8):
        _, mean, variance = _event_moments(common, within, exposure)
        information = max(float(np.sum(events * variance)), 1e-12)
        common = np.clip(common + np.sum(sums - events * mean) / information, *slopes)
    own, pull = common, 1 / (0.3 * steps) ** 2
    for _ in range(8):
        _, mean, variance = _event_moments(own, within, exposure)
        step = sums - events * mean - pull * (own - common)
        own = np.clip(own + step / (events * variance + pull), *slopes)
    return own


def _event_moments(
    slope: FloatArray, within: FloatArray, exposure: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log of each authority's sum of exposure * exp(slope * w), and mean and variance of w in it.

    They are the sum's logarithm and its first two derivatives by the slope.
    """
    mass = exposure * np.exp(slope[:, None] * within)
    total = mass.sum(axis=1, keepdims=True)
    mass /= total
    mean = (mass * within).sum(axis=1)
    return np.log(total[:, 0]), mean, (mass * (within - mean[:, None]) ** 2).sum(axis=1)
