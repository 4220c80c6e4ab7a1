"""Draws of the priors, and the priors' density at the posterior's draws, for ArviZ."""

import xarray as xr

from socgrad.checks.prior_density import log_prior
from socgrad.errors import EstimandError
from socgrad.model.gradient_model import GradientModel
from socgrad.simulation.prior_draws import draw_prior

__all__ = ["add_log_prior", "add_prior"]


def add_prior(
    fit: xr.DataTree, model: GradientModel, *, draws: int = 1000, random_seed: int = 0
) -> xr.DataTree:
    """Add draws of the priors, for ArviZ's `plot_prior_posterior`.

    Parameters
    ----------
    fit : xarray.DataTree
        From `socgrad.fit` or `socgrad.load`.
    model : GradientModel
        That was fitted: a fit records its priors in numbers, not the model that draws from them.
    draws : int
        Independent draws, at least 1.
    random_seed : int
        At least 0.

    Returns
    -------
    xarray.DataTree
        A copy of the fit (its arrays shared) with group `prior`: the variables of the posterior,
        one chain.

    Raises
    ------
    EstimandError
        If the fit is of another model, or of the same with other data.
    SpecificationError
        If `model` is no `GradientModel`, `draws` is below 1 or `random_seed` below 0.

    Examples
    --------
    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=8, areas=200, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation",
    ...                             complete=True)
    >>> model = sg.GradientModel(areas)
    >>> fitted = sg.fit(model, method="laplace", random_seed=1)
    >>> tree = sg.for_arviz.add_prior(fitted, model)
    >>> set(tree["prior"].data_vars) == set(tree["posterior"].data_vars)
    True
    """
    prior = draw_prior(model, draws=draws, random_seed=random_seed)
    differ = [
        name
        for name in ("model", "priors", "data_sha256")
        if name in fit.attrs and fit.attrs[name] != prior.attrs.get(name)
    ]
    if differ:
        raise EstimandError(
            f"The fit is not of this model: {', '.join(differ)} differ. Give the model that was "
            "fitted, with its table."
        )
    tree = fit.copy()
    tree["prior"] = prior["posterior"].copy()
    return tree


def add_log_prior(fit: xr.DataTree) -> xr.DataTree:
    """Add the log prior density of every draw, for ArviZ's `psense`.

    Parameters
    ----------
    fit : xarray.DataTree
        From `socgrad.fit` or `socgrad.load`, with the priors that it records.

    Returns
    -------
    xarray.DataTree
        A copy of the fit (its arrays shared) with group `log_prior`: one variable for each
        parameter, dims chain and draw. Effects of authorities are left out: their distribution is
        part of the model.

    Raises
    ------
    EstimandError
        If the fit does not record its priors.
    SchemaError
        If `fit` is not a socgrad fit.

    Notes
    -----
    `socgrad.prior_checks.prior_sensitivity` weighs the likelihood with authorities' effects
    integrated out; `az.psense` with a group `log_likelihood` weighs it given the effects.

    References
    ----------
    Kallioinen et al. 2024, Statistics and Computing 34, https://doi.org/10.1007/s11222-023-10366-5.

    Examples
    --------
    >>> import socgrad as sg
    >>> table = sg.simulate(authorities=8, areas=200, random_seed=1).frame
    >>> areas = sg.Areas.from_frame(table, area="area", authority="authority", events="referral",
    ...                             children="children", deprivation="deprivation",
    ...                             complete=True)
    >>> fitted = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1)
    >>> dict(sg.for_arviz.add_log_prior(fitted)["log_prior"].sizes)
    {'chain': 4, 'draw': 1000}
    """
    tree = fit.copy()
    tree["log_prior"] = xr.DataTree(log_prior(fit))
    return tree
