"""What nutpie makes of a compiled model: draws, and what it recorded of them."""

from typing import Any

import nutpie
import xarray as xr

from socgrad.nuts.options import NutsOptions

__all__ = ["draws_by_nutpie"]

_STATISTICS = ("diverging", "energy", "logp", "n_steps", "step_size", "depth")


def draws_by_nutpie(compiled: Any, options: NutsOptions) -> tuple[xr.Dataset, xr.Dataset]:
    """Sample a compiled model.

    Parameters
    ----------
    compiled : nutpie.CompiledModel
        The model.
    options : NutsOptions
        How to sample.

    Returns
    -------
    posterior, sample_stats : xarray.Dataset
        Dims chain, draw, then those of each variable.
    """
    trace = nutpie.sample(
        compiled,
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        cores=options.cores,
        seed=options.random_seed,
        target_accept=options.target_accept,
        progress_bar=options.progress,
        save_warmup=False,
    )
    statistics = trace["sample_stats"].to_dataset()
    return (
        trace["posterior"].to_dataset(),
        statistics[[name for name in _STATISTICS if name in statistics]],
    )
