"""What a model of years holds possible before it sees a count: how far things move, as ratios."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy.stats import truncnorm

from socgrad.arrays import FloatArray
from socgrad.errors import SpecificationError
from socgrad.model.drift import Drift, National
from socgrad.model.priors import PositiveNormal
from socgrad.reading.labels import label_draws
from socgrad.yearly_covariances import drift_states, national_covariance

__all__ = ["prior_drift"]


def prior_drift(
    drift: Drift | None = None,
    national: National | None = None,
    *,
    years: Sequence[int],
    draws: int = 2000,
    random_seed: int = 0,
) -> xr.Dataset:
    """Draw how far an authority, and the nation, move over years by the priors alone.

    Parameters
    ----------
    drift
        As for a model; by default `Drift()`. Its breaks, where it names any, are in the draws.
    national
        As for a model; by default `National()`. Breaks are not in the draws: across one a
        coefficient may be anything that its prior allows.
    years
        Whole years in order, at least two.
    draws
        Independent draws, at least 1.
    random_seed
        At least 0.

    Returns
    -------
    xarray.Dataset
        Dims chain (1), draw and year, labelled as estimands are, so that `socgrad.summarise`,
        `change` and `socgrad.plots.over_years` take them. Ratios to the first year:
        `authority_rate` and `authority_gradient` (per 10 points) of an authority beside what the
        nation does, `national_rate` and `national_gradient` of the nation. What does not move is
        left out, and so is the nation with ``form="independent"``, whose years are apart.

    Raises
    ------
    SpecificationError
        If years are not in order, or `draws` or `random_seed` are out of range.

    Notes
    -----
    With the defaults (95%): beside the nation an authority's rate moves in a year by a factor of
    0.76 to 1.32, in nine by one of 0.69 to 1.43, and its gradient by 0.87 to 1.15 and 0.83 to 1.20;
    as random walks 0.80 to 1.24 and 0.52 to 1.91, gradients 0.90 to 1.12 and 0.73 to 1.39. The
    nation's rate moves by 0.75 to 1.34 and 0.41 to 2.42, its gradient by 0.91 to 1.10 and 0.74 to
    1.34.

    Interpretation
    --------------
    A ratio of 3 over ten years that has never been seen says that a prior is too wide; a doubling
    that did happen somewhere and lies outside says that it is too narrow.

    References
    ----------
    Gabry et al. 2019, Journal of the Royal Statistical Society A 182(2),
    https://doi.org/10.1111/rssa.12378.

    Examples
    --------
    >>> import socgrad as sg
    >>> prior = sg.years.prior_drift(years=range(2013, 2023), random_seed=1)
    >>> list(prior)
    ['authority_rate', 'authority_gradient', 'national_rate', 'national_gradient']
    >>> sg.years.change(prior["national_gradient"], start=2013, end=2014).std().round(2).item()
    0.05
    """
    drift, national = drift or Drift(), national or National()
    when = np.array(list(years))
    if len(when) < 2 or when.dtype.kind != "i" or (np.diff(when) < 1).any():
        raise SpecificationError(
            f"years is {list(years)!r}. Expected two or more whole years in order, such as "
            "range(2013, 2023)."
        )
    if draws < 1 or random_seed < 0:
        raise SpecificationError(
            f"draws must be at least 1 and random_seed at least 0; got draws={draws}, "
            f"random_seed={random_seed}."
        )
    times, rng = when.astype(np.float64), np.random.default_rng(random_seed)
    moves: dict[str, FloatArray] = {}
    for kind, name, form in (("level", "rate", drift.levels), ("slope", "gradient", drift.slopes)):
        numbers = {
            "level_constant_sd": np.zeros(draws),
            "level_drift_sd": _positive(getattr(drift, f"{kind}_sd"), draws, rng),
            "level_break_sd": _positive(getattr(drift, f"{kind}_break_sd"), draws, rng),
            "level_autocorrelation": 2.0 * rng.beta(*drift.autocorrelation, draws) - 1.0,
        }
        if form == "none" and not drift.breaks:
            continue
        states = drift_states(times, (form,), drift.breaks or (), numbers)
        moves[f"authority_{name}"] = _drawn(states.covariance(), rng)
    for name, step in (("rate", national.level), ("gradient", national.gradient)):
        if national.form != "independent":
            covariance = national_covariance(national.form, times, (), sd=0.0, step=step)
            moves[f"national_{name}"] = _drawn(np.tile(covariance, (draws, 1, 1)), rng)
    coordinates = {"chain": [0], "draw": np.arange(draws), "year": when}
    made = {}
    for name, values in moves.items():
        whose, what = name.split("_")
        made[name] = label_draws(
            xr.DataArray(np.exp(values - values[:, :1])[None], coordinates, tuple(coordinates)),
            estimand=name,
            units="rate ratio" if what == "rate" else "ratio of gradients per 10 points",
            reference=f"the same in {when[0]}, by the prior"
            + (": one authority, beside the nation" if whose == "authority" else ": the nation"),
            null=1.0,
        )
    return xr.Dataset(made)


def _positive(prior: PositiveNormal, draws: int, rng: np.random.Generator) -> FloatArray:
    low = -prior.mean / prior.sd
    return np.asarray(
        truncnorm.rvs(low, np.inf, prior.mean, prior.sd, size=draws, random_state=rng)
    )


def _drawn(covariance: FloatArray, rng: np.random.Generator) -> FloatArray:
    """One normal draw of each covariance, which may be singular."""
    size, axes = np.linalg.eigh(covariance)
    z = rng.standard_normal(size.shape) * np.sqrt(np.maximum(size, 0.0))
    return np.asarray(np.einsum("nij,nj->ni", axes, z))
