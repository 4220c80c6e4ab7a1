"""From draws to a table: the one place where draws collapse."""

from collections.abc import Hashable, Iterator, Sequence
from importlib import import_module
from itertools import product
from numbers import Real
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.reading.data_marks import HAS_DATA, NO_DATA
from socgrad.reading.labels import are_labelled
from socgrad.schema import NAMES

__all__ = ["intervals", "summarise"]

_NUMBERS: Final = ["estimate", "lower", "upper", "pr_above", "null", "ess_bulk", "mcse"]
_WORDS: Final = ["units", "reference"]
#: What may differ between strata, and is then a coordinate along stratum (`reading.by_stratum`).
_OF_A_ROW: Final = (*_WORDS, "importance_ess")


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
        as its variables, one after the other. What you have computed from such draws, a ratio of
        two gradients say, takes a label of its own first: `socgrad.tables.label_draws`.
    prob
        Probability of the interval, within 0-1, ends excluded.
    names
        Names for the rows, one for each DataArray (and each variable of a dataset), instead of the
        estimands' own: needed where two would have the same.

    Returns
    -------
    pandas.DataFrame
        One row for each combination of named dims, indexed by `estimand` and `at` (the coordinates
        in words, empty where there are none; also what is compared, or per what, where rows would
        otherwise be alike). Columns:

        * `estimate`, `lower`, `upper`: posterior median and equal-tailed interval;
        * `pr_above`: share of draws above `null`, the value that means no difference (1 for a
          ratio); both NaN where there is none;
        * `ess_bulk`, `mcse`: effective number of draws, and Monte Carlo standard error of the
          estimate;
        * a column for each named dim with its coordinates; `authority_name` and `area_name` beside
          them, and in the words of `at`, where the table had names;
        * `has_data`, only where some authority has none: whether events of its own are known;
        * `units`, `reference`: what one unit is, and what is compared with what; of an authority
          without data also that its number is what the model expects of an authority like it.

        For a probability of its own, such as a crossing within support, `estimate` is the share of
        draws and the interval NaN. Attrs prob, caption.

    Raises
    ------
    EstimandError
        If `prob` is not within 0-1, what is given are no draws, or draws that are not finite, have
        no dims chain and draw or no label that holds; if `names` are not as many as there are
        estimands, or two rows are alike in name, coordinates, reference and units.

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
    >>> from socgrad.estimands.contextual import inverse_intervention
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.estimands.gradients import gradient
    >>> from socgrad.tables.summaries import summarise
    >>> table = summarise(
    ...     gradient(example_fit()), inverse_intervention(example_fit(), deprivation=0.3)
    ... )
    >>> table.loc["gradient", ["estimate", "lower", "upper"]].round(2).values.tolist()
    [[1.73, 1.64, 1.84]]
    >>> table.loc[("inverse_intervention", "deprivation=0.3"), "pr_above"].item()
    0.0
    """
    if not (isinstance(prob, Real) and 0 < prob < 1):
        raise EstimandError(
            f"prob is {prob!r}; expected the probability of an interval, above 0 and below 1, such "
            "as 0.95."
        )
    flat = list(_flatten(estimands))
    if names is None:
        names = [str(draws.attrs["estimand"]) for draws in flat]
    elif len(names) != len(flat):
        raise EstimandError(
            f"{len(names)} names were given for {len(flat)} estimands. Expected one for each "
            "DataArray and each variable of a dataset."
        )
    blocks = [_block(draws, name, prob) for draws, name in zip(flat, names, strict=True)]
    if not blocks:
        blocks = [pd.DataFrame(columns=["estimand", "at", *_NUMBERS, *_WORDS])]
    table = _told_apart(pd.concat(blocks, ignore_index=True)).set_index(["estimand", "at"])
    if HAS_DATA in table:  # rows of other estimands say nothing of it
        table[HAS_DATA] = [pd.isna(mark) or bool(mark) for mark in table[HAS_DATA]]
    table = table[[*(name for name in table if name not in _WORDS), *_WORDS]]  # long texts last
    table.attrs = {
        "prob": prob,
        "caption": f"Posterior median with {100 * prob:g}% equal-tailed interval; pr_above: "
        "share of draws above null, the value that means no difference.",
    }
    return table


def _flatten(estimands: Sequence[xr.DataArray | xr.Dataset]) -> Iterator[xr.DataArray]:
    """Give datasets as their variables, and refuse what holds no draws."""
    for position, given in enumerate(estimands, start=1):
        if not isinstance(given, xr.DataArray | xr.Dataset):
            unpacked = (
                " Pass them one by one, or unpacked: summarise(*estimands)."
                if isinstance(given, list | tuple)
                else ""
            )
            raise EstimandError(
                f"Estimand {position} is a {type(given).__name__}. Expected draws as the estimands "
                f"return them, such as socgrad.gradient(fit).{unpacked}"
            )
        parts = given.data_vars.values() if isinstance(given, xr.Dataset) else [given]
        for draws in parts:
            missing = [dim for dim in ("chain", "draw") if dim not in draws.dims]
            if missing:
                raise EstimandError(
                    f"Estimand {position} ({draws.name}) has no dim {' or '.join(missing)} (it has "
                    f"{draws.dims}). Expected draws as the estimands return them: summarise before "
                    "taking means."
                )
            if not are_labelled(draws):
                raise EstimandError(
                    f"Estimand {position} ({draws.name}) is not as an estimand returned it: it was "
                    "computed from other draws (a ratio, a mean ...), so that their name, units "
                    "and null need not hold. Label them: "
                    "socgrad.tables.label_draws(draws, estimand=..., units=..., reference=..., "
                    "null=...)."
                )
            yield draws


def _told_apart(table: pd.DataFrame) -> pd.DataFrame:
    """Say where rows of one name and coordinates differ, and refuse those that do not differ."""
    keys = ["estimand", "at"]
    for column in reversed(_WORDS):
        differ = table.groupby(keys)[column].transform("nunique") > 1
        words = table.loc[differ, column]
        table.loc[differ, "at"] = (table.loc[differ, "at"] + ", " + words).str.removeprefix(", ")
    twice = table.duplicated(keys)
    if twice.any():
        first = table.loc[twice].iloc[0]
        raise EstimandError(
            f"{twice.sum()} rows have the name and coordinates of another (first: "
            f"{first['estimand']} {first['at']}). Tell the estimands apart with names=[...]."
        )
    return table


def intervals(draws: xr.DataArray, *, prob: float) -> pd.DataFrame:
    """Medians and equal-tailed intervals of draws, as `summarise` has them, and no more.

    How precise these are takes most of the time of a summary (`ess_bulk`, `mcse`).

    Parameters
    ----------
    draws
        As `summarise` takes them: of one estimand.
    prob
        Probability of the interval, within 0-1, ends excluded.

    Returns
    -------
    pandas.DataFrame
        Columns estimate, lower, upper, and one for each named dim; rows as `summarise` has them.
    """
    (flat,) = _flatten([draws])
    dims, values, kept = _finite(flat, str(flat.attrs["estimand"]))
    estimate, lower, upper = _interval(flat, values, prob)
    coordinates, _ = _coordinates(flat, dims, kept)
    return pd.DataFrame({"estimate": estimate, "lower": lower, "upper": upper} | coordinates)


def _block(draws: xr.DataArray, name: str, prob: float) -> pd.DataFrame:
    """Rows of one estimand."""
    dims, values, kept = _finite(draws, name)
    estimate, lower, upper = _interval(draws, values, prob)
    null = draws.attrs.get("null", np.nan)
    above = (values > null).mean(axis=(0, 1)) if "null" in draws.attrs else np.nan
    ess, mcse = _precision(values, "mean" if draws.attrs.get("indicator") else "median")
    limit, units, reference = (
        _of_rows(draws, dims, name, default)[kept]
        for name, default in (("importance_ess", np.inf), ("units", ""), ("reference", ""))
    )
    coordinates, labels = _coordinates(draws, dims, kept)
    has_data = _of_rows(draws, dims, HAS_DATA, default=True)[kept].astype(bool)
    if HAS_DATA in draws.coords:
        coordinates = coordinates | {HAS_DATA: has_data}
        reference = np.where(has_data, reference, reference.astype(object) + f"; {NO_DATA}")
    columns = {
        "estimand": name,
        "at": labels,
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "pr_above": above,
        "null": null,
        "ess_bulk": np.minimum(ess, limit),
        "mcse": mcse * np.sqrt(np.maximum(ess / limit, 1)),
        "units": units,
        "reference": reference,
    }
    return pd.DataFrame(columns | coordinates)


def _finite(
    draws: xr.DataArray, name: str
) -> tuple[list[str], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Named dims of draws; their values, dims chain, draw, row; and which rows there are."""
    dims = [str(dim) for dim in draws.dims if dim not in ("chain", "draw")]
    values = draws.transpose("chain", "draw", *dims).to_numpy().astype(float)
    values = values.reshape(*values.shape[:2], -1)
    kept = np.ones(values.shape[2], dtype=bool)
    if draws.attrs.get("missing_rows"):  # such as an authority without exposure in one stratum
        kept = ~np.isnan(values).all(axis=(0, 1))
        values = values[:, :, kept]
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise EstimandError(
            f"{bad} of {values.size} draws of {name} are not finite. Look at them before "
            "summarising: an estimand may not exist in every draw, or the sampler has failed."
        )
    return dims, values, kept


