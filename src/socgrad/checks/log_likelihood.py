"""Pointwise log-likelihood of a fit's counts, for ArviZ."""

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.checks.counts import (
    chosen_draws,
    counts_by_position,
    lines_at,
    total_moments,
)
from socgrad.checks.locality_counts import log_probabilities
from socgrad.errors import EstimandError
from socgrad.laws.negative_binomial import log_probability
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients

__all__ = ["add_log_likelihood"]

type Floats = npt.NDArray[np.float64]


def add_log_likelihood(fit: xr.DataTree, *, most_gigabytes: float = 1.0) -> xr.DataTree:
    """Add the log-likelihood of every count, for ArviZ's `loo` and whatever else reads that group.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`, with
        its counts.
    most_gigabytes
        Size that the group may have, above 0: counts times draws times 8 bytes. England's areas by
        4,000 draws take 1.05 GB.

    Returns
    -------
    xarray.DataTree
        A copy of the fit (its arrays shared) with group `log_likelihood`: `events`, dims chain,
        draw, counted_area; `total_events`, dims chain, draw, total_authority; either where there
        are such counts.

    Raises
    ------
    EstimandError
        If the group would be larger than `most_gigabytes`; if the fit holds no counts, or several
        strata, or authorities with a total beside counts within bounds.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    Given an authority's own effects and, where localities have factors of their own, given the
    counts of the other areas of the locality: what leaving one area out asks for. The sum of these
    is then not the log-likelihood of all counts together (Bürkner, Gabry & Vehtari 2021,
    https://doi.org/10.1007/s00180-020-01045-4, on models whose observations depend on each other).

    `socgrad.leave_out` needs no such group: it scores in blocks,
    and for authorities integrates their effects out, which this group cannot do.

    Examples
    --------
    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=8, areas=200, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation",
    ...                             complete=True)
    >>> fitted = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1)
    >>> dict(sg.for_arviz.add_log_likelihood(fitted)["log_likelihood"].sizes)
    {'chain': 4, 'draw': 1000, 'counted_area': 200}
    """
    counts = counts_by_position(fit)
    if len(counts.constrained):
        raise EstimandError(
            f"{len(counts.constrained)} authorities have a total beside counts of their areas "
            "within bounds: given the total, these have no log-likelihood one by one. "
            "socgrad.leave_out(fit) scores whole authorities."
        )
    like = coefficients(fit).intercept.transpose("chain", "draw")
    size = like.size * (len(counts.area) + len(counts.authority)) * 8 / 1e9
    if not size <= most_gigabytes:
        raise EstimandError(
            f"The log-likelihood of {len(counts.area) + len(counts.authority):,} counts in "
            f"{like.size:,} draws takes {size:.2g} GB, above most_gigabytes={most_gigabytes:g}. "
            "socgrad.leave_out(fit, unit='area') scores them in blocks; or thin the draws, "
            "fit.sel(draw=slice(None, None, 4)), or allow more."
        )
    values = np.empty((like.size, len(counts.area)))
    at = chosen_draws(coefficients(fit), like.size)
    lines, land = lines_at(fit, at), geography(fit)
    for rows, log_likelihood in log_probabilities(counts, lines, land):
        values[:, rows] = log_likelihood
    data: dict[str, xr.DataArray] = {}
    labels = fit["constant_data"].to_dataset()
    if len(counts.area):
        coords = {**like.coords, "counted_area": labels["area"].to_numpy()[counts.area]}
        data["events"] = xr.DataArray(
            values.reshape(*like.shape, -1), dims=("chain", "draw", "counted_area"), coords=coords
        )
    if len(counts.authority):
        totals = _totals(fit)
        coords = {
            **like.coords,
            "total_authority": labels["authority"].to_numpy()[counts.authority],
        }
        data["total_events"] = xr.DataArray(
            totals.reshape(*like.shape, -1),
            dims=("chain", "draw", "total_authority"),
            coords=coords,
        )
    tree = fit.copy()
    tree["log_likelihood"] = xr.DataTree(xr.Dataset(data))
    return tree


def _totals(fit: xr.DataTree) -> Floats:
    """Log probability (draws, totals) of the authority totals."""
    counts, land = counts_by_position(fit), geography(fit)
    lines = lines_at(fit, chosen_draws(coefficients(fit), coefficients(fit).intercept.size))
    among = np.isin(land.authority_of_area, counts.authority)
    mean, variance = total_moments(lines, land, among=among)
    mean, variance = mean[:, counts.authority], variance[:, counts.authority]
    values = log_probability(counts.total, mean, variance)
    bounded = counts.total_kernel >= 0
    if bounded.any():
        from socgrad.laws.kernel_sums import kernel_values  # noqa: PLC0415 numba takes time

        eta, kernel = np.log(mean[:, bounded]), counts.total_kernel[bounded]
        values[:, bounded] = kernel_values(counts.kernels, kernel, eta, variance[:, bounded])[0]
    return values
