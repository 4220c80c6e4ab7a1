"""The log prior density of every draw, from the priors that a fit records."""

import json
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.stats import beta, norm

from socgrad.errors import EstimandError
from socgrad.reading.posterior import coefficients
from socgrad.terms import TERMS

__all__ = ["log_prior", "recorded_priors"]


def recorded_priors(fit: xr.DataTree) -> dict[str, npt.NDArray[np.float64]]:
    """Priors of a fit per step of its own: mean and sd by name, both shapes of the beta.

    Those of covariates have shape (columns, 2), the others (2,).

    Raises
    ------
    EstimandError
        If the fit records none.
    """
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
        first, second = np.moveaxis(priors[kind.prior_name or name], -1, 0)
        if kind.prior == "correlation":
            value = beta.logpdf((x.to_numpy() + 1) / 2, first, second) - np.log(2)
        else:
            value = norm.logpdf(x.to_numpy(), first, second)
            if kind.prior == "positive":
                value = value - norm.logsf(0.0, first, second)
        others = [dim for dim in x.dims if dim not in ("chain", "draw")]
        density[name] = x.copy(data=value).sum(others)
    return xr.Dataset(density).drop_attrs()
