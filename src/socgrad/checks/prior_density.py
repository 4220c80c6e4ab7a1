"""The log prior density of every draw, from the priors that a fit records."""

import json
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.stats import beta, norm

from socgrad.errors import EstimandError
from socgrad.reading.posterior import coefficients
from socgrad.terms import TERMS, PriorFamily

__all__ = ["log_density", "log_prior", "parameter_label", "parameters_of", "recorded_priors"]


def recorded_priors(fit: xr.DataTree) -> dict[str, npt.NDArray[np.float64]]:
    """Priors of a fit per step of its own: mean and sd by name, both shapes of the beta.

    Those of covariates have shape (columns, 2), the others (2,).

    Raises
    ------
    EstimandError
        If the fit records none, or ties years together.
    """
    years = json.loads(fit.attrs.get("years", "{}"))
    if years.get("drift") or years.get("national"):
        raise EstimandError(
            "This fit ties years together: the prior of one year's numbers depends on those of the "
            "others (years.Drift, years.National), and prior checks know of one year alone. Fit "
            "that year by itself to see what its priors contribute."
        )
    if "priors" in fit.attrs:
        recorded: Mapping[str, list[float]] = json.loads(fit.attrs["priors"])
        return {name: np.array(pairs, dtype=float) for name, pairs in recorded.items()}
    # pymc.sample keeps the data of the graph, and with it the priors.
    data = fit["constant_data"].to_dataset()
    found = {
        str(name).removeprefix("prior_"): data[name].to_numpy()
        for name in data.data_vars
        if str(name).startswith("prior_")
    }
    if not found:
        raise EstimandError(
            "This fit does not record its priors: it was saved without events, or by an earlier "
            "version. Use the fit as socgrad.fit returned it, or fit the model again."
        )
    # The beta has one number for both shapes.
    return {name: np.broadcast_to(pair, np.shape(pair) or (2,)) for name, pair in found.items()}


def log_prior(fit: xr.DataTree) -> xr.Dataset:
    """Log prior density of every parameter in every draw, per step of the fit.

    Columns of covariates are summed. Effects of authorities are left out: their distribution is
    part of the model.

    Raises
    ------
    EstimandError
        If the fit does not record its priors.
    SchemaError
        If `fit` is not a socgrad fit.
    """
    coefficients(fit)  # refuses what is no fit
    priors = recorded_priors(fit)
    draws = fit["posterior"].to_dataset()
    density: dict[str, xr.DataArray] = {}
    for name, kind in TERMS.items():
        if name not in draws:
            continue
        x = draws[name].transpose("chain", "draw", ...)
        value = log_density(kind.prior, priors[kind.prior_name or name], x.to_numpy())
        others = [dim for dim in x.dims if dim not in ("chain", "draw")]
        density[name] = x.copy(data=value).sum(others)
    return xr.Dataset(density).drop_attrs()


def log_density(
    family: PriorFamily, prior: npt.NDArray[np.float64], x: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Log density of a prior of one family; its two numbers are the last axis of `prior`."""
    first, second = np.moveaxis(prior, -1, 0)
    if family == "correlation":
        return np.asarray(beta.logpdf((x + 1) / 2, first, second) - np.log(2))
    value = norm.logpdf(x, first, second)
    return np.asarray(value - norm.logsf(0.0, first, second) if family == "positive" else value)


def parameters_of(draws: xr.Dataset) -> Iterator[tuple[str, int | None, npt.NDArray[np.float64]]]:
    """Every parameter, those of covariates column by column, chains laid end to end."""
    for name, kind in TERMS.items():
        if name not in draws:
            continue
        values = draws[name].transpose("chain", "draw", ...).to_numpy()
        if kind.dim is None:
            yield name, None, values.ravel()
            continue
        for column in range(values.shape[-1]):
            yield name, column, values[..., column].ravel()


def parameter_label(draws: xr.Dataset, name: str, column: int | None) -> str:
    """Name of a parameter; of a covariate's, with the covariate."""
    if column is None:
        return name
    labels = draws[str(TERMS[name].dim)].to_numpy()
    return f"{name.removesuffix('_coefficient')}[{labels[column]}]"