def _interval(
    draws: xr.DataArray, values: npt.NDArray[np.float64], prob: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Estimate of each row, and the ends of its interval (NaN of a share of draws)."""
    if draws.attrs.get("indicator"):
        estimate = values.mean(axis=(0, 1))
        return estimate, np.full_like(estimate, np.nan), np.full_like(estimate, np.nan)
    tails = [(1 - prob) / 2, (1 + prob) / 2]
    lower, upper = np.quantile(values, tails, axis=(0, 1))
    return np.median(values, axis=(0, 1)), lower, upper


def _precision(values: np.ndarray, of: str) -> tuple[np.ndarray, np.ndarray]:
    """Effective number of draws, and Monte Carlo standard error of the median or mean."""
    stats = import_module("arviz_stats")  # takes a second, so only when needed
    draws = xr.DataArray(values, dims=("chain", "draw", "row"))
    return stats.ess(draws, method="bulk").to_numpy(), stats.mcse(draws, method=of).to_numpy()


def _of_rows(draws: xr.DataArray, dims: list[str], name: str, default: object) -> np.ndarray:
    """What is said of each row: a coordinate where rows differ in it, else the attr."""
    row = draws.isel(chain=0, draw=0, drop=True)
    if name in row.coords:
        given = (
            row[name].drop_vars(row.coords, errors="ignore").broadcast_like(row).transpose(*dims)
        )
        return np.ravel(given.to_numpy())
    return np.full(row.size, draws.attrs.get(name, default))


def _coordinates(
    draws: xr.DataArray, dims: list[str], kept: np.ndarray
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Coordinates of each row by dim, and all of them in words; scalar ones belong to every row."""
    names = _names(draws)
    fixed = {
        str(name): coordinate.item()
        for name, coordinate in draws.coords.items()
        if coordinate.ndim == 0 and name not in ("chain", "draw", HAS_DATA, *NAMES, *_OF_A_ROW)
    }
    every = product(*(draws[dim].to_numpy().tolist() for dim in dims))
    rows = [
        fixed | dict(zip(dims, values, strict=True))
        for values, keep in zip(every, kept, strict=True)
        if keep
    ]
    words = [
        ", ".join(
            f"{dim}={_word(names[dim][value] if dim in names else value)}"
            for dim, value in row.items()
        )
        for row in rows
    ]
    columns = {name: np.array([row[name] for row in rows]) for name in [*fixed, *dims]}
    for dim, of in names.items():
        columns[f"{dim}_name"] = np.array([of[row[dim]] for row in rows], dtype=object)
    return columns, words


def _names(draws: xr.DataArray) -> dict[str, dict[Hashable, str]]:
    """Names of what stands along a dim, or was selected of it, by label."""
    return {
        dim: dict(
            zip(
                np.ravel(draws[dim].to_numpy()).tolist(),
                np.ravel(draws[name].to_numpy()).tolist(),
                strict=True,
            )
        )
        for name, ((dim,), _) in NAMES.items()
        if name in draws.coords and dim in draws.coords
    }


def _word(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
