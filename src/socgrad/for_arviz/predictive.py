"""Counts drawn again, one for each count of a fit in each of its draws, for ArviZ."""

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.checks.counts import (
    chosen_draws,
    counts_by_position,
    lines_at,
    total_moments,
)
from socgrad.checks.locality_counts import count_blocks
from socgrad.errors import EstimandError
from socgrad.estimands.chance import counts_about
from socgrad.laws.draws import drawn_factors
from socgrad.reading.geography import geography
from socgrad.reading.posterior import coefficients

__all__ = ["add_posterior_predictive"]


def add_posterior_predictive(
    fit: xr.DataTree, *, random_seed: int = 0, most_gigabytes: float = 1.0
) -> xr.DataTree:
    """Add counts drawn again from the posterior, for ArviZ's `plot_ppc_dist` and its like.

    Parameters
    ----------
    fit : xarray.DataTree
        From `socgrad.fit` or `socgrad.load`, with its counts.
    random_seed : int
        At least 0.
    most_gigabytes : float
        Size that the group may have, above 0: counts times draws times 8 bytes. England's areas by
        4,000 draws take 1.05 GB.

    Returns
    -------
    xarray.DataTree
        A copy of the fit (its arrays shared) with group `posterior_predictive`, whose variables are
        those of `observed_data`: `events`, dims chain, draw, counted_area; `total_events`, dims
        chain, draw, total_authority; either where there are such counts.

    Raises
    ------
    EstimandError
        If the group would be larger than `most_gigabytes`; if the fit holds no counts, or several
        strata, or counts that are known within bounds only; if `random_seed` is below 0.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    An authority keeps its own effects; factors of areas and localities are drawn anew. A total has
    the mean and variance that the model gives it. `socgrad.check_fit` compares such counts with the
    real ones without holding them, so that it needs no such group.

    References
    ----------
    Gelman, Meng & Stern 1996, Statistica Sinica 6(4), 733-760 (posterior predictive assessment).

    Examples
    --------
    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=8, areas=200, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation",
    ...                             complete=True)
    >>> fitted = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1)
    >>> again = sg.for_arviz.add_posterior_predictive(fitted)
    >>> dict(again["posterior_predictive"].sizes)
    {'chain': 4, 'draw': 1000, 'counted_area': 200}
    """
    if random_seed < 0:
        raise EstimandError(f"random_seed is {random_seed}; expected a whole number, at least 0.")
    counts, terms = counts_by_position(fit), coefficients(fit)
    if counts.has_bounds:
        raise EstimandError(
            "Some counts of this fit are known within bounds only (coarsening), and ArviZ would "
            "compare those alone that are shown, which are not like the others. socgrad.check_fit "
            "completes the counts in every draw before it compares them."
        )
    like = terms.intercept.transpose("chain", "draw")
    number = len(counts.area) + len(counts.authority)
    size = like.size * number * 8 / 1e9
    if not size <= most_gigabytes:
        raise EstimandError(
            f"Counts drawn again, {number:,} in {like.size:,} draws, take {size:.2g} GB, above "
            f"most_gigabytes={most_gigabytes:g}. Thin the draws, "
            "fit.sel(draw=slice(None, None, 20)), which is enough for figures, or allow more."
        )
    rng = np.random.default_rng(random_seed)
    lines, land = lines_at(fit, chosen_draws(terms, like.size)), geography(fit)
    labels = fit["constant_data"].to_dataset()
    data = {}
    if len(counts.area):
        values = np.empty((like.size, len(counts.area)), dtype=np.int64)
        spread, shared = lines.overdispersion[:, None] ** 2, lines.locality_sd[:, None] ** 2
        for block in count_blocks(counts, lines, land):
            mean = block.mean
            if shared.any():
                factor = drawn_factors(shared, (like.size, len(block.first)), rng)
                mean = mean * factor[:, block.locality]
            values[:, block.rows] = counts_about(mean, np.broadcast_to(spread, mean.shape), rng)
        data["events"] = _labelled(values, like, "counted_area", labels["area"][counts.area])
    if len(counts.authority):
        among = np.isin(land.authority_of_area, counts.authority)
        mean, variance = total_moments(lines, land, among=among)
        at = counts.authority
        values = np.asarray(counts_about(mean[:, at], variance[:, at], rng), dtype=np.int64)
        data["total_events"] = _labelled(values, like, "total_authority", labels["authority"][at])
    tree = fit.copy()
    tree["posterior_predictive"] = xr.DataTree(xr.Dataset(data))
    return tree


def _labelled(
    values: npt.NDArray[np.int64], like: xr.DataArray, dim: str, labels: xr.DataArray
) -> xr.DataArray:
    """Counts by chain, draw and place, as the observed ones are labelled."""
    return xr.DataArray(
        values.reshape(*like.shape, -1),
        dims=("chain", "draw", dim),
        coords={**like.coords, dim: labels.to_numpy()},
    )
