"""Whether a fit has the energies that ArviZ's `plot_energy` and `bfmi` read, and if not why."""

import json

import xarray as xr

from socgrad.errors import EstimandError
from socgrad.reading.arguments import check_is_tree
from socgrad.schema import check_tree

__all__ = ["check_energy"]


def check_energy(fit: xr.DataTree) -> xr.DataTree:
    """Give a fit as it is if it has energies, for ``az.plot_energy(check_energy(fit))``.

    Parameters
    ----------
    fit
        From `socgrad.fit`, or `pymc.sample` on `socgrad.pymc_model(model)`.

    Returns
    -------
    xarray.DataTree
        `fit` itself.

    Raises
    ------
    EstimandError
        If its draws have no energies, with the reason: only Hamiltonian samplers have them.
    SchemaError
        If `fit` is not a socgrad fit.

    References
    ----------
    Betancourt 2016, https://arxiv.org/abs/1604.00695.

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.reading.example import example_fit
    >>> sg.for_arviz.check_energy(example_fit())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    socgrad.errors.EstimandError: The draws of this fit have no energies...
    """
    check_is_tree(fit)
    check_tree(fit)
    if "sample_stats" in fit.children and "energy" in fit["sample_stats"].data_vars:
        return fit
    how = json.loads(fit.attrs.get("sampler", "{}")).get("name", "not by a Hamiltonian sampler")
    raise EstimandError(
        f"The draws of this fit have no energies, as they were made otherwise ({how}): "
        "socgrad.check_sampling(fit) judges them by what they have. Fit with "
        "socgrad.fit(model, method='nuts') for az.plot_energy and az.bfmi."
    )
