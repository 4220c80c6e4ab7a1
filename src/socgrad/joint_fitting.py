"""Fitting all strata at once, their authority effects correlated."""

import warnings
from pathlib import Path
from typing import Any, Final

import xarray as xr

from socgrad.manifest import assemble
from socgrad.model.compression import likelihood_data
from socgrad.model.stratified_model import StratifiedModel
from socgrad.nuts.options import NutsOptions
from socgrad.quadrature_record import record_quadrature
from socgrad.schema import CORRELATIONS
from socgrad.strata_tree import join_strata

__all__ = ["fit_joint"]

_PACKAGE: Final = (str(Path(__file__).parent),)


def fit_joint(model: StratifiedModel, options: NutsOptions) -> xr.DataTree:
    """Sample all strata together, and give each its part of the tree.

    Parameters
    ----------
    model : StratifiedModel
        The specification, its authority effects joint.
    options : NutsOptions
        How to sample.

    Returns
    -------
    xarray.DataTree
        As `socgrad.strata_tree.join_strata` makes it; draws of all strata belong together, and
        `posterior` also holds `socgrad.schema.CORRELATIONS`.

    Warns
    -----
    QuadratureWarning
        What `socgrad.quadrature_record` warns of, by stratum.
    """
    # PyMC and nutpie take seconds to import: only a fit that needs them pays for them.
    from socgrad.nuts.joint_sampling import sample_joint  # noqa: PLC0415

    data = {label: likelihood_data(one) for label, one in model.models.items()}
    posterior, sample_stats = sample_joint(model, list(data.values()), options)
    sampler = {
        "method": "nuts",
        "name": "nutpie",
        "draws": options.draws,
        "tune": options.tune,
        "chains": options.chains,
        "target_accept": options.target_accept,
        "authority_effects": model.authority_effects,
        "correlations": model.correlations,
    }
    trees: dict[Any, xr.DataTree] = {}
    for label, one in model.models.items():
        trees[label] = assemble(
            one,
            posterior.sel(stratum=label, drop=True),
            xr.Dataset(),
            sampler=sampler,
            packages=("pymc", "pytensor", "nutpie"),
            random_seed=options.random_seed,
        )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            record_quadrature(one, trees[label], data[label])
        for each in caught:
            warnings.warn(
                f"Stratum {label!r}: {each.message}", each.category, skip_file_prefixes=_PACKAGE
            )
    shared = posterior[list(CORRELATIONS)].drop_attrs()
    for name, meaning in CORRELATIONS.items():
        shared[name].attrs["long_name"] = meaning
    return join_strata(
        model,
        trees,
        random_seed=options.random_seed,
        sample_stats=sample_stats.drop_attrs(),
        shared=shared,
    )
