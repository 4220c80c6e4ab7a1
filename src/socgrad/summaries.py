"""From draws to a table: the one place where draws collapse."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import product
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr

from socgrad.errors import EstimandError

__all__ = ["summarise"]

_COLUMNS: Final = ["estimate", "lower", "upper", "probability", "ess_bulk", "mcse", "units"]


def summarise(
    *estimands: xr.DataArray | xr.Dataset,
    prob: float = 0.95,
    names: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Summarise draws as posterior medians with equal-tailed intervals.

    Parameters
    ----------
    *estimands
        Draws as the estimands return them, dims chain and draw, plus named ones. A dataset counts
        as its variables, one after the other.
    prob
        Probability of the interval, within 0-1, ends excluded.
    names
        Names for the rows, one for each DataArray (and each variable of a dataset), instead of the
        estimands' own: needed where two would have the same.

    Returns
    -------
    pandas.DataFrame
        One row for each combination of named dims, indexed by `estimand` and `at` (the coordinates
        in words, empty where there are none). Columns:

        * `estimate`, `lower`, `upper`: posterior median and equal-tailed interval;
        * `probability`: share of draws above the value that means no difference (1 for a ratio),
          NaN where there is none;
        * `ess_bulk`, `mcse`: effective number of draws, and Monte Carlo standard error of the
          estimate;
        * `units`, then a column for each named dim with its coordinates.

        For a probability of its own, such as a crossing within support, `estimate` is the share of
        draws and the interval NaN. Attrs prob, caption.

    Raises
    ------
    EstimandError
        If `prob` is not within 0-1, draws are not finite or have no dims chain and draw, `names`
        are not as many as there are estimands, or two rows have the same name and coordinates.

    Notes
    -----
    `mcse` below a tenth of half the interval leaves two digits of the estimate to be trusted. Draws
    resampled by importance look independent and are not: where a fit records an importance
    effective size, `ess_bulk` is at most this and `mcse` grows accordingly.

    References
    ----------
    Vehtari et al. 2021, Bayesian Analysis 16(2), https://doi.org/10.1214/20-BA1221.

    Examples
    --------
    >>> from socgrad.contextual import inverse_intervention
    >>> from socgrad.example import example_fit
    >>> from socgrad.gradients import gradient
    >>> from socgrad.summaries import summarise
    >>> table = summarise(
    ...     gradient(example_fit()), inverse_intervention(example_fit(), deprivation=0.3)
    ... )
    >>> table.loc["gradient", ["estimate", "lower", "upper"]].round(2).values.tolist()
    [[1.73, 1.64, 1.84]]
    >>> table.loc[("inverse_intervention", "deprivation=0.3"), "probability"].item()
    0.0
    """
    if not 0 < prob < 1:
        raise EstimandError(
            f"prob is {prob:g}; expected the probability of an interval, above 0 and below 1, such "
            "as 0.95."
        )
    flat = list(_flatten(estimands))
    if names is None:
        names = [str(draws.attrs.get("estimand", draws.name)) for draws in flat]
    elif len(names) != len(flat):
        raise EstimandError(
            f"{len(names)} names were given for {len(flat)} estimands. Expected one for each "
            "DataArray and each variable of a dataset."
        )
    blocks = [_block(draws, name, prob) for draws, name in zip(flat, names, strict=True)]
    table = pd.concat(blocks) if blocks else pd.DataFrame(columns=["estimand", "at", *_COLUMNS])
    twice = table.duplicated(["estimand", "at"])
    if twice.any():
        first = table.loc[twice].iloc[0]
        raise EstimandError(
            f"{twice.sum()} rows have the name and coordinates of another (first: "
            f"{first['estimand']} {first['at']}). Tell the estimands apart with names=[...]."
        )
    table = table.set_index(["estimand", "at"])
    table.attrs = {
        "prob": prob,
        "caption": f"Posterior median with {100 * prob:g}% equal-tailed interval; probability: "
        "share of draws above the value that means no difference.",
    }
    return table


def _flatten(estimands: Sequence[xr.DataArray | xr.Dataset]) -> Iterator[xr.DataArray]:
    """Give datasets as their variables, and refuse what holds no draws."""
    for position, given in enumerate(estimands, start=1):
        parts = given.data_vars.values() if isinstance(given, xr.Dataset) else [given]
        for draws in parts:
            missing = [dim for dim in ("chain", "draw") if dim not in draws.dims]
            if missing:
                raise EstimandError(
                    f"Estimand {position} ({draws.name}) has no dim {' or '.join(missing)} (it has "
                    f"{draws.dims}). Expected draws as the estimands return them: summarise before "
                    "taking means."
                )
            yield draws


def _block(draws: xr.DataArray, name: str, prob: float) -> pd.DataFrame:
    """Rows of one estimand."""
    dims = [str(dim) for dim in draws.dims if dim not in ("chain", "draw")]
    values = draws.transpose("chain", "draw", *dims).to_numpy().astype(float)
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise EstimandError(
            f"{bad} of {values.size} draws of {name} are not finite. Look at them before "
            "summarising: an estimand may not exist in every draw, or the sampler has failed."
        )
    values = values.reshape(*values.shape[:2], -1)
    is_indicator = bool(draws.attrs.get("indicator", 0))
    tails = [(1 - prob) / 2, (1 + prob) / 2]
    if is_indicator:
        estimate = values.mean(axis=(0, 1))
        lower = upper = np.full_like(estimate, np.nan)
    else:
        estimate = np.median(values, axis=(0, 1))
        lower, upper = np.quantile(values, tails, axis=(0, 1))
    probability = np.full_like(estimate, np.nan)
    if "null" in draws.attrs:
        probability = (values > draws.attrs["null"]).mean(axis=(0, 1))
    ess, mcse = _precision(values, "mean" if is_indicator else "median")
    limit = draws.attrs.get("importance_ess", np.inf)
    coordinates, labels = _coordinates(draws, dims)
    columns = {
        "estimand": name,
        "at": labels,
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "probability": probability,
        "ess_bulk": np.minimum(ess, limit),
        "mcse": mcse * np.sqrt(np.maximum(ess / limit, 1)),
        "units": str(draws.attrs.get("units", "")),
    }
    return pd.DataFrame(columns | coordinates)


def _precision(values: np.ndarray, of: str) -> tuple[np.ndarray, np.ndarray]:
    """Effective number of draws, and Monte Carlo standard error of the median or mean."""
    stats = import_module("arviz_stats")  # takes a second, so only when needed
    draws = xr.DataArray(values, dims=("chain", "draw", "row"))
    return stats.ess(draws, method="bulk").to_numpy(), stats.mcse(draws, method=of).to_numpy()


def _coordinates(draws: xr.DataArray, dims: list[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Coordinates of each row by dim, and all of them in words; scalar ones belong to every row."""
    fixed = {
        str(name): coordinate.item()
        for name, coordinate in draws.coords.items()
        if coordinate.ndim == 0 and name not in ("chain", "draw")
    }
    rows = [
        fixed | dict(zip(dims, values, strict=True))
        for values in product(*(draws[dim].to_numpy().tolist() for dim in dims))
    ]
    words = [", ".join(f"{name}={_word(value)}" for name, value in row.items()) for row in rows]
    return {name: np.array([row[name] for row in rows]) for name in [*fixed, *dims]}, words


def _word(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
